"""Dataset -> score, for a whole population: train networks on every candidate, then play the task with them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from hades.learner import Learner, Params, behaviour_cloning, init_network, make_policy
from hades.tasks.control import ControlTask, Episode, Moments, Normaliser, OnlineNormaliser, merge_all

Pairs = tuple[jax.Array, jax.Array]
"""``(states [N, *obs], targets [N, num_actions])``; with a leading axis: a population of them."""


AXIS = "networks"
CACHE_BYTES = 2**20
"""Of a core's own cache: what networks may fill."""
LANES = 64
"""Episodes side by side that fill a core's vector units."""


class Scores(NamedTuple):
    """What leaves the evaluation of a population: scalars, and the observations' moments where asked for."""

    fitness: jax.Array
    """``[P]``, mean return; minus infinity where it was not a finite number."""
    env_steps: jax.Array
    """Environment steps of whole episodes, over the population."""
    seen: Moments | None


@dataclass(frozen=True)
class Fitness:
    """The score of datasets: the mean return of networks trained on them.

    Args:
        task: plays the episodes.
        learner: trains the networks; every field set.
        inits: networks trained per candidate.
        episodes: episodes played by each network.
        greedy: take the mode of the action distribution instead of a sample.
        watch: gather the moments of the observations.
        chunk: networks that run at once on a device; None chooses. Does not change the scores.
    """

    task: ControlTask
    learner: Learner
    inits: int = 1
    episodes: int = 1
    greedy: bool = False
    watch: bool = False
    chunk: int | None = None

    def networks(self, key: jax.Array) -> Params:
        """Fresh initialisations, stacked: ``[inits, ...]``."""
        return jax.vmap(partial(init_network, self.learner, self.task.spec))(jax.random.split(key, self.inits))

    def play(
        self, population: Pairs, networks: Params, normaliser: Normaliser | OnlineNormaliser, key: jax.Array
    ) -> Episode:
        """Train every network on every candidate, then play. Leaves are ``[P, inits, episodes]``."""

        def train(job: jax.Array, population: Pairs, networks: Params) -> Params:
            pairs = jax.tree.map(lambda x: x[job // self.inits], population)
            params = jax.tree.map(lambda x: x[job % self.inits], networks)
            return behaviour_cloning(self.learner, self.task.spec, params, *pairs)

        return self.rollouts(population[0].shape[0], train, (population, networks), normaliser, key)

    def rollouts(
        self,
        size: int,
        make_params: Callable[..., Params],
        shared: Any,
        normaliser: Normaliser | OnlineNormaliser,
        key: jax.Array,
    ) -> Episode:
        """Play with the networks that ``make_params(job, *shared)`` gives. Leaves are ``[size, inits, episodes]``.

        A job is one network of one candidate, number ``candidate * inits + network``: jobs are sharded over all
        devices, and run in chunks on each, where their networks are made and forgotten. All candidates share their
        episodes' seeds (common random numbers).
        """
        jobs = size * self.inits
        policy = make_policy(self.learner, self.task.spec, self.greedy)
        chunks, chunk = self.chunks(size)

        def work(jobs: jax.Array, shared: Any, normaliser: Any, keys: jax.Array) -> Episode:
            def one_chunk(jobs: jax.Array) -> Episode:
                params = jax.vmap(lambda job: make_params(job, *shared))(jobs)
                episode = self.task.rollout(policy, params, normaliser, keys[jobs % self.inits], self.watch)
                return episode._replace(seen=jax.vmap(merge_all)(episode.seen) if episode.seen else None)

            episode = jax.lax.map(one_chunk, jobs.reshape(chunks, chunk))
            return jax.tree.map(lambda x: x.reshape(chunks * chunk, *x.shape[2:]), episode)

        # Devices and chunks come out even by jobs done twice, whose results are dropped.
        numbers = jnp.minimum(jnp.arange(chunk * chunks * jax.device_count()), jobs - 1)
        sharded, whole = P(AXIS), P()
        work = jax.shard_map(
            work, mesh=mesh(), in_specs=(sharded, whole, whole, whole), out_specs=sharded, check_vma=False
        )
        keys = jax.random.split(key, (self.inits, self.episodes))
        episode = work(numbers, shared, normaliser, keys)
        return jax.tree.map(lambda x: x[:jobs].reshape(size, self.inits, *x.shape[1:]), episode)

    def chunks(self, size: int) -> tuple[int, int]:
        """For a population of ``size``: chunks on each device, and networks in each."""
        per_device = -(-size * self.inits // jax.device_count())
        chunks = -(-per_device // (self.chunk or self._automatic_chunk()))
        return chunks, -(-per_device // chunks)

    def returns(
        self, pairs: Pairs, normaliser: Normaliser | OnlineNormaliser, network_key: jax.Array, episode_key: jax.Array
    ) -> jax.Array:
        """Returns ``[inits, episodes]`` of fresh networks trained on one dataset."""
        population = jax.tree.map(lambda x: x[None], pairs)
        return self.play(population, self.networks(network_key), normaliser, episode_key).ret[0]

    def population(self, population: Pairs, networks: Params, normaliser: Normaliser, key: jax.Array) -> Scores:
        """Score a population by the mean return of each candidate's networks."""
        return self.scores(self.play(population, networks, normaliser, key))

    def scores(self, episode: Episode) -> Scores:
        """What is kept of a population's episodes ``[P, inits, episodes]``."""
        returns = episode.ret.mean((1, 2))
        return Scores(
            fitness=jnp.where(jnp.isfinite(returns), returns, -jnp.inf),
            env_steps=episode.length.sum(),
            seen=None if episode.seen is None else merge_all(_finite(episode.seen)),
        )

    def _automatic_chunk(self) -> int:
        """Networks that, with their environments, fit a quarter of a device's memory; on CPU, a core's cache.

        There, networks that stay in the cache made generations of Breakout 2.4 times faster than all at once, and
        too few episodes side by side leave the vector units idle: four times the cache is still worth filling them.
        """
        network = jax.eval_shape(lambda: init_network(self.learner, self.task.spec, jax.random.key(0)))
        env_state = jax.eval_shape(self.task.environment.reset, jax.random.key(0))
        network_bytes = 4 * sum(leaf.size for leaf in jax.tree.leaves(network))
        env_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(env_state))
        # Parameters, gradients, the optimiser's moments and updates; an environment's states and intermediate values.
        chunk = _device_memory() // 4 // (6 * network_bytes + self.episodes * 16 * env_bytes)
        if jax.default_backend() == "cpu":
            cached = CACHE_BYTES // network_bytes
            chunk = min(chunk, max(4, cached, min(-(-LANES // self.episodes), 4 * cached)))
        return max(1, chunk)


def mesh() -> Mesh:
    """All devices, of all processes."""
    return jax.make_mesh((jax.device_count(),), (AXIS,), (jax.sharding.AxisType.Auto,))


def _finite(seen: Moments) -> Moments:
    """Without the observations of networks that diverged."""
    axes = tuple(range(seen.number.ndim, seen.mean.ndim))
    good = jnp.isfinite(seen.mean).all(axes) & jnp.isfinite(seen.m2).all(axes)

    def keep(x: jax.Array) -> jax.Array:
        return jnp.where(good.reshape(good.shape + (1,) * (x.ndim - good.ndim)), x, 0)

    return jax.tree.map(keep, seen)


def _device_memory() -> int:
    stats = jax.local_devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // jax.local_device_count()
