import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades.fitness import Fitness
from hades.learner import Learner, reference
from hades.tasks.control import ControlTask, identity_normaliser

KEY = jax.random.key(0)


def _fitness(task: ControlTask, **options) -> Fitness:
    return Fitness(task, Learner(width=8, epochs=20).over(reference(task.spec)), **options)


def _population(task: ControlTask, size: int) -> tuple[jax.Array, jax.Array]:
    states, actions = jax.random.split(jax.random.key(1))
    shape = (size, 3)
    return (
        jax.random.normal(states, (*shape, *task.spec.obs_shape)),
        jax.random.uniform(actions, (*shape, task.spec.num_actions), minval=-1),
    )


def _scores(fitness: Fitness, population: tuple[jax.Array, jax.Array]):
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


def test_a_candidate_that_diverges_scores_minus_infinity_and_is_not_watched(target: ControlTask) -> None:
    states, actions = _population(target, 4)
    states = states.at[1].set(jnp.nan)
    scores = _scores(_fitness(target, watch=True), (states, actions))
    assert np.isneginf(scores.fitness[1]) and np.isfinite(np.delete(np.asarray(scores.fitness), 1)).all()
    assert scores.seen is not None
    assert np.isfinite(scores.seen.mean).all() and float(scores.seen.number) == 3 * 10


def test_the_automatic_chunk_shrinks_with_the_network(target: ControlTask) -> None:
    (small, small_batch), (large, large_batch) = (
        _fitness(target)._automatic_chunk(),
        replace(_fitness(target), learner=Learner(width=4096).over(reference(target.spec)))._automatic_chunk(),
    )
    assert small > large >= 1 and small_batch > large_batch >= 1


SCRIPT = """
import jax
from conftest import Target
from hades.tasks.control import ControlTask
import test_fitness as t
task = ControlTask("target", Target())
scores = t._scores(t._fitness(task, inits=2, watch=True), t._population(task, 12))
print(jax.device_count(), *map(float, scores.fitness), float(scores.seen.number), *map(float, scores.seen.mean))
"""


def test_scores_do_not_depend_on_the_devices() -> None:
    outputs = []
    for devices in ("1", "4"):
        env = os.environ | {"JAX_NUM_CPU_DEVICES": devices, "PYTHONPATH": str(Path(__file__).parent)}
        run = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
        outputs.append([float(x) for x in run.stdout.split()])
    assert [outputs[0][0], outputs[1][0]] == [1, 4]
    np.testing.assert_allclose(outputs[0][1:], outputs[1][1:], rtol=1e-4)


HANG = """
import jax, jax.numpy as jnp
import hades
from hades.fitness import Fitness
from hades.learner import Learner, reference
from hades.tasks.control import identity_normaliser
task = hades.make("SpaceInvaders-MinAtar")
learner = Learner(width=512, epochs=3).over(reference(task.spec))
fitness = Fitness(task, learner, inits=2, episodes=2, chunk=6)
key = jax.random.key(0)
pairs = jax.random.normal(key, (6, 8, 10, 10, 6)), jax.nn.one_hot(jnp.zeros((6, 8)), 4)
run = jax.jit(lambda: fitness.population(pairs, fitness.networks(key), identity_normaliser(task.spec), key).fitness)
print(run().shape)
"""


def test_wide_networks_on_wide_states_do_not_hang() -> None:
    """Six candidates at width 512 on 600 dimensions: with initialisation inside the vmap this waited for ever."""
    env = os.environ | {"JAX_NUM_CPU_DEVICES": "1"}
    run = subprocess.run([sys.executable, "-c", HANG], env=env, capture_output=True, text=True, timeout=240)
    assert run.stdout.strip() == "(6,)", run.stderr


def test_evaluation_statistics() -> None:
    returns = np.arange(16.0).reshape(4, 4)
    evaluation = hades.Evaluation(returns)
    summary = evaluation.summary()
    assert (summary["mean"], summary["min"], summary["max"]) == (7.5, 0, 15)
    assert summary["iqm"] == pytest.approx(np.mean(np.arange(4, 12)))
    low, high = summary["iqm_interval"]
    assert low < summary["iqm"] < high
    assert "4 networks × 4 episodes" in str(evaluation)


def test_evaluate_scores_a_dataset_that_is_right(cartpole_pairs: hades.Dataset) -> None:
    result = hades.evaluate(cartpole_pairs, inits=6, episodes=3)
    assert result.returns.shape == (6, 3) and result.mean > 300


def test_evaluate_with_another_learner_and_seed(cartpole_pairs: hades.Dataset) -> None:
    untrained = Learner(epochs=1, learning_rate=1e-6)
    one, again, other = (
        hades.evaluate(cartpole_pairs, inits=4, episodes=2, learner=untrained, seed=s) for s in (0, 0, 1)
    )
    assert one.mean < 100
    np.testing.assert_array_equal(one.returns, again.returns)
    assert (one.returns != other.returns).any()


def test_evaluate_refuses_what_cannot_be(cartpole_pairs: hades.Dataset) -> None:
    for arguments, message in [
        ({"task": "pendulum"}, r"observations \[4\] and 2 discrete actions, but Pendulum-v1 has"),
        ({"inits": 0}, "inits must be at least 1"),
        ({"init": "warm"}, "unknown init"),
        ({"init": "fixed"}, "holds no fixed initialisation"),
    ]:
        with pytest.raises(hades.InputError, match=message):
            hades.evaluate(cartpole_pairs, **arguments)


def test_observations_normalised_online() -> None:
    """The statistics are those of the batch so far, and start anew: a constant offset of observations is nothing."""
    rng = np.random.default_rng(0)
    dataset = hades.Dataset(
        states=rng.normal(size=(4, 3)),
        actions=rng.uniform(-1, 1, (4, 1)),
        online=True,
        task="pendulum",
        learner={"width": 8, "epochs": 10},
    )
    assert np.isfinite(hades.evaluate(dataset, inits=2, episodes=4).returns).all()
    with pytest.raises(hades.InputError, match="whole batches"):
        hades.policy(dataset)
