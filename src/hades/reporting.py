"""What a run found, as pictures and one self-contained HTML page."""

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hades.aliases import Options
from hades.dataset import Dataset, load
from hades.files import dumps, write_atomically
from hades.metrics import RETURN, Metric, metric_of
from hades.runs import Row, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours can be told apart by everyone.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def report(run: Path | str) -> Path:
    """Write ``report.html`` into a run's folder.

    Returns:
        The page's path.

    Raises:
        InputError: if the folder is not a run's, or holds no dataset yet.
    """
    opened = Run.open(run)
    dataset, metrics = load(opened.dataset_path), opened.metrics()
    metric = dataset.metric
    pictures = [
        ("Learning curve", learning_curve(metrics, metric)),
        ("The dataset", PICTURES[metric.picture](dataset, opened.snapshots())),
    ]
    figures = "".join(
        f"<h2>{title}</h2><img alt='{title}' src='data:image/png;base64,{base64.b64encode(png(figure)).decode()}'>"
        for title, figure in pictures
    )
    score = dataset.info.get("score") or {}
    facts = {
        f"score on {score.get('networks', 'fresh')} networks": _score_in_words(score),
        "generations": f"{dataset.info['generations']:,}",
        metric.counted: f"{dataset.info['env_steps']:,}",
        "time": f"{metrics[-1]['seconds']:.0f} s" if metrics else "none",
        "learner": ", ".join(f"{k} {v}" for k, v in dataset.learner.items()),
        "versions": ", ".join(f"{k} {v}" for k, v in dataset.info["versions"].items()),
    }
    rows = "".join(f"<tr><th>{k}</th><td>{html.escape(str(v))}</td></tr>" for k, v in facts.items())
    page = _PAGE.format(
        title=html.escape(f"{dataset.task}: {len(dataset)} {metric.pairs}"),
        rows=rows,
        figures=figures,
        config=html.escape(dumps(opened.about["config"], indent=2)),
    )
    return write_atomically(opened.path / "report.html", page.encode())


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


def heat_map(ax: "Axes", shares: Mapping[tuple[Any, Any], float], x: str, y: str) -> None:
    """Shares by two settings, written into their squares: 1 is blue, what is lost orange."""
    from matplotlib.colors import LinearSegmentedColormap

    columns, rows = (list(dict.fromkeys(key[i] for key in shares)) for i in (0, 1))
    values = np.full((len(rows), len(columns)), np.nan)
    for (column, row), share in shares.items():
        values[rows.index(row), columns.index(column)] = share
    colours = LinearSegmentedColormap.from_list("shares", [ORANGE, "#FFFFFF", BLUE])
    ax.imshow(values, cmap=colours, vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        dark = abs(np.clip(value, 0, 1) - 0.5) > 0.35
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", size=8, color="white" if dark else "black")
    names = [[f"{v:.2g}" if isinstance(v, float) else str(v) for v in vs] for vs in (columns, rows)]
    ax.set_xticks(range(len(columns)), names[0])
    ax.set_yticks(range(len(rows)), names[1])
    ax.set(xlabel=x, ylabel=y)


def subplots(
    rows: int, columns: int, size: tuple[float, float], widths: Sequence[float] | None = None
) -> tuple["Figure", list["Axes"]]:
    """A figure without pyplot: no global state, no display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    return figure, list(axes.ravel())


def png(figure: "Figure") -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def _score_in_words(score: Options) -> str:
    if not score:
        return "not scored: the run was interrupted"
    return metric_of(score["metric"]).sentence(score)


PICTURES: dict[str, Callable[[Dataset, Mapping[int, Dataset]], "Figure"]] = {
    "contact sheet": lambda dataset, before: contact_sheet({**before, "after": dataset}),
    "pairs": lambda dataset, before: pairs(dataset),
}
"""Of a dataset and what it was before, by what its metric says."""

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
th {{ text-align: left; padding-right: 1.5rem; font-weight: 600; vertical-align: top; white-space: nowrap }}
img {{ max-width: 100% }} pre {{ background: #f6f6f6; padding: 1rem; overflow-x: auto }}
</style>
<h1>{title}</h1>
<table>{rows}</table>
{figures}
<h2>Configuration</h2><pre>{config}</pre>
</html>
"""
