"""The host loop: dispatch generations until the budget is spent; log, validate, checkpoint; stop at a signal.

It knows nothing of datasets: what is searched is behind `Searchable`, what is kept of it behind `Keeper`.
"""

import math
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

import jax
import numpy as np

from hades import runtime
from hades.aliases import PyTree
from hades.config import Config
from hades.dispatch import MAX_PER_DISPATCH
from hades.plan import Plan
from hades.progress import Progress
from hades.runs import Row

DISPATCH_SECONDS = 0.5
"""What a dispatch aims at: longer ones would delay progress and ctrl-C, shorter ones cost overhead."""

State = PyTree


@dataclass
class Counts:
    """What the host counts beside the state: numbers too large for the device, and time."""

    env_steps: int = 0
    seconds: float = 0.0
    compiled: float | None = None
    """Seconds until the first generations, then until the first validation: what compilation took, mostly."""
    score: float | None = None
    """Of the last validation."""
    turn: int = 0
    """Number of the plan's phase."""


class Searchable(Protocol):
    """What the loop drives."""

    @property
    def plan(self) -> Plan:
        """Phases, and their shares of the budget."""
        ...

    @property
    def data(self) -> PyTree:
        """The task's, an argument of every dispatch."""
        ...

    def generations(
        self, state: State, number: np.int32, steps: np.int32, data: PyTree
    ) -> tuple[State, Mapping[str, jax.Array], jax.Array]:
        """Some generations: the state, metrics ``[MAX_PER_DISPATCH]``, and how many there were."""
        ...

    def validate(self, state: State) -> tuple[State, float]:
        """Score the search's centre."""
        ...

    def next_phase(self, state: State) -> State:
        """The plan goes on."""
        ...


class Keeper(Protocol):
    """What is kept of a search while it runs."""

    def log(self, rows: Sequence[Row]) -> None:
        """Metrics, a row a generation."""
        ...

    def snapshot(self, state: State, counts: Counts) -> None:
        """The best so far, to look at later."""
        ...

    def save(self, state: State, counts: Counts) -> None:
        """All that it takes to go on from here."""
        ...


class Loop:
    """One run of the loop.

    Args:
        config: its budget, and how often to validate.
        counts: what was spent before, which it goes on from.
        begun: whether there are generations already.
        checkpoint_every: seconds between two checkpoints.
    """

    def __init__(
        self, search: Searchable, config: Config, counts: Counts, keeper: Keeper, begun: bool, checkpoint_every: float
    ) -> None:
        self.search, self.config, self.counts, self.keeper = search, config, counts, keeper
        self.begun, self.checkpoint_every = begun, checkpoint_every
        self.rows: list[Row] = []
        self.per_dispatch, self.saved = 1, counts.seconds

    def run(self, state: State, display: Progress, signals: "Signals") -> tuple[State, int]:
        """Generations until the budget is spent.

        Returns:
            The state, and the number of the signal that stopped it before that, or 0.
        """
        stopped = 0
        if not self.begun:
            self.keeper.snapshot(state, self.counts)
        while not self.spent(int(state.generation)) and not stopped:
            state, seconds, new = self._dispatch(state)
            stopped = int(runtime.agree(signals.received or 0))
            self._keep(state, seconds, new, display)
        return state, stopped

    def _dispatch(self, state: State) -> tuple[State, float, list[Row]]:
        """Some generations, and what is due after them: a validation, the plan's next phase."""
        start, generation, config, counts = time.monotonic(), int(state.generation), self.config, self.counts
        share, compiling = self._phase_end(), counts.score is None
        number = min(
            self.per_dispatch,
            config.validate_every - generation % config.validate_every,
            max(1, math.ceil(share * (config.generations or 2**31)) - generation),
        )
        steps = min(max(1, math.ceil(share * (config.steps or 2**62)) - counts.env_steps), 2**31 - 1)
        state, log, done = self.search.generations(state, np.int32(number), np.int32(steps), self.search.data)
        log, done = jax.device_get((log, done))
        seconds = runtime.agree(time.monotonic() - start)
        new = self._rows(log, int(done), generation, seconds)
        self.per_dispatch = max(1, min(MAX_PER_DISPATCH, int(DISPATCH_SECONDS / (seconds / int(done)))))
        over, phase_over = (self.spent(int(state.generation), part) for part in (1.0, share))
        if int(state.generation) % config.validate_every == 0 or phase_over:
            state = self._validate(state, new[-1])
        if phase_over and not over:
            state = self.search.next_phase(state)
            counts.turn += 1
        counts.seconds += runtime.agree(time.monotonic() - start) - seconds
        if counts.compiled is None or (compiling and counts.score is not None):
            counts.compiled = counts.seconds
        return state, seconds, new

    def _validate(self, state: State, row: Row) -> State:
        state, self.counts.score = self.search.validate(state)
        row["validated"] = self.counts.score
        if (int(state.generation) // self.config.validate_every).bit_count() == 1:
            self.keeper.snapshot(state, self.counts)
        return state

    def _keep(self, state: State, seconds: float, new: list[Row], display: Progress) -> None:
        self.rows += new
        self.keeper.log(new)
        over = self.spent(int(state.generation))
        rate = sum(row["env_steps"] for row in new) / seconds
        display.update(new[-1], self.counts.score, rate, last=over)
        if not over and self.counts.seconds - self.saved > self.checkpoint_every:
            self.keeper.save(state, self.counts)
            self.saved = self.counts.seconds

    def spent(self, generation: int, share: float = 1.0) -> bool:
        """Whether a share of the budget is."""
        config, none = self.config, float("inf")
        return (
            generation >= share * (config.generations or none)
            or self.counts.env_steps >= share * (config.steps or none)
            or self.counts.seconds >= share * 60 * (config.minutes or none)
        )

    def _phase_end(self) -> float:
        """Of the budget: where the plan's phase ends. Compilation is nobody's."""
        minutes = self.config.minutes
        compiled = (self.counts.compiled or 0) / (60 * minutes) if minutes else 0.0
        return self.search.plan.end(self.counts.turn, compiled)

    def _rows(self, log: Mapping[str, np.ndarray], done: int, generation: int, seconds: float) -> list[Row]:
        """A dispatch's metrics, a row a generation; counts go on."""
        rows, counts = [], self.counts
        for i in range(done):
            counts.env_steps += int(log["env_steps"][i])
            counts.seconds += seconds / done
            row: Row = {"generation": generation + i + 1, "search": counts.turn}
            for name, values in log.items():
                value = values[i].item()
                row[name] = value if np.isfinite(value) else None
            spent = {"env_steps_total": counts.env_steps, "seconds": round(counts.seconds, 3)}
            rows.append(row | spent | {"validated": None})
        return rows


class Signals:
    """Turns ctrl-C and SIGTERM into a note, so that a dispatch ends and is saved; a second one interrupts."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
