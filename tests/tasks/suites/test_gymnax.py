"""Every environment of gymnax, with observations, actions and ends as ours."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnax.environments.classic_control.pendulum import Pendulum
from tests.helpers import control

from hades.errors import InputError
from hades.tasks.suites import gymnax

KEY = jax.random.key(0)


@pytest.mark.parametrize("name", gymnax.names())
def test_every_gymnax_environment_plays(name: str) -> None:
    if name == "MNISTBandit-bsuite":
        pytest.skip("downloads its images")
    task = control(name)
    env = task.environment
    state, obs = jax.eval_shape(env.reset, KEY)
    action = jnp.zeros((), jnp.int32) if task.spec.discrete else jnp.zeros(task.spec.num_actions)
    step = jax.eval_shape(env.step, KEY, state, action)
    assert obs.shape == step.obs.shape == task.spec.obs_shape and obs.dtype == step.obs.dtype == jnp.float32
    assert step.reward.shape == () and step.reward.dtype == jnp.float32
    assert step.terminated.dtype == step.truncated.dtype == bool


def test_a_gymnax_environment_without_its_data_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("gymnax.make", fail)
    with pytest.raises(InputError, match="without fetching data"):
        control("MNISTBandit-bsuite")


def test_actions_are_scaled_to_the_environments_bounds() -> None:
    task = control("pendulum")
    state, _ = task.environment.reset(KEY)
    full = task.environment.step(KEY, state, jnp.ones(1))
    env, params = Pendulum(), Pendulum().default_params
    expected = env.step_env(KEY, state, jnp.full(1, 2.0), params)
    np.testing.assert_allclose(full.obs, expected[0], rtol=1e-6)
    np.testing.assert_allclose(full.reward, expected[2], rtol=1e-6)
