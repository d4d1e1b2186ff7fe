"""What pairs mean, in figures: one for each part of `hades.reporting.meaning`."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hades.dataset import Dataset
from hades.metrics import metric_of
from hades.reporting.meaning import TITLES, Meaning
from hades.reporting.places import FAR, Nearest, Projection
from hades.reporting.policies import Answers, Field
from hades.reporting.retraining import Growth, Influence
from hades.reporting.shades import shades
from hades.reporting.style import BLUE, GREY, ORANGE, above, subplots

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

SIZE = (5.4, 3.0)
INK = "#111111"
"""Of numbers on white: what is black takes a page's colour of text."""
NUMBERED = 24
"""Pairs that have their numbers written on them, at most."""


class Explained(NamedTuple):
    """A figure, with its title and what one sees in it."""

    name: str
    title: str
    figure: "Figure"
    words: str


def explained(meaning: Meaning) -> Iterator[Explained]:
    """Figures of all parts that are there."""
    words = meaning.words
    for name, part in meaning.parts.items():
        yield Explained(name, TITLES[name], FIGURES[name](meaning.dataset, part), words[name])


def influence(dataset: Dataset, found: Influence) -> "Figure":
    """Scores without each pair, with intervals, beside that of all."""
    number = len(found.pairs)
    figure, (ax,) = subplots(1, 1, (SIZE[0], max(1.6, min(4.2, 1.0 + 0.28 * number))))
    ax.use_sticky_edges = False  # or the line of all pairs would be the frame's
    means, ends = np.asarray([each.mean for each in found.without]), found.interval
    rows, there = np.arange(number), np.isfinite(ends).all(1)
    lost = np.where(np.isfinite(means), means, np.nan) - found.whole.mean
    ax.barh(rows, lost, left=found.whole.mean, color=ORANGE, height=0.62, label="lost without the pair")
    ax.hlines(rows[there], *ends[there].T, color="black", lw=1.4, label="95 % interval of the mean")
    ax.axvline(found.whole.mean, color=BLUE, lw=1.6, label=f"all {len(dataset)} pairs")
    ax.set(yticks=rows, yticklabels=[str(pair + 1) for pair in found.pairs], ylabel="pair left out")
    ax.set(xlabel=metric_of(found.whole.metric).name)
    ax.invert_yaxis()
    above(ax)
    return figure


def answers(dataset: Dataset, found: Answers) -> "Figure":
    """How much each pair's removal changes what networks do, over an episode's steps."""
    del dataset
    number = len(found.pairs)
    figure, (ax,) = subplots(1, 1, (SIZE[0], max(1.7, min(4.2, 1.1 + 0.26 * number))))
    steps = np.arange(len(found.change))
    shown = ax.imshow(found.change.T, aspect="auto", interpolation="nearest", cmap=_faint(BLUE), vmin=0,
                      extent=(-0.5, len(steps) - 0.5, number - 0.5, -0.5))  # fmt: skip
    row = np.where(found.most < 0, np.nan, found.change.argmax(1) + 0.36)
    ax.plot(steps, row, "s", color=ORANGE, ms=2.2, mew=0, rasterized=True,
            label="the pair that answers for the step")  # fmt: skip
    above(ax)
    bar = figure.colorbar(shown, ax=ax, label="change of action", aspect=10 + number, pad=0.02)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    ax.set(yticks=range(number), yticklabels=[str(pair + 1) for pair in found.pairs], ylabel="pair left out")
    ax.set(xlabel="step of an episode")
    return figure


def field(dataset: Dataset, found: Field) -> "Figure":
    """A policy over two numbers of the observation, with real states and the pairs."""
    figure, (ax,) = subplots(1, 1, SIZE)
    colours = shades(dataset, found.actions)
    extent = found.x[0], found.x[-1], found.y[0], found.y[-1]
    ax.imshow(colours.of(found.actions), origin="lower", extent=extent, aspect="auto", interpolation="bilinear")
    ax.plot(*found.real.T, ".", color=INK, ms=1.6, alpha=0.35, mew=0, rasterized=True)
    _pairs(ax, found.pairs, colours.of(dataset.targets))
    ax.set(xlabel=found.names[0], ylabel=found.names[1], xlim=extent[:2], ylim=extent[2:])
    colours.key(ax)
    return figure


def projection(dataset: Dataset, found: Projection) -> "Figure":
    """Real states in the plane of their largest variance, by what the policy does there, and the pairs."""
    figure, (ax,) = subplots(1, 1, SIZE)
    colours = shades(dataset, found.actions)
    ax.scatter(*found.real.T, c=colours.of(found.actions), s=5, lw=0, alpha=0.7, rasterized=True)
    _pairs(ax, found.pairs, colours.of(dataset.targets))
    for set_label, share, mainly in zip((ax.set_xlabel, ax.set_ylabel), found.share, found.mainly, strict=True):
        set_label(f"{mainly.replace(', ', chr(10))} ({share:.0%})")
    colours.key(ax)
    return figure


def nearest(dataset: Dataset, found: Nearest) -> "Figure":
    """How far each pair is from real states, and these from each other."""
    number = len(dataset)
    figure, (ax,) = subplots(1, 1, (SIZE[0], max(2.6, 0.9 + 0.17 * min(number, NUMBERED))))
    least = max(1e-3 * float(found.distance.max()), 1e-3)
    most = 1.1 * max(float(found.distance.max()), float(found.real.max()), 2 * least)
    bins: list[float] = [0.0, *np.geomspace(least, most, 50).tolist()]
    share = np.full(len(found.real), 100 / len(found.real))
    ax.hist(found.real, bins, color=GREY, weights=share, label="real states")
    ax.axvline(float(np.percentile(found.real, FAR)), color=GREY, ls="--", lw=1, label=f"{FAR:.0f} % of them")
    heights = ax.get_ylim()[1] * (np.linspace(0.9, 0.12, number) if number > 1 else np.asarray([0.5]))
    far = found.percentile >= FAR
    _pairs(ax, np.stack([found.distance, heights], 1), np.where(far[:, None], _rgb(ORANGE), _rgb(BLUE)))
    for those, colour, label in ((~far, BLUE, "pairs, at any height"), (far, ORANGE, "pairs that are farther")):
        if those.any():
            ax.plot([], [], "o", color=colour, mfc="none", mew=2, label=label)
    ax.set_xscale("symlog", linthresh=least, linscale=0.3)
    ax.set(xlabel="distance from the nearest real state", ylabel="% of real states")
    above(ax)
    return figure


def training(dataset: Dataset, found: Growth) -> "Figure":
    """Scores against steps of training, and between which half of the networks are."""
    del dataset
    figure, (ax,) = subplots(1, 1, (SIZE[0], 2.6))
    if len(found.scores[0].returns) > 1:
        ax.fill_between(
            found.steps, *found.quartiles, color=BLUE, alpha=0.2, lw=0, label="the middle half of networks"
        )
    ax.plot(found.steps, found.means, "o-", color=BLUE, ms=3.5, label="mean")
    ax.set_xscale("symlog", linthresh=1, linscale=0.6)
    ax.set_xticks(found.steps, [f"{step:,}" for step in found.steps])
    ax.minorticks_off()
    ax.set(xlabel="steps of a network's training", ylabel=metric_of(found.scores[0].metric).name)
    above(ax)
    return figure


FIGURES: dict[str, Callable[[Dataset, Any], "Figure"]] = {
    "influence": influence,
    "answers": answers,
    "field": field,
    "projection": projection,
    "nearest": nearest,
    "training": training,
}
"""What draws each part."""


def _pairs(ax: "Axes", places: np.ndarray, colours: np.ndarray) -> None:
    """Numbered discs, each ringed by its colour."""
    many = len(places) > NUMBERED
    ax.scatter(*places.T, s=40 if many else 130, facecolor="#FFFFFF", edgecolor=INK, lw=0.8, zorder=3)
    ax.scatter(*places.T, s=26 if many else 88, facecolor="#FFFFFF", edgecolor=colours, lw=2.2, zorder=3)
    for i, (x, y) in enumerate([] if many else places, 1):
        ax.text(x, y, str(i), color=INK, size=7, ha="center", va="center", zorder=4, clip_on=True)


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def _faint(colour: str) -> "Colormap":
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("faint", ["#F4F4F4", colour])
