"""The options as a page of the documentation: ``python -m hades.cli.reference > docs/options.md``."""

import dataclasses

from hades.config import Config
from hades.learner.recipe import Recipe
from hades.options import help_of, rules
from hades.strategies import ppo, td3
from hades.tables import markdown

HEADER = """# Options

Made by `python -m hades.cli.reference` from the fields of [`hades.Config`](../src/hades/config.py) and
[`hades.Recipe`](../src/hades/learner/recipe.py), which declare them; options of a strategy are given as
`--strategy-options NAME=VALUE`. On the command line an option is `--name`, with
hyphens; in Python it is an argument of `hades.distill`, and those of the inner loop of `hades.Learner`. What is left
out comes from the preset. `--no-NAME` turns off what can be turned off.
"""


def page() -> str:
    """The page, as Markdown."""
    groups: dict[str, list[list[str]]] = {}
    for kind in (Config, Recipe, ppo.Options, td3.Options):
        for known, rule in rules(kind):
            row = [f"`{known.name}`", _default(known), help_of(kind)[known.name]]
            groups.setdefault(rule.group, []).append(row)
    parts = [
        f"## {group.capitalize()}\n\n{markdown([['option', 'default', ''], *rows])}" for group, rows in groups.items()
    ]
    return "\n".join([HEADER, "\n\n".join(parts)])


def _default(known: "dataclasses.Field[object]") -> str:
    """Where no preset says otherwise."""
    if known.default is dataclasses.MISSING:
        return "" if known.default_factory is dataclasses.MISSING else "none"
    return "none" if known.default in (None, ()) else f"`{known.default}`"


if __name__ == "__main__":
    print(page())
