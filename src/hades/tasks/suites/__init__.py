"""Suites: one adapter file each, with ``names()`` and ``make(name, **options)``. Imported when a task is made."""

import json
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from hades.tasks.base import Task

SUITES = ("images", "gymnax", "brax")
"""The adapters, in the order in which a name is looked for."""

T = TypeVar("T", bound=Task)


def remembered(make: Callable[..., T]) -> Callable[..., T]:
    """Made once for each name and plain options: what was compiled for a task serves whoever asks for it again."""
    made: dict[str, T] = {}

    @wraps(make)
    def find(name: str, **options: object) -> T:
        try:
            key = json.dumps([name, options], sort_keys=True)
        except TypeError:  # of arrays and objects nobody can say that they are the same
            return make(name, **options)
        if key not in made:
            made[key] = make(name, **options)
        return made[key]

    return find
