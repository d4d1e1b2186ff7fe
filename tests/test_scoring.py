import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hades.learner.recipe import Learner
from hades.learner.recipes import published
from hades.normalisers import identity_normaliser
from hades.scoring import Fitness, Scores
from hades.tasks.control import ControlTask
from hades.tasks.images import ImageTask
from hades.training import Pairs
from tests.helpers import RECIPE

KEY = jax.random.key(0)


def _fitness(task: ControlTask, **options) -> Fitness:
    return Fitness(task, published(task.spec).patched(Learner(width=8, epochs=20)), **options)


def _population(task: ControlTask, size: int) -> Pairs:
    states, actions = jax.random.split(jax.random.key(1))
    shape = (size, 3)
    return (
        jax.random.normal(states, (*shape, *task.spec.obs_shape)),
        jax.random.uniform(actions, (*shape, task.spec.num_actions), minval=-1),
        {},
    )


def _scores(fitness: Fitness, population: Pairs) -> Scores:
    task = fitness.task
    normaliser = identity_normaliser(task.spec)
    return jax.jit(lambda p: fitness.population(p, fitness.networks(KEY), normaliser, KEY))(population)


@pytest.mark.parametrize("chunk", [1, 3, 5, 100])
def test_scores_do_not_depend_on_the_chunk(target: ControlTask, chunk: int) -> None:
    population = _population(target, 12)
    whole = _scores(_fitness(target, inits=2, episodes=2), population)
    chunked = _scores(_fitness(target, inits=2, episodes=2, chunk=chunk), population)
    np.testing.assert_allclose(chunked.fitness, whole.fitness, rtol=1e-5)
    assert int(chunked.env_steps) == 12 * 2 * 2 * 10


def test_candidates_share_networks_and_episodes(target: ControlTask) -> None:
    one = _population(target, 1)
    same = jax.tree.map(lambda x: jnp.repeat(x, 4, axis=0), one)
    fitness = _scores(_fitness(target, inits=2, episodes=3), same).fitness
    assert np.ptp(fitness) == 0
    other = _scores(_fitness(target, inits=2, episodes=3), _population(target, 4)).fitness
    assert np.ptp(other) > 0


def test_step_sizes_are_drawn_about_the_recipes_and_shared_by_candidates(target: ControlTask) -> None:
    one_step = published(target.spec).patched(Learner(width=8, optimiser="sgd", epochs=1, clip=0))
    same = jax.tree.map(lambda x: jnp.repeat(x, 2, axis=0), _population(target, 1))

    def steps(rate_spread: float | None) -> np.ndarray:
        """Of the last layer's biases, which start at 0: candidates, networks."""
        fitness = Fitness(target, one_step, inits=6, rate_spread=rate_spread)
        trained = jax.jit(lambda: fitness.train(same, fitness.networks(KEY), KEY))()
        return np.abs(trained["params"]["Dense_2"]["bias"][..., 0])

    factors = steps(3.0) / steps(None)
    np.testing.assert_allclose(factors[0], factors[1], rtol=1e-5)
    assert (factors > 1 / 3 - 1e-5).all() and (factors < 3 + 1e-5).all() and np.ptp(np.log(factors[0])) > 0.5


def test_a_candidate_that_diverges_scores_minus_infinity_and_is_not_watched(target: ControlTask) -> None:
    states, actions, _ = _population(target, 4)
    states = states.at[1].set(jnp.nan)
    scores = _scores(_fitness(target, watch=True), (states, actions, {}))
    assert np.isneginf(scores.fitness[1]) and np.isfinite(np.delete(np.asarray(scores.fitness), 1)).all()
    assert scores.seen is not None
    assert np.isfinite(scores.seen.mean).all() and float(scores.seen.number) == 3 * 10


def test_the_automatic_chunk_shrinks_with_the_network(target: ControlTask) -> None:
    (small, small_batch), (large, large_batch) = (
        _fitness(target)._automatic_chunk(),
        replace(_fitness(target), recipe=published(target.spec).patched(Learner(width=4096)))._automatic_chunk(),
    )
    assert small > large >= 1 and small_batch > large_batch >= 1


SCRIPT = """
import jax
from hades.tasks.control import ControlTask
from tests import test_scoring as t
from tests.helpers import Target
task = ControlTask("target", Target())
scores = t._scores(t._fitness(task, inits=2, watch=True), t._population(task, 12))
print(jax.device_count(), *map(float, scores.fitness), float(scores.seen.number), *map(float, scores.seen.mean))
"""


def test_scores_do_not_depend_on_the_devices() -> None:
    outputs = []
    for devices in ("1", "4"):
        env = os.environ | {"JAX_NUM_CPU_DEVICES": devices, "PYTHONPATH": str(Path(__file__).parents[1])}
        run = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
        outputs.append([float(x) for x in run.stdout.split()])
    assert [outputs[0][0], outputs[1][0]] == [1, 4]
    np.testing.assert_allclose(outputs[0][1:], outputs[1][1:], rtol=1e-4)


HANG = """
import jax, jax.numpy as jnp
import hades
from hades.learner.recipe import Learner
from hades.learner.recipes import published
from hades.normalisers import identity_normaliser
from hades.scoring import Fitness
task = hades.make("SpaceInvaders-MinAtar")
recipe = published(task.spec).patched(Learner(width=512, epochs=3))
fitness = Fitness(task, recipe, inits=2, episodes=2, chunk=6)
key = jax.random.key(0)
pairs = jax.random.normal(key, (6, 8, 10, 10, 6)), jax.nn.one_hot(jnp.zeros((6, 8)), 4), {}
run = jax.jit(lambda: fitness.population(pairs, fitness.networks(key), identity_normaliser(task.spec), key).fitness)
print(run().block_until_ready().shape)
"""


def test_wide_networks_on_wide_states_do_not_hang() -> None:
    """Six candidates at width 512 on 600 dimensions: with initialisation inside the vmap this waited for ever."""
    env = os.environ | {"JAX_NUM_CPU_DEVICES": "1"}
    run = subprocess.run([sys.executable, "-c", HANG], env=env, capture_output=True, text=True, timeout=240)
    assert run.stdout.strip() == "(6,)", run.stderr


def _of_images(fitness: Fitness, pairs: Pairs, data: Any) -> jax.Array:
    return fitness.population(pairs, fitness.networks(KEY), identity_normaliser(fitness.task.spec), KEY, data).fitness


def test_scores_of_images_do_not_depend_on_the_chunk(digits: ImageTask) -> None:
    states = jax.random.uniform(KEY, (3, 10, *digits.spec.obs_shape))
    pairs = states, jnp.broadcast_to(jnp.eye(10), (3, 10, 10)), {"learning_rate": jnp.asarray([0.1, 0.5, 1.0])}
    scores = []
    for chunk in (1, 6):
        fitness = Fitness(digits, RECIPE, inits=2, episodes=16, chunk=chunk)
        score = partial(_of_images, fitness)
        scores.append(jax.jit(score)(pairs, digits.data))
    np.testing.assert_allclose(*scores, rtol=1e-4)
