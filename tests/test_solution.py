"""Between solutions and datasets: where a search starts, and what it goes on from."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades.config import Config
from hades.keeping import dataset_of
from hades.learner.recipes import DISCRETE
from hades.search import Search
from hades.tasks.control import ControlTask
from hades.tasks.images import ImageTask
from tests.helpers import RECIPE, TINY, control


@pytest.mark.slow
def test_soft_labels_evolve_and_stay_probabilities() -> None:
    result = hades.distill("cartpole", size=3, labels="soft", **TINY)
    labels = result.dataset.targets
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-5)
    assert (labels > 0).all() and (labels < 1).all()


def test_a_search_goes_on_from_a_dataset(target: ControlTask, tmp_path: Path) -> None:
    options = TINY | {"generations": 1, "std": 1e-6, "normaliser": "fixed"}
    begun = Search(target, Config(size=2, normaliser="fixed", seed=3))
    first = dataset_of(begun, begun.init())
    file = first.save(tmp_path / "first.safetensors")
    second = hades.distill(target, size=2, start=str(file), seed=1, **options).dataset
    np.testing.assert_allclose(second.states, first.states, atol=1e-4)
    np.testing.assert_allclose(second.targets, first.targets, atol=1e-4)
    np.testing.assert_array_equal(second.normaliser, first.normaliser)
    for more, says in (
        ({"size": 3}, "has 2 pairs of \\[1\\] and 1 actions; target is asked for 3"),
        ({"normaliser": "running"}, "take --normaliser fixed"),
        ({"start": "none.safetensors"}, "no dataset file at none.safetensors"),
        ({"start_actions": 0.1}, "start_actions is where actions start; they start as those of"),
        ({"searches": 2}, "searches begin each from another start, and .* is one"),
    ):
        with pytest.raises(hades.InputError, match=says):
            hades.distill(target, **{"size": 2, "start": str(file), **options, **more})


def test_a_run_keeps_the_dataset_that_it_goes_on_from(target: ControlTask, tmp_path: Path) -> None:
    """What was at its place may be gone, or another, by the time that the run goes on."""
    steps = hades.Dataset(states=np.asarray([[-1.0], [1.0]]), actions=np.asarray([[1.0], [-1.0]]), task="walk")
    file, options = steps.save(tmp_path / "good.safetensors"), {**TINY, "generations": 1}
    first = hades.distill(target, start=file, out=tmp_path / "run", **options)
    assert len(first.dataset) == 2  # as many pairs as those have
    file.unlink()
    assert hades.resume(tmp_path / "run", target, generations=2, progress=False).metrics[-1]["generation"] == 2


def test_a_dataset_that_nothing_better_is_found_for_is_kept(target: ControlTask, tmp_path: Path) -> None:
    steps = hades.Dataset(
        states=np.asarray([[-1.0], [1.0]]), actions=np.asarray([[1.0], [-1.0]]), task="walk"
    )  # towards the origin
    file, options = steps.save(tmp_path / "good.safetensors"), TINY | {"normaliser": "fixed", "validate_inits": 8}
    result = hades.distill(target, size=2, start=str(file), std=1e3, out=tmp_path / "run", **options)
    np.testing.assert_array_equal(result.dataset.states, steps.states)
    assert result.dataset.info["validated"] > max(row["validated"] or -99 for row in result.metrics)


@pytest.mark.slow
def test_a_run_finds_the_dataset_that_it_began_with_from_any_folder(
    target: ControlTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TINY | {"generations": 1, "normaliser": "fixed"}
    hades.distill(target, size=2, **options).dataset.save(tmp_path / "first.safetensors")
    monkeypatch.chdir(tmp_path)
    hades.distill(target, size=2, start="first.safetensors", out=tmp_path / "run", **options)
    monkeypatch.chdir(tmp_path / "run")
    assert hades.resume(tmp_path / "run", target, generations=2, progress=False).metrics[-1]["generation"] == 2


def test_a_dataset_itself_may_be_the_start_and_stays_with_the_run(target: ControlTask, tmp_path: Path) -> None:
    options: dict[str, Any] = TINY | {"normaliser": "fixed", "std": 1e-6}
    search = Search(target, Config(size=2, normaliser="fixed", seed=3))
    first = dataset_of(search, search.init())
    hades.distill(target, size=2, start=first, out=tmp_path / "run", **{**options, "generations": 2})
    moved = (tmp_path / "run").rename(tmp_path / "moved")
    resumed = hades.resume(moved, target, generations=4, progress=False).dataset
    np.testing.assert_allclose(resumed.states, first.states, atol=1e-4)


def test_soft_labels_go_on_from_a_datasets(cartpole_pairs: hades.Dataset, tmp_path: Path) -> None:
    labels = np.asarray([[0.7, 0.3], [0.2, 0.8]])
    file = str(dataclasses.replace(cartpole_pairs, labels=labels).save(tmp_path / "soft.safetensors"))
    options: dict[str, Any] = {"size": 2, "normaliser": "none", "start": file, "learner": DISCRETE}
    search = Search(control("cartpole"), Config(labels="soft", **options))
    states, targets, _ = search.codec.pairs(search.best(search.init())[0])
    np.testing.assert_array_equal(states, cartpole_pairs.states)
    np.testing.assert_allclose(targets, labels, atol=1e-3)
    with pytest.raises(hades.InputError, match="labels of its own"):
        Search(control("cartpole"), Config(**options))


@pytest.mark.parametrize(("asked", "most"), [(None, 1.0), (0.1, 0.1)])
def test_actions_start_as_near_to_zero_as_asked(asked: float | None, most: float, target: ControlTask) -> None:
    search = Search(target, Config(size=200, start_actions=asked, normaliser="none", learner=RECIPE))
    _, actions, _ = search.codec.pairs(search.best(search.init())[0])
    assert 0.9 * most < np.abs(np.asarray(actions)).max() <= most


def test_soft_labels_start_as_sharp_as_asked(digits: ImageTask) -> None:
    config = Config(size=10, start="mean", labels="soft", label_logit=4.0, normaliser="none", learner=RECIPE)
    search = Search(digits, config)
    _, labels, learned = search.codec.pairs(search.best(search.init())[0])
    assert not learned
    np.testing.assert_allclose(labels, jax.nn.softmax(4 * jnp.eye(10)), rtol=1e-5)
