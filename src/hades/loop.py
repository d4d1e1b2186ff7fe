"""The host loop: dispatch generations until the budget is spent; log, validate, checkpoint; stop at a signal.

It knows nothing of datasets: what is searched is behind `Searchable`, what is kept of it behind `Keeper`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import jax
import numpy as np

from hades import runtime
from hades.aliases import Options, PyTree
from hades.clocks import Stopwatch
from hades.config import Config
from hades.dispatch import MAX_PER_DISPATCH
from hades.files import plain
from hades.plan import Plan
from hades.progress import Progress
from hades.runs import Row
from hades.signals import Signals

DISPATCH_SECONDS = 0.5
"""What a dispatch aims at: longer ones would delay progress and ctrl-C, shorter ones cost overhead."""

ALIKE = 20
"""Generations whose candidates all score the same, after which it is said."""
FIRST = "the first generation"
"""What goes on before one is done, in which a task on the host compiles what it needs."""
BARREN = 10
"""Generations without a finite score, after which there is nothing to wait for."""

State = PyTree


@dataclass
class Counts:
    """What the host counts beside the state: numbers too large for the device, and time."""

    env_steps: int = 0
    seconds: float = 0.0
    """Of searching: what the budget's minutes are of."""
    compiled: float = 0.0
    """Seconds of compiling, beside them."""
    score: float | None = None
    """Of the last validation."""
    turn: int = 0
    """Number of the plan's phase."""
    alike: int = 0
    """Generations in a row whose candidates all scored the same."""
    barren: int = 0
    """Generations in a row in which no score was a finite number."""

    @classmethod
    def read(cls, kept: Options) -> "Counts":
        """From a checkpoint; what an old one has not is as at the start."""
        return cls(**{name: value for name, value in kept.items() if value is not None})


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

    @property
    def goes_on(self) -> bool:
        """Whether it starts from what has been found already, and is not to be lost."""
        ...

    def generations(
        self, state: State, number: np.int32, steps: np.int32, data: PyTree
    ) -> tuple[State, Mapping[str, jax.Array], jax.Array]:
        """Some generations: the state, metrics ``[MAX_PER_DISPATCH]``, and how many there were."""
        ...

    def validate(self, state: State) -> tuple[State, float | None]:
        """Score the search's centre; None where the score is not a finite number."""
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
        self.per_dispatch, self.saved, self.warned = 1, counts.seconds, False

    def run(self, state: State, display: Progress, signals: Signals) -> tuple[State, int]:
        """Generations until the budget is spent, or to go on is of no use.

        Returns:
            The state, and the number of the signal that stopped it before that, or 0.
        """
        stopped = 0
        if not self.begun:
            if self.search.goes_on:
                state = self._validate(state, {}, display)
            self.keeper.snapshot(state, self.counts)
            self.keeper.save(state, self.counts)
        if self.given_up:
            display.say(f"stopped: {self.given_up} (with a larger budget it goes on)")
        if not self.over(int(state.generation)):
            state = self._compiled(state, display)
        while not self.over(int(state.generation)) and not stopped:
            state, seconds, new = self._dispatch(state, display)
            stopped = int(runtime.agree(signals.received or 0))
            self._keep(state, seconds, new, display)
        return state, stopped

    def over(self, generation: int, share: float = 1.0) -> bool:
        """Whether a share of the budget is spent, or to go on is of no use."""
        config, counts, none = self.config, self.counts, float("inf")
        return (
            self.given_up is not None
            or generation >= share * (config.generations or none)
            or counts.env_steps >= share * (config.steps or none)
            or counts.seconds >= share * 60 * (config.minutes or none)
        )

    @property
    def given_up(self) -> str | None:
        """Why to go on is of no use, if it is: the plan's last phase is stuck."""
        return self.stuck if self.counts.turn + 1 == len(self.search.plan) else None

    @property
    def stuck(self) -> str | None:
        """Why a phase is over before its share of the budget is spent, if it is."""
        counts, patience = self.counts, self.config.patience
        if counts.barren >= BARREN:
            return (
                f"nothing had a finite score in {counts.barren} generations: rewards or observations are not finite, "
                "or all networks diverge (then a smaller learning_rate helps)"
            )
        if patience is not None and counts.alike >= patience:
            return f"all candidates scored alike in {counts.alike} generations, and patience is {patience}"
        return None

    def _compiled(self, state: State, display: Progress) -> State:
        """What a phase's generations need, compiled by doing none."""
        display.doing("compiling")
        watch = Stopwatch()
        state, *_ = jax.block_until_ready(self.search.generations(state, np.int32(0), np.int32(1), self.search.data))
        self.counts.compiled += sum(map(runtime.agree, watch.lap()))
        display.doing("searching" if self.rows or self.begun else FIRST)
        return state

    def _dispatch(self, state: State, display: Progress) -> tuple[State, float, list[Row]]:
        """Some generations, and what is due after them: a validation, the plan's next phase."""
        watch, generation, config, counts = Stopwatch(), int(state.generation), self.config, self.counts
        share = self.search.plan.end(counts.turn)
        number = min(
            self.per_dispatch,
            config.validate_every - generation % config.validate_every,
            max(1, math.ceil(share * (config.generations or 2**31)) - generation),
            (config.patience or 2**31) - counts.alike,
        )
        steps = min(max(1, math.ceil(share * (config.steps or 2**62)) - counts.env_steps), 2**31 - 1)
        state, log, done = self.search.generations(state, np.int32(number), np.int32(steps), self.search.data)
        log, done = jax.device_get((log, done))
        before = counts.seconds
        seconds = self._spend(watch)
        new = self._rows(log, int(done), generation, before)
        self.per_dispatch = max(1, min(MAX_PER_DISPATCH, int(DISPATCH_SECONDS / (seconds / int(done)))))
        stuck, over = self.stuck, self.over(int(state.generation))
        phase_over = stuck is not None or self.over(int(state.generation), share)
        if int(state.generation) % config.validate_every == 0 or phase_over:
            state = self._validate(state, new[-1], display)
        if phase_over and not over:
            if stuck:
                display.say(f"what is next is begun: {stuck}")
            state = self._compiled(self.search.next_phase(state), display)
            counts.turn += 1
            counts.alike = counts.barren = 0
        return state, seconds, new

    def _validate(self, state: State, row: Row, display: Progress) -> State:
        display.doing("validating")
        watch = Stopwatch()
        state, self.counts.score = self.search.validate(state)
        display.validated(self.counts.score, self._spend(watch))
        row["validated"] = self.counts.score
        if (int(state.generation) // self.config.validate_every).bit_count() == 1:
            self.keeper.snapshot(state, self.counts)
        return state

    def _keep(self, state: State, seconds: float, new: list[Row], display: Progress) -> None:
        self.rows += new
        self.keeper.log(new)
        display.doing("searching")
        over = self.over(int(state.generation))
        display.update(new[-1], self.counts.score, sum(row["env_steps"] for row in new) / seconds, last=over)
        self._warn(new[-1], display)
        if not over and self.counts.seconds - self.saved > self.checkpoint_every:
            self.keeper.save(state, self.counts)
            self.saved = self.counts.seconds

    def _warn(self, row: Row, display: Progress) -> None:
        """Say what a search cannot learn from, while it goes on."""
        if self.given_up:
            display.say(f"stopped: {self.given_up}")
        elif self.counts.alike >= ALIKE and not self.warned:
            display.say(
                f"all candidates scored {row['best']:g} for {self.counts.alike} generations: nothing tells them apart "
                "and the search stays where it is; a larger std or another start may help (patience ends such a run)"
            )
        self.warned = self.counts.alike >= ALIKE

    def _spend(self, watch: Stopwatch) -> float:
        """Count what went by, the same in all processes; the seconds of searching."""
        seconds, compiled = (runtime.agree(part) for part in watch.lap())
        self.counts.seconds += seconds
        self.counts.compiled += compiled
        return seconds

    def _rows(self, log: Mapping[str, np.ndarray], done: int, generation: int, before: float) -> list[Row]:
        """A dispatch's metrics, a row a generation; counts go on.

        Args:
            before: seconds of searching, before the dispatch.
        """
        rows, counts = [], self.counts
        for i in range(done):
            counts.env_steps += int(log["env_steps"][i])
            row: Row = {"generation": generation + i + 1, "search": counts.turn}
            row |= {name: plain(values[i].item()) for name, values in log.items()}
            counts.alike = counts.alike + 1 if row["worst"] is not None and row["worst"] == row["best"] else 0
            counts.barren = counts.barren + 1 if row["best"] is None and row["diverged"] else 0
            seconds = before + (counts.seconds - before) * (i + 1) / done
            spent = {"env_steps_total": counts.env_steps, "seconds": round(seconds, 3)}
            rows.append(row | spent | {"validated": None})
        return rows
