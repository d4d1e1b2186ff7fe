"""An off-policy actor: critics of what was seen, and their value differentiated through the inner loop."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades.dataset import Spec
from hades.learner.recipes import CONTINUOUS
from hades.normalisers import Normaliser
from hades.strategies.actors import Twins
from hades.strategies.replay import Replay, Transition, transitions
from hades.strategies.td3 import TD3, Options
from hades.tasks.control import ControlTask
from hades.tasks.rollouts import Trajectory

OPTIONS: dict[str, Any] = {
    "strategy": "td3", "strategy_lr": 0.05, "inits": 2, "generations": 40, "validate_every": 40,
    "validate_inits": 2, "learner": {"width": 16, "epochs": 12, "learning_rate": 0.04}, "progress": False,
    "strategy_options": {
        "environments": 16, "rollout": 5, "updates": 8, "batch": 64, "warmup": 500, "replay": 4000, "critic_width": 32,
        "gamma": 0.9,
    },
}  # fmt: skip


@pytest.mark.slow
def test_it_improves_the_pairs(target: ControlTask) -> None:
    result = hades.distill(target, size=2, **OPTIONS)
    first, last = result.metrics[2]["mean"], result.metrics[-1]["mean"]
    assert last > first + 2
    assert result.evaluation is not None and result.evaluation.mean > first + 2
    assert all(result.metrics[-1][name] is not None for name in ("critic", "value", "gradient", "entropy"))


@pytest.mark.slow
def test_a_resumed_run_is_the_same_run(target: ControlTask, tmp_path: Path) -> None:
    options = {**OPTIONS, "generations": 3, "validate_every": 3}
    hades.distill(target, size=2, out=tmp_path / "short", **options)
    resumed = hades.resume(tmp_path / "short", target, generations=6, progress=False)
    whole = hades.distill(target, size=2, **{**options, "generations": 6})
    np.testing.assert_array_equal(resumed.dataset.states, whole.dataset.states)
    np.testing.assert_array_equal(resumed.dataset.actions, whole.dataset.actions)
    assert [row["critic"] for row in resumed.metrics] == [row["critic"] for row in whole.metrics]


def test_it_brings_a_recipe_whose_steps_have_a_good_derivative() -> None:
    moves, pictures = (TD3.implied(Spec(shape, 3, discrete=False)) for shape in ((6,), (84, 84, 4)))
    recipe = CONTINUOUS.patched(moves["learner"])
    assert (recipe.optimiser, recipe.loss, recipe.depth) == ("momentum", "mse", 1)
    assert moves["learn_std"] is False and moves["strategy_options"].keys() <= {f.name for f in fields(Options)}
    assert "learner" not in pictures


@pytest.mark.parametrize(
    ("task", "options", "says"),
    [
        ("CartPole-v1", {}, "td3 is for continuous actions; those of CartPole-v1 are discrete: take ppo"),
        ("target", {"batch": 63}, "a batch of 63 cannot be shared by 2 networks"),
        ("target", {"warmup": 5000}, "replay must be at least 5000"),
        ("target", {"polyak": 0.1}, "unknown option 'polyak'; td3 has environments, rollout"),
        ("target", {"tau": 1.5}, "tau must be at most 1"),
    ],
)
def test_what_cannot_be_is_refused(task: str, options: dict[str, Any], says: str, target: ControlTask) -> None:
    options = {**OPTIONS, "strategy_options": OPTIONS["strategy_options"] | options}
    with pytest.raises(hades.InputError, match=says):
        hades.distill(target if task == "target" else task, size=2, **options)


def test_critics_learn_nothing_from_what_is_no_number() -> None:
    critics = Twins(Spec((2,), 1, discrete=False), 8, 1e-2, 0.1)
    state = critics.init(jax.random.key(0))
    obs, action, scalar = jnp.ones((4, 2)), jnp.ones((4, 1)), jnp.ones(4)
    some = Transition(obs, action, scalar, scalar, obs)
    moved, error = critics.learn(state, some, action.at[:2].set(jnp.nan))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(moved)) and error > 0
    still, error = critics.learn(state, some, action * jnp.nan)
    jax.tree.map(np.testing.assert_array_equal, still.params, state.params)
    assert error == 0


def _numbered(*numbers: int) -> Transition:
    x = jnp.asarray(numbers, jnp.float32)
    return Transition(x[:, None], x[:, None], x, x, x[:, None])


def test_the_oldest_transitions_make_room() -> None:
    replay, rows = Replay.empty(Spec((1,), 1, discrete=False), 5), []
    for new in ((0, 1, 2), (3, 4, 5), (6,)):
        replay = replay.add(_numbered(*new))
        rows.append((int(replay.number), replay.kept.reward.tolist()))
    assert rows == [(3, [0, 1, 2, 0, 0]), (5, [5, 1, 2, 3, 4]), (5, [5, 6, 2, 3, 4])]


def test_what_was_never_seen_is_never_drawn() -> None:
    replay = Replay.empty(Spec((1,), 1, discrete=False), 100).add(_numbered(7, 8, 9))
    drawn = replay.sample(jax.random.key(0), (50, 2))
    assert drawn.obs.shape == (50, 2, 1)
    assert set(np.unique(drawn.reward).tolist()) == {7, 8, 9}


def test_steps_add_up_until_the_episode_or_the_trajectory_ends() -> None:
    over, late = jnp.asarray([0, 0, 1, 0, 0], bool), jnp.asarray([0, 0, 0, 1, 0], bool)
    obs = jnp.arange(5.0)[:, None]
    seen = Trajectory(obs, obs, obs, jnp.asarray([1.0, 2, 4, 8, 16]), over, late, obs + 1, None)
    plain = Normaliser(jnp.asarray([1.0]), jnp.asarray([2.0]))
    many = transitions(seen, plain, 0.5, 3)
    np.testing.assert_allclose(many.reward, [1 + 1 + 1, 2 + 2, 4, 8, 16])
    np.testing.assert_allclose(many.discount, [0, 0, 0, 0.5, 0.5])  # what was cut off had a value still
    np.testing.assert_allclose(many.obs[:, 0], 1 + 2 * np.arange(5))
    np.testing.assert_allclose(many.next_obs[:, 0], 1 + 2 * np.asarray([3, 3, 3, 4, 5]))
    longest, beyond = (jax.jit(transitions, static_argnums=(2, 3))(seen, plain, 0.5, steps) for steps in (5, 5000))
    jax.tree.map(np.testing.assert_allclose, longest, beyond)
    one = transitions(seen, plain, 0.5, 1)
    np.testing.assert_allclose(one.reward, seen.reward)
    np.testing.assert_allclose(one.discount, [0.5, 0.5, 0, 0.5, 0.5])
