"""A dataset's own picture."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from hades.dataset import Dataset
from hades.reporting.sheets import contact_sheet
from hades.reporting.style import png, subplots

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pairs(dataset: Dataset) -> "Figure":
    """The synthetic states beside their actions: rows of a heat map, or pictures of grids."""
    if dataset.states.ndim == 4:
        return _grids(dataset)
    states = dataset.states.reshape(len(dataset), -1)
    columns = states.shape[1], dataset.targets.shape[1]
    width = min(12.0, 2.5 + 0.55 * sum(columns))
    figure, axes = subplots(1, 2, (width, 1.6 + 0.28 * min(len(dataset), 64)), columns)
    names = dataset.units.observations, dataset.units.actions
    labels = "state (normalised)", "label" if dataset.spec.discrete else "action"
    for ax, values, title, ticks in zip(axes, (states, dataset.targets), labels, names, strict=True):
        limit = float(np.abs(values).max()) or 1.0
        ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
        ax.set(title=title, yticks=range(len(dataset)) if len(dataset) <= 16 else [])
        ax.set_xticks(range(values.shape[1]) if values.shape[1] <= 24 else [])
        if ticks and len(ticks) == len(ax.get_xticks()):
            ax.set_xticklabels(ticks, rotation=35, ha="right")
        if values.size <= 200:
            for (i, j), value in np.ndenumerate(values):
                dark = abs(value) > 0.6 * limit
                ax.text(j, i, f"{value:.2f}", ha="center", va="center", size=7, color="white" if dark else "black")
    axes[0].set_ylabel("pair")
    return figure


def _grids(dataset: Dataset) -> "Figure":
    """Each state ``[H, W, C]`` in colours, one per channel, under its most likely action."""
    palette = (
        np.asarray([[0, 114, 178], [213, 94, 0], [0, 158, 115], [240, 228, 66], [204, 121, 167], [86, 180, 233]]) / 255
    )
    count = min(len(dataset), 32)
    columns = min(count, 8)
    rows = -(-count // columns)
    figure, axes = subplots(rows, columns, (1.4 * columns, 1.6 * rows))
    strength = np.maximum(dataset.states[:count], 0)
    colours = palette[np.arange(strength.shape[-1]) % len(palette)]
    pictures = strength @ colours / max(np.quantile(strength.sum(-1), 0.99), 1e-6)
    actions = dataset.spec.num_actions
    names = dataset.units.actions or [f"action {i}" for i in range(actions)]
    for i, ax in enumerate(axes):
        ax.set_axis_off()
        if i < count:
            ax.imshow(np.clip(pictures[i], 0, 1))
            ax.set_title(names[dataset.targets[i].argmax()], size=8)
    return figure


def picture(dataset: Dataset) -> bytes:
    """A dataset's own picture: a PNG file."""
    return png(PICTURES[dataset.metric.picture](dataset, {}))


PICTURES: dict[str, Callable[[Dataset, Mapping[int, Dataset]], "Figure"]] = {
    "contact sheet": lambda dataset, before: contact_sheet({**before, "after": dataset}),
    "pairs": lambda dataset, before: pairs(dataset),
}
"""Of a dataset and what it was before, by what its metric says."""
