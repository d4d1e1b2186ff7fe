"""The ways in which a request can fail, and what is said without failing."""

import warnings

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


def in_a_line(error: BaseException) -> str:
    """An error's kind and the first line of what it says."""
    return f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"


def notice(text: str) -> None:
    """Say it: in Python a warning, on the command line one line of stderr."""
    warnings.warn(printable(text), Notice, stacklevel=3)
