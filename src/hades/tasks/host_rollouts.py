"""Steps of environments outside JAX that begin anew where they end: as `hades.tasks.rollouts`, from the host.

What an environment stands at is no array that a checkpoint could hold. Its episode's seed and actions are: a resumed
run plays them again.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from hades.dataset import Spec
from hades.learner.networks import Params
from hades.learner.recipe import Recipe
from hades.normalisers import Normaliser
from hades.tasks.rollouts import Play, Trajectory, drawn, moments_of, per_network

Seeds = Callable[[], np.ndarray]


@runtime_checkable
class Steppable(Protocol):
    """A host environment whose copies can begin anew one by one."""

    spec: Spec
    max_steps: int

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        """As `hades.tasks.host.HostEnvironment`."""
        ...

    def step(self, actions: np.ndarray) -> Any:
        """As `hades.tasks.host.HostEnvironment`."""
        ...

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Begin anew where ``which [n]`` says so, by seeds ``[n]``: observations ``[n, *obs]`` of all."""
        ...

    def another(self) -> Self:
        """The same environment, whose copies are others."""
        ...


class Record(NamedTuple):
    """What n copies stand at: how their episodes came about."""

    seeds: Any
    """``[n]``, of each episode."""
    actions: Any
    """``[n, max_steps, ...]``, those that it has had."""
    length: Any
    """``[n]``, how many these are."""


class Rollouts:
    """Plays copies of an environment; one that stands elsewhere is brought to where a record says.

    Args:
        environment: whose copies nobody else steps.
    """

    def __init__(self, environment: Steppable) -> None:
        self.environment = environment
        self.stands: Record | None = None

    def begin(self, keys: jax.Array) -> Play:
        """Environments that begin, one a key; where a program is traced, which asks for shapes alone, nothing does."""
        spec, bits = self.environment.spec, jax.vmap(jax.random.bits)(keys.reshape(-1))
        act_shape, kind = ((), np.int32) if spec.discrete else ((spec.num_actions,), np.float32)
        empty = np.zeros((bits.size, self.environment.max_steps, *act_shape), kind), np.zeros(bits.size, np.int32)
        if isinstance(bits, Tracer):
            return Play(Record(bits, *empty), jnp.zeros((bits.size, *spec.obs_shape)))
        self.stands = Record(np.array(bits), *empty)
        return self._play(self.environment.reset(self.stands.seeds))

    def collect(
        self, recipe: Recipe, params: Params, normaliser: Normaliser, play: Play, steps: int, key: jax.Array
    ) -> tuple[Play, Trajectory]:
        """So many steps of B networks, leaves ``[B, ...]``, in the environments that are being played."""
        params, normaliser, key = jax.device_put((params, normaliser, key), jax.local_devices()[0])
        obs, stands = np.asarray(play.obs), self._stand(Record(*map(np.array, play.state)))
        networks, spec = jax.tree.leaves(params)[0].shape[0], self.environment.spec
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        rows, every = [], np.arange(len(obs))
        for step_key in jax.random.split(key, steps):
            drawn, log_prob, action = _draw(recipe, spec, networks, params, normaliser, obs, step_key)
            taken = np.asarray(action)
            stands.actions[every, stands.length] = taken
            out = self.environment.step(taken)
            stands.length[:] += 1
            # One that has left the finite numbers is over.
            terminated = out.terminated | ~np.isfinite(counted(out.obs, out.reward))
            truncated = (out.truncated | (stands.length >= self.environment.max_steps)) & ~terminated
            rows.append((obs, drawn, log_prob, out.reward, terminated, truncated, out.obs))
            obs = out.obs
            if (done := terminated | truncated).any():
                stands.seeds[done] = rng.integers(2**32, size=len(done), dtype=np.uint32)[done]
                stands.length[done] = 0
                obs = self.environment.begin(done, stands.seeds)
        self.stands = stands
        seen = _trajectory(networks, normaliser, *map(np.stack, zip(*rows, strict=True)))
        return self._play(obs), jax.device_get(seen)  # no longer of that one device

    def _play(self, obs: np.ndarray) -> Play:
        """What is carried on: copies, for these go on changing."""
        assert self.stands is not None
        return Play(Record(*(jnp.array(x) for x in self.stands)), jnp.array(obs, jnp.float32))

    def _stand(self, record: Record) -> Record:
        """Where a record says, by playing it again unless the copies stand there already."""
        now = self.stands
        if now is None or not all(map(np.array_equal, now, record)):
            self.environment.reset(record.seeds)
            last = int(record.length.max())
            for step in range(last):  # each begins so late that all come to where they stood at once
                at = step - (last - record.length)
                if (begins := at == 0).any() and step:
                    self.environment.begin(begins, record.seeds)
                self.environment.step(record.actions[np.arange(len(at)), np.maximum(at, 0)])
            if (fresh := record.length == 0).any() and last:
                self.environment.begin(fresh, record.seeds)
        self.stands = None  # until what is done next is whole
        return record


def counted(obs: np.ndarray, reward: np.ndarray) -> np.ndarray:
    """Rewards ``[...]`` as scores count them: none is a number where what came of the step is none."""
    return np.where(np.isfinite(obs).all(tuple(range(reward.ndim, obs.ndim))), reward, np.nan)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _draw(
    recipe: Recipe, spec: Spec, networks: int, params: Params, normaliser: Normaliser, obs: jax.Array, key: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Actions as they are drawn and their log-probabilities, ``[B, E, ...]``; as they are taken, ``[B * E, ...]``."""
    each = normaliser(per_network(networks, jnp.asarray(obs, jnp.float32)))
    return drawn(recipe, spec, params, each, key)


@partial(jax.jit, static_argnums=0)
def _trajectory(
    networks: int, normaliser: Normaliser, obs: Any, action: Any, log_prob: Any, reward: Any, *rest: Any
) -> Trajectory:
    """Of steps ``[T, B * E, ...]``, what was drawn ``[T, B, E, ...]``."""
    raw = jnp.asarray(obs, jnp.float32)
    split = jax.vmap(partial(per_network, networks))
    terminated, truncated, after = map(split, rest)
    rewards = split(jnp.asarray(reward, jnp.float32))
    return Trajectory(normaliser(split(raw)), action, log_prob, rewards, terminated, truncated,
                      normaliser(jnp.asarray(after, jnp.float32)), moments_of(raw))  # fmt: skip
