"""The command that a page gives distils the same thing."""

import json
import shlex
from typing import Any

import pytest

from hades import tasks
from hades.arguments import Beginning
from hades.cli import parsing
from hades.cli.derive import given
from hades.config import Config
from hades.distillation import configured
from hades.files import dumps
from hades.learner.recipe import Recipe
from hades.reporting.reproduction import command


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
