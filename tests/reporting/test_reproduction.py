"""The command that a page gives distils the same thing."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from hades import tasks
from hades.arguments import Beginning
from hades.cli import parsing
from hades.cli.derive import given
from hades.config import Config
from hades.distillation import configured
from hades.errors import InputError
from hades.files import dumps
from hades.learner.recipe import Recipe
from hades.learner.recipes import CONTINUOUS
from hades.reporting.reproduction import command, inexact


@pytest.mark.parametrize(
    ("name", "preset", "options"),
    [
        ("cartpole", "laptop", {}),
        ("cartpole", "laptop", {"size": 4, "generations": 60, "seed": 3}),
        ("cartpole", "laptop", {"init": "fixed"}),
        ("cartpole", "laptop", {"strategy": "ppo"}),
        ("acrobot", "laptop", {"polish": ("SNES@0.2@0.05",), "normaliser": "none", "learn_rate": True}),
        ("breakout", "laptop", {"strategy": "SNES"}),
        ("breakout", "laptop", {"strategy_options": {"entropy": 0.001}}),
        ("reacher", "laptop", {"strategy_options": {"entropy": 0.01}}),
        ("reacher", "laptop", {"strategy_options": {}}),
        ("FourRooms-misc", "laptop", {"greedy": True}),
        ("digits", "laptop", {"learner": {"network": "cnn"}}),
        ("digits", "laptop", {"networks": ("mlp:64",)}),
        ("digits", "laptop", {"learner": {"width": 32}, "networks": ("mlp:64", "mlp:32")}),
    ],
)
def test_a_command_asks_for_the_same_configuration(name: str, preset: str, options: dict[str, Any]) -> None:
    task = tasks.ready(name)
    config = configured(task, preset, **options)
    about = {"task": task.name, "preset": preset, "config": json.loads(dumps(config.to_json()))}
    asked: Any = parsing.parse(shlex.split(command(about))[1:])
    more = given(asked, Beginning) | given(asked, Config)
    again = configured(task, more.pop("preset", "laptop"), learner=given(asked, Recipe), **more)
    assert again.to_json() == config.to_json()


def test_what_a_preset_says_is_not_said_again() -> None:
    config = configured(tasks.ready("cartpole"), "laptop", size=3)
    assert command({"task": "CartPole-v1", "preset": "laptop", "config": json.loads(dumps(config.to_json()))}) == (
        "hades distill CartPole-v1 --size 3"
    )


def test_of_a_run_of_the_first_release_what_it_leaves_out_is_left_out_and_said() -> None:
    about = json.loads((Path(__file__).parents[1] / "data" / "run-0.1" / "config.json").read_text())
    words = shlex.split(command(about))
    assert words[:3] == ["hades", "distill", "CartPole-v1"] and words[words.index("--width") + 1] == "8"
    assert words[words.index("--generations") + 1] == "12" and "--network" not in words
    asked: Any = parsing.parse(words[1:])
    more = given(asked, Beginning) | given(asked, Config)
    again = configured(tasks.ready("cartpole"), more.pop("preset", "laptop"), learner=given(asked, Recipe), **more)
    found = json.loads(dumps(again.to_json()))
    assert all(found[name] == value for name, value in about["config"].items() if name != "learner")
    assert "does not say network, depth" in inexact(about)


@pytest.mark.parametrize("left_out", ["preset", "config", "task_options", "task"])
def test_what_is_left_out_of_a_configuration_is_no_fault(left_out: str) -> None:
    about = {"task": "CartPole-v1", "preset": "laptop", "config": {"size": 2}, "task_options": {}}
    del about[left_out]
    assert command(about).startswith("hades distill")


def test_what_is_no_configuration_is_said() -> None:
    with pytest.raises(InputError, match="size"):
        command({"task": "CartPole-v1", "preset": [], "config": {"size": "x"}})


def test_a_command_says_where_it_is_not_exact() -> None:
    assert "another machine" in inexact({"config": {"minutes": 3, "learner": vars(CONTINUOUS)}})
    config = {"strategy": "ppo", "strategy_options": {"entropy": 0.01}, "learner": vars(CONTINUOUS)}
    once = {"task": "brax/reacher", "preset": "laptop", "config": config}  # when options were replaced whole
    assert "no environments, passes" in inexact(once) and "entropy" not in inexact(once)
