"""Control: a trained policy is scored by its return over whole episodes of a JAX environment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from hades.dataset import Spec
from hades.learner import Learner, Params, Policy, make_policy, reference

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

    def start(self, networks: int) -> "Normaliser":
        del networks
        return self

    def update(self, obs: jax.Array, alive: jax.Array) -> "Normaliser":
        del obs, alive
        return self

    def __call__(self, obs: jax.Array) -> jax.Array:
        return (obs - self.mean) / self.std


class OnlineNormaliser(NamedTuple):
    """Normalises by what a network's episodes have seen of their observations so far: moments ``[B, *obs]``.

    How the published Brax runs without stored statistics played: every evaluation starts from nothing, so the first
    steps are scaled differently from the last.
    """

    seen: Moments

    def start(self, networks: int) -> "OnlineNormaliser":
        return jax.tree.map(lambda x: jnp.broadcast_to(x, (networks, *x.shape)), self)

    def update(self, obs: jax.Array, alive: jax.Array) -> "OnlineNormaliser":
        """``obs`` is ``[B, E, *obs]``, ``alive`` ``[B, E]``; episodes that have ended add nothing."""

        def one_network(seen: Moments, obs: jax.Array, alive: jax.Array) -> Moments:
            batch = Moments(alive.astype(obs.dtype), obs, jnp.zeros_like(obs))
            return seen.merge(merge_all(batch))

        return OnlineNormaliser(jax.vmap(one_network)(self.seen, obs, alive))

    def __call__(self, obs: jax.Array) -> jax.Array:
        number, mean, m2 = (x[:, None] for x in self.seen)
        number = number.reshape(number.shape + (1,) * (mean.ndim - number.ndim))
        return (obs - mean) / jnp.sqrt(m2 / number + 1e-8)


class Episode(NamedTuple):
    """What is kept of an episode: the undiscounted return, and how it ended after how many steps."""

    ret: jax.Array
    length: jax.Array
    terminated: jax.Array
    seen: Moments | None
    """Moments of the observations, where asked for."""


@dataclass(frozen=True, eq=False)
class ControlTask:
    """An environment as a task: `rollout` scores policies by whole episodes.

    Args:
        name: what `hades.make` takes.
        environment: the dynamics.
        options: what `hades.make` was given beside the name; they travel with runs and datasets.
        versions: of the libraries that the dynamics come from.
        vmap: batches the environment's step over the leading axis; `jax.vmap`, or `lanes.vmap` for rigid bodies.
    """

    name: str
    environment: Environment
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    vmap: Callable[..., Any] = jax.vmap

    metric = "return"
    differentiable = False
    data = ()
    where: ClassVar[Mapping[str, Any]] = {}
    starts = ("random", "sample")

    @property
    def spec(self) -> Spec:
        return self.environment.spec

    @property
    def reference(self) -> Learner:
        return reference(self.spec)

    @property
    def validation(self) -> "ControlTask":
        return self

    test = validation

    def score(
        self,
        learner: Learner,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        keys: jax.Array,
        greedy: bool = False,
        watch: bool = False,
        data: Any = (),
        limit: jax.Array | None = None,
    ) -> Episode:
        """The return of B networks over episodes, by keys ``[B, E]``: `rollout` with the learner's policy."""
        del data
        return self.rollout(make_policy(learner, self.spec, greedy), params, normaliser, keys, watch, limit)

    def episode_bytes(self) -> int:
        """Of an episode's states and intermediate values."""
        state = jax.eval_shape(self.environment.reset, jax.random.key(0))
        return 16 * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))

    def rollout(
        self,
        policy: Policy,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        keys: jax.Array,
        watch: bool = False,
        limit: jax.Array | None = None,
    ) -> Episode:
        """Play whole episodes, each network its own; stops within `CHUNK` steps of the last episode's end.

        Args:
            policy: of one network and one observation.
            params: of B trained networks, leaves ``[B, ...]``.
            normaliser: applied to every observation before the policy sees it.
            keys: ``[B, E]``, one an episode: the reset, the environment's noise, the sampled actions.
            watch: gather the moments of the observations; not with an `OnlineNormaliser`.
            limit: cut episodes off after so many steps.

        Returns:
            Leaves ``[B, E]``; moments ``[B, E]`` and ``[B, E, *obs]``.
        """
        batch = keys.shape

        # Batched here and not by a vmap around the loops, which would batch their bodies several times over to trace.
        def flat(x: jax.Array) -> jax.Array:
            return x.reshape(-1, *x.shape[2:])

        def per_network(x: jax.Array) -> jax.Array:
            return x.reshape(*batch, *x.shape[1:])

        act = jax.vmap(jax.vmap(policy, in_axes=(None, 0, 0)))
        env_step = self.vmap(self.environment.step)

        def step(carry: tuple[Any, ...], keys: jax.Array) -> tuple[tuple[Any, ...], None]:
            state, obs, alive, normaliser, episode = carry
            normaliser = normaliser.update(obs, alive)
            normalised = normaliser(obs)
            action = act(params, normalised, per_network(keys[:, 0]))
            state, *outcome = env_step(keys[:, 1], state, flat(action))
            obs, reward, terminated, truncated = map(per_network, outcome)
            episode = Episode(
                ret=episode.ret + jnp.where(alive, reward, 0),
                length=episode.length + alive,
                terminated=episode.terminated | (alive & terminated),
                # In normalised units, where sums of squares do not cancel.
                seen=_add(episode.seen, normalised, alive) if watch else None,
            )
            alive = alive & ~terminated & ~truncated
            alive = alive if limit is None else alive & (episode.length < limit)
            return (state, obs, alive, normaliser, episode), None

        def chunk(carry: tuple[jax.Array, tuple[Any, ...]]) -> tuple[jax.Array, tuple[Any, ...]]:
            i, inner = carry
            keys = jax.vmap(lambda key: jax.random.split(jax.random.fold_in(key, i), (CHUNK, 2)), out_axes=1)(
                step_keys
            )
            return i + 1, jax.lax.scan(step, inner, keys)[0]

        reset_keys, step_keys = jax.vmap(jax.random.split, out_axes=1)(flat(keys))
        state, obs = jax.vmap(self.environment.reset)(reset_keys)
        obs, zeros = per_network(obs), partial(jnp.zeros, batch)
        seen = Moments(zeros(), jnp.zeros_like(obs), jnp.zeros_like(obs)) if watch else None
        episode = Episode(zeros(), zeros(jnp.int32), zeros(bool), seen)
        carry = state, obs, ~zeros(bool), normaliser.start(batch[0]), episode
        episode = jax.lax.while_loop(lambda c: c[1][2].any(), chunk, (jnp.zeros((), jnp.int32), carry))[1][-1]
        return episode._replace(seen=_moments(episode.seen, normaliser)) if watch else episode

    def measure(self, key: jax.Array, episodes: int = 256) -> Normaliser:
        """The normaliser of observations under uniformly random actions, over whole episodes."""
        seen = self._play_randomly(key, episodes).seen
        assert seen is not None
        return merge_all(seen).normaliser()

    def random_return(self, key: jax.Array, episodes: int = 256) -> float:
        """The mean return of uniformly random actions."""
        return float(self._play_randomly(key, episodes).ret.mean())

    def start(self, kind: str, size: int, normaliser: Normaliser, key: jax.Array) -> jax.Array:
        """States ``[size, *obs]`` to start from: a ``"sample"`` of observations, as the normaliser leaves them."""
        assert kind == "sample"
        return normaliser(jax.jit(self._observations, static_argnums=1)(key, size))

    def _observations(self, key: jax.Array, number: int) -> jax.Array:
        """Of random actions, each from an episode of its own, at any of its steps alike."""
        reset_key, loop_key = jax.random.split(key)
        state, obs = jax.vmap(self.environment.reset)(jax.random.split(reset_key, number))
        env_step = self.vmap(self.environment.step)

        def step(carry: tuple[Any, ...]) -> tuple[Any, ...]:
            i, state, obs, alive, kept = carry
            keep_key, action_key, step_key = jax.random.split(jax.random.fold_in(loop_key, i), 3)
            # Reservoir sampling (Vitter 1985), of one.
            keep = alive & (jax.random.uniform(keep_key, (number,)) * (i + 1) < 1)
            kept = jnp.where(keep.reshape(-1, *(1,) * (obs.ndim - 1)), obs, kept)
            actions = jax.vmap(self._random_action)(jax.random.split(action_key, number))
            out = env_step(jax.random.split(step_key, number), state, actions)
            return i + 1, out.state, out.obs, alive & ~out.terminated & ~out.truncated, kept

        carry = jnp.zeros((), jnp.int32), state, obs, jnp.ones(number, bool), obs
        return jax.lax.while_loop(lambda carry: carry[3].any(), step, carry)[-1]

    def _random_action(self, key: jax.Array) -> jax.Array:
        if self.spec.discrete:
            return jax.random.randint(key, (), 0, self.spec.num_actions)
        return jax.random.uniform(key, (self.spec.num_actions,), minval=-1, maxval=1)

    def _play_randomly(self, key: jax.Array, episodes: int) -> Episode:
        def random_policy(_: Params, obs: jax.Array, key: jax.Array) -> jax.Array:
            del obs
            return self._random_action(key)

        @jax.jit
        def run(keys: jax.Array) -> Episode:
            return self.rollout(random_policy, None, identity_normaliser(self.spec), keys, watch=True)

        return run(jax.random.split(key, (1, episodes)))


def online_normaliser(spec: Spec) -> OnlineNormaliser:
    """Before the first observation: zero mean and unit variance, worth next to nothing."""
    return OnlineNormaliser(Moments(jnp.asarray(1e-4), jnp.zeros(spec.obs_shape), jnp.full(spec.obs_shape, 1e-4)))


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
    """Plain sums of 1, x and x squared over the steps of episodes ``[B, E]``."""
    there = alive.reshape(alive.shape + (1,) * (x.ndim - alive.ndim))
    return Moments(sums.number + alive, sums.mean + jnp.where(there, x, 0), sums.m2 + jnp.where(there, x * x, 0))


def _moments(sums: Any, normaliser: Any) -> Moments:
    """From sums over normalised observations to the moments of the observations themselves."""
    number = sums.number.reshape(sums.number.shape + (1,) * (sums.mean.ndim - sums.number.ndim))
    mean = sums.mean / jnp.maximum(number, 1)
    m2 = jnp.maximum(sums.m2 - number * mean**2, 0)
    return Moments(sums.number, normaliser.mean + mean * normaliser.std, m2 * normaliser.std**2)


def scale_action(action: jax.Array, low: np.ndarray, high: np.ndarray) -> jax.Array:
    """From [-1, 1] to a box's own bounds, each ``[act]``; without bounds an action is passed as it is."""
    bounded = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(bounded, low, -1), np.where(bounded, high, 1)
    return jnp.asarray(low + (high - low) * (action + 1) / 2)
