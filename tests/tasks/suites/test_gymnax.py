"""Every environment of gymnax, and of one's own, with observations, actions and ends as ours."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium import spaces as gym_spaces
from gymnax.environments import spaces
from gymnax.environments.classic_control.pendulum import Pendulum
from gymnax.wrappers.purerl import FlattenObservationWrapper, GymnaxWrapper, LogWrapper, StickyActionWrapper
from tests.helpers import Target, control
from tests.walk import Walk

from hades.errors import InputError
from hades.tasks.suites import gymnax

KEY = jax.random.key(0)


def test_its_names_are_known_without_importing_it() -> None:
    from gymnax import registration

    assert list(gymnax.NAMES) == registration._BUILTIN_ENV_IDS


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


class Scaled(GymnaxWrapper):
    """A tenth of the reward."""

    def step(self, key: jax.Array, state: Any, action: Any, params: Any = None) -> tuple[Any, ...]:
        obs, state, reward, *rest = self._env.step(key, state, action, params)
        return obs, state, 0.1 * reward, *rest


class Before(Scaled):
    """As gymnax answered before 1.0."""

    def step(self, key: jax.Array, state: Any, action: Any, params: Any = None) -> tuple[Any, ...]:
        obs, state, reward, terminated, truncated, info = super().step(key, state, action, params)
        return obs, state, reward, terminated | truncated, info


class Inside(Walk):
    """A tenth of the reward, by a step of its own around the one that it inherits."""

    def step(self, key: jax.Array, state: Any, action: Any, params: Any = None) -> tuple[Any, ...]:  # type: ignore
        obs, state, reward, *rest = super().step(key, state, action, params)
        return obs, state, 0.1 * reward, *rest


class Elsewhere(Walk):
    """Episodes begin far away."""

    def reset(self, key: jax.Array, params: Any = None) -> tuple[Any, Any]:  # type: ignore[override]
        _, state = super().reset(key, params)
        return jnp.full(2, 7.0), state.replace(x=jnp.asarray(7.0))


def _rewards(env: Any, steps: int = 7) -> list[tuple[float, bool, bool, float]]:
    """Rewards, ends and what is seen of full steps to the right, past the end of an episode."""
    made = control(env).environment
    state, _ = jax.jit(made.reset)(KEY)
    step, seen = jax.jit(made.step), []
    for _ in range(steps):
        state, obs, *outcome = step(KEY, state, jnp.ones(1))
        seen.append((*(x.item() for x in outcome), obs[0].item()))
    return seen


def test_a_step_of_its_own_is_called() -> None:
    plain = _rewards(Walk())
    assert [reward for reward, *_ in plain] == [2.0] * 7 and [cut for _, _, cut, _ in plain][:5] == [False] * 4 + [
        True
    ]
    for env in (Scaled(Walk()), Inside(), Scaled(LogWrapper(Walk()))):
        scaled = _rewards(env)
        assert [reward for reward, *_ in scaled] == pytest.approx([0.2] * 7)
        # Until the end the same is seen, the episode's last observation too; then it has begun anew.
        assert [rest for _, *rest in scaled[:5]] == [rest for _, *rest in plain[:5]]
    old = _rewards(Before(Walk()))
    assert [(reward, ended) for reward, ended, *_ in old[:5]] == [(pytest.approx(0.2), i == 4) for i in range(5)]


def test_a_reset_of_its_own_is_called() -> None:
    assert control(Elsewhere()).environment.reset(KEY)[1].tolist() == [7.0, 7.0]
    assert control(GymnaxWrapper(Elsewhere())).environment.reset(KEY)[1].tolist() == [7.0, 7.0]


def test_wrappers_of_gymnax_change_what_is_played() -> None:
    flat = control(FlattenObservationWrapper(gymnax._registered("Catch-bsuite")))
    assert flat.spec.obs_shape == (50,) and not flat.faults
    env = Walk()
    env.actions = spaces.Discrete(3)
    sticky = control(StickyActionWrapper(env, 1.0)).environment
    state, _ = sticky.reset(KEY)
    assert sticky.step(KEY, state, jnp.int32(2)).reward == 0  # that of the action before the first


@pytest.mark.parametrize("space", [gym_spaces.Discrete(3, start=5), gym_spaces.Discrete(3, start=-1)])
def test_discrete_actions_and_observations_may_start_anywhere(space: gym_spaces.Discrete) -> None:
    env = Walk()
    env.actions, env.observations = space, gym_spaces.Discrete(3, start=4)
    env.reset_env = lambda key, params: (jnp.int32(6), Walk.reset_env(env, key, params)[1])  # type: ignore
    task = control(env)
    assert task.spec == ((3,), 3, True)
    state, obs = task.environment.reset(KEY)
    np.testing.assert_array_equal(obs, [0, 0, 1])
    env.step_env = lambda *args: (jnp.int32(4), *Walk.step_env(env, *args)[1:])  # type: ignore[method-assign]
    rewards = [task.environment.step(KEY, state, jnp.int32(action)).reward.item() for action in range(3)]
    assert rewards == [space.start, space.start + 1, space.start + 2]


@pytest.mark.parametrize(
    ("low", "high", "reached"),
    [(-2, 2, 2), (0, 10, 10), (-np.inf, np.inf, 1), (-3.4e38, 3.4e38, 1), (-np.finfo(float).max, np.inf, 1)],
)
def test_bounds_of_actions_are_what_a_policy_spans(low: float, high: float, reached: float) -> None:
    env = Walk()
    env.actions = spaces.Box(low, high, (1,))
    step = control(env).environment
    state, _ = step.reset(KEY)
    assert step.step(KEY, state, jnp.ones(1)).reward == reached
    assert step.step(KEY, state, -jnp.ones(1)).reward == (low if reached == high else -reached)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (spaces.Box(0.0, np.inf, (1,)), "bounds its action 0 by 0 and inf; give what a policy should span"),
        (spaces.Box(jnp.array([-1.0, -3.4e38]), jnp.ones(2), (2,)), "bounds its action 1 by -3.4e"),
        (spaces.Box(-1e9, 1e9, (1,)), "both sides finite and within"),
        (spaces.Box(1.0, -1.0, (1,)), "bounds its action 0 by 1 and -1"),
        (spaces.Box(np.nan, 1.0, (1,)), "bounds its action 0 by nan"),
        (spaces.Box(0, 255, (1,), jnp.int32), "actions in a Box of int32"),
        (spaces.Box(-1.0, 1.0, (2, 2)), r"actions of shape \[2, 2\]"),
        (gym_spaces.MultiDiscrete([3, 2]), "actions in a MultiDiscrete; a task needs a Box or a Discrete space"),
        (gym_spaces.MultiBinary(3), "actions in a MultiBinary"),
        (spaces.Dict({"a": spaces.Discrete(2)}), "actions in a Dict"),
        (spaces.Tuple([spaces.Discrete(2)]), "actions in a Tuple"),
        (gym_spaces.Text(3), "actions in a Text"),
    ],
)
def test_actions_that_a_policy_cannot_have_are_refused(actions: Any, message: str) -> None:
    env = Walk()
    env.actions = actions
    with pytest.raises(InputError, match=message):
        control(env)


@pytest.mark.parametrize(
    "observations",
    [gym_spaces.MultiBinary(3), spaces.Dict({"a": spaces.Discrete(2)}), gym_spaces.MultiDiscrete([2, 2])],
)
def test_observations_that_a_policy_cannot_have_are_refused(observations: Any) -> None:
    env = Walk()
    env.observations = observations
    with pytest.raises(InputError, match=f"observations in a {type(observations).__name__}; a task needs a Box or"):
        control(env)


def test_what_an_environment_raises_is_told_in_a_line() -> None:
    class Broken(Walk):
        def action_space(self, params: Any) -> Any:
            raise NotImplementedError

    with pytest.raises(InputError, match="Broken's action_space fails: NotImplementedError: no message"):
        control(Broken())
    with pytest.raises(InputError, match="episodes without a limit: its parameters need max_steps_in_episode"):
        control(Walk(), params=object())


def test_a_parameter_that_is_a_number_is_an_option() -> None:
    """What a file can hold is held; the environment is then made again by its name."""
    params = Pendulum().default_params.replace(max_torque=jnp.float32(3), g=4.5)  # type: ignore[attr-defined]
    for task in (control(Pendulum(), params=params), control("pendulum", params=params)):
        assert task.origin == {"task_options": {"max_torque": 3.0, "g": 4.5}}
        again = control(task.name, **task.options)
        state, _ = task.environment.reset(KEY)
        for got, want in zip(again.environment.step(KEY, state, jnp.ones(1)),
                             task.environment.step(KEY, state, jnp.ones(1)), strict=True):  # fmt: skip
            jax.tree.map(np.testing.assert_array_equal, got, want)


def test_what_no_file_can_hold_is_somebodys_own() -> None:
    class Windy(Pendulum):
        pass

    patched = Pendulum()
    patched.step_env = lambda *args: Pendulum.step_env(patched, *args)  # type: ignore[method-assign]
    for env, own in [
        (Windy(), "Windy(obs_shape=[3])"),
        (patched, "Pendulum(obs_shape=[3], step_env="),
        (StickyActionWrapper(gymnax._registered("Catch-bsuite"), 0.25),
         "StickyActionWrapper(env=Catch(rows=10, columns=5), sticky_action_prob=0.25"),
        (type(gymnax._registered("Catch-bsuite"))(rows=7), "Catch(rows=7, columns=5)"),
    ]:  # fmt: skip
        assert control(env).own.startswith(own)
    assert control("acrobot", available_torque=jnp.array([-2.0, 0, 2.0])).own.startswith(
        "Acrobot(obs_shape=[6]) with {available_torque=float32[3]#"
    )
    assert control("pendulum").own == control(Pendulum()).own == control(gymnax._registered("Catch-bsuite")).own == ""
    assert control(Walk(), pull=2.0).options == {"pull": 2.0} and control(Walk(), slope=np.ones(3)).options == {}
    assert control(Walk(), slope=np.ones(3)).own != control(Walk(), slope=np.zeros(3)).own


def test_what_has_another_api_is_told_how_it_comes_in() -> None:
    class Braxlike:
        action_size = observation_size = 3

    class Half:
        def step_env(self) -> None: ...

    for env, how in [
        (Braxlike(), "Braxlike is none of Brax's environments: AttributeError"),
        (object(), "object is no environment"),
        (Half(), "lacks reset_env, observation_space, action_space; that of Gymnasium or Brax does"),
        (Target(), "ControlTask"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=how):
            control(env)
