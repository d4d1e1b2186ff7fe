"""What was made alike has one description, and what differs in anything that is looked at another."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hades.tasks.fingerprints import LONG, checksum, described, plain


class Thing:
    """Of attributes."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0), (1, True), (0.25, 0.5), ("a", "b"), (None, 0), ([1, 2], [2, 1]), ({"a": 1}, {"b": 1}),
        (np.zeros(3), np.zeros(4)), (np.zeros(3), np.zeros(3, np.float32)), (jnp.arange(3), jnp.arange(3) + 1),
        (jax.random.key(0), jax.random.key(1)), (Thing(a=1), Thing(a=2)), (Thing(b=Thing(x=1)), Thing(b=Thing(x=2))),
        (Thing(f=len), Thing(f=max)), ("x" * 500 + "a", "x" * 500 + "b"),
    ],
)  # fmt: skip
def test_what_differs_is_described_otherwise(one: Any, other: Any) -> None:
    assert described(one) != described(other)
    assert described(one) == described(one) and len(described(other)) < LONG + 20


def test_the_same_made_twice_is_described_alike() -> None:
    def make() -> Thing:
        return Thing(grid=np.eye(2), inner=Thing(_rate=0.1), options={"a": [1, "b"]}, fun=np.sum)

    assert described(make()) == described(make())
    assert described(make()).startswith("Thing(grid=float64[2,2]#") and "inner=Thing(rate=0.1)" in described(make())


def test_what_holds_itself_has_an_end() -> None:
    thing = Thing()
    thing.itself = thing  # type: ignore[attr-defined]
    assert described(thing).count("Thing") == 6


def test_checksums_are_of_bytes() -> None:
    assert checksum(jnp.arange(3)) == checksum(np.arange(3, dtype=np.int32)) != checksum(np.arange(3, dtype=np.int64))
    assert checksum(np.arange(6).reshape(2, 3)) == checksum(np.arange(3), np.arange(3, 6))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (3, 3), (2.5, 2.5), (True, True), ("a", "a"), (np.float32(0.5), 0.5), (jnp.int32(4), 4), (np.True_, True),
        (np.inf, None), (jnp.float32(jnp.nan), None), (np.ones(1), None), ([1], None), (None, None),
    ],
)  # fmt: skip
def test_a_plain_value_is_what_json_holds(value: object, kept: object) -> None:
    assert plain(value) == kept and type(plain(value)) is type(kept)
