"""EnvPool (Weng et al. 2022): MuJoCo, dm_control, Atari, MetaWorld and more, by a pool of threads in C++."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from hades import runtime
from hades.dataset import Spec
from hades.tasks.control import bounds
from hades.tasks.dimensions import named
from hades.tasks.host import HostStep, HostTask, scaled
from hades.tasks.scenes import scene_of
from hades.tasks.suites import SUITES, known, making, package, remembered, with_limit
from hades.units import Units

PREFIX = "envpool/"


def names() -> list[str]:
    """Its environments, where it is installed."""
    there = package("envpool").list_all_envs() if SUITES["envpool"].installed else []
    return [PREFIX + name for name in sorted(there)]


@remembered
def make(name: str, max_steps: int | None = None, **options: Any) -> HostTask:
    """One of its environments, as `names` lists them.

    Args:
        name: of the environment.
        max_steps: of an episode, in place of its own limit.
        options: of the environment, as ``envpool.make_gymnasium`` takes them.
    """
    known(name, names)
    told = with_limit(options, max_steps)
    environment = EnvPoolEnvironment(name, with_limit(options, max_steps, "max_episode_steps"))
    return HostTask(name, environment, told, {"envpool": version("envpool")}, registered=True)


class EnvPoolEnvironment:
    """Pools of one environment, as `hades.tasks.host.HostEnvironment`.

    Seeds are given to a pool when it is made, so that each reset makes another one.
    """

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name, self.options, self.description = name, options, name
        first = self._pool(np.zeros(1, np.uint32))
        actions, obs = first.action_space, first.reset()[0]
        self.discrete = hasattr(actions, "n")
        self.obs_shape = self._seen(obs).shape[1:]
        number = int(actions.n) if self.discrete else int(np.prod(actions.shape))
        self.spec = Spec(self.obs_shape, number, self.discrete)
        units = Units()
        if not self.discrete:
            self.act_shape, self.act_type = actions.shape, actions.dtype
            self.low, self.high = bounds(name, np.reshape(actions.low, -1), np.reshape(actions.high, -1), (number,))
            units = Units.bounded(self.low, self.high)
        self.units = named(name, self.spec, units)
        self.scene = scene_of(name, self.spec, self.units)
        self.max_steps = int(first.spec.config.max_episode_steps)

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        """As many environments as there are seeds: observations ``[n, *obs]``."""
        self.pool: Any = self._pool(seeds)
        return self._seen(self.pool.reset()[0])

    def step(self, actions: np.ndarray) -> HostStep:
        """One step of every environment; one whose episode has ended begins anew, which nobody looks at."""
        obs, reward, terminated, truncated, _ = self.pool.step(self._scaled(actions))
        return HostStep(self._seen(obs), np.asarray(reward, np.float64), terminated, truncated)

    def _pool(self, seeds: np.ndarray) -> Any:
        kept = [int(seed) & 0x7FFFFFFF for seed in seeds]
        with making(self.name):
            return package("envpool").make_gymnasium(
                self.name.removeprefix(PREFIX), num_envs=len(kept), seed=kept, num_threads=runtime.cores(),
                **self.options,
            )  # fmt: skip

    def _scaled(self, actions: np.ndarray) -> np.ndarray:
        if self.discrete:
            return np.asarray(actions, np.int32)
        return np.asarray(scaled(actions, self.low, self.high), self.act_type).reshape(-1, *self.act_shape)

    @staticmethod
    def _seen(obs: Any) -> np.ndarray:
        """``[n, *obs]``: an array as it is, a dictionary's one after the other."""
        if isinstance(obs, Mapping):
            obs = np.concatenate([np.reshape(part, (len(part), -1)) for part in obs.values()], 1)
        if np.ndim(obs) == 4:  # pictures, whose channels come last
            obs = np.moveaxis(obs, 1, -1)
        return np.asarray(obs, np.float32).reshape(len(obs), *(np.shape(obs)[1:] or (1,)))
