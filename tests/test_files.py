"""JSON that any reader takes."""

import json

import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hades.files import dumps

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


@given(JSON)
def test_whatever_it_is_given_is_json(value: object) -> None:
    json.loads(dumps(value), parse_constant=refuse)


def test_numbers_are_numbers_and_what_is_not_finite_is_null() -> None:
    value = {"a": np.float32(0.5), "b": (np.inf, -np.inf, np.nan), 3: jnp.arange(2), "d": np.asarray([1, np.nan])}
    assert json.loads(dumps(value)) == {"a": 0.5, "b": [None] * 3, "3": [0, 1], "d": [1, None]}
