"""Pages that the code writes: ``python -m hades.cli.reference presets > docs/presets.md``; without a name, options."""

import dataclasses
import sys
from collections.abc import Mapping

from hades.config import LIMITS, Config
from hades.learner.recipe import Recipe
from hades.options import help_of, rules
from hades.presets import HEADER, row
from hades.presets import PRESETS as KNOWN
from hades.strategies import ppo, td3
from hades.tables import markdown

OPTIONS = """# Options

Made by `python -m hades.cli.reference` from the fields of [`hades.Config`](../src/hades/config.py) and
[`hades.Recipe`](../src/hades/learner/recipe.py), which declare them; options of a strategy are given as
`--strategy-options NAME=VALUE`. On the command line an option is `--name`, with
hyphens; in Python it is an argument of `hades.distill`, and those of the inner loop of `hades.Learner`. What is left
out comes from the preset; by `--strategy ppo` in place of another, from what
[it brings along](how-to/choosing.md#which-strategy). `--no-NAME` turns off what can be turned off.
"""

PRESETS = """# Presets

Made by `python -m hades.cli.reference presets` from [`hades.presets`](../src/hades/presets.py). A preset is where all
[options](options.md) of a run start from: `hades distill TASK --preset NAME`, with whatever else is given laid over
it. `hades presets --task TASK --json` has a task's in full. **besides** is the inner loop's network, activation and
optimiser with its step size, then what else is not an option's own default.

- **laptop** (the default): what pays in minutes on one machine ([why](laptop.md)). A task that is not in the table has
  sensible defaults of its kind.
- **evolution**: the paper's outer loop in minutes, for tasks of gymnax's and Brax's; laptop's own where that evolves.
- **paper**: the published hyperparameters, which are for large GPUs.
"""


def options() -> str:
    """All options, as Markdown."""
    groups: dict[str, list[list[str]]] = {}
    for kind in (Config, Recipe, ppo.Options, td3.Options):
        for known, rule in rules(kind):
            row = [f"`{known.name}`", _default(known), help_of(kind)[known.name]]
            groups.setdefault(rule.group, []).append(row)
    parts = [
        f"## {group.capitalize()}\n\n{markdown([['option', 'default', ''], *rows])}" for group, rows in groups.items()
    ]
    return "\n".join([OPTIONS, "\n\n".join(parts)])


def presets() -> str:
    """All presets, as Markdown."""
    parts = []
    for name, configs in KNOWN.items():
        rows = [[task, *row(config.to_json()), _besides(config)] for task, config in configs.items()]
        parts.append(f"## {name.capitalize()}\n\n{markdown([['task', *HEADER, 'besides'], *rows])}")
    return "\n".join([PRESETS, "\n\n".join(parts)])


def _besides(config: Config) -> str:
    """What is not in the table's other columns, and not an option's own default."""
    said = {"size", "population", "inits", "episodes", "strategy", "std", "normaliser", "networks", *LIMITS}
    recipe = config.learner
    known = [one for one, _ in rules(Config) if one.name not in said]
    words = [_words(one.name, getattr(config, one.name)) for one in known if getattr(config, one.name) != one.default]
    inner = f"{recipe.network}: {recipe.activation}, {recipe.optimiser} {recipe.learning_rate:g}"
    return "; ".join([inner, *filter(None, words)])


def _words(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one:g}" for key, one in value.items())
    return name if value is True else f"{name} {value}"


def _default(known: "dataclasses.Field[object]") -> str:
    """Where no preset says otherwise."""
    if known.default is dataclasses.MISSING:
        return "" if known.default_factory is dataclasses.MISSING else "none"
    return "none" if known.default in (None, ()) else f"`{known.default}`"


PAGES = {"options": options, "presets": presets}

if __name__ == "__main__":
    print(PAGES[(sys.argv[1:] or ["options"])[0]]())
