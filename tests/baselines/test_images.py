"""Images that nobody distilled."""

import pytest

import hades
from hades.baselines import images as baselines
from hades.errors import InputError
from hades.learner.recipe import Learner
from hades.tasks.images import ImageTask


def test_baselines_are_real_images_that_train(digits: ImageTask) -> None:
    learner = Learner(network="mlp", width=32, learning_rate=1.0, epochs=300)
    means, sample = (baselines.baseline(digits, kind, 10) for kind in ("mean", "sample"))
    assert hades.evaluate(means, digits, 3, learner=learner).mean > 0.75
    assert any((sample.states[0] * 255 == image).all() for image in digits.train.images[digits.train.labels == 0])
    assert means.metric.name == digits.validation.metric.name
    assert len(baselines.baseline(digits, "all", 10)) == len(digits.train.labels)
    with pytest.raises(InputError, match="unknown baseline"):
        baselines.baseline(digits, "best", 10)


@pytest.mark.slow
def test_deep_networks_learn_from_small_images(digits: ImageTask) -> None:
    means = baselines.baseline(digits, "mean", 10)
    assert baselines.across(means, digits, 1, names=["convnet"])["convnet"].mean > 0.75
