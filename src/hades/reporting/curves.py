"""How a run went, in pictures."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hades.metrics import RETURN, Metric
from hades.progress import lasting
from hades.reporting.published import Level
from hades.reporting.style import BLUE, COLOURS, GREY, ORANGE, above, named, subplots
from hades.runs import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Axis(NamedTuple):
    """What a curve is drawn against."""

    column: str
    """Of the metrics."""
    label: str
    scale: float = 1.0


def axes_of(metric: Metric) -> dict[str, Axis]:
    """What a run's curve can be drawn against, by name."""
    return {
        "generations": Axis("generation", "generation"),
        "steps": Axis("env_steps_total", f"{metric.counted}, millions", 1e6),
        "time": Axis("seconds", "minutes of searching", 60.0),
    }


def learning_curve(
    metrics: Sequence[Row],
    metric: Metric = RETURN,
    against: str = "generations",
    level: Level | None = None,
    init: str = "random",
) -> "Figure":
    """Score: the population's mean and best, and the validated centre.

    Where the validation measures something else than the score (images: accuracy), it has a panel of its own.

    Args:
        against: of `axes_of`.
        level: the paper's, drawn in.
        init: whose level it is.
    """
    apart, axis = metric.own_panel, axes_of(metric)[against]
    figure, axes = subplots(1, 1 + apart, (5.4 + 3 * apart, 3.0))
    lonely = "o" if len(metrics) == 1 else None
    for name, colour, label in (("best", GREY, "population's best"), ("mean", BLUE, "population's mean")):
        axes[0].plot(*_line(metrics, axis, name), color=colour, label=label, lw=1, marker=lonely, ms=4)
    validated = _validated(metrics)
    if validated:
        axes[-1].plot(*_line(validated, axis, "validated"), "o-", color=ORANGE, ms=3, label="centre, validated")
    if level is not None:
        _paper(axes[-1], level, init)
    axes[0].set(ylabel=metric.searched)
    if apart:
        axes[-1].set(ylabel=metric.name)
    for ax in axes:
        ax.set(xlabel=axis.label)
        if ax.get_legend_handles_labels()[0]:
            above(ax)
    return figure


def curves(runs: Mapping[str, Sequence[Row]], metric: Metric, against: str = "generations") -> "Figure":
    """Of several runs: each one's validated centre; of one without any, the population's mean."""
    axis = axes_of(metric)[against]
    figure, (ax,) = subplots(1, 1, (5.4, 3.0))
    for (name, rows), colour in zip(runs.items(), COLOURS * (len(runs) // len(COLOURS) + 1), strict=False):
        validated = _validated(rows)
        shown, column = (validated, "validated") if validated else (rows, "mean")
        ax.plot(*_line(shown, axis, column), "o-", color=colour, ms=3, lw=1, label=named(name))
    ax.set(xlabel=axis.label, ylabel=metric.name)
    above(ax)
    return figure


def curve_in_words(metrics: Sequence[Row], metric: Metric) -> str:
    """What is seen in a run's curve."""
    validated = _validated(metrics)
    if not metrics:
        return "No generation has ended yet."
    if not validated:
        mean = metric.number(metrics[-1]["mean"])
        return f"After {len(metrics):,} generations the population's mean is {mean}; nothing has been validated yet."
    best = max(validated, key=lambda row: row["validated"])
    unseen = "the search does not see" if metric.episodes else "nothing is trained on: images kept for it"
    several = len({row.get("search") for row in metrics})
    pieces = f" There are {several} phases, each from another start or from the best so far: lines break between them."
    begun = f"{metric.number(validated[0]['validated'])} in generation {validated[0]['generation']:,}, and "
    return (
        f"The search's centre, validated on what {unseen}, has a {metric.name} of "
        f"{begun if best is not validated[0] else ''}{metric.number(best['validated'])} at its best, in generation "
        f"{best['generation']:,} of {metrics[-1]['generation']:,}, after {lasting(best['seconds'])} of searching."
        f"{pieces if several > 1 else ''}"
    )


def _validated(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["validated"] is not None]


def _line(rows: Sequence[Row], axis: Axis, column: str) -> tuple[list[float], list[float]]:
    """Where a column's line goes, broken between phases: another's search is elsewhere."""
    x, y, before = [], [], rows[0].get("search") if rows else None
    for row in rows:
        if row.get("search") != before:
            x.append(np.nan)
            y.append(np.nan)
        before = row.get("search")
        x.append(row[axis.column] / axis.scale)
        y.append(np.nan if row[column] is None else row[column])
    return x, y


def _paper(ax: "Axes", level: Level, init: str) -> None:
    """The paper's level, with a standard deviation over its seeds."""
    ax.axhspan(level.mean - level.std, level.mean + level.std, color=GREY, alpha=0.2, lw=0)
    ax.axhline(level.mean, color=GREY, ls="--", lw=1, label=level.words(init))
