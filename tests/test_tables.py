"""Tables, and the mark of scores that are exactly alike."""

from typing import Any

import pytest

from hades import tables
from hades.studies.pieces import over_networks, scores, spread


def summary(mean: float, least: float, inits: int = 1, std: float = 0.0) -> dict[str, Any]:
    return {"mean": mean, "min": least, "inits": inits, "episodes": 64, "std_of_inits": std}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([summary(7, 7), summary(7, 7), summary(7, 7)], "7.0 ± 0.0†"),
        ([summary(7, 3), summary(7, 4)], "7.0 ± 0.0†"),
        ([summary(7, 7), summary(9, 9)], "8.0 ± 1.4†"),
        ([summary(7, 7), summary(9, 2)], "8.0 ± 1.4"),
        ([summary(7, 3)], "7.0"),
        ([summary(7.001, 3), summary(7, 3)], "7.0 ± 0.0"),
    ],
)
def test_trainings_that_end_alike_and_episodes_that_repeat_are_marked(found: list[Any], words: str) -> None:
    assert scores(found) == words


def test_networks_that_score_alike_are_marked_and_one_network_is_not() -> None:
    assert over_networks(summary(5, 2, inits=4)) == "5.0 ± 0.0†"
    assert over_networks(summary(5, 2, inits=4, std=0.1)) == "5.0 ± 0.1"
    assert over_networks(summary(5, 2)) == "5.0 ± 0.0"


def test_a_budget_that_is_the_same_is_nothing_to_look_at() -> None:
    assert spread([5.1, 5.1]) == "5.1 ± 0.0"


@pytest.mark.parametrize("write", [tables.align, tables.markdown])
def test_a_mark_is_explained_below_its_table(write: Any) -> None:
    header = ["task", "return"]
    assert write([header, ["a", tables.marked("7.0 ± 0.0", True)]]).endswith("\n\n" + tables.NOTE)
    assert tables.ALIKE not in write([header, ["a", tables.marked("7.0 ± 0.1", False)]])
