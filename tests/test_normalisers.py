"""Moments of observations, merged in any order."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hades.normalisers import Moments, merge_all
from tests.helpers import control

KEY = jax.random.key(0)


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
    normaliser = control("breakout").measure(KEY, episodes=16)
    assert (normaliser.std > 0).all() and float(normaliser.std.max()) == 1.0
