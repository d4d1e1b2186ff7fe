"""How a run went, in pictures."""

from typing import TYPE_CHECKING

import numpy as np

from hades.metrics import RETURN, Metric
from hades.reporting.style import BLUE, GREY, ORANGE, subplots
from hades.runs import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_curve(metrics: list[Row], metric: Metric = RETURN) -> "Figure":
    """Score against generations: the population's mean and best, and the validated centre.

    Where the validation measures something else than the score (images: accuracy), it has a panel of its own.
    """
    apart = metric.own_panel
    figure, axes = subplots(1, 1 + apart, (7 + 3 * apart, 3.5))
    generations = [row["generation"] for row in metrics]
    for name, colour, label in (("best", GREY, "population's best"), ("mean", BLUE, "population's mean")):
        values = [np.nan if row[name] is None else row[name] for row in metrics]
        axes[0].plot(generations, values, color=colour, label=label, lw=1)
    validated = [(row["generation"], row["validated"]) for row in metrics if row["validated"] is not None]
    if validated:
        axes[-1].plot(*zip(*validated, strict=True), "o-", color=ORANGE, ms=3, label="centre, validated")
    axes[0].set(ylabel=metric.searched)
    if apart:
        axes[-1].set(ylabel=metric.name)
    for ax in axes:
        ax.set(xlabel="generation")
        ax.legend(frameon=False)
    return figure
