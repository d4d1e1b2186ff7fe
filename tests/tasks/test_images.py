"""Labelled images as a task: where states start, and how a classifier is scored."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import image_task, labelled, save_labelled

import hades
from hades.errors import InputError
from hades.learner.networks import init_network, make_network
from hades.learner.recipe import Learner
from hades.learner.recipes import IMAGES
from hades.metrics import VALIDATION
from hades.normalisers import identity_normaliser
from hades.tasks.images import SCALES, STARTS, ImageTask, Labelled

RNG = np.random.default_rng(0)


def test_sizes_that_do_not_fit_are_refused(mine: ImageTask) -> None:
    with pytest.raises(InputError, match="3 classes, which do not divide size 4"):
        hades.distill(mine, 4)
    with pytest.raises(InputError, match="class '0' of mine has 10 training images, too few for 11 per class"):
        hades.distill(mine, 33)


@pytest.mark.parametrize("kind", [*STARTS, "zero"])
def test_starts_come_in_blocks_of_classes(kind: str) -> None:
    images = np.repeat(np.asarray([0.2, 0.8], np.float32), 12)[:, None, None, None] * np.ones(
        (24, 2, 2, 1), np.float32
    )
    task = ImageTask(
        "two", Labelled(images, np.repeat([0, 1], 12)), Labelled(images, np.repeat([0, 1], 12)), ("a", "b")
    )
    key = jax.random.key(0)
    start = task.start(kind, 6, identity_normaliser(task.spec), key)
    want = 0 * images[:6] if kind == "zero" else images[[0, 0, 0, 12, 12, 12]]
    np.testing.assert_allclose(start, want, atol=1e-6)
    np.testing.assert_array_equal(start, task.start(kind, 6, identity_normaliser(task.spec), key))


def test_herding_keeps_the_running_mean_near_the_classs() -> None:
    images = RNG.random((40, 3, 3, 1), np.float32)
    chosen = STARTS["herding"](images, 8, RNG)
    sampled = [STARTS["sample"](images, 8, np.random.default_rng(i)) for i in range(20)]
    far = [np.linalg.norm(s.mean(0) - images.mean(0)) for s in sampled]
    assert np.linalg.norm(chosen.mean(0) - images.mean(0)) < min(far)


def test_a_score_is_the_loss_on_drawn_images_and_a_test_the_accuracy_on_all(mine: ImageTask) -> None:
    learner = IMAGES.patched(Learner(network="mlp", width=8))
    params = jax.vmap(lambda key: init_network(learner, mine.spec, key))(jax.random.split(jax.random.key(0), 2))
    keys = jax.random.split(jax.random.key(1), (2, 7))
    normaliser = identity_normaliser(mine.spec)
    drawn = mine.score(learner, params, normaliser, keys, data=mine.data)
    first: Any = make_network(learner, mine.spec).apply(jax.tree.map(lambda x: x[0], params), mine.train.images / 255)
    losses = jax.nn.log_softmax(first)[np.arange(30), mine.train.labels]
    assert drawn.ret.shape == (2, 7) and np.abs(drawn.ret[0][:, None] - losses).min(1).max() < 1e-4
    test = mine.test
    whole = test.score(learner, params, normaliser, keys, data=test.data)
    assert whole.ret.shape == (2, 1) and np.isin(np.round(np.asarray(whole.ret) * 6, 4), range(7)).all()


def test_a_search_is_validated_on_training_images_that_it_is_not_scored_on(digits: ImageTask) -> None:
    task = digits
    search, validation = (np.asarray(t.data.images).reshape(-1, 64) for t in (task, task.validation))
    assert len(validation) > 0.09 * len(task.train.labels) and np.bincount(task.validation.data.labels).min() >= 13
    both = np.concatenate([search, validation])
    np.testing.assert_array_equal(np.sort(both, 0), np.sort(np.reshape(task.train.images, (-1, 64)), 0))
    assert len(np.unique(both, axis=0)) == len(both)  # no image twice, so none in both
    assert task.validation.metric.name == VALIDATION.name == "validation accuracy"


def test_too_few_images_to_hold_some_back_validate_a_search_themselves(tmp_path: Path) -> None:
    few = image_task(hades.make(save_labelled(tmp_path, **labelled(train=24))))
    assert len(few.data.labels) == len(few.validation.data.labels) == 24


def test_a_calibrated_score_is_the_loss_at_the_best_scale_of_the_logits(mine: ImageTask) -> None:
    learner = IMAGES.patched(Learner(network="mlp", width=8))
    params = init_network(learner, mine.spec, jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), (1, 32))

    def score(task: ImageTask, scale: float) -> float:
        head = max(params["params"])
        scaled = {**params["params"], head: jax.tree.map(lambda x: scale * x, params["params"][head])}
        one = jax.tree.map(lambda x: x[None], {"params": scaled})
        return float(task.score(learner, one, identity_normaliser(mine.spec), keys, data=mine.data).ret.mean())

    calibrated = mine.calibrated
    assert score(calibrated, 1) == pytest.approx(max(score(mine, scale) for scale in SCALES), rel=1e-5)
    assert score(mine, 2) != pytest.approx(score(mine, 1), rel=1e-5)


def test_statistics_are_those_of_the_channels(mine: ImageTask) -> None:
    normaliser = mine.measure(jax.random.key(0)).normaliser()
    x = np.asarray(normaliser(jnp.asarray(mine.train.images / 255, jnp.float32)))
    assert abs(x.mean()) < 1e-3 and x.std() == pytest.approx(1, abs=1e-3)
