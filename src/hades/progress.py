"""Live progress on stderr: a line that updates on a terminal, a plain line every few seconds elsewhere."""

import contextlib
import math
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hades.aliases import Options
from hades.streams import patient
from hades.tables import counted, printable

PLAIN_EVERY = 5.0
"""Seconds between plain lines."""
TICK, PLAIN_TICK = 0.5, 30.0
"""Seconds between two looks at the clock of what says nothing itself: on a terminal, and elsewhere."""

Left = Callable[[float], None]
"""Told how many seconds are left."""


def _unheard(seconds: float) -> None:
    del seconds


@contextlib.contextmanager
def silent(text: str) -> Iterator[Left]:
    """As `working`, without a word."""
    del text
    yield _unheard


@contextlib.contextmanager
def working(text: str, quiet: bool = False) -> Iterator[Left]:
    """Say on stderr what goes on, how long it has by now, and how long yet where it is told so, until it is over.

    On a terminal a line that is rewritten, and gone in the end; elsewhere a line, and one every half minute. A stderr
    that nobody reads any more is no reason to stop.
    """
    stream, start, text, end = sys.stderr, time.monotonic(), printable(text), math.inf
    if quiet or stream is None:
        yield _unheard
        return
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"

    def line() -> str:
        now = time.monotonic()
        clock, more = _clock(now - start), f", {about(max(0, end - now))}" if math.isfinite(end) else ""
        room = shutil.get_terminal_size().columns - 8 - len(clock + more)
        return f"\r\x1b[K{text[:room]}  {clock}{more}" if terminal else f"{text}; {clock} so far{more}\n"

    def left(seconds: float) -> None:
        nonlocal end
        end = time.monotonic() + seconds

    _write(stream, line() if terminal else f"{text}\n")
    try:
        with _Clock(TICK if terminal else PLAIN_TICK, lambda: _write(stream, line())):
            yield left
    finally:
        if terminal:
            _write(stream, "\r\x1b[K")


class Pace:
    """Pieces of work, one after the other: what goes on, and what is left by what the others took."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.done: list[tuple[Options, float]] = []

    @contextlib.contextmanager
    def working(self, text: str, left: Sequence[Options], more: str = "") -> Iterator[Left]:
        """As `working`, with an estimate as soon as a piece is done.

        Args:
            left: this piece and those to come, by their settings.
            more: what may be cut off where a terminal is narrow.
        """
        seconds, start = estimate(left, self.done), time.monotonic()
        words = text if seconds is None else f"{text}, {about(seconds)}"
        with working(f"{words}: {more}" if more else words, self.quiet):
            yield _unheard  # its own estimate is of all pieces
        self.done.append((left[0], time.monotonic() - start))


def estimate(left: Sequence[Options], done: Sequence[tuple[Options, float]]) -> float | None:
    """Seconds for pieces of work, each as long as those of the done ones that share most settings with it.

    Examples:
        >>> done = [({"task": "hopper", "seed": 0}, 60.0), ({"task": "cartpole", "seed": 0}, 2.0)]
        >>> estimate([{"task": task, "seed": 1} for task in ("hopper", "cartpole", "ant")], done)
        93.0
    """
    if not done:
        return None

    def seconds(piece: Options) -> float:
        alike = [sum(other.get(name) == value for name, value in piece.items()) for other, _ in done]
        most = [took for (_, took), shared in zip(done, alike, strict=True) if shared == max(alike)]
        return sum(most) / len(most)

    return sum(map(seconds, left))


class _Clock:
    """Calls a function every so many seconds, in a thread of its own, until it is over."""

    def __init__(self, seconds: float, tick: Callable[[], None]) -> None:
        self.seconds, self.tick, self.over = seconds, tick, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.over.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.over.wait(self.seconds):
            self.tick()


def about(seconds: float) -> str:
    """An estimate of what is left, in words.

    Examples:
        >>> about(40), about(700), about(4500)
        ('about 40 s left', 'about 12 min left', 'about 1.2 h left')
    """
    if seconds < 90:
        return f"about {seconds:.0f} s left"
    return f"about {seconds / 60:.0f} min left" if seconds < 3600 else f"about {seconds / 3600:.1f} h left"


def _score(score: float | None) -> str:
    return "none" if score is None else f"{score:.1f}"


def _write(stream: TextIO, text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # closed, or a pipe that nobody reads
        stream.write(text)
        stream.flush()


class Progress:
    """Shows what a run does, for how long by now, and the rows of its metrics as they come.

    Args:
        budget: the run's limits on ``generations``, ``steps`` and ``minutes``; absent ones are None.
        before: seconds that were spent before.
        quiet: show nothing.
    """

    def __init__(self, title: str, budget: dict[str, float | None], before: float = 0.0, quiet: bool = False) -> None:
        self.title, self.budget, self.quiet = printable(title), budget, quiet or sys.stderr is None
        self.start = self.said = time.monotonic()
        self.start -= before
        self.stage, self.until, self.scoring = "", math.inf, 0.0
        self.values: dict[str, str] = {}
        console = Console(file=patient(sys.stderr))
        self.live = Live(console=console, refresh_per_second=1 / TICK, get_renderable=self._table)
        self.plain = self.quiet or not console.is_terminal
        self.clock = _Clock(PLAIN_TICK, self._tick)

    def __enter__(self) -> Self:
        limits = (counted(limit, name) for name, limit in self.budget.items() if limit)
        self.say(f"{self.title}: compiling, then {' or '.join(limits)}, then scoring")
        (self.clock if self.plain else self.live).__enter__()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        (self.clock if self.plain else self.live).__exit__(kind, error, trace)

    def say(self, text: str) -> None:
        """A line that stays."""
        if self.quiet:
            return
        if self.plain:
            self.said = time.monotonic()
            _write(sys.stderr, f"{text}\n")
        else:
            self.live.console.print(text, highlight=False, markup=False)

    def doing(self, stage: str) -> None:
        """What goes on from now on."""
        self.stage = stage

    def score(self) -> None:
        """The search is over, and its result is scored: two validations, on what it never saw."""
        self.doing("scoring")
        self.until = time.monotonic() + self.scoring
        self.say(f"scoring the dataset, {about(self.scoring)}")

    def validated(self, score: float | None, seconds: float) -> None:
        """What a validation gave and took; the scoring at the end is twice as long."""
        self.values["validated"] = _score(score)
        self.scoring = 2 * seconds
        self.doing("searching")

    def update(self, row: dict[str, Any], score: float | None, rate: float, last: bool = False) -> None:
        """Show one generation: its metrics, the last validation's score, environment steps per second."""
        self.values |= {
            "generation": f"{row['generation']:,}"
            + (f"/{self.budget['generations']:,}" if self.budget["generations"] else ""),
            "mean": _score(row["mean"]),
            **({} if row["best"] == row["mean"] else {"best": _score(row["best"])}),  # of one candidate, its mean
            "validated": "" if score is None else f"{score:.1f}",
            "steps/s": _short(rate),
        }
        self.until = time.monotonic() + self.remaining(row) + self.scoring
        if last or time.monotonic() - self.said > PLAIN_EVERY:
            self._line()

    def remaining(self, row: dict[str, Any]) -> float:
        """Seconds until the first limit of the budget is reached, at the pace so far."""
        spent = {
            "generations": row["generation"],
            "steps": row["env_steps_total"],
            "minutes": row["seconds"] / 60,
        }
        shares = [spent[k] / limit for k, limit in self.budget.items() if limit]
        share = max(shares, default=0.0)
        return row["seconds"] * (1 / share - 1) if 0 < share < 1 else 0.0

    def _now(self) -> dict[str, str]:
        now = time.monotonic()
        left = "" if self.until == math.inf else _clock(max(0.0, self.until - now))
        return self.values | {"elapsed": _clock(now - self.start), "remaining": left, "": self.stage}

    def _table(self) -> Table:
        table = Table(title=Text(self.title), title_justify="left", box=None, pad_edge=False)
        values = self._now()
        for name in values:
            table.add_column(name, justify="right", no_wrap=True)
        table.add_row(*values.values())
        return table

    def _line(self) -> None:
        if self.plain:
            self.say("  ".join(f"{k} {v}".strip() for k, v in self._now().items() if v))

    def _tick(self) -> None:
        if time.monotonic() - self.said >= PLAIN_TICK:
            self._line()


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
