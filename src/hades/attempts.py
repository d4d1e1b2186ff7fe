"""The state of a distillation: attempts that begin, go on, and lead, as the plan's phases have it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hades import strategies
from hades.normalisers import Moments, Normaliser
from hades.plan import Plan
from hades.seeds import typed, untyped
from hades.solution import Codec
from hades.strategies import Solution, Strategy


class Attempt(NamedTuple):
    """One search and what it has found."""

    age: jax.Array
    """Its generations."""
    strategy: strategies.State
    seen: Moments
    """Observations so far, for the running normaliser."""
    best_score: jax.Array
    best: Solution
    best_normaliser: Normaliser


class State(NamedTuple):
    """All that a distillation needs to go on: a pytree of arrays.

    The seed's part of it, too, so that what was compiled for one seed serves all.
    """

    key: jax.Array
    """Data of the run's random key."""
    fixed_normaliser: Normaliser
    """Where it does not run; else the one that it began by."""
    generation: jax.Array
    turn: jax.Array
    """Number of the plan's phase."""
    search: Attempt
    rival: Attempt | None
    """The best of the attempts before, where several begin."""


@dataclass(frozen=True)
class Attempts:
    """How attempts begin and take turns.

    Attributes:
        strategies: the plan's, each once.
        key: of the run.
        start_key: of where attempts start.
        measured: what random actions observe, or nothing.
        placed: types and places a state as a dispatch returns it, or the next dispatch would be compiled anew.
    """

    plan: Plan
    strategies: Sequence[Strategy]
    codec: Codec
    key: jax.Array
    start_key: jax.Array
    measured: Moments
    placed: Callable[[State], State]

    def strategy(self, state: State) -> Strategy:
        """Of the phase that goes on."""
        return self.strategies[self.plan.number(int(state.turn))]

    def first(self, turn: int = 0) -> State:
        """Before the first generation; or a state of a later phase, for a checkpoint to be read into."""
        zero, attempt = jnp.zeros((), jnp.int32), self._begin(0, 0)
        now = self._begin(0, self.plan.number(turn)) if self.plan.number(turn) else attempt
        rival = attempt if self.plan.starts > 1 else None
        key = jax.random.key_data(self.key)
        return self._placed(State(key, now.best_normaliser, zero, zero, now, rival))

    def next(self, state: State, centre: tuple[Solution, Normaliser]) -> State:
        """A phase is over: begin anew, or go on from the best so far.

        Args:
            centre: what is best, and its normaliser.
        """
        turn, leader, rival = int(state.turn) + 1, self.leader(state), state.rival
        phase = self.plan.phases[turn]
        if phase.start is not None:
            attempt, rival = self._begin(phase.start, 0), leader
        elif self.plan.number(turn) == self.plan.number(turn - 1):
            attempt = rival = leader
        else:
            best, before = centre
            begun = self.codec.seen_by(self.codec.normaliser(leader.seen, state.fixed_normaliser), best, before)
            strategy = self.strategies[self.plan.number(turn)].init(jax.random.fold_in(self.key, turn), begun)
            attempt = leader._replace(strategy=strategy, best=best, best_normaliser=before)
        return self._placed(state._replace(turn=state.turn + 1, search=attempt, rival=rival))

    def leader(self, state: State) -> Attempt:
        """The attempt with the best validation."""
        rival = state.rival
        return state.search if rival is None or state.search.best_score >= rival.best_score else rival

    def start(self, number: int) -> Solution:
        """Where an attempt begins."""
        key = jax.random.fold_in(self.start_key, number) if number else self.start_key
        return self.codec.start(key, self._normaliser)

    @property
    def _normaliser(self) -> Normaliser:
        """That attempts begin by."""
        return self.codec.first_normaliser(self.measured)

    def _begin(self, number: int, strategy: int) -> Attempt:
        """An attempt that has found nothing yet."""
        chosen = self.strategies[strategy]
        solution = self.start(number) if number else chosen.solution
        return Attempt(
            age=jnp.zeros((), jnp.int32),
            strategy=chosen.init(jax.random.fold_in(self.key, number) if number else self.key, solution),
            seen=self.measured,
            best_score=jnp.asarray(-jnp.inf),
            best=solution,
            best_normaliser=self._normaliser,
        )

    def _placed(self, state: State) -> State:
        return self.placed(typed(jax.tree.map(np.asarray, untyped(state)), state))
