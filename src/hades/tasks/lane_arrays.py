"""Arrays for a batch, number by number: what `hades.tasks.lanes` computes with."""

from collections.abc import Hashable
from math import prod
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from hades.seeds import is_key

Lanes = np.ndarray
"""An array of the unbatched function. Of dtype object: each element a ``[B]`` array or a constant. Else constants: as
numpy has them; random keys, which it knows not, as JAX has them."""


def split(x: jax.Array) -> Lanes:
    """From ``[*S, B]`` to lanes of shape S."""
    flat = x.reshape(prod(x.shape[:-1]), x.shape[-1])
    return lanes_of([flat[i] for i in range(flat.shape[0])], x.shape[:-1])


def join(x: Lanes, dtype: Any, size: int) -> jax.Array:
    """From lanes of shape S to ``[*S, B]``."""
    if not x.size:
        return jnp.zeros((*x.shape, size), dtype)
    if x.dtype != object:
        return jnp.broadcast_to(jnp.asarray(x, dtype)[..., None], (*x.shape, size))
    return jnp.stack([vector(value, dtype, size) for value in x.flat]).reshape(*x.shape, size)


def lanes_of(values: list[Any], shape: tuple[int, ...]) -> Lanes:
    """Vectors ``[B]`` and constants as an array of that shape."""
    out = np.empty(len(values), object)
    for i, value in enumerate(values):  # numpy would look into an array given as an element
        out[i] = value
    return out.reshape(shape)


def vector(value: Any, dtype: Any, size: int) -> jax.Array:
    """A lane as ``[B]``."""
    return value if isinstance(value, jax.Array) else jnp.full((size,), value, dtype)


def name_of(value: Any, dtype: Any) -> Hashable:
    """By which a lane is known again: the bits of a constant, for 0.0 == -0.0."""
    return id(value) if isinstance(value, jax.Array) else np.asarray(value, dtype).tobytes()


def known(value: Any, size: int) -> Lanes:
    """What does not depend on the batch: constants, where it is known while tracing."""
    if isinstance(value, jax.core.Tracer):
        return spread(value, size)
    return value if is_key(value) else np.asarray(value)


def spread(value: Any, size: int) -> Lanes:
    """The same for the whole batch, as lanes."""
    return split(jnp.broadcast_to(value[..., None], (*value.shape, size)))


def settled(x: Lanes, aval: Any) -> Lanes:
    """Lanes of nothing are a constant."""
    return x if x.size or is_key(aval) else np.zeros(x.shape, aval.dtype)
