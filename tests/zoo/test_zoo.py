"""The datasets that come with the package."""

from pathlib import Path

import numpy as np
import pytest

import hades
from hades import tasks, zoo


@pytest.mark.parametrize("name", zoo.names())
def test_every_dataset_has_a_card_that_says_what_it_is(name: str) -> None:
    card, dataset = zoo.card(name), hades.load(name)
    assert tasks.resolve(card["task"]) == card["task"] and card["pairs"] == len(dataset)
    assert card["made"] and card["versions"]["jax"] and card["scores"]
    assert all(np.isfinite(score["mean"]) and score["inits"] >= 10 for score in card["scores"].values())


def test_a_card_tells_the_truth() -> None:
    score = hades.evaluate(hades.load("cartpole-2"), inits=16, episodes=4, seed=5)
    assert score.mean == pytest.approx(zoo.card("cartpole-2")["scores"]["its own recipe"]["mean"], rel=0.1)


def test_a_dataset_can_be_taken_out(tmp_path: Path) -> None:
    out = zoo.get("cartpole-2", tmp_path / "mine.safetensors")
    np.testing.assert_array_equal(hades.load(out).states, hades.load("cartpole-2").states)
    with pytest.raises(hades.InputError, match="exists"):
        zoo.get("cartpole-2", out)


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(hades.InputError, match="did you mean hopper-"):
        hades.load("hoper-4")
    with pytest.raises(hades.InputError, match="no 'hoper-4' in the zoo; did you mean hopper-"):
        zoo.get("hoper-4", Path("x"))
    with pytest.raises(hades.InputError, match="no 'qqq' in the zoo; `hades zoo` lists"):
        zoo.card("qqq")


def test_the_table_has_every_dataset() -> None:
    assert all(name in zoo.table() for name in zoo.names())
