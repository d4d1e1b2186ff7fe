"""What is written: whole files or none, and JSON as its standard has it."""

import base64
import contextlib
import hashlib
import json
import math
import os
import shlex
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hades.aliases import Options
from hades.errors import InputError, WriteError
from hades.options import shown

WRITING = threading.Lock()
"""Held while a file is written: who ends the process takes it before, and leaves no half of a file behind."""
TEMPORARY = ".tmp"
"""Ends the name of a file that is not whole yet; of a process that was killed, it stays."""


def as_path(path: str | os.PathLike[str]) -> Path:
    """A path.

    Raises:
        InputError: for what is none.
    """
    if not isinstance(path, (str, os.PathLike)) or "\0" in str(path):
        raise InputError(f"a path is a string or a pathlib.Path, not {shown(path)}")
    return Path(path)


def write_atomically(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write a file, and its folder: a kill at any moment leaves the old content or the new, never a part.

    Raises:
        WriteError: if that cannot be; what was there before stays.
    """
    path = as_path(path)
    if os.path.exists(path) and not os.path.isfile(path):  # a device, say
        raise WriteError(f"cannot write {path}: it is there, and no file")
    temporary = path.parent / f"{path.name[:50]}.{os.getpid()}{TEMPORARY}"  # a name may have 255 bytes
    with WRITING:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except (OSError, ValueError) as error:  # a null character is a ValueError
            raise WriteError(f"cannot write {path}: {reason(error)}") from None
        finally:
            with contextlib.suppress(OSError, ValueError):
                temporary.unlink()
    return path


def check_writable(path: Path) -> None:
    """Raise `WriteError` where a file cannot be made, before the work whose result it is to hold."""
    there = next(folder for folder in path.absolute().parents if folder.exists())
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        raise WriteError(f"cannot write {path}: {reason(error)}") from None


def in_shell(path: Path) -> str:
    """A path as a command line takes it."""
    return shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))


def reason(error: Exception) -> str:
    """Why a file could not be read or written, without its name."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def as_address(data: bytes, kind: str) -> str:
    """A file as an address that holds it, for pages; of a kind such as ``image/png``."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def digest(tensors: Mapping[str, np.ndarray], about: Options) -> str:
    """The hash of all that a file of tensors and a JSON document says, but for the digest in the document."""
    known = hashlib.sha256(dumps({k: v for k, v in about.items() if k != "digest"}, sort_keys=True).encode())
    for name in sorted(tensors):
        value = tensors[name]
        known.update(f"{name} {value.dtype} {value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    return known.hexdigest()


def dumps(value: Any, **layout: Any) -> str:
    """JSON of a value: `plain`, in the layout of `json.dumps`' options."""
    return json.dumps(plain(value), allow_nan=False, **layout)


def plain(value: Any) -> Any:
    """A value as JSON has it: not finite numbers are null, arrays and their scalars are lists and numbers."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):  # NumPy's, JAX's and PyTorch's
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
