"""An observation of a rigid body put back into its joints: what it leaves out stays where the model has it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from hades.tasks.dimensions import left_out
from hades.tasks.scenes.base import OFF, direction

FREE, BALL, SLIDE, HINGE = range(4)
"""MuJoCo's types of joints."""
SLACK = {SLIDE: 0.05, HINGE: 0.12}
"""How far beyond its limits a joint may be: they give way."""


class Pose(NamedTuple):
    """Where a body's joints are, how fast they move, and whether it cannot be there."""

    positions: np.ndarray
    velocities: np.ndarray
    beyond: bool


Read = Callable[[np.ndarray], Pose]


def reader(name: str, model: Any, number: int, parts: Mapping[str, int] | None) -> Read | None:
    """How an environment's observations are read; None where nobody knows.

    Args:
        name: of the environment, by which those are known that show more than joints.
        model: MuJoCo's.
        number: of an observation's numbers.
        parts: of it, where the environment says them.
    """
    bare = name.rpartition("/")[2].rpartition("-v")[0] or name.rpartition("/")[2]
    plain = bare.replace("_", "").lower()
    if plain in ODD:
        least, read = ODD[plain]
        return partial(read, model) if number >= least else None
    if name.partition("/")[0] in STRICT:
        return None
    skipped = 2 if plain.startswith("humanoid") and parts is None else left_out(model, number, parts)
    if skipped is None:
        return None
    read = partial(_joints, model, skipped)
    return partial(_height_in_world, model, read) if plain in ("hopper", "walker2d") and skipped == 1 else read


def _joints(model: Any, skipped: int, observation: np.ndarray) -> Pose:
    """Positions, without the first ones, then velocities."""
    number = model.nq - skipped
    positions = np.array(model.qpos0, np.float64)
    positions[skipped:] = observation[:number]
    return _possible(model, Pose(positions, np.array(observation[number : number + model.nv], np.float64), False))


def _height_in_world(model: Any, read: Read, observation: np.ndarray) -> Pose:
    """Of bodies that show how high they are in place of a joint's position, which counts from where it was built."""
    pose = read(observation)
    pose.positions[1] += model.qpos0[1] - model.body_pos[1][2]
    return pose


def _reacher(model: Any, observation: np.ndarray) -> Pose:
    """Angles by cosines and sines, and where the target is."""
    turned = [direction(observation[i], observation[i + 2]) for i in (0, 1)]
    positions = np.asarray([turned[0][0], turned[1][0], *observation[4:6]], np.float64)
    return _possible(model, Pose(positions, np.zeros(model.nv), any(off for _, off in turned)))


def _double_pendulum(model: Any, observation: np.ndarray) -> Pose:
    """The cart's place, and angles by sines and cosines."""
    turned = [direction(observation[i + 2], observation[i]) for i in (1, 2)]
    positions = np.asarray([observation[0], turned[0][0], turned[1][0]], np.float64)
    return _possible(model, Pose(positions, np.array(observation[5:8], np.float64), any(off for _, off in turned)))


def _swinging(model: Any, observation: np.ndarray) -> Pose:
    """A cart's place, if there is a cart, and one angle by its cosine and sine."""
    cart = model.nq - 1
    angle, off = direction(*observation[cart : cart + 2])
    velocities = np.array(observation[cart + 2 : cart + 2 + model.nv], np.float64)
    return _possible(model, Pose(np.asarray([*observation[:cart], angle], np.float64), velocities, off))


def _pendulum(model: Any, observation: np.ndarray) -> Pose:
    """One angle by its sine and cosine, in this order."""
    return _swinging(model, np.asarray(observation)[[1, 0, 2]])


def _all_but_first(model: Any, observation: np.ndarray) -> Pose:
    return _joints(model, 1, observation)


ODD: Mapping[str, tuple[int, Callable[[Any, np.ndarray], Pose]]] = {
    "reacher": (10, _reacher),
    "inverteddoublependulum": (8, _double_pendulum),
    **dict.fromkeys(("cartpolebalance", "cartpolebalancesparse"), (5, _swinging)),
    **dict.fromkeys(("cartpoleswingup", "cartpoleswingupsparse"), (5, _swinging)),
    "pendulumswingup": (3, _pendulum),
    **dict.fromkeys(("hopperhop", "hopperstand"), (15, _all_but_first)),
    "cheetahrun": (17, _all_but_first),
}
"""Environments by name, of which some show no joints as they are: from how many numbers on, and how these are read."""
STRICT = ("playground",)
"""Suites whose environments show anything: only those are read that are known by name."""


def _possible(model: Any, pose: Pose) -> Pose:
    """Within its joints' limits, turned by what is a rotation."""
    positions, beyond = pose.positions, pose.beyond
    for joint in range(model.njnt):
        at, kind = int(model.jnt_qposadr[joint]), int(model.jnt_type[joint])
        if kind in (FREE, BALL):
            turned = slice(at + 3, at + 7) if kind == FREE else slice(at, at + 4)
            length = float(np.linalg.norm(positions[turned]))
            beyond |= abs(length - 1) > OFF
            positions[turned] = positions[turned] / length if length > 1e-6 else (1, 0, 0, 0)
        elif model.jnt_limited[joint]:
            low, high = model.jnt_range[joint]
            low, high = min(low, model.qpos0[at]), max(high, model.qpos0[at])  # it may begin outside
            if not low - SLACK[kind] <= positions[at] <= high + SLACK[kind]:
                positions[at], beyond = np.clip(positions[at], low, high), True
    return pose._replace(beyond=bool(beyond))
