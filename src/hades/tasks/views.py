"""Environments as an agent of several tasks sees them (`hades.merging`): in JAX, and outside it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.normalisers import Normaliser
from hades.tasks.environment import Environment, Step
from hades.tasks.recordings import Recording

if TYPE_CHECKING:
    from hades.tasks.host import HostEnvironment, HostStep


@dataclass(frozen=True, eq=False)
class View:
    """Observations are normalised and padded, and what the environment has no action for is left out.

    Args:
        spec: the agent's.
        normaliser: of the environment's observations.
        first: the number (of grids: channel) of the agent's observations that is this one's first.
    """

    spec: Spec
    normaliser: Normaliser
    first: int = 0

    def observations(self, obs: Any) -> jax.Array:
        """The agent's ``[n, *obs]``, of the environment's."""
        return pad(self.normaliser(jnp.asarray(obs)), self.spec.obs_shape, self.first)

    def action(self, action: Any, known: int) -> Any:
        """Of continuous ones ``[..., act]`` the first dimensions; a discrete one that there is not is the last."""
        return action.clip(None, known - 1) if self.spec.discrete else action[..., :known]

    def bared(self, recording: Recording, spec: Spec) -> Recording:
        """An episode as the environment has it, of the one that the agent had."""
        there = (..., *(slice(n) for n in spec.obs_shape[:-1]), slice(self.first, self.first + spec.obs_shape[-1]))
        seen, odds, last = recording.observations[there], recording.probabilities, spec.num_actions - 1
        return replace(
            recording,
            observations=np.asarray(self.normaliser.inverse(jnp.asarray(seen))),
            actions=self.action(recording.actions, spec.num_actions),
            probabilities=None if odds is None else np.c_[odds[:, :last], odds[:, last:].sum(1)],
        )


@dataclass(frozen=True, eq=False)
class Through:
    """What is alike of an environment through a view, in JAX or not."""

    inner: Any
    view: View

    @property
    def spec(self) -> Spec:
        """The agent's."""
        return self.view.spec

    @property
    def max_steps(self) -> int:
        """The environment's own limit."""
        return self.inner.max_steps


class Viewed(Through):
    """An environment in JAX, through a view."""

    inner: Environment

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """As `Environment`."""
        state, obs = self.inner.reset(key)
        return state, self.view.observations(obs[None])[0]

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """As `Environment`."""
        out = self.inner.step(key, state, self.view.action(action, self.inner.spec.num_actions))
        return out._replace(obs=self.view.observations(out.obs[None])[0])


class HostViewed(Through):
    """Copies of an environment outside JAX, through a view."""

    inner: "HostEnvironment"

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        """As `hades.tasks.host.HostEnvironment`."""
        return np.asarray(self.view.observations(self.inner.reset(seeds)))

    def step(self, actions: np.ndarray) -> "HostStep":
        """As `hades.tasks.host.HostEnvironment`."""
        out = self.inner.step(self.view.action(actions, self.inner.spec.num_actions))
        return out._replace(obs=np.asarray(self.view.observations(out.obs)))


def bared(environment: Any, recording: Recording) -> Recording:
    """What was recorded in an environment, maybe through a view, as the environment itself has it."""
    if not isinstance(environment, Through):
        return recording
    return environment.view.bared(recording, environment.inner.spec)


def pad(obs: Any, shape: tuple[int, ...], first: int = 0) -> jax.Array:
    """Observations ``[N, *obs]`` with zeros up to ``shape``; theirs are the numbers (channels) from ``first`` on."""
    *grid, channels = obs.shape[1:]
    sides = [(0, new - old) for new, old in zip(shape[:-1], grid, strict=True)]
    return jnp.pad(obs, ((0, 0), *sides, (first, shape[-1] - first - channels)))
