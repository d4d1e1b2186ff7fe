"""Dataset -> score, for a whole population: train networks on every candidate, then play the task with them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from hades.learner import Learner, Params, behaviour_cloning, init_network, loss, make_network
from hades.tasks import Task
from hades.tasks.control import Episode, Moments, Normaliser, OnlineNormaliser, merge_all

Pairs = tuple[jax.Array, jax.Array, jax.Array | None]
"""``(states [N, *obs], targets [N, num_actions], learning rate)``, None for the learner's own; with a leading axis: a
population of them."""


AXIS = "networks"
CACHE_BYTES = 2**20
"""Of a core's own cache: what networks may fill."""
LANES = 64
"""Episodes side by side that fill a core's vector units."""


class Scores(NamedTuple):
    """What leaves the evaluation of a population: scalars, and the observations' moments where asked for."""

    fitness: jax.Array
    """``[P]``, mean score; minus infinity where it was not a finite number."""
    env_steps: jax.Array
    """Environment steps of whole episodes (labelled images looked at), over the population."""
    seen: Moments | None


@dataclass(frozen=True)
class Fitness:
    """The score of datasets: the mean score of networks trained on them.

    Args:
        task: scores the networks.
        learner: trains the networks; every field set.
        inits: networks trained per candidate.
        episodes: episodes played by each network; images that each is scored on.
        greedy: take the mode of the action distribution instead of a sample.
        watch: gather the moments of the observations.
        window: backpropagate through so many steps of the training, which then ends at a random one; None for all.
        chunk: networks that run at once on a device; None chooses. Does not change the scores.
        spread: over all devices; else it is the work of the one device that asks for it.
    """

    task: Task
    learner: Learner
    inits: int = 1
    episodes: int = 1
    greedy: bool = False
    watch: bool = False
    window: int | None = None
    chunk: int | None = None
    spread: bool = True

    @property
    def devices(self) -> int:
        return jax.device_count() if self.spread else 1

    def networks(self, key: jax.Array) -> Params:
        """Fresh initialisations, stacked: ``[inits, ...]``."""
        return jax.vmap(partial(init_network, self.learner, self.task.spec))(jax.random.split(key, self.inits))

    def play(
        self,
        population: Pairs,
        networks: Params,
        normaliser: Normaliser | OnlineNormaliser,
        key: jax.Array,
        data: Any = (),
        limit: jax.Array | None = None,
    ) -> Episode:
        """Train every network on every candidate, then score. Leaves are ``[P, inits, episodes]``."""
        train, shared = self._trainer(population, networks, key)
        return self.rollouts(population[0].shape[0], train, shared, normaliser, key, data, limit)

    def train(self, population: Pairs, networks: Params, key: jax.Array) -> Params:
        """Every network trained on every candidate, by `play`'s key: ``[P, inits, ...]``, more than `play` holds."""
        train, shared = self._trainer(population, networks, key)

        def work(jobs: jax.Array, batch: int, *shared: Any) -> Params:
            return _in_batches(train, shared, jobs, batch)

        return self._jobs(population[0].shape[0], work, shared)

    def rollouts(
        self,
        size: int,
        make_params: Callable[..., Params],
        shared: Any,
        normaliser: Normaliser | OnlineNormaliser,
        key: jax.Array,
        data: Any = (),
        limit: jax.Array | None = None,
    ) -> Episode:
        """Score the networks that ``make_params(job, *shared)`` gives. Leaves are ``[size, inits, episodes]``.

        Networks are made in chunks, and forgotten once they have played. All candidates share their episodes' seeds
        (common random numbers).
        """

        def work(
            jobs: jax.Array, batch: int, shared: Any, normaliser: Any, keys: jax.Array, data: Any, limit: Any
        ) -> Episode:
            params = _in_batches(make_params, shared, jobs, batch)
            keys_of_jobs = keys[jobs % self.inits]
            episode = self.task.score(
                self.learner, params, normaliser, keys_of_jobs, self.greedy, self.watch, data, limit
            )
            return episode._replace(seen=jax.vmap(merge_all)(episode.seen) if episode.seen else None)

        keys = jax.random.split(key, (self.inits, self.episodes))
        return self._jobs(size, work, (shared, normaliser, keys, data, limit))

    def _trainer(
        self, population: Pairs, networks: Params, key: jax.Array
    ) -> tuple[Callable[..., Params], tuple[Any, ...]]:
        """A function ``(job, *shared) -> params``, and what all jobs share."""
        train_key, last_key = jax.random.split(jax.random.fold_in(key, 1))
        last = self.window and jax.random.randint(last_key, (), self.window, self.learner.epochs + 1)

        def train(job: jax.Array, population: Pairs, networks: Params, key: jax.Array, last: Any) -> Params:
            pairs = jax.tree.map(lambda x: x[job // self.inits], population)
            params = jax.tree.map(lambda x: x[job % self.inits], networks)
            key = jax.random.fold_in(key, job % self.inits)
            window = None if self.window is None else (self.window, last)
            return behaviour_cloning(self.learner, self.task.spec, params, *pairs, key=key, window=window)

        return train, (population, networks, train_key, last)

    def _jobs(self, size: int, work: Callable[..., Any], shared: tuple[Any, ...]) -> Any:
        """``work(jobs, batch, *shared)`` of all jobs. Leaves are ``[size, inits, ...]``.

        A job is one network of one candidate, number ``candidate * inits + network``: jobs are sharded over all
        devices, and run in chunks on each, of which ``batch`` train at once.
        """
        jobs = size * self.inits
        chunks, chunk, batch = self.chunks(size)

        def on_a_device(jobs: jax.Array, *shared: Any) -> Any:
            out = jax.lax.map(lambda jobs: work(jobs, batch, *shared), jobs.reshape(chunks, chunk))
            return jax.tree.map(lambda x: x.reshape(chunks * chunk, *x.shape[2:]), out)

        # Devices and chunks come out even by jobs done twice, whose results are dropped.
        numbers = jnp.minimum(jnp.arange(chunk * chunks * self.devices), jobs - 1)
        if self.spread:
            specs = (P(AXIS), *[P()] * len(shared))
            on_a_device = jax.shard_map(on_a_device, mesh=mesh(), in_specs=specs, out_specs=P(AXIS), check_vma=False)
        out = on_a_device(numbers, *shared)
        return jax.tree.map(lambda x: x[:jobs].reshape(size, self.inits, *x.shape[1:]), out)

    def chunks(self, size: int) -> tuple[int, int, int]:
        """For a population of ``size``: chunks on each device, networks that play at once, and that train at once."""
        per_device = -(-size * self.inits // self.devices)
        play, train = (self.chunk, self.chunk) if self.chunk else self._automatic_chunk()
        chunks = -(-per_device // play)
        chunk = -(-per_device // chunks)
        batches = -(-chunk // train)
        return chunks, chunk, -(-chunk // batches)

    def returns(
        self,
        pairs: Pairs,
        normaliser: Normaliser | OnlineNormaliser,
        network_key: jax.Array,
        episode_key: jax.Array,
        data: Any = (),
    ) -> jax.Array:
        """Scores ``[inits, episodes]`` of fresh networks trained on one dataset."""
        population = jax.tree.map(lambda x: x[None], pairs)
        return self.play(population, self.networks(network_key), normaliser, episode_key, data).ret[0]

    def population(
        self,
        population: Pairs,
        networks: Params,
        normaliser: Normaliser,
        key: jax.Array,
        data: Any = (),
        limit: jax.Array | None = None,
    ) -> Scores:
        """Score a population by the mean score of each candidate's networks; episodes of ``limit`` steps at most."""
        return self.scores(self.play(population, networks, normaliser, key, data, limit))

    def scores(self, episode: Episode) -> Scores:
        """What is kept of a population's episodes ``[P, inits, episodes]``."""
        returns = episode.ret.mean((1, 2))
        return Scores(
            fitness=jnp.where(jnp.isfinite(returns), returns, -jnp.inf),
            env_steps=episode.length.sum(),
            seen=None if episode.seen is None else merge_all(_finite(episode.seen)),
        )

    def training_bytes(self, size: int) -> float:
        """That a candidate's networks read and write while they train on ``size`` pairs: what it costs, about.

        Small networks wait for memory: their time goes with this rather than with the flops.
        """
        learner, spec = self.learner, self.task.spec
        params = jax.eval_shape(partial(init_network, learner, spec), jax.random.key(0))
        pairs = [jax.ShapeDtypeStruct((size, *shape), jnp.float32) for shape in (spec.obs_shape, (spec.num_actions,))]

        def objective(params: Params, states: jax.Array, targets: jax.Array) -> jax.Array:
            return loss(learner.loss, spec, make_network(learner, spec).apply(params, states), targets)

        analysis: Any = jax.jit(jax.grad(objective)).lower(params, *pairs).cost_analysis()
        return self.inits * learner.epochs * analysis["bytes accessed"]

    def _automatic_chunk(self) -> tuple[int, int]:
        """Networks that, with their environments, fit a quarter of a device's memory; on CPU, a core's cache.

        There, networks that stay in the cache made generations of Breakout 2.4 times faster than all at once, and
        too few episodes side by side leave the vector units idle: four times the cache is still worth filling them.
        Training has no such use for many: at width 256 three at once are twice as fast as eleven.
        """
        network = jax.eval_shape(lambda: init_network(self.learner, self.task.spec, jax.random.key(0)))
        network_bytes = 4 * sum(leaf.size for leaf in jax.tree.leaves(network))
        # Parameters, gradients, the optimiser's moments and updates; an environment's states and intermediate values.
        chunk = _device_memory() // 4 // (6 * network_bytes + self.episodes * self.task.episode_bytes())
        if jax.default_backend() == "cpu":
            cached = CACHE_BYTES // network_bytes
            play = min(chunk, max(4, cached, min(-(-LANES // self.episodes), 4 * cached)))
            return max(1, play), max(1, min(chunk, max(2, cached)))
        return max(1, chunk), max(1, chunk)


def combine(scores: Sequence[Scores]) -> Scores:
    """Of a population, by several kinds of networks: their mean."""
    if len(scores) == 1:
        return scores[0]
    every = jax.tree.map(lambda *x: jnp.stack(x), *scores)
    seen = None if every.seen is None else merge_all(every.seen)
    return Scores(every.fitness.mean(0), every.env_steps.sum(0), seen)


def _in_batches(make_params: Callable[..., Params], shared: Any, jobs: jax.Array, size: int) -> Params:
    """``make_params(job, *shared)`` of all jobs, so many at a time."""

    def make(job: jax.Array) -> Params:
        return make_params(job, *shared)

    return jax.vmap(make)(jobs) if size == len(jobs) else jax.lax.map(make, jobs, batch_size=size)


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
