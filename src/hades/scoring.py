"""Datasets -> trained networks -> scores, for a whole population: the inner loop inside the outer one.

Nothing above this file can tell whether episodes are a part of a jitted program or are played on the host.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hades.aliases import PyTree
from hades.learner.networks import Params, layer_bytes, network_bytes
from hades.learner.recipe import Recipe
from hades.learner.span import way_of
from hades.normalisers import Moments, Normaliser, OnlineNormaliser, merge_all
from hades.parallel import Chunks, chunk_sizes, even_chunks, in_batches, replicated, run_jobs
from hades.strategies import Solution, Surrogate
from hades.tasks.base import Episode, Task
from hades.training import Pairs, Train, fresh_networks, jitted_networks

AnyNormaliser = Normaliser | OnlineNormaliser
MakeParams = Callable[..., Params]
"""``(job, *shared) -> params`` of one network."""


class Scores(NamedTuple):
    """What leaves the evaluation of a population: scalars, and the observations' moments where asked for."""

    fitness: jax.Array
    """``[P]``, mean score; minus infinity where it was not a finite number, none (nan) where there is none yet."""
    env_steps: jax.Array
    """Environment steps of whole episodes (labelled images looked at), over the population."""
    seen: Moments | None


@dataclass(frozen=True, eq=False)
class Fitness:
    """The score of datasets: the mean score of networks trained on them.

    A job is one network of one candidate, number ``candidate * inits + network``.

    Args:
        task: scores the networks.
        recipe: trains the networks.
        inits: networks trained per candidate.
        episodes: episodes played by each network; images that each is scored on.
        greedy: take the mode of the action distribution instead of a sample.
        watch: gather the moments of the observations.
        rate_spread: networks train by step sizes from so many times smaller to so many times larger; None: all alike.
        window: backpropagate through so many steps of the training, which then ends at a random one; None for all.
        chunk: networks that run at once on a device; None chooses. Does not change the scores.
        spread: over all devices; else it is the work of the one device that asks for it.
    """

    task: Task
    recipe: Recipe
    inits: int = 1
    episodes: int = 1
    greedy: bool = False
    watch: bool = False
    rate_spread: float | None = None
    window: int | None = None
    chunk: int | None = None
    spread: bool = True

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        """What was compiled for one serves its equals, so that evaluating again compiles nothing."""
        return isinstance(other, Fitness) and self._key == other._key

    @property
    def _key(self) -> tuple[Any, ...]:
        return self.task.identity, *(value for name, value in vars(self).items() if name != "task")

    def networks(self, key: jax.Array) -> Params:
        """Fresh initialisations, stacked: ``[inits, ...]``."""
        draw = fresh_networks if self.task.traced else jitted_networks
        return draw(self.recipe, self.task.spec, self.inits, key)

    def train(self, population: Pairs, networks: Params, key: jax.Array, last: jax.Array | None = None) -> Params:
        """Every network trained on every candidate, as `play` does, and all kept: ``[P, inits, ...]``.

        Args:
            last: stop after so many steps.
        """
        of = self if last is None else replace(self, window=0)
        train, shared = of._trainer(population, networks, key, last)

        def work(jobs: jax.Array, batch: int, *shared: PyTree) -> Params:
            return in_batches(train, shared, jobs, batch)

        return self._jobs(population[0].shape[0], work, shared, population[0].shape[1])

    def play(
        self,
        population: Pairs,
        networks: Params,
        normaliser: AnyNormaliser,
        key: jax.Array,
        data: PyTree = (),
        limit: jax.Array | None = None,
    ) -> Episode:
        """Train every network on every candidate, then score. Leaves are ``[P, inits, episodes]``."""
        train, shared = self._trainer(population, networks, key)
        size, pairs = population[0].shape[:2]
        return self.rollouts(size, train, shared, normaliser, self.seeds(key), data, limit, pairs)

    def seeds(self, key: jax.Array) -> jax.Array:
        """Of the networks' episodes, ``[inits, episodes]``; all candidates share them (common random numbers)."""
        return jax.random.split(key, (self.inits, self.episodes))

    def rollouts(
        self,
        size: int,
        make_params: MakeParams,
        shared: tuple[PyTree, ...],
        normaliser: AnyNormaliser,
        keys: jax.Array,
        data: PyTree = (),
        limit: jax.Array | None = None,
        pairs: int = 0,
    ) -> Episode:
        """Score the networks that ``make_params(job, *shared)`` gives. Leaves are ``[size, inits, episodes]``.

        Networks are made in chunks, and forgotten once they have played.

        Args:
            keys: from `seeds`.
            pairs: that each of them is trained on, if it is.
        """
        if not self.task.traced:
            return self._on_the_host(size, make_params, shared, normaliser, keys, limit, pairs)

        def work(
            jobs: jax.Array,
            batch: int,
            shared: Any,
            normaliser: Any,
            keys: jax.Array,
            data: PyTree,
            limit: jax.Array | None,
        ) -> Episode:
            params = in_batches(make_params, shared, jobs, batch)
            keys_of_jobs = keys[jobs % self.inits]
            episode = self.task.score(
                self.recipe, params, normaliser, keys_of_jobs, self.greedy, self.watch, data, limit
            )
            return episode._replace(seen=jax.vmap(merge_all)(episode.seen) if episode.seen else None)

        return self._jobs(size, work, (shared, normaliser, keys, data, limit), pairs)

    def _on_the_host(
        self,
        size: int,
        make_params: MakeParams,
        shared: tuple[PyTree, ...],
        normaliser: AnyNormaliser,
        keys: jax.Array,
        limit: jax.Array | None,
        pairs: int,
    ) -> Episode:
        """As `rollouts`: a jitted call makes the networks, the task then plays them all."""
        jobs = jnp.arange(size * self.inits)
        params = _made(self, make_params, size, pairs, *shared)
        episode = self.task.score(
            self.recipe, params, normaliser, keys[jobs % self.inits], self.greedy, self.watch, (), limit
        )
        episode = episode._replace(seen=jax.vmap(merge_all)(episode.seen) if episode.seen else None)
        return jax.tree.map(lambda x: x.reshape(size, self.inits, *x.shape[1:]), episode)

    def _trainer(
        self, population: Pairs, networks: Params, key: jax.Array, last: jax.Array | None = None
    ) -> tuple[Train, tuple[PyTree, ...]]:
        """A function ``(job, *shared) -> params``, and what all jobs share."""
        train_key, last_key = jax.random.split(jax.random.fold_in(key, 1))
        if last is None and self.window:
            last = jax.random.randint(last_key, (), self.window, self.recipe.epochs + 1)
        train = Train(self.recipe, self.task.spec, self.inits, self.rate_spread, self.window)
        return train, (population, networks, train_key, last)

    def through(
        self,
        pairs_of: Callable[[Solution], Pairs],
        loss: Surrogate,
        solution: Solution,
        networks: Params,
        key: jax.Array,
        inputs: PyTree,
        data: PyTree,
    ) -> tuple[Solution, PyTree]:
        """Derivatives of a loss of each network by the solution that its pairs are of, through its training.

        Args:
            inputs: from `inputs`.
            data: leaves ``[inits, ...]``, what each network's loss is of, beside its outputs.

        Returns:
            Derivatives and what else the loss gave: leaves ``[inits, ...]``.
        """

        def of(solution: Solution, job: jax.Array, networks: Params, key: jax.Array, *met: PyTree) -> Any:
            pairs: Pairs = jax.tree.map(lambda x: x[None], pairs_of(solution))
            train, shared = self._trainer(pairs, networks, key)
            inputs, data = jax.tree.map(lambda x: x[job], met)
            return loss(train.cloned(job, *shared).outputs(inputs), data)

        def one(job: jax.Array, solution: Solution, *shared: PyTree) -> Any:
            return jax.grad(of, has_aux=True)(solution, job, *shared)

        def work(jobs: jax.Array, batch: int, *shared: PyTree) -> Any:
            return in_batches(one, shared, jobs, batch)

        size = jax.eval_shape(pairs_of, solution)[0].shape[0]
        return jax.tree.map(lambda x: x[0], self._jobs(1, work, (solution, networks, key, inputs, data), size))

    def inputs(self, networks: Params, obs: jax.Array, pairs: int) -> PyTree:
        """What `through` takes for each network's normalised observations ``[inits, M, *obs]``: leaves ``[inits, M,
        ...]``.

        Args:
            networks: as they begin.
            pairs: that they are trained on.
        """
        way = way_of(self.recipe, self.task.spec, pairs, self.window is not None)
        return jax.vmap(way.inputs)(networks, obs)

    def _jobs(self, size: int, work: Callable[..., Any], shared: tuple[PyTree, ...], pairs: int) -> Any:
        """``work(jobs, batch, *shared)`` of all jobs. Leaves are ``[size, inits, ...]``."""
        return run_jobs(work, shared, (size, self.inits), self.chunks(size, pairs), self.spread)

    def chunks(self, size: int, pairs: int = 0) -> Chunks:
        """For a population of ``size`` datasets of so many pairs, on each device."""
        play, train = (self.chunk, self.chunk) if self.chunk else self._automatic_chunk(pairs)
        return even_chunks(-(-size * self.inits // (jax.device_count() if self.spread else 1)), play, train)

    def _automatic_chunk(self, pairs: int = 0) -> tuple[int, int]:
        recipe, spec = self.recipe, self.task.spec
        layers = min(pairs, recipe.batch or pairs) * layer_bytes(recipe, spec)
        return chunk_sizes(network_bytes(recipe, spec), self.task.episode_bytes(), self.episodes, layers)

    def returns(
        self,
        pairs: Pairs,
        normaliser: AnyNormaliser,
        network_key: jax.Array,
        episode_key: jax.Array,
        data: PyTree = (),
    ) -> jax.Array:
        """Scores ``[inits, episodes]`` of fresh networks trained on one dataset, a population of one."""
        return self.play(pairs, self.networks(network_key), normaliser, episode_key, data).ret[0]

    def population(
        self,
        population: Pairs,
        networks: Params,
        normaliser: Normaliser,
        key: jax.Array,
        data: PyTree = (),
        limit: jax.Array | None = None,
    ) -> Scores:
        """Score a population by the mean score of each candidate's networks; episodes of ``limit`` steps at most."""
        return self.scores(self.play(population, networks, normaliser, key, data, limit))

    def scores(self, episode: Episode) -> Scores:
        """What is kept of a population's episodes ``[P, inits, episodes]``."""
        return Scores(
            fitness=ranked(episode.ret.mean((1, 2))),
            env_steps=episode.length.sum(),
            seen=None if episode.seen is None else merge_all(_finite(episode.seen)),
        )


def ranked(scores: jax.Array) -> jax.Array:
    """Scores as they are compared everywhere: one that is not a finite number, of either sign, is the worst."""
    return jnp.where(jnp.isfinite(scores), scores, -jnp.inf)


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _made(fitness: Fitness, make_params: MakeParams, size: int, pairs: int, *shared: PyTree) -> Params:
    """The networks of all jobs, where their episodes are no part of the program: ``[size * inits, ...]``."""

    def work(jobs: jax.Array, batch: int, *shared: PyTree) -> Params:
        return in_batches(make_params, shared, jobs, batch)

    made = fitness._jobs(size, work, shared, pairs)
    every = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), made)
    return jax.lax.with_sharding_constraint(every, replicated())


def staged(task: Task, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """A function that plays a task, jitted whole where the task can be traced; else Python, of jitted pieces."""
    return jax.jit(function, **options) if task.traced else function


def piece(task: Task, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that plays nothing: jitted by itself where what is around it cannot be (`staged`)."""
    return function if task.traced else jax.jit(function)


def combine(scores: Sequence[Scores]) -> Scores:
    """Of a population, by several kinds of networks: their mean."""
    if len(scores) == 1:
        return scores[0]
    every = jax.tree.map(lambda *x: jnp.stack(x), *scores)
    seen = None if every.seen is None else merge_all(every.seen)
    return Scores(every.fitness.mean(0), every.env_steps.sum(0), seen)


def _finite(seen: Moments) -> Moments:
    """Without the observations of networks that diverged."""
    axes = tuple(range(seen.number.ndim, seen.mean.ndim))
    good = jnp.isfinite(seen.mean).all(axes) & jnp.isfinite(seen.m2).all(axes)

    def keep(x: jax.Array) -> jax.Array:
        return jnp.where(good.reshape(good.shape + (1,) * (x.ndim - good.ndim)), x, 0)

    return jax.tree.map(keep, seen)
