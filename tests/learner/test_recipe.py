"""Recipes, complete and frozen, and learners: wishes laid over them."""

import dataclasses
import inspect

import pytest

import hades
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.recipe import Learner, Recipe, as_learner
from hades.learner.recipes import ARCHITECTURES, CONTINUOUS, DISCRETE, IMAGES, ON_SMALL, published


def test_what_a_learner_leaves_out_is_inherited() -> None:
    merged = published(Spec((4,), 2, discrete=True)).patched(Learner(width=64))
    assert (merged.width, merged.activation, merged.learning_rate, merged.epochs) == (64, "relu", 0.03, 64)
    assert merged == Recipe(**merged.options()) == DISCRETE.patched(merged)
    assert CONTINUOUS.patched(Learner(width=[3, 4])).widths == (3, 4)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"activation": "step"}, "unknown activation 'step'"),
        ({"network": "rnn"}, "unknown network"),
        ({"optimiser": "lion"}, "unknown optimiser"),
        ({"loss": "huber"}, "unknown loss"),
        ({"width": 0}, "width must be positive"),
        ({"width": (64, -1)}, "width must be positive"),
        ({"epochs": -1}, "epochs must be positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"clip": -1.0}, "clip must be"),
    ],
)
def test_bad_options_are_refused(option: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Learner(**option)
    with pytest.raises(InputError, match=message):
        dataclasses.replace(CONTINUOUS, **option)


def test_a_network_brings_its_own_shape_unless_one_is_given() -> None:
    assert IMAGES.patched(Learner(network="convnet")).widths == (128, 128, 128)
    assert IMAGES.patched(Learner(network="convnet", width=8)).widths == (8, 8, 8)
    assert IMAGES.patched(Learner(network="lenet")).widths == (120, 84)
    assert IMAGES.patched(Learner(learning_rate=1.0)).widths == (128,)
    assert dataclasses.asdict(IMAGES.patched(Learner(network="cnn"))) == dataclasses.asdict(IMAGES)


def test_wishes_are_laid_over_a_recipe_one_after_the_other() -> None:
    one, two = Learner(width=8, epochs=7), {"epochs": 9}
    patched = CONTINUOUS.patched(one, None, two)
    assert (patched.width, patched.epochs) == (8, 9) and patched == CONTINUOUS.patched(one | Learner(**two))
    assert dataclasses.replace(patched, width=CONTINUOUS.width, epochs=CONTINUOUS.epochs) == CONTINUOUS
    assert CONTINUOUS.patched() == CONTINUOUS.patched(None, Learner()) == CONTINUOUS


def test_a_recipe_is_complete_frozen_and_hashable() -> None:
    assert None not in dataclasses.asdict(CONTINUOUS).values()
    assert len({CONTINUOUS, CONTINUOUS.patched(Learner(width=512)), DISCRETE}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONTINUOUS.width = 3  # type: ignore[misc]
    with pytest.raises(TypeError, match="missing"):
        Recipe(network="mlp")  # type: ignore[call-arg]


def test_the_later_of_two_learners_wishes_counts() -> None:
    assert Learner(width=8, clip=1.0) | Learner(clip=0.0) == Learner(width=8, clip=0.0)
    assert hash(Learner(width=8, clip=0.0)) == hash(Learner(clip=0.0, width=8))
    assert Learner(width=8) != Learner(width=9) and Learner(width=8, clip=None) == Learner(width=8)
    assert repr(Learner(width=8, loss="mse")) == "Learner(width=8, loss='mse')"
    assert Learner(width=(3, 4)).options() == {"width": [3, 4]}


def test_wishes_may_be_given_as_a_learner_a_recipe_a_mapping_or_not_at_all() -> None:
    assert as_learner({"width": 8}) == as_learner(Learner(width=8)) == Learner(width=8)
    assert CONTINUOUS.patched(DISCRETE) == DISCRETE and as_learner(None) == Learner()
    with pytest.raises(
        InputError, match=r"a learner is hades.Learner\(width=64, ...\) or a dict of such options, not 3"
    ):
        as_learner(3)  # type: ignore[arg-type]
    says = r"unknown option 'widht'; did you mean width\? a learner has network, width, depth"
    with pytest.raises(InputError, match=says):
        hades.Learner(widht=3)


def test_a_learner_is_documented_by_what_a_recipe_declares() -> None:
    assert list(inspect.signature(Learner).parameters) == [field.name for field in dataclasses.fields(Recipe)]
    assert "learning_rate: Inner step size." in (Learner.__doc__ or "")


def test_small_images_are_tested_by_longer_recipes_where_features_are_few() -> None:
    assert ARCHITECTURES.keys() == ON_SMALL.keys() and ON_SMALL["cnn"] == ARCHITECTURES["cnn"]
    assert ON_SMALL["convnet"].epochs > ARCHITECTURES["convnet"].epochs
