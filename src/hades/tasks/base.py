"""What every task has: whoever holds one need not ask what kind it is."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import jax
import numpy as np

from hades import runtime
from hades.aliases import Json, Options, PyTree
from hades.dataset import Dataset, Spec
from hades.errors import InputError
from hades.learner.networks import Params
from hades.learner.recipe import Learner, Recipe
from hades.learner.recipes import published
from hades.metrics import RETURN, Metric
from hades.normalisers import Moments, Normaliser, OnlineNormaliser, merge_all
from hades.remote import FILE
from hades.tasks.recordings import Recording
from hades.tasks.rollouts import Play, Trajectory
from hades.tasks.scenes import Scene
from hades.tasks.views import Through, View
from hades.units import Units

NOTHING: Options = MappingProxyType({})


class Episode(NamedTuple):
    """What is kept of an episode: the score (the undiscounted return), and how it ended after how many steps."""

    ret: jax.Array
    length: jax.Array
    terminated: jax.Array
    seen: Moments | None
    """Moments of the observations, where asked for."""


class Task(ABC):
    """What a trained network is scored on.

    Attributes:
        name: what `hades.make` takes.
        options: what `hades.make` was given that changes the task; they travel with runs and datasets.
        where: what it was given that says where things lie; it stays with the run.
        registered: whether `hades.make` gives it again by its name and options; else it is somebody's own.
        fingerprint: of the data or code behind its name, if any.
        source: the module or file of somebody's own that it is made of, which is looked at before it is used.
        versions: of the libraries that the task comes from.
        metric: what `score` gives.
        traced: whether `score` can be a part of a jitted program; else its episodes are played on the host.
        differentiable: whether `score` has a derivative by the network's parameters.
        stepped: whether environments can be played step by step inside a program (`begin`, `collect`).
        starts: where a search's states may start (`start`), beside ``"random"``.
        normalisers: which ones make sense.
        preparations: of its options, those that change what observations are.
    """

    name: str
    options: Options = NOTHING
    where: Options = NOTHING
    registered: bool = False
    fingerprint: str = ""
    source: str = ""
    versions: Mapping[str, str] = NOTHING
    metric: Metric = RETURN
    traced: bool = True
    differentiable: bool = False
    stepped: bool = False
    starts: tuple[str, ...] = ("random", "sample")
    normalisers: tuple[str, ...] = ("none", "fixed", "channels", "running")
    preparations: tuple[str, ...] = ()

    @property
    @abstractmethod
    def spec(self) -> Spec:
        """The interface to a policy."""

    @property
    @abstractmethod
    def reference(self) -> Recipe:
        """The published recipe for tasks of this kind."""

    @property
    @abstractmethod
    def defaults(self) -> Options:
        """Sensible options of a distillation, for tasks without a preset."""

    @abstractmethod
    def score(
        self,
        recipe: Recipe,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        keys: jax.Array,
        greedy: bool = False,
        watch: bool = False,
        data: PyTree = (),
        limit: jax.Array | None = None,
    ) -> Episode:
        """Score B trained networks, leaves ``[B, ...]``, on E episodes each.

        Args:
            recipe: whose networks they are.
            normaliser: of the observations.
            keys: ``[B, E]``, one an episode.
            greedy: take the mode of the action distribution instead of a sample.
            watch: gather the moments of the observations.
            data: the task's own (`data`), an argument of every jitted function.
            limit: cut episodes off after so many steps.

        Returns:
            Leaves ``[B, E]``, or ``[B, 1]`` where a score is of the whole data.
        """

    @abstractmethod
    def measure(self, key: jax.Array) -> Moments:
        """Of observations, before there is any policy."""

    @abstractmethod
    def start(self, kind: str, size: int, normaliser: Normaliser, key: jax.Array) -> jax.Array:
        """States ``[size, *obs]`` to start from, as the normaliser leaves them: any of `starts` but ``"random"``."""

    @abstractmethod
    def episode_bytes(self) -> int:
        """Of an episode's states and intermediate values, about."""

    @property
    def own(self) -> str:
        """What it is, where it is somebody's own; else empty."""
        return "" if self.registered else self.description

    @property
    def description(self) -> str:
        """What it is, in a line."""
        return type(self).__name__

    @property
    def origin(self) -> Json:
        """What a file keeps of it beside its name, by which `hades.tasks.again` makes it again, or asks for it."""
        kept = {"own": self.own, "fingerprint": self.fingerprint}
        return {"task_options": dict(self.options), **{key: value for key, value in kept.items() if value}}

    @property
    def units(self) -> Units:
        """Names of what it shows and takes, and the bounds of its actions, as far as they are known."""
        return Units()

    @property
    def scene(self) -> Scene | None:
        """How its observations are drawn, if anybody knows."""
        return None

    @cached_property
    def faults(self) -> Sequence[str]:
        """What is wrong with it, by one reset and step: each in a line."""
        return ()

    @property
    def data(self) -> PyTree:
        """What `score` is to be given: constants would be compiled in."""
        return ()

    @property
    def max_steps(self) -> int | None:
        """Of an episode; None where episodes have no length that could be cut."""
        return None

    @property
    def baselines(self) -> tuple[str, ...]:
        """Datasets that nobody distilled, by name (`hades.baselines.images.baseline`)."""
        return ()

    @property
    def validation(self) -> "Task":
        """Scores a search's centre, on what the search is not scored on."""
        return self

    @property
    def test(self) -> "Task":
        """Scores what nothing was chosen by."""
        return self

    @property
    def calibrated(self) -> "Task":
        """The task as several kinds of networks are scored on it that share one dataset."""
        return self

    @property
    def identity(self) -> Hashable:
        """Equal for tasks whose `score` is the same program, whatever data it is given."""
        return self

    def check_size(self, size: int) -> None:
        """Raise `InputError` if a dataset of the task cannot have so many pairs."""
        del size

    def check_dataset(self, dataset: Dataset) -> None:
        """Raise `InputError` for a dataset whose states are prepared otherwise than the task's observations."""
        for name in self.preparations:
            prepared = bool(dataset.info.get("task_options", {}).get(name))
            if prepared != bool(self.options.get(name)):
                how, right = ("with", f"with {name}=True (--{name})") if prepared else ("without", "without it")
                raise InputError(f"the dataset was made {how} {name}, and this {self.name} was not; make it {right}")

    def check_start(self, start: str) -> None:
        """Raise `InputError` if states cannot start so."""
        if start not in self.starts:
            here = f", or ./{start} for the run that is here" if (Path(start) / FILE).is_file() else ""
            raise InputError(f"{self.name} does not start at '{start}'; choose one of {', '.join(self.starts)}{here}")

    def check(self, normaliser: str, curriculum: int | None, size: int) -> None:
        """Raise `InputError` for options of a distillation that this task cannot have."""
        if curriculum is not None and self.max_steps is None:
            raise InputError(f"a curriculum is of episodes' lengths; {self.metric.pairs} have none")
        if normaliser not in self.normalisers:
            raise InputError(f"{self.metric.pairs} are normalised once, by 'fixed' statistics or not at all ('none')")
        self.check_size(size)

    @property
    def played(self) -> "Acting":
        """Itself, as a task whose episodes can be watched.

        Raises:
            InputError: where nobody acts in it.
        """
        raise InputError(f"nobody acts in {self.name}, which is {self.metric.pairs}: there is no episode to watch")

    def seen_through(self, view: View) -> "Acting":
        """The task as an agent of several tasks sees it.

        Raises:
            InputError: where nobody acts in it.
        """
        raise InputError(f"merged datasets are for control, and {self.name} is {self.metric.pairs}")

    def begin(self, keys: jax.Array) -> Play:
        """Environments that begin, one a key; where the task is `stepped`."""
        raise NotImplementedError

    def collect(
        self, recipe: Recipe, params: Params, normaliser: Normaliser, play: Play, steps: int, key: jax.Array
    ) -> tuple[Play, Trajectory]:
        """So many steps of B networks in the environments that are being played; where the task is `stepped`."""
        raise NotImplementedError


class Acting(Task):
    """A task whose networks act in an environment, scored by the return.

    Attributes:
        environment: the dynamics, with ``spec`` and ``max_steps``.
    """

    environment: Any

    @property
    def description(self) -> str:
        """The environment's own, or its class."""
        return getattr(self.environment, "description", type(self.environment).__name__)

    @abstractmethod
    def record(
        self,
        recipe: Recipe,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        key: jax.Array,
        greedy: bool = False,
        limit: int | None = None,
    ) -> Recording:
        """The episode of one network that `score` plays by this key, as the environment has it without a view."""

    @property
    def played(self) -> "Acting":
        """Itself."""
        return self

    @property
    def bare(self) -> Self:
        """The task itself, of one that is seen through a view."""
        one: Any = self
        return replace(one, environment=self.environment.inner) if isinstance(self.environment, Through) else self

    @property
    def pace(self) -> float:
        """Steps in a second, as people watch it: the environment's own where it says so."""
        return getattr(self.environment, "pace", None) or (10.0 if self.spec.grid else 30.0)

    def pictures(self, recording: Recording, steps: Sequence[int]) -> list[np.ndarray]:
        """What the environment itself shows before these steps of an episode, ``[H, W, 3]`` each; maybe nothing."""
        del recording, steps
        return []

    @abstractmethod
    def play_randomly(self, key: jax.Array, episodes: int) -> Episode:
        """Episodes ``[1, E]`` of uniformly random actions, with the moments of their observations."""

    @property
    def spec(self) -> Spec:
        """The environment's."""
        return self.environment.spec

    @property
    def units(self) -> Units:
        """The environment's, if it says them."""
        return getattr(self.environment, "units", Units())

    @property
    def scene(self) -> Scene | None:
        """The environment's, if it has one."""
        return getattr(self.environment, "scene", None)

    @property
    def max_steps(self) -> int:
        """The environment's own limit."""
        return self.environment.max_steps

    @property
    def reference(self) -> Recipe:
        """The published recipe for the kind of action."""
        return published(self.spec)

    @property
    def defaults(self) -> Options:
        """Enough pairs to name every action, ten minutes."""
        shared = {"learner": Learner(width=64), "population": 64, "inits": 2, "validate_inits": 64, "minutes": 10.0}
        if self.spec.pixels:
            shared |= {"learner": Learner(network="cnn", width=16), "population": 16, "inits": 1, "validate_inits": 8}
        if self.spec.discrete:
            return shared | {"size": max(4, 2 * self.spec.num_actions), "std": 0.5}
        return shared | {"size": 8}

    @runtime.in_32_bits
    def measure(self, key: jax.Array, episodes: int = 256) -> Moments:
        """Of observations under uniformly random actions, over whole episodes."""
        seen = self.play_randomly(key, episodes).seen
        assert seen is not None
        return merge_all(seen)

    @runtime.in_32_bits
    def random_return(self, key: jax.Array, episodes: int = 256) -> float:
        """The mean return of uniformly random actions."""
        return float(self.play_randomly(key, episodes).ret.mean())
