"""Datasets scored on fresh networks; compiled once for all that have the same shapes."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import hades
from hades import evaluation
from hades.files import dumps
from hades.learner.recipe import Learner
from hades.tasks.images import ImageTask


def test_evaluation_statistics() -> None:
    returns = np.arange(16.0).reshape(4, 4)
    evaluation = hades.Evaluation(returns)
    summary = evaluation.summary()
    assert (summary["mean"], summary["min"], summary["max"]) == (7.5, 0, 15)
    assert summary["iqm"] == pytest.approx(np.mean(np.arange(4, 12)))
    low, high = summary["iqm_interval"]
    assert low < summary["iqm"] < high
    assert "4 networks × 4 episodes" in str(evaluation)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_the_worst_and_counted(bad: float) -> None:
    returns = np.arange(16.0).reshape(4, 4)
    returns[3, 3] = bad
    evaluation = hades.Evaluation(returns)
    assert evaluation.diverged == 1 and evaluation.mean == -np.inf
    assert evaluation.iqm == pytest.approx(np.mean(np.arange(3, 11)))  # of the 16 the worst, not left out
    summary = json.loads(dumps(evaluation.summary()))
    assert (summary["diverged"], summary["mean"], summary["std"], summary["min"], summary["max"]) == (
        1,
        None,
        None,
        None,
        14,
    )
    assert "return none ± none" in str(evaluation) and "1 of 16 scores not finite" in str(evaluation)
    assert hades.Evaluation(np.full((2, 2), bad)).iqm_interval[0] != 0


def test_evaluate_scores_a_dataset_that_is_right(cartpole_pairs: hades.Dataset) -> None:
    result = hades.evaluate(cartpole_pairs, inits=6, episodes=3)
    assert result.returns.shape == (6, 3) and result.mean > 300


def test_evaluate_with_another_learner_and_seed(cartpole_pairs: hades.Dataset) -> None:
    untrained = Learner(epochs=1, learning_rate=1e-6)
    one, again, other = (
        hades.evaluate(cartpole_pairs, inits=4, episodes=2, learner=untrained, seed=s) for s in (0, 0, 1)
    )
    assert one.mean < 100
    np.testing.assert_array_equal(one.returns, again.returns)
    assert (one.returns != other.returns).any()


def test_evaluate_refuses_what_cannot_be(cartpole_pairs: hades.Dataset) -> None:
    for arguments, message in [
        ({"task": "pendulum"}, r"observations \[4\] and 2 discrete actions, but Pendulum-v1 has"),
        ({"inits": 0}, "inits must be at least 1"),
        ({"init": "warm"}, "unknown init"),
        ({"init": "fixed"}, "holds no fixed initialisation"),
    ]:
        with pytest.raises(hades.InputError, match=message):
            hades.evaluate(cartpole_pairs, **arguments)


def test_observations_normalised_online() -> None:
    """The statistics are those of the batch so far, and start anew: a constant offset of observations is nothing."""
    rng = np.random.default_rng(0)
    dataset = hades.Dataset(
        states=rng.normal(size=(4, 3)),
        actions=rng.uniform(-1, 1, (4, 1)),
        online=True,
        task="pendulum",
        learner={"width": 8, "epochs": 10},
    )
    assert np.isfinite(hades.evaluate(dataset, inits=2, episodes=4).returns).all()
    with pytest.raises(hades.InputError, match="whole batches"):
        hades.policy(dataset)


def test_what_is_evaluated_or_trained_again_compiles_nothing(
    cartpole_pairs: hades.Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the seed, for a task made anew, and an equal dataset: a thousand calls compile as much as one."""
    programs: list[Any] = [evaluation._train, evaluation._play, evaluation._clone]

    def ask(seed: int) -> list[int]:
        hades.evaluate(dataclasses.replace(cartpole_pairs), hades.make("cartpole"), inits=2, episodes=2, seed=seed)
        hades.train(cartpole_pairs, jax.random.key(seed), Learner(epochs=9))
        return [program._cache_size() for program in programs]

    compiled = ask(0)
    with jax.log_compiles():
        assert [ask(seed) for seed in range(1, 6)] == [compiled] * 5
    assert not [record for record in caplog.records if "Compiling" in record.getMessage()]


def test_images_of_equal_tasks_share_what_was_compiled(digits: ImageTask) -> None:
    dataset = hades.load(Path(__file__).parent / "data" / "digits-0.1.safetensors")
    hades.evaluate(dataset, digits, inits=2)
    play: Any = evaluation._play
    compiled = play._cache_size()
    hades.evaluate(dataset, dataclasses.replace(digits, name="others"), inits=2)
    assert play._cache_size() == compiled
