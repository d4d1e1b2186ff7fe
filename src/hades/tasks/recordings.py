"""An episode of one network as it was played, step by step."""

from dataclasses import dataclass
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.learner.networks import Params, make_network
from hades.learner.recipe import Recipe
from hades.normalisers import Normaliser, OnlineNormaliser


@dataclass(frozen=True, eq=False)
class Recording:
    """An episode of T steps.

    Attributes:
        observations: ``[T, *obs]``, as the environment gave them: what each step's action was taken on.
        actions: as they were taken: indices ``[T]``, or ``[T, act]`` in [-1, 1].
        rewards: ``[T]``.
        terminated: whether the environment ended it; else it was cut off by a limit of steps.
        probabilities: of discrete actions, ``[T, actions]``: the policy's.
        states: what the environment stood at, a pytree ``[T, ...]``; of one outside JAX the seed of the episode, which
            it follows from together with the actions.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: bool
    probabilities: np.ndarray | None = None
    states: PyTree = None

    @property
    def steps(self) -> int:
        """How many there were."""
        return len(self.rewards)

    @property
    def truncated(self) -> bool:
        """Whether it was cut off."""
        return not self.terminated

    @cached_property
    def returns(self) -> np.ndarray:
        """The return after each step, ``[T]``: added up in their order and kind, as a score is."""
        return np.cumsum(self.rewards, dtype=self.rewards.dtype)

    @property
    def ret(self) -> float:
        """The return."""
        return float(np.float32(self.returns[-1]))


def distributions(
    recipe: Recipe, spec: Spec, params: Params, normaliser: Normaliser | OnlineNormaliser, observations: np.ndarray
) -> np.ndarray | None:
    """Of discrete actions, the probabilities ``[T, actions]`` that a network gave them; of others nothing."""
    if not spec.discrete:
        return None
    return np.asarray(_distributions(recipe, spec, params, normaliser, jnp.asarray(observations, jnp.float32)))


@partial(jax.jit, static_argnums=(0, 1))
def _distributions(
    recipe: Recipe, spec: Spec, params: Params, normaliser: Normaliser | OnlineNormaliser, observations: jax.Array
) -> jax.Array:
    network = make_network(recipe, spec)

    def step(
        normaliser: Normaliser | OnlineNormaliser, obs: jax.Array
    ) -> tuple[Normaliser | OnlineNormaliser, jax.Array]:
        each = obs[None, None]
        normaliser = normaliser.update(each, jnp.ones((1, 1), bool))
        logits: jax.Array = jnp.asarray(network.apply(params, normaliser(each)[0]))
        return normaliser, jax.nn.softmax(logits[0])

    return jax.lax.scan(step, normaliser.start(1), observations)[1]
