"""How environments show themselves: an observation as its environment draws it, with what is done.

The same drawing is a picture of a synthetic pair and a frame of an episode.
"""

from collections.abc import Callable, Mapping

from hades.dataset import Spec
from hades.tasks.scenes.base import Scene
from hades.tasks.scenes.classic import Acrobot, CartPole, LunarLander, MountainCar, Pendulum
from hades.tasks.scenes.grids import Frame, Grid
from hades.units import Units

__all__ = ["Scene", "scene_of"]

PICTURE = 32
"""A side of observations from which on they are pictures; channels from which on a grid is none."""
KNOWN: Mapping[str, tuple[int, Callable[[], Scene]]] = {
    "CartPole": (4, CartPole),
    "Pendulum": (3, Pendulum),
    "Acrobot": (6, Acrobot),
    "MountainCar": (2, MountainCar),
    "MountainCarContinuous": (2, lambda: MountainCar(discrete=False)),
    "LunarLander": (8, LunarLander),
    "LunarLanderContinuous": (8, lambda: LunarLander(discrete=False)),
}
"""By name, without a suite and a version: how many numbers an observation has, and how it is drawn."""


def scene_of(name: str, spec: Spec, units: Units) -> Scene | None:
    """How a task's observations are drawn; None where nobody knows, and numbers have to do.

    Args:
        name: of the environment, with or without its suite and version.
        units: whose names a grid's legend has.
    """
    bare = name.rpartition("/")[2].rpartition("-v")[0] or name.rpartition("/")[2]
    if bare in KNOWN and spec.obs_shape == (KNOWN[bare][0],):
        return KNOWN[bare][1]()
    if len(spec.obs_shape) == 3:
        return Frame() if min(spec.obs_shape[:2]) >= PICTURE else Grid(tuple(units.observations))
    return None
