"""PPO by rejax, on our tasks and networks."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import Target

import hades
from hades.baselines import ppo
from hades.baselines.ppo import Actor, train_ppo
from hades.dataset import Spec
from hades.learner.cloning import make_policy
from hades.learner.heads import head_of
from hades.learner.networks import init_network, make_network
from hades.learner.recipes import published
from hades.tasks.control import ControlTask

FAST: dict[str, Any] = {"num_envs": 8, "num_steps": 32, "num_minibatches": 4, "learning_rate": 3e-3}


def test_learns(target: ControlTask) -> None:
    result = train_ppo(target, hades.Learner(width=8), steps=20_000, evaluations=4, **FAST)
    assert result.evaluation.mean > -2.5  # an idle policy scores about -5
    assert [row["env_steps_total"] for row in result.metrics] == [5_120, 10_240, 15_360, 20_480]


def test_same_seed_same_network() -> None:
    target = ControlTask("target", Target())
    vars(target.environment)["module"] = np  # as Brax's environments hold one
    one, two = (train_ppo(target, hades.Learner(width=8), seed=3, steps=512, **FAST) for _ in range(2))
    jax.tree.map(np.testing.assert_array_equal, one.params, two.params)


def test_the_result_is_a_network_of_the_learner(target: ControlTask) -> None:
    learner = hades.Learner(width=8)
    result = train_ppo(target, learner, steps=512, **FAST)
    complete = target.reference.patched(learner)
    same = jax.eval_shape(lambda: init_network(complete, target.spec, jax.random.key(0)))
    assert jax.tree.structure(same) == jax.tree.structure(result.params)
    policy = make_policy(complete, target.spec, greedy=True)
    action = policy(result.params, result.normaliser(jnp.asarray([0.8])), jax.random.key(0))
    assert action.shape == (1,)


def test_a_second_training_compiles_nothing(target: ControlTask) -> None:
    def compiled(**options: Any) -> list[int]:
        train_ppo(target, hades.Learner(width=8), steps=512, **FAST | options)
        programs: Any = (ppo._begin, ppo._iterate, ppo._play)
        return [program._cache_size() for program in programs]

    assert compiled(seed=0) == compiled(seed=1, learning_rate=1e-3, ent_coef=0.1, gamma=0.9)


def test_a_learning_rate_falls_with_the_budget(target: ControlTask, monkeypatch: pytest.MonkeyPatch) -> None:
    rates, iterate = [], ppo._iterate

    def watched(made: Any, state: Any, rate: float, number: int) -> Any:
        rates.append(rate)
        return iterate(made, state, rate, number)

    monkeypatch.setattr(ppo, "_iterate", watched)
    own = FAST | {"learning_rate": 0.5, "anneal": True}
    train_ppo(target, hades.Learner(width=8), steps=1024, evaluations=4, **own)
    assert rates == [0.5, 0.375, 0.25, 0.125]


def test_minutes_are_the_trainings_and_scores_are_shared_over_them(target: ControlTask) -> None:
    result = train_ppo(target, hades.Learner(width=8), minutes=0.02, evaluations=3, **FAST)
    assert 1 <= len(result.metrics) <= 3 and 1.2 <= result.metrics[-1]["seconds"] < 60


@pytest.mark.parametrize("discrete", [True, False])
def test_log_probabilities_are_those_of_the_policy(discrete: bool) -> None:
    spec = Spec((2,), 3, discrete)
    actor = Actor(make_network(published(spec).patched(hades.Learner(width=8)), spec), head_of(spec))
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
