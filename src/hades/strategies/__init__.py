"""Strategies: what proposes datasets. Each says what it needs to know of them, and moves by one generation at a time.

One file each; a name that is not in `STRATEGIES` is one of evosax's.
"""

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

import jax

from hades.aliases import Options, PyTree

if TYPE_CHECKING:
    from hades.dataset import Spec
    from hades.learner.heads import Head, Output
    from hades.learner.networks import Params
    from hades.learner.recipe import Recipe
    from hades.normalisers import Normaliser
    from hades.scoring import Scores
    from hades.tasks.base import Task
    from hades.tasks.rollouts import Play, Trajectory

State = PyTree
"""A strategy's own: a pytree of arrays."""
Solution = PyTree
"""A pytree: what is searched for."""
Surrogate = Callable[["Output", Any], tuple[jax.Array, PyTree]]
"""``(outputs, data) -> (loss, what else is worth knowing)`` of one trained network, on data of its own."""

SCORES, DERIVATIVE, ROLLOUTS = "scores", "derivative", "rollouts"
"""What a strategy may need: to compare scores; the score's derivative; rollouts, and a derivative of a loss of its own
on them."""

STRATEGIES: "dict[str, str | type[Strategy]]" = {
    "gradient": "gradient.Gradient",
    "ppo": "ppo.PPO",
    "td3": "td3.TD3",
}
"""By name: file and class of this folder, or a class of your own."""
EVOLUTION = "evolution.Evolution"


class Settings(NamedTuple):
    """What a configuration says of a strategy, the solution that it starts from, and who acts in rollouts."""

    name: str
    population: int
    solution: Solution
    std: float
    learning_rate: float | None
    options: Mapping[str, float]
    task: "Task"
    recipe: "Recipe"
    inits: int
    """Networks in a generation."""


class Oracle(Protocol):
    """What a strategy may ask in a generation, all of it about the same fresh networks and seeds."""

    @property
    def head(self) -> "Head":
        """The action head of the networks."""
        ...

    @property
    def normaliser(self) -> "Normaliser":
        """Of what the networks observe, in this generation."""
        ...

    def scores(self, population: Solution) -> "Scores":
        """Of a population, leaves ``[P, ...]``: networks trained on each, and what they score."""
        ...

    def derivative(self, solution: Solution) -> tuple[Solution, "Scores"]:
        """Of minus the score, by one solution: through the score and the training; and its scores, ``[1]``."""
        ...

    def trained(self, solution: Solution) -> "Params":
        """The generation's networks, of all kinds, B together, trained on a solution."""
        ...

    def rollouts(self, networks: "Params", play: "Play", steps: int, key: jax.Array) -> tuple["Play", "Trajectory"]:
        """So many steps of trained networks, in environments that begin anew where they end."""
        ...

    def outputs(self, networks: "Params", obs: jax.Array) -> "Output":
        """Of trained networks, for normalised observations ``[B, M, *obs]``, each network's own: ``[B, M, ...]``."""
        ...

    def inputs(self, obs: jax.Array) -> PyTree:
        """What `surrogate` takes for normalised observations ``[B, M, *obs]``: of all leaves, axis 1 is the M's."""
        ...

    def surrogate(self, solution: Solution, loss: Surrogate, inputs: PyTree, data: PyTree) -> tuple[Solution, PyTree]:
        """The derivative of each network's loss, by the solution, through its training.

        Args:
            inputs: from `inputs`, or some of those M.
            data: leaves ``[B, ...]``, each network's own.

        Returns:
            Derivatives and what else the loss gave, leaves ``[B, ...]``.
        """
        ...


class Strategy(Protocol):
    """An outer optimiser: an evolution strategy, a meta-gradient, an actor's loss through the inner loop."""

    needs: ClassVar[str]
    """`SCORES`, `DERIVATIVE` or `ROLLOUTS`."""
    ignores: ClassVar[Collection[str]]
    """A configuration's options that mean nothing to it."""

    @property
    def solution(self) -> Solution:
        """Where the search starts."""
        ...

    @property
    def collects(self) -> int:
        """Environment steps of a generation's rollouts."""
        ...

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """From a configuration's options.

        Raises:
            InputError: for options that this strategy cannot have.
        """
        ...

    @classmethod
    def implied(cls, spec: "Spec") -> Options:
        """A configuration's options that it wants, in place of those of a preset for another strategy."""
        ...

    @classmethod
    def words(cls, name: str, population: int, std: float) -> tuple[str, str]:
        """Its population and search, for a table of presets."""
        ...

    def init(self, key: jax.Array, solution: Solution | None = None) -> State:
        """A search from its start, or from another solution."""
        ...

    def step(self, ask_key: jax.Array, tell_key: jax.Array, state: State, oracle: Oracle) -> tuple[State, "Scores"]:
        """One generation: the state after it, and the scores of what it tried."""
        ...

    def in_pieces(self) -> Self:
        """The same strategy, where `step` is Python that plays on the host: its own parts are jitted by themselves."""
        ...

    def mean(self, state: State) -> Solution:
        """The search's centre."""
        ...

    def metrics(self, state: State) -> dict[str, jax.Array]:
        """What is worth watching, beside the scores: scalars, by name; always the same names."""
        ...


def kind(name: str) -> type[Strategy]:
    """The class that a strategy's name means."""
    known = STRATEGIES.get(name.split(":")[0], EVOLUTION)
    if not isinstance(known, str):
        return known
    module, _, attribute = known.partition(".")
    return getattr(import_module(f"hades.strategies.{module}"), attribute)


def needs(name: str) -> str:
    """What the strategy of a name needs."""
    return kind(name).needs


def make(settings: Settings) -> Strategy:
    """A strategy by name: evosax's, or ``gradient`` (Adam) or ``gradient:NAME`` with any of optax's optimisers."""
    return kind(settings.name).of(settings)
