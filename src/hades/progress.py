"""Live progress on stderr: a line that updates on a terminal, a plain line every few seconds elsewhere."""

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

PLAIN_EVERY = 5.0
"""Seconds between plain lines."""
TICK, PLAIN_TICK = 0.5, 30.0
"""Seconds between two looks at the clock of what says nothing itself: on a terminal, and elsewhere."""


@contextlib.contextmanager
def working(text: str, quiet: bool = False) -> Iterator[None]:
    """Say on stderr what goes on, and how long it has by now, until it is over.

    On a terminal a line that is rewritten, and gone in the end; elsewhere a line, and one every half minute. A stderr
    that nobody reads any more is no reason to stop.
    """
    stream, start, over = sys.stderr, time.monotonic(), threading.Event()
    if quiet or stream is None:
        yield
        return
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"

    def line() -> str:
        clock, room = _clock(time.monotonic() - start), shutil.get_terminal_size().columns - 12
        return f"\r\x1b[K{text[:room]}  {clock}" if terminal else f"{text}; {clock} so far\n"

    def tick() -> None:
        while not over.wait(TICK if terminal else PLAIN_TICK):
            _write(stream, line())

    _write(stream, line() if terminal else f"{text}\n")
    clock = threading.Thread(target=tick, daemon=True)
    clock.start()
    try:
        yield
    finally:
        over.set()
        clock.join()
        if terminal:
            _write(stream, "\r\x1b[K")


def about(seconds: float) -> str:
    """An estimate of what is left, in words.

    >>> about(40), about(700), about(4500)
    ('about 40 s left', 'about 12 min left', 'about 1.2 h left')
    """
    if seconds < 90:
        return f"about {seconds:.0f} s left"
    return f"about {seconds / 60:.0f} min left" if seconds < 3600 else f"about {seconds / 3600:.1f} h left"


def _write(stream: TextIO, text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # closed, or a pipe that nobody reads
        stream.write(text)
        stream.flush()


class Progress:
    """Shows the rows of a run's metrics as they come.

    Args:
        budget: the run's limits on ``generations``, ``steps`` and ``minutes``; absent ones are None.
        quiet: show nothing.
    """

    def __init__(self, title: str, budget: dict[str, float | None], quiet: bool = False) -> None:
        self.title, self.budget, self.quiet = title, budget, quiet
        self.console = Console(file=sys.stderr)
        self.live = Live(console=self.console, auto_refresh=False) if self.console.is_terminal and not quiet else None
        self.last_plain = 0.0

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
        self.note(f"{self.title}: compiling, then the first generation")
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live:
            self.live.stop()

    def note(self, text: str) -> None:
        """Say what goes on beside the generations."""
        if self.live:
            self.live.update(text, refresh=True)
        elif not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def update(self, row: dict[str, Any], score: float | None, rate: float, last: bool = False) -> None:
        """Show one generation: its metrics, the last validation's score, environment steps per second."""
        values = {
            "generation": f"{row['generation']:,}"
            + (f"/{self.budget['generations']:,}" if self.budget["generations"] else ""),
            "mean": f"{row['mean']:.1f}" if row["mean"] is not None else "none",
            "best": f"{row['best']:.1f}" if row["best"] is not None else "none",
            "validated": "" if score is None else f"{score:.1f}",
            "steps/s": _short(rate),
            "elapsed": _clock(row["seconds"]),
            "remaining": _clock(self.remaining(row)),
        }
        if self.live:
            table = Table(title=self.title, title_justify="left", box=None, pad_edge=False)
            for name in values:
                table.add_column(name, justify="right", no_wrap=True)
            table.add_row(*values.values())
            self.live.update(table, refresh=True)
        elif not self.quiet and (last or time.monotonic() - self.last_plain > PLAIN_EVERY):
            self.last_plain = time.monotonic()
            print("  ".join(f"{k} {v}" for k, v in values.items() if v), file=sys.stderr, flush=True)

    def remaining(self, row: dict[str, Any]) -> float | None:
        """Seconds until the first limit of the budget is reached, at the pace so far."""
        spent = {
            "generations": row["generation"],
            "steps": row["env_steps_total"],
            "minutes": row["seconds"] / 60,
        }
        shares = [spent[k] / limit for k, limit in self.budget.items() if limit]
        share = max(shares, default=0.0)
        return row["seconds"] * (1 / share - 1) if 0 < share < 1 else 0.0


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"


def _short(number: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return f"{number:.0f}"
