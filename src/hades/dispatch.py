"""Several generations in one dispatch: one program where the task is traced, Python where it is played on the host."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hades.aliases import PyTree

MAX_PER_DISPATCH = 64
"""Generations in one dispatch, where they are short."""
State = PyTree
Metrics = dict[str, jax.Array]
"""Of a generation, scalars; of a dispatch, ``[MAX_PER_DISPATCH]``."""
OneGeneration = Callable[[State, Any], tuple[State, Metrics]]


def traced(
    one: OneGeneration, state: State, number: jax.Array, steps: jax.Array, data: PyTree
) -> tuple[State, Metrics, jax.Array]:
    """``number`` generations, or until ``steps`` environment steps are spent: state, metrics, how many there were."""

    def body(carry: tuple[State, Metrics, jax.Array, jax.Array]) -> tuple[State, Metrics, jax.Array, jax.Array]:
        state, log, i, spent = carry
        state, metrics = one(state, data)
        log = jax.tree.map(lambda rows, value: rows.at[i].set(value), log, metrics)
        return state, log, i + 1, spent + metrics["env_steps"]

    shapes = jax.eval_shape(one, state, data)[1]
    log = jax.tree.map(lambda s: jnp.zeros((MAX_PER_DISPATCH, *s.shape), s.dtype), shapes)
    zero = jnp.zeros((), jnp.int32)
    state, log, done, _ = jax.lax.while_loop(
        lambda carry: (carry[2] < number) & (carry[3] < steps), body, (state, log, zero, zero)
    )
    return state, log, done


def stepped(
    one: OneGeneration, state: State, number: int, steps: int, data: PyTree
) -> tuple[State, Metrics, jax.Array]:
    """The same, a generation at a time."""
    rows, spent = [], 0
    if not number:
        return state, {}, jnp.asarray(0)
    while len(rows) < number and spent < steps:
        state, metrics = one(state, data)
        rows.append(metrics)
        spent += int(metrics["env_steps"])
    return state, jax.tree.map(lambda *x: jnp.stack(x), *rows), jnp.asarray(len(rows))
