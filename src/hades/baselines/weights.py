"""Evolution strategies on a network's weights: what distillation is compared with at equal evaluations.

Separable natural evolution strategies (SNES, Wierstra et al. 2014), the strategy that distils, on every weight. A
population of large networks is large (2,048 of width 512 are 2.2 GB, and several times that while they are asked and
told), so it is never there: each network is its mean plus noise that is drawn from the candidate's own key, once to
play and once more to learn from how it played.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec as P

from hades import runtime, tasks
from hades.aliases import PyTree
from hades.arguments import Comparing
from hades.baselines import Result, check_budget
from hades.clocks import Stopwatch
from hades.config import Config
from hades.errors import InputError
from hades.learner.networks import Params, init_network
from hades.learner.recipe import Learner, Recipe, Wishes
from hades.memory import check_memory, of_networks
from hades.normalisers import Moments
from hades.options import held_to
from hades.parallel import AXIS, mesh, replicated
from hades.scores import Evaluation
from hades.scoring import Fitness
from hades.seeds import key_of
from hades.tasks.base import Task
from hades.tasks.control import ControlTask


class State(NamedTuple):
    """All that the search needs to go on."""

    key: jax.Array
    """Data of the run's random key."""
    generation: jax.Array
    mean: jax.Array
    """All weights of one network, ``[W]``."""
    std: jax.Array
    seen: Moments
    """Observations so far, for the running normaliser."""


class WeightEvolution:
    """SNES over the weights of the learner's network, as pure functions of a `State`.

    Args:
        task: scores the networks.
        recipe: whose network it is; nothing is trained.
        population: networks a generation.
        episodes: played by each network.
        std: initial standard deviation of every weight.
        seed: of everything random.
    """

    def __init__(
        self, task: ControlTask, recipe: Recipe, population: int, episodes: int, std: float, seed: int
    ) -> None:
        if population < 2:
            raise InputError(f"a population of {population} cannot be ranked; take 2 or more")
        self.task, self.population, self.std = task, population, std
        self.recipe = recipe
        self.key = key_of(seed)
        self.fitness = Fitness(task, self.recipe, inits=1, episodes=episodes, watch=True)
        check_memory(of_networks(self.fitness, population, 0, copies=4))  # mean, std, a step of each
        start = init_network(self.recipe, task.spec, jax.random.fold_in(self.key, 2**31 - 1))
        self.start, self.unravel = jax.flatten_util.ravel_pytree(start)
        self.replicated = replicated()
        self.generation = jax.jit(self._generation, out_shardings=self.replicated, donate_argnums=0)

    def init(self) -> State:
        """Before the first generation."""
        zero = jnp.zeros((), jnp.int32)
        key = jax.random.key_data(self.key)
        state = State(
            key, zero, self.start, jnp.full_like(self.start, self.std), Moments.zero(self.task.spec.obs_shape)
        )
        return jax.jit(lambda x: x, out_shardings=self.replicated)(state)

    def _generation(self, state: State) -> tuple[State, dict[str, jax.Array]]:
        noise_key, episode_key = jax.random.split(
            jax.random.fold_in(jax.random.wrap_key_data(state.key), state.generation)
        )

        def network(candidate: jax.Array, mean: jax.Array, std: jax.Array, key: jax.Array) -> Params:
            return self.unravel(mean + std * self.noise(key, candidate))

        normaliser = state.seen.normaliser()
        shared = state.mean, state.std, noise_key
        seeds = self.fitness.seeds(episode_key)
        scores = self.fitness.scores(self.fitness.rollouts(self.population, network, shared, normaliser, seeds))
        differ = scores.fitness.max() > scores.fitness.min()  # of ranks that mean nothing, nothing is learnt
        mean_step, std_step = self.gradient(differ * utilities(scores.fitness), noise_key)
        size = state.mean.size
        assert scores.seen is not None
        metrics = {
            "mean": scores.fitness.mean(where=jnp.isfinite(scores.fitness)),
            "best": scores.fitness.max(),
            "env_steps": scores.env_steps,
        }
        return State(
            key=state.key,
            generation=state.generation + 1,
            mean=state.mean + state.std * mean_step,
            std=state.std * jnp.exp((3 + np.log(size)) / (5 * np.sqrt(size)) / 2 * std_step),
            seen=state.seen.merge(scores.seen),
        ), metrics

    def noise(self, key: jax.Array, candidate: jax.Array) -> jax.Array:
        """A candidate's, standard normal, drawn anew whenever it is asked for: ``[W]``."""
        return jax.random.normal(jax.random.fold_in(key, candidate), self.start.shape)

    def gradient(self, weights: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Natural gradients of mean and log-std ``[W]``: sums over the population, one candidate's noise at a time."""
        share = -(-self.population // jax.device_count())
        padded = jnp.pad(weights, (0, share * jax.device_count() - self.population))  # weighing nothing

        def sums(candidates: jax.Array, weights: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
            def add(total: tuple[jax.Array, jax.Array], one: tuple[jax.Array, jax.Array]) -> tuple[PyTree, None]:
                noise = self.noise(key, one[0])
                return (total[0] + one[1] * noise, total[1] + one[1] * (noise**2 - 1)), None

            zero = jnp.zeros_like(self.start)
            return jax.lax.psum(jax.lax.scan(add, (zero, zero), (candidates, weights))[0], AXIS)

        sums = jax.shard_map(sums, mesh=mesh(), in_specs=(P(AXIS), P(AXIS), P()), out_specs=P(), check_vma=False)
        return sums(jnp.arange(padded.size), padded, key)

    def evaluate(self, state: State, episodes: int) -> Evaluation:
        """Returns of the search's centre over fresh episodes."""
        fitness = Fitness(self.task, self.recipe, inits=1, episodes=episodes)
        key = jax.random.fold_in(self.key, 2**31 - 3)

        @partial(jax.jit, out_shardings=self.replicated)
        def play(state: State) -> jax.Array:
            def network(_: jax.Array, mean: jax.Array) -> Params:
                return self.unravel(mean)

            return fitness.rollouts(1, network, (state.mean,), state.seen.normaliser(), fitness.seeds(key)).ret[0]

        return Evaluation(np.asarray(play(state)))


def utilities(fitness: jax.Array) -> jax.Array:
    """SNES's weights of the ranks: logarithmic for the better half, summing to zero."""
    size = fitness.size
    raw = np.maximum(0, np.log(size / 2 + 1) - np.log(np.arange(1, size + 1)))
    ranked = jnp.asarray(raw / raw.sum() - 1 / size)
    return jnp.zeros(size).at[jnp.argsort(-fitness)].set(ranked)


@held_to(Config, Comparing)
@runtime.in_32_bits
def evolve_weights(
    task: Task | str,
    learner: Wishes = None,
    *,
    population: int = 64,
    episodes: int = 2,
    std: float = 0.05,
    seed: int = Config.seed,
    generations: int | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    evaluation_episodes: int = Comparing.evaluation_episodes,
) -> Result:
    """Evolve one network's weights on a task.

    Args:
        task: from `hades.make`, or a name for it.
        learner: whose network it is (``Learner(width=512)``); None: width 64.
        population, episodes, std, seed: as for `WeightEvolution`.
        generations, minutes, steps: the budget; one of them. Steps are the environment's.
        evaluation_episodes: fresh episodes that the result is scored on.

    Raises:
        InputError: without a budget, or for a task or population that cannot be.
    """
    runtime.configure()
    budget = check_budget(generations=generations, minutes=minutes, steps=steps)
    made = tasks.acting(task, "weights are evolved")
    recipe = made.reference.patched(Learner(width=64), learner)
    search = WeightEvolution(made, recipe, population, episodes, std, seed)
    state, metrics, seconds, watch = search.init(), [], 0.0, Stopwatch()
    spent = {"generations": 0.0, "minutes": 0.0, "steps": 0.0}
    while all(spent[limit] < budget[limit] for limit in budget):
        state, row = search.generation(state)
        row = {name: value.item() for name, value in jax.device_get(row).items()}
        seconds, env_steps = seconds + watch.lap()[0], int(spent["steps"] + row["env_steps"])
        metrics.append(row | {"env_steps_total": env_steps, "seconds": seconds})
        spent = {"generations": len(metrics), "minutes": seconds / 60, "steps": env_steps}
    return Result(
        params=search.unravel(state.mean),
        normaliser=state.seen.normaliser(),
        evaluation=search.evaluate(state, evaluation_episodes),
        metrics=metrics,
    )
