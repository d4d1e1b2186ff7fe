"""Suites: one adapter file each, with ``names()`` and ``make(name, **options)``. Imported when a task is made.

Whoever adds one adds its line to `SUITES`; the extra that installs it has its name.
"""

import contextlib
import importlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import numpy as np

from hades.errors import InputError, in_a_line, meant
from hades.extras import MissingExtra, installed
from hades.tasks.base import Task
from hades.tasks.copies import quiet


class Suite(NamedTuple):
    """What there is to know of a suite before it is imported.

    Attributes:
        what: its environments, in a line.
        module: the package that it needs; empty where that comes with HaDES.
    """

    what: str
    module: str = ""

    @property
    def installed(self) -> bool:
        """Whether its environments can be made."""
        return not self.module or installed(self.module)


SUITES = {
    "images": Suite("labelled images"),
    "gymnax": Suite("classic control, MinAtar, bsuite, in JAX"),
    "brax": Suite("rigid bodies, in JAX"),
    "gymnasium": Suite("Gymnasium's: MuJoCo, Box2D, Atari, your own"),
    "envpool": Suite("MuJoCo, dm_control, Atari, MetaWorld, Fetch, by threads in C++", "envpool"),
    "playground": Suite("MuJoCo Playground, in JAX", "mujoco_playground"),
    "navix": Suite("MiniGrid in JAX", "navix"),
    "craftax": Suite("an open world, in JAX", "craftax"),
    "jumanji": Suite("routing, packing, puzzles, in JAX", "jumanji"),
}
"""The adapters, a file each, in the order in which a name is looked for."""
FIRST = ("images", "gymnax", "brax")
"""Whose short names are theirs, whatever else is installed."""
LATER = tuple(name for name in SUITES if name not in FIRST)

T = TypeVar("T", bound=Task)


def limits(options: Mapping[str, Any]) -> None:
    """Raise `InputError` for limits of a task that cannot be, whatever its suite."""
    steps, seconds = options.get("max_steps"), options.get("timeout")
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 1):
        raise InputError(f"max_steps must be a whole number, 1 or more, not {steps!r}")
    if seconds is not None and not (isinstance(seconds, (int, float)) and 0 < seconds < 1e6):
        raise InputError(f"timeout must be a number of seconds, above 0, not {seconds!r}")


def with_limit(options: Mapping[str, Any], max_steps: int | None, name: str = "max_steps") -> dict[str, Any]:
    """Options with a limit of steps, by the name that it has there; without one where there is none."""
    return dict(options) if max_steps is None else {**options, name: max_steps}


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """What a library prints is not the user's to act on."""
    with contextlib.redirect_stdout(io.StringIO()), quiet():
        yield


@contextlib.contextmanager
def making(name: str) -> Iterator[None]:
    """What cannot be made is told in a line."""
    try:
        with silenced():
            yield
    except InputError:
        raise
    except Exception as error:  # such as an option that there is not
        raise InputError(f"{name} cannot be made: {in_a_line(error)}") from error


def known(name: str, names: Callable[[], Sequence[str]]) -> None:
    """Raise `MissingExtra` where the suite of a full name is not installed, `InputError` where it has no such task."""
    suite = name.split("/")[0]
    if not SUITES[suite].installed:
        raise MissingExtra(SUITES[suite].module, suite)
    nearest(name, names())


def package(name: str) -> Any:
    """A package that need not be there."""
    return importlib.import_module(name)


def nearest(name: str, known: Sequence[str]) -> None:
    """Raise `InputError` for a name that is not among those of its suite, with the nearest ones."""
    if name not in known:
        raise InputError(f"there is no {name}; {meant(name, known) or '`hades envs` lists them'}")


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
