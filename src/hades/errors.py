"""The ways in which a request can fail, and what is said without failing."""

import difflib
import warnings
from collections.abc import Iterable, Mapping

from hades.tables import printable


class InputError(ValueError):
    """The caller asked for something that cannot be: one line says what is wrong and what would be right.

    Args:
        more: lines below it, where several things are wrong.
    """

    exit_code = 2
    """Of a command that ends with it."""

    def __init__(self, message: str, *more: str) -> None:
        super().__init__("\n  ".join(map(printable, (message, *more))))


class WriteError(InputError):
    """A file cannot be written: a full disk, a folder that is gone, a permission lost."""

    exit_code = 1


class Notice(UserWarning):
    """Something that went otherwise than asked, and that the call went on from."""


def meant(name: str, known: Iterable[str], most: int = 3, cutoff: float = 0.6) -> str:
    """A question after what is spelt nearly so; empty where nothing is.

    Args:
        known: names; or, by their spellings, what they are called.
        most: of them in the question.
        cutoff: how alike a spelling has to be, at most 1.

    Examples:
        >>> meant("cartpoel", ["cartpole", "hopper"])
        'did you mean cartpole?'
    """
    called = known if isinstance(known, Mapping) else {one: one for one in known}
    near = dict.fromkeys(called[one] for one in difflib.get_close_matches(name, called, n=2 * most, cutoff=cutoff))
    return f"did you mean {' or '.join([*near][:most])}?" if near else ""


def in_a_line(error: BaseException) -> str:
    """An error's kind and the first line of what it says."""
    return f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"


def notice(text: str) -> None:
    """Say it: in Python a warning, on the command line one line of stderr."""
    warnings.warn(printable(text), Notice, stacklevel=3)
