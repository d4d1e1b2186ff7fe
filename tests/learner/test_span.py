"""Training in the span of the pairs is training."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hades.dataset import Spec
from hades.learner import span
from hades.learner.cloning import behaviour_cloning
from hades.learner.networks import Params, init_network, make_network
from hades.learner.recipe import Learner, Recipe
from hades.learner.recipes import CONTINUOUS, DISCRETE
from hades.learner.span import spans

GRID, VECTOR = Spec((3, 4, 2), 3, discrete=True), Spec((24,), 2, discrete=False)
PLAIN = Learner(width=8, epochs=20, clip=0.0)
Learnt = tuple[Params, jax.Array]


@pytest.mark.parametrize(
    ("spec", "learner"),
    [
        (GRID, Learner(optimiser="sgd", learning_rate=1.0)),
        (GRID, Learner(optimiser="momentum", learning_rate=0.3, activation="tanh", norm="layer", bias=0.1)),
        (VECTOR, Learner(optimiser="momentum", learning_rate=0.02, depth=1)),
    ],
)
def test_its_networks_and_their_derivative_are_those_of_the_whole_layer(
    spec: Spec, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = (DISCRETE if spec.discrete else CONTINUOUS).patched(PLAIN, learner)
    assert spans(recipe, spec, 5)
    moved = _trained(recipe, spec)
    monkeypatch.setattr(span, "spans", lambda *_: False)
    whole = _trained(recipe, spec)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4), moved, whole)


def _trained(recipe: Recipe, spec: Spec) -> Learnt:
    """A network, and the derivative of what it does by its pairs."""
    keys = jax.random.split(jax.random.key(0), 4)
    params, states = init_network(recipe, spec, keys[0]), jax.random.normal(keys[1], (5, *spec.obs_shape))
    targets = jax.nn.softmax(3 * jax.random.normal(keys[2], (5, spec.num_actions)))
    obs = jax.random.normal(keys[3], (7, *spec.obs_shape))

    def loss(states: jax.Array) -> tuple[Any, tuple[Params, Any]]:
        trained = behaviour_cloning(recipe, spec, params, states, targets)
        outputs = trained.outputs(trained.way.inputs(params, obs))
        return sum((out**2).sum() for out in jax.tree.leaves(outputs)), (trained.params, outputs)

    gradient: Callable[[jax.Array], tuple[jax.Array, Any]] = jax.jit(jax.grad(loss, has_aux=True))
    derivative, (trained, outputs) = gradient(states)
    same = make_network(recipe, spec).apply(trained, obs)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4), outputs, same)
    return trained, derivative / jnp.linalg.norm(derivative)


@pytest.mark.parametrize(
    ("learner", "pairs"),
    [
        (Learner(optimiser="adam"), 5), (Learner(optimiser="sgd", clip=0.5), 5),
        (Learner(optimiser="sgd", batch=2), 5), (Learner(optimiser="sgd"), 24),
        (Learner(optimiser="sgd", network="cnn"), 5), (Learner(optimiser="sgd", augment="dsa"), 5),
    ],
)  # fmt: skip
def test_what_is_no_sum_of_the_pairs_or_no_less_is_trained_whole(learner: Learner, pairs: int) -> None:
    assert not spans(DISCRETE.patched(PLAIN, learner), GRID, pairs)
