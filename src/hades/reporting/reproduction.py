"""The command that distils a run's dataset again."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from hades import strategies
from hades.aliases import Json, Options
from hades.config import LIMITS, Config
from hades.contents import mapping
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

    Raises:
        InputError: where what the run says of itself is no configuration.
    """
    asked = Config.from_json(mapping(about.get("config")))
    config, learner = _split(json.loads(dumps(asked.to_json())))
    learner = {name: value for name, value in learner.items() if name not in _unsaid(about)}
    named, task, preset = about.get("preset"), str(about.get("task", "")), _preset(about)
    base, recipe = _split(json.loads(dumps(preset.to_json()))) if preset else ({}, {})
    if bare(base.get("strategy", "")) != bare(asked.strategy):
        base = {}
    if recipe.get("network") != learner.get("network", recipe.get("network")):
        recipe = {}
    told = {name for name, value in config.items() if name not in base or base[name] != value}
    told |= {"inits"} if "init" in told else set()
    told |= {"networks"} if _shaped(learner, recipe) and asked.networks else set()
    told -= {name for name in LIMITS if config[name] is None} | _meaningless(asked)
    words = ["hades", "distill", task, *_of_task(mapping(about.get("task_options")))]
    words += ["--preset", named] if isinstance(named, str) and named != "laptop" else []
    words += [word for name in config if name in told for word in _option(name, config[name])]
    words += [
        word for name, value in learner.items() if recipe.get(name) != value for word in _option(name, value)
    ]  # fmt: skip
    return shlex.join(words)


def inexact(about: Options) -> str:
    """Why the command may give something else than the run did; empty where it does not."""
    why, config = [], mapping(about.get("config"))
    if config.get("minutes") is not None:
        why.append(
            "Its budget is time, in which another machine, or this one on another day, makes more or fewer steps: "
            "then the same options make another dataset. A budget of --generations is exact, on a machine like it."
        )
    if unsaid := _unsaid(about):
        why.append(f"Its configuration does not say {', '.join(unsaid)}: the command leaves that to the preset.")
    if gone := _gone(about):
        why.append(f"It has no {', '.join(gone)} among its strategy's options: the command leaves that to the preset.")
    if about.get("own") and ":" not in str(about.get("task")):
        why.append("Its task is an environment of its maker's own, which the command line does not know by its name.")
    return " ".join(why)


def _preset(about: Options) -> Config | None:
    """What the command starts from, where that is known without the task."""
    named = about.get("preset")
    return PRESETS.get(named, {}).get(str(about.get("task", ""))) if isinstance(named, str) else None


def _gone(about: Options) -> list[str]:
    """Of a preset's strategy, the options that were replaced whole, as they once were."""
    config, preset = mapping(about.get("config")), _preset(about)
    if not preset or bare(str(config.get("strategy"))) != bare(preset.strategy):
        return []
    own = mapping(config.get("strategy_options"))
    return [name for name in preset.strategy_options if own and name not in own]


def _unsaid(about: Options) -> list[str]:
    """Of the inner loop, what an old run's configuration leaves to its task's recipe."""
    said = mapping(mapping(about.get("config")).get("learner"))
    return [known.name for known in fields(Recipe) if known.name not in said]


def _shaped(learner: Options, recipe: Options) -> bool:
    """Whether it is another network than a recipe's."""
    return any(recipe.get(name) != learner.get(name, recipe.get(name)) for name in SHAPE)


def _split(config: Options) -> tuple[Json, Json]:
    """Options of a search and of its inner loop, in the order of their declaration."""
    recipe = config["learner"]
    search = {known.name: config[known.name] for known in fields(Config) if known.name != "learner"}
    return search, {known.name: recipe[known.name] for known in fields(Recipe)}


def _meaningless(config: Config) -> set[str]:
    """What the strategies of a plan have no use for, and would refuse."""
    ignored = [set(strategies.kind(phase.strategy).ignores) for phase in plan_of(config).strategies]
    return set.intersection(*ignored)


def _of_task(options: Options) -> Iterator[str]:
    for name, value in options.items():
        if name in _TASK:
            yield from _option(name, value)
        elif name == "zca":
            yield "--zca"
        else:
            yield from ("--env-arg", f"{name}={value}")


def _exactly(number: float) -> str:
    return repr(int(number) if float(number).is_integer() else number)


def _option(name: str, value: Any) -> list[str]:
    option = name.replace("_", "-")
    if value is True:
        return [f"--{option}"]
    if value is None or value is False or value in ([], {}, ()):
        return [f"--no-{option}"]
    if isinstance(value, Mapping):
        return [f"--{option}", *(f"{key}={_exactly(number)}" for key, number in value.items())]
    return [f"--{option}", *map(str, value if isinstance(value, (list, tuple)) else [value])]
