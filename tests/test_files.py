"""JSON that any reader takes."""

import json
import os
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hades.errors import InputError, WriteError
from hades.files import dumps, write_atomically

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


def test_what_is_no_file_is_not_written_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path):
        with pytest.raises(WriteError, match="it is there, and no file"):
            write_atomically(place, b"")
    with pytest.raises(InputError, match="a path is a string"):
        write_atomically("a\0b", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
