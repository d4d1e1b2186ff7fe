"""MuJoCo Playground (Zakka et al. 2025), Brax's maintained successor: its environments by MuJoCo's physics in JAX."""

from importlib.metadata import version
from typing import Any

import jax

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.tasks.control import ControlTask
from hades.tasks.copies import quiet
from hades.tasks.environment import Later, Step
from hades.tasks.scenes import scene_of
from hades.tasks.suites import SUITES, known, making, package, remembered, with_limit
from hades.tasks.suites.brax import BraxEnvironment
from hades.units import Units

PREFIX = "playground/"


def names() -> list[str]:
    """Its environments, where it is installed; those of manipulation and locomotion download their robots first."""
    return [PREFIX + name for name in _registry().ALL_ENVS] if SUITES["playground"].installed else []


@remembered
def make(name: str, max_steps: int | None = None, **options: Any) -> ControlTask:
    """One of its environments, as `names` lists them.

    Args:
        name: of the environment.
        max_steps: of an episode, in place of its own limit.
        options: fields of its configuration, such as ``ctrl_dt``.
    """
    known(name, names)
    bare = name.removeprefix(PREFIX)
    steps = max_steps or int(_registry().get_default_config(bare).episode_length)
    told = with_limit(options, max_steps)
    later = Later(lambda: _Observed(name, _loaded(name, options), steps))
    return ControlTask(name, later, told, {"playground": version("playground"), "mujoco-mjx": version("mujoco-mjx")},
                       registered=True)  # fmt: skip


def _loaded(name: str, options: dict[str, Any]) -> Any:
    with making(name):  # or not: a robot cannot be downloaded
        return _registry().load(name.removeprefix(PREFIX), config_overrides={"impl": "jax", **options})


def _registry() -> Any:
    with quiet():
        return package("mujoco_playground").registry


class _Observed(BraxEnvironment):
    """With the part of its observations that a policy sees, where there are several."""

    def __init__(self, name: str, env: Any, max_steps: int) -> None:
        size = env.observation_size
        self.part = "state" if isinstance(size, dict) else None
        self.env, self.max_steps, self.description = env, max_steps, type(env).__name__
        obs = self._seen(jax.eval_shape(env.reset, jax.random.PRNGKey(0)).obs)
        self.spec, self.units = Spec(tuple(obs.shape), env.action_size, discrete=False), Units()
        self.scene = scene_of(name, self.spec, self.units, env)

    def _seen(self, obs: Any) -> Any:
        return obs if self.part is None else obs[self.part]

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """As `hades.tasks.environment.Environment`."""
        state, obs = super().reset(key)
        return state, self._seen(obs)

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """As `hades.tasks.environment.Environment`."""
        out = super().step(key, state, action)
        return out._replace(obs=self._seen(out.obs))
