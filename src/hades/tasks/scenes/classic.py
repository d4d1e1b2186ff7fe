"""Classic control and the lander, as their environments draw them, with what is done as orange arrows.

Geometry and bounds are those of Gymnasium's and gymnax's environments, which are the same. Thin grey arrows are
velocities.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hades.tasks.scenes.base import (
    ACTION,
    BODY,
    GOAL,
    GROUND,
    INK,
    MOTION,
    arrow,
    canvas,
    joint,
    link,
    turn,
    within,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def lean(action: np.ndarray | None, directions: tuple[float, ...]) -> float:
    """Where discrete actions point, each to its direction, weighted by their probabilities; none points nowhere."""
    return 0.0 if action is None else float(np.dot(action, directions))


def strength(action: np.ndarray | None, most: float) -> float:
    """A continuous action's first dimension, as a share of the most."""
    return 0.0 if action is None else float(np.clip(action[0] / most, -1, 1))


@dataclass(frozen=True)
class CartPole:
    """A cart on a track, and its pole; an episode ends beyond 2.4 units and 12 degrees."""

    ratio: float = 2.0

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        (x, far), (angle, tilted) = within(observation[0], -2.4, 2.4), within(observation[2], -0.42, 0.42)
        canvas(ax, (-3.1, 3.1), (-0.95, 2.15))
        ax.plot([-2.9, 2.9], [0, 0], color=GROUND, lw=1)
        for end in (-2.4, 2.4):
            ax.plot([end, end], [-0.12, 0.12], color=GROUND, lw=1)
        _box(ax, x, 0.0, 0.9, 0.5, INK)
        tip = x + 1.6 * np.sin(angle), 0.2 + 1.6 * np.cos(angle)
        link(ax, (x, 0.2), tip, BODY, 6)
        joint(ax, (x, 0.2))
        arrow(ax, (x, -0.55), (float(np.clip(observation[1], -2, 2)) * 0.45, 0), MOTION, 1.2)
        swing = float(np.clip(observation[3], -3, 3)) * 0.25
        arrow(ax, tip, (swing * np.cos(angle), -swing * np.sin(angle)), MOTION, 1.2)
        push = lean(action, (-1, 1))
        arrow(ax, (x + 0.45 * np.sign(push), 0), (0.9 * push, 0), ACTION, 3)
        return far or tilted


@dataclass(frozen=True)
class Pendulum:
    """A rod that is to stand up, by torques of two units at most."""

    ratio: float = 1.0

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        cosine, sine, speed = observation
        length = float(np.hypot(cosine, sine))
        canvas(ax, (-1.5, 1.5), (-1.5, 1.5))
        ax.plot(*_circle(1.0), color=GROUND, lw=0.6, ls=":")
        tip = (-sine / max(length, 1e-6), cosine / max(length, 1e-6))
        link(ax, (0, 0), tip, BODY, 7)
        joint(ax, (0, 0))
        spin = float(np.clip(speed, -8, 8)) * 0.09
        arrow(ax, tip, (-spin * tip[1], spin * tip[0]), MOTION, 1.2)
        turn(ax, (0, 0), 0.45, strength(action, 2.0))
        return not 0.8 < length < 1.25 or abs(speed) > 8


@dataclass(frozen=True)
class Acrobot:
    """Two links that hang from a bar; the lower's end is to reach above the line, by torques between them."""

    ratio: float = 1.0

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        first, second = (float(np.arctan2(observation[i + 1], observation[i])) for i in (0, 2))
        lengths = np.hypot(observation[[0, 2]], observation[[1, 3]])
        canvas(ax, (-2.3, 2.3), (-2.3, 2.3))
        ax.plot([-2.2, 2.2], [1, 1], color=GOAL, lw=1, ls="--")
        elbow = (np.sin(first), -np.cos(first))
        hand = (elbow[0] + np.sin(first + second), elbow[1] - np.cos(first + second))
        link(ax, (0, 0), elbow, BODY, 6)
        link(ax, elbow, hand, "#56B4E9", 6)
        joint(ax, (0, 0))
        joint(ax, elbow)
        turn(ax, elbow, 0.5, lean(action, (-1, 0, 1)))
        fast = abs(observation[4]) > 4 * np.pi or abs(observation[5]) > 9 * np.pi
        return bool(fast or (lengths < 0.8).any() or (lengths > 1.25).any())


@dataclass(frozen=True)
class MountainCar:
    """A car in a valley that is to reach the flag, by pushes that are too weak to climb."""

    discrete: bool = True
    ratio: float = 1.6

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        (x, far), fast = within(observation[0], -1.2, 0.6), abs(observation[1]) > 0.07
        hill = np.linspace(-1.2, 0.6, 100)
        canvas(ax, (-1.35, 0.75), (-0.1, 1.25))
        ax.plot(hill, _height(hill), color=GROUND, lw=1.5)
        flag = float(_height(np.asarray(0.5)))
        ax.plot([0.5, 0.5, 0.6, 0.5], [flag, flag + 0.22, flag + 0.17, flag + 0.12], color=GOAL, lw=1.5)
        slope = np.arctan(3 * 0.45 * np.cos(3 * x))
        along, up = np.asarray([np.cos(slope), np.sin(slope)]), np.asarray([-np.sin(slope), np.cos(slope)])
        at = np.asarray([x, float(_height(np.asarray(x)))]) + 0.07 * up
        corners = [at + a * 0.09 * along + b * 0.04 * up for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        ax.fill(*zip(*corners, strict=True), color=BODY)
        arrow(ax, at + 0.11 * up, along * float(np.clip(observation[1], -0.07, 0.07)) * 4, MOTION, 1.2)
        push = lean(action, (-1, 0, 1)) if self.discrete else strength(action, 1.0)
        arrow(ax, at + 0.09 * np.sign(push) * along, along * 0.25 * push, ACTION, 3)
        return far or fast


@dataclass(frozen=True)
class LunarLander:
    """A lander above its pad, with its engines' flames."""

    discrete: bool = True
    ratio: float = 1.3

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        (x, wide), (y, high) = within(observation[0], -1.0, 1.0), within(observation[1], -0.05, 1.5)
        angle = float(observation[4])
        canvas(ax, (-1.25, 1.25), (-0.2, 1.75))
        ax.plot([-1.2, 1.2], [-0.1, -0.1], color=GROUND, lw=1.5)
        ax.plot([-0.2, 0.2], [-0.1, -0.1], color=GOAL, lw=4)
        turned = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

        def at(point: tuple[float, float]) -> np.ndarray:
            return turned @ np.asarray(point) + (x, y)

        hull = [at(p) for p in ((-0.1, 0.1), (-0.12, 0.0), (-0.08, -0.05), (0.08, -0.05), (0.12, 0.0), (0.1, 0.1))]
        ax.fill(*zip(*hull, strict=True), color=BODY)
        for side, down in ((-1, observation[6]), (1, observation[7])):
            colour = GOAL if down > 0.5 else INK
            link(ax, at((0.08 * side, -0.03)), at((0.15 * side, -0.1)), colour, 2.5)
        arrow(ax, (x, y), np.clip(observation[2:4], -2, 2) * 0.25, MOTION, 1.2)
        main, left, right = self._engines(action)
        for power, start, by in (
            (main, (0, -0.05), (0, -0.35)), (left, (-0.12, 0.05), (-0.25, 0)), (right, (0.12, 0.05), (0.25, 0))
        ):  # fmt: skip
            if power > 0.05:
                arrow(ax, at(start), turned @ np.asarray(by) * power, ACTION, 3)
        return wide or high

    def _engines(self, action: np.ndarray | None) -> tuple[float, float, float]:
        """How strongly the main, left and right ones burn."""
        if action is None:
            return 0.0, 0.0, 0.0
        if self.discrete:
            return float(action[2]), float(action[1]), float(action[3])
        main, side = np.clip(action, -1, 1)
        return (
            0.5 + 0.5 * float(main) if main > 0 else 0.0,
            max(0.0, -float(side)) if side < -0.5 else 0.0,
            max(0.0, float(side)) if side > 0.5 else 0.0,
        )


def _height(x: np.ndarray) -> np.ndarray:
    """Of the hill."""
    return np.sin(3 * x) * 0.45 + 0.55


def _circle(radius: float) -> tuple[np.ndarray, np.ndarray]:
    angles = np.linspace(0, 2 * np.pi, 60)
    return radius * np.cos(angles), radius * np.sin(angles)


def _box(ax: "Axes", x: float, y: float, width: float, height: float, colour: str) -> None:
    ax.fill(
        [x - width / 2, x + width / 2, x + width / 2, x - width / 2],
        [y - height / 2, y - height / 2, y + height / 2, y + height / 2],
        color=colour,
    )
