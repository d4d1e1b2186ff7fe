"""Forgiving names of tasks: what a name means, what there is, and what is nearest to a name that nothing has."""

import contextlib
import importlib
import io
import re
from functools import cache
from types import ModuleType

from hades.errors import InputError, meant
from hades.tasks.suites import FIRST, LATER, SUITES

BRAX = {
    name.replace("_", ""): f"brax/{name}"
    for name in ("ant", "halfcheetah", "hopper", "humanoid", "humanoidstandup", "inverted_double_pendulum",
                 "inverted_pendulum", "pusher", "reacher", "walker2d")
}  # fmt: skip
"""Names that are Brax's alone or first of all: known without two seconds spent on importing it."""
MEANT = {"swimmer": "Brax's swimmer runs on no pipeline with this JAX; gymnax has another of that name: Swimmer-misc"}
"""Short names that mean what there is not, though a task of another kind could answer to them."""
HERE = (
    "`hades envs` lists what has a name, and what else can be installed; whatever Gymnasium has is gymnasium/NAME. An "
    "environment of your own is FILE.py:CLASS, module:CLASS or, in Python, the object itself"
)
PREFIXES = tuple(f"{suite}/" for suite in SUITES)


def resolve(name: str) -> str:
    """The full name of a task, without making it."""
    return find(name)[1]


def names(only: str | None = None) -> list[str]:
    """Every task that `hades.make` knows by name, or those of one suite."""
    return [name for module in ([only] if only else SUITES) for name in suite(module).names()]


def known(name: str) -> tuple[str, str] | None:
    """The suite and full name that a forgiving name means. Suites load only as far as the search has to go.

    Raises:
        InputError: for a name that several suites have.
    """
    plain = _plain(name)
    if plain in BRAX:
        return "brax", BRAX[plain]
    if plain.removeprefix("brax") in MEANT:
        return None
    if (prefix := name.split("/")[0]) in LATER and "/" in name:
        return prefix, name  # whether it has that is the suite's to say
    for alias in ALIASES:
        for module in FIRST:
            for full in suite(module).names():
                if alias(full) == plain:
                    return module, full
    for alias in ALIASES:
        if found := {module: full for module in LATER for full in _listed(module) if alias(full) == plain}:
            return _only(name, found)
    return ("gymnasium", f"gymnasium/{name}") if suite("gymnasium").has(name) else None


def _only(name: str, found: dict[str, str]) -> tuple[str, str]:
    """The one suite that has a name.

    Raises:
        InputError: where several have it.
    """
    if len(found) > 1:
        raise InputError(f"'{name}' is of several suites; take one of {', '.join(found.values())}")
    return next(iter(found.items()))


def find(name: str) -> tuple[str, str]:
    """The suite and full name.

    Raises:
        InputError: for a name that nothing has, with the nearest ones, and how else an environment comes in.
    """
    if found := known(name):
        return found
    stem = _plain(_ELSEWHERE.sub("", name))
    if stem.removeprefix("brax") in MEANT:
        raise InputError(f"unknown task '{name}'; {MEANT[stem.removeprefix('brax')]}")
    aliases = {alias(full): full for full in reversed(names()) for alias in ALIASES}
    hint = meant(stem, aliases, most=1 if stem in aliases else 3, cutoff=0.65)
    path = ", and no file or folder is there" if "/" in name else ""
    raise InputError(f"unknown task '{name}'{path}; {f'{hint} ' if hint else ''}{HERE}")


@cache
def _listed(module: str) -> list[str]:
    """Of a suite whose names do not change while the process runs."""
    return suite(module).names()


def suite(module: str) -> ModuleType:
    """Import an adapter; what the libraries print at import is not the user's to act on."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return importlib.import_module(f"hades.tasks.suites.{module}")


_ELSEWHERE = re.compile(r"^.*[/:]|(NoFrameskip|Deterministic)?-(ram-)?v\d+$")
"""What other libraries' names have around what the environment is called: ``ALE/Pong-v5``, ``Hopper-v5``."""


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _versioned(full: str) -> str:
    """Without the suite's prefix."""
    return _plain(full.removeprefix(f"{full.split('/')[0]}/") if full.startswith(PREFIXES) else full)


def _short(full: str) -> str:
    """Without the suite's prefix, the version, or ``-MinAtar``."""
    return _plain(re.sub(rf"^({'|'.join(PREFIXES)})|-v\d+$|-MinAtar$", "", full))


def _shortest(full: str) -> str:
    """Also without ``-bsuite`` and ``-misc``, which share short names with Brax (reacher, swimmer)."""
    return _short(re.sub(r"-(bsuite|misc)$", "", full))


ALIASES = (_plain, _versioned, _short, _shortest)
"""What a task may be called, the exact first."""
