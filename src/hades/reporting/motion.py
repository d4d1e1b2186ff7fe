"""Episodes of freshly trained networks, as moving pictures."""

import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from hades import runtime, tasks
from hades.arguments import Rendering
from hades.dataset import AnyDataset, Dataset, as_dataset
from hades.errors import InputError
from hades.evaluation import normaliser_of, recipe, task_of, train
from hades.files import write_atomically
from hades.learner.recipe import Wishes
from hades.merging import parts
from hades.options import held_to
from hades.reporting.style import BLUE, subplots
from hades.seeds import key_of
from hades.tasks.base import Acting, Task
from hades.tasks.recordings import Recording

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAMES, SECONDS, WIDTH = 120, 8.0, 3.0
"""Of a moving picture at most; inches of a network's."""
DPI = 80


@held_to(Rendering)
@runtime.in_32_bits
def record(
    dataset: AnyDataset,
    task: Task | str | None = None,
    inits: int = Rendering.inits,
    *,
    learner: Wishes = None,
    greedy: bool = Rendering.greedy,
    init: str = Rendering.init,
    seed: int = Rendering.seed,
) -> tuple[Acting, list[Recording]]:
    """Train networks on a dataset, and record an episode of each.

    Args:
        dataset, task, learner, greedy, init: as of `hades.evaluate`; of a merged dataset, the task says which part.
        inits: networks.
        seed: of the first one's initialisation, as of `hades.train`, and of episodes; the others have the next.

    Returns:
        The task that was played, and the episodes.

    Raises:
        InputError: where nobody acts, or the task cannot be made again.
    """
    runtime.configure()
    dataset = as_dataset(dataset)
    played = _task(dataset, task)
    if not isinstance(played, Acting):
        raise InputError(f"nobody acts in {played.name}, of {played.metric.pairs}: there is no episode to show")
    complete, greedy = recipe(dataset, learner, played.reference), greedy or dataset.info.get("greedy", False)
    normaliser, recordings = normaliser_of(dataset), []
    for number in range(seed, seed + inits):
        params = jax.tree.map(lambda x: x[None], train(dataset, number, learner, init=init))
        key = jax.random.fold_in(key_of(number), 2**31 - 5)
        recordings.append(played.record(complete, params, normaliser, key, greedy))
    return played, recordings


def _task(dataset: Dataset, task: Task | str | None) -> Task:
    """Its own, or the one that is given; of a merged dataset's, that one or the first."""
    if dataset.parts:
        known = parts(dataset, task=task.name if isinstance(task, Task) else task)
        return next(iter(known.values()))
    return task_of(dataset) if task is None else tasks.ready(task)


@held_to(Rendering)
def render(
    dataset: AnyDataset,
    out: Path | str,
    task: Task | str | None = None,
    inits: int = Rendering.inits,
    *,
    learner: Wishes = None,
    greedy: bool = Rendering.greedy,
    init: str = Rendering.init,
    seed: int = Rendering.seed,
) -> Path:
    """Write an episode of freshly trained networks, side by side, as a moving picture.

    Args:
        out: a ``.gif``; an ``.mp4``, for which ffmpeg has to be installed; or, for Brax, an ``.html``, which is Brax's
            own viewer of one network's episode and loads a library from the network.

    Others are those of `record`.

    Raises:
        InputError: as `record`, and for another kind of file.
    """
    out = Path(out)
    write = _KINDS.get(out.suffix)
    if write is None:
        raise InputError(f"moving pictures are {', '.join(_KINDS)}, not '{out.suffix or out.name}'")
    played, recordings = record(
        dataset, task, inits, learner=learner, greedy=greedy, init=init, seed=seed
    )  # fmt: skip
    return write_atomically(out, write(played, recordings))


def gif(task: Acting, recordings: Sequence[Recording]) -> bytes:
    """Episodes as an animated GIF."""
    from PIL import Image

    frames, pace = [Image.fromarray(frame) for frame in drawn(task, recordings)], _pace(recordings)
    palette = frames[len(frames) // 2].quantize(64)
    shown = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    shown[0].save(
        buffer, "GIF", save_all=True, append_images=shown[1:], duration=1000 * pace.seconds, loop=0, optimize=True
    )
    return buffer.getvalue()


def mp4(task: Acting, recordings: Sequence[Recording]) -> bytes:
    """Episodes as a film."""
    from matplotlib import animation
    from matplotlib.figure import Figure

    if not animation.FFMpegWriter.isAvailable():
        raise InputError("an .mp4 needs ffmpeg, which is not installed here (apt install ffmpeg); take a .gif")
    frames = list(drawn(task, recordings))
    height, width = (side - side % 2 for side in frames[0].shape[:2])  # as the codec wants them
    figure = Figure((width / DPI, height / DPI), dpi=DPI)
    shown, writer = (
        figure.figimage(frames[0][:height, :width]),
        animation.FFMpegWriter(round(1 / _pace(recordings).seconds)),
    )
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        writer.setup(figure, film, DPI)
        for frame in frames:
            shown.set_data(frame[:height, :width])
            writer.grab_frame()
        writer.finish()
        return film.read_bytes()


def viewer(task: Acting, recordings: Sequence[Recording]) -> bytes:
    """One episode in Brax's three-dimensional viewer."""
    view = getattr(task.environment, "view", None)
    if view is None:
        raise InputError(f"the viewer (.html) is Brax's, and {task.name} is not of Brax; take a .gif")
    return view(recordings[0].states).encode()


_KINDS = {".gif": gif, ".mp4": mp4, ".html": viewer}


@dataclass(frozen=True)
class _Pace:
    """Which steps are shown, and for how long each."""

    steps: Sequence[int]
    seconds: float


def _pace(recordings: Sequence[Recording]) -> _Pace:
    longest = max(len(one.rewards) for one in recordings)
    steps = np.unique(np.linspace(0, longest - 1, min(longest, FRAMES)).round().astype(int)).tolist()
    return _Pace(steps, round(min(0.05 * max(1.0, longest / len(steps)), SECONDS / len(steps)), 2))


def drawn(task: Acting, recordings: Sequence[Recording]) -> Iterator[np.ndarray]:
    """Frames ``[H, W, 3]``: all episodes side by side; one that is over stands still."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    scene = task.scene
    ratio = scene.ratio if scene else 1.5
    figure, axes = subplots(1, len(recordings), (WIDTH * len(recordings), WIDTH / ratio + 0.55))
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    for step in _pace(recordings).steps:
        for ax, one in zip(axes, recordings, strict=True):
            ax.clear()
            _draw(ax, task, one, min(step, len(one.rewards) - 1))
        canvas.draw()
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw(ax: "Axes", task: Acting, one: Recording, step: int) -> None:
    """One step of an episode, under what has been gained by then; what is done is the scene's to tell."""
    action, scene = acted(task, one.actions[step]), task.scene
    if scene:
        scene.draw(ax, one.observations[step], action)
    else:
        _strip(ax, one, step)
    gained = task.metric.number(float(one.rewards[: step + 1].sum()))
    ax.set_title(f"step {step + 1}: {gained}", loc="left", size=8)


def acted(task: Acting, action: Any) -> np.ndarray:
    """An action as scenes draw it: shares ``[actions]`` of discrete ones; others in the environment's units."""
    if task.spec.discrete:
        return np.eye(task.spec.num_actions)[int(action)]
    return task.units.raw(np.clip(action, -1, 1))


def _strip(ax: "Axes", one: Recording, step: int) -> None:
    """Of what nobody draws: all numbers over time, and where it stands."""
    shown = one.observations.reshape(len(one.observations), -1).T
    low, high = np.quantile(shown, (0.02, 0.98), axis=1, keepdims=True)
    ax.imshow((shown - low) / np.maximum(high - low, 1e-6), aspect="auto", vmin=0, vmax=1, cmap="cividis")
    ax.axvline(step, color=BLUE, lw=2)
    ax.set(xlabel="step", yticks=[])
