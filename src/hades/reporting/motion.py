"""Episodes of freshly trained networks, as moving pictures, and, of Brax's rigid bodies, as a page in 3-D."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax

from hades import runtime
from hades.aliases import PyTree
from hades.arguments import Rendering
from hades.dataset import AnyDataset, Dataset, as_dataset
from hades.errors import InputError
from hades.evaluation import Trial, Working, task_of, trial
from hades.files import as_path, write_atomically
from hades.learner.recipe import Wishes
from hades.merging import parts
from hades.options import held_to
from hades.progress import silent
from hades.reporting import films
from hades.reporting.frames import fps, frames
from hades.tasks.base import Acting, Task
from hades.tasks.recordings import Recording

Film = Callable[[Acting, Sequence[Recording]], bytes]
"""Makes a file of episodes of a task."""
LOADS = "this page loads Brax's viewer from unpkg.com and cdn.jsdelivr.net: to be seen, it needs the network"


class Motion(NamedTuple):
    """What `render` wrote, and the episodes that it shows."""

    path: Path
    recordings: list[Recording]


@held_to(Rendering)
@runtime.in_32_bits
def render(
    dataset: AnyDataset,
    out: str | os.PathLike[str],
    task: Task | str | None = None,
    inits: int | None = Rendering.inits,
    *,
    learner: Wishes = None,
    greedy: bool = Rendering.greedy,
    init: str = Rendering.init,
    seed: int = Rendering.seed,
    working: Working = silent,
) -> Motion:
    """Train networks on a dataset, and write an episode of each, side by side, as a moving picture.

    Args:
        out: a ``.gif``; an ``.mp4``, where ffmpeg is installed; or, for Brax, an ``.html``: its viewer of one
            network's episode, in 3-D, which loads its scripts from the network.
        working: as of `hades.evaluate`.

    Others are those of `hades.reporting.motion.record`.

    Returns:
        The file's path, and what was played.

    Raises:
        InputError: as `record`, and for a file of another kind.

    Examples:
        >>> import hades
        >>> path, (episode,) = hades.render("cartpole-2", "cartpole.gif")  # doctest: +SKIP
        >>> episode.ret  # doctest: +SKIP
        500.0
    """
    path = as_path(out)
    plan = _plan(dataset, task, inits, learner=learner, greedy=greedy, init=init, seed=seed)
    film = film_of(path.suffix, plan.task, plan.trial.fitness.inits)
    with working(plan.words):
        recordings = plan.recorded()
        data = film(plan.task, recordings)
    return Motion(write_atomically(path, data), recordings)


@held_to(Rendering)
@runtime.in_32_bits
def record(
    dataset: AnyDataset,
    task: Task | str | None = None,
    inits: int | None = Rendering.inits,
    *,
    learner: Wishes = None,
    greedy: bool = Rendering.greedy,
    init: str = Rendering.init,
    seed: int = Rendering.seed,
) -> tuple[Acting, list[Recording]]:
    """Train networks on a dataset, and record an episode of each: those of `hades.evaluate` with ``episodes=1``.

    Args:
        dataset, task, learner, greedy, init, seed: as of `hades.evaluate`; of a merged dataset, the task says which
            part, the first where it is left out.
        inits: networks; None: one, of a HaDES-F dataset its own.

    Returns:
        The task that was played, and the episodes.

    Raises:
        InputError: as `hades.evaluate`, and for images, which nobody acts in.
    """
    plan = _plan(dataset, task, inits, learner=learner, greedy=greedy, init=init, seed=seed)
    return plan.task, plan.recorded()


def gif(task: Acting, recordings: Sequence[Recording]) -> bytes:
    """Episodes side by side as an animated GIF."""
    return films.gif(frames(task, recordings), fps(task, recordings))


def mp4(task: Acting, recordings: Sequence[Recording]) -> bytes:
    """Episodes side by side as a film."""
    return films.mp4(frames(task, recordings), fps(task, recordings))


def film_of(suffix: str, task: Acting, networks: int = 1) -> Film:
    """What makes a file of episodes of a task, by the ending of its name.

    Raises:
        InputError: where that cannot be made.
    """
    viewer: Callable[[PyTree], str] | None = getattr(task.bare.environment, "viewer", None)
    if suffix == ".gif":
        return gif
    if suffix == ".mp4":
        films.ffmpeg()
        return mp4
    if suffix != ".html":
        named = f"'{suffix}'" if suffix else "a name without an ending"
        raise InputError(f"moving pictures are .gif, .mp4, .html, not {named}")
    if viewer is None:
        raise InputError(f"the viewer (.html) is Brax's, and {task.name} is not of Brax; take a .gif")
    if networks > 1:
        raise InputError(f"the viewer (.html) shows one network, not {networks}; leave inits out, or take a .gif")
    return lambda _, recordings: viewer(recordings[0].states).encode()


class _Plan(NamedTuple):
    """Who is to be trained on what, and then to be watched."""

    task: Acting
    dataset: Dataset
    trial: Trial

    @property
    def words(self) -> str:
        """What it does."""
        number = f"{self.trial.fitness.inits} network{'s' if self.trial.fitness.inits > 1 else ''}"
        return f"{self.task.name}: training {number}, recording an episode of each (compiling first)"

    def recorded(self) -> list[Recording]:
        """An episode of each network."""
        fitness, every = self.trial.fitness, self.trial.trained(self.dataset.states, self.dataset.targets)
        networks = [jax.tree.map(lambda x, i=i: x[i], every) for i in range(fitness.inits)]
        return [
            self.task.record(fitness.recipe, network, self.trial.normaliser, key, fitness.greedy)
            for network, key in zip(networks, fitness.seeds(self.trial.episode_key)[:, 0], strict=True)
        ]


def _plan(dataset: AnyDataset, task: Task | str | None, inits: int | None, **how: Any) -> _Plan:
    runtime.configure()
    place, dataset = dataset, as_dataset(dataset)
    if dataset.parts and not isinstance(task, Task):
        task = next(iter(parts(dataset, task=task).values()))
    task = task_of(dataset, place=place) if task is None else task
    planned = trial(dataset, task, inits, 1, usual=1, **how)
    return _Plan(planned.fitness.task.played, dataset, planned)
