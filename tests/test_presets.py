"""The named, complete configurations."""

import json

import pytest

import hades
from hades import presets, tasks
from hades.config import Config
from hades.presets import PRESETS
from hades.tasks.control import ControlTask
from hades.tasks.images import ImageTask


def test_presets_fit_their_tasks() -> None:
    for configs in PRESETS.values():
        for task, config in configs.items():
            assert tasks.resolve(task) == task
            assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config
    hopper = PRESETS["paper"]["brax/hopper"]
    assert (hopper.population, hopper.inits, hopper.episodes, hopper.generations) == (2048, 2, 4, 2000)
    assert (hopper.std, hopper.learner.width, hopper.learner.epochs) == (0.03, 512, 200)
    breakout = PRESETS["paper"]["Breakout-MinAtar"]
    assert (breakout.size, breakout.episodes, breakout.generations, breakout.std) == (16, 8, 5000, 0.5)


def test_a_task_without_a_preset_has_sensible_defaults(target: ControlTask) -> None:
    assert presets.get(target, "laptop").minutes == 10
    with pytest.raises(hades.InputError, match="the preset paper has no target"):
        presets.get(target, "paper")


def test_another_kind_of_strategy_comes_with_the_tasks_preset_of_its_kind() -> None:
    breakout, cartpole = tasks.make("breakout"), tasks.make("cartpole")
    laptop, evolution = (PRESETS[name]["Breakout-MinAtar"] for name in ("laptop", "evolution"))
    assert presets.by(breakout, "laptop", "SNES") == evolution
    assert presets.by(breakout, "laptop", "OpenES") == evolution.override({"strategy": "OpenES"})
    assert presets.by(breakout, "evolution", "ppo") == laptop
    assert presets.by(breakout, "paper", "ppo").generations == 5000  # a scale that was asked for stays
    brought = presets.by(cartpole, "laptop", "ppo")
    assert (brought.size, brought.minutes, brought.learner.optimiser) == (16, 0.25, "momentum")


def test_images_without_a_preset_have_theirs(mine: ImageTask) -> None:
    config = presets.get(mine, "laptop")
    assert (config.size, config.strategy, config.learner.network, config.minutes) == (3, "gradient", "mlp", 10)


def test_the_table_names_every_limit() -> None:
    assert presets.row(PRESETS["laptop"]["mnist"].to_json())[-1] == "4,000 generations or 10 minutes"


def test_the_table_names_strategy_network_and_budget() -> None:
    chosen = {"laptop": {task: PRESETS["laptop"][task].to_json() for task in ("CartPole-v1", "digits")}}
    header, cartpole, digits = presets.table(chosen).splitlines()
    assert header.split()[:4] == ["preset", "task", "pairs", "population"]
    assert "SNES, std 0.5" in cartpole and "width 64, 200 epochs" in cartpole and cartpole.endswith("0.25 minutes")
    assert "gradient" in digits and "mlp:64 mlp:64x2" in digits
