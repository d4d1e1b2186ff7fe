"""An evaluation's scores, each of them, in a strip."""

from typing import TYPE_CHECKING

import numpy as np

from hades.metrics import metric_of
from hades.reporting.style import BLUE, GREY, ORANGE, subplots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hades.scores import Evaluation

SHOWN = 2000
"""Scores at most; of more, every other one or fewer."""


def strip(evaluation: "Evaluation") -> "Figure":
    """Each score as a dot, also the means of networks that have several, the mean of all, and the interval."""
    metric, returns = metric_of(evaluation.metric), evaluation.returns
    every, interval = returns.ravel()[:: 1 + returns.size // SHOWN], evaluation.iqm_interval
    figure, (ax,) = subplots(1, 1, (5.4, 1.5))
    what = "episodes" if metric.episodes else "networks"
    ax.plot(every, _apart(len(every)), "o", color=GREY, ms=3.5, alpha=0.6, mew=0, label=what)
    if min(returns.shape) > 1:
        ax.plot(returns.mean(1), _apart(len(returns)), "o", color=BLUE, ms=4, mew=0, label="networks' means")
    if np.isfinite(evaluation.mean):
        ax.plot([evaluation.mean], [-0.8], "D", color=ORANGE, ms=5, mew=0, label="mean")
    if interval and np.isfinite(interval).all():
        words = "95 % interval of the interquartile mean"
        ax.plot(interval, [-1.15] * 2, "|-", color="black", ms=5, lw=2, label=words)
    ax.set(xlabel=metric.name, yticks=[], ylim=(-1.5, 0.7))
    ax.spines["left"].set_visible(False)
    figure.legend(loc="outside upper left", ncols=4, fontsize=7, frameon=False, handletextpad=0.5, columnspacing=1.0)
    return figure


def _apart(number: int) -> np.ndarray:
    """Heights that keep equal scores from hiding each other: always the same, and spread evenly."""
    return (np.arange(number) * 0.618 % 1) - 0.5
