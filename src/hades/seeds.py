"""Seeds and random keys: every seed has a key of its own."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hades.aliases import PyTree
from hades.errors import InputError
from hades.options import SEED, Rule, shown


def key_of(seed: int) -> jax.Array:
    """The random key of a seed, a whole number from 0 to 2^63 - 1.

    Below 2^32 it is ``jax.random.key(seed)``, which takes no larger ones; of these, the upper 32 bits are the upper
    word of the key's data, which is what JAX makes of them where its numbers have 64 bits.

    Raises:
        InputError: for any other seed.
    """
    seed = Rule(**SEED).check("seed", seed, int)
    upper, lower = divmod(seed, 2**32)
    key = jax.random.key(jnp.uint32(lower))
    if not upper:
        return key
    return jax.random.wrap_key_data(jax.random.key_data(key).at[0].set(upper))


def is_key(value: Any) -> bool:
    """Whether it is one of JAX's random keys, or an array of them."""
    return jnp.issubdtype(value.dtype, jax.dtypes.prng_key)


def untyped(tree: PyTree) -> PyTree:
    """Random keys, which no array of NumPy's can be, as the numbers that they are."""
    return jax.tree.map(lambda x: jax.random.key_data(x) if is_key(x) else x, tree)


def typed(tree: PyTree, like: PyTree) -> PyTree:
    """Numbers as random keys, where those of another tree are."""

    def one(x: Any, like: Any) -> Any:
        return jax.random.wrap_key_data(x, impl=jax.random.key_impl(like)) if is_key(like) else x

    return jax.tree.map(one, tree, like)


def as_key(key: Any) -> jax.Array:
    """One random key, or that of a seed.

    Raises:
        InputError: for what is neither.
    """
    if isinstance(key, jax.Array):
        if is_key(key) and key.shape == ():
            return key
        if key.dtype == jnp.uint32 and key.shape == (2,):  # as of jax.random.PRNGKey
            return jax.random.wrap_key_data(key)
        raise InputError(f"a key is one, such as jax.random.key(0), not {list(key.shape)} of {key.dtype}")
    try:
        return key_of(key)
    except InputError:
        raise InputError(f"a key is jax.random.key(0), or a seed from 0 to 2^63 - 1, not {shown(key)}") from None


def stored_key(data: Sequence[int]) -> jax.Array:
    """The key whose data a file has.

    Raises:
        InputError: for what is no key's.
    """
    words = jax.random.key_data(jax.random.key(0)).size
    if len(data) != words:
        raise InputError(f"a key's data are {words} numbers, not {len(data)}")
    return jax.random.wrap_key_data(jnp.asarray(data, jnp.uint32))
