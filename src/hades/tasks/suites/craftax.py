"""Craftax (Matthews et al. 2024): an open world, in JAX."""

from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.tasks.control import ControlTask
from hades.tasks.environment import Later, Step
from hades.tasks.suites import SUITES, known, package, remembered, with_limit

PREFIX = "craftax/"
NAMES = ("Craftax-Symbolic-v1", "Craftax-Classic-Symbolic-v1", "Craftax-Pixels-v1", "Craftax-Classic-Pixels-v1")


def names() -> list[str]:
    """Its environments, where it is installed."""
    return [PREFIX + name for name in NAMES] if SUITES["craftax"].installed else []


@remembered
def make(name: str, max_steps: int | None = None, **options: Any) -> ControlTask:
    """One of its environments, as `names` lists them.

    Args:
        name: of the environment.
        max_steps: of an episode, in place of its own limit.
        options: fields of its parameters, such as ``zombie_health``.
    """
    known(name, names)
    told = with_limit(options, max_steps)
    later = Later(lambda: CraftaxEnvironment(name, with_limit(options, max_steps, "max_timesteps")))
    return ControlTask(name, later, told, {"craftax": version("craftax")}, registered=True)


class CraftaxEnvironment:
    """Craftax's step, without its auto-reset."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        made = package("craftax.craftax_env").make_craftax_env_from_name
        self.env: Any = made(name.removeprefix(PREFIX), auto_reset=False)
        default = self.env.default_params
        if unknown := [key for key in options if not hasattr(default, key)]:
            raise InputError(f"{name} has no option '{unknown[0]}'; it has {', '.join(vars(default))}")
        self.params = default.replace(**options)
        self.description, self.max_steps = type(self.env).__name__, int(self.params.max_timesteps)
        shape = self.env.observation_space(self.params).shape
        self.spec = Spec(tuple(map(int, shape)), int(self.env.action_space(self.params).n), discrete=True)

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """As `hades.tasks.environment.Environment`."""
        obs, state = self.env.reset_env(key, self.params)
        return state, jnp.asarray(obs, jnp.float32)

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """As `hades.tasks.environment.Environment`: its own limit is no end of the task."""
        obs, state, reward, done, _ = self.env.step_env(key, state, action, self.params)
        truncated = jnp.asarray(state.timestep >= self.max_steps)
        terminated = jnp.asarray(done, bool) & ~truncated
        return Step(state, jnp.asarray(obs, jnp.float32), jnp.asarray(reward, jnp.float32), terminated, truncated)
