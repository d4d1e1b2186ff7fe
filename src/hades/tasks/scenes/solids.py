"""Shapes of solids, and how they look from afar."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np


class View(NamedTuple):
    """An orthographic projection."""

    right: np.ndarray
    up: np.ndarray
    near: np.ndarray
    """Towards who looks."""

    def flat(self, points: np.ndarray) -> np.ndarray:
        """Points or vectors ``[..., 3]`` in the picture's plane."""
        return np.stack([points @ self.right, points @ self.up], -1)

    def depth(self, points: np.ndarray) -> np.ndarray:
        """How near they are."""
        return points @ self.near

    @property
    def level(self) -> bool:
        """Whether the ground is seen from its side, not from above."""
        return bool(self.up[2] > 0.5)


def view_of(axes: np.ndarray | None) -> View:
    """Along the axes about which all hinges turn; from a corner above where they are of several.

    Args:
        axes: the hinges' mean axis, without signs; None for what moves freely.
    """
    if axes is not None and axes[1] > 0.95:
        return _view(12, 8)
    if axes is not None and axes[2] > 0.95:
        return _view(0, 90)
    return _view(35, 22)


def _view(azimuth: float, elevation: float) -> View:
    a, e = np.deg2rad(azimuth), np.deg2rad(elevation)
    right = np.asarray([np.cos(a), np.sin(a), 0])
    near = np.asarray([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    return View(right, np.cross(near, right), near)


def hull(points: np.ndarray) -> np.ndarray:
    """The convex outline ``[m, 2]`` of points ``[n, 2]`` (Andrew 1979)."""
    ordered = sorted(map(tuple, points.tolist()))  # of Python's own numbers, which are much faster one by one

    def half(ordered: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
        chain: list[tuple[float, ...]] = []
        for x, y in ordered:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:  # a turn to the left
                    break
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    return np.asarray([*half(ordered), *half(ordered[::-1])] or ordered[:1])


Shape = Callable[[Any, int], tuple[np.ndarray, float]]
"""Of a model and a solid's number: its points ``[n, 3]``, and how much is around each."""


def _sphere(model: Any, i: int) -> tuple[np.ndarray, float]:
    return np.zeros((1, 3)), float(model.geom_size[i][0])


def _capsule(model: Any, i: int) -> tuple[np.ndarray, float]:
    radius, half = model.geom_size[i][:2]
    return np.asarray([[0, 0, -half], [0, 0, half]]), float(radius)


def _cylinder(model: Any, i: int) -> tuple[np.ndarray, float]:
    radius, half = model.geom_size[i][:2]
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    ring = np.stack([radius * np.cos(angles), radius * np.sin(angles), 0 * angles], 1)
    end = np.asarray([0, 0, half])
    return np.concatenate([ring - end, ring + end]), 0.0


def _ellipsoid(model: Any, i: int) -> tuple[np.ndarray, float]:
    turns, rises = np.meshgrid(np.linspace(0, 2 * np.pi, 16), np.linspace(-np.pi / 2, np.pi / 2, 9))
    unit = np.stack([np.cos(turns) * np.cos(rises), np.sin(turns) * np.cos(rises), np.sin(rises)], -1)
    return unit.reshape(-1, 3) * model.geom_size[i], 0.0


def _box(model: Any, i: int) -> tuple[np.ndarray, float]:
    corners = np.stack(np.meshgrid(*[[-1, 1]] * 3), -1).reshape(-1, 3)
    return corners * model.geom_size[i], 0.0


def _mesh(model: Any, i: int) -> tuple[np.ndarray, float]:
    mesh = int(model.geom_dataid[i])
    first, number = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
    return np.asarray(model.mesh_vert[first : first + number], np.float64), 0.0


SHAPES: Mapping[int, Shape] = {2: _sphere, 3: _capsule, 4: _ellipsoid, 5: _cylinder, 6: _box, 7: _mesh}
"""By MuJoCo's types; a plane is the ground."""
