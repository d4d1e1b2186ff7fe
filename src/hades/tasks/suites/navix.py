"""navix (Pignatelli et al. 2024): MiniGrid in JAX."""

from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.tasks.control import ControlTask
from hades.tasks.environment import Later, Step
from hades.tasks.faults import in_a_line
from hades.tasks.suites import SUITES, nearest, needed, package, remembered

PREFIX = "navix/"


def names() -> list[str]:
    """Its environments, where it is installed."""
    if not SUITES["navix"].installed:
        return []
    navix = package("navix")
    return [PREFIX + name for name in navix.registry()]


@remembered
def make(name: str, max_steps: int | None = None, **options: Any) -> ControlTask:
    """One of its environments, as `names` lists them; what is seen, the symbols of the cells, as one vector.

    Args:
        name: of the environment.
        max_steps: of an episode, in place of its own limit.
        options: as ``navix.make`` takes them.
    """
    needed("navix")
    nearest(name, names())
    told = options | ({} if max_steps is None else {"max_steps": max_steps})
    later = Later(lambda: NavixEnvironment(_made(name, told)))
    return ControlTask(name, later, told, {"navix": version("navix")}, registered=True)


def _made(name: str, options: dict[str, Any]) -> Any:
    navix = package("navix")
    try:
        return navix.make(name.removeprefix(PREFIX), **options)
    except Exception as error:  # such as an option that there is not
        raise InputError(f"{name} cannot be made: {in_a_line(error)}") from error


class NavixEnvironment:
    """navix's step, without its auto-reset."""

    def __init__(self, env: Any) -> None:
        self.env, self.max_steps, self.description = env, int(env.max_steps), type(env).__name__
        obs = jax.eval_shape(env.reset, jax.random.PRNGKey(0)).observation
        self.spec = Spec((obs.size,), int(env.action_space.maximum) + 1, discrete=True)

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """As `hades.tasks.environment.Environment`."""
        step = self.env.reset(jax.random.key_data(key))
        return step, self._seen(step)

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """As `hades.tasks.environment.Environment`."""
        del key  # the state has its own
        after = self.env._step(state, jnp.asarray(action, jnp.int32))
        return Step(after, self._seen(after), jnp.asarray(after.reward, jnp.float32), after.is_termination(),
                    after.is_truncation())  # fmt: skip

    def _seen(self, step: Any) -> jax.Array:
        return jnp.asarray(step.observation, jnp.float32).reshape(-1)
