"""What a drawing of an observation is, and what all of them draw with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hades.units import Units

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#000000"
"""Of lines and words: a page's own colour of text, light or dark (`hades.reporting.style.svg`)."""
# Okabe and Ito's: readable on light and on dark, and told apart by everyone.
BODY, LIMB, ACTION, MOTION, GROUND, GOAL = "#0072B2", "#56B4E9", "#D55E00", "#8C8C94", "#8C8C94", "#009E73"
EDGE = "#FFFFFF"
"""Around what is drawn of one piece."""
SMALL = 7
"""Size of words in a drawing."""
OFF = 0.1
"""How far from 1 the length of a direction, of a cosine and a sine, may be."""
Point = Sequence[float] | np.ndarray
"""Of the plane, or a vector."""
Legend = list[tuple[str, str] | tuple[str, str, str]]
"""What colours mean: words, colour, and of a line its dashes."""


class Scene(Protocol):
    """How an environment shows itself."""

    @property
    def ratio(self) -> float:
        """Width over height."""
        ...

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """Draw an observation ``[*obs]``, as the environment gives it, and what is done, into empty axes.

        What is done is told at the right of the title's line; its left is the caller's.

        Args:
            action: probabilities ``[actions]`` of discrete ones, or a continuous one ``[act]`` in the environment's
                units; None draws none.

        Returns:
            Whether it lies beyond what the environment can show, and was drawn at its edge.
        """
        ...

    def legend(self) -> Legend:
        """What its colours mean."""
        ...


@dataclass(frozen=True)
class Doing:
    """What is done, in words and as numbers that arrows have.

    Attributes:
        discrete: whether it is one of several actions.
        number: of actions, or of an action's dimensions.
        units: names, and bounds, of actions.
    """

    discrete: bool
    number: int
    units: Units

    def words(self, action: np.ndarray) -> str:
        """The likeliest of discrete actions, and how likely; or a continuous one's number, if it has but one."""
        if self.discrete:
            return " ".join(self.units.likeliest(action)).rstrip()
        if self.number > 1:
            return ""
        most = self.units.high[0] if self.units.high else 1.0
        clipped = f" (at most {most:g})" if abs(action[0]) > most * 1.005 else ""
        return f"{self.units.actions[0] if self.units.actions else 'action'} {action[0]:+.2f}{clipped}"

    def tell(self, ax: "Axes", action: np.ndarray | None) -> None:
        """Write it at the right of the title's line, in the colour of its arrows."""
        if action is not None:
            ax.set_title(self.words(action), loc="right", size=8, color=ACTION, parse_math=False)

    def lean(self, action: np.ndarray | None, *directions: float) -> float:
        """From -1 to 1, where one of two directions is done.

        Args:
            directions: of discrete actions, one each, which are weighted by their probabilities; a continuous one's
                is its first dimension, as a share of the most.
        """
        if action is None:
            return 0.0
        return float(np.dot(action, directions)) if self.discrete else float(self.shares(action)[0])

    def shares(self, action: np.ndarray) -> np.ndarray:
        """A continuous action from -1 to 1: what is beyond, an environment does not do either."""
        return np.clip(self.units.scaled(np.asarray(action, np.float64)), -1, 1)


def within(value: float, low: float, high: float) -> tuple[float, bool]:
    """A number between two others, and whether it had to be moved there."""
    return float(np.clip(value, low, high)), not low - 1e-4 <= value <= high + 1e-4


def direction(cosine: float, sine: float) -> tuple[float, bool]:
    """The angle of a cosine and a sine, and whether they are none: what no angle has."""
    return float(np.arctan2(sine, cosine)), abs(float(np.hypot(cosine, sine)) - 1) > OFF


def canvas(ax: "Axes", width: tuple[float, float], height: tuple[float, float]) -> None:
    """An empty drawing of a part of the plane."""
    ax.set(xlim=width, ylim=height, aspect="equal")
    ax.set_axis_off()


def arrow(ax: "Axes", start: Point, by: Point, colour: str = ACTION, width: float = 2.5) -> None:
    """From a point by a vector; of a vector that is next to nothing there is none."""
    left, right = ax.get_xlim()
    if np.hypot(by[0], by[1]) > 0.015 * (right - left):
        _pointed(ax, start, by, colour, width)


def _pointed(ax: "Axes", start: Point, by: Point, colour: str, width: float) -> None:
    end, width = (start[0] + by[0], start[1] + by[1]), width * _size(ax)
    head = 0.1 + 0.09 * width
    style: dict[str, Any] = {"arrowstyle": f"-|>,head_width={head},head_length={2 * head}", "color": colour}
    style |= {"lw": width, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 10, "joinstyle": "miter"}
    ax.annotate("", end, (start[0], start[1]), arrowprops=style, annotation_clip=False, zorder=5)


def turn(ax: "Axes", centre: Point, radius: float, share: float, colour: str = ACTION, start: float = 90) -> None:
    """A torque: an arc about a point, to the left where it is positive, the longer the stronger it is.

    Args:
        share: of the strongest, from -1 to 1.
        start: where its middle is, in degrees.
    """
    if abs(share) < 0.02:
        return
    half = np.sign(share) * (20 + 85 * min(1.0, abs(share)))
    angles = np.deg2rad(start + np.linspace(-half, half, 40))
    curve(ax, centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles), colour)


def curve(ax: "Axes", x: np.ndarray, y: np.ndarray, colour: str = ACTION, width: float = 2.0) -> None:
    """An arrow along a curve."""
    ax.plot(x[:-4], y[:-4], color=colour, lw=width * _size(ax), solid_capstyle="butt", zorder=5)
    _pointed(ax, (x[-6], y[-6]), (x[-1] - x[-6], y[-1] - y[-6]), colour, width)


def _size(ax: "Axes") -> float:
    """Of axes, by which the width of arrows goes: 1 of those that are 2.5 inches wide."""
    figure = ax.get_figure(root=True)
    wide = ax.get_position().width * figure.get_figwidth() if figure else 2.5
    return float(np.clip(wide / 2.5, 0.55, 1.6))


Polygon = tuple[np.ndarray, Any, Any]
"""Its corners ``[n, 2]``, the colour within and that of its edge; none is ``"none"``."""


def polygons(ax: "Axes", drawn: Sequence[Polygon], width: float = 0.7, zorder: float = 3) -> None:
    """Many polygons at once, the later before the earlier: of single ones, a frame would take ten times as long."""
    from matplotlib.collections import PolyCollection

    if drawn:
        corners, within, edges = zip(*drawn, strict=True)
        ax.add_collection(
            PolyCollection(corners, facecolors=within, edgecolors=edges, linewidths=width, zorder=zorder)
        )


def rod(ax: "Axes", start: Point, end: Point, width: float, colour: str = BODY) -> None:
    """A rod with round ends, as wide in the plane's units."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    turned = float(np.arctan2(*(end - start)[::-1]))
    angles = turned + np.pi / 2 + np.linspace(0, np.pi, 13)
    around = width / 2 * np.stack([np.cos(angles), np.sin(angles)], 1)
    polygons(ax, [(np.concatenate([start + around, end - around]), colour, EDGE)])


def disc(ax: "Axes", at: Point, radius: float, colour: str = INK) -> None:
    """A hinge, or a wheel."""
    angles = np.linspace(0, 2 * np.pi, 33)
    around = radius * np.stack([np.cos(angles), np.sin(angles)], 1)
    polygons(ax, [(np.asarray(at, float) + around, colour, EDGE)], zorder=4)


def box(ax: "Axes", centre: Point, along: Point, half: Point, colour: str = BODY) -> None:
    """A rectangle, by its middle, the unit vector that it lies along, and half its sides."""
    centre, along = np.asarray(centre, float), np.asarray(along, float)
    up = np.asarray([-along[1], along[0]])
    corners = [centre + a * half[0] * along + b * half[1] * up for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    polygons(ax, [(np.asarray(corners), colour, EDGE)])
