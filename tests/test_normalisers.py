"""Moments of observations, merged in any order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hades
from hades.aliases import PyTree
from hades.dataset import Spec
from hades.normalisers import Moments, merge_all
from hades.tasks.control import ControlTask
from hades.tasks.environment import Step
from tests.helpers import control

KEY = jax.random.key(0)
MEANS = np.asarray([0, 0, 1e4, -1e6, 101_325, 1e4, 3e7, 0], np.float32)
STDS = np.asarray([1e-6, 1e-5, 1, 100, 0, 1e3, 0, 1e8], np.float32)


class Units:
    """Observations are noise in units of all sizes, of hundred steps."""

    spec = Spec(MEANS.shape, 1, discrete=False)
    max_steps = 100

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """Some noise."""
        return jnp.zeros((), jnp.int32), self._noise(key)

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """Other noise."""
        del action
        return Step(state + 1, self._noise(key), jnp.zeros(()), jnp.asarray(False), state + 1 >= self.max_steps)

    def _noise(self, key: jax.Array) -> jax.Array:
        return jnp.asarray(MEANS) + STDS * jax.random.normal(key, MEANS.shape)


def test_observations_of_all_scales_are_measured_and_constants_recognised() -> None:
    normaliser = ControlTask("units", Units()).measure(KEY).normaliser()
    varies = STDS > 0
    np.testing.assert_allclose(normaliser.std[varies], STDS[varies], rtol=0.05)
    np.testing.assert_array_equal(normaliser.std[~varies], 1)
    np.testing.assert_allclose((normaliser.mean - MEANS) / np.maximum(STDS, 1e-3), 0, atol=0.05)


def test_moments_of_many_generations_stay_true() -> None:
    rng, seen = np.random.default_rng(0), Moments.zero((2,))
    add = jax.jit(lambda seen, values: seen.merge(merge_all(Moments(jnp.ones(50), values, jnp.zeros_like(values)))))
    for _ in range(1_000):
        seen = add(seen, jnp.asarray(np.stack([rng.normal(1e4, 1, 50), np.full(50, 0.1)], 1), jnp.float32))
    std = seen.normaliser().std
    np.testing.assert_allclose(std, [1, 1], rtol=0.02)
    assert float(seen.number) == 50_000


@settings(max_examples=30)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 6), st.just(3)),
        elements=st.floats(-100, 100, width=32),
    )
)
def test_merged_moments_are_those_of_all_values(values: np.ndarray) -> None:
    batches = Moments(
        jnp.full(len(values), values.shape[1], jnp.float32),
        jnp.asarray(values.mean(1)),
        jnp.asarray(((values - values.mean(1, keepdims=True)) ** 2).sum(1)),
    )
    flat = values.reshape(-1, 3)
    one_by_one = Moments.zero((3,))
    for i in range(len(values)):
        one_by_one = one_by_one.merge(jax.tree.map(lambda x, i=i: x[i], batches))
    for merged in (merge_all(batches), one_by_one):
        assert float(merged.number) == len(flat)
        np.testing.assert_allclose(merged.mean, flat.mean(0), atol=1e-3)
        np.testing.assert_allclose(merged.m2 / len(flat), flat.var(0), atol=1e-1, rtol=1e-3)


def test_measured_statistics_leave_constants_unscaled() -> None:
    normaliser = control("breakout").measure(KEY, episodes=16).normaliser()
    assert (normaliser.std > 0).all() and float(normaliser.std.max()) == 1.0


def test_a_channel_of_a_grid_is_scaled_as_one() -> None:
    grids = np.random.default_rng(0).normal([0, 5], [1, 0.1], (50, 4, 3, 2)).astype(np.float32)
    grids[:, 0, 0] = 1, 0  # cells that never vary
    seen = Moments(jnp.asarray(50.0), jnp.asarray(grids.mean(0)), jnp.asarray(50 * grids.var(0)))
    normaliser = seen.by_channel()
    np.testing.assert_allclose(normaliser.mean, grids.mean(0))
    np.testing.assert_allclose(normaliser.std, np.broadcast_to(2 * grids.std((0, 1, 2)), (4, 3, 2)), rtol=1e-4)


def test_channels_are_of_grids() -> None:
    with pytest.raises(
        hades.InputError, match=r"channels is of grids \[H, W, C\], not of observations \[4\]: take fixed"
    ):
        hades.distill("cartpole", normaliser="channels", progress=False)
