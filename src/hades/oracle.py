"""What a strategy may ask in one generation (`hades.strategies.Oracle`), answered by tasks and learners."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import PyTree
from hades.joint import joint, training_bytes
from hades.learner.heads import Head, Output, head_of
from hades.learner.networks import Params, make_network
from hades.normalisers import Normaliser, merge_all
from hades.scoring import Fitness, Scores, combine
from hades.solution import Codec
from hades.strategies import Solution, Surrogate
from hades.tasks.rollouts import Play, Trajectory
from hades.training import Pairs


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["networks", "normaliser", "episode_key", "data", "limit"],
    meta_fields=["codec", "pairs", "fitness"],
)
@dataclass(frozen=True)
class Generation:
    """A generation's networks, seeds and normaliser, the same for all that is asked.

    Attributes:
        pairs: of a population, leaves ``[P, ...]``.
        fitness: one for each kind of network.
        networks: as they begin, of each kind ``[inits, ...]``.
    """

    codec: Codec
    pairs: Callable[[Solution], Pairs]
    fitness: Sequence[Fitness]
    networks: Sequence[Params]
    normaliser: Normaliser
    episode_key: jax.Array
    data: PyTree
    limit: jax.Array | None

    @property
    def head(self) -> Head:
        """The action head of the networks."""
        return head_of(self.codec.task.spec)

    def scores(self, population: Solution) -> Scores:
        """Networks of every kind trained on every candidate, and what they score."""
        parts = [partial(self._part, i) for i in range(len(self.fitness))]
        shared = self.networks, self.normaliser, self.episode_key, self.data, self.limit
        if not self.fitness[0].spread:
            costs = [training_bytes(fitness, self.codec.config.size) for fitness in self.fitness]
            return joint(parts, costs, *shared)(population)
        return combine([part(population, *shared) for part in parts])

    def _part(self, i: int, population: Solution, networks: Sequence[Params], *shared: PyTree) -> Scores:
        return self.fitness[i].population(self.pairs(population), networks[i], *shared)

    def derivative(self, solution: Solution) -> tuple[Solution, Scores]:
        """Of minus the score, through the score and the training."""

        def loss(solution: Solution) -> tuple[jax.Array, Scores]:
            scores = self.scores(jax.tree.map(lambda x: x[None], solution))
            return -scores.fitness[0], scores

        return jax.grad(loss, has_aux=True)(solution)

    def trained(self, solution: Solution) -> Sequence[Params]:
        """The generation's networks, trained on a solution: for each kind ``[inits, ...]``."""
        pairs: Pairs = jax.tree.map(lambda x: x[None], self.codec.pairs(solution))
        trained = [
            f.train(pairs, fresh, self.episode_key) for f, fresh in zip(self.fitness, self.networks, strict=True)
        ]
        return jax.tree.map(lambda x: x[0], trained)

    def rollouts(self, networks: Sequence[Params], play: Play, steps: int, key: jax.Array) -> tuple[Play, Trajectory]:
        """Steps of trained networks."""
        keys = [key, *jax.random.split(jax.random.fold_in(key, 0), len(networks) - 1)]
        plays, seen = zip(*(
            each.task.collect(each.recipe, params, self.normaliser, play, steps, key)
            for each, params, play, key in zip(self.fitness, networks, self._apart(play), keys, strict=True)
        ), strict=True)  # fmt: skip
        return _together(plays, 0), _together([each._replace(seen=None) for each in seen], 1)._replace(
            seen=merge_all(jax.tree.map(lambda *x: jnp.stack(x), *(each.seen for each in seen)))
        )

    def outputs(self, networks: Sequence[Params], obs: jax.Array) -> Output:
        """Of trained networks, each for normalised observations of its own."""
        of = [jax.vmap(make_network(each.recipe, each.task.spec).apply) for each in self.fitness]
        return _together([f(*each) for f, *each in zip(of, networks, self._apart(obs), strict=True)], 0)

    def inputs(self, obs: jax.Array) -> PyTree:
        """What `surrogate` takes for observations, of each kind of networks."""
        parts, pairs = zip(self.fitness, self.networks, self._apart(obs), strict=True), self.codec.config.size
        return [fitness.inputs(fresh, obs, pairs) for fitness, fresh, obs in parts]

    def surrogate(self, solution: Solution, loss: Surrogate, inputs: PyTree, data: PyTree) -> tuple[Solution, PyTree]:
        """The derivative of each network's loss, by the solution, through its training; and what else it gave."""
        return _together([
            each.through(self.codec.pairs, loss, solution, fresh, self.episode_key, inputs, data)
            for each, fresh, inputs, data in zip(self.fitness, self.networks, inputs, self._apart(data), strict=True)
        ], 0)  # fmt: skip

    def _apart(self, tree: PyTree) -> Sequence[PyTree]:
        """What each kind's networks have of leaves ``[B, ...]``, or ``[B * E, ...]``."""
        ends = np.cumsum([each.inits for each in self.fitness])
        return [
            jax.tree.map(lambda x, a=a, b=b: x[a * len(x) // ends[-1] : b * len(x) // ends[-1]], tree)
            for a, b in zip((0, *ends), ends, strict=False)
        ]


def _together(trees: Sequence[PyTree], axis: int) -> PyTree:
    return jax.tree.map(lambda *x: jnp.concatenate(x, axis), *trees)
