"""gymnax (Lange 2022): classic control, MinAtar, bsuite and misc, and any environment with its API."""

from importlib.metadata import version
from typing import Any

import gymnax
import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.tasks.control import ControlTask, scale_action
from hades.tasks.environment import Step
from hades.tasks.suites import remembered


def names() -> list[str]:
    """Every registered environment."""
    return list(gymnax.registered_envs)


@remembered
def make(name: str, **options: Any) -> ControlTask:
    """A registered environment; options are fields of its parameters, such as ``max_steps_in_episode``."""
    try:
        env, params = gymnax.make(name)
    except OSError as error:  # MNISTBandit downloads its images when it is made
        raise InputError(f"gymnax cannot make '{name}' without fetching data ({error})") from None
    return from_environment(env, params, name, **options)


def from_environment(env: Any, params: Any = None, name: str | None = None, **options: Any) -> ControlTask:
    """Wrap any object with gymnax's `reset_env`, `step_env` and spaces."""
    missing = [m for m in ("reset_env", "step_env", "observation_space", "action_space") if not hasattr(env, m)]
    if missing:
        raise InputError(f"{type(env).__name__} does not have gymnax's API: it lacks {', '.join(missing)}")
    params = env.default_params if params is None else params
    unknown = [key for key in options if not hasattr(params, key)]
    if unknown:
        raise InputError(f"{name} has no option '{unknown[0]}'; it has {', '.join(vars(params))}")
    if options:
        params = params.replace(**options)
    return ControlTask(name or env.name, GymnaxEnvironment(env, params), options, {"gymnax": version("gymnax")})


class GymnaxEnvironment:
    """gymnax's pure step, without its auto-reset."""

    def __init__(self, env: Any, params: Any) -> None:
        self.env, self.params = env, params
        action_space, obs_space = env.action_space(params), env.observation_space(params)
        discrete = hasattr(action_space, "n")
        if discrete:
            num_actions = int(action_space.n)
        else:
            shape = jax.eval_shape(action_space.sample, jax.random.key(0)).shape
            if len(shape) != 1:
                raise InputError(f"{env.name} has actions of shape {shape}; a task needs one index or one vector")
            num_actions = shape[0]
            self.low = np.broadcast_to(np.asarray(action_space.low, np.float32), shape)
            self.high = np.broadcast_to(np.asarray(action_space.high, np.float32), shape)
        self.classes = int(obs_space.n) if hasattr(obs_space, "n") else None
        if self.classes is None and not hasattr(obs_space, "shape"):
            raise InputError(f"{env.name} has observations of several parts; a task needs one array")
        obs_shape = (self.classes,) if self.classes else tuple(obs_space.shape)
        self.spec = Spec(obs_shape, num_actions, discrete)
        self.max_steps = int(params.max_steps_in_episode)

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """As `hades.tasks.environment.Environment`."""
        obs, state = self.env.reset_env(key, self.params)
        return state, self._observation(obs)

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """As `hades.tasks.environment.Environment`."""
        if not self.spec.discrete:
            action = scale_action(action, self.low, self.high)
        obs, state, reward, terminated, _ = self.env.step_env(key, state, action, self.params)
        terminated = jnp.asarray(terminated, bool)  # some environments answer with Python's own
        truncated = jnp.asarray(self.env.is_truncated(state, self.params), bool) & ~terminated
        return Step(state, self._observation(obs), jnp.asarray(reward, jnp.float32), terminated, truncated)

    def _observation(self, obs: jax.Array) -> jax.Array:
        if self.classes:
            return jax.nn.one_hot(obs, self.classes)
        return jnp.asarray(obs, jnp.float32)
