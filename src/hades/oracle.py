"""What a strategy may ask in one generation (`hades.strategies.Oracle`), answered by tasks and learners."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import jax

from hades.aliases import PyTree
from hades.joint import joint, training_bytes
from hades.learner.heads import Head, Output, head_of
from hades.learner.networks import Params, make_network
from hades.normalisers import Normaliser
from hades.scoring import Fitness, Pairs, Scores, combine
from hades.solution import Codec
from hades.strategies import Solution, Surrogate
from hades.tasks.rollouts import Play, Trajectory


@dataclass(frozen=True)
class Generation:
    """A generation's networks, seeds and normaliser, the same for all that is asked.

    Attributes:
        pairs: of a population, leaves ``[P, ...]``.
        fitness: one for each kind of network.
        network_key: draws them.
    """

    codec: Codec
    pairs: Callable[[Solution], Pairs]
    fitness: Sequence[Fitness]
    network_key: jax.Array
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
        parts = [partial(self._part, fitness) for fitness in self.fitness]
        shared = self.network_key, self.normaliser, self.episode_key, self.data, self.limit
        if not self.fitness[0].spread:
            costs = [training_bytes(fitness, self.codec.config.size) for fitness in self.fitness]
            return joint(parts, costs, *shared)(population)
        return combine([part(population, *shared) for part in parts])

    def _part(self, fitness: Fitness, population: Solution, network_key: jax.Array, *shared: PyTree) -> Scores:
        return fitness.population(self.pairs(population), fitness.networks(network_key), *shared)

    def derivative(self, solution: Solution) -> tuple[Solution, Scores]:
        """Of minus the score, through the score and the training."""

        def loss(solution: Solution) -> tuple[jax.Array, Scores]:
            scores = self.scores(jax.tree.map(lambda x: x[None], solution))
            return -scores.fitness[0], scores

        return jax.grad(loss, has_aux=True)(solution)

    def trained(self, solution: Solution) -> Params:
        """The generation's networks, trained on a solution: ``[inits, ...]``."""
        fitness = self.fitness[0]
        pairs: Pairs = jax.tree.map(lambda x: x[None], self.codec.pairs(solution))
        trained = fitness.train(pairs, fitness.networks(self.network_key), self.episode_key)
        return jax.tree.map(lambda x: x[0], trained)

    def rollouts(self, networks: Params, play: Play, steps: int, key: jax.Array) -> tuple[Play, Trajectory]:
        """Steps of trained networks."""
        fitness = self.fitness[0]
        return fitness.task.collect(fitness.recipe, networks, self.normaliser, play, steps, key)

    def outputs(self, networks: Params, obs: jax.Array) -> Output:
        """Of trained networks, each for normalised observations of its own."""
        fitness = self.fitness[0]
        return jax.vmap(make_network(fitness.recipe, fitness.task.spec).apply)(networks, obs)

    def surrogate(self, solution: Solution, loss: Surrogate, data: PyTree) -> tuple[Solution, PyTree]:
        """The derivative of each network's loss, by the solution, through its training; and what else it gave."""
        fitness = self.fitness[0]
        return fitness.through(
            self.codec.pairs, loss, solution, fitness.networks(self.network_key), self.episode_key, data
        )
