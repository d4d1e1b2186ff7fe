"""From a task to a dataset that works, and on with what was interrupted."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hades
from hades.config import Config
from hades.errors import InputError, Notice
from hades.keeping import dataset_of
from hades.learner.recipe import Learner
from hades.learner.recipes import DISCRETE
from hades.runs import Run
from hades.search import Search, State
from hades.tasks.control import ControlTask
from hades.tasks.images import ImageTask
from tests.helpers import RECIPE, TINY, TINY_IMAGES
from tests.test_trackers import shown

SLOW = pytest.mark.slow


def test_distillation_makes_a_dataset_that_works(target: ControlTask) -> None:
    options = TINY | {"generations": 40, "population": 32, "learner": Learner(width=16, epochs=60)}
    result = hades.distill(target, size=2, **options)
    assert result.evaluation is not None
    first, score = result.metrics[0]["mean"], result.evaluation.mean
    assert score > first + 1 and score > -2.5  # an idle policy scores about -5
    assert hades.evaluate(result.dataset, target, inits=8, episodes=4).mean == pytest.approx(score, abs=1.0)


@pytest.mark.slow
def test_cartpole_end_to_end() -> None:
    result = hades.distill("cartpole", generations=30, progress=False, seed=1)
    assert len(result.dataset) == 2
    assert hades.evaluate(result.dataset, inits=8, episodes=4).mean > 450
    assert result.dataset.info["score"]["mean"] > 450


@pytest.mark.parametrize(
    "options",
    [{}, pytest.param({"init": "fixed", "normaliser": "fixed"}, marks=SLOW),
     pytest.param({"strategy": "CMA-ES", "normaliser": "none"}, marks=SLOW),
     pytest.param({"strategy": "OpenES", "strategy_lr": 0.02, "greedy": True}, marks=SLOW)],
)  # fmt: skip
def test_the_same_seed_gives_the_same_dataset(target: ControlTask, tmp_path: Path, options: dict) -> None:
    one, two = (
        hades.distill(target, size=2, **{**TINY, **options}).dataset.save(tmp_path / name).read_bytes()
        for name in "ab"
    )
    assert one == two
    other = hades.distill(target, size=2, seed=1, **{**TINY, "generations": 1, **options}).dataset
    assert (other.states != hades.load(tmp_path / "a").states).any()


def test_a_finished_run_goes_on_as_if_it_had_been_longer(target: ControlTask, tmp_path: Path) -> None:
    """Six generations: a run's end validates, and this is where the longer run validates too."""
    long = hades.distill(target, size=2, out=tmp_path / "long", **{**TINY, "generations": 12})
    watched: dict[str, Any] = {"trackers": ["tensorboard"]}
    hades.distill(target, size=2, out=tmp_path / "short", **{**TINY, "generations": 6}, **watched)
    resumed = hades.resume(tmp_path / "short", target, generations=12, progress=False, **watched)
    assert (tmp_path / "short/dataset.safetensors").read_bytes() == (
        tmp_path / "long/dataset.safetensors"
    ).read_bytes()
    drop = ("seconds",)
    strip = [[{k: v for k, v in row.items() if k not in drop} for row in r.metrics] for r in (long, resumed)]
    assert strip[0] == strip[1]
    with pytest.raises(hades.InputError, match="this run has had 12 generations; give more, or leave generations out"):
        hades.resume(tmp_path / "short", target, generations=3, progress=False)
    assert Run.open(tmp_path / "short").about["config"]["generations"] == 12  # of whoever resumes it next
    assert shown(tmp_path / "short") == dict.fromkeys(range(1, 13), 1)


def test_on_a_full_disk_nothing_computed_is_lost(
    target: ControlTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with (
        monkeypatch.context() as disk,
        pytest.warns(Notice, match=r"No space left on device; the run goes on") as said,
    ):
        disk.setattr(Search, "generations", _after(Search.generations, lambda: disk.setattr(os, "fsync", fsync)))
        result = hades.distill(target, size=2, out=tmp_path / "run", **TINY)
    assert [one.category for one in said].count(Notice) == 1 and "No space left on device" in (result.unsaved or "")
    assert result.evaluation is not None and len(result.metrics) == 7
    assert hades.resume(tmp_path / "run", target, progress=False).unsaved is None
    np.testing.assert_array_equal(hades.load(tmp_path / "run/dataset.safetensors").states, result.dataset.states)


def _after(function: Callable[..., Any], then: Callable[[], None]) -> Callable[..., Any]:
    """A function, and something that follows it."""

    def both(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        then()
        return result

    return both


@pytest.mark.parametrize("stop", [pytest.param(3, marks=SLOW), 6, pytest.param(9, marks=SLOW), 12])
def test_several_searches_go_on_where_they_were_stopped(
    target: ControlTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    options = {**TINY, "generations": 18, "searches": 3}
    whole = hades.distill(target, size=2, **options).dataset.save(tmp_path / "whole.safetensors")
    validate = Search.validate

    def interrupting(self: Search, state: State) -> tuple[State, float | None]:
        if int(state.generation) == stop:
            signal.raise_signal(signal.SIGINT)
        return validate(self, state)

    monkeypatch.setattr(Search, "validate", interrupting)
    assert hades.distill(target, size=2, out=tmp_path / "run", **options).interrupted
    hades.resume(tmp_path / "run", target, progress=False)
    assert (tmp_path / "run" / "dataset.safetensors").read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size must be at least 1, not 0"),
        ({"size": -3}, "size must be at least 1, not -3"),
        ({"population": 1}, "population must be at least 2"),
        ({"init": "warm"}, "unknown init 'warm'; choose one of random, fixed"),
        ({"normaliser": "batch"}, "unknown normaliser"),
        ({"labels": "hard"}, "unknown labels"),
        ({"std": 0.0}, "std must be positive"),
        ({"minutes": -1.0}, "minutes must be positive"),
        ({"preset": "desktop"}, "unknown preset 'desktop'; choose one of laptop, evolution, paper"),
        ({"strategy": "SNE"}, "unknown strategy 'SNE'"),
        ({"trackers": ["tensorbord"]}, "unknown tracker"),
        ({"trackers": ["tensorboard"], "out": None}, "give out"),
        ({"popsize": 3}, "unknown option 'popsize'"),
        ({"populaton": 3}, "unknown option 'populaton'; did you mean population?"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"searches": 0}, "searches must be at least 1, not 0"),
        ({"generations": None, "minutes": None}, "nothing ends this run: give generations, steps or minutes"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    target: ControlTask, tmp_path: Path, options: dict, message: str
) -> None:
    out = tmp_path / "run"
    with pytest.raises(hades.InputError, match=message):
        hades.distill(target, **{"size": 2, "out": out, **TINY, **options})
    assert not out.exists()


def test_a_tasks_options_travel_with_its_dataset() -> None:
    task = hades.make("cartpole", max_steps_in_episode=9)
    search = Search(task, Config(size=2, greedy=True, learner=DISCRETE.patched(Learner(width=8, epochs=16))))
    dataset = dataset_of(search, search.init())
    assert dataset.info["task_options"] == {"max_steps_in_episode": 9} and dataset.info["greedy"]
    assert hades.evaluate(dataset, inits=2, episodes=2).returns.max() <= 9


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, marks=SLOW),
        pytest.param({"window": 5, "labels": "soft", "learn_rate": True}, marks=SLOW),
        pytest.param({"networks": ("mlp:8", "mlp:8", "mlp:4")}, marks=SLOW),
        {"strategy": "OpenES", "population": 4, "std": 0.02, "start": "sample", "normaliser": "fixed"},
        pytest.param({"learner": RECIPE.patched(Learner(augment="dsa", batch=10)), "size": 20}, marks=SLOW),
    ],
    ids=["plain", "window", "networks", "evolution", "augmented"],
)
def test_the_same_seed_gives_the_same_images_also_after_an_interruption(
    digits: ImageTask, tmp_path: Path, options: dict
) -> None:
    options = {**TINY_IMAGES, **options}
    whole = hades.distill(digits, **options).dataset
    hades.distill(digits, out=tmp_path, **{**options, "generations": 4})
    again = hades.resume(tmp_path, generations=8, progress=False).dataset
    np.testing.assert_array_equal(whole.states, again.states)
    np.testing.assert_array_equal(whole.targets, again.targets)
    assert whole.learner == again.learner and whole.info["generations"] == 8
    assert (whole.learner["learning_rate"] != RECIPE.learning_rate) == ("learn_rate" in options)


@pytest.mark.slow
def test_images_distil_into_ten_that_train(digits: ImageTask) -> None:
    learner = RECIPE.patched(Learner(width=32, learning_rate=5.0, epochs=60))
    options = {**TINY_IMAGES, "generations": 150, "validate_every": 50, "labels": "soft", "episodes": 256}
    result = hades.distill(digits, **{**options, "learner": learner})
    score = hades.evaluate(result.dataset, digits, 5)
    assert score.metric == "test accuracy" and score.mean > 0.85
    assert result.evaluation is not None and result.evaluation.metric == "validation accuracy"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_logit": 0.0}, "label_logit must be positive"),
        ({"labels": "fixed", "label_logit": 4.0}, "label_logit is where soft labels start; add labels soft"),
        ({"strategy": "gradient:adma"}, "optax has no optimiser"),
        ({"strategy": "SNES", "window": 3}, "window belongs to the strategy gradient"),
        ({"normaliser": "running"}, "images are normalised once"),
        ({"networks": ("mlp:wide",)}, "networks are NAME, NAME:WIDTH, NAME:WIDTHxDEPTH or"),
        ({"networks": ("vit",)}, "unknown network 'vit'"),
        ({"networks": ("mlp:8", "convnet:4"), "learn_rate": True}, "learn_rate searches for one learning_rate"),
        ({"start": "best"}, "does not start at 'best'; choose one of random, mean"),
    ],
)
def test_what_cannot_be_is_refused(digits: ImageTask, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        hades.distill(digits, **{**TINY_IMAGES, **options})


SHARDED = """
import os, sys
import jax, numpy as np
import hades
from hades.config import Config
from hades.keeping import dataset_of
from hades.learner.recipes import DISCRETE
from tests.helpers import TINY_IMAGES
result = hades.distill(hades.make("digits"), **{**TINY_IMAGES, "inits": 4, "generations": 3})
assert jax.device_count() == int(os.environ["JAX_NUM_CPU_DEVICES"])
np.save(sys.argv[1], result.dataset.states)
"""


@pytest.mark.slow
def test_the_gradient_does_not_depend_on_the_devices(tmp_path: Path) -> None:
    images = []
    for devices in (1, 3):
        path = tmp_path / f"{devices}.npy"
        environment = {**os.environ, "JAX_NUM_CPU_DEVICES": str(devices), "PYTHONPATH": str(Path(__file__).parents[1])}
        subprocess.run([sys.executable, "-c", SHARDED, str(path)], env=environment, check=True, timeout=300)
        images.append(np.load(path))
    np.testing.assert_allclose(*images, atol=1e-4)


DATA = Path(__file__).parent / "data"


@pytest.mark.slow
def test_a_run_of_version_0_1_goes_on_to_where_that_version_took_it(tmp_path: Path) -> None:
    """Interrupted in the second of two searches, at generation 4 of 12; `whole` is the same run uninterrupted."""
    whole = hades.load(DATA / "whole-0.1.safetensors")
    shutil.copytree(DATA / "run-0.1", tmp_path / "run")
    result = hades.resume(tmp_path / "run", progress=False)
    assert [row["generation"] for row in result.metrics] == list(range(1, 13))
    assert result.dataset.info["generations"] == whole.info["generations"] == 12
    np.testing.assert_allclose(result.dataset.states, whole.states, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(result.dataset.targets, whole.targets)
    np.testing.assert_allclose(result.dataset.normaliser, whole.normaliser, rtol=1e-3, atol=1e-4)
    assert {**result.dataset.learner, **whole.learner} == result.dataset.learner


def test_datasets_of_version_0_1_open() -> None:
    digits = hades.load(DATA / "digits-0.1.safetensors")
    assert (digits.task, digits.states.shape, digits.learner["network"]) == ("digits", (10, 8, 8, 1), "mlp")
    np.testing.assert_allclose(digits.targets.sum(1), 1, rtol=1e-5)
