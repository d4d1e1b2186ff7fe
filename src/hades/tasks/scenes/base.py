"""What a drawing of an observation is, and what all of them draw with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, BODY, ACTION, MOTION, GROUND, GOAL = "#55555E", "#0072B2", "#D55E00", "#999999", "#8C8C94", "#009E73"
"""Readable on light and on dark."""
Point = Sequence[float] | np.ndarray
"""Of the plane, or a vector."""


class Scene(Protocol):
    """How an environment shows itself."""

    @property
    def ratio(self) -> float:
        """Width over height."""
        ...

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """Draw an observation ``[*obs]``, as the environment gives it, and what is done.

        Args:
            action: probabilities ``[actions]`` of discrete ones, or a continuous one ``[act]`` in the environment's
                units; None draws none.

        Returns:
            Whether it lies beyond what the environment can show, and was drawn at its edge.
        """
        ...


def within(value: float, low: float, high: float) -> tuple[float, bool]:
    """A number between two others, and whether it had to be moved there."""
    return float(np.clip(value, low, high)), not low <= value <= high


def canvas(ax: "Axes", width: tuple[float, float], height: tuple[float, float]) -> None:
    """An empty drawing of a part of the plane."""
    ax.set(xlim=width, ylim=height, aspect="equal")
    ax.set_axis_off()


def arrow(ax: "Axes", start: Point, by: Point, colour: str, width: float = 2.0) -> None:
    """From a point by a vector; of a vector that is next to nothing there is none."""
    left, right = ax.get_xlim()
    if np.hypot(by[0], by[1]) < 0.03 * (right - left):
        return
    end = (start[0] + by[0], start[1] + by[1])
    style: dict[str, Any] = {"arrowstyle": "-|>,head_width=0.28,head_length=0.5", "color": colour, "lw": width}
    ax.annotate("", end, (start[0], start[1]), arrowprops=style | {"shrinkA": 0, "shrinkB": 0}, annotation_clip=False)


def turn(ax: "Axes", centre: Point, radius: float, share: float) -> None:
    """A torque, as an arc about a point: to the left where it is positive, the longer the stronger it is."""
    if abs(share) < 0.02:
        return
    angles = np.pi / 2 + np.sign(share) * np.linspace(-1, 1, 30) * (0.25 + 1.1 * min(1.0, abs(share)))
    x, y = centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)
    ax.plot(x[:-1], y[:-1], color=ACTION, lw=2, solid_capstyle="round")
    arrow(ax, (x[-4], y[-4]), (x[-1] - x[-4], y[-1] - y[-4]), ACTION)


def link(ax: "Axes", start: Point, end: Point, colour: str = BODY, width: float = 5) -> None:
    """A rod."""
    ax.plot([start[0], end[0]], [start[1], end[1]], color=colour, lw=width, solid_capstyle="round")


def joint(ax: "Axes", at: Point) -> None:
    """A hinge."""
    ax.plot(at[0], at[1], "o", color=INK, ms=5)
