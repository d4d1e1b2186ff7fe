"""Batching for rigid bodies on CPU: every number of a function becomes a vector over the batch.

`jax.vmap` turns a body's ``[3]`` into ``[B, 3]``: XLA's innermost loops run over three numbers, so nothing is
vectorised, and a physics step of ten thousand slices, gathers and concatenations is mostly copying. `vmap` here
evaluates the function number by number instead, each one a vector ``[B]`` (a structure of arrays). Indexing and
reshaping then happen while tracing and cost nothing, terms with a constant 0 or 1 vanish, common subexpressions are
shared, and what is left is plain arithmetic on long vectors. Brax's hopper steps seven times faster on one core.

For functions of a few hundred numbers. Operations that it does not know are batched by `jax.vmap`.
"""

from collections.abc import Callable, Hashable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend import core

from hades.seeds import is_key
from hades.tasks.lane_arrays import Lanes, join, known, lanes_of, name_of, settled, split, spread, vector

ELEMENTWISE = """
abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp convert_element_type copy cos cosh div eq
erf erf_inv erfc exp exp2 expm1 floor ge gt integer_pow is_finite le lgamma log log1p logistic lt max min mul ne neg
nextafter not or pow reduce_precision rem round rsqrt select_n shift_left shift_right_arithmetic shift_right_logical
sign sin sinh sqrt square stop_gradient sub tan tanh xor
""".split()  # noqa: SIM905
CALLS = ("call", "closed_call", "custom_jvp_call", "custom_vjp_call", "eval_jaxpr", "jit", "remat2")
"""Functions called with the operands as they are, in older and newer versions of JAX; whatever else has a function
(`reduce`, a scatter) applies it."""
REDUCTIONS: dict[str, core.Primitive] = {
    "reduce_sum": lax.add_p,
    "reduce_prod": lax.mul_p,
    "reduce_max": lax.max_p,
    "reduce_min": lax.min_p,
    "reduce_and": lax.and_p,
    "reduce_or": lax.or_p,
}


def vmap(fun: Callable[..., Any]) -> Callable[..., Any]:
    """As `jax.vmap` over the leading axis of every argument and result; on an accelerator it is `jax.vmap`.

    The same function up to rounding, but for constants 0: an infinity or NaN times one is 0, and the sign of a zero
    that one is added to, or taken from, or multiplied by, may be another. Derivatives are those of what it computes:
    custom ones are lost.
    """

    def batched(*args: Any) -> Any:
        if jax.default_backend() != "cpu":
            return jax.vmap(fun)(*args)
        leaves, structure = jax.tree.flatten(jax.tree.map(jnp.asarray, args))
        (size,) = {x.shape[0] for x in leaves}
        closed, out = jax.make_jaxpr(lambda *xs: fun(*jax.tree.unflatten(structure, xs)), return_shape=True)(
            *(jax.ShapeDtypeStruct(x.shape[1:], x.dtype) for x in leaves)
        )
        lanes = [split(jnp.moveaxis(x, 0, -1)) for x in leaves]
        shapes, structure = jax.tree.flatten(out)
        results = [
            jnp.moveaxis(join(x, shape.dtype, size), -1, 0)
            for x, shape in zip(_Trace(size).run(closed, lanes), shapes, strict=True)
        ]
        return jax.tree.unflatten(structure, results)

    return batched


@dataclass(frozen=True)
class _Trace:
    """Evaluates a jaxpr on lanes; remembers every operation on a ``[B]``, to do it once."""

    size: int
    memo: dict[Hashable, Any] = field(default_factory=dict)

    def run(self, closed: core.ClosedJaxpr, args: list[Lanes]) -> list[Lanes]:
        jaxpr, values = closed.jaxpr, {}
        for var, constant in zip(jaxpr.constvars, closed.consts, strict=True):
            values[var] = known(constant, self.size)
        values.update(zip(jaxpr.invars, args, strict=True))

        def read(atom: Any) -> Lanes:
            return np.asarray(atom.val) if isinstance(atom, core.Literal) else values[atom]

        for eqn in jaxpr.eqns:
            values.update(zip(eqn.outvars, self.apply(eqn, [read(x) for x in eqn.invars]), strict=True))
        return [read(x) for x in jaxpr.outvars]

    def apply(self, eqn: core.JaxprEqn, ins: list[Lanes]) -> list[Lanes]:
        name, params = eqn.primitive.name, eqn.params
        if name in CALLS:
            inner: Any = params.get("jaxpr", params.get("call_jaxpr"))
            return self.run(inner if isinstance(inner, core.ClosedJaxpr) else core.ClosedJaxpr(inner, ()), ins)
        if name == "cond" and ins[0].dtype != object:
            return self.run(params["branches"][int(ins[0])], ins[1:])
        if name == "device_put":  # inside a program there is but one place
            return ins
        ins = [settled(x, _aval(var)) for x, var in zip(ins, eqn.invars, strict=True)]
        if all(x.dtype != object for x in ins):
            return self.constant(eqn, ins)
        ins = [spread(x, self.size) if is_key(x) else x for x in ins]  # beside lanes: numpy knows no keys
        if name == "scan":
            return self.scan(eqn, ins)
        if name in ELEMENTWISE:
            return [self.elementwise(eqn, ins)]
        if name in REDUCTIONS:
            return [self.reduce(REDUCTIONS[name], ins[0], params["axes"], _out(eqn))]
        if name == "dot_general" and {_aval(x).dtype for x in eqn.invars} == {_out(eqn).dtype} != {np.dtype(bool)}:
            return [self.dot(ins[0], ins[1], params["dimension_numbers"], _out(eqn))]
        if name == "scatter-add" and ins[1].dtype != object:
            return [self.scatter_add(eqn, *ins)]
        moved = _move(eqn, ins)
        return self.other(eqn, ins) if moved is None else [moved]

    def constant(self, eqn: core.JaxprEqn, ins: list[Lanes]) -> list[Lanes]:
        """Of constants: done once, while tracing, where it has no effect."""
        with nullcontext() if eqn.effects else jax.ensure_compile_time_eval():
            return [known(x, self.size) for x in _bind(eqn, *ins)]

    def elementwise(self, eqn: core.JaxprEqn, ins: list[Lanes]) -> Lanes:
        out = _out(eqn)
        dtypes = [_aval(x).dtype for x in eqn.invars]
        columns = [np.broadcast_to(x, out.shape).reshape(-1) for x in ins]
        settings = str(eqn.params) if eqn.params else ""
        values = [
            self.operate(eqn.primitive, row, dtypes, out.dtype, eqn.params, settings)
            for row in zip(*columns, strict=True)
        ]
        if not values or any(isinstance(value, jax.Array) for value in values):
            return lanes_of(values, out.shape)
        return np.asarray(values, out.dtype).reshape(out.shape)

    def operate(
        self,
        primitive: core.Primitive,
        row: tuple[Any, ...],
        dtypes: list[Any],
        dtype: Any,
        params: dict[str, Any] | None = None,
        settings: str = "",
    ) -> Any:
        """One operation on single lanes."""
        if (simple := _simplify(primitive.name, row, dtypes, dtype)) is not None:
            return simple
        # The operands are kept beside the result, or an id could come back as another's.
        key = (primitive.name, settings, *dtypes, *map(name_of, row, dtypes))
        if key not in self.memo:
            if any(isinstance(x, jax.Array) for x in row):
                vectors = [vector(x, dtype, self.size) for x, dtype in zip(row, dtypes, strict=True)]
                value = primitive.bind(*vectors, **(params or {}))
            else:
                with jax.ensure_compile_time_eval():
                    value = np.asarray(primitive.bind(*map(jnp.asarray, row, dtypes), **(params or {})))[()]
            self.memo[key] = row, value
        return self.memo[key][1]

    def fold(self, primitive: core.Primitive, values: list[Any], dtype: Any) -> Any:
        total = values[0]
        for value in values[1:]:
            total = self.operate(primitive, (total, value), [dtype, dtype], dtype)
        return total

    def reduce(self, primitive: core.Primitive, x: Lanes, axes: tuple[int, ...], out: Any) -> Lanes:
        rows = np.moveaxis(x, axes, range(len(axes))).reshape(prod(x.shape[i] for i in axes), -1).T
        return lanes_of([self.fold(primitive, list(row), out.dtype) for row in rows], out.shape)

    def dot(self, a: Lanes, b: Lanes, dimension_numbers: Any, out: Any) -> Lanes:
        (contract_a, contract_b), (batch_a, batch_b) = dimension_numbers

        def rows(x: Lanes, contract: tuple[int, ...], batch: tuple[int, ...]) -> Lanes:
            free = [i for i in range(x.ndim) if i not in (*contract, *batch)]
            x = x.transpose(*batch, *free, *contract)
            shape = [prod(x.shape[: len(batch)]), prod(x.shape[len(batch) : len(batch) + len(free)])]
            return x.reshape(*shape, prod(x.shape[len(batch) + len(free) :]))

        def product(x: Lanes, y: Lanes) -> Any:
            pairs = zip(x, y, strict=True)
            terms = [self.operate(lax.mul_p, pair, [out.dtype, out.dtype], out.dtype) for pair in pairs]
            return self.fold(lax.add_p, terms, out.dtype)

        left, right = rows(a, contract_a, batch_a), rows(b, contract_b, batch_b)
        values = [product(x, y) for xs, ys in zip(left, right, strict=True) for x in xs for y in ys]
        return lanes_of(values, out.shape)

    def scatter_add(self, eqn: core.JaxprEqn, x: Lanes, indices: Lanes, updates: Lanes) -> Lanes:
        """Where each update lands is found by scattering its one-hot."""
        out, dtype = x.astype(object).reshape(-1), _out(eqn).dtype
        zeros = np.zeros(x.shape, dtype)
        for hot, update in zip(np.eye(updates.size, dtype=dtype), updates.flat, strict=True):
            for i in np.flatnonzero(_constant(eqn, [zeros, indices, hot.reshape(updates.shape)])[0]):
                out[i] = self.fold(lax.add_p, [out[i], update], dtype)
        return out.reshape(x.shape)

    def scan(self, eqn: core.JaxprEqn, ins: list[Lanes]) -> list[Lanes]:
        """The loop stays a loop; every lane of its carry is carried by itself."""
        params, closed = eqn.params, eqn.params["jaxpr"]
        # By shapes, for JAX's names for these numbers change: what is stacked has one axis more outside the loop.
        carried_out = _same_rank(eqn.outvars, closed.jaxpr.outvars)
        carries = _same_rank(eqn.invars, closed.jaxpr.invars)
        starts = carries - carried_out
        avals = [_aval(var) for var in closed.jaxpr.invars]
        carried = avals[starts:carries]
        outs = [_aval(var) for var in closed.jaxpr.outvars][carried_out:]

        def vectors(lanes: list[Lanes]) -> list[list[jax.Array]]:
            return [[vector(v, aval.dtype, self.size) for v in x.flat] for x, aval in zip(lanes, carried, strict=True)]

        def lanes(vectors: list[list[jax.Array]]) -> list[Lanes]:
            return [lanes_of(v, aval.shape) for v, aval in zip(vectors, carried, strict=True)]

        def joined(lanes: list[Lanes], avals: list[Any]) -> list[jax.Array]:
            return [join(x, aval.dtype, self.size) for x, aval in zip(lanes, avals, strict=True)]

        def body(carry: list[list[jax.Array]], xs: list[jax.Array]) -> tuple[list[list[jax.Array]], list[jax.Array]]:
            out = _Trace(self.size).run(closed, [*ins[:starts], *lanes(carry), *map(split, xs)])
            return vectors(out[:carried_out]), joined(out[carried_out:], outs)

        xs = joined(ins[carries:], avals[carries:])
        carry, ys = lax.scan(
            body, vectors(ins[starts:carries]), xs, params["length"], params["reverse"], params["unroll"]
        )
        return [*lanes(carry), *map(split, ys)]

    def other(self, eqn: core.JaxprEqn, ins: list[Lanes]) -> list[Lanes]:
        """An operation without a rule of its own: whole arrays, batched by JAX."""
        axes = [-1 if x.dtype == object else None for x in ins]
        arrays = [
            join(x, _aval(var).dtype, self.size) if x.dtype == object else x
            for x, var in zip(ins, eqn.invars, strict=True)
        ]
        out = jax.vmap(lambda *xs: _bind(eqn, *xs), in_axes=axes, out_axes=-1)(*arrays)
        return [split(x) for x in out]


def _aval(atom: core.Var | core.Literal) -> Any:
    """Its shape and dtype."""
    return atom.aval


def _out(eqn: core.JaxprEqn) -> Any:
    """Shape and dtype of the only result."""
    return _aval(eqn.outvars[0])


def _same_rank(atoms: Sequence[Any], others: Sequence[Any]) -> int:
    """How many have as many axes as their counterparts."""
    return sum(_aval(x).ndim == _aval(y).ndim for x, y in zip(atoms, others, strict=True))


def _bind(eqn: core.JaxprEqn, *args: Any, **params: Any) -> list[Any]:
    out = eqn.primitive.bind(*map(jnp.asarray, args), **{**eqn.params, **params})
    return list(out) if eqn.primitive.multiple_results else [out]


def _constant(eqn: core.JaxprEqn, ins: list[Lanes], **params: Any) -> list[Lanes]:
    with jax.ensure_compile_time_eval():
        return [np.asarray(x) for x in _bind(eqn, *ins, **params)]


def _simplify(name: str, row: tuple[Any, ...], dtypes: list[Any], dtype: Any) -> Any:
    """What an operation is known to give without doing it; None if nothing is known."""
    if name == "copy" or (name == "convert_element_type" and dtypes[0] == dtype):
        return row[0]
    if name == "select_n" and not isinstance(row[0], jax.Array):
        return row[1 + int(row[0])]
    if name == "sub" and _is(row[1], 0):
        return row[0]
    if name in ("add", "mul"):
        for x, y in (row, row[::-1]):
            if _is(x, 0):
                return y if name == "add" else x
            if _is(x, 1) and name == "mul":
                return y
    return None


def _is(value: Any, constant: int) -> bool:
    return not isinstance(value, jax.Array) and value == constant


def _move(eqn: core.JaxprEqn, ins: list[Lanes]) -> Lanes | None:
    """Operations that only move numbers about; None if it is not one."""
    x, params = ins[0], eqn.params
    match eqn.primitive.name:
        case "reshape" | "squeeze" | "expand_dims":
            order = params.get("dimensions") if eqn.primitive is lax.reshape_p else None
            return x.transpose(order).reshape(_out(eqn).shape) if order else x.reshape(_out(eqn).shape)
        case "slice":
            bounds = params["start_indices"], params["limit_indices"], params["strides"] or (1,) * x.ndim
            return x[(*map(slice, *bounds), ...)]
        case "broadcast_in_dim":
            aligned = [1] * len(_out(eqn).shape)
            for size, axis in zip(x.shape, params["broadcast_dimensions"], strict=True):
                aligned[axis] = size
            return np.broadcast_to(x.reshape(aligned), _out(eqn).shape)
        case "transpose":
            return x.transpose(params["permutation"])
        case "concatenate":
            return np.concatenate([x.astype(object) for x in ins], params["dimension"])
        case "tile":
            return np.tile(x, params["reps"])
        case "rev":
            return np.flip(x, params["dimensions"])
        case "gather" if ins[1].dtype != object:
            positions = np.arange(x.size, dtype=np.int32).reshape(x.shape)
            index = _constant(eqn, [positions, ins[1]], fill_value=-1)[0]
            flat = x.reshape(-1)
            return lanes_of([flat[i] for i in index.flat], index.shape) if (index >= 0).all() else None
    return None
