"""Shares by two settings, and images by their classes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hades.dataset import Dataset
from hades.reporting.style import BLUE, GREY, ORANGE, subplots

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def heat_map(ax: "Axes", shares: Mapping[tuple[Any, Any], float], x: str, y: str) -> None:
    """Shares by two settings, written into their squares: 1 is blue, what is lost orange, what has no score grey."""
    from matplotlib.colors import LinearSegmentedColormap

    columns, rows = (list(dict.fromkeys(key[i] for key in shares)) for i in (0, 1))
    values = np.full((len(rows), len(columns)), np.nan)
    for (column, row), share in shares.items():
        values[rows.index(row), columns.index(column)] = share
    colours = LinearSegmentedColormap.from_list("shares", [ORANGE, "#FFFFFF", BLUE]).with_extremes(bad=GREY)
    ax.imshow(values, cmap=colours, vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        dark = abs(np.clip(value, 0, 1) - 0.5) > 0.35
        words = f"{value:.2f}" if np.isfinite(value) else "none"
        ax.text(j, i, words, ha="center", va="center", size=8, color="white" if dark else "black")
    names = [[f"{v:.2g}" if isinstance(v, float) else str(v) for v in vs] for vs in (columns, rows)]
    ax.set_xticks(range(len(columns)), names[0])
    ax.set_yticks(range(len(rows)), names[1])
    ax.set(xlabel=x, ylabel=y)


def contact_sheet(snapshots: Mapping[Any, Dataset]) -> "Figure":
    """Images before, during and after: a panel a snapshot, a column a class."""
    sheets = {name: _sheet(dataset) for name, dataset in snapshots.items()}
    height, width = next(iter(sheets.values())).shape[:2]
    columns = max(1, min(3, round((len(sheets) * height / width) ** 0.5)))
    rows = -(-len(sheets) // columns)
    figure, axes = subplots(rows, columns, (12, rows * (12 / columns * height / width + 0.35)))
    for ax in axes:
        ax.set_axis_off()
    for ax, (name, sheet) in zip(axes, sheets.items(), strict=False):
        ax.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        if len(sheets) > 1:
            ax.set_title({0: "before"}.get(name, name if isinstance(name, str) else f"generation {name:,}"), size=9)
    return figure


def _sheet(dataset: Dataset) -> np.ndarray:
    """Images ``[N, H, W, C]`` side by side: a column a class, its images below each other, a pixel between them."""
    images, classes = dataset.states, dataset.labels.argmax(1) if dataset.labels is not None else []
    low, high = np.quantile(images, (0.005, 0.995))
    images = np.clip((images - low) / max(high - low, 1e-6), 0, 1)
    images = np.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=1)
    columns = [images[classes == label] for label in range(dataset.spec.num_actions)]
    most = max(map(len, columns))
    blank = np.ones((1, *images.shape[1:]), np.float32)
    columns = [np.concatenate([column, *[blank] * (most - len(column))]) for column in columns]
    sheet = np.concatenate([np.concatenate(list(column), 0) for column in columns], 1)
    return sheet if sheet.shape[-1] == 3 else sheet[..., 0]
