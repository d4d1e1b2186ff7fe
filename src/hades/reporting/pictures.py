"""A dataset's own picture."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hades.dataset import Dataset
from hades.errors import InputError
from hades.reporting.sheets import contact_sheet
from hades.reporting.style import GREY, png, subplots
from hades.tasks.scenes import Scene, scene_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hades.tasks.base import Task

SHOWN, ABREAST = 16, 4
"""Pairs that are drawn, and side by side, at most."""
TALL = 2.8
"""Inches of a drawing's height, at most."""
BEYOND = "beyond: drawn at its edge"
"""Of what its environment cannot show."""
MOST, NAMED = 64, 24
"""Rows of numbers, and columns that have their names, at most."""


def pairs(dataset: Dataset, task: "Task | None" = None, *, make: bool = False) -> "Figure":
    """The synthetic states with their actions: as the environment draws them, or as rows of numbers in colours.

    Args:
        task: that the dataset is for, which knows how a body is built.
        make: make that task, where its name alone does not say how it is drawn.
    """
    return _drawn(dataset, *drawing(dataset, task, make)).figure


def drawing(dataset: Dataset, task: "Task | None" = None, make: bool = False) -> tuple[Scene | None, str]:
    """How a dataset's states are drawn, if anybody knows; and why not, where its task should know and is not there."""
    from hades.evaluation import task_of

    if dataset.parts or dataset.online:  # states of several environments, or in units that nobody knows
        return None, ""
    mine = bool(dataset.info.get("own"))  # whose name may be another's, too
    scene = task.scene if task else scene_of("" if mine else dataset.task, dataset.spec, dataset.units)
    if scene or task or not make or mine or not dataset.task:
        return scene, ""
    try:
        return task_of(dataset).scene, ""
    except InputError as error:
        return None, f"not drawn as {dataset.task} would: {error}"


def scenes(dataset: Dataset, scene: Scene) -> "Figure":
    """Each pair as its environment would draw it, under what is done.

    What is beyond what the environment can show is drawn at its edge, and marked.
    """
    observations, actions = raw_or_normalised(dataset)
    count = min(len(dataset), SHOWN)
    columns = min(count, ABREAST if count > ABREAST else 2)
    rows = -(-count // columns)
    wide = min(9.0 / columns, 3.8, TALL * scene.ratio)
    figure, axes = subplots(rows, columns, (wide * columns, rows * (wide / scene.ratio + 0.4) + 0.3))
    layout: Any = figure.get_layout_engine()
    layout.set(wspace=0.05)  # or what is done would stand beside the next one's number
    for ax in axes[count:]:
        ax.set_axis_off()
    for number, ax in enumerate(axes[:count]):
        beyond = scene.draw(ax, observations[number], actions[number])
        ax.set_title(f"pair {number + 1}", loc="left", size=8)
        if beyond:
            ax.text(0.5, 0, BEYOND, transform=ax.transAxes, size=6, color=GREY, ha="center", va="top")
    left = [f"and {len(dataset) - count} more pairs"] if len(dataset) > count else []
    legend(figure, scene, left)
    return figure


def raw_or_normalised(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Pairs as the environment has them; where only the task knows actions' bounds, these between -1 and 1."""
    try:
        observations, actions = dataset.raw()
    except InputError:
        mean, std = dataset.normaliser
        return dataset.states * std + mean, dataset.targets
    return observations, actions


def heat_maps(dataset: Dataset, why: str = "") -> "Figure":
    """Rows of numbers as the environment has them, in colours that say how far from the usual each is.

    Args:
        why: they are not drawn otherwise.
    """
    number = min(len(dataset), MOST)
    states = dataset.states[:number].reshape(number, -1)
    columns = states.shape[1], dataset.targets.shape[1]
    width = min(12.0, 2.5 + 0.55 * sum(columns))
    figure, axes = subplots(1, 2, (width, 1.6 + 0.28 * number), columns)
    names = dataset.units.observations, dataset.units.actions
    observations, actions = (each[:number].reshape(number, -1) for each in raw_or_normalised(dataset))
    titles = "state (colour: standard deviations from the mean)", "label" if dataset.spec.discrete else "action"
    shown = zip(axes, (states, dataset.targets[:number]), (observations, actions), titles, names, strict=True)
    for ax, colours, values, title, ticks in shown:
        limit = float(np.abs(colours).max()) or 1.0
        ax.imshow(colours, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
        ax.set_title(title, size=8)
        numbered = range(number if number <= SHOWN else 0)
        ax.set_yticks(numbered, [str(pair + 1) for pair in numbered])
        ax.set_xticks(range(values.shape[1]) if values.shape[1] <= NAMED else [])
        if ticks and len(ticks) == len(ax.get_xticks()):
            ax.set_xticklabels(ticks, rotation=35, ha="right")
        if values.size <= 400 and values.shape[1] <= NAMED:
            for (i, j), value in np.ndenumerate(values):
                dark = abs(colours[i, j]) > 0.6 * limit
                ax.text(j, i, f"{value:.2f}", ha="center", va="center", size=7, color="white" if dark else "#1b1b1f")
    axes[0].set_ylabel("pair" if number == len(dataset) else f"pair (the first {number} of {len(dataset):,})")
    if why:
        figure.suptitle(textwrap.fill(why, int(14 * width)), size=8)
    return figure


def picture(dataset: Dataset) -> bytes:
    """A dataset's own picture: a PNG file, at once: no task is made for it."""
    return png(PICTURES[dataset.metric.picture](dataset, {}, False).figure)


def legend(figure: "Figure", scene: Scene, more: Sequence[str] = ()) -> None:
    """What a scene's colours mean, below it, and what else there is to say."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=colour, ls=line[0], label=name) if line else Patch(fc=colour, ec=GREY, lw=0.5, label=name)
        for name, colour, *line in scene.legend()
    ]
    handles += [Patch(alpha=0, label=words) for words in more]
    if handles:
        columns = min(5, len(handles))
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=8)


class Drawn(NamedTuple):
    """A dataset's picture."""

    figure: "Figure"
    shown: int
    """Of its pairs, the first ones."""


def _sheet(dataset: Dataset, before: Mapping[int, Dataset], make: bool = True) -> Drawn:
    del make
    return Drawn(contact_sheet({**before, "after": dataset}), len(dataset))


def _pairs(dataset: Dataset, before: Mapping[int, Dataset], make: bool = True) -> Drawn:
    del before
    return _drawn(dataset, *drawing(dataset, make=make))


def _drawn(dataset: Dataset, scene: Scene | None, why: str) -> Drawn:
    if scene is None:
        return Drawn(heat_maps(dataset, why), min(len(dataset), MOST))
    return Drawn(scenes(dataset, scene), min(len(dataset), SHOWN))


PICTURES: dict[str, Callable[..., Drawn]] = {"contact sheet": _sheet, "pairs": _pairs}
"""Of a dataset and what it was before, by what its metric says; and whether its task may be made for it."""
