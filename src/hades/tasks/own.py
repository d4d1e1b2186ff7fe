"""Environments of somebody's own: objects, classes and functions, and references to them in files and modules.

What an object is, its API says: gymnax's (``step_env``), Brax's (``action_size``) or Gymnasium's (an ``action_space``
that is no function). Of a reference, Gymnasium's are stepped by processes that make it themselves.
"""

import ast
import dataclasses
import importlib.util
import inspect
import os
import zlib
from pathlib import Path
from typing import Any

from hades.aliases import Options
from hades.errors import InputError, in_a_line
from hades.files import as_path
from hades.tasks import copies
from hades.tasks.base import Task
from hades.tasks.copies import Reference
from hades.tasks.fingerprints import plainly
from hades.tasks.lookup import PREFIXES, suite
from hades.tasks.patience import TIMEOUT, within

_SAYS = "give an environment with the API of gymnax, Brax or Gymnasium, its class, or a function that makes it"

_LATER = ("max_steps", "timeout")
"""Options of the task, not of what makes its environment, unless that has them, too."""


def is_reference(name: str) -> bool:
    """Whether a name is ``file.py:Name`` or ``module:Name``."""
    place, colon, attribute = name.rpartition(":")
    return bool(colon and place) and not name.startswith(PREFIXES) and attribute.replace(".", "_").isidentifier()


def check_code(name: str, file: str | None, fingerprint: str | None, call: str) -> None:
    """That code which a dataset's header names may be run: of a file that is here, byte for byte what it was.

    Args:
        file: where it is, if that is not where one works.
        fingerprint: that it had.
        call: how to give it.

    Raises:
        InputError: if not; of a module nobody can say it.
    """
    place = name.rpartition(":")[0]
    if not place.endswith(".py") or Path(place).name != place:
        raise InputError(
            f"{name} is code, which is not run for a file's word alone; if it is yours, go on with: {call}"
        )
    path = as_path(file or place)
    if not path.is_file():
        raise InputError(f"{name} is code of a file that is not here; go on with: {call}")
    if fingerprint_of(path) != fingerprint:
        raise InputError(f"{name} has other code now than this was made on; go on with: {call}")


def fingerprint_of(source: str | os.PathLike[str]) -> str:
    """Of the file that code is in."""
    return f"{zlib.crc32(Path(source).read_bytes()):08x}"


def typed(name: str, options: Options) -> str:
    """The options by which a command is given an environment of a file or module; of another name nothing.

    Examples:
        >>> typed("mine.py:Mine", {"friction": 0.2}), typed("cartpole", {})
        ('--task FILE.py:Mine --env-arg friction=0.2', '')
    """
    if not is_reference(name):
        return ""
    place, _, attribute = name.rpartition(":")
    values = "".join(f" {key}={value}" for key, value in options.items())
    return f"--task {'FILE.py' if place.endswith('.py') else place}:{attribute}" + (values and f" --env-arg{values}")


def wrapped(env: Any, **options: Any) -> Task:
    """The task of an environment, of its class, of a function that makes it, or of what ``gymnax.make`` returns.

    Args:
        options: of a class or function: what it is called with. Of gymnax's, fields of the environment's parameters,
            or ``params`` whole; of Brax's ``max_steps``.

    Raises:
        InputError: for anything else, or one that cannot be made.
    """
    if isinstance(env, tuple) and len(env) == 2:
        return suite("gymnax").from_environment(env[0], options.pop("params", env[1]), **options)
    if not callable(env) or (_kind(env) and not isinstance(env, type)):
        return _of_object(env, options)
    name = getattr(env, "__name__", type(env).__name__)
    made, mine, rest = _called(env, name, options)
    if _kind(made) == "gymnasium":
        return _again(suite("gymnasium").from_environment(made, make=lambda: env(**mine), **rest), mine)
    return wrapped(made, **rest)


def referred(name: str, file: str | os.PathLike[str] | None = None, **options: Any) -> Task:
    """The task of a class or function in a file or module.

    Args:
        name: ``file.py:Name``, by its path, or ``module:Name``.
        file: where the file is, if that is not where the name says.
        options: as of `wrapped`.

    Raises:
        InputError: for a file or name that there is not, or that fails.
    """
    place, _, attribute = name.rpartition(":")
    path = _file(place, file)
    if path:
        name = f"{path.name}:{attribute}"
    with within(name, "import", options.get("timeout", TIMEOUT)):
        found = _loaded(name, place, path)
    if not callable(found):
        raise InputError(
            f"{name} is no class or function that makes an environment (its type is {type(found).__name__})"
        )
    made, mine, rest = _called(found, name, plainly(name, options))
    if _kind(made) == "gymnasium":
        reference = Reference(name, mine, str(path or ""), registered=False)
        task = suite("gymnasium").from_environment(made, name, reference, **rest)
    else:
        task = wrapped(made, **rest)
    source = _source(name, place, path)
    return _again(
        task, mine, name=name, source=source, fingerprint=fingerprint_of(source),
        registered=True, where={**task.where, **({"file": str(path)} if path else {})},
    )  # fmt: skip


def _again(task: Any, options: Options, **about: Any) -> Task:
    """A task with what its environment was called with among its options."""
    return dataclasses.replace(task, options={**options, **task.options}, **about)


def _of_object(env: Any, options: Options) -> Task:
    kind = _kind(env)
    if kind is None:
        raise InputError(f"{type(env).__name__} is no environment: {_SAYS}")
    if kind != "gymnax" and (unknown := [key for key in options if key not in _LATER]):
        raise InputError(f"an environment that is made has no option '{unknown[0]}'; give its class")
    return suite(kind).from_environment(env, **options)


def _kind(env: Any) -> str | None:
    """The suite whose API an object has."""
    spaces = [getattr(env, name, None) for name in ("observation_space", "action_space")]
    if None not in spaces and not any(map(callable, spaces)) and hasattr(env, "reset"):
        return "gymnasium"
    if hasattr(env, "action_size") and hasattr(env, "observation_size"):
        return "brax"
    return "gymnax" if hasattr(env, "step") or hasattr(env, "step_env") else None


def _called(made_by: Any, name: str, options: Options) -> tuple[Any, Options, Options]:
    """What a class or function makes, of which options, and those that are left for what is made."""
    try:
        known = inspect.signature(made_by).parameters
        takes_all = any(p.kind is p.VAR_KEYWORD for p in known.values())
    except (TypeError, ValueError):  # of C
        known, takes_all = {}, True
    mine = {key: value for key, value in options.items() if key in known or (takes_all and key not in _LATER)}
    rest = {key: value for key, value in options.items() if key not in mine}
    try:
        with within(name, "making", rest.get("timeout", TIMEOUT)):
            made = made_by(**mine)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # of whoever wrote it
        raise InputError(f"{name} cannot be made: {in_a_line(error)}") from error
    if _kind(made) in ("gymnasium", "brax") and (unknown := [key for key in rest if key not in _LATER]):
        takes = ", ".join([*known, *_LATER])
        raise InputError(f"{name} has no option '{unknown[0]}'; it takes {takes}")
    return made, mine, rest


def _file(place: str, file: str | os.PathLike[str] | None) -> Path | None:
    """Of a reference to a file: where that is."""
    if file is None and not place.endswith(".py") and os.sep not in place:
        return None
    path = as_path(place if file is None or (Path(place).is_file() and os.sep in place) else file)
    if not path.is_file():
        raise InputError(f"there is no file {path}; give where it is: PATH/{path.name}:NAME")
    return path.resolve()


def _loaded(name: str, place: str, path: Path | None) -> Any:
    attribute = name.rpartition(":")[2]
    try:
        if path is None and not _there(place):
            raise InputError(f"there is no module {place}, nor a file of that name (FILE.py:NAME)")
        with copies.beside(path.parent if path else os.getcwd()):
            return copies.attribute(name if path is None else attribute, str(path or ""))
    except InputError:
        raise
    except AttributeError as error:
        has = ", ".join(_makers(_source(name, place, path))) or "no class and no function"
        raise InputError(f"{path or place} has no {attribute}; it has {has}") from error
    except SyntaxError as error:
        raise InputError(f"{path or place} is no Python: {error.msg} (line {error.lineno})") from error
    except (Exception, SystemExit) as error:  # of whoever wrote it
        raise InputError(f"{path or place} cannot be imported: {in_a_line(error)}") from error


def _makers(source: str) -> list[str]:
    """The classes and functions of a file that may be meant."""
    kinds = ast.ClassDef, ast.FunctionDef
    lines = ast.parse(Path(source).read_bytes()).body
    return [line.name for line in lines if isinstance(line, kinds) and not line.name.startswith("_")]


def _there(module: str) -> bool:
    try:
        with copies.beside(os.getcwd()):
            return importlib.util.find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):  # of the package that it is in
        return False


def _source(name: str, place: str, path: Path | None) -> str:
    """The file that a reference's code is in."""
    if path:
        return str(path)
    with copies.beside(os.getcwd()):
        spec = importlib.util.find_spec(place)
    if spec is None or not spec.origin or not os.path.isfile(spec.origin):
        raise InputError(f"{name} has no source that could be remembered; put it into a file")
    return spec.origin
