"""Classic control, as its environments draw it, with what is done in orange.

Geometry and bounds are those of Gymnasium's and gymnax's environments, which are the same. Thin grey arrows are
velocities.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hades.tasks.scenes.base import (
    ACTION,
    GOAL,
    GROUND,
    INK,
    LIMB,
    MOTION,
    SMALL,
    Doing,
    Legend,
    arrow,
    box,
    canvas,
    direction,
    disc,
    rod,
    turn,
    within,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THIN = 1.0


@dataclass(frozen=True)
class CartPole:
    """A cart on a track, and its pole; an episode ends beyond 2.4 units and 12 degrees."""

    doing: Doing
    ratio: float = 2.6

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        (x, far), (angle, tilted) = within(observation[0], -2.5, 2.5), within(observation[2], -0.42, 0.42)
        canvas(ax, (-3.0, 3.0), (-0.65, 1.66))
        ax.plot([-2.4, 2.4], [-0.21, -0.21], color=GROUND, lw=1.5)
        ax.plot([-2.4, -2.4, np.nan, 2.4, 2.4], [-0.3, -0.12, np.nan, -0.3, -0.12], color=GROUND, lw=1.5)
        axle, long = np.asarray([x, 0.08]), 1.25
        for limit in (-0.2095, 0.0, 0.2095):  # radians at which an episode ends
            end = axle + 1.42 * np.asarray([np.sin(limit), np.cos(limit)])
            ax.plot(*np.transpose([axle, end]), color=GROUND, lw=0.8, ls=":" if limit else "--", zorder=1)
        box(ax, (x, 0), (1, 0), (0.31, 0.15), "#5F6B7A")
        tip = axle + long * np.asarray([np.sin(angle), np.cos(angle)])
        rod(ax, axle, tip, 0.1)
        disc(ax, axle, 0.06)
        swing = float(np.clip(observation[3], -1.2, 1.2))
        arrow(ax, (tip[0], tip[1] + 0.1), (swing, 0), MOTION, THIN)
        side, leans = (1, "right") if angle >= 0 else (-1, "left")
        words = f"{abs(np.rad2deg(angle)):.1f}° {leans},\nturning {'right' if observation[3] >= 0 else 'left'}"
        ax.text(x + side * 0.38, 0.85, words, size=SMALL, color=INK, va="center", ha="left" if side > 0 else "right")
        arrow(ax, (x, -0.42), (float(np.clip(observation[1], -1.2, 1.2)), 0), MOTION, THIN)
        push = self.doing.lean(action, -1, 1)
        arrow(ax, (x + 0.34 * np.sign(push), 0), (0.75 * push, 0), ACTION, 3)
        self.doing.tell(ax, action)
        return far or tilted

    def legend(self) -> Legend:
        """As `hades.tasks.scenes.base.Scene`."""
        return [("push", ACTION), ("how cart and pole move", MOTION), ("12°, where an episode ends", GROUND, ":")]


@dataclass(frozen=True)
class Pendulum:
    """A rod that is to stand up, by torques of two units at most."""

    doing: Doing
    ratio: float = 1.0

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        angle, off = direction(observation[0], observation[1])
        speed, fast = within(observation[2], -8, 8)
        canvas(ax, (-1.45, 1.45), (-1.45, 1.45))
        around = np.linspace(0, 2 * np.pi, 90)
        ax.plot(np.cos(around), np.sin(around), color=GROUND, lw=0.8, ls=":")
        ax.plot([0, 0], [1.0, 1.2], color=GOAL, lw=2)
        tip = np.asarray([-np.sin(angle), np.cos(angle)])
        rod(ax, (0, 0), tip, 0.2)
        disc(ax, (0, 0), 0.06)
        arrow(ax, 1.12 * tip, speed * 0.09 * np.asarray([-tip[1], tip[0]]), MOTION, THIN)
        turn(ax, (0, 0), 0.42, self.doing.lean(action), start=90 + float(np.rad2deg(angle)) + 180)
        self.doing.tell(ax, action)
        return off or fast

    def legend(self) -> Legend:
        """As `hades.tasks.scenes.base.Scene`."""
        return [("torque", ACTION), ("velocity", MOTION), ("where it is to stand", GOAL)]


@dataclass(frozen=True)
class Acrobot:
    """Two links that hang from a bar; the lower's end is to reach above the line, by torques between them."""

    doing: Doing
    ratio: float = 1.0

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        (first, off), (second, bent) = direction(*observation[:2]), direction(*observation[2:4])
        fast = abs(observation[4]) > 4 * np.pi or abs(observation[5]) > 9 * np.pi
        canvas(ax, (-2.3, 2.3), (-2.3, 2.3))
        ax.plot([-2.2, 2.2], [1, 1], color=GOAL, lw=1.2, ls="--")
        elbow = np.asarray([np.sin(first), -np.cos(first)])
        hand = elbow + np.asarray([np.sin(first + second), -np.cos(first + second)])
        rod(ax, (0, 0), elbow, 0.22)
        rod(ax, elbow, hand, 0.22, LIMB)
        for at in ((0, 0), elbow):
            disc(ax, at, 0.07)
        speeds = np.clip(observation[4], -12, 12), np.clip(observation[4] + observation[5], -20, 20)
        for at, (x, y), speed in ((elbow, elbow, speeds[0]), (hand, hand - elbow, speeds[1])):
            arrow(ax, at, 0.08 * speed * np.asarray([-y, x]), MOTION, THIN)
        away = float(np.rad2deg(first + second)) + 90
        turn(ax, elbow, 0.45, self.doing.lean(action, -1, 0, 1), start=away)
        self.doing.tell(ax, action)
        return bool(off or bent or fast)

    def legend(self) -> Legend:
        """As `hades.tasks.scenes.base.Scene`."""
        return [("torque", ACTION), ("velocity", MOTION), ("height to be reached", GOAL)]


@dataclass(frozen=True)
class MountainCar:
    """A car in a valley that is to reach the flag, by pushes that are too weak to climb."""

    doing: Doing
    ratio: float = 1.6

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        (x, far), (speed, fast) = within(observation[0], -1.2, 0.6), within(observation[1], -0.07, 0.07)
        canvas(ax, (-1.4, 0.8), (-0.02, 1.36))
        hill, flag = np.linspace(-1.2, 0.6, 100), 0.5 if self.doing.discrete else 0.45
        ax.plot(hill, _height(hill), color=GROUND, lw=1.5)
        foot = float(_height(np.asarray(flag)))
        ax.plot([flag, flag], [foot, foot + 0.3], color=GOAL, lw=1.5)
        ax.fill([flag, flag + 0.12, flag], [foot + 0.3, foot + 0.25, foot + 0.2], color=GOAL)
        slope = np.arctan(3 * 0.45 * np.cos(3 * x))
        along, up = np.asarray([np.cos(slope), np.sin(slope)]), np.asarray([-np.sin(slope), np.cos(slope)])
        ground = np.asarray([x, float(_height(np.asarray(x)))])
        box(ax, ground + 0.075 * up, along, (0.1, 0.035))
        box(ax, ground + 0.125 * up, along, (0.055, 0.025), LIMB)
        for side in (-0.06, 0.06):
            disc(ax, ground + 0.035 * up + side * along, 0.032)
        arrow(ax, ground + 0.2 * up, 4.5 * speed * along, MOTION, THIN)
        push = self.doing.lean(action, -1, 0, 1)
        arrow(ax, ground + 0.08 * up + 0.12 * np.sign(push) * along, 0.3 * push * along, ACTION, 3)
        self.doing.tell(ax, action)
        return far or fast

    def legend(self) -> Legend:
        """As `hades.tasks.scenes.base.Scene`."""
        return [("push", ACTION), ("velocity", MOTION), ("goal", GOAL)]


def _height(x: np.ndarray) -> np.ndarray:
    """Of the hill."""
    return np.sin(3 * x) * 0.45 + 0.55
