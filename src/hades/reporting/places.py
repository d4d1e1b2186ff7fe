"""Where pairs lie among real states: the nearest ones, and the plane in which real states differ most."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hades.aliases import Json
from hades.dataset import Dataset
from hades.errors import InputError
from hades.units import named_or_numbered

ROWS, NUMBERS = 2000, 2**22
"""Real states that are looked at, at most; and numbers of these, where a state has many."""
FAR = 99.0
"""Percentile of real states' distances from each other from which on a state is far from all of them."""


class Nearest(NamedTuple):
    """Each pair's nearest real state, in the space that networks are fed."""

    which: np.ndarray
    """``[N]``, its row of the observations."""
    states: np.ndarray
    """``[N, *obs]``, it itself, as the environment gave it."""
    distance: np.ndarray
    """``[N]``."""
    percentile: np.ndarray
    """``[N]``, the share of real states, in percent, that have one nearer to them than the pair has."""
    real: np.ndarray
    """Distances of real states from their own nearest ones, of other episodes where there are several."""
    several: bool
    """Episodes."""

    def words(self, dataset: Dataset) -> str:
        """What one sees."""
        far, typical = int((self.percentile >= FAR).sum()), f"{np.median(self.real):.2g}"
        whose = "of another episode" if self.several else "other one"
        least, most = (f"{value:.2g}" for value in (self.distance.min(), self.distance.max()))
        return (
            f"{how_many(far, len(dataset))} farther from any real state than {FAR:.0f} % of these from the nearest "
            f"{whose}. Pairs' distances are from {least} to {most}; real states' are typically {typical}."
        )

    def facts(self) -> Json:
        """For a file: a row a pair."""
        rows = zip(self.distance, self.percentile, strict=True)
        pairs = [{"pair": i, "distance": float(d), "percentile": float(p)} for i, (d, p) in enumerate(rows, 1)]
        return {"pairs": pairs, "typical": float(np.median(self.real))}


class Projection(NamedTuple):
    """Principal components of real states, as networks are fed them, and the pairs in the same plane."""

    axes: np.ndarray
    """``[2, D]``, of length one."""
    share: np.ndarray
    """``[2]``, of the variance."""
    mainly: tuple[str, str]
    """The names of an axis' largest loadings."""
    real: np.ndarray
    """``[T, 2]``."""
    actions: np.ndarray
    """``[T, A]``, what the policy does there, as a dataset's targets say it."""
    pairs: np.ndarray
    """``[N, 2]``."""

    def words(self, dataset: Dataset) -> str:
        """What one sees."""
        inside = ((self.pairs >= self.real.min(0)) & (self.pairs <= self.real.max(0))).all(1).sum()
        return (
            f"The two directions in which real states differ most hold {self.share.sum():.0%} of their variance; the "
            f"first is mainly {self.mainly[0]}, the second {self.mainly[1]}. In this plane "
            f"{how_many(int(inside), len(dataset)).lower()} within what real states span."
        )

    def facts(self) -> Json:
        """For a file."""
        return {"share": self.share.tolist(), "mainly": list(self.mainly), "pairs": self.pairs.tolist()}


def nearest(dataset: Dataset, observations: np.ndarray, episode: np.ndarray | None = None) -> Nearest:
    """Each pair's nearest real state.

    Args:
        observations: ``[T, *obs]``, as the environment gave them.
        episode: ``[T]``, which one each is of: what follows in a moment is no measure of how far states lie apart.
    """
    real, pairs = fed(dataset, observations), dataset.states.reshape(len(dataset), -1).astype(np.float64)
    several = episode is not None and len(np.unique(episode)) > 1
    apart = np.asarray(episode) if several else np.arange(len(real))
    which, distance = _closest(pairs, real, np.full(len(pairs), -1), apart)
    some = thinned(len(real), real.shape[1])
    own = _closest(real[some], real, apart[some], apart)[1]
    percentile = 100 * (own < distance[:, None]).mean(1)
    return Nearest(which, np.asarray(observations)[which], distance, percentile, own, several)


def projection(dataset: Dataset, observations: np.ndarray, actions: np.ndarray) -> Projection:
    """The plane of the largest variance of real states.

    Args:
        observations: ``[T, *obs]``, as the environment gave them.
        actions: ``[T, A]``, what the policy does there.

    Raises:
        InputError: where no plane is to be had.
    """
    real = fed(dataset, observations)
    if real.shape[1] < 2 or len(real) < 3:
        raise InputError("a plane takes observations of two numbers or more, and three of them")
    centre = real.mean(0)
    _, strength, axes = np.linalg.svd(real - centre, full_matrices=False)
    largest = np.abs(axes[:2]).argmax(1)
    axes = axes[:2] * np.sign(axes[[0, 1], largest])[:, None]  # so that more to the right is more of what it is mainly
    share = strength[:2] ** 2 / max((strength**2).sum(), 1e-30)
    pairs = dataset.states.reshape(len(dataset), -1)
    names = names_of(dataset)
    mainly = _loadings(axes[0], names), _loadings(axes[1], names)
    return Projection(axes, share, mainly, (real - centre) @ axes.T, actions, (pairs - centre) @ axes.T)


def fed(dataset: Dataset, observations: np.ndarray) -> np.ndarray:
    """Observations ``[T, *obs]`` as networks are fed them, flat: ``[T, D]``, in 64 bits."""
    mean, std = dataset.normaliser
    flat = ((np.asarray(observations, np.float32) - mean) / std).reshape(len(observations), -1)
    return flat.astype(np.float64)


def thinned(rows: int, numbers: int) -> np.ndarray:
    """Which of so many states to look at, of so many numbers each: evenly spread."""
    return np.unique(np.linspace(0, rows - 1, min(rows, ROWS, max(100, NUMBERS // numbers))).astype(int))


def names_of(dataset: Dataset) -> list[str]:
    """Of each number of an observation; of grids the channel and the cell."""
    *cells, last = dataset.spec.obs_shape
    names = named_or_numbered(dataset.units.observations, last)
    if not cells:
        return names
    return [f"{names[channel]}[{','.join(map(str, cell))}]" for *cell, channel in np.ndindex(*dataset.spec.obs_shape)]


def how_many(some: int, pairs: int) -> str:
    """That so many of the pairs lie.

    Examples:
        >>> how_many(0, 2), how_many(1, 2), how_many(2, 2), how_many(4, 4)
        ('None of the 2 pairs lies', '1 of the 2 pairs lies', 'Both pairs lie', 'All 4 pairs lie')
    """
    if some == pairs:
        return {1: "The pair lies", 2: "Both pairs lie"}.get(pairs, f"All {pairs} pairs lie")
    if pairs == 1:
        return "The pair does not lie"
    return f"{some or 'None'} of the {pairs} pairs {'lies' if some < 2 else 'lie'}"


def _loadings(axis: np.ndarray, names: Sequence[str], most: int = 3) -> str:
    """The largest, by name and sign; those of less than half the largest are none of them."""
    order: list[int] = np.argsort(-np.abs(axis))[: min(most, len(axis))].tolist()
    chosen = [i for i in order if abs(axis[i]) > abs(axis[order[0]]) / 2]
    return ", ".join(f"{names[i]}" if axis[i] > 0 else f"minus {names[i]}" for i in chosen)


def _closest(
    points: np.ndarray, real: np.ndarray, group: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each point the nearest real one that is of another group, and its distance."""
    found = np.zeros(len(points), int)
    squares, rows = (real**2).sum(1), max(1, 2**23 // len(real))
    for first in range(0, len(points), rows):
        part = slice(first, first + rows)
        squared = squares - 2 * points[part] @ real.T  # but for the point's own square, which they share
        found[part] = np.where(group[part, None] == groups, math.inf, squared).argmin(1)
    return found, np.linalg.norm(points - real[found], axis=1)
