"""Rigid bodies by their models, without a renderer: solids seen from afar, the nearer before the farther."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hades.dataset import Spec
from hades.tasks.scenes.base import (
    ACTION,
    BODY,
    GOAL,
    GROUND,
    MOTION,
    Doing,
    Legend,
    Polygon,
    arrow,
    canvas,
    curve,
    polygons,
)
from hades.tasks.scenes.poses import FREE, HINGE, SLIDE, Pose, Read, reader
from hades.tasks.scenes.solids import SHAPES, View, hull, view_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLUS, MINUS = ACTION, BODY
"""Of torques, by their sign."""
TORSO, EDGES = "#8FA1B3", "#3F4A56"
LIMBS = ("#B9C7D3", "#73879B", "#D2C3A6", "#9DB0A0", "#C5B3C4", "#A7A7B8")
"""Each limb's, in turn: quiet, so that torques stand out."""
NAMED = {"target": GOAL, "goal": GOAL, "object": "#CC79A7"}
UNSEEN = 3
"""Groups of solids from which on they are not shown."""
ROOM = 0.3
"""Of a body's reach: what is seen around it."""
ARC = 0.2
"""Of a body's reach: how far from its hinge a torque's arc is."""
FAST = 5.0
"""Metres a second, of the longest arrow."""
SUNK, BURIED = 0.03, 0.25
"""Of a body's reach: from how far within the ground it is lifted, and how far no environment has it (Brax's ant begins
a fifth of its reach below)."""


class Solid(NamedTuple):
    """A part of a body: points ``[n, 3]`` with so much around each."""

    points: np.ndarray
    radius: float
    colour: str
    fixed: bool


def body_of(name: str, model: Any, spec: Spec, doing: Doing, parts: Mapping[str, int] | None) -> "Body | None":
    """The scene of a model, where its observations can be put back into its joints.

    Args:
        parts: of an observation, where the environment says them.
    """
    read = reader(name, model, spec.obs_shape[0], parts) if len(spec.obs_shape) == 1 else None
    return None if read is None else Body(doing, model, read)


@dataclass(frozen=True, eq=False)
class Body:
    """A rigid body in its pose, with the torques on its joints and the velocity of the whole.

    Attributes:
        model: MuJoCo's.
        read: puts an observation back into its joints.
    """

    doing: Doing
    model: Any
    read: Read

    @property
    def ratio(self) -> float:
        """As `hades.tasks.scenes.base.Scene`."""
        (left, right), (low, high) = self._window
        return (right - left) / (high - low)

    def pose(self, observation: np.ndarray) -> tuple[Any, Pose]:
        """Where everything is (MuJoCo's data), and the joints."""
        pose = self.read(np.asarray(observation, np.float64))
        return self._placed(pose.positions), pose

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        data, pose = self.pose(observation)
        solids = self._solids(data)
        up, beyond = self._lifted(solids, data.xpos[1][2])
        raised = np.asarray([0, 0, up])
        solids = [one if one.fixed else one._replace(points=one.points + raised) for one in solids]
        solids.sort(key=lambda one: (not one.fixed, float(self._view.depth(one.points).mean())))
        outlines = [self._outline(one) for one in solids]
        moving = [outline for one, outline in zip(solids, outlines, strict=True) if not one.fixed] or outlines
        self._frame(ax, moving + self._turned(data, raised))
        self._ground(ax, solids)
        polygons(ax, [part for pair in zip(solids, outlines, strict=True) for part in self._painted(*pair)])
        self._velocity(ax, data.xpos[1] + raised, pose.velocities, data)
        if action is not None:
            for actuator, share in enumerate(self.doing.shares(action)):
                self._torque(ax, data, raised, actuator, float(share))
        self.doing.tell(ax, action)
        return pose.beyond or beyond

    def legend(self) -> Legend:
        """As `hades.tasks.scenes.base.Scene`."""
        return [("torque: the longer the stronger", PLUS), ("its other direction", MINUS), ("velocity", MOTION)]

    def _placed(self, positions: np.ndarray) -> Any:
        import mujoco

        data = mujoco.MjData(self.model)  # pyright: ignore[reportAttributeAccessIssue]
        data.qpos[:] = positions
        mujoco.mj_kinematics(self.model, data)  # pyright: ignore[reportAttributeAccessIssue]
        return data

    def _solids(self, data: Any) -> list[Solid]:
        model, found = self.model, []
        for i in range(model.ngeom):
            shape = SHAPES.get(int(model.geom_type[i]))
            if shape is None or model.geom_group[i] >= UNSEEN or model.geom_rgba[i][3] == 0:
                continue
            points, radius = shape(model, i)
            turned = points @ np.reshape(data.geom_xmat[i], (3, 3)).T + data.geom_xpos[i]
            body = int(model.geom_bodyid[i])
            found.append(Solid(turned, radius, self._colours[body], fixed=model.body_weldid[body] == 0))
        return found

    @cached_property
    def _colours(self) -> list[str]:
        """Of each body, by its limb: a new one begins where its parent has several parts."""
        model, colours, limbs = self.model, [GROUND], 0
        children = np.bincount(model.body_parentid[1:], minlength=model.nbody)
        for body in range(1, model.nbody):
            parent = int(model.body_parentid[body])
            colour = TORSO if parent == 0 else colours[parent]
            if parent and (children[parent] > 1 or colour == TORSO):
                colour, limbs = LIMBS[limbs % len(LIMBS)], limbs + 1
            colours.append(NAMED.get(model.body(body).name, colour))
        return colours

    @cached_property
    def _view(self) -> View:
        """From the side in which its hinges let it move; of others, from a corner above."""
        axes = self._default.xaxis[self.model.jnt_type == HINGE]
        free = (self.model.jnt_type == FREE).any()
        return view_of(None if free or not len(axes) else np.abs(axes).mean(0))

    @cached_property
    def _default(self) -> Any:
        return self._placed(self.model.qpos0)

    @cached_property
    def _moving(self) -> list[Solid]:
        """As the model has them."""
        solids = self._solids(self._default)
        return [one for one in solids if not one.fixed] or solids

    @cached_property
    def _reach(self) -> float:
        """How far the farthest of it is from its first body."""
        root = self._default.xpos[1]
        return max(float(np.linalg.norm(one.points - root, axis=1).max()) + one.radius for one in self._moving)

    @cached_property
    def _floor(self) -> float | None:
        """How high the ground is, where there is one that it stands on."""
        planes = np.flatnonzero(self.model.geom_type == 0)
        lowest = min(float(one.points[:, 2].min()) - one.radius for one in self._moving)
        if not len(planes) or not self._view.level:
            return None
        floor = float(self._default.geom_xpos[planes[0]][2])
        return floor if lowest - floor < 0.5 * self._reach else None

    @cached_property
    def _window(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """What is seen of the plane: it as the model has it, and room to move."""
        root, room = self._view.flat(self._default.xpos[1]), ROOM * self._reach
        around = np.concatenate([self._outline(one) for one in self._solids(self._default)])
        if (self.model.jnt_type[: self.model.body_jntnum[1]] == HINGE).all():  # it turns about where it is
            around = root + self._reach * np.asarray([[-1, -1], [1, 1]])
        low, high = around.min(0) - room, around.max(0) + room
        if self._floor is not None:
            low[1] = self._view.flat(np.asarray([[0, 0, self._floor]]))[0, 1] - 0.15 * self._reach
        size = high - low
        wide = np.clip(size[0] / size[1], 0.85, 1.8) * size[1]
        more = max(0.0, wide - size[0]) / 2
        return (float(low[0] - more), float(high[0] + more)), (float(low[1]), float(high[1]))

    def _lifted(self, solids: list[Solid], height: float) -> tuple[float, bool]:
        """By how much it is to be lifted (or lowered) to be on the ground and in sight, and whether it is."""
        moving = [one for one in solids if not one.fixed]
        if self._floor is None or not moving:
            return 0.0, False
        lowest = min(float(one.points[:, 2].min()) - one.radius for one in moving)
        sunk = (self._floor - lowest) / self._reach
        if sunk > SUNK:
            return self._floor - lowest, sunk > BURIED
        over = height - self._default.xpos[1][2] - 0.8 * self._reach
        return (-over, True) if over > 0 else (0.0, False)

    def _frame(self, ax: "Axes", outlines: list[np.ndarray]) -> None:
        """The window, larger where a pose leaves it."""
        (left, right), (low, high) = self._window
        around = np.concatenate(outlines)
        (least, lowest), (most, highest) = around.min(0), around.max(0)
        out = max(left - least, most - right, highest - high, low - lowest)
        out = out + ROOM * self._reach / 3 if out > 0 else 0.0
        wide = out * self.ratio
        canvas(ax, (left - wide, right + wide), (low, high + 2 * out))

    def _ground(self, ax: "Axes", solids: list[Solid]) -> None:
        """The ground, and shadows on it."""
        if self._floor is None:
            return
        view, far, deep = self._view, 20 * self._reach, 0.6 * self._reach
        away, height = np.cross((0, 0, 1), view.right), np.asarray([0, 0, self._floor])
        corners = [a * far * view.right + b * deep * away for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        ground = view.flat(np.asarray(corners) + height)
        level = [_around(one.points * (1, 1, 0) + height, one.radius) for one in solids if not one.fixed]
        shadows = [(hull(view.flat(points)), (0.2, 0.22, 0.25, 0.18), "none") for points in level]
        polygons(ax, [(ground, (0.55, 0.55, 0.58, 0.22), "none"), *shadows], zorder=0)
        ax.plot(*ground[:2].T, color=GROUND, lw=1, zorder=0)

    def _outline(self, solid: Solid) -> np.ndarray:
        return hull(_discs(self._view.flat(solid.points), solid.radius))

    def _painted(self, solid: Solid, outline: np.ndarray) -> list[Polygon]:
        """A solid, and light upon it."""
        from matplotlib.colors import to_rgba

        painted = [(outline, to_rgba(solid.colour, 0.35 if solid.fixed else 1), EDGES)]
        if solid.radius and not solid.fixed:
            lit = self._view.flat(solid.points) + solid.radius * np.asarray([-0.2, 0.3])
            painted.append((hull(_discs(lit, 0.5 * solid.radius)), (1, 1, 1, 0.3), "none"))
        return painted

    def _velocity(self, ax: "Axes", start: np.ndarray, velocities: np.ndarray, data: Any) -> None:
        """Of the first body, where it can go anywhere."""
        model, total = self.model, np.zeros(3)
        for joint in range(int(model.body_jntnum[1])):
            at, kind = int(model.jnt_dofadr[joint]), int(model.jnt_type[joint])
            if kind == FREE:
                total += velocities[at : at + 3]
            elif kind == SLIDE:
                total += velocities[at] * data.xaxis[joint]
        speed = float(np.linalg.norm(total))
        if speed > 0.05:
            by = total / speed * 0.6 * self._reach * min(1.0, speed / FAST)
            arrow(ax, self._view.flat(start), self._view.flat(by), MOTION, 1.2)

    def _turned(self, data: Any, raised: np.ndarray) -> list[np.ndarray]:
        """Where arcs about hinges may be, and their arrows' heads."""
        joints = self.model.actuator_trnid[self.model.actuator_trntype == 0, 0]
        hinges = [int(joint) for joint in joints if self.model.jnt_type[joint] == HINGE]
        centres = [self._view.flat(data.xanchor[joint] + raised) for joint in hinges]
        return [_discs(centre.reshape(1, 2), 1.25 * ARC * self._reach) for centre in centres]

    def _torque(self, ax: "Axes", data: Any, raised: np.ndarray, actuator: int, share: float) -> None:
        """An arc about a hinge, from its limb to where it is turned; along what slides, an arrow."""
        joint = int(self.model.actuator_trnid[actuator][0])
        if self.model.actuator_trntype[actuator] or abs(share) < 0.03:
            return
        at, axis = data.xanchor[joint] + raised, data.xaxis[joint]
        colour, size = PLUS if share > 0 else MINUS, ARC * self._reach
        share *= np.sign(self.model.actuator_gear[actuator][0]) or 1
        if self.model.jnt_type[joint] == SLIDE:
            arrow(ax, self._view.flat(at), self._view.flat(axis * share * 3 * size), colour, 2.5)
            return
        limb = data.xipos[int(self.model.jnt_bodyid[joint])] + raised - at
        limb -= axis * (limb @ axis)
        limb = limb / np.linalg.norm(limb) if np.linalg.norm(limb) > 1e-6 else _across(axis)
        angles = np.sign(share) * np.linspace(0, np.deg2rad(30 + 170 * abs(share)), 40)[:, None]
        arc = at + size * (np.cos(angles) * limb + np.sin(angles) * np.cross(axis, limb))
        x, y = self._view.flat(arc).T
        curve(ax, x, y, colour)


def _discs(points: np.ndarray, radius: float) -> np.ndarray:
    """Points of circles about points of the plane."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    around = radius * np.stack([np.cos(angles), np.sin(angles)], 1)
    return (points[:, None] + around).reshape(-1, 2) if radius else points


def _around(points: np.ndarray, radius: float) -> np.ndarray:
    """Points of level circles about points in space."""
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    around = radius * np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1)
    return (points[:, None] + around).reshape(-1, 3)


def _across(axis: np.ndarray) -> np.ndarray:
    """A unit vector at right angles to another."""
    across = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    return across / np.linalg.norm(across)
