"""Episodes side by side, as pictures one after the other."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hades.reporting.style import STYLE, subplots
from hades.tasks.base import Acting
from hades.tasks.recordings import Recording
from hades.units import named_or_numbered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST, SECONDS, FPS = 150, 8.0, 20
"""Pictures of an episode, seconds that it is shown for, and pictures in a second; at most."""
LEAST = 1.0
"""Seconds that an episode is shown for, at least."""
DOTS = 100
"""An inch."""
CAPTION = 0.24
"""Inches above a panel."""
WIDTHS = {1: 3.2, 2: 2.8, 3: 2.4}
"""Inches of a panel, by how many stand side by side; of more, as of the most."""
WINDOW = 100
"""Steps of what is shown as numbers, at a time."""
Draw = Callable[["Axes", int], Any]
"""Draws what there is at a step."""


def shown_steps(steps: int, pace: float) -> np.ndarray:
    """The steps that are shown of an episode, evenly spread, so that it is played about as fast as it was.

    Args:
        pace: steps in a second, as people watch them.
    """
    seconds = float(np.clip(steps / pace, LEAST, SECONDS))
    number = max(1, min(steps, MOST, round(FPS * seconds)))
    return np.unique(np.linspace(0, steps - 1, number).round().astype(int))


def fps(task: Acting, recordings: Sequence[Recording]) -> float:
    """Pictures in a second, of those that `frames` gives."""
    steps = max(recording.steps for recording in recordings)
    return len(shown_steps(steps, task.pace)) / float(np.clip(steps / task.pace, LEAST, SECONDS))


def frames(task: Acting, recordings: Sequence[Recording]) -> list[np.ndarray]:
    """Pictures ``[H, W, 3]`` of episodes side by side; one that has ended stays as it was.

    Args:
        task: shown is what its environment renders, where it does; else how its observations are drawn; else these
            as numbers.
        recordings: of `Acting.record`.
    """
    from matplotlib import style

    task = task.bare
    steps = shown_steps(max(recording.steps for recording in recordings), task.pace)
    panels = [_panel(task, recording, steps) for recording in recordings]
    figure, axes = _canvas(len(panels), max(ratio for ratio, _ in panels))
    names = named_or_numbered(task.units.actions, task.spec.num_actions)
    found = []
    with style.context(STYLE):
        for step in steps:
            for ax, (_, draw), recording in zip(axes, panels, recordings, strict=False):
                at = min(int(step), recording.steps - 1)
                ax.clear()
                draw(ax, at)
                ax.set_title("", loc="right")  # what is done, which the caption tells
                ax.set_title(_caption(task, recording, at, names), size=7.5, family="monospace", pad=4, loc="left")
            found.append(_pixels(figure))
    return found


def _canvas(number: int, ratio: float) -> tuple["Figure", list["Axes"]]:
    """A figure of so many panels, of an even number of dots each way, as films want it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    columns = min(number, 4 if number in (4, 7, 8) or number > 9 else 3)
    rows = -(-number // columns)
    width = WIDTHS.get(columns, min(WIDTHS.values()))
    height = min(width / ratio, width) + CAPTION
    size = [round(inches * DOTS / 2) * 2 / DOTS for inches in (columns * width, rows * height)]
    figure, axes = subplots(rows, columns, (size[0], size[1]), layout=None, dpi=DOTS)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(0.02, 0.03 / rows, 0.98, 1 - CAPTION / size[1], wspace=0.06, hspace=0.15)
    for ax in axes:
        ax.set_axis_off()
    return figure, axes


def _pixels(figure: "Figure") -> np.ndarray:
    canvas: Any = figure.canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _caption(task: Acting, recording: Recording, step: int, names: Sequence[str]) -> str:
    """The return so far, which step it is, and what is done where that has a name; at the end, how it ended."""
    done, last = "", step == recording.steps - 1
    if last:
        done = "ended" if recording.terminated else "time is up"
    elif recording.probabilities is not None:
        done = names[int(recording.actions[step])]
    return f"step {step + 1:<4} return {task.metric.number(recording.returns[step]):<7} {done:.14}"


def _panel(task: Acting, recording: Recording, steps: np.ndarray) -> tuple[float, Draw]:
    """An episode's width over its height, and how each of its steps is drawn."""
    wanted = np.unique(np.minimum(steps, recording.steps - 1)).tolist()
    if pictures := task.pictures(recording, wanted):
        return _of_pictures(dict(zip(wanted, pictures, strict=True)))
    scene = task.scene
    if scene is None:
        return _strip(task, recording)
    discrete = task.spec.discrete  # of which it is the one that was taken, however likely
    done = np.eye(task.spec.num_actions)[recording.actions] if discrete else task.units.raw(recording.actions)
    return scene.ratio, lambda ax, step: scene.draw(ax, recording.observations[step], done[step])


def _of_pictures(pictures: dict[int, np.ndarray]) -> tuple[float, Draw]:
    from PIL import Image

    height, width = next(iter(pictures.values())).shape[:2]
    size = max(1, round(max(WIDTHS.values()) * DOTS)), max(1, round(max(WIDTHS.values()) * DOTS * height / width))
    small = {step: np.asarray(Image.fromarray(each).resize(size)) for step, each in pictures.items()}

    def draw(ax: "Axes", step: int) -> None:
        ax.imshow(small[step])
        ax.set_axis_off()

    return width / height, draw


def _strip(task: Acting, recording: Recording) -> tuple[float, Draw]:
    """Observations as a heat map, each number by its own spread, some steps at a time; a line is where it stands."""
    seen = recording.observations.reshape(recording.steps, -1).T
    spread = np.nan_to_num((seen - seen.mean(1, keepdims=True)) / np.maximum(seen.std(1, keepdims=True), 1e-6))
    names = task.units.observations if len(task.units.observations) == len(seen) <= 24 else ()

    def draw(ax: "Axes", step: int) -> None:
        first = step // WINDOW * WINDOW
        shown, left = spread[:, first : first + WINDOW], -0.45 * WINDOW if names else 0
        extent = (first, first + shown.shape[1], len(seen), 0)
        ax.imshow(shown, cmap="RdBu_r", vmin=-2.5, vmax=2.5, aspect="auto", interpolation="nearest", extent=extent)
        ax.axvline(step + 0.5, color="black", lw=1.2)
        ax.set(xlim=(first + left, first + min(WINDOW, recording.steps)), ylim=(len(seen), 0))
        for row, name in enumerate(names):
            ax.text(first - 2, row + 0.5, name, size=5.5, ha="right", va="center")
        ax.set_axis_off()

    return 1.6, draw
