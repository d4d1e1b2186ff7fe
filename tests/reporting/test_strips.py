"""An evaluation shows itself in a notebook."""

import numpy as np
import pytest

import hades
from hades.reporting.strips import strip
from hades.scores import Evaluation

SCORES = np.arange(12.0).reshape(3, 4)


def test_every_score_is_there_with_the_mean_and_the_interval() -> None:
    (ax,) = strip(Evaluation(SCORES)).axes
    drawn = {str(line.get_label()): list(np.asarray(line.get_xdata())) for line in ax.lines}
    assert drawn["episodes"] == list(range(12)) and drawn["mean"] == [5.5]
    assert drawn["networks' means"] == [1.5, 5.5, 9.5] and len(drawn["95 % interval of the interquartile mean"]) == 2
    assert ax.get_xlabel() == "return"


@pytest.mark.parametrize(
    "scores", [SCORES, SCORES[:1, :1], SCORES * np.nan, np.full((2, 2), 500.0), np.ones((90, 90))]
)
def test_a_notebook_shows_it_whatever_it_is(scores: np.ndarray) -> None:
    shown = Evaluation(scores)._repr_html_()
    assert shown.count("data:image/png;base64,") == 1 and "interquartile mean" in shown and len(shown) < 100_000


def test_a_notebook_shows_pairs_as_their_environment_draws_them() -> None:
    shown = hades.load("cartpole-2")._repr_html_()
    assert "as their environment draws them" in shown and "pole angular velocity" in shown
