"""Shared pieces: a task that is over in milliseconds, and small datasets."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import settings

import hades
from hades import runtime
from hades.dataset import Spec
from hades.tasks.control import ControlTask, Step

runtime.configure()
settings.register_profile("untimed", deadline=None)  # a test is not a benchmark, and machines are busy
settings.load_profile("untimed")


class Target:
    """Walk on a line for ten steps; the reward is minus the distance to the origin, the action a step."""

    spec = Spec((1,), 1, discrete=False)
    max_steps = 10

    def reset(self, key: jax.Array) -> tuple[Any, jax.Array]:
        x = jax.random.uniform(key, (1,), minval=-1, maxval=1)
        return (x, 0), x

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step:
        del key
        x, time = state
        x, time = x + 0.5 * action, time + 1
        return Step((x, time), x, -jnp.abs(x[0]), jnp.asarray(False), time >= self.max_steps)


def control(name: Any, **options: Any) -> ControlTask:
    """An environment, known to be one."""
    task = hades.make(name, **options)
    assert isinstance(task, ControlTask)
    return task


@pytest.fixture
def target() -> ControlTask:
    return ControlTask("target", Target())


@pytest.fixture
def cartpole_pairs() -> hades.Dataset:
    """Two pairs that solve CartPole: push towards where the pole falls."""
    state = np.asarray([[0, -0.5, -4, -4], [0, 0.5, 4, 4]], np.float32)
    return hades.Dataset(
        states=state, labels=np.eye(2), task="CartPole-v1", learner={"width": 32, "epochs": 64, "activation": "tanh"}
    )


@pytest.fixture
def continuous_pairs() -> hades.Dataset:
    rng = np.random.default_rng(0)
    return hades.Dataset(states=rng.normal(size=(5, 3)), actions=rng.uniform(-0.9, 0.9, size=(5, 2)), task="mine")
