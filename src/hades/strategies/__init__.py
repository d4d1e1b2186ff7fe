"""Strategies: what proposes datasets. Each moves its state by one generation, given how solutions score."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax

State = Any
Solution = Any
"""A pytree: what is searched for."""
Score = Callable[[Solution], Any]
"""A population, leaves ``[P, ...]``, to its `hades.fitness.Scores`. Differentiable where the task is."""


class Strategy(Protocol):
    """An evolution strategy, which asks and tells, or a gradient's ascent."""

    @property
    def solution(self) -> Solution:
        """Where the search starts."""
        ...

    def init(self, key: jax.Array, solution: Solution | None = None) -> State:
        """A search from its start, or from another solution."""
        ...

    def step(self, ask_key: jax.Array, tell_key: jax.Array, state: State, score: Score) -> tuple[State, Any]:
        """One generation: the state after it, and the scores of what it tried."""
        ...

    def mean(self, state: State) -> Solution:
        """The search's centre."""
        ...

    def std(self, state: State) -> jax.Array:
        """Mean standard deviation of the search distribution; NaN for a strategy that has none."""
        ...


def is_gradient(name: str) -> bool:
    """Whether a strategy's name means the meta-gradient."""
    return name.split(":")[0] == "gradient"


def plain(name: str) -> str:
    """A strategy's name without case and punctuation, which do not matter."""
    return "".join(c for c in name.lower() if c.isalnum())


def make(
    name: str,
    population: int,
    solution: Solution,
    std: float,
    learning_rate: float | None,
    options: Mapping[str, float],
) -> Strategy:
    """A strategy by name: evosax's, or ``gradient`` (Adam) or ``gradient:NAME`` with any of optax's optimisers."""
    if is_gradient(name):
        from hades.strategies.gradient import Gradient

        return Gradient(name.partition(":")[2] or "adam", solution, learning_rate, options)
    from hades.strategies.evolution import Evolution

    return Evolution(name, population, solution, std, learning_rate, options)
