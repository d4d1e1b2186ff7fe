"""Names of what environments show and take: of the well-known ones by hand, of rigid bodies from their models."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from hades.dataset import Spec
from hades.errors import notice
from hades.units import Units, fitting

T = TypeVar("T")
Names = tuple[tuple[str, ...], tuple[str, ...]]
"""Of observations, along their last axis, and of actions."""

_PUSHES = ("push left", "no push", "push right")
_ENGINES = ("no engine", "left engine", "main engine", "right engine")
_LANDER = (
    "x", "y", "velocity x", "velocity y", "angle", "angular velocity", "left leg down", "right leg down",
)  # fmt: skip
_ACROBOT = ("cos angle 1", "sin angle 1", "cos angle 2", "sin angle 2", "angular velocity 1", "angular velocity 2")
_MINATAR = ("nothing", "left", "up", "right", "down", "fire")
KNOWN: Mapping[str, Names] = {
    "CartPole": (
        ("cart position", "cart velocity", "pole angle", "pole angular velocity"), ("push left", "push right"),
    ),
    "Pendulum": (("cos angle", "sin angle", "angular velocity"), ("torque",)),
    "Acrobot": (_ACROBOT, ("torque -1", "no torque", "torque +1")),
    "MountainCar": (("position", "velocity"), _PUSHES),
    "MountainCarContinuous": (("position", "velocity"), ("push",)),
    "LunarLander": (_LANDER, _ENGINES),
    "LunarLanderContinuous": (_LANDER, ("main engine", "side engines")),
    "Breakout-MinAtar": (("paddle", "ball", "trail", "brick"), ("nothing", "left", "right")),
    "Asterix-MinAtar": (("player", "enemy", "trail", "gold"), _MINATAR[:5]),
    "Freeway-MinAtar": (
        ("chicken", "car", "speed 1", "speed 2", "speed 3", "speed 4", "speed 5"), ("nothing", "up", "down"),
    ),
    "SpaceInvaders-MinAtar": (
        ("cannon", "alien", "aliens go left", "aliens go right", "own bullet", "their bullet"),
        ("nothing", "left", "right", "fire"),
    ),
    "Seaquest-MinAtar": (
        ("submarine", "its back", "own bullet", "trail", "their bullet", "fish", "their submarine", "oxygen", "divers",
         "diver"),
        _MINATAR,
    ),
}  # fmt: skip
"""By name, without a version."""


def named(name: str, spec: Spec, units: Units, env: Any = None) -> Units:
    """Units with names in them, where these are known and as many as there are numbers.

    Args:
        name: of the environment, with or without its suite and version.
        spec: whose numbers they name.
        units: with the bounds of its actions.
        env: one of it, or its body, which may know its own.
    """
    observations, actions = by_name(name, KNOWN) or ((), _meanings(env))
    if (model := getattr(env, "mj_model", None) or getattr(env, "model", None)) is not None:
        observations = list(_body(model, spec.obs_shape[-1], getattr(env, "observation_structure", None)))
        actions = list(_actuators(model))
    return units._replace(
        observations=fitting(observations, spec.obs_shape[-1]), actions=fitting(actions, spec.num_actions)
    )


def by_name(name: str, known: Mapping[str, T]) -> T | None:
    """What is known of an environment, whose name may have its suite and version."""
    bare = name.rpartition("/")[2]
    return known.get(bare) or known.get(bare.rpartition("-v")[0])


def declared(name: str, spec: Spec, units: Units, env: Any) -> Units:
    """Units with the names that somebody's own environment gives, as ``observation_names`` and ``action_names``.

    Those that are not as many as there are numbers are left out, and that is said.
    """
    found = {}
    for field, number in (("observation", spec.obs_shape[-1]), ("action", spec.num_actions)):
        names = getattr(env, f"{field}_names", None)
        if isinstance(names, (list, tuple)) and len(names) == number:
            found[f"{field}s"] = tuple(map(str, names))
        elif names is not None:
            notice(f"{name}: {field}_names must be a list of {number} names; it is left out")
    return units._replace(**found)


def _meanings(env: Any) -> Sequence[str]:
    """Of discrete actions, where an environment says them as Atari's or MiniGrid's do."""
    if hasattr(env, "get_action_meanings"):
        return [str(one).lower() for one in env.get_action_meanings()]
    actions = getattr(env, "actions", None)
    if isinstance(actions, type) and issubclass(actions, enum.Enum):
        return [one.name.replace("_", " ").lower() for one in actions]
    return ()


def left_out(model: Any, number: int, parts: Mapping[str, int] | None) -> int | None:
    """How many positions an observation of so many numbers begins without; None where it is not of joints alone."""
    missing = model.nq + model.nv - number if parts is None else parts.get("skipped_qpos", 0)
    return missing if 0 <= missing <= 3 else None


def _body(model: Any, number: int, parts: Mapping[str, int] | None) -> Iterator[str]:
    """Positions, without the first that an observation leaves out, and velocities; then what else there is."""
    positions, velocities = list(_coordinates(model, position=True)), list(_coordinates(model, position=False))
    first = left_out(model, number, parts)
    if first is None:
        return
    yield from positions[first:]
    yield from velocities
    for name, length in (parts or {}).items():
        if name not in ("skipped_qpos", "qpos", "qvel"):
            yield from (f"{name} {i}" for i in range(length))


_FREE, _BALL = 0, 1
"""Of MuJoCo's types of joints: those of more than one number."""


def _coordinates(model: Any, position: bool) -> Iterator[str]:
    axes = {_FREE: ("x", "y", "z"), _BALL: ()}
    turns = ("qw", "qx", "qy", "qz") if position else ("about x", "about y", "about z")
    for i in range(model.njnt):
        kind, name = int(model.jnt_type[i]), model.joint(i).name or f"joint {i}"
        several = (*axes[kind], *turns) if kind in axes else ("",)
        yield from (f"{name} {axis}".strip() + ("" if position else " velocity") for axis in several)


def _actuators(model: Any) -> Iterator[str]:
    """By their own names, or those of the joints that they move."""
    for i in range(model.nu):
        joint = int(model.actuator_trnid[i][0])
        yield model.actuator(i).name or (0 <= joint < model.njnt and model.joint(joint).name) or f"actuator {i}"
