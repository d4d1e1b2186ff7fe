"""The meta-gradient: ascend the score itself, differentiated through the inner loop that trained the network.

Maclaurin et al. 2015; for truncated windows RaT-BPTT, Feng et al. 2023 (arXiv 2311.07025). Where evolution compares a
population, this takes the derivative at one solution: for tasks whose score is differentiable.
"""

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp
import optax

from hades.aliases import Options, PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.scoring import Scores
from hades.strategies import DERIVATIVE, Oracle, Settings, Solution

LEARNING_RATE = 0.01
CLIP = 1.0
"""Largest global norm of the meta-gradient: an inner loop near divergence has enormous ones."""
AVERAGE = 0.1
"""Share of the steps, the last ones, that the search's centre is an average over."""


class GradientState(NamedTuple):
    """The solution, and its optimiser's."""

    solution: Solution
    optimiser: PyTree
    number: jax.Array
    """Of steps."""
    average: Solution
    """Of the last steps' solutions (Polyak & Juditsky 1992), for meta-gradients are noisy."""


class Gradient:
    """Ascent of the score by an optax optimiser.

    Args:
        optimiser: its name in optax: ``"adam"``, ``"sgd"``, ``"lion"``, ...
        solution: the pytree to start from.
        learning_rate: its step size; None for `LEARNING_RATE`.
        options: further arguments of the optimiser, such as ``b1``; ``clip``, in place of `CLIP`; and ``lr_decay``, by
            which each step is smaller than the one before.

    Raises:
        InputError: for an unknown optimiser or option, or an ``lr_decay`` that cannot be.
    """

    needs: ClassVar = DERIVATIVE
    collects: ClassVar = 0
    ignores: ClassVar = ("population", "std")

    def __init__(
        self, optimiser: str, solution: Solution, learning_rate: float | None, options: Mapping[str, float]
    ) -> None:
        make: Any = getattr(optax, optimiser, None)
        accepted = list(inspect.signature(make).parameters) if callable(make) else []
        if "learning_rate" not in accepted:
            raise InputError(f"optax has no optimiser '{optimiser}'; adam, sgd, rmsprop, lion, ... are known")
        accepted.remove("learning_rate")
        options = dict(options)
        clip, decay = options.pop("clip", CLIP), options.pop("lr_decay", 1.0)
        if unknown := set(options) - set(accepted):
            known = ", ".join((*accepted, "clip", "lr_decay"))
            raise InputError(
                f"optax's {optimiser} has no option '{min(unknown)}'; it has {known} (its step size is strategy_lr)"
            )
        if not 0 < decay <= 1:
            raise InputError(f"lr_decay must be above 0 and at most 1 (steps of one size), not {decay}")
        self.solution = solution
        rate = optax.exponential_decay(learning_rate or LEARNING_RATE, 1, decay)
        ascent: Any = make(learning_rate=rate, **options)
        self.optimiser = optax.chain(optax.clip_by_global_norm(clip), ascent)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """``gradient``, by Adam, or ``gradient:NAME``; one solution, so of no population or standard deviation."""
        optimiser = settings.name.partition(":")[2] or "adam"
        return cls(optimiser, settings.solution, settings.learning_rate, settings.options)

    @classmethod
    def implied(cls, spec: Spec) -> Options:
        """Presets of differentiable tasks are for it."""
        del spec
        return {}

    @classmethod
    def words(cls, name: str, population: int, std: float) -> tuple[str, str]:
        """Its population and search, for a table."""
        del population, std
        return "1", name

    def init(self, key: jax.Array, solution: Solution | None = None) -> GradientState:
        """From the start, or another solution."""
        del key
        start = self.solution if solution is None else solution
        return GradientState(start, self.optimiser.init(start), jnp.zeros((), jnp.int32), start)

    def step(
        self, ask_key: jax.Array, tell_key: jax.Array, state: GradientState, oracle: Oracle
    ) -> tuple[GradientState, Scores]:
        """One step of ascent; where the gradient is not finite, none, and the score counts as diverged."""
        del ask_key, tell_key
        gradient, scores = oracle.derivative(state.solution)
        updates, optimiser = self.optimiser.update(gradient, state.optimiser, state.solution)
        solution, number = optax.apply_updates(state.solution, updates), state.number + 1
        average = optax.incremental_update(solution, state.average, 1 / jnp.maximum(1, AVERAGE * number))
        new = GradientState(solution, optimiser, number, average)
        good = jnp.isfinite(optax.tree.norm(gradient))
        scores = scores._replace(fitness=jnp.where(good, scores.fitness, -jnp.inf))
        return jax.tree.map(lambda n, o: jnp.where(good, n, o), new, state), scores

    def in_pieces(self) -> Self:
        """A derivative through what is played on the host there is not."""
        raise NotImplementedError

    def mean(self, state: GradientState) -> Solution:
        """The average over the last steps."""
        return state.average

    def metrics(self, state: GradientState) -> dict[str, jax.Array]:
        """None."""
        del state
        return {}
