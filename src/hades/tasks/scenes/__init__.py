"""How environments show themselves: an observation as its environment draws it, with what is done.

The same drawing is a picture of a synthetic pair and a frame of an episode.
"""

from collections.abc import Callable, Mapping
from typing import Any

from hades.dataset import Spec
from hades.tasks.dimensions import by_name
from hades.tasks.scenes.base import Doing, Legend, Scene
from hades.tasks.scenes.classic import Acrobot, CartPole, MountainCar, Pendulum
from hades.tasks.scenes.grids import CHANNELS, Frame, Grid
from hades.tasks.scenes.lander import LunarLander
from hades.units import Units

__all__ = ["Legend", "Scene", "scene_of"]

PICTURE = 32
"""A side of observations from which on they are pictures."""
KNOWN: Mapping[str, tuple[int, Callable[[Doing], Scene]]] = {
    "CartPole": (4, CartPole),
    "Pendulum": (3, Pendulum),
    "Acrobot": (6, Acrobot),
    "MountainCar": (2, MountainCar),
    "MountainCarContinuous": (2, MountainCar),
    "LunarLander": (8, LunarLander),
    "LunarLanderContinuous": (8, LunarLander),
}
"""By name, without a suite and a version: how many numbers an observation has, and how it is drawn."""


def scene_of(name: str, spec: Spec, units: Units, env: Any = None) -> Scene | None:
    """How a task's observations are drawn; None where nobody knows, and numbers have to do.

    Args:
        name: of the environment, with or without its suite and version.
        spec: of its observations and actions.
        units: names of a grid's channels and of actions, and bounds of these.
        env: one of it, or its body, whose model says how it is built; a rigid body is drawn only by that.
    """
    doing, shape = Doing(spec.discrete, spec.num_actions, units), spec.obs_shape
    numbers, drawn = by_name(name, KNOWN) or (0, None)
    if drawn and shape == (numbers,):
        return drawn(doing)
    if (model := getattr(env, "mj_model", None) or getattr(env, "model", None)) is not None:
        from hades.tasks.scenes.bodies import body_of

        return body_of(name, model, spec, doing, getattr(env, "observation_structure", None))
    if len(shape) == 3 and min(shape[:2]) >= PICTURE:
        return Frame(doing)
    if len(shape) == 3 and shape[2] <= CHANNELS:
        return Grid(doing, shape[1] / shape[0], tuple(units.observations))
    return None
