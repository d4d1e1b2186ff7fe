import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import control
from gymnax.environments.classic_control.pendulum import Pendulum
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hades import tasks
from hades.errors import InputError
from hades.tasks import gymnax_suite
from hades.tasks.control import ControlTask, Moments, identity_normaliser, merge_all

KEY = jax.random.key(0)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("cartpole", "CartPole-v1"),
        ("CartPole-v1", "CartPole-v1"),
        ("cart_pole", "CartPole-v1"),
        ("breakout", "Breakout-MinAtar"),
        ("space-invaders", "SpaceInvaders-MinAtar"),
        ("mountaincar-continuous", "MountainCarContinuous-v0"),
        ("mountaincar", "MountainCar-v0"),
        ("hopper", "brax/hopper"),
        ("brax/hopper", "brax/hopper"),
        ("inverted double pendulum", "brax/inverted_double_pendulum"),
        ("reacher", "brax/reacher"),
        ("Reacher-misc", "Reacher-misc"),
        ("catch", "Catch-bsuite"),
    ],
)
def test_names_are_forgiving(name: str, full: str) -> None:
    assert tasks.resolve(name) == full


def test_every_name_resolves_to_itself() -> None:
    names = tasks.names()
    assert len(names) == len(set(names)) and [tasks.resolve(name) for name in names] == names
    assert set(tasks.BRAX.values()) <= set(names)
    assert "Seaquest-MinAtar" in names and "brax/humanoid" in names


@pytest.mark.parametrize(("name", "nearest"), [("cartpol", "CartPole-v1"), ("hoper", "brax/hopper")])
def test_an_unknown_name_is_answered_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"did you mean {nearest}"):
        control(name)


@pytest.mark.parametrize("name", gymnax_suite.names())
def test_every_gymnax_environment_plays(name: str) -> None:
    if name == "MNISTBandit-bsuite":
        pytest.skip("downloads its images")
    task = control(name)
    env = task.environment
    state, obs = env.reset(KEY)
    action = jnp.zeros((), jnp.int32) if task.spec.discrete else jnp.zeros(task.spec.num_actions)
    step = env.step(KEY, state, action)
    assert obs.shape == step.obs.shape == task.spec.obs_shape and obs.dtype == step.obs.dtype == jnp.float32
    assert step.reward.shape == () and step.reward.dtype == jnp.float32
    assert step.terminated.dtype == step.truncated.dtype == bool


def test_a_gymnax_environment_without_its_data_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("gymnax.make", fail)
    with pytest.raises(InputError, match="without fetching data"):
        control("MNISTBandit-bsuite")


def test_bad_options_are_refused() -> None:
    with pytest.raises(InputError, match="unknown Brax backend 'bullet'"):
        control("hopper", backend="bullet")
    with pytest.raises(InputError, match="no option 'gravitas'"):
        control("pendulum", gravitas=3)
    with pytest.raises(InputError, match="does not have gymnax's API"):
        control(object())
    with pytest.raises(InputError, match="speed"):
        control("hopper", speed=3)


def test_an_option_reaches_the_environment() -> None:
    assert control("cartpole", max_steps_in_episode=7).environment.max_steps == 7


def test_an_environment_of_your_own() -> None:
    class Short(Pendulum):
        @property
        def default_params(self):  # type: ignore[override]
            return super().default_params.replace(max_steps_in_episode=5)  # type: ignore[attr-defined]

    task = control(Short())
    assert task.spec.num_actions == 1 and not task.spec.discrete
    assert int(_play(task).length) == 5


def _play(task: ControlTask, action: float = 0.0, key: jax.Array = KEY):
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


def test_actions_are_scaled_to_the_environments_bounds() -> None:
    task = control("pendulum")
    state, _ = task.environment.reset(KEY)
    full = task.environment.step(KEY, state, jnp.ones(1))
    env, params = Pendulum(), Pendulum().default_params
    expected = env.step_env(KEY, state, jnp.full(1, 2.0), params)
    np.testing.assert_allclose(full.obs, expected[0], rtol=1e-6)
    np.testing.assert_allclose(full.reward, expected[2], rtol=1e-6)


def test_a_batch_of_rollouts_equals_single_ones() -> None:
    task = control("cartpole")
    keys = jax.random.split(KEY, 6)
    batch = _play(task, key=keys)
    assert [float(r) for r in batch.ret] == [float(_play(task, key=k).ret) for k in keys]


@settings(max_examples=30)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 6), st.just(3)),
        elements=st.floats(-100, 100, width=32),
    )
)
def test_merged_moments_are_those_of_all_values(values: np.ndarray) -> None:
    batches = Moments(
        jnp.full(len(values), values.shape[1], jnp.float32),
        jnp.asarray(values.mean(1)),
        jnp.asarray(((values - values.mean(1, keepdims=True)) ** 2).sum(1)),
    )
    flat = values.reshape(-1, 3)
    one_by_one = Moments.zero((3,))
    for i in range(len(values)):
        one_by_one = one_by_one.merge(jax.tree.map(lambda x, i=i: x[i], batches))
    for merged in (merge_all(batches), one_by_one):
        assert float(merged.number) == len(flat)
        np.testing.assert_allclose(merged.mean, flat.mean(0), atol=1e-3)
        np.testing.assert_allclose(merged.m2 / len(flat), flat.var(0), atol=1e-1, rtol=1e-3)


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


def test_measured_statistics_leave_constants_unscaled() -> None:
    normaliser = control("breakout").measure(KEY, episodes=16)
    assert (normaliser.std > 0).all() and float(normaliser.std.max()) == 1.0


def test_making_a_task_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    control("halfcheetah")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["target", "cartpole", "breakout"])
def test_a_start_is_a_sample_of_observations(name: str, target: ControlTask) -> None:
    task = target if name == "target" else control(name)
    normaliser = identity_normaliser(task.spec)
    start = task.start("sample", 200, normaliser, KEY)
    assert start.shape == (200, *task.spec.obs_shape)
    np.testing.assert_array_equal(start, task.start("sample", 200, normaliser, KEY))
    np.testing.assert_array_equal(normaliser._replace(mean=start[0])(start), task.start(
        "sample", 200, normaliser._replace(mean=start[0]), KEY))  # fmt: skip
    measured = task.measure(KEY)  # over whole episodes: longer ones weigh more
    off = (np.asarray(start).mean(0) - measured.mean) / (measured.std + 1e-3)
    assert np.abs(off).max() < 1
    assert len(np.unique(np.asarray(start).reshape(200, -1), axis=0)) > 50
