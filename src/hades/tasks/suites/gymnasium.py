"""Gymnasium (Towers et al. 2024): any registered environment, and any object with its API, stepped by processes."""

import contextlib
import copy
import importlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

import numpy as np

from hades import runtime
from hades.aliases import Options
from hades.dataset import Spec
from hades.errors import InputError, in_a_line, notice
from hades.extras import MissingExtra, installed
from hades.tasks import copies
from hades.tasks.control import bounds
from hades.tasks.copies import Copies, Reference
from hades.tasks.dimensions import declared, named
from hades.tasks.fingerprints import plainly
from hades.tasks.host import HostStep, HostTask, scaled
from hades.tasks.patience import TIMEOUT, within
from hades.tasks.scenes import scene_of
from hades.tasks.suites import making, nearest, remembered, with_limit
from hades.tasks.workers import Engine, Here, Workers
from hades.units import Units

PREFIX = "gymnasium/"
EXTRAS = {"ale_py": "atari", "minigrid": "minigrid"}
"""Of plugins, by their module; others are installed by their own name."""
MODULES = {"mujoco": ("mujoco", "imageio"), "box2d": ("Box2D",)}
"""What Gymnasium's own environments need beside it, by the package that they are in."""
PLAYED_AGAIN = 5
"""Times as long as a step may take, an episode may that is played again to be seen."""


def names() -> list[str]:
    """Registered environments of the latest version that can be made with what is installed."""
    import gymnasium
    from gymnasium.envs.registration import find_highest_version

    for module in dict.fromkeys(copies.PLUGINS.values()):
        if installed(module):
            with contextlib.suppress(Exception), copies.quiet():
                importlib.import_module(module)
    specs = gymnasium.registry.values()
    latest = {spec.id for spec in specs if spec.version in (None, find_highest_version(spec.namespace, spec.name))}
    return [PREFIX + spec.id for spec in specs if spec.id in latest and _needs(spec) is None and _one(spec)]


def has(name: str) -> bool:
    """Whether an id is registered, of any version, or is known to be of a package that is not installed."""
    import gymnasium

    return name in gymnasium.registry or copies.plugin(name) is not None


def make(name: str, max_steps: int | None = None, timeout: float = TIMEOUT, **options: Any) -> HostTask:
    """A registered environment.

    Args:
        name: its id behind ``gymnasium/``; ``module:id`` imports a module first.
        max_steps: of an episode, in place of its own limit.
        timeout: seconds that a step or reset of all copies may take.
        options: of the environment, as ``gymnasium.make`` takes them; for Atari also ``screen``, pixels a side.

    Raises:
        InputError: for an id that there is not, a package that it lacks, or spaces that a policy cannot have.
    """
    return _made(name, timeout=timeout, **with_limit(plainly(name, options), max_steps))


@remembered
def _made(name: str, timeout: float, max_steps: int | None = None, **options: Any) -> HostTask:
    bare = name.removeprefix(PREFIX)
    reference = Reference(bare, with_limit(options, max_steps, "max_episode_steps"))
    _known(bare)
    with making(name), within(name, "making", timeout):
        first = reference.make()
    environment = GymnasiumEnvironment(name, first, reference if _anywhere(bare) else reference.make, timeout)
    told = with_limit(options, max_steps)
    return HostTask(name, environment, told, _versions(first), _patience(timeout), registered=True)


def from_environment(
    env: Any,
    name: str | None = None,
    make: Callable[[], Any] | Reference | None = None,
    max_steps: int | None = None,
    timeout: float = TIMEOUT,
) -> HostTask:
    """Wrap an object with Gymnasium's API, which is never stepped itself: copies are.

    Args:
        env: the environment.
        name: what to call it.
        make: gives another one, in this process or in others; left out: `copy.deepcopy`.
        max_steps: of an episode; left out: its own limit.
        timeout: seconds that a step or reset of all copies may take in other processes.
    """
    spec = getattr(env, "spec", None)
    name = name or str(getattr(spec, "id", "")) or type(getattr(env, "unwrapped", env)).__name__
    environment = GymnasiumEnvironment(name, env, make or _another(name, env), timeout, max_steps)
    return HostTask(name, environment, with_limit({}, max_steps), _versions(env), _patience(timeout))


def _patience(timeout: float) -> Options:
    """What a run keeps of how long it waits: nothing of the task."""
    return {} if timeout == TIMEOUT else {"timeout": timeout}


def _another(name: str, env: Any) -> Callable[[], Any]:
    def copied() -> Any:
        try:
            return copy.deepcopy(env)
        except Exception as error:  # such as of a window or a handle
            raise InputError(
                f"{name} cannot be copied ({in_a_line(error)}); give a function that makes it: hades.make(lambda: "
                f"{type(env).__name__}(...))"
            ) from error

    return copied


class GymnasiumEnvironment:
    """Copies of a Gymnasium environment, as `hades.tasks.host.HostEnvironment`.

    Args:
        name: whose errors these are.
        first: one of it.
        make: gives another one, of which copies are stepped in this process; or a reference by which others make it.
        timeout: seconds that a step or reset of all copies may take.
        max_steps: of an episode; None: its own limit.
    """

    def __init__(
        self,
        name: str,
        first: Any,
        make: Callable[[], Any] | Reference,
        timeout: float = TIMEOUT,
        max_steps: int | None = None,
    ) -> None:
        self.name, self.make, self.timeout = name, make, timeout
        self.description = type(getattr(first, "unwrapped", first)).__name__
        act_shape = _actions(name, first.action_space)
        seen = copies.flat(first.observation_space)
        if seen is None:
            raise InputError(f"{name} has observations in a {_kind(first.observation_space)}; {_FLATTEN}")
        actions = int(first.action_space.n) if act_shape is None else int(np.prod(act_shape))
        self.spec, units = Spec(seen[0], actions, discrete=act_shape is None), Units()
        if act_shape is not None:
            space = first.action_space
            self.low, self.high = bounds(name, np.reshape(space.low, -1), np.reshape(space.high, -1), (actions,))
            units = Units.bounded(self.low, self.high)
        says = next((env for env in _layers(first) if {"observation_names", "action_names"} & set(dir(env))), None)
        self.units = declared(name, self.spec, named(name, self.spec, units, _known_body(first)), says)
        self.scene = scene_of(name, self.spec, self.units, _known_body(first))
        self.max_steps = max_steps or self._limit(first)
        self.pace = (getattr(first, "metadata", None) or {}).get("render_fps")

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        """As many copies as there are seeds, each begun by its own: observations ``[n, *obs]``."""
        self.engine.reset(seeds)
        return self.engine.shared["obs"].copy()

    def step(self, actions: np.ndarray) -> HostStep:
        """One step of those whose episodes go on."""
        self.engine.step(actions if self.spec.discrete else scaled(actions, self.low, self.high))
        found = self.engine.shared
        return HostStep(found["obs"].copy(), found["reward"].copy(), *found["ends"].T.copy())

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Begin anew where ``which [n]`` says so, by seeds ``[n]``: observations of all as they stand."""
        self.engine.begin(which, seeds)
        return self.engine.shared["obs"].copy()

    def pictures(self, seed: int, actions: np.ndarray, steps: Sequence[int]) -> list[np.ndarray]:
        """What its own ``render`` gives before these steps of an episode, played again; nothing where it cannot."""
        taken = actions if self.spec.discrete else scaled(actions, self.low, self.high)
        try:
            return self._engine(PLAYED_AGAIN * self.timeout).render(seed, taken, sorted(set(steps)))
        except InputError as error:  # such as of MuJoCo, where there is no OpenGL
            notice(f"{error}; it is drawn from its observations")
            return []

    def another(self) -> Self:
        """The same environment, whose copies are others."""
        other = copy.copy(self)
        vars(other).pop("engine", None)
        return other

    @cached_property
    def engine(self) -> Engine:
        """Steps the copies."""
        return self._engine(self.timeout)

    def _engine(self, timeout: float) -> Engine:
        """Processes, one a core, or this one."""
        if not isinstance(self.make, Reference):
            return Here(self.name, Copies(self.make), timeout)
        act_shape = () if self.spec.discrete else (self.spec.num_actions,)
        return Workers(self.make, self.spec.obs_shape, act_shape, runtime.cores(), timeout)

    def _limit(self, first: Any) -> int:
        told = getattr(getattr(first, "spec", None), "max_episode_steps", None)
        layers, own = list(_layers(first)), (n for start, n in copies.LONGEST.items() if start in self.name)
        # Of a TimeLimit; of MiniGrid, which truncates by it.
        theirs = (getattr(env, name, None) for name in ("_max_episode_steps", "max_steps") for env in layers)
        limit = next(filter(None, (told, *own, *theirs)), None)
        if not isinstance(limit, int) or limit < 1:
            raise InputError(
                f"{self.name} has episodes without a limit; give one: max_steps=1000 (--env-arg max_steps=1000)"
            )
        return limit


def _known_body(env: Any) -> Any:
    """The environment within its wrappers, where its model is what its observations are of, or it has none."""
    inner = getattr(env, "unwrapped", env)
    own = type(inner).__module__.startswith("gymnasium.envs.mujoco.")
    return inner if own or not hasattr(inner, "model") else None


def _anywhere(name: str) -> bool:
    """Whether other processes can make an id: not one that is registered in this process alone."""
    import gymnasium

    entry = gymnasium.registry[name].entry_point if name in gymnasium.registry else ""
    return ":" in name or copies.plugin(name) is not None or str(entry).startswith("gymnasium.envs.")


def _needs(spec: Any) -> str | None:
    """The package that a registered environment lacks."""
    entry = spec.entry_point
    if not isinstance(entry, str) or not entry.startswith("gymnasium.envs."):
        return None
    modules = MODULES.get(entry.split(".")[2].split(":")[0], ())
    return next((module for module in modules if not installed(module)), None)


def _one(spec: Any) -> bool:
    """Whether an id is of one environment: some are of many at once, and have no other."""
    return spec.entry_point is not None and not spec.id.startswith("GymV2")


def _known(name: str) -> None:
    """Raise `InputError` for an id that there is not, or that is of a package that is not installed."""
    import gymnasium

    every = names() if name not in gymnasium.registry else []  # which registers what is installed
    module = None if name in gymnasium.registry else copies.plugin(name)
    if module and not installed(module):
        what = f"{PREFIX}{name} is of {module}, which"
        if module in EXTRAS:
            raise MissingExtra(what, EXTRAS[module])
        raise InputError(f"{what} is not installed; install it with: pip install {module}")
    if ":" in name:
        return
    if name not in gymnasium.registry:
        nearest(PREFIX + name, every)
    if needs := _needs(gymnasium.registry[name]):
        raise MissingExtra(f"{needs}, which {PREFIX}{name} is made of,", "gymnasium")


def _versions(env: Any) -> dict[str, str]:
    """Of Gymnasium, of MuJoCo where it is of that, and of the package that an environment comes from."""
    package = type(getattr(env, "unwrapped", env)).__module__.split(".")[0]
    packages = ["gymnasium", package, "mujoco" if hasattr(getattr(env, "unwrapped", env), "model") else ""]
    found = {}
    for name in dict.fromkeys(filter(None, packages)):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


_FLATTEN = "a task needs a box, indices, or a dictionary or tuple of these; a wrapper of Gymnasium's can make one"


def _layers(env: Any) -> Iterator[Any]:
    """An environment's wrappers, from the outermost, and itself."""
    while env is not None:
        yield env
        env = vars(env).get("env") if hasattr(env, "__dict__") else None


def _actions(name: str, space: Any) -> tuple[int, ...] | None:
    """The shape of an action in a box; None for an index."""
    if copies.is_index(space):
        return None
    if not hasattr(space, "low") or not space.shape:
        raise InputError(f"{name} has actions in a {_kind(space)}; a task needs a Box or a Discrete space")
    if not np.issubdtype(space.dtype, np.floating):
        raise InputError(f"{name} has actions in a Box of {np.dtype(space.dtype)}; a task needs real numbers there")
    return tuple(space.shape)


def _kind(space: Any) -> str:
    return type(space).__name__
