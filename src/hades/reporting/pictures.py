"""A dataset's own picture."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from hades.dataset import Dataset
from hades.errors import InputError
from hades.reporting.sheets import contact_sheet
from hades.reporting.style import ORANGE, png, subplots
from hades.tasks.scenes import Scene, scene_of
from hades.units import named_or_numbered

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN, ABREAST = 16, 4
"""Pairs that are drawn, and side by side, at most."""


def pairs(dataset: Dataset) -> "Figure":
    """The synthetic states with their actions: as the environment draws them, or as rows of numbers in colours."""
    scene = None if dataset.parts else scene_of(dataset.task, dataset.spec, dataset.units)
    return heat_maps(dataset) if scene is None else scenes(dataset, scene)


def scenes(dataset: Dataset, scene: Scene) -> "Figure":
    """Each pair as its environment would draw it, under what is done.

    What is beyond what the environment can show is drawn at its edge, and marked.
    """
    observations, actions = raw_or_normalised(dataset)
    count = min(len(dataset), SHOWN)
    columns = min(count, ABREAST)
    rows = -(-count // columns)
    width = min(9.0, 3.6 * columns)
    figure, axes = subplots(rows, columns, (width, rows * (width / columns / scene.ratio + 0.35) + 0.3))
    for ax in axes[count:]:
        ax.set_axis_off()
    for number, ax in enumerate(axes[:count]):
        beyond = scene.draw(ax, observations[number], actions[number])
        ax.set_title(f"{number + 1}: {done(dataset, actions[number])}{' *' if beyond else ''}", size=8)
        if beyond:
            ax.text(0.5, -0.02, "* beyond: at its edge", transform=ax.transAxes, size=6, color=ORANGE, ha="center")
    _legend(figure, scene)
    return figure


def done(dataset: Dataset, action: np.ndarray) -> str:
    """What is done, in few words: the likeliest of discrete actions, or the numbers of a continuous one."""
    if dataset.spec.discrete:
        names = named_or_numbered(dataset.units.actions, len(action))
        best = int(action.argmax())
        name = names[best] if dataset.units.actions else f"action {names[best]}"
        return name if action[best] > 0.995 else f"{name} {action[best]:.0%}"
    return ", ".join(f"{value:+.2f}" for value in action[:4]) + (", ..." if len(action) > 4 else "")


def raw_or_normalised(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Pairs as the environment has them; where only the task knows actions' bounds, these between -1 and 1."""
    try:
        observations, actions = dataset.raw()
    except InputError:
        mean, std = dataset.normaliser
        return dataset.states * std + mean, dataset.targets
    return observations, actions


def heat_maps(dataset: Dataset) -> "Figure":
    """Rows of numbers in colours: states, normalised so that they compare, beside actions."""
    states = dataset.states.reshape(len(dataset), -1)
    columns = states.shape[1], dataset.targets.shape[1]
    width = min(12.0, 2.5 + 0.55 * sum(columns))
    figure, axes = subplots(1, 2, (width, 1.6 + 0.28 * min(len(dataset), 64)), columns)
    names = dataset.units.observations, dataset.units.actions
    labels = "state, in standard deviations", "label" if dataset.spec.discrete else "action"
    for ax, values, title, ticks in zip(axes, (states, dataset.targets), labels, names, strict=True):
        limit = float(np.abs(values).max()) or 1.0
        ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
        ax.set_title(title)
        numbered = range(len(dataset) if len(dataset) <= SHOWN else 0)
        ax.set_yticks(numbered, [str(number + 1) for number in numbered])
        ax.set_xticks(range(values.shape[1]) if values.shape[1] <= 24 else [])
        if ticks and len(ticks) == len(ax.get_xticks()):
            ax.set_xticklabels(ticks, rotation=35, ha="right")
        if values.size <= 200:
            for (i, j), value in np.ndenumerate(values):
                dark = abs(value) > 0.6 * limit
                ax.text(j, i, f"{value:.2f}", ha="center", va="center", size=7, color="white" if dark else "#1b1b1f")
    axes[0].set_ylabel("pair")
    return figure


def picture(dataset: Dataset) -> bytes:
    """A dataset's own picture: a PNG file."""
    return png(PICTURES[dataset.metric.picture](dataset, {}))


def _legend(figure: "Figure", scene: Scene) -> None:
    """Of colours that have names, where a scene has such."""
    from matplotlib.patches import Patch

    named = getattr(scene, "legend", list)()
    if named:
        figure.legend(
            handles=[Patch(color=colour, label=name) for name, colour in named], loc="outside lower center",
            ncols=min(5, len(named)), frameon=False, fontsize=8,
        )  # fmt: skip


PICTURES: dict[str, Callable[[Dataset, Mapping[int, Dataset]], "Figure"]] = {
    "contact sheet": lambda dataset, before: contact_sheet({**before, "after": dataset}),
    "pairs": lambda dataset, before: pairs(dataset),
}
"""Of a dataset and what it was before, by what its metric says."""
