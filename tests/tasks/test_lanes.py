"""`lanes.vmap` against `jax.vmap`, on operations, control flow, random programs and Brax's physics."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax
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
    "index_of_batch": lambda x, y: (x[jnp.argmax(y)], lax.dynamic_slice(x, (jnp.argmin(y),), (2,))),
    "scan": lambda x, y: lax.scan(lambda c, row: (c * 0.5 + row, (c.sum(), c)), x, jnp.stack([y, x, y])),
    "scan_constants": lambda x, y: lax.scan(lambda c, m: (c + m * y, None), jnp.zeros(4), MATRIX)[0] + x,
    "while": lambda x, y: lax.while_loop(lambda c: c[0] < 3 + x[0], lambda c: (c[0] + 1, c[1] * y), (0.0, x)),
    "cond": lambda x, y: lax.cond(x[0] > 0, jnp.sin, jnp.cos, y),
    "solve": lambda x, y: jnp.linalg.solve(jnp.outer(x, x) + 5 * jnp.eye(4), y),
    "integers": lambda x, y: ((x * 3).astype(int) % 3, jnp.arange(4) + (y > 0), jnp.sign(x).astype(jnp.int8)),
    "sorted": lambda x, y: (jnp.sort(x), jnp.cumsum(y)),
    "own_gradient": lambda x, y: jax.grad(lambda z: jnp.sum(jax.nn.relu(z) ** 2 * y))(x),
    "scalars_of_gathers": lambda x, y: (jnp.quantile(x, 0.3), jnp.median(jnp.outer(x, y))),
    "nothing": lambda x, y: (x[:0].sum(), x[:0] @ y[:0], jnp.append(x[:0], y), jnp.prod(x[:0].reshape(0, 2), 0)),
    "dtypes": lambda x, y: (
        lax.dot(x.astype(jnp.int8), y.astype(jnp.int8), preferred_element_type=jnp.int32), (x > 0) @ (y > 0),
        (9 * x).astype(int).at[jnp.array([0, 0])].add(1), jnp.concatenate([jnp.array([200], jnp.uint8), (x > 0)]) * 2,
    ),
    "reshape_of_transposed": lambda x, y: lax.reshape(x.reshape(2, 2), (4,), dimensions=(1, 0)),
    "signs_of_zeros": lambda x, y: (x / jnp.array([0.0, -0.0, 0.0, -0.0]), x / np.float32(0), x / np.float32(-0.0)),
    "several_ranks": lambda x, y: jax.device_put((x, y[0], jnp.outer(x, y))),
    "keys": lambda x, y: (
        jax.random.key(3), jax.random.uniform(jax.random.key(1, impl="rbg"), (3,)) * x[0],
        jax.random.bits(jnp.where(x[0] > 0, jax.random.key(1), jax.random.key(2))),
        lax.scan(lambda k, a: (jax.random.split(k)[0], jax.random.uniform(k) * a), jax.random.key(0), x)[1],
        jax.random.split(jax.random.key(0), 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_is_vmap(name: str) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    _assert_close(*jax.jit(lambda *xs: (lanes.vmap(FUNCTIONS[name])(*xs), jax.vmap(FUNCTIONS[name])(*xs)))(x, y))


@jax.custom_jvp
def _rectified(x: jax.Array) -> jax.Array:
    return jnp.maximum(x, 0)


@jax.custom_vjp
def _doubled(x: jax.Array) -> jax.Array:
    return 2 * x


_rectified.defjvp(lambda primals, tangents: (_rectified(*primals), tangents[0]))
_doubled.defvjp(lambda x: (_doubled(x), None), lambda _, cotangent: (cotangent,))


def _index(x: jax.Array) -> jax.Array:
    return x[0].astype(int) % 4


def _key(x: jax.Array) -> jax.Array:
    return jax.random.fold_in(jax.random.key(0), x[1].astype(int))


PIECES: dict[str, Callable[[jax.Array, jax.Array], Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: 3 - x * y,
    "sine": lambda x, y: 9 * jnp.sin(x),
    "where": lambda x, y: jnp.where(x > y, x, -y),
    "booleans": lambda x, y: (x > 0) & ~(y > 0) | (x == y) ^ jnp.any(x > 5),
    "integers": lambda x, y: x.astype(int) // 3 % 5 - y.astype(jnp.int8),
    "bytes": lambda x, y: x.astype(jnp.int8).astype(jnp.uint8) + jnp.uint8(250),
    "sum": lambda x, y: x.sum() + jnp.prod(y),
    "argmax": lambda x, y: jnp.argmax(x) + y,
    "dot": lambda x, y: jnp.outer(x, y) @ y,
    "dot_bytes": lambda x, y: x.astype(jnp.int8) @ y.astype(jnp.int8) + x,
    "reduce": lambda x, y: lax.reduce(
        (x, y), (jnp.float32(0), jnp.float32(-99)), lambda a, b: (a[0] + b[0], jnp.maximum(a[1], b[1])), (0,)
    )[1] + x,
    "reduce_window": lambda x, y: lax.reduce_window(x, np.float32(0), lambda a, b: a + 1 * b, (2,), (1,), "SAME"),
    "reduce_window_max": lambda x, y: lax.reduce_window(x, -np.inf, lax.max, (2,), (1,), "SAME"),
    "cumsum": lambda x, y: jnp.cumsum(x) - lax.cummax(y, reverse=True),
    "sort": lambda x, y: lax.sort((x, y), num_keys=2)[1] + jnp.sort(x),
    "while": lambda x, y: lax.while_loop(lambda c: c[0] < x[0], lambda c: (c[0] + 3, c[1] + y), (0.0, x))[1],
    "for": lambda x, y: lax.fori_loop(0, 3, lambda i, c: c + i * y, x),
    "scan": lambda x, y: lax.scan(lambda c, a: (c + a, c - a), y[0], x)[1],
    "scan_back": lambda x, y: lax.scan(lambda c, a: (c[::-1] + a, c.sum()), y, x, reverse=True)[1],
    "cond": lambda x, y: lax.cond(x[0] > 0, lambda a: a * 2, lambda a: a[::-1], y),
    "cond_known": lambda x, y: lax.cond(jnp.arange(3).sum() > 2, lambda: x + 1, lambda: y),
    "switch": lambda x, y: lax.switch(_index(x), [lambda: x, lambda: y + x, lambda: y * 2]),
    "custom_jvp": lambda x, y: _rectified(x) - y,
    "custom_vjp": lambda x, y: _doubled(y),
    "jit": lambda x, y: jax.jit(lambda a, b: a - b)(x, y),
    "remat": lambda x, y: jax.checkpoint(lambda a: jnp.abs(a) * a)(x),
    "grad": lambda x, y: jax.grad(lambda a: (_rectified(a) * _doubled(a) * y).sum())(x),
    "gather": lambda x, y: x[jnp.array([3, 0, 0, 2])] + y[jnp.argsort(x)],
    "gather_outside": lambda x, y: jnp.take(x, jnp.array([0, 9, 1, 2]), mode="fill", fill_value=5),
    "scatter": lambda x, y: x.at[2].set(y[0]).at[_index(y)].multiply(3),
    "scatter_add": lambda x, y: x.astype(int).at[jnp.array([1, 1, 9])].add(y[:3].astype(int)),
    "slice": lambda x, y: jnp.tile(lax.dynamic_slice(x, (_index(y),), (2,)), 2),
    "update_slice": lambda x, y: lax.dynamic_update_slice(x, y[:2], (_index(x),)),
    "shapes": lambda x, y: jnp.pad(jnp.outer(x, y).T[1, 1:3], 1) + jnp.roll(x, 1),
    "nothing": lambda x, y: jnp.concatenate([x[:0], y]) + x[:0].sum(),
    "concatenate": lambda x, y: jnp.concatenate([jnp.arange(2.0), x[1:3]]),
    "zeros": lambda x, y: x / jnp.where(y > 0, jnp.array([1.0, -0.0, 2.0, 0.0]), 1),
    "random": lambda x, y: jax.random.bits(_key(x), (4,), "uint8") + jax.random.bits(jax.random.key(3), (4,), "uint8"),
    "permutation": lambda x, y: jax.random.permutation(_key(y), x),
}  # fmt: skip
"""Of random programs: each makes ``[4]`` of two, or what broadcasts to it."""
PROGRAMS = st.lists(
    st.tuples(st.sampled_from(sorted(PIECES)), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8
)
Program = list[tuple[str, int, int]]


def _check_program(program: Program) -> None:
    """Whole numbers have no rounding, so that what compares, sorts or branches must be the same, too."""

    def fun(x: jax.Array, y: jax.Array) -> list[jax.Array]:
        values = [x, y]
        for name, i, j in program:
            value = jnp.asarray(PIECES[name](values[i % len(values)], values[j % len(values)]), jnp.float32)
            value = jnp.nan_to_num(value, nan=3, posinf=5, neginf=6)
            values.append(jnp.broadcast_to(jnp.mod(jnp.round(value), 16) - 8, (4,)))
        return values[2:]

    x, y = np.random.default_rng(0).integers(-8, 8, (2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(np.stack(lanes.vmap(fun)(x, y)), np.stack(jax.vmap(fun)(x, y)))


@settings(max_examples=4)
@given(PROGRAMS)
def test_a_random_program_is_vmap(program: Program) -> None:
    _check_program(program)


@pytest.mark.slow
@settings(max_examples=50)
@given(PROGRAMS)
def test_many_random_programs_are_vmap(program: Program) -> None:
    _check_program(program)


@pytest.mark.slow
@pytest.mark.parametrize("name", PIECES)
def test_every_piece_of_a_program_is_vmap(name: str) -> None:
    _check_program([(name, 0, 1), (name, 2, 1)])


def test_what_has_an_effect_has_it_for_each() -> None:
    seen: list[float] = []

    def fun(x: jax.Array) -> jax.Array:
        jax.debug.callback(lambda value: seen.append(float(value)), x[0])
        return x

    lanes.vmap(fun)(jnp.arange(6.0).reshape(3, 2))
    jax.effects_barrier()
    assert sorted(seen) == [0, 2, 4]


def test_batches_may_be_empty_and_must_be_alike() -> None:
    def fun(x: jax.Array, y: jax.Array) -> jax.Array:
        return x[0] * y

    assert lanes.vmap(fun)(jnp.ones((0, 2)), jnp.ones((0, 3))).shape == (0, 3)
    with pytest.raises(ValueError, match="too many values"):
        lanes.vmap(fun)(jnp.ones((4, 2)), jnp.ones((1, 3)))


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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["brax/inverted_pendulum", "brax/hopper", "brax/reacher"])
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
        if jnp.issubdtype(g.dtype, jax.dtypes.prng_key):
            g, w = jax.random.key_data(g), jax.random.key_data(w)
        np.testing.assert_allclose(np.asarray(g, np.float64), np.asarray(w, np.float64), rtol=1e-4, atol=atol)
