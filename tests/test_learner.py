import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner import LOSSES, OPTIMISERS, Learner, init_network, make_policy, reference
from hades.networks import ACTIVATIONS, orthogonal

KEY = jax.random.key(0)
CONTINUOUS = Learner(width=32, epochs=300)


def test_a_network_learns_the_actions(continuous_pairs: hades.Dataset) -> None:
    learner = Learner(width=32, epochs=600)
    params = hades.train(continuous_pairs, KEY, learner)
    act = hades.policy(continuous_pairs, learner, greedy=True)
    actions = jax.vmap(lambda obs: act(params, obs, KEY))(jnp.asarray(continuous_pairs.states))
    np.testing.assert_allclose(actions, continuous_pairs.targets, atol=0.1)


def test_a_network_learns_the_labels(cartpole_pairs: hades.Dataset) -> None:
    params = hades.train(cartpole_pairs, KEY)
    act = hades.policy(cartpole_pairs)
    actions = jax.vmap(lambda obs: act(params, obs, KEY))(jnp.asarray(cartpole_pairs.states))
    assert actions.tolist() == [0, 1]


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
@pytest.mark.parametrize("loss", LOSSES)
def test_every_activation_and_loss_trains(continuous_pairs: hades.Dataset, activation: str, loss: str) -> None:
    _assert_trains(continuous_pairs, Learner(width=16, epochs=200, activation=activation, loss=loss))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_every_optimiser_trains(continuous_pairs: hades.Dataset, optimiser: str) -> None:
    _assert_trains(continuous_pairs, Learner(width=(24, 8), epochs=200, optimiser=optimiser, learning_rate=0.02))


def _assert_trains(dataset: hades.Dataset, learner: Learner) -> None:
    act = hades.policy(dataset, learner, greedy=True)
    errors = []
    for epochs in (1, learner.epochs):
        params = hades.train(dataset, KEY, Learner(epochs=epochs).over(learner))
        actions = jax.vmap(lambda obs, p=params: act(p, obs, KEY))(jnp.asarray(dataset.states))
        errors.append(float(jnp.abs(actions - dataset.targets).mean()))
    assert errors[1] < 0.7 * errors[0]


def test_a_cnn_learns_grids() -> None:
    states = np.random.default_rng(0).normal(size=(4, 6, 6, 2))
    dataset = hades.Dataset(states=states, labels=np.eye(4))
    learner = Learner(network="cnn", width=16)
    params = hades.train(dataset, KEY, learner)
    act = hades.policy(dataset, learner, greedy=True)
    assert [int(act(params, obs, KEY)) for obs in jnp.asarray(dataset.states)] == [0, 1, 2, 3]
    assert "Conv_0" in params["params"]
    with pytest.raises(InputError, match="grid observations"):
        init_network(learner.over(reference(Spec((4,), 2, True))), Spec((4,), 2, True), KEY)


def test_the_published_initialisation() -> None:
    spec = Spec((11,), 3, discrete=False)
    params = init_network(reference(spec), spec, KEY)["params"]
    first, out = params["Dense_0"]["kernel"], params["Dense_2"]["kernel"]
    np.testing.assert_allclose(first @ first.T, 2 * np.eye(11), atol=1e-4)
    np.testing.assert_allclose(out.T @ out, 1e-4 * np.eye(3), atol=1e-6)
    assert not params["log_std"].any() and not params["Dense_0"]["bias"].any()


def test_sampled_actions_vary_and_stay_in_bounds(continuous_pairs: hades.Dataset) -> None:
    learner = Learner(width=16, epochs=5)
    params = hades.train(continuous_pairs, KEY, learner)
    act = hades.policy(continuous_pairs, learner)
    actions = jax.vmap(lambda k: act(params, jnp.zeros(3), k))(jax.random.split(KEY, 200))
    assert actions.std() > 0.1 and jnp.abs(actions).max() <= 1
    greedy = hades.policy(continuous_pairs, learner, greedy=True)
    assert (greedy(params, jnp.zeros(3), KEY) == greedy(params, jnp.zeros(3), jax.random.key(1))).all()


def test_what_a_learner_leaves_out_is_inherited() -> None:
    merged = Learner(width=64).over(reference(Spec((4,), 2, discrete=True)))
    assert (merged.width, merged.activation, merged.learning_rate, merged.epochs) == (64, "relu", 0.03, 64)
    assert Learner(**merged.options()) == merged
    assert Learner(width=[3, 4]).widths == (3, 4)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"activation": "step"}, "unknown activation 'step'"),
        ({"network": "rnn"}, "unknown network"),
        ({"optimiser": "lion"}, "unknown optimiser"),
        ({"loss": "huber"}, "unknown loss"),
        ({"width": 0}, "width must be positive"),
        ({"width": (64, -1)}, "width must be positive"),
        ({"epochs": -1}, "epochs must be positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"clip": -1.0}, "clip must be"),
    ],
)
def test_bad_options_are_refused(option: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Learner(**option)


def test_same_key_same_network(cartpole_pairs: hades.Dataset) -> None:
    one, two = (hades.train(cartpole_pairs, jax.random.key(3)) for _ in range(2))
    assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), one, two)))
    policy = make_policy(Learner(width=8).over(reference(Spec((4,), 2, True))), Spec((4,), 2, True))
    assert callable(policy)


def test_a_batch_of_orthogonal_matrices_is_made_one_by_one() -> None:
    keys = jax.random.split(jax.random.key(0), 3)
    init = orthogonal(2**0.5)
    batch = jax.jit(jax.vmap(lambda key: init(key, (5, 4))))
    np.testing.assert_array_equal(batch(keys), jnp.stack([init(key, (5, 4)) for key in keys]))
