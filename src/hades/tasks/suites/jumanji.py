"""Jumanji (Bonnet et al. 2024): routing, packing and puzzles, in JAX."""

import math
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.tasks.control import ControlTask, bounds, scale_action
from hades.tasks.environment import Later, Step
from hades.tasks.suites import SUITES, known, making, package, remembered, with_limit
from hades.units import Units

PREFIX = "jumanji/"
MAX_STEPS = 1000
"""Of episodes that have no limit of their own."""


def names() -> list[str]:
    """Its environments, where it is installed; those of several actions at once are refused when they are made."""
    there = package("jumanji").registered_environments() if SUITES["jumanji"].installed else []
    return [PREFIX + name for name in sorted(there)]


@remembered
def make(name: str, max_steps: int | None = None, **options: Any) -> ControlTask:
    """One of its environments, as `names` lists them; what is seen, all of it, as one vector.

    Args:
        name: of the environment.
        max_steps: of an episode; left out: its own ``time_limit``, or 1,000.
        options: as ``jumanji.make`` takes them.
    """
    known(name, names)
    told = with_limit(options, max_steps)
    later = Later(lambda: JumanjiEnvironment(name, max_steps, options))
    return ControlTask(name, later, told, {"jumanji": version("jumanji")}, registered=True)


class JumanjiEnvironment:
    """Jumanji's step, which ends episodes and begins none."""

    def __init__(self, name: str, max_steps: int | None, options: dict[str, Any]) -> None:
        with making(name):
            self.env: Any = package("jumanji").make(name.removeprefix(PREFIX), **options)
        self.description = type(self.env).__name__
        self.max_steps = int(max_steps or getattr(self.env, "time_limit", None) or MAX_STEPS)
        seen = jax.eval_shape(self.env.reset, jax.random.PRNGKey(0))[1].observation
        shape = (sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(seen)),)
        actions = self.env.action_spec
        if np.ndim(getattr(actions, "num_values", [])) == 0:
            self.spec = Spec(shape, int(actions.num_values), discrete=True)
        elif jnp.issubdtype(getattr(actions, "dtype", int), jnp.floating) and len(actions.shape) == 1:
            self.spec = Spec(shape, actions.shape[0], discrete=False)
            self.low, self.high = bounds(name, actions.minimum, actions.maximum, actions.shape)
            self.units = Units.bounded(self.low, self.high)
        else:
            raise InputError(f"{name} has actions of {type(actions).__name__}; a task needs one index or one vector")

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """As `hades.tasks.environment.Environment`."""
        state, first = self.env.reset(jax.random.key_data(key))
        return (state, jnp.zeros((), jnp.int32)), _seen(first)

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """As `hades.tasks.environment.Environment`; an end without a discount is a truncation."""
        del key  # the state has its own
        action = action if self.spec.discrete else scale_action(action, self.low, self.high)
        inner, time = state
        (inner, after), time = self.env.step(inner, action), time + 1
        terminated = after.last() & (after.discount == 0)
        truncated = (after.last() | (time >= self.max_steps)) & ~terminated
        return Step((inner, time), _seen(after), jnp.asarray(after.reward, jnp.float32), terminated, truncated)


def _seen(step: Any) -> jax.Array:
    return jnp.concatenate([jnp.asarray(x, jnp.float32).reshape(-1) for x in jax.tree.leaves(step.observation)])
