"""PPO by rejax, on our tasks and networks."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
import hades.learner
from hades.baselines.ppo import Actor, AutoReset, train_ppo
from hades.learner import init_network, make_network, make_policy
from hades.tasks.control import ControlTask

FAST = {"num_envs": 8, "num_steps": 32, "num_minibatches": 4, "learning_rate": 1e-2}


def test_learns(target: ControlTask) -> None:
    result = train_ppo(target, hades.Learner(width=16), steps=20_000, evaluations=4, **FAST)
    assert result.evaluation.mean > -2.5  # an idle policy scores about -5
    assert [row["env_steps_total"] for row in result.metrics] == [5_120, 10_240, 15_360, 20_480]


def test_same_seed_same_network(target: ControlTask) -> None:
    vars(target.environment)["module"] = np  # as Brax's environments hold one
    one, two = (train_ppo(target, hades.Learner(width=8), seed=3, steps=512, **FAST) for _ in range(2))
    jax.tree.map(np.testing.assert_array_equal, one.params, two.params)


def test_the_result_is_a_network_of_the_learner(target: ControlTask) -> None:
    learner = hades.Learner(width=8)
    result = train_ppo(target, learner, steps=512, **FAST)
    complete = learner.over(target.reference)
    same = jax.eval_shape(lambda: init_network(complete, target.spec, jax.random.key(0)))
    assert jax.tree.structure(same) == jax.tree.structure(result.params)
    policy = make_policy(complete, target.spec, greedy=True)
    action = policy(result.params, result.normaliser(jnp.asarray([0.8])), jax.random.key(0))
    assert action.shape == (1,)


def test_episodes_begin_anew_where_they_end(target: ControlTask) -> None:
    env = AutoReset(target)
    keys = jax.random.split(jax.random.key(0), 3)
    obs, state = env.reset_many(keys)
    before = obs
    for step in range(target.environment.max_steps):
        obs, state, _, done, _ = env.step_many(keys, state, jnp.zeros((3, 1)))
        assert bool(done.all()) == (step == 9) and (int(state[1][0]) == 0) == (step == 9)
    assert obs.shape == (3, 1) and (obs != before).all()


@pytest.mark.parametrize("discrete", [True, False])
def test_log_probabilities_are_those_of_the_policy(discrete: bool) -> None:
    from hades.dataset import Spec

    spec = Spec((2,), 3, discrete)
    actor = Actor(make_network(hades.Learner(width=8).over(hades.learner.reference(spec)), spec), discrete)
    obs, key = jnp.ones((5, 2)), jax.random.key(0)
    params = actor.init(key, obs, key)
    drawn: Any = actor.apply(params, obs, key, method="action_log_prob")
    again: Any = actor.apply(params, obs, drawn[0], method="log_prob_entropy")
    np.testing.assert_allclose(drawn[1], again[0], rtol=1e-5)
    # Near initialisation the head is flat: all actions alike, or standard normal.
    want = np.log(3) if discrete else 3 * 0.5 * np.log(2 * np.pi * np.e)
    np.testing.assert_allclose(again[1], want, rtol=1e-2)


@pytest.mark.parametrize(
    ("options", "says"), [({}, "as steps or as minutes"), ({"steps": 1, "minutes": 1.0}, "one of")]
)
def test_bad_input(target: ControlTask, options: dict[str, float], says: str) -> None:
    with pytest.raises(hades.InputError, match=says):
        train_ppo(target, **options)  # type: ignore[arg-type]
    with pytest.raises(hades.InputError, match="digits is images"):
        train_ppo("digits", steps=1)
