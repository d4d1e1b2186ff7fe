"""Every seed has a key of its own."""

from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hades.errors import InputError
from hades.seeds import as_key, key_of, stored_key

SEEDS = st.integers(0, 2**63 - 1) | st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**40, 2**63 - 1])


def words(key: jax.Array) -> list[int]:
    return jax.random.key_data(key).tolist()


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_a_small_seed_has_the_key_that_it_always_had(seed: int) -> None:
    assert words(key_of(seed)) == words(jax.random.key(seed))


@settings(max_examples=50)
@given(SEEDS, SEEDS)
def test_two_seeds_have_two_keys(one: int, other: int) -> None:
    assert (words(key_of(one)) == words(key_of(other))) == (one == other)


@pytest.mark.parametrize("seed", [-1, 2**63, 2**64, pytest.param(10**5000, id="huge"), 1.5, "3", None, True, [1]])
def test_what_is_no_seed_is_refused_in_one_line(seed: Any) -> None:
    with pytest.raises(InputError, match="seed must be ") as error:
        key_of(seed)
    assert len(str(error.value)) < 100


def test_a_key_may_be_given_as_a_seed_or_of_the_older_kind() -> None:
    seven = words(jax.random.key(7))
    assert [words(as_key(key)) for key in (7, np.int64(7), jax.random.key(7), jax.random.PRNGKey(7))] == [seven] * 4
    for key, says in (
        (jax.random.split(jax.random.key(0)), r"a key is one, such as .*, not \[2\]"),
        ("7", "a key is"),
    ):
        with pytest.raises(InputError, match=says):
            as_key(key)


def test_a_key_of_a_file_is_what_it_was() -> None:
    assert words(stored_key(words(key_of(2**40 + 7)))) == [2**8, 7]
    with pytest.raises(InputError, match="a key's data are 2 numbers, not 1"):
        stored_key([7])
