"""Control: a trained policy is scored by its return over whole episodes of a JAX environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from hades.dataset import Spec
from hades.learner import Params, Policy

CHUNK = 32
"""Steps between two looks at whether every episode in the batch has ended."""


class Step(NamedTuple):
    state: Any
    obs: jax.Array
    reward: jax.Array
    terminated: jax.Array
    truncated: jax.Array


class Environment(Protocol):
    """One environment as pure functions of a key; the adapters beside this file make them.

    A discrete action is an int32 index; a continuous one is ``[act]`` in [-1, 1], scaled by the adapter.
    ``truncated`` is the environment's own step limit, ``terminated`` every other end. No auto-reset.
    """

    @property
    def spec(self) -> Spec: ...
    @property
    def max_steps(self) -> int: ...
    def reset(self, key: jax.Array) -> tuple[Any, jax.Array]: ...
    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step: ...


class Moments(NamedTuple):
    """Number, mean and sum of squared deviations of observations (Chan et al. 1983)."""

    number: jax.Array
    mean: jax.Array
    m2: jax.Array

    @classmethod
    def zero(cls, obs_shape: tuple[int, ...]) -> "Moments":
        return cls(jnp.zeros(()), jnp.zeros(obs_shape), jnp.zeros(obs_shape))

    def merge(self, other: "Moments") -> "Moments":
        count = self.number + other.number
        share = other.number / jnp.maximum(count, 1e-8)
        delta = other.mean - self.mean
        return Moments(count, self.mean + delta * share, self.m2 + other.m2 + delta**2 * self.number * share)

    def normaliser(self) -> "Normaliser":
        """An observation that never varied is left unscaled; nothing seen yet is the identity."""
        std = jnp.sqrt(self.m2 / jnp.maximum(self.number, 1))
        return Normaliser(self.mean, jnp.where(std > 1e-4, std, 1.0))


class Normaliser(NamedTuple):
    """``(obs - mean) / std``, each ``[*obs]``."""

    mean: jax.Array
    std: jax.Array

    def __call__(self, obs: jax.Array) -> jax.Array:
        return (obs - self.mean) / self.std


class Episode(NamedTuple):
    """What is kept of an episode: the undiscounted return, and how it ended after how many steps."""

    ret: jax.Array
    length: jax.Array
    terminated: jax.Array
    seen: Moments | None
    """Moments of the observations, where asked for."""


@dataclass(frozen=True, eq=False)
class ControlTask:
    """An environment as a task: `rollout` scores a policy by one whole episode.

    Args:
        name: what `hades.make` takes.
        environment: the dynamics.
        versions: of the libraries that the dynamics come from.
    """

    name: str
    environment: Environment
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> Spec:
        return self.environment.spec

    def rollout(
        self, policy: Policy, params: Params, normaliser: Normaliser, key: jax.Array, watch: bool = False
    ) -> Episode:
        """Play one episode to its end. Vmapped, a batch stops within `CHUNK` steps of its last episode's end.

        Args:
            policy, params: of one trained network.
            normaliser: applied to every observation before the policy sees it.
            key: decides the reset, the environment's noise and the sampled actions.
            watch: gather the moments of the observations.
        """
        env = self.environment
        reset_key, key = jax.random.split(key)
        state, obs = env.reset(reset_key)
        seen = Moments.zero(obs.shape)
        zero = Episode(jnp.zeros(()), jnp.zeros((), jnp.int32), jnp.zeros((), bool), seen if watch else None)

        def step(carry: tuple[Any, ...], keys: jax.Array) -> tuple[tuple[Any, ...], None]:
            state, obs, alive, episode = carry
            normalised = normaliser(obs)
            action = policy(params, normalised, keys[0])
            state, next_obs, reward, terminated, truncated = env.step(keys[1], state, action)
            episode = Episode(
                ret=episode.ret + jnp.where(alive, reward, 0),
                length=episode.length + alive,
                terminated=episode.terminated | (alive & terminated),
                # In normalised units, where sums of squares do not cancel.
                seen=_add(episode.seen, normalised, alive) if watch else None,
            )
            return (state, next_obs, alive & ~terminated & ~truncated, episode), None

        def chunk(carry: tuple[jax.Array, tuple[Any, ...]]) -> tuple[jax.Array, tuple[Any, ...]]:
            i, inner = carry
            keys = jax.random.split(jax.random.fold_in(key, i), (CHUNK, 2))
            return i + 1, jax.lax.scan(step, inner, keys)[0]

        alive = jnp.ones((), bool)
        carry = jax.lax.while_loop(lambda c: c[1][2], chunk, (jnp.zeros((), jnp.int32), (state, obs, alive, zero)))
        episode = carry[1][3]
        if not watch:
            return episode
        count, total, squares = episode.seen
        mean = total / jnp.maximum(count, 1)
        m2 = squares - count * mean**2
        seen = Moments(count, normaliser.mean + mean * normaliser.std, jnp.maximum(m2, 0) * normaliser.std**2)
        return episode._replace(seen=seen)

    def measure(self, key: jax.Array, episodes: int = 256) -> Normaliser:
        """The normaliser of observations under uniformly random actions, over whole episodes."""

        def random_policy(_: Params, obs: jax.Array, key: jax.Array) -> jax.Array:
            del obs
            if self.spec.discrete:
                return jax.random.randint(key, (), 0, self.spec.num_actions)
            return jax.random.uniform(key, (self.spec.num_actions,), minval=-1, maxval=1)

        @jax.jit
        def run(keys: jax.Array) -> Moments:
            identity = identity_normaliser(self.spec)
            seen = jax.vmap(lambda k: self.rollout(random_policy, None, identity, k, watch=True).seen)(keys)
            assert seen is not None
            return merge_all(seen)

        return run(jax.random.split(key, episodes)).normaliser()


class OnlineNormaliser:
    """An environment whose observations are normalised by what its batch has seen of the episodes so far.

    How the published Brax runs without stored statistics played: every evaluation starts from nothing, so the first
    steps are scaled differently from the last. Runs under ``jax.vmap(..., axis_name="episodes")``.
    """

    def __init__(self, environment: Environment) -> None:
        self.inner, self.spec, self.max_steps = environment, environment.spec, environment.max_steps

    def reset(self, key: jax.Array) -> tuple[Any, jax.Array]:
        state, obs = self.inner.reset(key)
        shape = self.spec.obs_shape
        alive, seen = jnp.asarray(True), Moments(jnp.asarray(1e-4), jnp.zeros(shape), jnp.full(shape, 1e-4))
        seen, obs = self._observe(seen, obs, alive)
        return (state, alive, seen), obs

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step:
        inner, alive, seen = state
        step = self.inner.step(key, inner, action)
        alive = alive & ~step.terminated & ~step.truncated
        seen, obs = self._observe(seen, step.obs, alive)
        return step._replace(state=(step.state, alive, seen), obs=obs)

    def _observe(self, seen: Moments, obs: jax.Array, alive: jax.Array) -> tuple[Moments, jax.Array]:
        def total(x: jax.Array) -> jax.Array:
            return jax.lax.psum(jnp.where(alive, x, 0), "episodes")

        number = total(jnp.ones(()))
        mean = total(obs) / jnp.maximum(number, 1)
        seen = seen.merge(Moments(number, mean, total((obs - mean) ** 2)))
        return seen, (obs - seen.mean) / jnp.sqrt(seen.m2 / seen.number + 1e-8)


def identity_normaliser(spec: Spec) -> Normaliser:
    return Normaliser(jnp.zeros(spec.obs_shape), jnp.ones(spec.obs_shape))


def merge_all(moments: Moments) -> Moments:
    """Merge a batch of moments, stacked along any number of leading axes."""
    axes = tuple(range(moments.number.ndim))
    weights = moments.number.reshape(moments.number.shape + (1,) * (moments.mean.ndim - len(axes)))
    count = moments.number.sum()
    mean = (weights * moments.mean).sum(axes) / jnp.maximum(count, 1)
    return Moments(count, mean, (moments.m2 + weights * (moments.mean - mean) ** 2).sum(axes))


def _add(sums: Any, x: jax.Array, alive: jax.Array) -> Moments:
    """Plain sums of 1, x and x squared over the steps of one episode."""
    return Moments(sums.number + alive, sums.mean + jnp.where(alive, x, 0), sums.m2 + jnp.where(alive, x * x, 0))


def scale_action(action: jax.Array, low: np.ndarray, high: np.ndarray) -> jax.Array:
    """From [-1, 1] to a box's own bounds, each ``[act]``; without bounds an action is passed as it is."""
    bounded = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(bounded, low, -1), np.where(bounded, high, 1)
    return jnp.asarray(low + (high - low) * (action + 1) / 2)
