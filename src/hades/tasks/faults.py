"""What is wrong with an environment, by one reset and one step: found before anything starts, and told at once."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError, in_a_line
from hades.tasks.environment import Environment, Step

if TYPE_CHECKING:
    from hades.tasks.host import HostEnvironment

COPIES = 2
"""Of an environment outside JAX that are asked."""


def traced(environment: Environment, played: bool) -> list[str]:
    """Of an environment in JAX.

    Args:
        environment: which.
        played: look at what it gives, too, which compiles it; else at shapes and types alone.
    """
    wrong = list(_interface(environment))
    if wrong:
        return wrong
    spec, key = environment.spec, jax.random.key(0)
    action = jnp.zeros((), jnp.int32) if spec.discrete else jnp.zeros(spec.num_actions)
    what = "reset"
    try:
        state, obs = jax.eval_shape(environment.reset, key)
        what = "step"
        step = Step(*jax.eval_shape(environment.step, key, state, action))
    except Exception as error:  # of whoever wrote it
        return [f"{what} fails: {in_a_line(error)}"]
    wrong += _observations(obs, step.obs, spec.obs_shape, jnp.floating)
    wrong += _array("rewards", step.reward, (), jnp.floating)
    wrong += _array("terminated", step.terminated, (), jnp.bool_)
    wrong += _array("truncated", step.truncated, (), jnp.bool_)
    wrong += _differences(state, step.state)
    return wrong or (list(_played(environment, key, action)) if played else [])


def hosted(environment: "HostEnvironment") -> list[str]:
    """Of copies of an environment outside JAX."""
    wrong = list(_interface(environment))
    if wrong:
        return wrong
    spec, seeds = environment.spec, np.arange(COPIES, dtype=np.uint32)
    actions = np.zeros(COPIES, np.int32) if spec.discrete else np.zeros((COPIES, spec.num_actions), np.float32)
    what = "reset"
    try:
        obs = np.asarray(environment.reset(seeds))
        first = obs.copy()
        what = "step"
        after, reward, terminated, truncated = map(np.asarray, environment.step(actions))
        what = "a second reset"
        again = np.asarray(environment.reset(seeds))
    except InputError as error:  # says itself what fails
        return [str(error)]
    except Exception as error:  # of whoever wrote it
        return [f"{what} of {COPIES} copies fails: {in_a_line(error)}"]
    wrong += _observations(first, after, (COPIES, *spec.obs_shape), np.number)
    wrong += _array("rewards", reward, (COPIES,), np.number)
    wrong += _array("terminated", terminated, (COPIES,), np.bool_)
    wrong += _array("truncated", truncated, (COPIES,), np.bool_)
    if wrong:
        return wrong
    wrong += _finite({"reset's observations": first, "step's observations": after, "rewards": reward})
    return wrong if np.array_equal(first, again, equal_nan=True) else [*wrong, "the same seeds begin other episodes"]


def _interface(environment: "Environment | HostEnvironment") -> Iterator[str]:
    spec, steps = environment.spec, environment.max_steps
    if not isinstance(spec, Spec):
        yield f"spec must be a hades.dataset.Spec, not {type(spec).__name__}"
        return
    if not spec.obs_shape or not all(_counts(length) for length in spec.obs_shape):
        yield f"observations must have one axis or more, not the shape {list(spec.obs_shape)}"
    if not _counts(spec.num_actions):
        yield f"there must be one action or more, not {spec.num_actions}"
    if not _counts(steps):
        yield f"max_steps must be a whole number of steps, 1 or more, not {steps}"


def _counts(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) > 0


def _observations(first: Any, after: Any, shape: tuple[int, ...], kind: Any) -> list[str]:
    """What is wrong with reset's and step's, once where it is the same."""
    of_reset, of_step = (list(_array("observations", found, shape, kind)) for found in (first, after))
    if of_reset == of_step:
        return of_reset
    return [f"{what}'s {fault}" for what, faults in (("reset", of_reset), ("step", of_step)) for fault in faults]


def _array(what: str, found: Any, shape: tuple[int, ...], kind: Any) -> Iterator[str]:
    if not hasattr(found, "shape") or not hasattr(found, "dtype"):
        yield f"{what} are a {type(found).__name__}, not one array"
        return
    if tuple(found.shape) != tuple(shape):
        yield f"{what} are {list(found.shape)}, where {list(shape)} was to be"
    if not jnp.issubdtype(found.dtype, kind):
        yield f"{what} are {found.dtype}, not {_KINDS[kind]}"


_KINDS = {jnp.floating: "real numbers", np.number: "numbers", jnp.bool_: "true or false", np.bool_: "true or false"}


def _differences(before: PyTree, after: PyTree) -> Iterator[str]:
    """A loop carries the state: its parts must stay of one shape and type."""
    if jax.tree.structure(before) != jax.tree.structure(after):
        yield "the state that step returns is built otherwise than reset's"
        return
    for (path, old), new in zip(jax.tree_util.tree_leaves_with_path(before), jax.tree.leaves(after), strict=True):
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            kinds = [f"{leaf.dtype}{list(leaf.shape)}" for leaf in (old, new)]
            part = jax.tree_util.keystr(path) or "array"
            yield f"the state's {part} is {kinds[0]} after reset, {kinds[1]} after step"


def _played(environment: Environment, key: jax.Array, action: jax.Array) -> Iterator[str]:
    def play(key: jax.Array) -> dict[str, jax.Array]:
        state, obs = environment.reset(key)
        step = environment.step(key, state, action)
        return {"reset's observations": obs, "step's observations": step.obs, "rewards": step.reward}

    once, again = (jax.jit(lambda key: play(key)).lower(key) for _ in range(2))
    if once.as_text() != again.as_text():
        yield "it is another program each time: what it draws must come from the key alone, not from NumPy or Python"
    yield from _finite(jax.device_get(once.compile()(key)))


def _finite(found: Mapping[str, np.ndarray]) -> Iterator[str]:
    for what, values in found.items():
        if not np.isfinite(values).all():
            yield f"{what} are not all finite numbers"
