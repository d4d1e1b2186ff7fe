"""PPO of the pairs: its pieces against plain Python, and whole runs of toys."""

from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers import Target

import hades
from hades import checkpoints, presets
from hades.config import Config
from hades.dataset import Spec
from hades.distillation import configured
from hades.learner.recipe import Learner
from hades.learner.recipes import CONTINUOUS, DISCRETE
from hades.search import Search
from hades.seeds import is_key, untyped
from hades.strategies import Oracle, Settings, Solution
from hades.strategies.actors import Critic, Returns, mean_clipped
from hades.strategies.ppo import PPO, PPOState
from hades.tasks.control import ControlTask
from hades.tasks.environment import Step
from hades.tasks.rollouts import Trajectory

KEY = jax.random.key(0)
ACTORS = 2, 3
OPTIONS: dict[str, Any] = {
    "size": 2, "strategy": "ppo", "inits": 2, "normaliser": "none", "validate_inits": 4, "start": "random",
    "learner": {"width": 16, "epochs": 12}, "strategy_options": {"rollout": 20, "environments": 16}, "progress": False,
}  # fmt: skip


class Levers:
    """Two levers, of which the one that the observation shows gives a reward; an episode has five steps."""

    spec = Spec((2,), 2, discrete=True)
    max_steps = 5

    def reset(self, key: jax.Array) -> tuple[Any, jax.Array]:
        """One of both is shown."""
        shown = jax.nn.one_hot(jax.random.bernoulli(key).astype(int), 2)
        return (shown, 0), shown

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step:
        """Another may be shown."""
        (shown, time), (_, after) = state, self.reset(key)
        reward = shown[action]
        return Step((after, time + 1), after, reward, jnp.asarray(False), time + 1 >= self.max_steps)


def _seen(steps: int = 7, seed: int = 0) -> Trajectory:
    """Steps of which some are an episode's last."""
    rng = np.random.default_rng(seed)
    shape = (steps, *ACTORS)
    over = rng.integers(0, 4, shape)
    numbers = [jnp.asarray(rng.normal(size=(*shape, *more)), jnp.float32) for more in ((1,), (1,), (), (), (1,))]
    obs, action, log_prob, reward, after = numbers
    return Trajectory(obs, action, log_prob, reward, jnp.asarray(over == 0), jnp.asarray(over == 1), after, None)


def _ppo(task: Any = Target, solution: Solution | None = None, **options: float) -> PPO:
    made = ControlTask("toy", task())
    recipe = (DISCRETE if made.spec.discrete else CONTINUOUS).patched(hades.Learner(width=8))
    return PPO(
        Settings(
            "ppo", 1, solution or {"x": jnp.zeros(2)}, 0.1, 0.1, {"environments": ACTORS[1], **options}, made, recipe,
            ACTORS[0],
        )
    )  # fmt: skip


def test_its_critic_is_as_deep_as_asked_or_as_the_learner() -> None:
    sizes = [len(jax.tree.leaves(_ppo(**asked).critic.init(KEY).params)) for asked in ({}, {"critic_depth": 3})]
    layer = 2  # weights and biases
    assert sizes[1] - sizes[0] == layer * (3 - CONTINUOUS.depth)


def test_advantages_are_those_of_plain_python() -> None:
    ppo, seen = _ppo(gamma=0.9, gae_lambda=0.8), _seen()
    critic = ppo.critic.init(KEY)
    value, after = (np.asarray(ppo.critic.value(critic, x)) for x in (seen.obs, seen.next_obs))
    expected = np.zeros_like(value)
    for b, e in np.ndindex(*ACTORS):
        advantage = 0.0
        for t in reversed(range(len(value))):
            ends = bool(seen.terminated[t, b, e])
            surprise = float(seen.reward[t, b, e]) + 0.9 * (0 if ends else after[t, b, e]) - value[t, b, e]
            advantage = surprise + (0 if ends or bool(seen.truncated[t, b, e]) else 0.9 * 0.8 * advantage)
            expected[t, b, e] = advantage
    samples, _ = jax.jit(ppo.samples)(critic, seen)
    normal = (expected - expected.mean()) / expected.std()
    per_network = [x.swapaxes(0, 1).reshape(ACTORS[0], -1) for x in (normal, expected + value)]
    np.testing.assert_allclose(samples.advantage, per_network[0], atol=1e-4)
    np.testing.assert_allclose(samples.target, per_network[1], atol=1e-4)


def test_returns_are_of_whole_episodes_over_several_rollouts() -> None:
    seen = _seen(40)
    parts = [jax.tree.map(lambda x, i=i: x[10 * i : 10 * i + 10], seen) for i in range(4)]
    returns = Returns.zero(ACTORS)
    for part in parts:
        returns = returns.after(part)
    ended = []
    for b, e in np.ndindex(*ACTORS):
        total = 0.0
        for t in range(40):
            total += float(seen.reward[t, b, e])
            if seen.terminated[t, b, e] | seen.truncated[t, b, e]:
                ended += [total] if t >= 30 else []
                total = 0.0
        assert float(returns.going[b, e]) == pytest.approx(total, abs=1e-5)
    assert float(returns.last) == pytest.approx(np.mean(ended), abs=1e-5)


def test_before_an_episode_has_ended_there_is_no_score() -> None:
    seen = _seen(3)._replace(terminated=jnp.zeros((3, *ACTORS), bool), truncated=jnp.zeros((3, *ACTORS), bool))
    begun = Returns.zero(ACTORS).after(seen)
    assert np.isnan(begun.last) and not begun.any
    assert float(begun.after(seen._replace(reward=seen.reward * np.nan)).last) == -np.inf


def test_environments_that_left_the_numbers_show_what_others_saw() -> None:
    seen = _seen()
    first, last = (0, 1), (ACTORS[0] - 1, slice(None))
    broken = seen._replace(reward=seen.reward.at[2, *first].set(jnp.nan), obs=seen.obs.at[:, *last].set(jnp.inf))
    healed = broken.sound()
    for name, kept, whole in zip(seen._fields, healed, seen, strict=True):
        if whole is not None:
            expected = np.array(whole)
            expected[:, *first] = expected[:, 0, 0]
            expected[:, *last] = expected[:, 0, :1]
            np.testing.assert_array_equal(kept, expected, err_msg=name)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), seen.sound(), seen))
    nothing = seen._replace(obs=seen.obs * jnp.nan).sound()
    assert not any(np.asarray(x).any() for x in jax.tree.leaves(nothing))


def test_over_another_strategys_preset_it_has_the_settings_that_it_learns_by() -> None:
    hopper = configured(hades.make("hopper"), "laptop", strategy="ppo")
    ant = presets.get(hades.make("ant"), "laptop")
    names = ("size", "inits", "searches", "curriculum", "strategy_lr", "strategy_options", "greedy", "learner")
    assert [getattr(hopper, name) for name in names] == [getattr(ant, name) for name in names]
    mine = configured(hades.make("cartpole"), "laptop", size=3, strategy="ppo", labels="fixed", learner={"width": 8})
    assert (mine.size, mine.labels, mine.learner.width, mine.learner.optimiser) == (3, "fixed", 8, "momentum")


def test_it_wants_what_observations_and_actions_allow() -> None:
    numbers, board, pictures = (PPO.implied(Spec(shape, 3, True)) for shape in ((6,), (10, 10, 4), (84, 84, 4)))
    assert (numbers["normaliser"], board["normaliser"]) == ("fixed", "channels")
    assert board["learner"] == numbers["learner"] and numbers["size"] == 16
    assert pictures.keys() == {"inits", "searches", "curriculum", "labels"}
    assert PPO.implied(Spec((6,), 18, True))["size"] == 36


class Breaking(Target):
    """Now and then it leaves the numbers, as unstable physics does."""

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step:
        """A reward that is none, and an observation."""
        out = super().step(key, state, action)
        lost = jax.random.bernoulli(key, 0.02)
        return out._replace(obs=jnp.where(lost, jnp.nan, out.obs), reward=jnp.where(lost, jnp.nan, out.reward))


def test_kinds_of_networks_learn_together_each_in_its_own_way() -> None:
    search = Search(
        hades.make("cartpole"),
        Config(
            strategy="ppo",
            strategy_options={"environments": 4, "rollout": 8},
            labels="soft",
            size=2,
            inits=1,
            normaliser="none",
            networks=("mlp:4+optimiser=momentum", "mlp:8+optimiser=adam"),  # in the span of the pairs, and whole
            learner=DISCRETE.patched(hades.Learner(epochs=4, clip=0.0)),
        ),
    )
    state = search.init()
    after, metrics = search.generation(state, search.data)
    assert np.isfinite(metrics["gradient"])
    moved = jax.tree.map(
        lambda x, y: bool((x != y).any()), after.search.strategy.solution, state.search.strategy.solution
    )
    assert all(jax.tree.leaves(moved))


@pytest.mark.parametrize("strategy", ["ppo", pytest.param("td3", marks=pytest.mark.slow)])
def test_what_leaves_the_numbers_is_not_learnt_from(strategy: str) -> None:
    options = {"environments": 8, "rollout": 8, **({"warmup": 64, "batch": 64} if strategy == "td3" else {})}
    search = Search(
        ControlTask("breaking", Breaking()),
        Config(
            strategy=strategy,
            strategy_options=options,
            inits=2,
            size=2,
            normaliser="running",
            learner=CONTINUOUS.patched(hades.Learner(width=16, epochs=12)),
        ),
    )
    state = search.init()
    for _ in range(6):
        state, metrics = search.generation(state, search.data)
        assert np.isfinite(metrics["gradient"])
    for leaf in jax.tree.leaves((state.search.strategy._replace(returns=None, play=None), state.search.seen)):
        if jnp.issubdtype(leaf.dtype, jnp.floating):
            assert np.isfinite(leaf).all()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=6), st.floats(0.1, 10))
def test_no_networks_gradient_counts_more_than_its_share(each: list[float], norm: float) -> None:
    gradients = {"x": jnp.asarray([*each, jnp.nan, jnp.inf])[:, None]}
    mean, norms = mean_clipped(gradients, norm)
    expected = np.clip(np.asarray(each, np.float32), -norm, norm).sum() / (len(each) + 2)
    np.testing.assert_allclose(mean["x"][0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norms, np.abs(each).mean(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_a_critic_learns_values_of_any_scale(scale: float) -> None:
    critic = Critic(CONTINUOUS.patched(hades.Learner(width=16)), Target.spec, 1e-2)
    obs = jax.random.uniform(KEY, (64, 1), minval=-1)
    target = scale * (3 + obs[:, 0])
    state, learn = critic.see(critic.init(KEY), target), jax.jit(critic.learn)
    for _ in range(200):
        state = learn(state, obs, target)
    np.testing.assert_allclose(critic.value(state, obs), target, atol=0.2 * scale)


class _Surrogate:
    """Answers about no network: a gradient of ones, and policies that are far away at once; one has diverged."""

    head = None

    def inputs(self, obs: jax.Array) -> jax.Array:
        return obs

    def surrogate(self, solution: Solution, loss: Any, inputs: Any, data: Any) -> tuple[Solution, Any]:
        del loss, inputs, data
        about = {"entropy": jnp.asarray([1.0, jnp.nan, 1.0]), "kl": jnp.asarray([0.0, jnp.nan, 0.3])}
        ones = [jnp.ones(()), jnp.full((), jnp.nan), jnp.ones(())]
        return jax.tree.map(lambda x: jnp.stack([one * jnp.ones_like(x) for one in ones]), solution), about


@pytest.mark.parametrize(("bound", "moves"), [(0.1, 1), (1.0, 3)])
def test_policies_that_have_gone_too_far_are_not_moved_further(bound: float, moves: int) -> None:
    ppo = _ppo(kl=bound)
    state: PPOState = ppo.init(KEY)
    oracle = cast(Oracle, _Surrogate())
    samples, critic = ppo.samples(state.critic, _seen())
    state = state._replace(critic=critic)
    for _ in range(3):
        state = ppo.update(state, (samples.obs, samples), oracle)
    np.testing.assert_allclose(state.solution["x"], -0.1 * moves, rtol=1e-3)
    assert {name: float(value) for name, value in state.watched.items()} == pytest.approx(
        {"entropy": 1.0, "kl": 0.15, "gradient": 2**0.5}
    )


def test_noise_that_shrinks_by_a_factor_does_so_once_a_generation_whatever_its_gradient() -> None:
    start = {"x": jnp.zeros(2), "log_std": jnp.asarray(-1.0)}
    oracle, seen = cast(Oracle, _Surrogate()), _seen(8)
    for decay, limit, expected in ((1.0, 0.1, None), (0.5, 0.1, np.log(0.5) - 1), (0.5, 0.3, np.log(0.3))):
        ppo = _ppo(solution=start, std_decay=decay, std_limit=limit, passes=3)
        after = ppo.learn(KEY, ppo.init(KEY), None, seen, oracle).solution
        moved = float(after["x"][0])
        assert moved < -0.05
        np.testing.assert_allclose(after["log_std"], -1 + moved if expected is None else expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rolout": 3}, r"unknown option 'rolout'; did you mean rollout\? ppo has environments, rollout"),
        ({"speed": 3}, "unknown option 'speed'; ppo has environments, rollout"),
        ({"rollout": 2.5}, "rollout must be a whole number, not 2.5"),
        ({"gamma": 1.5}, "gamma must be at most 1"),
        ({"std_decay": 0.9}, "std_decay is of noise that is searched for: add --learn-std"),
        ({"rollout": 3, "minibatches": 2}, "9 steps of each network cannot be split into 2 minibatches"),
    ],
)
def test_options_are_checked(options: dict[str, float], says: str) -> None:
    with pytest.raises(hades.InputError, match=says):
        _ppo(**options)


def test_actions_without_noise_have_none_to_shrink() -> None:
    with pytest.raises(hades.InputError, match="std_decay is of continuous actions; those of toy are discrete"):
        _ppo(Levers, std_decay=0.9)


LEVERS: dict[str, Any] = {
    **OPTIONS, "validate_every": 4, "strategy_options": {"rollout": 8, "environments": 16},
    "learner": OPTIONS["learner"] | {"optimiser": "adam", "learning_rate": 0.03},
}  # fmt: skip


def test_it_learns_a_discrete_task() -> None:
    result = hades.distill(ControlTask("levers", Levers()), **LEVERS, generations=24)
    assert result.metrics[0]["mean"] < 3.2 < 4 < result.metrics[-1]["mean"]
    assert result.evaluation is not None and result.evaluation.mean > 4


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    task = ControlTask("levers", Levers())
    whole = hades.distill(task, **LEVERS, generations=16)
    hades.distill(task, **LEVERS, generations=8, out=tmp_path / "run")
    rest = hades.resume(tmp_path / "run", task=task, generations=16, progress=False)
    numbers = ("mean", "entropy", "kl", "gradient", "validated")
    assert [[row[k] for k in numbers] for row in rest.metrics] == [[row[k] for k in numbers] for row in whole.metrics]
    np.testing.assert_array_equal(rest.dataset.states, whole.dataset.states)
    np.testing.assert_array_equal(rest.dataset.targets, whole.dataset.targets)


class Keyed(Levers):
    """With a random key of JAX's in its state."""

    def reset(self, key: jax.Array) -> tuple[Any, jax.Array]:
        """A key of its own, too."""
        state, obs = super().reset(key)
        return (state, key), obs

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step:
        """Rewards with noise by that key."""
        own, next_key = jax.random.split(state[1])
        out = super().step(key, state[0], action)
        return out._replace(state=(out.state, next_key), reward=out.reward + 0.1 * jax.random.normal(own))


def test_a_state_with_random_keys_comes_back_from_a_checkpoint(tmp_path: Path) -> None:
    config = Config(strategy="ppo", size=2, inits=2, learner=DISCRETE.patched(Learner(width=4, epochs=2)))
    search = Search(ControlTask("keyed", Keyed()), config)
    state = search.init()
    checkpoints.file_of(tmp_path, 0).write_bytes(checkpoints.packed(state, {}, {}))
    again, _ = checkpoints.read(tmp_path, 0, lambda host: search.init())
    assert jax.tree.map(lambda x: x.dtype, again) == jax.tree.map(lambda x: x.dtype, state)
    jax.tree.map(np.testing.assert_array_equal, untyped(again), untyped(state))
    assert any(map(is_key, jax.tree.leaves(again)))


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_random_keys_of_its_state(tmp_path: Path) -> None:
    task = ControlTask("keyed", Keyed())
    options: dict[str, Any] = LEVERS | {"validate_every": 1}
    whole = hades.distill(task, **options, generations=2)
    hades.distill(task, **options, generations=1, out=tmp_path / "run")
    rest = hades.resume(tmp_path / "run", task=task, generations=2, progress=False)
    np.testing.assert_array_equal(rest.dataset.states, whole.dataset.states)


@pytest.mark.slow
def test_hades_f_keeps_its_networks() -> None:
    task = ControlTask("target", Target())
    result = hades.distill(task, **OPTIONS, init="fixed", generations=40)
    assert result.metrics[-1]["mean"] > result.metrics[0]["mean"] + 4


@pytest.mark.slow
def test_exploration_is_learnt_with_the_pairs() -> None:
    learner = {**OPTIONS["learner"], "loss": "mse", "log_std": -0.2}
    options = {**OPTIONS, "learner": learner, "strategy_options": {**OPTIONS["strategy_options"], "entropy": 0.0}}
    result = hades.distill(ControlTask("target", Target()), **options, learn_std=True, greedy=True, generations=18)
    first, last = (row["entropy"] for row in (result.metrics[0], result.metrics[-1]))
    found = result.dataset.learner["log_std"]
    assert last < first - 0.5 and found < -0.7  # noise costs reward
    params = hades.train(result.dataset, KEY)
    np.testing.assert_allclose(params["params"]["log_std"], found, rtol=1e-5)
    with pytest.raises(hades.InputError, match="learn_std is of continuous actions"):
        hades.distill(ControlTask("levers", Levers()), **LEVERS, learn_std=True, generations=1)
