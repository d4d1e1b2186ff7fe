"""Transformations of images inside the inner loop."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hades.learner.augmentation import _brightness, _contrast, _crop, _cutout, _scale_rotate, dsa


@pytest.fixture
def images() -> jax.Array:
    return jax.random.uniform(jax.random.key(0), (3, 12, 10, 2))


@pytest.mark.parametrize("transform", [_brightness, _contrast, _crop, _cutout, _scale_rotate])
def test_each_changes_images_and_lets_gradients_through(transform: Callable, images: jax.Array) -> None:
    out = transform(jax.random.key(1), images)
    assert out.shape == images.shape and not np.allclose(out, images)
    gradient = jax.grad(lambda x: (transform(jax.random.key(1), x) ** 2).sum())(images)
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_all_images_of_a_step_are_transformed_alike(images: jax.Array) -> None:
    same = jnp.broadcast_to(images[:1], images.shape)
    for seed in range(8):
        out = dsa(jax.random.key(seed), same)
        np.testing.assert_allclose(out, jnp.broadcast_to(out[:1], out.shape), atol=1e-6)


def test_cutout_takes_a_square_of_at_most_half_the_side(images: jax.Array) -> None:
    out = np.asarray(_cutout(jax.random.key(3), images + 1))
    gone = (out == 0).all((0, 3))
    assert 0 < gone.sum() <= 6 * 5 + 11 and (out[:, ~gone] == np.asarray(images + 1)[:, ~gone]).all()


def test_states_that_are_no_images_stay() -> None:
    states = jnp.ones((4, 3))
    assert dsa(jax.random.key(0), states) is states
