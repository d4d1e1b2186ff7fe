"""Every option of a distillation: what overrides what, and the way to a file and back."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hades.config import Config
from hades.errors import InputError
from hades.files import dumps
from hades.learner.recipe import Learner
from hades.learner.recipes import CONTINUOUS, DISCRETE
from hades.presets import PRESETS
from tests.helpers import RECIPE
from tests.test_files import JSON

DATA = Path(__file__).parent / "data"


def test_a_limit_replaces_the_presets_budget() -> None:
    config = PRESETS["laptop"]["CartPole-v1"].override({"generations": 3})
    assert (config.generations, config.minutes) == (3, None)


@pytest.mark.parametrize(
    ("task", "overrides", "kept"),
    [
        ("fashion-mnist", {"strategy": "SNES"}, False),
        ("fashion-mnist", {"strategy": "gradient", "size": 20}, True),
        ("Breakout-MinAtar", {"strategy": "OpenES"}, False),
        ("Breakout-MinAtar", {"strategy": "snes"}, True),
        ("Breakout-MinAtar", {"strategy": "S-NES"}, True),
    ],
)
def test_another_strategy_comes_without_the_presets_options(task: str, overrides: dict[str, Any], kept: bool) -> None:
    base = PRESETS["paper" if "MinAtar" in task else "laptop"][task]
    config = base.override(overrides)
    assert base.strategy_options
    assert config.strategy_options == (base.strategy_options if kept else {})
    assert config.strategy_lr == (base.strategy_lr if kept else None)
    given = base.override({**overrides, "strategy_lr": 0.5, "strategy_options": {"lr_decay": 0.9}})
    assert (given.strategy_options, given.strategy_lr) == ({**config.strategy_options, "lr_decay": 0.9}, 0.5)
    assert not given.override({"strategy_options": {}}).strategy_options


def test_another_network_takes_the_place_of_the_presets_several() -> None:
    base = PRESETS["laptop"]["digits"]
    cnn, longer = Learner(network="cnn"), Learner(epochs=7)
    assert [each.network for each in base.override({"learner": cnn}).recipes] == ["cnn"]
    assert base.override({"learner": longer}).networks == base.networks != ()
    assert base.override({"learner": cnn, "networks": ("lenet",)}).networks == ("lenet",)


def test_deep_networks_are_distilled_for_by_recipes_of_their_own() -> None:
    config = Config(networks=("mlp:8", "lenet", "convnet:4x2", "resnet:4,8"), learner=RECIPE)
    mlp, lenet, convnet, resnet = config.recipes
    assert mlp == RECIPE.patched(Learner(width=8))
    assert lenet.widths == (120, 84) and convnet.widths == (4, 4) and resnet.width == (4, 8)
    assert lenet.optimiser == "adam" and resnet.initialiser == "orthogonal" and resnet.bias == RECIPE.bias


def test_a_configuration_comes_back_from_a_file() -> None:
    config = Config(
        strategy="gradient", strategy_options={"lr_decay": 0.9}, networks=("mlp:8", "mlp:8,4"), polish=("SNES@0.2",),
        minutes=1.5, learner=RECIPE,
    )  # fmt: skip
    data = json.loads(json.dumps(config.to_json()))
    assert Config.from_json(data) == config == Config.from_json(data, DISCRETE)
    assert data["networks"] == ["mlp:8", "mlp:8,4"] and data["learner"] == RECIPE.options()


def test_an_old_file_with_a_part_of_a_recipe_opens() -> None:
    data = json.loads((DATA / "run-0.1" / "config.json").read_text())["config"]
    config = Config.from_json(data, DISCRETE)
    assert config.learner == DISCRETE.patched(Learner(width=8, activation="tanh", learning_rate=0.005, epochs=8))
    assert (config.searches, config.polish, config.generations) == (2, (), 12)
    del data["learner"]
    assert Config.from_json(data, DISCRETE).learner == DISCRETE and Config.from_json(data).learner == CONTINUOUS
    with pytest.raises(
        InputError, match=r"unknown option 'popsize'; did you mean size\? a configuration has size, init"
    ):
        Config.from_json(data | {"popsize": 3})


def test_a_learner_is_laid_over_the_recipe() -> None:
    base = PRESETS["laptop"]["CartPole-v1"]
    config = base.override({"learner": {"epochs": 7}})
    assert config.learner == base.learner.patched(Learner(epochs=7))
    assert base.override({}) == base == base.override({"learner": None})


def test_a_fixed_initialisation_means_one_network_unless_several_are_asked_for() -> None:
    assert Config(inits=4).override({"init": "fixed"}).inits == 1
    assert Config(inits=4).override({"init": "fixed", "inits": 3}).inits == 3
    assert Config(init="fixed", inits=4).override({"init": "fixed"}).inits == 4


def test_a_dataset_to_go_on_from_is_one_start_with_actions_and_a_normaliser_of_its_own() -> None:
    config = Config(start_actions=0.1, searches=4, normaliser="running")
    on, sampled = config.override({"start": "hopper-4"}), config.override({"start": "sample"})
    assert (on.start_actions, on.searches, on.normaliser) == (None, 1, "fixed")
    assert (sampled.start_actions, sampled.searches, sampled.normaliser) == (0.1, 4, "running")
    asked = config.override({"start": "hopper-4", "start_actions": 0.2, "searches": 2, "normaliser": "running"})
    assert (asked.start_actions, asked.searches, asked.normaliser) == (0.2, 2, "running")  # and refused, elsewhere
    assert config.override({"normaliser": "none"}).override({"start": "hopper-4"}).normaliser == "none"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size must be at least 1, not 0"),
        ({"init": "warm"}, "unknown init 'warm'; choose one of random, fixed"),
        ({"std": float("nan")}, "std must be positive, not nan"),
        ({"generations": 0}, "generations must be at least 1, not 0"),
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"seed": 2**64}, "seed must be at most 9223372036854775807"),
        ({"generations": 1.5}, "generations must be a whole number, not 1.5"),
        ({"size": "4"}, "size must be a whole number, not '4'"),
        ({"size": True}, "size must be a whole number, not True"),
        ({"searches": 10**9}, "searches must be at most 1000"),
        ({"networks": "mlp:8"}, "networks must be several values, not 'mlp:8'"),
        ({"networks": ("mlp:8x" + "9" * 5_000,)}, "networks are NAME, NAME:WIDTH"),
        ({"label_logit": 4.0}, "label_logit is where soft labels start; add labels soft"),
        ({"networks": ("mlp:wide",)}, "networks are NAME, NAME:WIDTH, NAME:WIDTHxDEPTH or"),
        ({"networks": ("mlp:8+relu",)}, "networks are NAME, .* and \\+OPTION=VALUE for other options"),
        ({"networks": ("mlp:8+activation=sine",)}, "unknown activation 'sine'"),
        ({"networks": ("mlp:8+wide=1",)}, "unknown option 'wide'"),
        ({"networks": ("mlp:8", "convnet:4"), "learn_rate": True}, "learn_rate searches for one learning_rate"),
        ({"rate_spread": 0.5}, "rate_spread must be at least 1, not 0.5"),
        ({"networks": ("mlp", "mlp+log_std=-0.5"), "learn_std": True}, "learn_std searches for one log_std"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Config(**options)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([*Config.__dataclass_fields__]), JSON, min_size=1, max_size=3) | JSON)
def test_whatever_a_file_has_is_a_configuration_or_one_line(data: Any) -> None:
    try:
        config = Config.from_json(data)
    except InputError as error:
        assert str(error).isprintable()
    else:
        assert Config.from_json(json.loads(dumps(config.to_json()))) == config


def test_a_learner_may_be_wishes() -> None:
    assert Config(learner={"width": 7}).learner == CONTINUOUS.patched(Learner(width=7))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"a learner is hades\.Learner"):
        Config(learner=3)  # type: ignore[arg-type]


def test_an_older_files_depth_beside_several_widths_is_of_no_account() -> None:
    config = Config.from_json({"learner": CONTINUOUS.options() | {"width": [8, 4, 2], "depth": 2}})
    assert (config.learner.widths, config.learner.depth) == ((8, 4, 2), 3)


def test_a_start_is_a_kind_or_a_dataset_by_its_place() -> None:
    for start in ("a.safetensors", "runs/a", "hopper-4"):
        assert Config(start=start).starts_from_dataset
    for start in ("random", "sample", "a"):
        assert not Config(start=start).starts_from_dataset


def test_networks_may_have_options_of_their_own() -> None:
    config = Config(networks=("mlp:8", "mlp:16x3+activation=relu+learning_rate=0.5+epochs=7"))
    plain, own = config.recipes
    assert (plain.width, plain.learning_rate) == (8, config.learner.learning_rate)
    assert (own.widths, own.activation, own.learning_rate, own.epochs) == ((16, 16, 16), "relu", 0.5, 7)
