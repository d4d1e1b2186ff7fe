"""stdout and stderr as they are met: closed, a pipe that nobody reads, or without the signs that are printed."""

import codecs
import contextlib
import os
import sys
import unicodedata
from collections.abc import Iterator
from typing import TextIO, cast

SIGNS = {"±": "+-", "×": "x", "–": "-", "—": "-", "…": "...", "’": "'", "θ": "theta", "→": "->", "│": "|", "─": "-"}
"""What stands for a sign where a terminal has none of it."""
PLAIN = "hades.plain"
"""The name of `_plainly` among Python's handlers of what cannot be encoded."""


class Patient:
    """A stream that takes what it can: that it is closed, full, or read by nobody is no reason to stop.

    Attributes:
        stream: the one that is written to.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream or _nowhere()

    def write(self, text: str) -> int:
        """Write, if that can be; the number of characters."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if that can be."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


def patient(stream: TextIO | None) -> TextIO:
    """A stream that takes what it can."""
    return cast(TextIO, Patient(stream))


@contextlib.contextmanager
def ready() -> Iterator[None]:
    """stdout and stderr for a command, whatever they are.

    A descriptor that is closed would be that of the next file which is opened, and what is printed end up in it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), patient(sys.stderr)
    plainly(sys.stdout)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def plainly(stream: TextIO) -> None:
    """Print what a stream's encoding lacks by signs that it has."""
    with contextlib.suppress(AttributeError):  # not every stream has an encoding
        stream.reconfigure(errors=PLAIN)  # type: ignore[union-attr]


def end(code: int) -> int:
    """Write what waits in the streams; the exit code, which is not 0 where stdout takes it no more."""
    told = _drained(sys.stdout)
    _drained(getattr(sys.stderr, "stream", sys.stderr))
    return code if told else code or 1


def _nowhere() -> TextIO:
    return open(os.devnull, "w")


def _drained(stream: TextIO) -> bool:
    try:
        stream.flush()
    except (OSError, ValueError):  # the reader, such as `head`, has enough; or a full disk
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # or Python tries again as it ends
        return False
    return True


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    if all("\udc80" <= sign <= "\udcff" for sign in text):  # a path's bytes that are no text
        return text.encode("ascii", "surrogateescape"), error.end
    return "".join(SIGNS.get(sign) or _bare(sign) for sign in text), error.end


def _bare(sign: str) -> str:
    return unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode() or "?"


codecs.register_error(PLAIN, _plainly)
