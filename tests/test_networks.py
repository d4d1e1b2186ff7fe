"""Networks by name, and the convolution that CPUs take."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from hypothesis import given
from hypothesis import strategies as st

import hades
import hades.learner
from hades.dataset import Spec
from hades.learner import IMAGES, Learner, init_network, make_network
from hades.networks import NETWORKS, Conv, patches

SPEC = Spec((9, 8, 2), 3, discrete=True)


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gives_logits_for_one_image_and_for_many(
    name: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jax.default_backend", lambda: backend)
    learner = Learner(network=name, width=8, depth=2).over(IMAGES)
    params = init_network(learner, SPEC, jax.random.key(0))
    images = jax.random.normal(jax.random.key(1), (2, 5, *SPEC.obs_shape))
    apply = make_network(learner, SPEC).apply
    logits = apply(params, images)
    assert isinstance(logits, jax.Array) and logits.shape == (2, 5, 3)
    np.testing.assert_allclose(logits[1, 2], apply(params, images[1, 2]), rtol=2e-4, atol=2e-5)  # type: ignore[arg-type]


@given(height=st.integers(1, 9), width=st.integers(1, 9), size=st.sampled_from([1, 3, 5]))
def test_patches_times_kernel_is_the_convolution(height: int, width: int, size: int) -> None:
    rng = np.random.default_rng(height)
    x = jnp.asarray(rng.normal(size=(2, height, width, 3)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(size, size, 3, 4)), jnp.float32)
    want = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    np.testing.assert_allclose(patches(x, size) @ kernel.reshape(-1, 4), want, atol=1e-4)


def test_a_convolution_is_initialised_as_flax_does() -> None:
    zeros, lecun = nn.initializers.zeros, nn.initializers.lecun_normal()
    x = jnp.zeros((1, 6, 6, 2))
    ours = Conv(4, 3, lecun, zeros).init(jax.random.key(0), x)
    theirs = nn.Conv(4, (3, 3), kernel_init=lecun, bias_init=zeros).init(jax.random.key(0), x)
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


def test_the_papers_cnn_starts_as_published() -> None:
    spec = Spec((28, 28, 1), 10, discrete=True)
    params = init_network(IMAGES, spec, jax.random.key(0))["params"]
    assert {name: layer["kernel"].shape for name, layer in params.items()} == {
        "Conv_0": (3, 3, 1, 16), "Dense_0": (28 * 28 * 16, 128), "Dense_1": (128, 10),
    }  # fmt: skip
    biases = np.concatenate([layer["bias"] for layer in params.values()])
    assert 0 <= biases.min() < 0.01 and 0.04 < biases.max() < 0.05
    assert np.std(params["Dense_0"]["kernel"]) == pytest.approx((28 * 28 * 16) ** -0.5, rel=0.02)


def test_a_network_brings_its_own_shape_unless_one_is_given() -> None:
    assert Learner(network="convnet").over(IMAGES).widths == (128, 128, 128)
    assert Learner(network="convnet", width=8).over(IMAGES).widths == (8, 8, 8)
    assert Learner(network="lenet").over(IMAGES).widths == (120, 84)
    assert Learner(learning_rate=1.0).over(IMAGES).widths == (128,)
    assert dataclasses.asdict(Learner(network="cnn").over(IMAGES)) == dataclasses.asdict(IMAGES)


def test_a_convolution_wants_a_grid() -> None:
    with pytest.raises(hades.InputError, match=r"wants grid observations \[H, W, C\]"):
        make_network(Learner(network="lenet").over(IMAGES), Spec((4,), 2, True))


def test_layer_norm_and_transformers_are_for_vectors_too() -> None:
    spec = Spec((6,), 2, discrete=False)
    obs = jax.random.normal(jax.random.key(1), (3, 6))
    for learner in (Learner(norm="layer", width=8), Learner(network="transformer", width=8, depth=1)):
        learner = learner.over(hades.learner.reference(spec))
        out: Any = make_network(learner, spec).apply(init_network(learner, spec, jax.random.key(0)), obs)
        mean, log_std = out
        assert mean.shape == log_std.shape == (3, 2) and np.isfinite(mean).all()


def test_layer_norm_does_not_see_the_scale_of_its_input() -> None:
    spec = Spec((6,), 2, discrete=True)
    learner = Learner(norm="layer", width=8, depth=1).over(hades.learner.reference(spec))
    params, obs = init_network(learner, spec, jax.random.key(0)), jax.random.normal(jax.random.key(1), (3, 6))
    apply = make_network(learner, spec).apply
    np.testing.assert_allclose(apply(params, obs), apply(params, 100 * obs), atol=1e-4)  # type: ignore[arg-type]
