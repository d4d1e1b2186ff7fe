"""Gymnasium's lander above its pad, of one shape whichever its actions are."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hades.tasks.scenes.base import ACTION, BODY, GOAL, GROUND, LIMB, MOTION, Doing, Legend, arrow, canvas, within

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNIT = np.asarray([10.0, 20 / 3])
"""What 1 of an observation's position is, in the environment's lengths; it is 0 where the legs stand on the pad."""
HULL = np.asarray([(-14, 17), (-17, 0), (-17, -10), (17, -10), (17, 0), (14, 17)]) / 30
LARGER = 2.0
"""It is drawn than it is, to be seen."""


@dataclass(frozen=True)
class LunarLander:
    """A lander with the flames of its engines."""

    doing: Doing
    ratio: float = 1.27

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        least = -0.05 if abs(observation[0]) < 0.2 else -0.5  # on the pad, and in a valley beside it
        (x, wide), (y, high) = within(observation[0], -1.05, 1.05), within(observation[1], least, 1.7)
        canvas(ax, (-11.6, 11.6), (-3.2, 15))
        hills = [-11.6, -8, -5, -3, -2, 2, 3, 5, 8, 11.6], [-1.8, -0.9, -1.6, -0.4, 0, 0, -0.4, -1.4, -0.7, -2]
        ax.fill([*hills[0], 11.6, -11.6], [*hills[1], -3.5, -3.5], color=GROUND, alpha=0.35, lw=0)
        ax.plot([-2, 2], [0, 0], color=GOAL, lw=3)
        for side in (-2, 2):
            ax.plot([side, side], [0, 1.1], color=GOAL, lw=1)
            ax.fill([side, side + 0.8, side], [1.1, 0.85, 0.6], color=GOAL)
        angle, middle = float(observation[4]), UNIT * (x, y) + (0, LARGER * 0.9)
        turned = LARGER * np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

        def at(*points: tuple[float, float]) -> np.ndarray:
            return np.asarray(points) @ turned.T + middle

        for side, down in ((-1, observation[6]), (1, observation[7])):
            leg = at((0.4 * side, -0.2), (0.62 * side, -0.8), (0.8 * side, -0.8), (0.46 * side, -0.8))
            ax.plot(*leg.T, color=GOAL if down > 0.5 else LIMB, lw=2.5, solid_capstyle="round", zorder=3)
        for power, (sx, sy), (dx, dy) in self._flames(action):
            wx, wy = 0.18 * dy, 0.18 * dx
            flame = at((sx - wx, sy - wy), (sx + power * dx, sy + power * dy), (sx + wx, sy + wy))
            ax.fill(*flame.T, color=ACTION, lw=0, zorder=2)
        ax.fill(*at(*map(tuple, HULL)).T, fc=BODY, ec="white", lw=0.6, zorder=4)
        arrow(ax, middle, np.clip(observation[2:4], -2, 2) * 2.2, MOTION, 1.2)
        self.doing.tell(ax, action)
        return wide or high

    def _flames(self, action: np.ndarray | None) -> list[tuple[float, tuple[float, float], tuple[float, float]]]:
        """Of each engine: how long, from where on the hull, and which way.

        The left one is that which pushes to the left: its flame is on the right.
        """
        if action is None:
            return []
        if self.doing.discrete:
            main, left, right = action[2], action[1], action[3]
        else:
            up, side = np.clip(action, -1, 1)
            main = 0.5 + 0.5 * up if up > 0 else 0.0
            left, right = (-side if side < -0.5 else 0.0), (side if side > 0.5 else 0.0)
        burning = ((1.5 * main, (0, -0.33), (0, -1)), (left, (0.55, 0.3), (1, 0)), (right, (-0.55, 0.3), (-1, 0)))
        return [(float(power), start, way) for power, start, way in burning if power > 0.02]

    def legend(self) -> Legend:
        """As `hades.tasks.scenes.base.Scene`."""
        return [("flame", ACTION), ("velocity", MOTION), ("pad, and a leg that stands", GOAL)]
