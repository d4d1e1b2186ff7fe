"""What pairs mean: numbers that are known beforehand, and figures of them."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from tests.helpers import Target, run

import hades
from hades.evaluation import trial
from hades.reporting import places, policies, retraining
from hades.reporting.closer import beside
from hades.reporting.explanations import FIGURES, explained
from hades.reporting.meaning import PARTS, Meaning, meaning, rollouts, table
from hades.reporting.style import png, svg
from hades.scores import OWN, Evaluation
from hades.tasks.control import ControlTask
from hades.tasks.images import ImageTask


@pytest.fixture(scope="module")
def cartpole() -> Meaning:
    """Of the two pairs, and of one of them once more."""
    two = hades.load("cartpole-2")
    three = {"states": two.states[[0, 1, 1]], "labels": two.targets[[0, 1, 1]]}
    about: dict[str, Any] = {name: getattr(two, name) for name in ("obs_mean", "obs_std", "task", "learner", "units")}
    return meaning(hades.Dataset(**three, **about), inits=4, episodes=2)


def line(places: list[float], **learner: Any) -> hades.Dataset:
    """Steps to the origin of `Target`'s line."""
    states = np.asarray(places)[:, None]
    return hades.Dataset(states=states, actions=-0.9 * states, learner=learner)


def test_without_a_pair_that_there_is_twice_nothing_is_lost_and_without_the_other_all(cartpole: Meaning) -> None:
    found = cartpole.influence
    assert found and found.pairs.tolist() == [0, 1, 2]
    assert found.whole.mean > 450 and found.without[0].mean < 100
    assert found.without[1].mean > 450 and found.without[1].returns.tolist() == found.without[2].returns.tolist()
    for each, (low, high) in zip(found.without, found.interval, strict=True):
        assert low <= each.mean <= high
    assert "Without pair 1 fresh networks get" in cartpole.words["influence"]


def test_a_score_without_a_pair_is_that_of_a_dataset_without_it(cartpole: Meaning) -> None:
    found, whole = cartpole.influence, cartpole.dataset
    assert found and found.whole.networks.sampled
    rest: dict[str, Any] = {name: getattr(whole, name) for name in ("obs_mean", "obs_std", "task", "learner")}
    without = hades.Dataset(states=whole.states[1:], labels=whole.targets[1:], **rest)
    alone = hades.evaluate(without, inits=4, episodes=2)
    np.testing.assert_allclose(
        found.without[0].returns, alone.returns, atol=3
    )  # rounding, and what episodes make of it


def test_training_begins_at_random_play_and_ends_at_the_score(cartpole: Meaning) -> None:
    found = cartpole.training
    assert found and cartpole.influence and found.steps == (0, 1, 2, 4, 8, 16, 32, 64, 128, 200)
    random = hades.make("cartpole").random_return(jax.random.key(0))  # type: ignore[attr-defined]
    assert abs(found.means[0] - random) < 15
    assert found.scores[-1].mean == cartpole.influence.whole.mean > 450


def test_the_pair_that_answers_is_the_one_whose_removal_changes_most(cartpole: Meaning) -> None:
    found = cartpole.answers
    assert found and found.change.shape == (500, 3)
    assert (found.change >= 0).all() and (found.change <= 1 + 1e-6).all()
    assert set(found.most) <= {-1, 0, 1} and (found.most == 0).mean() > 0.5, "the other there is twice"
    made = policies.answers(np.asarray([3, 5]), np.asarray([[[1.0, 0.0]] * 2]), np.asarray([
        [[[0.0, 1.0], [1.0, 0.0]]], [[[0.5, 0.5], [0.98, 0.02]]]
    ]))  # fmt: skip
    assert made.most.tolist() == [3, -1]
    np.testing.assert_allclose(made.change, [[1, 0.5], [0, 0.02]])


def test_a_slice_is_of_what_the_policy_depends_on(cartpole: Meaning) -> None:
    found = cartpole.field
    assert found and set(found.names) == {"pole angle", "pole angular velocity"}
    left = found.actions[..., 0]
    assert left[0, 0] > 0.9 and left[-1, -1] < 0.1, "push to where the pole falls"
    assert found.x[0] < found.pairs[:, 0].min() and found.x[-1] > found.pairs[:, 0].max()
    act = lambda flat: flat[:, [2, 0]]  # noqa: E731
    real = np.random.default_rng(0).normal(size=(300, 4)) * [1, 1, 5, 1]
    assert policies.telling(act, real)[:2] == [2, 0]
    with pytest.raises(hades.InputError, match="two different numbers from 0 to 3, not"):
        policies.field(cartpole.dataset, real, act, (1, 1))


def test_a_pair_that_is_a_real_state_lies_at_no_distance_from_it(cartpole_pairs: hades.Dataset) -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 4)).astype(np.float32)
    mean, std = np.full(4, 3, np.float32), np.full(4, 2, np.float32)
    states = np.stack([(real[17] - mean) / std, np.full(4, 50, np.float32)])
    dataset = hades.Dataset(states=states, labels=np.eye(2), obs_mean=mean, obs_std=std)
    found = places.nearest(dataset, real, np.repeat([0, 1], 100))
    assert found.which[0] == 17 and found.distance[0] == 0 and found.percentile[0] == 0
    assert found.percentile[1] == 100
    np.testing.assert_array_equal(found.states[0], real[17])
    header, pair, near, *rest = beside(Meaning(dataset, nearest=found))
    assert header == ("state", "distance", "0", "1", "2", "3") and len(rest) == 2
    assert (pair[0], near[:2]) == ("pair 1", ("nearest to 1", "0")) and pair[2:] == near[2:]
    np.testing.assert_allclose(found.distance[1], np.linalg.norm((real - mean) / std - 50, axis=1).min(), rtol=1e-5)
    assert "1 of the 2 pairs lies farther" in found.words(dataset) and "another episode" in found.words(dataset)
    assert "another episode" not in places.nearest(dataset, real).words(dataset)
    apart = [np.linalg.norm((real[:100] - one) / std, axis=1).min() for one in real[100:]]
    np.testing.assert_allclose(found.real[100:], apart, rtol=1e-5)


def test_no_other_plane_has_more_variance() -> None:
    rng = np.random.default_rng(0)
    real = (rng.normal(size=(300, 5)) * [1, 7, 0.1, 3, 1]).astype(np.float32)
    dataset = hades.Dataset(states=rng.normal(size=(3, 5)), labels=np.eye(3), units={"observations": [*"abcde"]})  # type: ignore[arg-type]
    found = places.projection(dataset, real, np.eye(3)[np.zeros(300, int)])
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(2), atol=1e-9)
    assert found.mainly == ("b", "d") and 0.9 < found.share.sum() < 1
    total = real.var(0).sum()
    np.testing.assert_allclose(found.real.var(0) / total, found.share, rtol=1e-4)
    for _ in range(50):
        plane = np.linalg.qr(rng.normal(size=(5, 2)))[0]
        assert (real @ plane).var(0).sum() <= found.real.var(0).sum() + 1e-6


def test_real_states_are_those_of_the_episodes_that_are_scored(cartpole: Meaning) -> None:
    whole = cartpole.dataset
    planned = trial(whole, whole.task, 4, 2)
    params = planned.trained(whole.states, whole.targets, steps=4)
    real = rollouts(planned, params)
    assert np.bincount(real.episode).tolist() == planned.scored(params).returns[:, 0].tolist()


def test_every_figure_has_its_words(cartpole: Meaning) -> None:
    assert tuple(FIGURES)[:1] == PARTS[:1] and set(FIGURES) == set(PARTS) == set(cartpole.parts)
    for each in explained(cartpole):
        assert each.words.endswith(".") and each.title
        assert png(each.figure).startswith(b"\x89PNG")
        assert len(svg(each.figure, each.words, each.name)) < 400_000
    header, *rows = table(cartpole)
    assert [row[0] for row in rows] == ["1", "2", "3"] and len({len(row) for row in (header, *rows)}) == 1
    json.dumps(cartpole.facts(), allow_nan=False)


def test_where_no_pair_answers_for_a_step_that_is_said(cartpole_pairs: hades.Dataset) -> None:
    found = policies.Answers(np.arange(2), np.zeros((5, 2)))
    assert found.words(cartpole_pairs) == (
        "Of an episode's 5 steps no pair answers for any: without any one of them, networks do the same."
    )


def test_one_network_is_not_called_several(cartpole_pairs: hades.Dataset) -> None:
    one = Evaluation(np.ones((1, 4)), networks=OWN)
    influence = retraining.Influence(np.arange(2), one, (one, one))
    assert "its own network gets" in influence.words(cartpole_pairs)
    assert influence.words(cartpole_pairs).endswith("Each mean is of 1 network × 4 episodes.")
    growth = retraining.Growth((0, 1), (one, one))
    assert growth.words(cartpole_pairs).startswith("Before training its own network gets")
    assert "half of networks" not in str(keys(FIGURES["training"](cartpole_pairs, growth)))


def keys(figure: Any) -> list[str]:
    """What a figure's legend says."""
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_what_a_figure_draws_has_its_key(cartpole: Meaning) -> None:
    assert "95 % interval of the mean" in keys(FIGURES["influence"](cartpole.dataset, cartpole.influence))
    found = places.Nearest(
        np.zeros(3, int), np.zeros((3, 4)), np.asarray([1.0, 2, 30]), np.asarray([0.0, 0, 100]), np.linspace(0, 3, 50),
        several=True,
    )  # fmt: skip
    drawn = keys(FIGURES["nearest"](cartpole.dataset, found))
    assert "pairs, at any height" in drawn and "pairs that are farther" in drawn


def test_of_images_there_are_no_episodes_but_all_else(digits: ImageTask) -> None:
    found = meaning("digits-10", digits, inits=2, parts=("training", "answers", "nearest"))
    assert found.training and found.training.means[0] < 0.3 and found.training.means[-1] > 0.8
    assert found.training.scores[0].metric == "validation accuracy"
    assert set(found.missing) == {"answers", "nearest"} and "nobody acts in digits" in found.missing["nearest"]
    assert found.projection is None and len(list(explained(found))) == 1


def test_continuous_actions_of_one_number(target: ControlTask) -> None:
    dataset = line([-1, 0.5, 1], width=8)
    found = meaning(dataset, ControlTask("target", Target()), inits=2, episodes=2)
    assert found.nearest and found.answers and len(found.answers.change) == 10
    assert set(found.missing) == {"field", "projection"}
    assert found.influence and "pair" in found.words["influence"]
    assert len(list(explained(found))) == 4


def test_of_many_pairs_some_are_left_out_and_of_one_none(target: ControlTask) -> None:
    assert retraining.left_out(3).tolist() == [0, 1, 2]
    many = retraining.left_out(64)
    assert len(many) == 16 and many[0] == 0 and many[-1] == 63
    one = line([1], width=8, epochs=1)
    found = meaning(one, target, inits=2, episodes=2, parts=("influence", "answers", "training"))
    assert "one pair" in found.missing["influence"] and "one pair" in found.missing["answers"]
    assert found.training and found.training.steps == (0, 1)
    (said,) = found.unseen
    assert said.startswith("“Without each pair”, “Which pair answers for which step”: there is one pair")


def test_scores_that_are_no_numbers_are_drawn_all_the_same(cartpole_pairs: hades.Dataset) -> None:
    good, lost = Evaluation(np.ones((2, 3))), Evaluation(np.full((2, 3), np.nan))
    found = retraining.Influence(np.arange(2), good, (good, lost))
    assert "Without pair 2" in found.words(cartpole_pairs)
    assert png(FIGURES["influence"](cartpole_pairs, found))


def test_of_one_score_there_is_no_interval() -> None:
    one, several = Evaluation(np.ones((1, 1))), Evaluation(np.ones((2, 1)))
    found = retraining.Influence(np.arange(2), one, (one, several))
    assert [row["interval"] for row in found.facts()["pairs"]] == [None, [1.0, 1.0]]
    grown = retraining.Growth((0, 1), (one, several)).facts()
    assert grown["std_of_inits"] == [None, 0.0]


def test_states_that_are_no_numbers_are_none() -> None:
    learner = {"width": 8, "optimiser": "sgd", "learning_rate": 1e30, "epochs": 2, "clip": 0.0}
    dataset = hades.Dataset(states=np.eye(3), actions=np.ones((3, 1)), task="Pendulum-v1", learner=learner)
    found = hades.meaning(dataset, inits=1, episodes=1, parts=("training", "projection", "nearest"))
    assert found.training and "no states that are numbers" in found.missing["projection"] == found.missing["nearest"]


@pytest.mark.parametrize(
    ("dataset", "options", "says"),
    [
        ("merged", {}, r"told of one task's; these are of CartPole-v1, Acrobot-v1"),
        ("unnamed", {}, "names no task"),
        ("own", {}, "of your own"),
        ("cartpole-2", {"parts": ["answer"]}, "there is no part 'answer'; parts are influence, "),
        ("cartpole-2", {"task": "acrobot"}, r"the dataset is for observations \[4\]"),
        ("cartpole-2", {"inits": 0}, "inits must be at least 1"),
    ],
)
def test_what_cannot_be_told_is_one_line(
    cartpole_pairs: hades.Dataset, dataset: str, options: dict[str, Any], says: str
) -> None:
    states, labels = cartpole_pairs.states, cartpole_pairs.targets
    given = {
        "merged": lambda: hades.merge(["cartpole-2", "acrobot"]),
        "unnamed": lambda: hades.Dataset(states=states, labels=labels),
        "own": lambda: hades.Dataset(states=states, labels=labels, task="mine", info={"own": "Mine"}),
    }.get(dataset, lambda: dataset)()
    with pytest.raises(hades.InputError, match=says):
        hades.meaning(given, **options)


def test_the_command_tells_and_draws(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder, few = tmp_path / "figures", ("--inits", "4", "--episodes", "2", "--quiet")
    code, out, _ = run(capsys, "explain", "cartpole-2", *few, "--out", str(folder))
    assert code == 0 and "Without pair 1 fresh networks get" in out and "push left" in out
    assert {path.stem for path in folder.iterdir()} == set(PARTS) and len(list(folder.iterdir())) == 2 * len(PARTS)
    code, _, err = run(capsys, "explain", "cartpole-2", *few, "--out", str(folder))
    assert code == 2 and "exists" in err
    found = json.loads(run(capsys, "explain", "cartpole-2", *few, "--json")[1])
    assert found["influence"]["pairs"][0]["pair"] == 1 and found["missing"] == {} and found["files"] == []
