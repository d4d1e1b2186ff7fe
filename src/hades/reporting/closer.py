"""What a page shows only after networks have been trained for it: an episode, and what the pairs mean."""

from collections.abc import Iterator
from typing import NamedTuple

from hades.dataset import Dataset
from hades.errors import InputError
from hades.evaluation import Working
from hades.files import as_address
from hades.progress import silent
from hades.reporting.explanations import explained
from hades.reporting.meaning import Meaning, meaning
from hades.reporting.motion import gif, record
from hades.reporting.style import svg
from hades.reporting.subject import Subject


class Picture(NamedTuple):
    """A figure of a page."""

    title: str
    drawn: str
    """Its SVG, or an image's address."""
    words: str
    """What is seen in it."""
    name: str = ""


class Closer(NamedTuple):
    """What networks that were trained for the page have shown."""

    motion: Picture | None = None
    pictures: tuple[Picture, ...] = ()
    unseen: tuple[str, ...] = ()
    """What these pictures do not show, and why."""
    missing: tuple[str, ...] = ()


def closer(of: Subject, name: str, seed: int = 0, working: Working = silent) -> Closer:
    """Train networks, play, and find out what the pairs mean; what cannot be is said.

    Args:
        name: of the subject on its page, by which its figures are named.
        seed: of networks and episodes.
        working: entered with a line that says what goes on, while it does.
    """
    if of.dataset is None:
        return Closer()
    motion, pictures, unseen, missing = None, (), (), []
    if of.metric.episodes:
        try:
            with working(f"{of.name}: playing an episode"):
                motion = _motion(of.dataset, seed)
        except InputError as error:
            missing.append(f"There is no moving picture: {error}.")
    try:
        found = meaning(of.dataset, seed=seed, working=working)
        pictures, unseen = tuple(_pictures(found, name)), found.unseen
    except InputError as error:
        missing.append(f"What the pairs mean was not looked into: {error}.")
    return Closer(motion, pictures, unseen, tuple(missing))


def _motion(dataset: Dataset, seed: int) -> Picture:
    task, recordings = record(dataset, seed=seed)
    ret, steps = task.metric.number(recordings[0].ret), len(recordings[0].rewards)
    words = f"An episode of a freshly trained network: {steps} steps, with a {task.metric.name} of {ret}."
    return Picture("In motion", as_address(gif(task, recordings), "image/gif"), words)


def _pictures(found: Meaning, name: str) -> Iterator[Picture]:
    for each in explained(found):
        yield Picture(each.title, svg(each.figure, each.words, f"{name}-{each.name}"), each.words)
