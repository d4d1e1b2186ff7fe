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
from rich.text import Text

from hades.aliases import Options
from hades.bars import bar, fitted, sparkline
from hades.metrics import RETURN, Metric
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
        clock, more = _clock(now - start), f", {about(end - now)}" if now < end < math.inf else ""
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
    """An estimate of what is left, in words."""
    return f"about {lasting(seconds)} left"


def lasting(seconds: float) -> str:
    """How long something is, in words.

    Examples:
        >>> lasting(40), lasting(700), lasting(4500)
        ('40 s', '12 min', '1.2 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _score(score: float | None) -> str:
    if score is None:
        return "-"
    return f"{score:.1f}" if abs(score) >= 10 else f"{score:.3g}"


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
        rows: metrics from before.
        spent: the budget is: nothing is left to search.
        metric: what validations are of.
    """

    def __init__(
        self,
        title: str,
        budget: dict[str, float | None],
        before: float = 0.0,
        quiet: bool = False,
        rows: Sequence[Options] = (),
        spent: bool = False,
        metric: Metric = RETURN,
    ) -> None:
        self.title, self.budget, self.quiet, self.spent = printable(title), budget, quiet or sys.stderr is None, spent
        self.start = self.said = time.monotonic()
        self.start -= before
        self.stage, self.share, self.left, self.ends, self.scoring = "", float(spent), 0.0, math.inf, 0.0
        self.values: dict[str, str] = {}
        own = {"mean": f"mean {metric.searched}", "best": f"best {metric.searched}", "validated": metric.name}
        self.names: dict[str, str] = own if metric.own_panel else {}
        """Of what is shown, where a search is scored by something else than what it is judged by."""
        self.curves = {name: [row[name] for row in rows] for name in ("validated", "mean")}
        self.console = Console(file=patient(sys.stderr))
        self.live = Live(console=self.console, refresh_per_second=1 / TICK, get_renderable=self._view)
        self.plain = self.quiet or not self.console.is_terminal
        self.clock = _Clock(PLAIN_TICK, self._tick)

    def __enter__(self) -> Self:
        limits = [counted(limit, name) for name, limit in self.budget.items() if limit]
        if self.spent:
            spent = f"{self.title}: the budget of {' or '.join(limits)} is spent, so nothing is searched"
            self.say(f"{spent}; what was found is scored (with more {', '.join(self.budget)} it goes on)")
        else:
            in_all = " in all" if self.curves["mean"] else ""
            self.say(f"{self.title}: compiling, then {' or '.join(limits)}{in_all}, then scoring")
        (self.clock if self.plain else self.live).__enter__()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.share, self.left, self.stage, self.ends = self._share(time.monotonic()), 0.0, "", math.inf
        (self.clock if self.plain else self.live).__exit__(kind, error, trace)

    def say(self, text: str) -> None:
        """A line that stays."""
        if self.quiet:
            return
        if self.plain:
            self.said = time.monotonic()
            _write(sys.stderr, f"{text}\n")
        else:
            self.console.print(text, highlight=False, markup=False)

    def doing(self, stage: str) -> None:
        """What goes on from now on."""
        self.stage = stage

    def score(self) -> None:
        """The search is over, and its result is scored: two validations, on what it never saw."""
        self.doing("scoring")
        self.ends, self.left = time.monotonic(), 0.0
        self.say("scoring the dataset" + (f", {about(self.scoring)}" if self.scoring else ""))

    def validated(self, score: float | None, seconds: float) -> None:
        """What a validation gave and took; the scoring at the end is twice as long."""
        self.values["validated"] = _score(score)
        self.curves["validated"].append(score)
        self.scoring = 2 * seconds

    def update(self, row: dict[str, Any], score: float | None, rate: float, last: bool = False) -> None:
        """Show one generation: its metrics, the last validation's score, environment steps per second."""
        self.values |= {
            "generation": f"{row['generation']:,}"
            + (f"/{self.budget['generations']:,}" if self.budget["generations"] else ""),
            "mean": _score(row["mean"]),
            **({} if row["best"] == row["mean"] else {"best": _score(row["best"])}),  # of one candidate, its mean
            "validated": "" if score is None else _score(score),
            "steps/s": _short(rate),
        }
        self.curves["mean"].append(row["mean"])
        self.share = self._spent(row)
        self.left = row["seconds"] * (1 / self.share - 1) if 0 < self.share < 1 else 0.0
        self.ends = time.monotonic() + self.left
        if last or time.monotonic() - self.said > PLAIN_EVERY:
            self._line()

    def _spent(self, row: dict[str, Any]) -> float:
        """The share of the budget, by the limit that is reached first at the pace so far."""
        spent = {
            "generations": row["generation"],
            "steps": row["env_steps_total"],
            "minutes": row["seconds"] / 60,
        }
        return min(1.0, max((spent[k] / limit for k, limit in self.budget.items() if limit), default=0.0))

    def _share(self, now: float) -> float:
        """Of the budget, running on since the last generation that was told."""
        return 1 - (1 - self.share) * max(0.0, self.ends - now) / self.left if self.left else self.share

    def _now(self) -> dict[str, str]:
        now = time.monotonic()
        left = self.ends + self.scoring - now  # none where it takes longer than it did, or was never known
        remaining = _clock(left) if 0 < left < math.inf else ""
        known = {self.names.get(name, name): value for name, value in self.values.items()}
        return known | {"elapsed": _clock(now - self.start), "remaining": remaining, "": self.stage}

    def _view(self) -> Text:
        """What a terminal shows: how far it is, how its score went, and the last generation."""
        width, plain, now = self.console.width, self.console.options.ascii_only, time.monotonic()
        ends = [f"{_clock(now - self.start)} elapsed"]
        if (left := self.ends - now) > 0 and self.ends < math.inf:
            ends += [f"{_clock(left)} left", *([f"then scoring {_clock(self.scoring)}"] if self.scoring else [])]
        elif (left := self.ends + self.scoring - now) > 0 and self.stage == "scoring":
            ends += [f"{_clock(left)} left"]
        share = self._share(now)
        words = f"  {share:.0%}  {fitted(ends, width - 14, ', ')}"
        done, open_ = bar(share, max(8, min(40, width - len(words))), plain)
        values = {name: value for name, value in self.values.items() if value and name != "validated"}
        numbers = [f"{self.names.get(name, name)} {value}" for name, value in values.items()]
        rows = [Text.assemble((done, "cyan"), (open_, "dim"), words), self._curve(width, plain)]
        return Text("\n").join([*rows, Text(fitted([*filter(None, [self.stage]), *numbers], width))])

    def _curve(self, width: int, plain: bool) -> Text:
        """Of validations, as soon as there are some; until then of the population's mean."""
        name = "validated" if len([one for one in self.curves["validated"] if one is not None]) > 1 else "mean"
        values = [value for value in self.curves[name] if value is not None]
        if not values:
            return Text("no score yet")
        words = f" {_score(values[-1])}" + (f", best {_score(max(values))}" if name == "validated" else "")
        name = self.names.get(name, name)
        line = sparkline(values, max(8, min(60, width - len(name) - len(words) - 1)), plain)
        return Text.assemble(f"{name} ", (line, "cyan"), words)

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
