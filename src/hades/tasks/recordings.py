"""An episode, step by step: to look at it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hades.aliases import PyTree

if TYPE_CHECKING:
    from hades.dataset import Spec
    from hades.tasks.host import HostEnvironment, HostStep


class Recording(NamedTuple):
    """T steps of one episode."""

    observations: np.ndarray
    """``[T, *obs]``, as the environment gave them."""
    actions: np.ndarray
    """What was done then: indices ``[T]``, or ``[T, act]`` in [-1, 1]."""
    rewards: np.ndarray
    """``[T]``, for it."""
    states: PyTree = None
    """The environment's own, leaves ``[T, ...]``, where it has any that can be kept."""

    @property
    def ret(self) -> float:
        """The return."""
        return float(self.rewards.sum())


@dataclass(eq=False)
class Recorder:
    """An environment outside JAX that remembers what one copy of it shows and is told."""

    inner: "HostEnvironment"
    observations: list[np.ndarray] = field(default_factory=list)
    actions: list[np.ndarray] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)

    @property
    def spec(self) -> "Spec":
        """The environment's."""
        return self.inner.spec

    @property
    def max_steps(self) -> int:
        """The environment's."""
        return self.inner.max_steps

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        """As `hades.tasks.host.HostEnvironment`."""
        shown = self.inner.reset(seeds)
        self.observations.append(np.array(shown[0]))
        return shown

    def step(self, actions: np.ndarray) -> "HostStep":
        """As `hades.tasks.host.HostEnvironment`."""
        out = self.inner.step(actions)
        self.actions.append(np.array(actions[0]))
        self.rewards.append(float(out.reward[0]))
        self.observations.append(np.array(out.obs[0]))
        return out

    def recording(self) -> Recording:
        """What there was, without the last observation, upon which nothing was done."""
        return Recording(np.stack(self.observations[:-1]), np.stack(self.actions), np.asarray(self.rewards))
