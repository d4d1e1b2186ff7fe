"""Tasks: what a trained network is scored on. `make` finds one by a forgiving name."""

import contextlib
import difflib
import importlib
import io
import os
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from hades import runtime
from hades.aliases import Options
from hades.errors import InputError
from hades.tasks.base import Task
from hades.tasks.control import ControlTask
from hades.tasks.suites import SUITES

BRAX = {
    name.replace("_", ""): f"brax/{name}"
    for name in ("ant", "halfcheetah", "hopper", "humanoid", "humanoidstandup", "inverted_double_pendulum",
                 "inverted_pendulum", "pusher", "reacher", "walker2d")
}  # fmt: skip
"""Names that are Brax's alone or first of all: known without a second spent on importing gymnax."""

PREFIXES = tuple(f"{suite}/" for suite in SUITES)


@runtime.in_32_bits
def make(name: Any, **options: Any) -> Task:
    """The task of a name, of labelled images on disk, or of an environment object with gymnax's API.

    Args:
        name: as `names` lists them; case, punctuation and the suite's or version's part may be left out
            (``"cartpole"``, ``"hopper"``, ``"breakout"``, ``"fashion-mnist"``). Or the path of images of your own: a
            ``.npz`` file, or a folder of IDX files or of pictures. Or your own gymnax environment.
        options: of the suite: ``backend`` and ``max_steps`` for Brax; ``data_dir`` and ``zca`` for images; for
            gymnax, fields of the environment's parameters, or ``params`` whole for an environment object.

    Raises:
        InputError: for an unknown name (the nearest ones are named) or option, or data that are not there.

    >>> import hades
    >>> hades.make("breakout").name, hades.make("hopper", backend="spring").name
    ('Breakout-MinAtar', 'brax/hopper')
    """
    runtime.configure()
    if not isinstance(name, str):
        return _suite("gymnax").from_environment(name, **options)
    if path := _path(name, options):
        return _suite("images").make(path.stem, **{**options, "path": str(path)})
    suite, full_name = _find(name)
    try:
        return _suite(suite).make(full_name, **options)
    except TypeError as error:
        raise InputError(f"{full_name}: {str(error).split(') ')[-1]}") from None


def acting(task: Task | str, what: str) -> ControlTask:
    """A task, or the task of a name, whose policies act in an environment that can be stepped inside JAX.

    Args:
        what: is asked for one.

    Raises:
        InputError: for any other.
    """
    made = make(task) if isinstance(task, str) else task
    if not isinstance(made, ControlTask):
        is_what = made.metric.pairs if made.traced else "stepped outside JAX"
        raise InputError(f"{what} for control in JAX, and {made.name} is {is_what}")
    return made


def _path(name: str, options: Options) -> Path | None:
    """Where a name's images of the user's own lie, if it means any."""
    if "path" in options:
        return Path(options["path"])
    if name.endswith(".npz") or (os.sep in name and not name.startswith(PREFIXES)):
        return Path(name)
    beside = Path(options.get("data_dir") or os.environ.get("HADES_DATA_DIR", "")) / f"{name}.npz"
    return beside if beside.is_file() and not _known(name) else None


def resolve(name: str) -> str:
    """The full name of a task, without making it."""
    return _find(name)[1]


def names() -> list[str]:
    """Every task that `make` knows by name."""
    return [name for suite in SUITES for name in _suite(suite).names()]


def _known(name: str) -> tuple[str, str] | None:
    """The suite and full name that a forgiving name means. Suites load only as far as the search has to go."""
    plain = _plain(name)
    if plain in BRAX:
        return "brax", BRAX[plain]
    order = sorted(SUITES, key=lambda suite: not suite.startswith(name.split("/")[0]))
    for alias in (_plain, _short, _shortest):
        for suite in order:
            for full in _suite(suite).names():
                if alias(full) == plain:
                    return suite, full
    return None


def _find(name: str) -> tuple[str, str]:
    """The suite and full name, or the nearest ones in an error."""
    if known := _known(name):
        return known
    plain = _plain(name)
    aliases = {alias(full): full for full in names() for alias in (_plain, _shortest)}
    near = difflib.get_close_matches(plain, aliases, n=5, cutoff=0.5)
    nearest = list(dict.fromkeys(aliases[alias] for alias in near))[:3]
    hint = f"did you mean {' or '.join(nearest)}? " if nearest else ""
    raise InputError(f"unknown task '{name}'; {hint}`hades envs` lists all")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _short(full: str) -> str:
    """Without the suite's prefix, the version, or ``-MinAtar``."""
    return _plain(re.sub(rf"^({'|'.join(PREFIXES)})|-v\d+$|-MinAtar$", "", full))


def _shortest(full: str) -> str:
    """Also without ``-bsuite`` and ``-misc``, which share short names with Brax (reacher, swimmer)."""
    return _short(re.sub(r"-(bsuite|misc)$", "", full))


def _suite(module: str) -> ModuleType:
    """Import an adapter; what the libraries print at import is not the user's to act on."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return importlib.import_module(f"hades.tasks.suites.{module}")
