"""Ctrl-C, SIGTERM and SIGHUP are answered in time, with what is kept: also where Python cannot, while XLA compiles."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from hades.cli.output import fail
from hades.files import WRITING
from hades.signals import STOPS

PATIENCE, OTHERS = 1.3, 25.0
"""Seconds that a command may take to end after ctrl-C; after a signal of schedulers, which wait longer."""


class Watch:
    """While it lasts, a signal raises KeyboardInterrupt, or does what the command says; and then time is short.

    Python runs a signal's handler between two of its own steps: where it waits for a compiler, there are none. So the
    signal's number also goes into a pipe, and a thread at its other end ends the process when time is up. Files are
    whole at any moment; for one that is being written it waits.

    Attributes:
        kept: says what of the command's work is kept.
        interrupted: whether a signal has raised KeyboardInterrupt.
    """

    def __init__(self) -> None:
        self.kept: Callable[[], str] = lambda: "nothing is written"
        self.interrupted = False
        self._number, self._over = int(signal.SIGINT), threading.Event()
        self._previous: dict[int, Any] = {}
        self._hook = sys.unraisablehook

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in STOPS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._previous[number] = signal.signal(number, self._interrupt)
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        sys.unraisablehook = self._unraisable
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        if self._previous:
            sys.unraisablehook = self._hook
            signal.set_wakeup_fd(self._before)
            os.close(self._write)
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def answer(self) -> int:
        """Say what is kept; the exit code."""
        return fail(f"interrupted; {self.kept()}", 128 + self._number)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._number, self.interrupted = number, True
        raise KeyboardInterrupt

    def _unraisable(self, lost: "sys.UnraisableHookArgs") -> None:
        """Raise once more, a moment later, what was raised where nobody hears it: as the garbage is collected."""
        if lost.exc_type is KeyboardInterrupt and self.interrupted:
            threading.Timer(0.01, os.kill, (os.getpid(), self._number)).start()
        else:
            self._hook(lost)

    def _watch(self) -> None:
        for number in iter(lambda: os.read(self._read, 1), b""):
            if number[0] in STOPS:
                self._number = number[0]
                if not self._over.wait(PATIENCE if self._number == signal.SIGINT else OTHERS):
                    self._end()
        os.close(self._read)

    def _end(self) -> NoReturn:
        try:
            WRITING.acquire(timeout=5)
            if os.isatty(2):
                _say("\n\x1b[?25h")  # below the progress, whose cursor is hidden
            _say(f"hades: interrupted; {self.kept()}\n")
        finally:
            os._exit(128 + self._number)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, text.encode("utf-8", "surrogateescape"))
