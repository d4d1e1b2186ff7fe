"""Datasets of several tasks as one."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hades
from hades.evaluation import trial
from hades.merging import evaluate_parts, merge, parts
from hades.normalisers import Normaliser
from hades.tasks.control import ControlTask
from hades.tasks.host import HostTask
from hades.tasks.views import View, pad
from tests.helpers import control, hosted

ONE = np.ones((1, 1))


def discrete(task: str, obs: int, classes: int, size: int = 2, **about: Any) -> hades.Dataset:
    rng = np.random.default_rng(obs)
    labels = np.eye(classes)[np.arange(size) % classes]
    return hades.Dataset(
        states=rng.normal(size=(size, obs)), labels=labels, obs_mean=rng.normal(size=obs),
        obs_std=rng.uniform(1, 2, obs), task=task, **about,
    )  # fmt: skip


@pytest.mark.parametrize("identity", [False, True])
def test_the_union_has_every_pair_padded_with_zeros(identity: bool) -> None:
    one, two = discrete("CartPole-v1", 4, 2), discrete("Acrobot-v1", 6, 3, 3)
    union = merge([one, two], identity)
    assert union.spec == ((10 if identity else 6,), 3, True) and len(union) == 5
    np.testing.assert_array_equal(union.states[:2, :4], one.states)
    assert (union.states[:2, 4:] == 0).all() and (union.targets[:2, 2] == 0).all()
    np.testing.assert_array_equal(union.states[2:, -6:], two.states)
    assert (union.states[2:, :-6] == 0).all()


def test_a_union_says_whose_its_pairs_are() -> None:
    union = merge([discrete("CartPole-v1", 4, 2), discrete("Acrobot-v1", 6, 3, 3)])
    assert "  pairs   1 to 2 of CartPole-v1, 3 to 5 of Acrobot-v1" in repr(union).splitlines()


def test_an_agent_of_the_union_sees_each_task_as_its_own_dataset_does(tmp_path: Path) -> None:
    one, two = discrete("CartPole-v1", 4, 2), discrete("Acrobot-v1", 6, 3)
    union = hades.load(merge([one, two], identity=True).save(tmp_path / "union.safetensors"))
    seen, key = parts(union), jax.random.key(0)
    for dataset, before, behind in ((one, 0, 6), (two, 4, 0)):
        obs = control(dataset.task).environment.reset(key)[1]
        mean, std = dataset.normaliser
        want = np.concatenate([np.zeros(before), (obs - mean) / std, np.zeros(behind)])
        np.testing.assert_allclose(seen[dataset.task].environment.reset(key)[1], want, rtol=1e-5)
        assert seen[dataset.task].environment.max_steps == 500


def test_a_part_plays_as_its_own_dataset_does(tmp_path: Path) -> None:
    one, two = discrete("CartPole-v1", 4, 2, info={"greedy": True}), discrete("Acrobot-v1", 6, 3)
    union = hades.load(merge([one, two]).save(tmp_path / "union.safetensors"))
    plays = {name: trial(union, part, 1, 1).fitness.greedy for name, part in parts(union).items()}
    assert plays == {"CartPole-v1": True, "Acrobot-v1": False}


def test_actions_that_a_task_does_not_have_are_cut_off() -> None:
    task = control("cartpole")
    spec = hades.Dataset(states=np.zeros((1, 4)), labels=np.eye(3)[:1]).spec
    normaliser = discrete("CartPole-v1", 4, 2).normaliser
    padded = task.seen_through(View(spec, Normaliser(*map(jnp.asarray, normaliser)))).environment
    key = jax.random.key(0)
    state, _ = padded.reset(key)
    last, beyond = (padded.step(key, state, jnp.int32(action)).obs for action in (1, 2))
    np.testing.assert_array_equal(last, beyond)


@settings(max_examples=15)  # each compiles
@given(st.integers(1, 4), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_padding_keeps_what_there_is(side: int, more: int, before: int, behind: int) -> None:
    obs = np.arange(2 * side * side * 2, dtype=np.float32).reshape(2, side, side, 2)
    padded = pad(obs, (side + more, side, before + 2 + behind), before)
    assert padded.shape == (2, side + more, side, before + 2 + behind)
    np.testing.assert_array_equal(padded[:, :side, :, before : before + 2], obs)
    assert float(padded.sum()) == pytest.approx(float(obs.sum()))


def test_an_agent_of_the_union_plays_each_task_as_an_agent_of_that_task_alone() -> None:
    """As long as it can tell which one it plays."""
    union = merge([hades.load("cartpole-8"), hades.load("mountaincar-9")], identity=True)
    scores = evaluate_parts(union, inits=4, episodes=4, learner=hades.Learner(width=128))
    assert scores["CartPole-v1"].mean > 400 and scores["MountainCar-v0"].mean > -130


def test_an_agent_of_the_union_solves_a_task_of_it(cartpole_pairs: hades.Dataset) -> None:
    far = hades.Dataset(states=6 * np.eye(6)[4:], labels=np.eye(3)[[2, 2]], task="Acrobot-v1")
    union = merge([cartpole_pairs, far], identity=True)
    scores = evaluate_parts(union, "cartpole", inits=4, episodes=4, learner=hades.Learner(epochs=200))
    assert list(scores) == ["CartPole-v1"] and scores["CartPole-v1"].mean > 300
    with pytest.raises(hades.InputError, match="not for brax/hopper; it is for CartPole-v1, Acrobot-v1"):
        evaluate_parts(union, "hopper")


RIGID = {"brax/reacher": (11, 2), "brax/inverted_double_pendulum": (8, 1)}
SIMPLE = {"Reacher-misc": (8, 2), "Pendulum-v1": (3, 1)}


@pytest.mark.parametrize("sizes", [SIMPLE, pytest.param(RIGID, marks=pytest.mark.slow)], ids=["simple", "rigid"])
def test_continuous_tasks_merge(sizes: dict[str, tuple[int, int]]) -> None:
    """Those of rigid bodies through the step that treats every number apart (`hades.tasks.lanes`)."""
    rng = np.random.default_rng(0)
    datasets = [
        hades.Dataset(
            states=rng.normal(size=(2, obs)), actions=rng.uniform(-1, 1, (2, act)), task=task,
            learner={"width": 8, "epochs": 5}, info={"task_options": {"max_steps": 20} if sizes is RIGID else {}},
        )
        for task, (obs, act) in sizes.items()
    ]  # fmt: skip
    union = merge(datasets)
    assert union.spec == ((max(obs for obs, _ in sizes.values()),), 2, False)
    scores = evaluate_parts(union, inits=2, episodes=2)
    assert set(scores) == set(sizes) and all(np.isfinite(score.returns).all() for score in scores.values())


@pytest.mark.parametrize(
    ("datasets", "says"),
    [
        ([discrete("CartPole-v1", 4, 2)], "two datasets or more"),
        ([discrete("CartPole-v1", 4, 2)] * 2, "two datasets are for CartPole-v1"),
        ([discrete("CartPole-v1", 4, 2), discrete("", 4, 2)], "names no task"),
        ([merge([discrete("a", 4, 2), discrete("b", 4, 2)]), discrete("c", 4, 2)], "cannot be merged again"),
        ([discrete("CartPole-v1", 4, 2), hades.Dataset(states=ONE, actions=ONE, task="b")], "one kind of head"),
        ([discrete("CartPole-v1", 4, 2), hades.Dataset(states=np.ones((1, 2, 2, 1)), labels=ONE, task="b")], "rank"),
        ([discrete("CartPole-v1", 4, 2), discrete("b", 4, 2, info={"metric": "validation accuracy"})], "control"),
    ],
)
def test_what_does_not_fit_together(datasets: list[hades.Dataset], says: str) -> None:
    with pytest.raises(hades.InputError, match=says):
        merge(datasets)


def test_a_union_is_scored_on_each_task_not_as_one() -> None:
    with pytest.raises(hades.InputError, match="of several tasks, a, b: "):
        hades.evaluate(merge([discrete("a", 4, 2), discrete("b", 4, 2)]))


def test_a_dataset_of_one_task_has_no_parts() -> None:
    with pytest.raises(hades.InputError, match="hades merge"):
        parts(discrete("CartPole-v1", 4, 2))


def test_a_part_of_ones_own_is_chosen_by_the_name_that_it_has(target: ControlTask) -> None:
    mine, other = (
        hades.Dataset(states=np.eye(2, obs), actions=ONE[[0, 0]], task=task)
        for task, obs in ((target.name, 1), ("Pendulum-v1", 3))
    )
    assert list(parts(merge([mine, other]), [target], target.name)) == [target.name]


def test_environments_outside_jax_are_parts_as_well() -> None:
    union = merge([discrete("gymnasium/CartPole-v1", 4, 2), discrete("Acrobot-v1", 6, 3)], identity=True)
    scores = evaluate_parts(union, inits=2, episodes=2)
    assert set(scores) == {"gymnasium/CartPole-v1", "Acrobot-v1"}
    merged = parts(union)["gymnasium/CartPole-v1"]
    assert isinstance(merged, HostTask)
    seeds, beyond, last = np.arange(3, dtype=np.uint32), np.full(3, 2, np.int32), np.ones(3, np.int32)
    seen, plain = (task.environment for task in (merged, hosted("gymnasium/CartPole-v1")))
    mean, std = (np.asarray(union.parts[0][name]) for name in ("obs_mean", "obs_std"))
    every = [(env.reset(seeds), env.step(action).obs) for env, action in ((seen, beyond), (plain, last))]
    for through, theirs in zip(*every, strict=True):
        np.testing.assert_allclose(through[:, :4], (theirs - mean) / std, rtol=1e-5)
        assert (through[:, 4:] == 0).all()
