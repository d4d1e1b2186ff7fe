"""``config.json``: what a run is, which nothing changes but the run itself.

A digest in it tells what was edited or damaged; then the last checkpoint, which has the same, says what it was.
"""

import json
from pathlib import Path
from typing import Any

from hades import checkpoints
from hades.aliases import Json, Options
from hades.errors import InputError, notice
from hades.files import digest, dumps, reason, write_atomically


def write(file: Path, about: Options) -> None:
    """Write it.

    Raises:
        WriteError: if that cannot be.
    """
    known = dict(about)
    write_atomically(file, (dumps(known | {"digest": digest({}, known)}, indent=2) + "\n").encode())


def read(file: Path, folder: Path) -> Json:
    """What a run is: its ``task``, ``task_options``, ``preset``, ``config`` and ``versions``.

    Args:
        folder: of the run's checkpoints, which say it where the file cannot be read.

    Raises:
        InputError: if it is not what the run wrote, or nothing says what the run is.
    """
    kept, found = checkpoints.about(folder), _parsed(file)
    if found is not None:
        whole, written = found.pop("whole"), found.pop("digest", None)
        if found == kept or written in (None, whole):
            return _checked(file, found)
        raise InputError(_edited(file, found, kept))
    if kept is None:
        raise InputError(f"{file.parent} is not a run folder: it has no config.json of a distillation")
    notice(f"{file} is missing or damaged: what the last checkpoint says of the run is taken")
    return kept


def whole(file: Path) -> bool:
    """Whether the file itself says what the run is, whatever else does."""
    return _parsed(file) is not None


def _parsed(file: Path) -> Json | None:
    """What the file says and, as ``whole``, the digest of it; None if it is none of a run's."""
    try:
        found: Any = json.loads(file.read_bytes())
        return found | {"whole": digest({}, found)} if {"task", "config"} <= set(found) else None
    except (FileNotFoundError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    except OSError as error:
        raise InputError(f"cannot read {file}: {reason(error)}") from None


def _checked(file: Path, found: Json) -> Json:
    """Of a run without a digest, of HaDES 0.1: what the values are is checked where they are used."""
    for name, kind, words in (("task", str, "a name"), ("config", dict, "options"), ("task_options", dict, "options")):
        if not isinstance(found.get(name, kind()), kind):
            raise InputError(f"{file}: {name} must be {words}, not {found[name]!r}")
    return found


def _edited(file: Path, found: Json, kept: Json | None) -> str:
    if kept is None:
        return f"{file} was edited or damaged, and there is no checkpoint that says what it was; begin a new run"
    now, then = _flat(found), _flat(kept)
    changed = [name for name in then | now if now.get(name) != then.get(name)]
    return (
        f"{file} was edited or damaged: {'; '.join(f'{x} is {now.get(x)}, was {then.get(x)}' for x in changed[:3])}. "
        "A budget is changed by hades resume RUN --generations N, nothing else of a run can be; delete the file to go "
        "on as before"
    )


def _flat(about: Options, prefix: str = "") -> Json:
    """By the path of each value."""
    flat = {}
    for name, value in about.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
