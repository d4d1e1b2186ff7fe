"""Networks by name."""

from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

import hades
from hades.dataset import Spec
from hades.learner.bodies import NETWORKS
from hades.learner.networks import Params, init_network, make_network
from hades.learner.recipe import Learner, Recipe
from hades.learner.recipes import IMAGES, published

SPEC = Spec((9, 8, 2), 3, discrete=True)


def _fresh(recipe: Recipe, spec: Spec) -> Params:
    return jax.jit(partial(init_network, recipe, spec))(jax.random.key(0))


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gives_logits_for_one_image_and_for_many(
    name: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jax.default_backend", lambda: backend)
    learner = IMAGES.patched(Learner(network=name, width=8, depth=2))
    params = _fresh(learner, SPEC)
    images = jax.random.normal(jax.random.key(1), (2, 5, *SPEC.obs_shape))
    apply = jax.jit(make_network(learner, SPEC).apply)
    logits = apply(params, images)
    assert isinstance(logits, jax.Array) and logits.shape == (2, 5, 3)
    np.testing.assert_allclose(logits[1, 2], apply(params, images[1, 2]), rtol=2e-4, atol=2e-5)  # type: ignore[arg-type]


def test_the_papers_cnn_starts_as_published() -> None:
    spec = Spec((28, 28, 1), 10, discrete=True)
    params = _fresh(IMAGES, spec)["params"]
    assert {name: layer["kernel"].shape for name, layer in params.items()} == {
        "Conv_0": (3, 3, 1, 16), "Dense_0": (28 * 28 * 16, 128), "Dense_1": (128, 10),
    }  # fmt: skip
    biases = np.concatenate([layer["bias"] for layer in params.values()])
    assert 0 <= biases.min() < 0.01 and 0.04 < biases.max() < 0.05
    assert np.std(params["Dense_0"]["kernel"]) == pytest.approx((28 * 28 * 16) ** -0.5, rel=0.02)


def test_only_continuous_actions_have_noise() -> None:
    with pytest.raises(hades.InputError, match="log_std is of continuous actions, and these are discrete"):
        hades.train(hades.load("cartpole-2"), 0, {"log_std": -1.0})


def test_a_convolution_wants_a_grid() -> None:
    with pytest.raises(hades.InputError, match=r"wants grid observations \[H, W, C\]"):
        make_network(IMAGES.patched(Learner(network="lenet")), Spec((4,), 2, True))


def test_layer_norm_and_transformers_are_for_vectors_too() -> None:
    spec = Spec((6,), 2, discrete=False)
    obs = jax.random.normal(jax.random.key(1), (3, 6))
    for learner in (Learner(norm="layer", width=8), Learner(network="transformer", width=8, depth=1)):
        recipe = published(spec).patched(learner)
        out: Any = jax.jit(make_network(recipe, spec).apply)(_fresh(recipe, spec), obs)
        mean, log_std = out
        assert mean.shape == log_std.shape == (3, 2) and np.isfinite(mean).all()


def test_layer_norm_does_not_see_the_scale_of_its_input() -> None:
    spec = Spec((6,), 2, discrete=True)
    learner = published(spec).patched(Learner(norm="layer", width=8, depth=1))
    params, obs = _fresh(learner, spec), jax.random.normal(jax.random.key(1), (3, 6))
    apply = jax.jit(make_network(learner, spec).apply)
    np.testing.assert_allclose(apply(params, obs), apply(params, 100 * obs), atol=1e-4)  # type: ignore[arg-type]


def test_the_published_initialisation() -> None:
    spec = Spec((11,), 3, discrete=False)
    params = _fresh(published(spec), spec)["params"]
    first, out = params["Dense_0"]["kernel"], params["Dense_2"]["kernel"]
    np.testing.assert_allclose(first @ first.T, 2 * np.eye(11), atol=1e-4)
    np.testing.assert_allclose(out.T @ out, 1e-4 * np.eye(3), atol=1e-6)
    assert not params["log_std"].any() and not params["Dense_0"]["bias"].any()
