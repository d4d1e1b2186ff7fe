"""`lanes.vmap` against `jax.vmap`, on operations, control flow and Brax's physics."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers import control

from hades.tasks import lanes

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4) - 5
FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "arithmetic": lambda x, y: (x * y - 2.5) / (1 + jnp.abs(x)),
    "constants": lambda x, y: x * jnp.eye(4)[1] + y * 0 + jnp.array([1.0, 0.0, 1.0, 2.0]) * y,
    "booleans": lambda x, y: jnp.where((x > 0) & (y < 1), x, jnp.where(jnp.array([True, False, True, False]), y, 3)),
    "reductions": lambda x, y: (x.sum(), (x[:, None] * y).max(0), jnp.all(x > -1), jnp.prod(y), jnp.linalg.norm(x)),
    "products": lambda x, y: (MATRIX @ x, jnp.outer(x, y) @ y, jnp.cross(x[:3], y[:3]), x @ y),
    "einsum": lambda x, y: jnp.einsum("ij,kj->kij", x.reshape(2, 2), y.reshape(2, 2)),
    "shapes": lambda x, y: jnp.concatenate([x[::-1].reshape(2, 2).T, jnp.tile(y[1:3], (2, 1))], axis=1)[:, None],
    "indices": lambda x, y: (x[jnp.array([3, 0, 0, 2])], y.at[jnp.array([1, 1, 3])].add(x[:3]), x.at[2].set(y[0])),
    "index_outside": lambda x, y: (jnp.take(x, jnp.array([0, 9]), mode="fill", fill_value=7), y),
    "index_of_batch": lambda x, y: (x[jnp.argmax(y)], jax.lax.dynamic_slice(x, (jnp.argmin(y),), (2,))),
    "scan": lambda x, y: jax.lax.scan(lambda c, row: (c * 0.5 + row, (c.sum(), c)), x, jnp.stack([y, x, y])),
    "scan_constants": lambda x, y: jax.lax.scan(lambda c, m: (c + m * y, None), jnp.zeros(4), MATRIX)[0] + x,
    "while": lambda x, y: jax.lax.while_loop(lambda c: c[0] < 3 + x[0], lambda c: (c[0] + 1, c[1] * y), (0.0, x)),
    "cond": lambda x, y: jax.lax.cond(x[0] > 0, jnp.sin, jnp.cos, y),
    "solve": lambda x, y: jnp.linalg.solve(jnp.outer(x, x) + 5 * jnp.eye(4), y),
    "integers": lambda x, y: ((x * 3).astype(int) % 3, jnp.arange(4) + (y > 0), jnp.sign(x).astype(jnp.int8)),
    "sorted": lambda x, y: (jnp.sort(x), jnp.cumsum(y)),
    "own_gradient": lambda x, y: jax.grad(lambda z: jnp.sum(jax.nn.relu(z) ** 2 * y))(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_is_vmap(name: str) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    _assert_close(lanes.vmap(FUNCTIONS[name])(x, y), jax.vmap(FUNCTIONS[name])(x, y))
    _assert_close(jax.jit(lanes.vmap(FUNCTIONS[name]))(x, y), jax.vmap(FUNCTIONS[name])(x, y))


@settings(max_examples=20)  # each compiles
@given(seed=st.integers(0, 2**31 - 1), batch=st.integers(1, 9), shape=st.lists(st.integers(1, 3), max_size=3))
def test_any_batch_and_shape(seed: int, batch: int, shape: list[int]) -> None:
    def fun(x: jax.Array) -> Any:
        return {"sum": x.sum(-1) if x.ndim else x, "same": x, "moved": jnp.moveaxis(x, 0, -1) if x.ndim else x * 2}

    x = jnp.asarray(np.random.default_rng(seed).normal(size=(batch, *shape)), jnp.float32)
    _assert_close(lanes.vmap(fun)(x), jax.vmap(fun)(x))


def test_random_keys_are_batched() -> None:
    keys = jax.random.split(jax.random.key(0), 3)

    def fun(key: jax.Array, x: jax.Array) -> Any:
        a, b = jax.random.split(key)
        return jax.random.normal(a, (2,)) + x, b

    (x, key), (want_x, want_key) = (batch(fun)(keys, jnp.ones((3, 2))) for batch in (lanes.vmap, jax.vmap))
    _assert_close(x, want_x)
    _assert_close(jax.random.key_data(key), jax.random.key_data(want_key))


def test_what_the_function_closes_over_may_be_traced() -> None:
    @jax.jit
    def outer(scale: jax.Array, x: jax.Array) -> jax.Array:
        return lanes.vmap(lambda row: row * scale)(x)

    _assert_close(outer(jnp.array([2.0, 3.0]), jnp.ones((4, 2))), jnp.tile(jnp.array([2.0, 3.0]), (4, 1)))


def test_constant_zeros_and_ones_vanish() -> None:
    def fun(x: jax.Array) -> jax.Array:
        return jnp.array([[1.0, 0.0], [0.0, 2.0]]) @ x

    jaxpr = jax.make_jaxpr(lanes.vmap(fun))(jnp.ones((3, 2)))
    assert sum(eqn.primitive.name in ("mul", "add") for eqn in jaxpr.eqns) == 1


@pytest.mark.parametrize(
    "name",
    ["brax/inverted_pendulum", *(pytest.param(f"brax/{n}", marks=pytest.mark.slow) for n in ("hopper", "reacher"))],
)
def test_brax_steps_as_under_vmap(name: str) -> None:
    env = control(name).environment
    keys = jax.random.split(jax.random.key(0), 3)
    state, _ = jax.jit(jax.vmap(env.reset))(keys)
    step, want_step = jax.jit(lanes.vmap(env.step)), jax.jit(jax.vmap(env.step))
    for i in range(3):
        action = jax.random.uniform(jax.random.key(i), (3, env.spec.num_actions), minval=-1, maxval=1)
        want = want_step(keys, state, action)
        _assert_close(step(keys, state, action), want, atol=2e-3)  # velocities are positions over a millisecond
        state = want.state


def _assert_close(got: Any, want: Any, atol: float = 1e-5) -> None:
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for g, w in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert g.dtype == w.dtype and g.shape == w.shape
        np.testing.assert_allclose(np.asarray(g, np.float64), np.asarray(w, np.float64), rtol=1e-4, atol=atol)
