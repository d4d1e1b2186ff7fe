"""Copies of a Gymnasium environment (Towers et al. 2024), stepped one after the other.

Also what a worker process runs (`hades.tasks.workers`): it needs NumPy and the environment alone, no JAX and nothing
else of HaDES, so that it is there at once.
"""

import contextlib
import ctypes
import functools
import importlib
import importlib.util
import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PLUGINS = {
    "ALE/": "ale_py", "MiniGrid-": "minigrid", "BabyAI-": "minigrid", "Meta-World/": "metaworld",
    "Fetch": "gymnasium_robotics", "Hand": "gymnasium_robotics", "Adroit": "gymnasium_robotics",
    "PointMaze": "gymnasium_robotics", "AntMaze": "gymnasium_robotics", "FrankaKitchen": "gymnasium_robotics",
    "highway-": "highway_env", "procgen": "procgen", "shimmy/": "shimmy", "dm_control/": "shimmy",
}  # fmt: skip
"""Modules that register their environments with Gymnasium when they are imported, by how the names begin."""
ATARI = "ALE/"
SCREEN, FRAMES, SKIP = 84, 4, 4
"""Atari's usual view (Mnih et al. 2015): pixels a side, frames on top of each other, frames that an action lasts."""
LONGEST = {ATARI: 27_000}
"""Steps of environments that have a limit of their own and do not say so to Gymnasium, by how the names begin."""


class Reference(NamedTuple):
    """An environment that can be made again, here and in another process.

    Attributes:
        name: an id of Gymnasium's, or ``module:attribute`` or ``file.py:attribute`` of a class or function.
        options: keyword arguments.
        file: where the attribute's file lies, if it is one.
    """

    name: str
    options: Mapping[str, Any]
    file: str = ""
    registered: bool = True

    def make(self) -> Any:
        """A new one."""
        if not self.registered:
            with beside(Path(self.file).parent if self.file else os.getcwd()):
                return attribute(self.name, self.file)(**self.options)
        with quiet():
            return registered(self.name, **self.options)

    def watched(self) -> Any:
        """A new one whose ``render`` gives pictures, where it takes ``render_mode``; else one that has none."""
        try:
            return self._replace(options={**self.options, "render_mode": "rgb_array"}).make()
        except TypeError:  # a class or function that has no such argument
            return None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Notices on old models are not the user's to act on; MuJoCo's and Atari's come from C, to file descriptor 2."""
    sys.stderr.flush()
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


@contextlib.contextmanager
def beside(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Modules that lie in a folder can be imported, as where Python runs a file in it."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def attribute(name: str, file: str = "") -> Any:
    """What ``module:attribute`` names, or an attribute of a file."""
    module, _, path = name.rpartition(":")
    if file:
        spec = importlib.util.spec_from_file_location(f"hades_own_{Path(file).stem}", file)
        assert spec is not None and spec.loader is not None
        found: Any = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = found  # dataclasses look there
        spec.loader.exec_module(found)
    else:
        found = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def plugin(name: str) -> str | None:
    """The module that registers an id, where it is known."""
    return next((module for start, module in PLUGINS.items() if name.startswith(start)), None)


def registered(name: str, **options: Any) -> Any:
    """A registered environment, with its own wrappers; Atari's with the usual ones."""
    import gymnasium

    module = plugin(name)
    if module and importlib.util.find_spec(module):
        importlib.import_module(module)
    if not name.startswith(ATARI):
        return gymnasium.make(name, **options)
    from gymnasium import wrappers

    screen, limit = options.pop("screen", SCREEN), options.pop("max_episode_steps", LONGEST[ATARI])
    bare = gymnasium.make(name, **{"frameskip": 1, **options})
    stacked = wrappers.FrameStackObservation(
        wrappers.AtariPreprocessing(bare, frame_skip=SKIP, screen_size=screen), FRAMES
    )
    space = gymnasium.spaces.Box(0, 255, (screen, screen, FRAMES), np.uint8)
    seen = wrappers.TransformObservation(stacked, lambda frames: np.moveaxis(frames, 0, -1), space)
    return wrappers.TimeLimit(seen, limit)


Flat = tuple[tuple[int, ...], Callable[[Any], np.ndarray]]


def flat(space: Any) -> Flat | None:
    """The shape of a space's observations as one array of numbers, and how to make it; None where none can be made.

    A box stays as it is. Indices become one of n inputs; parts of dictionaries and tuples stand one after the other,
    without their text.
    """
    if hasattr(space, "spaces"):
        return _joined(space.spaces)
    if hasattr(space, "nvec"):
        return _indices(np.reshape(space.nvec, -1), np.reshape(getattr(space, "start", 0), -1))
    if is_index(space):
        return _indices(np.reshape(space.n, -1), np.reshape(getattr(space, "start", 0), -1))
    if not (hasattr(space, "low") or hasattr(space, "n")):
        return None
    shape = tuple(map(int, space.shape)) or (1,)
    return shape, functools.partial(_boxed, shape)


def _boxed(shape: tuple[int, ...], obs: Any) -> np.ndarray:
    array = np.asarray(obs, np.float32)
    if array.size != math.prod(shape):
        raise ValueError(
            f"an observation has the shape {list(array.shape)}, where observation_space says {list(shape)}"
        )
    return array.reshape(shape)


def is_index(space: Any) -> bool:
    """Whether a space is of one index, out of n."""
    return hasattr(space, "n") and space.shape == ()


def _is_text(space: Any) -> bool:
    return getattr(space, "dtype", None) is not None and np.dtype(space.dtype).kind == "U"


def _joined(spaces: Any) -> Flat | None:
    keys = list(spaces) if isinstance(spaces, Mapping) else range(len(spaces))
    every = {key: flat(spaces[key]) for key in keys if not _is_text(spaces[key])}
    parts = [(key, *part) for key, part in every.items() if part is not None]
    if len(parts) < len(every) or not parts:
        return None
    size = sum(int(np.prod(shape)) for _, shape, _ in parts)
    return (size,), lambda obs: np.concatenate([seen(obs[key]).reshape(-1) for key, _, seen in parts])


def _indices(numbers: np.ndarray, first: np.ndarray) -> Flat:
    offsets, size = np.cumsum([0, *numbers[:-1]]).astype(int), int(numbers.sum())

    def one_hot(obs: Any) -> np.ndarray:
        row, index = np.zeros(size, np.float32), np.reshape(obs, -1) - first
        if ((index < 0) | (index >= numbers)).any():
            raise ValueError(f"the observation {obs} is not in its space")
        row[index + offsets] = 1
        return row

    return (size,), one_hot


class Copies:
    """As many copies as there are seeds, each stepped until its episode ends.

    Args:
        make: gives a new copy.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make, self.envs = make, []
        env = self._grown(1)[0]
        shape = flat(env.observation_space)
        assert shape is not None
        self.obs_shape, self.seen = shape
        space = env.action_space
        self.discrete, self.start = is_index(space), int(getattr(space, "start", 0))
        self.act_shape, self.act_type = space.shape, space.dtype

    def _grown(self, number: int) -> list[Any]:
        while len(self.envs) < number:
            if any(env is (made := self.make()) for env in self.envs[:1]):
                raise ValueError("what makes it must make another one each time")
            self.envs.append(made if self.envs else self.make())
        return self.envs

    def reset(self, seeds: np.ndarray, obs: np.ndarray) -> None:
        """Begin episodes, one a seed; their first observations go into ``obs [n, *obs]``."""
        self.alive = np.ones(len(seeds), bool)
        for i, env in enumerate(self._grown(len(seeds))[: len(seeds)]):
            obs[i] = self.seen(env.reset(seed=int(seeds[i]))[0])

    def step(self, actions: np.ndarray, obs: np.ndarray, reward: np.ndarray, ends: np.ndarray) -> None:
        """One step of those whose episodes go on; outcomes go into the other arguments, ``ends [n, 2]``."""
        for i in np.flatnonzero(self.alive):
            seen, reward[i], terminated, truncated, _ = self.envs[i].step(self._action(actions[i]))
            how = bool(terminated), bool(truncated)
            obs[i], ends[i], self.alive[i] = self.seen(seen), how, not any(how)

    def begin(self, which: Sequence[int], seeds: np.ndarray, obs: np.ndarray) -> None:
        """Begin anew with some of them."""
        for i, seed in zip(which, seeds, strict=True):
            obs[i], self.alive[i] = self.seen(self.envs[i].reset(seed=int(seed))[0]), True

    def _action(self, action: Any) -> Any:
        if self.discrete:
            return int(action) + self.start
        return np.asarray(action, self.act_type).reshape(self.act_shape)


def filmed(env: Any, seed: int, actions: np.ndarray, steps: Sequence[int]) -> list[np.ndarray]:
    """What an environment's ``render`` gives before these steps of an episode; nothing where that is no picture."""
    if getattr(env, "render_mode", None) != "rgb_array":
        return []
    played = Copies(lambda: env)
    obs, pictures = np.zeros((1, *played.obs_shape), np.float32), []
    played.reset(np.asarray([seed]), obs)
    for step, action in enumerate(actions[: max(steps) + 1]):
        pictures += [np.asarray(env.render())] if step in steps else []
        played.step(action[None], obs, np.zeros(1), np.zeros((1, 2), bool))
    return pictures


def arrays(file: str, number: int, obs_shape: Sequence[int], act_shape: Sequence[int]) -> dict[str, np.ndarray]:
    """What processes share of so many copies, in a file that has the room for it (`room`)."""
    kinds = {
        "seeds": ("u4", ()), "actions": ("f4", act_shape), "obs": ("f4", obs_shape), "reward": ("f8", ()),
        "ends": ("?", (2,)), "begins": ("?", ()),
    }  # fmt: skip
    found, offset = {}, 0
    for name, (kind, shape) in kinds.items():
        dtype, full = np.dtype(kind), (number, *shape)
        found[name] = np.memmap(file, dtype, "r+", offset, full)
        offset += -(-int(np.prod(full)) * dtype.itemsize // 64) * 64
    return found


def room(number: int, obs_shape: Sequence[int], act_shape: Sequence[int]) -> int:
    """Bytes that `arrays` take, at most."""
    return number * (4 * int(np.prod(obs_shape)) + 4 * int(np.prod(act_shape)) + 16) + 64 * 8


def serve() -> None:
    """A worker: lines of JSON from stdin say what to do with its share of the copies, one is answered for each."""
    with contextlib.suppress(Exception):  # on Linux: with the process that started it
        ctypes.CDLL(None).prctl(1, 9)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what an environment prints is no answer
    warnings.simplefilter("ignore")
    copies: Any = None
    reference: Any = None
    mine: dict[str, np.ndarray] = {}
    for line in sys.stdin:
        try:
            do, *rest = json.loads(line)
            if do == "make":
                sys.path[:] = rest[1]
                reference = Reference(*rest[0])
                copies = Copies(reference.make)
            elif do == "share":
                file, number, obs_shape, act_shape, first, every = rest
                mine = {k: v[first::every] for k, v in arrays(file, number, obs_shape, act_shape).items()}
            elif do == "render":
                file, seed, steps = rest
                with quiet():
                    np.save(file, filmed(reference.watched(), seed, np.load(file), steps))
            elif do == "reset":
                copies.reset(mine["seeds"], mine["obs"])
            elif do == "begin":
                which = np.flatnonzero(mine["begins"]).tolist()
                copies.begin(which, mine["seeds"][which], mine["obs"])
            else:
                copies.step(*(mine[name] for name in ("actions", "obs", "reward", "ends")))
            answers.write("null\n")
        except BaseException as error:  # of whoever wrote it, who may also exit
            answers.write(json.dumps(f"{type(error).__name__}: {error}") + "\n")


if __name__ == "__main__":
    serve()
