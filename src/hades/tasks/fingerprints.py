"""What a thing is, in a line that is equal for what was made alike: how a file remembers what it cannot hold."""

import inspect
import math
import zlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from hades.aliases import Options
from hades.errors import InputError
from hades.seeds import is_key

PLAIN = bool, int, float, str
DEEP = 5
"""Things within things that are looked into."""
LONG = 300
"""Characters; of what is longer, the beginning and a checksum."""


def described(thing: Any, deep: int = DEEP) -> str:
    """Numbers as they are, arrays by a checksum, functions by their name, objects by their class and attributes.

    Examples:
        >>> described({"noise": 0.25, "track": np.arange(3.0)})
        '{noise=0.25, track=float64[3]#34d9082a}'
    """
    if thing is None or isinstance(thing, PLAIN):
        return _cut(repr(thing))
    if isinstance(thing, (np.ndarray, np.generic, jax.Array)):
        return f"{thing.dtype}{list(thing.shape)}#{checksum(thing)}".replace(" ", "")
    if inspect.isroutine(thing) or isinstance(thing, type):
        return thing.__qualname__
    if deep == 0:
        return type(thing).__name__
    if isinstance(thing, Mapping):
        return _cut(f"{{{_attributes(thing, deep)}}}")
    if isinstance(thing, (list, tuple, set, frozenset)):
        return _cut(f"[{', '.join(described(part, deep - 1) for part in thing)}]")
    return _cut(f"{type(thing).__name__}({_attributes(getattr(thing, '__dict__', {}), deep)})")


def checksum(*arrays: Any) -> str:
    """Of arrays' bytes: eight hexadecimal digits."""
    total = 0
    for array in arrays:
        if isinstance(array, jax.Array) and is_key(array):
            array = jax.random.key_data(array)
        total = zlib.crc32(np.asarray(array).tobytes(), total)
    return f"{total:08x}"


def plain(value: object) -> bool | int | float | str | None:
    """A value as JSON holds it without loss; None for what it cannot hold."""
    if isinstance(value, (np.generic, np.ndarray, jax.Array)) and np.ndim(value) == 0:
        value = np.asarray(value).item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, PLAIN) else None


def plainly(name: str, options: Options) -> dict[str, bool | int | float | str]:
    """A task's options as files and other processes are told them.

    Raises:
        InputError: for what JSON cannot hold.
    """
    known = {key: value for key, given in options.items() if (value := plain(given)) is not None}
    if len(known) < len(options):
        raise InputError(f"{name} takes options that are numbers, words or truth values; give the environment itself")
    return known


def _attributes(of: Options, deep: int) -> str:
    return ", ".join(f"{str(name).lstrip('_')}={described(value, deep - 1)}" for name, value in of.items())


def _cut(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}...#{zlib.crc32(text.encode()):08x}"
