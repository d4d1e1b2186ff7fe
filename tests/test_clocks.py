"""Compilation has a clock of its own."""

import time

import jax
import jax.numpy as jnp

from hades.clocks import Stopwatch


def test_compilation_is_told_from_work() -> None:
    @jax.jit
    def outer(x: jax.Array) -> jax.Array:
        time.sleep(0.2)  # as tracing may take
        return inner(x) + 1

    @jax.jit
    def inner(x: jax.Array) -> jax.Array:
        time.sleep(0.2)
        return 2 * x

    x = jnp.ones(3)
    watch, start = Stopwatch(), time.monotonic()
    jax.block_until_ready(outer(x))
    time.sleep(0.1)
    (work, compiling), whole = watch.lap(), time.monotonic() - start
    assert 0.4 <= compiling <= whole - 0.1 and work >= 0.1  # what is traced within another counts once
    jax.block_until_ready(outer(x))
    assert watch.lap()[1] == 0
