"""Rows on disk: one for each hash of everything that made it.

``results.json`` holds a row a line: its key, its cell, its result, the seconds that it took, and under ``made`` the
options of the study that it was made in, the datasets that it read, versions and hardware. Rows of other settings stay
in the file, each under its own key.
"""

import functools
import hashlib
import importlib.metadata
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hades.aliases import Json, Options
from hades.dataset import load
from hades.errors import InputError
from hades.files import dumps, write_atomically
from hades.locks import waited

if TYPE_CHECKING:
    from hades.config import Config
    from hades.tasks.base import Task

Cell = Json
"""What is to be done: all settings that it depends on, as JSON."""
Row = Json
"""A cell with its result, as JSON."""
LIBRARIES = ("hades-rl", "jax", "brax", "gymnax", "evosax")
FORMAT = 2
"""Of a results file; the first had rows without keys."""


def key(making: Options) -> str:
    """The hash of what made a row."""
    return hashlib.sha256(json.dumps(making, sort_keys=True).encode()).hexdigest()[:16]


def meaning(options: Options) -> str:
    """The hash of resolved options. Those that are off count as absent, so that a new one changes no row."""
    return key({name: value for name, value in options.items() if value})


def configuration(config: "Config") -> str:
    """The hash of all that a cell's distillation is made by, beside what the cell says: its seed, another's result."""
    said = config.to_json() | {"recipes": [meaning(recipe.options()) for recipe in config.recipes]}
    own = {"seed", "learner"} | ({"start"} if config.start_file else set())
    return meaning({name: value for name, value in said.items() if name not in own})


def digest(name: str) -> str:
    """The hash of a dataset and the recipe that it means, without the card that a zoo's file has beside it.

    Args:
        name: in the zoo, or a file.
    """
    from hades.evaluation import recipe

    dataset = load(name)
    info = {k: v for k, v in dataset.info.items() if k != "card"}
    about = json.dumps([dataset.online, dataset.task, meaning(recipe(dataset).options()), info], sort_keys=True)
    arrays = (dataset.states, dataset.targets, *dataset.normaliser)
    return hashlib.sha256(b"".join(x.tobytes() for x in arrays) + about.encode()).hexdigest()[:16]


def code(tasks: Iterable["Task"]) -> Json:
    """What tasks of somebody's own are made of, as it is now; of registered ones nothing."""
    own = {task.name: task.fingerprint for task in tasks if task.source}
    return {"code": own} if own else {}


@functools.cache
def versions() -> dict[str, str]:
    """Of the libraries that a result depends on."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def read(file: Path, study: str) -> dict[str, Row]:
    """The rows of a study's results by their keys, in the order that they were made; none without such a file.

    Raises:
        InputError: for a file of something else, of another study, or from before rows had keys.
    """
    if not file.exists():
        return {}
    try:
        found = json.loads(file.read_text(), object_hook=_scored)
        whose, form, rows = found["study"], found.get("format", 1), found["rows"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{file} is not a study's results; give another folder (--out)") from None
    if whose != study:
        raise InputError(f"{file} has the results of the study {whose}; give another folder (--out)")
    if form != FORMAT:
        raise InputError(f"{file} has format {form}, this HaDES has {FORMAT}; give another folder (--out) or move it")
    return {row["key"]: row for row in rows}


def _scored(found: Json) -> Json:
    """A score that was not finite is null in JSON; where scores are averaged and drawn, it is not a number."""
    return found | ({"mean": math.nan} if found.get("mean", 0) is None else {})


def add(file: Path, study: str, row: Row) -> dict[str, Row]:
    """Write a row beside those that the file has by now, and read all."""
    with waited(file.parent):
        rows = read(file, study) | {row["key"]: row}
        lines = ",\n".join(dumps(known, ensure_ascii=False) for known in rows.values())
        write_atomically(file, f'{{"study": "{study}", "format": {FORMAT}, "rows": [\n{lines}\n]}}\n'.encode())
        return read(file, study)
