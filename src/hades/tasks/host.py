"""Environments outside JAX: jitted calls train and act, Python steps the episodes in between."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from hades import runtime
from hades.aliases import Options, PyTree
from hades.dataset import Spec
from hades.learner.cloning import make_policy
from hades.learner.networks import Params
from hades.learner.recipe import Recipe
from hades.normalisers import Moments, Normaliser, OnlineNormaliser
from hades.tasks import faults
from hades.tasks.base import Acting, Episode
from hades.tasks.host_rollouts import Rollouts, Steppable, counted
from hades.tasks.recordings import Recording, distributions
from hades.tasks.rollouts import Play, Trajectory
from hades.tasks.views import HostViewed, View, bared


class HostStep(NamedTuple):
    """Of ``n`` environments: observations ``[n, *obs]``, and ``[n]`` each."""

    obs: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray


class HostEnvironment(Protocol):
    """Copies of one environment that are stepped together.

    A discrete action is an int32 index; a continuous one is ``[act]`` in [-1, 1], scaled by the adapter. An
    environment whose episode has ended may answer anything: nothing of it counts any more.
    """

    @property
    def spec(self) -> Spec:
        """The interface to a policy."""
        ...

    @property
    def max_steps(self) -> int:
        """The environment's own limit."""
        ...

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        """As many copies as there are seeds, uint32 ``[n]``, each begun by its own: observations ``[n, *obs]``."""
        ...

    def step(self, actions: np.ndarray) -> HostStep:
        """One step of every copy."""
        ...


COPIES = 1024
"""Of an environment, at most."""
Act = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""``(observations [B, E, *obs], alive [B, E], step) -> actions [B, E, ...]``."""


def scaled(actions: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """From [-1, 1] to bounds ``[act]`` (`hades.tasks.control.bounds`), and not beyond them by rounding."""
    return np.clip(low + (high - low) * (actions + 1) / 2, low, high)


@dataclass(frozen=True, eq=False)
class HostTask(Acting):
    """An environment outside JAX as a task.

    Args:
        name: of the task.
        environment: the dynamics.
        options, versions, where, registered, fingerprint, source: as of every task.
    """

    name: str
    environment: HostEnvironment
    options: Options = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    where: Options = field(default_factory=dict)
    registered: bool = False
    fingerprint: str = ""
    source: str = ""

    traced = False

    def __post_init__(self) -> None:
        """Environments can be stepped one by one where their copies can begin so."""
        object.__setattr__(self, "stepped", isinstance(self.environment, Steppable))

    @cached_property
    def rollouts(self) -> Rollouts:
        """Copies that are stepped for an actor's loss, apart from those that are scored."""
        assert isinstance(self.environment, Steppable)
        return Rollouts(self.environment.another())

    def seen_through(self, view: View) -> "HostTask":
        """The task as an agent of several tasks sees it."""
        return replace(self, environment=HostViewed(self.environment, view))

    def begin(self, keys: jax.Array) -> Play:
        """Environments that begin, one a key."""
        return self.rollouts.begin(keys)

    def collect(
        self, recipe: Recipe, params: Params, normaliser: Normaliser, play: Play, steps: int, key: jax.Array
    ) -> tuple[Play, Trajectory]:
        """So many steps of B networks in the environments that are being played."""
        return self.rollouts.collect(recipe, params, normaliser, play, steps, key)

    @cached_property
    def faults(self) -> Sequence[str]:
        """By one reset and step of two copies."""
        return faults.hosted(self.environment)

    def score(
        self,
        recipe: Recipe,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        keys: jax.Array,
        greedy: bool = False,
        watch: bool = False,
        data: PyTree = (),
        limit: jax.Array | None = None,
    ) -> Episode:
        """The return of B networks over episodes, by keys ``[B, E]``; of more than `COPIES`, some after the others."""
        del data
        some = max(1, COPIES // keys.shape[1])
        # To act is little work a step: one device does it sooner than several that have to meet.
        params, normaliser, keys = jax.device_put((params, normaliser, keys), jax.local_devices()[0])
        parts = [
            self._score(
                recipe, jax.tree.map(lambda x, i=i: x[i : i + some], params), normaliser, keys[i : i + some], greedy,
                watch, limit,
            )
            for i in range(0, len(keys), some)
        ]  # fmt: skip
        return jax.tree.map(lambda *x: jnp.concatenate(x), *parts)

    def _score(
        self,
        recipe: Recipe,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        keys: jax.Array,
        greedy: bool,
        watch: bool,
        limit: jax.Array | None,
    ) -> Episode:
        """Of networks that all play at once."""
        carried = normaliser.start(keys.shape[0])

        def act(obs: np.ndarray, alive: np.ndarray, step: int) -> np.ndarray:
            nonlocal carried
            carried, action = _act(recipe, self.spec, greedy, params, carried, obs, alive, keys, np.int32(step))
            return np.asarray(action)

        return self._play(act, keys, watch, None if limit is None else int(limit))

    @runtime.in_32_bits
    def record(
        self,
        recipe: Recipe,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        key: jax.Array,
        greedy: bool = False,
        limit: int | None = None,
    ) -> Recording:
        """An episode of one network, step by step: `score`, in an environment that keeps what passes through it."""
        kept = _Kept(self.environment)
        one, most = jax.tree.map(lambda x: x[None], params), None if limit is None else jnp.asarray(limit)
        episode = replace(self, environment=kept).score(recipe, one, normaliser, key[None, None], greedy, limit=most)
        observations, actions, rewards = kept.episode()
        probabilities = distributions(recipe, self.spec, params, normaliser, observations)
        ended = bool(episode.terminated[0, 0])
        return bared(self.environment, Recording(observations, actions, rewards, ended, probabilities, kept.seed))

    def pictures(self, recording: Recording, steps: Sequence[int]) -> list[np.ndarray]:
        """What the environment's own ``render`` gives, where an episode can be played again with it."""
        render = getattr(self.environment, "pictures", None)
        return render(recording.states, recording.actions, steps) if render else []

    def start(self, kind: str, size: int, normaliser: Normaliser, key: jax.Array) -> jax.Array:
        """States ``[size, *obs]`` to start from: a ``"sample"`` of observations of random actions, an episode each."""
        assert kind == "sample"
        rng, kept = _generator(key), np.zeros((1, size, *self.spec.obs_shape), np.float32)
        act = self._random(rng)

        def watching(obs: np.ndarray, alive: np.ndarray, step: int) -> np.ndarray:
            keep = alive & (rng.uniform(size=alive.shape) * (step + 1) < 1)  # reservoir sampling (Vitter 1985), of one
            kept[keep] = obs[keep]
            return act(obs, alive, step)

        self._play(watching, jax.random.split(key, (1, size)), watch=False)
        return normaliser(jnp.asarray(kept[0]))

    def episode_bytes(self) -> int:
        """Of an episode's observation and intermediate values."""
        return 64 * int(np.prod(self.spec.obs_shape))

    def _random(self, rng: np.random.Generator) -> Act:
        spec = self.spec

        def act(obs: np.ndarray, alive: np.ndarray, step: int) -> np.ndarray:
            del obs, step
            if spec.discrete:
                return rng.integers(spec.num_actions, size=alive.shape, dtype=np.int32)
            return rng.uniform(-1, 1, (*alive.shape, spec.num_actions)).astype(np.float32)

        return act

    def play_randomly(self, key: jax.Array, episodes: int) -> Episode:
        """Episodes ``[1, E]`` of uniformly random actions, with the moments of their observations."""
        return self._play(self._random(_generator(key)), jax.random.split(key, (1, episodes)), watch=True)

    def _play(self, act: Act, keys: jax.Array, watch: bool, limit: int | None = None) -> Episode:
        """Whole episodes of all networks, side by side. Leaves are ``[B, E]``."""
        batch, seeds = keys.shape, np.asarray(jax.vmap(jax.random.bits)(keys.reshape(-1)))
        obs = self.environment.reset(seeds).reshape(*batch, *self.spec.obs_shape)
        returns, length = np.zeros(batch), np.zeros(batch, np.int32)
        terminated, alive = np.zeros(batch, bool), np.ones(batch, bool)
        moments = _Running(obs) if watch else None
        while alive.any():
            action = act(obs, alive, int(length.max()))
            if moments:
                moments.add(obs, alive)
            out = self.environment.step(action.reshape(-1, *action.shape[2:]))
            reward, ended, cut = (np.reshape(x, batch) for x in out[1:])
            obs = np.reshape(out.obs, obs.shape)
            returns += np.where(alive, counted(obs, reward), 0)
            length += alive
            terminated |= alive & ended
            alive &= ~ended & ~cut & (length < (limit or self.max_steps))
        seen = moments.moments() if moments else None
        return Episode(jnp.asarray(returns, jnp.float32), jnp.asarray(length), jnp.asarray(terminated), seen)


class _Kept:
    """One copy of an environment, and the steps of its episode."""

    def __init__(self, inner: HostEnvironment) -> None:
        self.inner, self.spec, self.max_steps = inner, inner.spec, inner.max_steps
        self.seed, self.seen, self.steps = 0, [], []

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        self.seed, self.seen = int(seeds[0]), [self.inner.reset(seeds)]
        return self.seen[0]

    def step(self, actions: np.ndarray) -> HostStep:
        out = self.inner.step(actions)
        self.seen.append(out.obs)
        self.steps.append((actions, counted(out.obs, out.reward)))
        return out

    def episode(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Observations, actions and rewards, ``[T, ...]``."""
        actions, rewards = map(np.concatenate, zip(*self.steps, strict=True))
        return np.concatenate(self.seen[:-1]), actions, rewards


class _Running:
    """Moments of each episode's observations ``[B, E, *obs]`` (Welford 1962), in 64 bits."""

    def __init__(self, obs: np.ndarray) -> None:
        self.number, self.mean, self.m2 = np.zeros(obs.shape[:2]), np.zeros(obs.shape), np.zeros(obs.shape)

    def add(self, obs: np.ndarray, alive: np.ndarray) -> None:
        self.number += alive
        there = alive.reshape(*alive.shape, *(1,) * (obs.ndim - 2))
        delta = np.where(there, obs - self.mean, 0)
        self.mean += delta / np.maximum(self.number, 1).reshape(there.shape)
        self.m2 += delta * np.where(there, obs - self.mean, 0)

    def moments(self) -> Moments:
        return Moments(*(jnp.asarray(x, jnp.float32) for x in (self.number, self.mean, self.m2)))


@partial(jax.jit, static_argnums=(0, 1, 2))
def _act(
    recipe: Recipe,
    spec: Spec,
    greedy: bool,
    params: Params,
    normaliser: Normaliser | OnlineNormaliser,
    obs: jax.Array,
    alive: jax.Array,
    keys: jax.Array,
    step: jax.Array,
) -> tuple[Normaliser | OnlineNormaliser, jax.Array]:
    """Actions ``[B, E, ...]`` of B networks in E episodes each, and the normaliser after what it saw."""
    obs = jnp.asarray(obs, jnp.float32)
    normaliser = normaliser.update(obs, alive)
    step_keys = jax.vmap(jax.vmap(jax.random.fold_in, in_axes=(0, None)), in_axes=(0, None))(keys, step)
    act = jax.vmap(jax.vmap(make_policy(recipe, spec, greedy), in_axes=(None, 0, 0)))
    return normaliser, act(params, normaliser(obs), step_keys)


def _generator(key: jax.Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))
