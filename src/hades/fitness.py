"""Dataset -> score, for a whole population: train networks on every candidate, then play the task with them."""

import os
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from hades.learner import Learner, Params, behaviour_cloning, init_network, make_policy
from hades.tasks.control import ControlTask, Episode, Moments, Normaliser, merge_all

Pairs = tuple[jax.Array, jax.Array]
"""``(states [N, *obs], targets [N, num_actions])``; with a leading axis: a population of them."""


CACHE_BYTES = 2**20
"""Of a core's own cache: what networks may fill."""


class Scores(NamedTuple):
    """What leaves the evaluation of a population: scalars, and the observations' moments where asked for."""

    fitness: jax.Array
    """``[P]``, mean return; minus infinity where it was not a finite number."""
    env_steps: jax.Array
    """Environment steps of whole episodes, over the population."""
    seen: Moments | None


@dataclass(frozen=True, eq=False)
class Fitness:
    """The score of datasets: the mean return of networks trained on them.

    Args:
        task: plays the episodes.
        learner: trains the networks; every field set.
        inits: networks trained per candidate.
        episodes: episodes played by each network.
        greedy: take the mode of the action distribution instead of a sample.
        watch: gather the moments of the observations.
        chunk: candidates that run at once; None chooses by the memory there is. Does not change the scores.
    """

    task: ControlTask
    learner: Learner
    inits: int = 1
    episodes: int = 1
    greedy: bool = False
    watch: bool = False
    chunk: int | None = None

    def networks(self, key: jax.Array) -> Params:
        """Fresh initialisations, stacked: ``[inits, ...]``.

        Mapped, not vmapped, and outside the population's vmap: orthogonal initialisation is a LAPACK call, which
        can wait for a thread that a batched computation beside it holds.
        """
        keys = jax.random.split(key, self.inits)
        return jax.lax.map(lambda k: init_network(self.learner, self.task.spec, k), keys)

    def candidate(self, pairs: Pairs, networks: Params, normaliser: Normaliser, key: jax.Array) -> Episode:
        """Train every network on one dataset, then play. Leaves are ``[inits, episodes]``."""
        spec = self.task.spec
        policy = make_policy(self.learner, spec, self.greedy)

        def one_network(params: Params, keys: jax.Array) -> Episode:
            params = behaviour_cloning(self.learner, spec, params, *pairs)
            play = partial(self.task.rollout, policy, params, normaliser, watch=self.watch)
            return jax.vmap(play, axis_name="episodes")(keys)

        return jax.vmap(one_network)(networks, jax.random.split(key, (self.inits, self.episodes)))

    def population(self, population: Pairs, networks: Params, normaliser: Normaliser, key: jax.Array) -> Scores:
        """Score a population with common random numbers: all candidates share initialisations and episode seeds.

        The population's axis is sharded over all devices that divide it, and runs in chunks on each.
        """
        mesh = population_mesh(population[0].shape[0])
        chunk = _largest_divisor(population[0].shape[0] // mesh.size, self.chunk or self._automatic_chunk())

        def scores(
            population: Pairs, networks: Params, normaliser: Normaliser, key: jax.Array
        ) -> tuple[jax.Array, jax.Array, Moments | None]:
            def one(pairs: Pairs) -> tuple[jax.Array, jax.Array, Moments | None]:
                episode = self.candidate(pairs, networks, normaliser, key)
                seen = merge_all(episode.seen) if episode.seen is not None else None
                return episode.ret.mean(), episode.length.sum(), seen

            return jax.lax.map(one, population, batch_size=chunk)

        sharded, whole = P("population"), P()
        returns, steps, seen = jax.shard_map(
            scores, mesh=mesh, in_specs=(sharded, whole, whole, whole), out_specs=sharded, check_vma=False
        )(population, networks, normaliser, key)
        return Scores(
            fitness=jnp.where(jnp.isfinite(returns), returns, -jnp.inf),
            env_steps=steps.sum(),
            seen=None if seen is None else merge_all(_finite(seen)),
        )

    def _automatic_chunk(self) -> int:
        """Candidates whose networks and environments fit a quarter of a device's memory; on CPU, its caches.

        There, networks that stay in the second-level cache made generations of Breakout 2.4 times faster than all
        at once (`benchmarks/`); fewer than 32 episodes side by side do not fill the vector units.
        """
        network = jax.eval_shape(lambda: init_network(self.learner, self.task.spec, jax.random.key(0)))
        env_state = jax.eval_shape(self.task.environment.reset, jax.random.key(0))
        network_bytes = self.inits * 4 * sum(leaf.size for leaf in jax.tree.leaves(network))
        env_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(env_state))
        # Parameters, gradients, the optimiser's moments and updates; an environment's states and intermediate values.
        per_candidate = 6 * network_bytes + self.inits * self.episodes * 16 * env_bytes
        chunk = _device_memory() // 4 // per_candidate
        if jax.default_backend() == "cpu":
            chunk = min(chunk, max(CACHE_BYTES // network_bytes, -(-32 // (self.inits * self.episodes))))
        return max(1, chunk)


def population_mesh(size: int) -> Mesh:
    """The most devices that a population of this size can be divided over evenly."""
    devices = max(d for d in range(1, jax.device_count() + 1) if size % d == 0)
    auto = (jax.sharding.AxisType.Auto,)
    return jax.make_mesh((devices,), ("population",), auto, devices=jax.devices()[:devices])


def _finite(seen: Moments) -> Moments:
    """Without the observations of candidates that diverged."""
    axes = tuple(range(1, seen.mean.ndim))
    good = jnp.isfinite(seen.mean).all(axes) & jnp.isfinite(seen.m2).all(axes)

    def keep(x: Any) -> Any:
        return jnp.where(good.reshape(good.shape + (1,) * (x.ndim - 1)), x, 0)

    return jax.tree.map(keep, seen)


def _largest_divisor(number: int, at_most: int) -> int:
    return next(d for d in range(min(number, at_most), 0, -1) if number % d == 0)


def _device_memory() -> int:
    stats = jax.devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // max(1, len(jax.devices()))
