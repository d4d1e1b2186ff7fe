"""The command that distils a run's dataset again."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from hades import strategies
from hades.aliases import Json, Options
from hades.config import LIMITS, Config
from hades.files import dumps
from hades.learner.recipe import SHAPE, Recipe
from hades.options import bare
from hades.plan import plan_of
from hades.presets import PRESETS

_TASK = ("backend", "data_dir")
"""What `hades.make` takes that has an option of its own."""


def command(about: Options) -> str:
    """By what a run says of itself: its preset, and what lies over it.

    Where the preset has no such task, or another strategy, every option is said: what is left out then comes from
    what only the task knows.
    """
    config, learner = _split(about["config"])
    preset = PRESETS.get(about["preset"], {}).get(about["task"])
    base, recipe = _split(json.loads(dumps(preset.to_json()))) if preset else ({}, {})
    if bare(base.get("strategy", "")) != bare(config["strategy"]):
        base = {}
    if recipe.get("network") != learner["network"]:
        recipe = {}
    told = {name for name, value in config.items() if name not in base or base[name] != value}
    told |= {"inits"} if "init" in told else set()
    told |= {"networks"} if any(recipe.get(name) != learner[name] for name in SHAPE) and config["networks"] else set()
    told -= {name for name in LIMITS if config[name] is None} | _meaningless(config)
    words = ["hades", "distill", about["task"], *_of_task(about.get("task_options", {}))]
    words += [] if about["preset"] == "laptop" else ["--preset", about["preset"]]
    words += [word for name in config if name in told for word in _option(name, config[name])]
    words += [
        word for name, value in learner.items() if recipe.get(name) != value for word in _option(name, value)
    ]  # fmt: skip
    return shlex.join(words)


def _split(config: Options) -> tuple[Json, Json]:
    """Options of a search and of its inner loop, in the order of their declaration."""
    recipe = config["learner"]
    return (
        {
            known.name: config[known.name]
            for known in fields(Config)
            if known.name in config and known.name != "learner"
        },
        {known.name: recipe[known.name] for known in fields(Recipe) if known.name in recipe},
    )


def _meaningless(config: Options) -> set[str]:
    """What the strategies of a plan have no use for, and would refuse."""
    phases = plan_of(Config.from_json({**config, "learner": {}})).strategies
    ignored = [set(strategies.kind(phase.strategy).ignores) for phase in phases]
    return set.intersection(*ignored)


def _of_task(options: Options) -> Iterator[str]:
    for name, value in options.items():
        if name in _TASK:
            yield from _option(name, value)
        elif name == "zca":
            yield "--zca"
        else:
            yield from ("--env-arg", f"{name}={value}")


def _option(name: str, value: Any) -> list[str]:
    option = name.replace("_", "-")
    if value is True:
        return [f"--{option}"]
    if value is None or value is False or value in ([], {}, ()):
        return [f"--no-{option}"]
    if isinstance(value, Mapping):
        return [f"--{option}", *(f"{key}={number:g}" for key, number in value.items())]
    return [f"--{option}", *map(str, value if isinstance(value, (list, tuple)) else [value])]
