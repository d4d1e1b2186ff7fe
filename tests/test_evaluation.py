"""Datasets scored on fresh networks; compiled once for all that have the same shapes."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import hades
from hades import evaluation, parallel
from hades.config import Config
from hades.evaluation import networks_of, recipe
from hades.files import dumps
from hades.keeping import dataset_of
from hades.learner.recipe import Learner
from hades.learner.recipes import CONTINUOUS
from hades.metrics import metric_of
from hades.progress import Left
from hades.scores import FRESH, OWN, STRANGERS
from hades.search import Search
from hades.tasks.control import ControlTask
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
    assert "return none ± none over networks, ± none over episodes" in str(evaluation)
    assert "1 of 16 scores not finite" in str(evaluation)
    assert (hades.Evaluation(np.full((2, 2), bad)).iqm_interval or [0])[0] != 0


@pytest.mark.parametrize(("shape", "over"), [((4, 4), None), ((4, 1), None), ((1, 16), "episodes"), ((1, 1), None)])
def test_the_interval_is_over_networks_or_of_one_over_its_episodes(shape: tuple[int, int], over: str | None) -> None:
    returns = np.random.default_rng(0).normal(size=shape)
    evaluation = hades.Evaluation(returns)
    summary, (inits, episodes) = json.loads(json.dumps(evaluation.summary())), shape
    assert summary.get("interval_over") == over and (summary["std_of_inits"] is None) == (inits == 1)
    if inits * episodes == 1:
        assert summary["iqm_interval"] is None and "IQM" in str(evaluation) and "[" not in str(evaluation)
    else:
        low, high = summary["iqm_interval"]
        assert low < high and f"[{low:.1f}, {high:.1f}]" in str(evaluation)
    assert f"({inits} network{'s' * (inits > 1)} × {episodes} episode{'s' * (episodes > 1)}" in str(evaluation)
    assert ("interval over episodes" in str(evaluation)) == (over is not None)


def test_the_interval_of_networks_that_are_the_only_ones_is_over_episodes() -> None:
    """Two of one mean each, whatever the episode, are not a sample of others."""
    evaluation = hades.Evaluation(np.asarray([[0.0] * 8, [1.0] * 8]), networks=OWN)
    summary = evaluation.summary()
    assert summary["iqm_interval"] == [0.5, 0.5] and summary["std_of_inits"] == 0.5
    assert summary["networks"] == "its own" and "2 networks × 8 episodes, its own; interval over" in str(evaluation)


def test_a_spread_says_what_it_is_over() -> None:
    returns = np.asarray([[0.0, 2.0], [4.0, 6.0]])
    assert str(hades.Evaluation(returns)).startswith("return 3.0 ± 2.0 over networks, ± 2.2 over episodes   IQM")
    assert str(hades.Evaluation(returns[:, :1])).startswith("return 2.0 ± 2.0 over networks   IQM")
    assert str(hades.Evaluation(returns[:1])).startswith("return 1.0 ± 1.0 over episodes   IQM")


def test_what_is_null_in_a_file_is_none_for_people() -> None:
    summary = hades.Evaluation(np.ones((2, 2))).summary() | {
        "mean": None,
        "std": None,
        "std_of_inits": None,
        "min": None,
    }
    assert metric_of("return").sentence(summary).startswith("return none   IQM 1.0 [1.0, 1.0]   min none")


FIXED: dict[str, Any] = {"init_key": [1, 2]}
TWO = FIXED | {"own_networks": [CONTINUOUS.patched({"width": 8}).drawn | {"inits": 2}]}


def pairs(info: dict[str, Any]) -> hades.Dataset:
    states = np.asarray([[1.0], [-1.0]])
    return hades.Dataset(states=states, actions=-states, learner={"width": 8, "epochs": 5}, info=info)


@pytest.mark.parametrize(
    ("info", "learner", "init", "inits", "found"),
    [
        ({}, {}, "auto", None, (FRESH, 32)),
        ({}, {}, "fresh", 3, (FRESH, 3)),
        (FIXED, {}, "auto", None, (OWN, 1)),
        (FIXED, {}, "fixed", 1, (OWN, 1)),
        (FIXED, {"epochs": 7, "activation": "relu"}, "auto", None, (OWN, 1)),
        (TWO, {}, "auto", None, (OWN, 2)),
        (FIXED, {}, "fresh", None, (STRANGERS, 32)),
        (FIXED, {"width": 4}, "auto", 3, (STRANGERS, 3)),
    ],
)
def test_which_networks_a_dataset_trains(
    info: dict[str, Any], learner: dict[str, Any], init: str, inits: int | None, found: tuple[Any, int]
) -> None:
    dataset = pairs(info)
    assert networks_of(dataset, recipe(dataset, learner), init, inits) == found


@pytest.mark.parametrize(
    ("info", "options", "says"),
    [
        ({}, {"init": "fixed"}, "holds no fixed initialisation"),
        (FIXED, {"inits": 32}, "evolved for 1 initialisation of its own, not 32; leave inits out, or take init fresh"),
        (TWO, {"inits": 1}, "evolved for 2 initialisations of its own, not 1"),
        (FIXED, {"init": "fixed", "learner": {"width": 4}}, "of another network; use init fresh"),
    ],
)
def test_networks_that_a_dataset_does_not_have(
    info: dict[str, Any], options: dict[str, Any], says: str, target: ControlTask
) -> None:
    with pytest.raises(hades.InputError, match=says):
        hades.evaluate(pairs(info), target, **options)


def test_its_own_networks_are_those_of_the_search(target: ControlTask) -> None:
    """Exactly, and so is the one that `train` gives, whatever its key; and their score says whose it is."""
    options = {"init": "fixed", "inits": 3, "size": 2, "learner": {"width": 8, "epochs": 1, "learning_rate": 1e-12}}
    search = Search(target, Config().override(options))  # whose networks stay as they were drawn
    dataset = dataset_of(search, search.init())
    drawn = search.fitness[0].networks(search.fixed_init_key)["params"]["Dense_0"]["kernel"]
    trained, fresh = (
        hades.train(dataset, jax.random.key(5), init=init)["params"]["Dense_0"]["kernel"] for init in ("auto", "fresh")
    )
    np.testing.assert_allclose(trained, drawn[0], atol=1e-6)
    assert np.abs(fresh - trained).max() > 1e-3
    with pytest.raises(hades.InputError, match="holds no fixed"):
        hades.train(pairs({}), jax.random.key(0), init="fixed")
    score = hades.evaluate(dataset, target, episodes=2)
    assert score.returns.shape == (3, 2) and "3 networks × 2 episodes, its own" in str(score)


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


def test_datasets_keys_and_learners_may_be_given_plainly(tmp_path: Path, cartpole_pairs: hades.Dataset) -> None:
    file = cartpole_pairs.save(tmp_path / "dataset.safetensors")
    wanted = jax.tree.leaves(hades.train(cartpole_pairs, jax.random.key(3), Learner(epochs=9)))
    same: list[tuple[Any, Any]] = [(file, 3), (str(tmp_path), np.int64(3)), (cartpole_pairs, jax.random.PRNGKey(3))]
    for dataset, key in same:
        for mine, theirs in zip(jax.tree.leaves(hades.train(dataset, key, {"epochs": 9})), wanted, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("train", {"key": None}, "a key is jax.random.key"),
        ("train", {"key": 0, "learner": dict}, r"a learner is hades\.Learner.* not the class dict"),
        ("train", {"key": 0, "learner": {"width": (8, 8), "depth": 3}}, "widths 8, 8 make 2 layers, not depth 3"),
        ("train", {"key": 0, "learner": {"width": ()}}, "width must be one number or more"),
        ("train", {"dataset": 3, "key": 0}, r"a dataset is a hades\.Dataset, a file, .*, not 3"),
        ("evaluate", {"inits": "3"}, "inits must be a whole number, not '3'"),
        ("evaluate", {"inits": 1.5}, "inits must be a whole number, not 1.5"),
        ("evaluate", {"seed": 2**64}, "seed must be at most 9223372036854775807, not 1844"),
        ("evaluate", {"inits": 2**31 - 1}, "GB of memory or more.*make inits or width smaller"),
        ("evaluate", {"greedy": "no"}, "greedy must be true or false, not 'no'"),
        ("policy", {"greedy": 1}, "greedy must be true or false, not 1"),
    ],
)
def test_what_a_caller_can_mistake_is_one_line(
    cartpole_pairs: hades.Dataset, function: str, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(hades.InputError, match=says):
        getattr(hades, function)(**{"dataset": cartpole_pairs, **arguments})


def test_seeds_that_differ_in_their_upper_half_draw_other_networks(cartpole_pairs: hades.Dataset) -> None:
    kernels = [hades.train(cartpole_pairs, seed)["params"]["Dense_0"]["kernel"] for seed in (0, 2**32, 2**62)]
    assert len({kernel.tobytes() for kernel in map(np.asarray, kernels)}) == 3


def test_networks_that_play_in_shifts_score_what_they_do_at_once_and_say_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[float] = []

    @contextmanager
    def working(text: str) -> Iterator[Left]:
        assert "training 6 networks" in text
        yield told.append

    dataset = hades.load("acrobot")
    at_once = hades.evaluate(dataset, inits=6, episodes=2)
    monkeypatch.setattr(parallel, "LANES", 4 // jax.device_count())
    in_shifts = hades.evaluate(dataset, inits=6, episodes=2, working=working)
    assert np.array_equal(in_shifts.returns, at_once.returns)
    assert len(told) == 2 and 0 < told[1] < 60


def test_a_policy_says_what_an_observation_is() -> None:
    dataset = hades.load("cartpole-2")
    with pytest.raises(hades.InputError, match=r"an observation is \[4\] here, not \[3\]"):
        hades.policy(dataset)(hades.train(dataset, 0), jax.numpy.zeros(3), jax.random.key(0))
    with pytest.raises(hades.InputError, match=r"an observation is an array \[4\] here, not"):
        hades.policy(dataset)(hades.train(dataset, 0), {"image": 1}, jax.random.key(0))  # type: ignore[arg-type]
