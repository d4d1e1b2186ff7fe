"""gymnax (Lange 2022): classic control, MinAtar, bsuite and misc, and any environment with its API.

Importing gymnax makes an array, which starts JAX with the devices that it has by then: here that waits for the first
use of an environment.
"""

import contextlib
import sys
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import Options, PyTree
from hades.dataset import Spec
from hades.errors import InputError, in_a_line
from hades.tasks.control import ControlTask, bounds, scale_action
from hades.tasks.dimensions import declared, named
from hades.tasks.environment import Environment, Later, Step
from hades.tasks.fingerprints import described, plain
from hades.tasks.scenes import scene_of
from hades.tasks.suites import remembered
from hades.units import Units

NAMES = (
    "CartPole-v1", "Pendulum-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Asterix-MinAtar",
    "Breakout-MinAtar", "Freeway-MinAtar", "Seaquest-MinAtar", "SpaceInvaders-MinAtar", "Catch-bsuite",
    "DeepSea-bsuite", "MemoryChain-bsuite", "UmbrellaChain-bsuite", "DiscountingChain-bsuite", "MNISTBandit-bsuite",
    "SimpleBandit-bsuite", "FourRooms-misc", "MetaMaze-misc", "PointRobot-misc", "BernoulliBandit-misc",
    "GaussianBandit-misc", "Reacher-misc", "Swimmer-misc", "Pong-misc", "FrozenLake-misc",
)  # fmt: skip
"""gymnax's own environments."""
API = ("reset_env", "step_env", "observation_space", "action_space")


def names() -> list[str]:
    """Every registered environment; those that the process has registered itself, too."""
    return list(dict.fromkeys((*NAMES, *getattr(sys.modules.get("gymnax"), "registered_envs", ()))))


@remembered
def make(name: str, params: Any = None, **options: Any) -> ControlTask:
    """A registered environment; options are fields of its parameters, such as ``max_steps_in_episode``."""
    told = {key: plain(value) for key, value in options.items()}
    if name not in NAMES or params is not None or None in told.values():
        return from_environment(_registered(name), params, name, **options)
    environment = Later(lambda: _made(name, told))
    if "gymnax" in sys.modules:  # there is nothing to wait for: an option that there is not is told at once
        _ = environment.made
    return ControlTask(name, environment, told, _versions(), registered=True)


def from_environment(env: Any, params: Any = None, name: str | None = None, **options: Any) -> ControlTask:
    """Wrap any object with gymnax's API; `GymnaxEnvironment` says what is called.

    Args:
        env: the environment, or a wrapper.
        params: its parameters, whole; its ``default_params`` where left out.
        name: what to call it.
        options: fields of the parameters, in place of what they have there.

    Raises:
        InputError: for an object of another kind, an option that there is not, or spaces that a policy cannot have.
    """
    if missing := [method for method in API if not hasattr(env, method)]:
        raise InputError(
            f"{type(env).__name__} does not have gymnax's API: it lacks {', '.join(missing)}; {_other(env)}"
        )
    name = name or str(getattr(env, "name", type(env).__name__))
    with _blamed(name, "default_params"):
        default = env.default_params
    params = _replaced(name, default if params is None else params, options)
    usual = {key: described(value) for key, value in _fields(default).items()}
    changed = {key: value for key, value in _fields(params).items() if described(value) != usual.get(key)}
    told = {key: kept for key, value in {**changed, **options}.items() if (kept := plain(value)) is not None}
    untold = {key: value for key, value in changed.items() if key not in told}
    description = described(env) + (f" with {described(untold)}" if untold else "")
    registered = not untold and type(params) is type(default) and _is_registered(env, name)
    return ControlTask(name, GymnaxEnvironment(env, params, description), told, _versions(), registered)


def _made(name: str, options: Options) -> Environment:
    env = _registered(name)
    return GymnaxEnvironment(env, _replaced(name, env.default_params, options), described(env))


def _registered(name: str) -> Any:
    import gymnax

    try:
        return gymnax.make(name)[0]
    except OSError as error:  # MNISTBandit downloads its images when it is made
        raise InputError(f"gymnax cannot make '{name}' without fetching data ({error})") from None


def _is_registered(env: Any, name: str) -> bool:
    """Whether gymnax makes the same by this name: of this very class, with these attributes."""
    if name not in NAMES or not type(env).__module__.startswith("gymnax."):
        return False
    made = _registered(name)
    return type(env) is type(made) and described(env) == described(made)


def _replaced(name: str, params: Any, options: Options) -> Any:
    known = _fields(params)
    if unknown := [key for key in options if key not in known]:
        raise InputError(f"{name} has no option '{unknown[0]}'; it has {', '.join(known)}")
    return params.replace(**options) if options else params


def _fields(params: Any) -> Options:
    return getattr(params, "__dict__", {})


def _versions() -> dict[str, str]:
    return {"gymnax": version("gymnax")}


def _other(env: Any) -> str:
    """How an object of another kind comes in."""
    if hasattr(env, "spec") and hasattr(env, "max_steps"):
        return "one with HaDES's own protocol is hades.tasks.control.ControlTask('mine', env), outside JAX a HostTask"
    return "that of Gymnasium or Brax does, too (docs/environments.md)"


@contextlib.contextmanager
def _blamed(name: str, what: str) -> Iterator[None]:
    """What an environment of somebody's own raises is told in a line."""
    try:
        yield
    except Exception as error:
        raise InputError(f"{name}'s {what} fails: {in_a_line(error)}") from error


class GymnaxEnvironment:
    """gymnax's pure step, without its auto-reset.

    Called are ``reset_env`` and ``step_env``. Where an environment or wrapper has a ``reset`` or ``step`` of its own
    (sticky actions, scaled rewards), that one is called: it begins anew where an episode ends, which nobody looks at.

    Attributes:
        env: with gymnax's API.
        params: its parameters.
        description: what it is, in a line.
    """

    def __init__(self, env: Any, params: Any, description: str) -> None:
        self.env, self.params, self.description = env, params, description
        name = getattr(env, "name", type(env).__name__)
        with _blamed(name, "action_space"):
            actions = env.action_space(params)
        with _blamed(name, "observation_space"):
            observations = env.observation_space(params)
        shape, self.first = _shape(name, "actions", actions)
        if shape is not None and len(shape) != 1:
            raise InputError(f"{name} has actions of shape {list(shape)}; a task needs one index or one vector")
        units = Units()
        if shape is not None:
            self.low, self.high = bounds(name, actions.low, actions.high, shape)
            units = Units.bounded(self.low, self.high)
        obs_shape, self.first_obs = _shape(name, "observations", observations)
        self.classes = int(observations.n) if obs_shape is None else None
        num_actions = int(actions.n) if shape is None else shape[0]
        self.spec = Spec((self.classes,) if self.classes else obs_shape or (), num_actions, shape is None)
        # What others have made of it may show something else.
        theirs = type(env).__module__.startswith("gymnax.")
        self.units = named(name, self.spec, units) if theirs else declared(name, self.spec, units, env)
        self.scene = scene_of(name if theirs else "", self.spec, self.units)
        steps = getattr(params, "max_steps_in_episode", None)
        if steps is None:
            raise InputError(f"{name} has episodes without a limit: its parameters need max_steps_in_episode")
        self.max_steps = int(steps)
        seconds = getattr(params, "tau", None) or getattr(params, "dt", None)  # of a step
        self.pace = 1 / float(seconds) if seconds else None
        self._reset = env.reset_env if _inherited(env, "reset") else env.reset
        self._step = self._bare if _inherited(env, "step") else self._resetting

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """As `hades.tasks.environment.Environment`."""
        obs, state = self._reset(key, self.params)
        return state, self._observation(obs)

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """As `hades.tasks.environment.Environment`."""
        action = action + self.first if self.spec.discrete else scale_action(action, self.low, self.high)
        obs, state, reward, terminated, truncated = self._step(key, state, action)
        terminated = jnp.asarray(terminated, bool)  # some environments answer with Python's own
        truncated = jnp.asarray(truncated, bool) & ~terminated
        return Step(state, self._observation(obs), jnp.asarray(reward, jnp.float32), terminated, truncated)

    def _bare(self, key: jax.Array, state: PyTree, action: jax.Array) -> tuple[Any, ...]:
        obs, state, reward, terminated, _ = self.env.step_env(key, state, action, self.params)
        cut = getattr(self.env, "is_truncated", lambda *_: False)
        return obs, state, reward, terminated, cut(state, self.params)

    def _resetting(self, key: jax.Array, state: PyTree, action: jax.Array) -> tuple[Any, ...]:
        """By a step that begins anew where an episode ends, and says in ``info`` what was seen there."""
        obs, state, reward, *ends, info = self.env.step(key, state, action, self.params)
        terminated, truncated = ends if len(ends) == 2 else (*ends, info.get("truncated", False))  # gymnax before 1.0
        if "final_observation" in info:
            ended = jnp.asarray(terminated, bool) | jnp.asarray(truncated, bool)
            obs = jax.tree.map(partial(jnp.where, ended), info["final_observation"], obs)
        return obs, state, reward, terminated, truncated

    def _observation(self, obs: jax.Array) -> jax.Array:
        if self.classes:
            return jax.nn.one_hot(obs - self.first_obs, self.classes)
        return jnp.asarray(obs, jnp.float32)


def _shape(name: str, what: str, space: Any) -> tuple[tuple[int, ...] | None, int]:
    """A box's shape; of a discrete space None, and where it starts.

    Raises:
        InputError: for a space of another kind.
    """
    shape = getattr(space, "shape", None)
    if hasattr(space, "n") and shape in ((), None):
        return None, int(getattr(space, "start", 0))
    if shape is None or not (hasattr(space, "low") and hasattr(space, "high")):
        raise InputError(f"{name} has {what} in a {type(space).__name__}; a task needs a Box or a Discrete space")
    if what == "actions" and not jnp.issubdtype(getattr(space, "dtype", jnp.float32), jnp.floating):
        raise InputError(f"{name} has actions in a Box of {np.dtype(space.dtype)}; a task needs real numbers there")
    return tuple(map(int, shape)), 0


def _inherited(env: Any, method: str) -> bool:
    """Whether an environment's ``reset`` or ``step`` is gymnax's, around the ``reset_env`` or ``step_env`` it has."""
    from gymnax.environments.environment import Environment as Base

    found = getattr(env, method, None)
    return found is None or getattr(found, "__func__", None) is getattr(Base, method)
