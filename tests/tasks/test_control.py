"""Control: rollouts are whole episodes, and what is seen in them is counted rightly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnax.environments.classic_control.pendulum import Pendulum
from tests.helpers import control

from hades.normalisers import identity_normaliser
from hades.tasks.base import Episode
from hades.tasks.control import ControlTask

KEY = jax.random.key(0)


def test_an_environment_of_your_own() -> None:
    class Short(Pendulum):
        @property
        def default_params(self):  # type: ignore[override]
            return super().default_params.replace(max_steps_in_episode=5)  # type: ignore[attr-defined]

    task = control(Short())
    assert task.spec.num_actions == 1 and not task.spec.discrete
    assert int(_play(task).length) == 5


def _play(task: ControlTask, action: float = 0.0, key: jax.Array = KEY) -> Episode:
    def policy(params: None, obs: jax.Array, key: jax.Array) -> jax.Array:
        return jnp.int32(action) if task.spec.discrete else jnp.full(task.spec.num_actions, action)

    episode = jax.jit(lambda k: task.rollout(policy, None, identity_normaliser(task.spec), k))(key.reshape(1, -1))
    return jax.tree.map(lambda x: x[0, 0] if key.ndim == 0 else x[0], episode)


def test_a_rollout_is_one_whole_episode_step_by_step() -> None:
    """Against a plain loop: the masked chunks neither drop nor add a reward."""
    task = control("cartpole")
    env = task.environment
    reset_key, key = jax.random.split(KEY)
    state, _ = env.reset(reset_key)
    total, length, ended = 0.0, 0, False
    step = jax.jit(env.step)
    while not ended:
        keys = jax.random.split(jax.random.fold_in(key, length // 32), (32, 2))[length % 32]
        state, _, reward, terminated, truncated = step(keys[1], state, jnp.int32(0))
        total, length, ended = total + float(reward), length + 1, bool(terminated | truncated)
    episode = _play(task)
    assert (float(episode.ret), int(episode.length), bool(episode.terminated)) == (total, length, True)
    assert 0 < length < 20


def test_truncation_is_not_termination() -> None:
    pendulum = _play(control("pendulum"))
    assert int(pendulum.length) == 200 and not bool(pendulum.terminated)


def test_freeway_is_played_to_its_own_limit() -> None:
    episode = _play(control("freeway"), action=1)  # walk up
    assert int(episode.length) == 2500 and not bool(episode.terminated)
    assert float(episode.ret) > 0


def test_a_batch_of_rollouts_equals_single_ones() -> None:
    task = control("cartpole")
    keys = jax.random.split(KEY, 6)
    batch = _play(task, key=keys)
    assert [float(r) for r in batch.ret] == [float(_play(task, key=k).ret) for k in keys]


def test_a_watched_rollout_sees_what_happened() -> None:
    task = control("mountaincar")
    identity = identity_normaliser(task.spec)

    def policy(params: None, obs: jax.Array, key: jax.Array) -> jax.Array:
        return jnp.int32(2)

    seen = jax.jit(lambda k: task.rollout(policy, None, identity, k, watch=True).seen)(KEY.reshape(1, 1))
    seen = jax.tree.map(lambda x: x[0, 0], seen)
    state, obs = task.environment.reset(jax.random.split(KEY)[0])
    states = []
    for _ in range(200):
        states.append(np.asarray(obs))
        state, obs, *_ = task.environment.step(KEY, state, jnp.int32(2))
    assert float(seen.number) == 200
    np.testing.assert_allclose(seen.mean, np.mean(states, 0), rtol=1e-4)
    np.testing.assert_allclose(seen.normaliser().std, np.std(states, 0), rtol=1e-3)


@pytest.mark.parametrize("name", ["target", "cartpole", "breakout"])
def test_a_start_is_a_sample_of_observations(name: str, target: ControlTask) -> None:
    task = target if name == "target" else control(name)
    normaliser = identity_normaliser(task.spec)
    start = task.start("sample", 200, normaliser, KEY)
    assert start.shape == (200, *task.spec.obs_shape)
    np.testing.assert_array_equal(start, task.start("sample", 200, normaliser, KEY))
    np.testing.assert_array_equal(normaliser._replace(mean=start[0])(start), task.start(
        "sample", 200, normaliser._replace(mean=start[0]), KEY))  # fmt: skip
    measured = task.measure(KEY).normaliser()  # over whole episodes: longer ones weigh more
    off = (np.asarray(start).mean(0) - measured.mean) / (measured.std + 1e-3)
    assert np.abs(off).max() < 1
    assert len(np.unique(np.asarray(start).reshape(200, -1), axis=0)) > 50
