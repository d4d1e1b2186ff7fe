"""An environment of one's own with gymnax's API. Beside the helpers, for importing gymnax starts JAX."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from gymnax.environments import spaces
from gymnax.environments.environment import Environment, EnvParams, EnvState


@struct.dataclass
class WalkState(EnvState):
    """Where one is, and how long one has been walking."""

    time: Any
    x: jax.Array


@struct.dataclass
class WalkParams(EnvParams):
    """Of `Walk`."""

    max_steps_in_episode: int = 5
    pull: float = 1.0
    slope: Any = 0.0


class Walk(Environment[Any, Any]):
    """A walk of five steps on a line, where one is seen twice; the reward is the action as it arrives."""

    actions: Any = spaces.Box(-2.0, 2.0, (1,))
    observations: Any = spaces.Box(-9.0, 9.0, (2,))

    @property
    def default_params(self) -> WalkParams:
        """Five steps."""
        return WalkParams()

    def reset_env(self, key: jax.Array, params: Any) -> tuple[Any, Any]:
        """Somewhere on the line."""
        state = WalkState(time=jnp.zeros((), jnp.int32), x=jax.random.uniform(key, minval=-1.0))
        return jnp.stack([state.x, state.x]), state

    def step_env(self, key: jax.Array, state: Any, action: Any, params: Any) -> tuple[Any, ...]:
        """As far as one is pulled."""
        del key
        step = jnp.asarray(action, jnp.float32).reshape(-1)[0]
        state = WalkState(time=state.time + 1, x=state.x + params.pull * step)
        return jnp.stack([state.x, state.x]), state, step, jnp.asarray(False), {}

    def action_space(self, params: Any) -> Any:
        """Of the class, or what a test puts there."""
        return self.actions

    def observation_space(self, params: Any) -> Any:
        """Of the class, or what a test puts there."""
        return self.observations
