"""Objectives: how targets start, what they are, and the losses that train on them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.objectives import LABELS, LOSSES, loss_of, objective_of
from hades.learner.objectives.classes import balanced_labels

KEY = jax.random.key(0)
DISCRETE, CONTINUOUS = Spec((4,), 3, discrete=True), Spec((4,), 2, discrete=False)


@pytest.mark.parametrize(("size", "classes"), [(16, 3), (15, 3), (2, 3), (7, 2), (1, 4)])
def test_labels_are_balanced_for_any_size(size: int, classes: int) -> None:
    labels = np.asarray(balanced_labels(size, classes))
    counts = labels.sum(0)
    assert labels.shape == (size, classes) and counts.sum() == size and np.ptp(counts) <= 1
    assert (np.diff(labels.argmax(1)) >= 0).all()  # in blocks


def test_actions_start_anywhere_and_are_their_own_targets() -> None:
    objective = objective_of(CONTINUOUS)
    part = objective.start(500, KEY)
    targets = objective.targets(part, 500)
    assert targets.shape == (500, 2) and -1 <= targets.min() < -0.9 and 0.9 < targets.max() <= 1
    np.testing.assert_array_equal(objective.targets(objective.go_on(np.asarray(targets)), 500), targets)
    assert objective.column == "actions"


def test_fixed_labels_add_nothing_to_what_is_searched_for() -> None:
    objective = objective_of(DISCRETE)
    assert objective.start(6, KEY) == {} and objective.column == "labels"
    np.testing.assert_array_equal(objective.targets({}, 6), balanced_labels(6, 3))
    assert objective.go_on(np.asarray(balanced_labels(6, 3))) == {}
    with pytest.raises(InputError, match="labels of its own; take --labels soft"):
        objective.go_on(np.full((6, 3), 1 / 3))


@pytest.mark.parametrize("sharpness", [0.5, 4.0])
def test_soft_labels_are_probabilities_as_sharp_as_asked(sharpness: float) -> None:
    objective = objective_of(DISCRETE, "soft", sharpness)
    targets = objective.targets(objective.start(6, KEY), 6)
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(jnp.log(targets[0, 0] / targets[0, 1]), sharpness, rtol=1e-5)
    assert (targets.argmax(1) == balanced_labels(6, 3).argmax(1)).all()
    np.testing.assert_allclose(objective.targets(objective.go_on(np.asarray(targets)), 6), targets, rtol=1e-5)


@pytest.mark.parametrize("labels", LABELS)
def test_losses_of_labels_are_averaged_over_pairs_and_classes(labels: str) -> None:
    logits, targets = jax.random.normal(KEY, (5, 3)), jax.nn.softmax(jax.random.normal(jax.random.key(1), (5, 3)))
    losses = objective_of(DISCRETE, labels).losses
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(losses["nll"](logits, targets), -(targets * np.log(probabilities)).mean(), rtol=1e-5)
    np.testing.assert_allclose(losses["mse"](logits, targets), ((probabilities - targets) ** 2).mean(), rtol=1e-5)


def test_losses_of_actions_are_summed_over_dimensions() -> None:
    mean, log_std, actions = (jax.random.normal(jax.random.key(i), (5, 2)) for i in range(3))
    want = -norm.logpdf(actions, mean, np.exp(log_std)).sum(1).mean()
    np.testing.assert_allclose(loss_of("nll", CONTINUOUS)((mean, log_std), actions), want, rtol=1e-5)
    want = ((mean - actions) ** 2).sum(1).mean()
    np.testing.assert_allclose(loss_of("mse", CONTINUOUS)((mean, log_std), actions), want, rtol=1e-5)
    assert LOSSES == ("nll", "mse")
