"""What a page shows only after networks have been trained for it: an episode, and what the pairs mean."""

from collections.abc import Iterator
from typing import NamedTuple

from hades.dataset import Dataset
from hades.errors import InputError
from hades.evaluation import Working
from hades.files import as_address
from hades.progress import silent
from hades.reporting.explanations import explained
from hades.reporting.facts import in_a_table
from hades.reporting.meaning import Meaning, meaning
from hades.reporting.motion import gif, record
from hades.reporting.pictures import raw_or_normalised
from hades.reporting.places import names_of
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
    table: tuple[tuple[str, ...], ...] = ()
    """Each pair and the real state that is nearest to it, under a header."""
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
    seen, missing = Closer(), []
    if of.metric.episodes:
        try:
            with working(f"{of.name}: playing an episode"):
                seen = seen._replace(motion=_motion(of, of.dataset, seed))
        except InputError as error:
            missing.append(f"There is no moving picture: {error}.")
    try:
        found = meaning(of.dataset, of.played(), seed=seed, working=working)
        seen = seen._replace(pictures=tuple(_pictures(found, name)), table=beside(found), unseen=found.unseen)
    except InputError as error:
        missing.append(f"What the pairs mean was not looked into: {error}.")
    return seen._replace(missing=tuple(missing))


def _motion(of: Subject, dataset: Dataset, seed: int) -> Picture:
    task, recordings = record(dataset, of.played(), seed=seed)
    ret, steps = task.metric.number(recordings[0].ret), len(recordings[0].rewards)
    whose = "a freshly trained network"
    if of.own:
        whose = "its own network" if len(recordings) == 1 else f"each of its own {len(recordings)} networks, the first"
    words = f"An episode of {whose}: {steps} steps, with a {task.metric.name} of {ret}."
    return Picture("In motion", as_address(gif(task, recordings), "image/gif"), words)


def beside(found: Meaning) -> tuple[tuple[str, ...], ...]:
    """Pairs' states and the real ones nearest to them, as the environment has them; of many numbers none."""
    dataset, nearest = found.dataset, found.nearest
    if nearest is None or not in_a_table(dataset):
        return ()
    rows = [("state", "distance", *names_of(dataset))]
    both = zip(raw_or_normalised(dataset)[0], nearest.states, nearest.distance, strict=True)
    for number, (pair, real, distance) in enumerate(both, 1):
        rows.append((f"pair {number}", "", *(f"{value:.3g}" for value in pair)))
        rows.append((f"nearest to {number}", f"{distance:.2g}", *(f"{value:.3g}" for value in real)))
    return tuple(rows)


def _pictures(found: Meaning, name: str) -> Iterator[Picture]:
    for each in explained(found):
        yield Picture(each.title, svg(each.figure, each.words, f"{name}-{each.name}"), each.words)
