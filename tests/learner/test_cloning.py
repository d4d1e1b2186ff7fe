"""The inner loop: behaviour cloning trains networks, and has a derivative."""

import dataclasses
import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import RECIPE

import hades
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.cloning import OPTIMISERS, behaviour_cloning, make_policy
from hades.learner.networks import Params, init_network
from hades.learner.objectives import LOSSES
from hades.learner.parts import ACTIVATIONS
from hades.learner.recipe import Learner, Recipe
from hades.learner.recipes import published

KEY = jax.random.key(0)


CONTINUOUS = Learner(width=32, epochs=300)


def test_a_network_learns_the_actions(continuous_pairs: hades.Dataset) -> None:
    learner = Learner(width=32, epochs=600)
    params = hades.train(continuous_pairs, KEY, learner)
    act = hades.policy(continuous_pairs, learner, greedy=True)
    actions = jax.jit(jax.vmap(lambda obs: act(params, obs, KEY)))(jnp.asarray(continuous_pairs.states))
    np.testing.assert_allclose(actions, continuous_pairs.targets, atol=0.1)


def test_a_network_learns_the_labels(cartpole_pairs: hades.Dataset) -> None:
    params = hades.train(cartpole_pairs, KEY)
    act = hades.policy(cartpole_pairs)
    actions = jax.vmap(lambda obs: act(params, obs, KEY))(jnp.asarray(cartpole_pairs.states))
    assert actions.tolist() == [0, 1]


def test_a_policy_is_what_the_dataset_was_distilled_for(continuous_pairs: hades.Dataset) -> None:
    quiet = dataclasses.replace(continuous_pairs, info={"greedy": True})
    params, obs, keys = hades.train(quiet, KEY, CONTINUOUS), jnp.zeros(3), jax.random.split(KEY)
    acts = [[hades.policy(each, CONTINUOUS)(params, obs, key) for key in keys] for each in (quiet, continuous_pairs)]
    alike = [bool((one == other).all()) for one, other in acts]
    assert alike == [True, False]


def test_a_policy_normalises_what_it_is_given(continuous_pairs: hades.Dataset) -> None:
    mean, std = np.full(3, 5.0), np.full(3, 2.0)
    moved = hades.Dataset(states=continuous_pairs.states, actions=continuous_pairs.actions, obs_mean=mean, obs_std=std)
    params = hades.train(moved, KEY, CONTINUOUS)
    obs = jnp.asarray([0.3, -0.2, 0.1])
    plain = hades.policy(continuous_pairs, CONTINUOUS, greedy=True)(params, obs, KEY)
    np.testing.assert_allclose(
        hades.policy(moved, CONTINUOUS, greedy=True)(params, obs * std + mean, KEY), plain, rtol=1e-4
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_trains(continuous_pairs: hades.Dataset, activation: str) -> None:
    _assert_trains(continuous_pairs, Learner(width=16, depth=1, activation=activation))


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains(continuous_pairs: hades.Dataset, loss: str) -> None:
    _assert_trains(continuous_pairs, Learner(width=16, depth=1, loss=loss))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_every_optimiser_trains(continuous_pairs: hades.Dataset, optimiser: str) -> None:
    _assert_trains(continuous_pairs, Learner(width=(24, 8), optimiser=optimiser, learning_rate=0.02))


def _assert_trains(dataset: hades.Dataset, learner: Learner) -> None:
    """For a square number of epochs, which compiles fastest (`checkpointed_scan`)."""
    act = hades.policy(dataset, learner, greedy=True)

    @jax.jit
    def error(params: Params) -> jax.Array:
        actions = jax.vmap(lambda obs: act(params, obs, KEY))(jnp.asarray(dataset.states))
        return jnp.abs(actions - dataset.targets).mean()

    untrained = jax.jit(partial(init_network, published(dataset.spec).patched(learner), dataset.spec))(KEY)
    assert error(hades.train(dataset, KEY, learner | Learner(epochs=196))) < 0.7 * error(untrained)


def test_a_cnn_learns_grids() -> None:
    states = np.random.default_rng(0).normal(size=(4, 6, 6, 2))
    dataset = hades.Dataset(states=states, labels=np.eye(4))
    learner = Learner(network="cnn", width=16)
    params = hades.train(dataset, KEY, learner)
    act = jax.jit(hades.policy(dataset, learner, greedy=True))
    assert [int(act(params, obs, KEY)) for obs in jnp.asarray(dataset.states)] == [0, 1, 2, 3]
    assert "Conv_0" in params["params"]
    with pytest.raises(InputError, match="grid observations"):
        init_network(published(Spec((4,), 2, True)).patched(learner), Spec((4,), 2, True), KEY)


def test_sampled_actions_vary_and_stay_in_bounds(continuous_pairs: hades.Dataset) -> None:
    learner = Learner(width=16, epochs=5)
    params = hades.train(continuous_pairs, KEY, learner)
    act = hades.policy(continuous_pairs, learner)
    actions = jax.jit(jax.vmap(lambda k: act(params, jnp.zeros(3), k)))(jax.random.split(KEY, 200))
    assert actions.std() > 0.1 and jnp.abs(actions).max() <= 1
    greedy = hades.policy(continuous_pairs, learner, greedy=True)
    assert (greedy(params, jnp.zeros(3), KEY) == greedy(params, jnp.zeros(3), jax.random.key(1))).all()


def test_exploration_stays_as_it_was_asked_for_where_the_loss_is_of_means(continuous_pairs: hades.Dataset) -> None:
    learner = Learner(width=16, epochs=16, loss="mse", log_std=math.log(0.05))
    params = hades.train(continuous_pairs, KEY, learner)
    act = hades.policy(continuous_pairs, learner)
    obs = jnp.asarray(continuous_pairs.states[0])
    actions = jax.jit(jax.vmap(lambda k: act(params, obs, k)))(jax.random.split(KEY, 500))
    assert (np.abs(actions.std(0) - 0.05) < 0.01).all()


def test_same_key_same_network(cartpole_pairs: hades.Dataset) -> None:
    one, two = (hades.train(cartpole_pairs, jax.random.key(3)) for _ in range(2))
    assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), one, two)))
    policy = make_policy(published(Spec((4,), 2, True)).patched(Learner(width=8)), Spec((4,), 2, True))
    assert callable(policy)


def test_the_gradient_through_training_is_that_of_finite_differences() -> None:
    spec = hades.make("digits").spec
    states, targets = jax.random.uniform(KEY, (10, *spec.obs_shape)), jnp.eye(10)
    learner = RECIPE.patched(Learner(activation="tanh", epochs=7))
    params = init_network(learner, spec, KEY)

    @jax.jit
    def out(states: jax.Array, rate: jax.Array) -> jax.Array:
        trained = behaviour_cloning(learner, spec, params, states, targets, {"learning_rate": rate}).params
        return sum(((a - b) ** 2).sum() for a, b in zip(*map(jax.tree.leaves, (trained, params)), strict=True))  # type: ignore[return-value]

    rate, step = jnp.asarray(0.7), 1e-2
    by_states, by_rate = jax.jit(jax.grad(out, (0, 1)))(states, rate)
    direction = jax.random.normal(jax.random.key(1), states.shape) / 10
    difference = (out(states + step * direction, rate) - out(states - step * direction, rate)) / (2 * step)
    assert float((by_states * direction).sum()) == pytest.approx(float(difference), rel=0.02)
    difference = (out(states, rate + step) - out(states, rate - step)) / (2 * step)
    assert float(by_rate) == pytest.approx(float(difference), rel=0.02)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_training_by_any_optimiser_has_a_gradient(optimiser: str) -> None:
    spec = hades.make("digits").spec
    learner = RECIPE.patched(Learner(optimiser=optimiser, learning_rate=0.01, epochs=4))
    states = jnp.zeros((10, *spec.obs_shape)).at[:, 0].set(1.0)  # most weights have a gradient of zero
    params = init_network(learner, spec, KEY)

    def norm(states: jax.Array) -> jax.Array:
        trained = behaviour_cloning(learner, spec, params, states, jnp.eye(10)).params
        return sum((leaf**2).sum() for leaf in jax.tree.leaves(trained))  # type: ignore[return-value]

    gradient = jax.jit(jax.grad(norm))(states)
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_a_window_trains_as_far_as_its_end_and_differentiates_its_own_steps() -> None:
    spec = hades.make("digits").spec
    states, targets = jax.random.uniform(KEY, (10, *spec.obs_shape)), jnp.eye(10)
    params = init_network(RECIPE, spec, KEY)

    def train(recipe: Recipe, **rest: Any) -> Params:
        return behaviour_cloning(recipe, spec, targets=targets, **rest).params

    def norm(params: object) -> jax.Array:
        return sum((leaf**2).sum() for leaf in jax.tree.leaves(params))  # type: ignore[return-value]

    begun = train(RECIPE.patched(Learner(epochs=8)), params=params, states=states)
    rest = RECIPE.patched(Learner(epochs=5))
    want, gradient = jax.jit(jax.value_and_grad(lambda s: norm(train(rest, params=begun, states=s))))(states)
    window = (5, jnp.asarray(13))
    through = jax.value_and_grad(lambda s: norm(train(RECIPE, params=params, states=s, window=window)))
    got, windowed = jax.jit(through)(states)
    np.testing.assert_allclose(got, want, rtol=1e-5)
    np.testing.assert_allclose(windowed, gradient, rtol=1e-3, atol=1e-6)
