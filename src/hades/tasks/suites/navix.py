"""navix (Pignatelli et al. 2024): MiniGrid in JAX."""

from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.tasks.control import ControlTask
from hades.tasks.environment import Later, Step
from hades.tasks.suites import SUITES, known, making, package, remembered, with_limit

PREFIX = "navix/"


def names() -> list[str]:
    """Its environments, where it is installed."""
    return [PREFIX + name for name in package("navix").registry()] if SUITES["navix"].installed else []


@remembered
def make(name: str, max_steps: int | None = None, **options: Any) -> ControlTask:
    """One of its environments, as `names` lists them; what is seen, the symbols of the cells, as one vector.

    Args:
        name: of the environment.
        max_steps: of an episode, in place of its own limit.
        options: as ``navix.make`` takes them.
    """
    known(name, names)
    told = with_limit(options, max_steps)
    later = Later(lambda: NavixEnvironment(_made(name, told)))
    return ControlTask(name, later, told, {"navix": version("navix")}, registered=True)


def _made(name: str, options: dict[str, Any]) -> Any:
    with making(name):
        return package("navix").make(name.removeprefix(PREFIX), **options)


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
