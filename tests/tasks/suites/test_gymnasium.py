"""Gymnasium's environments, registered or somebody's own: what is made of them, who steps them, and how they fail."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers import hosted

import hades
from hades.errors import InputError
from hades.tasks import copies
from hades.tasks.copies import Copies
from hades.tasks.suites.gymnasium import GymnasiumEnvironment
from hades.tasks.workers import Workers

KEY = jax.random.key(0)
OWN = '''
import os, time
import numpy as np, gymnasium
from gymnasium import spaces


class Point(gymnasium.Env):
    """Drive to the origin. What goes wrong, and when, can be said."""

    def __init__(self, wrong: str = "", push: float = 0.5):
        self.wrong, self.push = wrong, push
        if wrong == "made":
            time.sleep(99)
        self.observation_space = spaces.Dict({"x": spaces.Box(-9, 9, (2,)), "side": spaces.Discrete(2)})
        self.action_space = spaces.Box(-2.0, 2.0, (2,), np.float64)

    def see(self):
        side = -1 if self.wrong == "index" else int(self.x[0] > 0)
        return {"x": self.x if self.wrong != "shape" else self.x[:1], "side": side}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self.see(), {}

    def step(self, action):
        if self.wrong == "raises":
            raise RuntimeError("the motor is broken")
        if self.wrong == "hangs":
            time.sleep(99)
        if self.wrong == "dies":
            os._exit(3)
        assert action.shape == (2,) and action.dtype == np.float64
        self.x = self.x + self.push * action.astype(np.float32)
        return self.see(), -float(np.abs(self.x).sum()), bool(np.abs(self.x).max() > 3), False, {}


def small(**options):
    return gymnasium.wrappers.TimeLimit(Point(**options), 7)


NOT_ONE = 3
'''


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A file with an environment of somebody's own."""
    file = tmp_path / "own_point.py"
    file.write_text(OWN)
    yield file


def test_what_is_registered_is_made_by_its_name() -> None:
    task = hosted("gymnasium/CartPole-v1")
    assert task.registered and task.own == "" and task.spec == hades.dataset.Spec((4,), 2, discrete=True)
    assert task.max_steps == 500 and hosted("gymnasium/CartPole-v1", max_steps=20).max_steps == 20
    assert task is hades.make("gymnasium/CartPole-v1") and "gymnasium" in task.versions
    hades.check(task)
    pendulum = hosted("gymnasium/Pendulum-v1", g=5.0)
    assert pendulum.options == {"g": 5.0} and not pendulum.spec.discrete
    assert hosted("gymnasium/FrozenLake-v1").spec.obs_shape == (16,)  # an index is one of n inputs


def test_episodes_are_those_of_a_plain_loop(own: Path) -> None:
    """By the same seeds and actions, whichever process steps them."""
    for name, options in [("gymnasium/Acrobot-v1", {}), (f"{own}:small", {"push": 0.2})]:
        task = hosted(name, **options)
        seeds, rng = np.arange(5, dtype=np.uint32), np.random.default_rng(0)
        obs = [task.environment.reset(seeds)]
        discrete = task.spec.discrete
        actions = [rng.integers(3, size=5) if discrete else rng.uniform(-1, 1, (5, 2)) for _ in range(6)]
        steps = [task.environment.step(np.asarray(a, np.int32 if discrete else np.float32)) for a in actions]
        made = gymnasium.make("Acrobot-v1") if discrete else copies.attribute("small", str(own))(push=0.2)
        seen = copies.flat(made.observation_space)
        assert seen is not None
        for i in range(5):
            np.testing.assert_array_equal(seen[1](made.reset(seed=i)[0]), obs[0][i])
            for action, step in zip(actions, steps, strict=True):
                scaled = action[i] if discrete else np.asarray(2 * np.float32(action[i]), np.float64)
                after, reward, *ends, _ = made.step(scaled)
                np.testing.assert_allclose(seen[1](after), step.obs[i], rtol=1e-5, atol=1e-6)
                np.testing.assert_allclose(float(reward), step.reward[i], rtol=1e-5)
                assert ends == [step.terminated[i], step.truncated[i]]


def test_an_object_is_stepped_here_as_a_reference_is_elsewhere(own: Path) -> None:
    made, seeds = copies.attribute("small", str(own)), np.arange(4, dtype=np.uint32)
    tasks = [hosted(f"{own}:small"), hosted(made()), hosted(made), hosted(gymnasium.make("CartPole-v1"))]
    assert isinstance(tasks[0].environment.engine, Workers)  # pyright: ignore[reportAttributeAccessIssue]
    assert not any(isinstance(task.environment.engine, Workers) for task in tasks[1:])  # pyright: ignore
    first, *others = [task.environment.reset(seeds) for task in tasks[:3]]
    assert all(np.array_equal(first, other) for other in others)
    for task in tasks:
        hades.check(task)
    assert tasks[0].own == "" and tasks[1].own == "Point" and tasks[0].name == "own_point.py:small"


def test_an_episode_that_has_ended_is_not_stepped_on() -> None:
    class Counting:
        observation_space, action_space = spaces.Box(0, 9, (1,)), spaces.Discrete(2, start=5)
        steps = 0

        def reset(self, seed: int) -> Any:
            self.left = seed
            return np.zeros(1), {}

        def step(self, action: int) -> Any:
            assert action in (5, 6)
            Counting.steps += 1
            self.left -= 1
            return np.full(1, self.left), 1.0, self.left == 0, False, {}

    task = hosted(Counting, max_steps=9)
    seeds = np.array([1, 2, 5], np.uint32)
    task.environment.reset(seeds)
    steps = [task.environment.step(np.array([0, 1, 1])) for _ in range(5)]
    assert Counting.steps == 8 and [list(step.terminated) for step in steps][-1] == [True, True, True]


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_observation_is_one_array_of_numbers(data: st.DataObject) -> None:
    """As long as the flat space says, whatever dictionaries and tuples it is in; text is left out."""
    leaf = st.sampled_from([
        spaces.Box(-1, 1, (2, 3)), spaces.Box(0, 255, (4,), np.uint8), spaces.Discrete(4, start=-1),
        spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(3), spaces.Box(-1, 1, ()),
    ])  # fmt: skip
    tree = st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(spaces.Dict),
            st.lists(inner, min_size=1, max_size=3).map(lambda x: spaces.Tuple(tuple(x))),
        ),
        max_leaves=5,
    )
    space: Any = data.draw(tree)
    found = copies.flat(space)
    assert found is not None
    shape, seen = found
    space.seed(data.draw(st.integers(0, 99)))
    row = seen(space.sample())
    assert row.shape == shape and row.dtype == np.float32 and np.isfinite(row).all()
    assert copies.flat(spaces.Dict({"mission": spaces.Text(9), "x": space})) is not None
    assert copies.flat(spaces.Text(9)) is None and copies.flat(spaces.Sequence(spaces.Discrete(2))) is None


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("gymnasium/CartPol-v1", {}, "there is no gymnasium/CartPol-v1; did you mean gymnasium/CartPole-v1"),
        ("gymnasium/CartPole-v1", {"speed": 3}, "gymnasium/CartPole-v1 cannot be made: TypeError"),
        ("gymnasium/CartPole-v1", {"x": [1]}, "options that are numbers, words or truth values"),
        ("gymnasium/Blackjack-v1", {}, r"episodes without a limit; give one: max_steps=1000"),
        (
            "gymnasium/procgen-coinrun-v0",
            {},
            "is of procgen, which is not installed; install it",
        ),
        ("{own}:Nothing", {}, "own_point.py has no Nothing; it has Point, small"),
        ("{own}:NOT_ONE", {}, r"own_point.py:NOT_ONE is no class or function .*\(its type is int\)"),
        ("{own}:os", {}, "os is no class or function that makes an environment"),
        ("{own}:Point", {}, "episodes without a limit"),
        ("{own}:Point", {"color": 1}, "no option 'color'; it takes wrong, push, max_steps, timeout"),
        ("{own}:Point", {"max_steps": 5, "wrong": "raises"}, "its step fails: RuntimeError: the motor is broken"),
        (
            "{own}:Point",
            {"max_steps": 5, "wrong": "hangs", "timeout": 0.5},
            r"step has not come back after 0.5 s",
        ),
        ("{own}:Point", {"max_steps": 5, "wrong": "dies"}, r"its process ended in step \(exit code 3\)"),
        (
            "{own}:Point",
            {"max_steps": 5, "wrong": "shape"},
            r"^[\w.]+:Point is not what it says: its reset fails: ValueError: an observation has the shape \[1\]",
        ),
        (
            "{own}:Point",
            {"max_steps": 5, "wrong": "index"},
            "the observation -1 is not in its space",
        ),
        ("elsewhere.py:Point", {}, "there is no file elsewhere.py; give where it is: PATH/elsewhere.py:NAME"),
        ("no.such.module:Point", {}, "there is no module no.such.module"),
        ("{broken}:Point", {}, r"broken.py is no Python: .* \(line 2\)"),
        ("{fails}:Point", {}, "fails.py cannot be imported: ZeroDivisionError"),
        ("{hangs}:Point", {"timeout": 0.5}, "hangs.py:Point: its import has not come back after 0.5 s"),
        (
            "{own}:Point",
            {"wrong": "made", "timeout": 0.5},
            "Point: its making has not come back after 0.5 s",
        ),
    ],
)
def test_what_cannot_be_is_told_in_a_line(own: Path, name: str, options: dict[str, Any], says: str) -> None:
    broken, fails, hangs = (own.with_name(f"{name}.py") for name in ("broken", "fails", "hangs"))
    broken.write_text("x = 1\ny = = 2\n")
    fails.write_text("1 / 0\n")
    hangs.write_text("while True: pass\n")
    began = time.monotonic()
    with pytest.raises(InputError, match=says) as told:
        hades.check(hades.make(name.format(own=own, broken=broken, fails=fails, hangs=hangs), **options))
    assert "Traceback" not in str(told.value) and time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("observations", "actions", "says"),
    [
        (spaces.Text(9), spaces.Discrete(2), "observations in a Text"),
        (spaces.Box(-1, 1, (2,)), spaces.MultiDiscrete([2, 2]), "actions in a MultiDiscrete"),
        (spaces.Box(-1, 1, (2,)), spaces.MultiBinary(2), "actions in a MultiBinary"),
        (spaces.Box(-1, 1, (2,)), spaces.Box(0, 9, (2,), np.int32), "actions in a Box of int32"),
        (spaces.Box(-1, 1, (2,)), spaces.Box(-np.inf, 1, (2,)), "bounds its action 0"),
    ],
)
def test_spaces_that_a_policy_cannot_have(observations: Any, actions: Any, says: str) -> None:
    class Odd:
        observation_space, action_space = observations, actions

        def reset(self, seed: int) -> Any: ...

    with pytest.raises(InputError, match=says):
        GymnasiumEnvironment("odd", Odd(), Odd, max_steps=3)


def test_what_is_registered_and_hangs_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import gymnasium, time\ngymnasium.register('Slow-v0', lambda: time.sleep(99), max_episode_steps=5)\n"
    (tmp_path / "slow_module.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"^gymnasium/slow_module:Slow-v0: its making has not come back after 0.5 s"):
        hades.make("gymnasium/slow_module:Slow-v0", timeout=0.5)


def test_an_object_that_hangs_is_told_as_well(own: Path) -> None:
    with pytest.raises(InputError, match=r"step has not come back after 0.5 s"):
        hades.check(copies.attribute("own_point.py:Point", str(own))("hangs"), max_steps=5, timeout=0.5)


def test_an_episode_with_an_observation_that_is_no_number_has_no_score() -> None:
    class Lost(gymnasium.Env[Any, Any]):
        observation_space, action_space = spaces.Box(-1, 1, (2,)), spaces.Discrete(2)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            self.time, self.lost = 0, (seed or 0) % 2
            return np.zeros(2), {}

        def step(self, action: Any) -> Any:
            self.time += 1
            return np.full(2, np.nan if self.time == 3 and self.lost else 0.0), 1.0, False, False, {}

    returns = hosted(Lost(), max_steps=6).play_randomly(KEY, 16).ret
    assert set(np.nan_to_num(np.asarray(returns[0]), nan=-1)) == {-1.0, 6.0}


def test_processes_end_with_whoever_asked_them(own: Path) -> None:
    task = hosted(f"{own}:small")
    task.environment.reset(np.arange(3, dtype=np.uint32))
    engine: Any = task.environment.engine  # pyright: ignore[reportAttributeAccessIssue]
    pids = [process.pid for process in engine.processes]
    os.kill(pids[0], signal.SIGKILL)
    with pytest.raises(InputError, match=r"its process ended in step \(signal 9\)"):
        task.environment.step(np.zeros((3, 2), np.float32))
    assert all(not alive(pid) for pid in pids)
    task.environment.reset(np.arange(3, dtype=np.uint32))  # others
    (pid, *_) = (process.pid for process in engine.processes)
    engine.close()
    assert not alive(pid)


def alive(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_copies_make_no_more_than_they_need() -> None:
    made = []

    def make() -> Any:
        made.append(gymnasium.make("CartPole-v1"))
        return made[-1]

    stepped = Copies(make)
    for number in (3, 2, 3):
        stepped.reset(np.arange(number), np.zeros((number, 4), np.float32))
    assert len(made) == 3


def test_a_file_is_remembered_by_where_it_was_and_what_it_said(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run finds it again, a dataset asks for it, and neither takes another for it."""
    monkeypatch.chdir(tmp_path)
    options: Any = {"population": 4, "inits": 1, "validate_inits": 2, "progress": False}
    result = hades.distill(f"{own}:small", size=2, generations=2, out="run", **options)
    assert hades.resume("run", generations=3, progress=False).metrics[-1]["generation"] == 3
    assert str(tmp_path) not in str(result.dataset.info)
    monkeypatch.chdir("/")
    with pytest.raises(InputError, match=r"own_point\.py:small is code of a file that is not here"):
        hades.evaluate(result.dataset, inits=1, episodes=1)
    assert np.isfinite(hades.evaluate(result.dataset, hades.make(f"{own}:small"), inits=1, episodes=1).mean)
    own.write_text(OWN.replace("-9, 9", "-8, 8"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        InputError,
        match=r"own_point.py:small has other code now than this was made on; go on with: --task FILE.py:small",
    ):
        hades.evaluate(result.dataset, inits=1, episodes=1)
    with pytest.raises(
        InputError,
        match=r"own_point.py:small has other code now than this was made on; go on with: the file as it was",
    ):
        hades.resume("run", generations=4, progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ppo", "SNES"])
def test_a_stopped_run_goes_on_as_if_nothing_had_been(own: Path, tmp_path: Path, strategy: str) -> None:
    """An actor's environments stand where they stood, though no file can hold them."""
    options: Any = {
        "strategy": strategy, "inits": 2, "validate_inits": 2, "validate_every": 2, "progress": False,
        "learner": {"width": 8, "epochs": 10}, "checkpoint_every": 0.0,
    }  # fmt: skip
    acting = {"strategy_options": {"environments": 3, "rollout": 5, "minibatches": 1}}
    options |= acting if strategy == "ppo" else {"population": 4}
    whole = hades.distill(f"{own}:small", size=2, generations=6, **options)
    hades.distill(f"{own}:small", size=2, generations=3, out=tmp_path / "run", **options)
    rest = hades.resume(tmp_path / "run", generations=6, progress=False)
    np.testing.assert_array_equal(whole.dataset.states, rest.dataset.states)
    assert whole.metrics[-1]["mean"] == rest.metrics[-1]["mean"]


def test_one_object_is_no_two_copies() -> None:
    shared = gymnasium.make("CartPole-v1")
    with pytest.raises(InputError, match="must make another one each time"):
        hades.check(hades.make(lambda: shared))
    changed: Any = gymnasium.make("CartPole-v1")
    changed.unwrapped.gravity = 1000.0
    engine: Any = hosted(changed).environment.engine  # pyright: ignore[reportAttributeAccessIssue]
    engine.reset(np.arange(2, dtype=np.uint32))
    assert [env.unwrapped.gravity for env in engine.copies.envs] == [1000.0, 1000.0]


@pytest.mark.parametrize("ends", [(False, {}), (False, {"x": 1})])
def test_a_step_of_the_old_api_is_told(ends: tuple[Any, ...]) -> None:
    class Old:
        observation_space, action_space = spaces.Box(0, 9, (1,)), spaces.Discrete(2)

        def reset(self, seed: int) -> Any:
            return np.zeros(1), {}

        def step(self, action: int) -> Any:
            return np.zeros(1), 0.0, *ends

    with pytest.raises(InputError, match=r"step fails: ValueError: not enough values to unpack"):
        hades.check(hades.make(Old, max_steps=3))


def test_what_exits_is_told(tmp_path: Path) -> None:
    file = tmp_path / "leaves.py"
    file.write_text("class Leaves:\n    def __init__(self):\n        raise SystemExit(0)\n")
    with pytest.raises(InputError, match=r"leaves.py:Leaves cannot be made: SystemExit: 0"):
        hades.make(f"{file}:Leaves")
    file.write_text("raise SystemExit(0)\n")
    with pytest.raises(InputError, match=r"leaves.py cannot be imported: SystemExit: 0"):
        hades.make(f"{file}:Leaves")
    with pytest.raises(InputError, match=r"leaves.py is a file; which environment of it\? give .*leaves.py:CLASS"):
        hades.make(str(file))


def test_a_file_finds_what_lies_beside_it(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own.with_name("imports_it.py").write_text("from own_point import small as mine\n")
    monkeypatch.chdir("/")
    before = list(sys.path)
    hades.check(hades.make(f"{own.with_name('imports_it.py')}:mine"))
    assert sys.path == before


@pytest.mark.parametrize("limit", [{"max_steps": 0}, {"max_steps": "abc"}, {"timeout": 0}, {"timeout": "abc"}])
def test_limits_are_numbers_whatever_the_suite(limit: dict[str, Any]) -> None:
    for name in ("gymnasium/CartPole-v1", "navix/Navix-Empty-5x5-v0", gymnasium.make("CartPole-v1")):
        with pytest.raises(InputError, match=f"{next(iter(limit))} must be a"):
            hades.make(name, **limit)


@pytest.mark.slow
def test_another_run_in_between_changes_nothing(tmp_path: Path) -> None:
    """Both play copies of one environment, by the same seed: each finds its own where it left them."""
    options: Any = {
        "strategy": "ppo", "inits": 2, "validate_inits": 2, "progress": False, "learner": {"width": 8, "epochs": 10},
        "strategy_options": {"environments": 3, "rollout": 5, "minibatches": 1}, "checkpoint_every": 0.0,
        "validate_every": 1,
    }  # fmt: skip
    whole = hades.distill("gymnasium/CartPole-v1", size=2, generations=4, **options)
    hades.distill("gymnasium/CartPole-v1", size=2, generations=2, out=tmp_path / "run", **options)
    hades.distill("gymnasium/CartPole-v1", size=3, generations=2, **options)
    rest = hades.resume(tmp_path / "run", generations=4, progress=False)
    np.testing.assert_array_equal(whole.dataset.states, rest.dataset.states)
