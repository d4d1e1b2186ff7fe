"""The dataset: synthetic state-action pairs, the checks on them, and their file.

A file is one ``.safetensors``: the tensors below and, in its header, one JSON document that says what the
dataset is for. Nothing else is needed to train on it. One that comes from the hub is read like any other, but the code
that its header may name is not run.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from hades import display
from hades.aliases import Json
from hades.contents import as_float32, as_info, as_json, mapping
from hades.errors import InputError
from hades.files import as_path, digest, dumps, write_atomically
from hades.finding import near, zoo
from hades.metrics import Metric, metric_of
from hades.options import check, option, shown
from hades.remote import FILE, Address, fetch, is_address, without_code
from hades.tables import printable
from hades.units import Raw, Units

if TYPE_CHECKING:
    from datasets import Dataset as HFDataset  # pyright: ignore[reportMissingImports]
    from pandas import DataFrame
    from torch.utils.data import TensorDataset  # pyright: ignore[reportMissingImports]

    from hades.tasks.base import Task

FORMAT_VERSION = 1
_TENSORS = ("states", "actions", "labels", "obs_mean", "obs_std")
_ABOUT = ("online", "task", "learner", "info")
_KEY = "hades"  # a single header entry: safetensors does not keep the order of several
_PIXELS = 32  # a side of observations from which on they are pictures


class Spec(NamedTuple):
    """The interface between a policy and what it acts on."""

    obs_shape: tuple[int, ...]
    num_actions: int
    """Number of discrete actions, or dimensions of a continuous one."""
    discrete: bool

    @property
    def grid(self) -> bool:
        """Whether observations are grids ``[H, W, C]``."""
        return len(self.obs_shape) == 3

    @property
    def pixels(self) -> bool:
        """Whether they are pictures, which cost more to see."""
        return self.grid and min(self.obs_shape[:2]) >= _PIXELS


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dataset:
    """N synthetic pairs, and the observation normaliser that their states are expressed in.

    Args:
        states: ``[N, *obs]``, normalised: a network that was trained on them is fed ``(obs - obs_mean) / obs_std``.
        actions: ``[N, act]`` in units of the action space scaled to [-1, 1]; for continuous actions.
        labels: ``[N, classes]``, rows that sum to one; for discrete actions. Or whole numbers ``[N]``, the classes
            themselves, of which the largest is the last. Exactly one of actions and labels is given.
        obs_mean: ``[*obs]``, in the environment's own units; zeros where left out.
        obs_std: likewise; ones where left out.
        online: the states are expressed in statistics that a batch of episodes gathers while it plays, starting
            from nothing, as in the published Brax runs; ``obs_mean`` and ``obs_std`` are not used.
        task: the name that `hades.make` takes.
        learner: the recipe that the dataset was distilled for, as options of `hades.Learner`.
        info: whatever else is worth knowing: score, versions, how it was made. JSON; arrays become lists.
        units: names of the numbers of observations and actions, and the bounds that actions are scaled to.

    Raises:
        InputError: for shapes that do not fit together, values that are not finite, or an ``obs_std`` not positive.

    Arrays are whatever numpy makes an array of: lists, and the tensors of other libraries.

    Examples:
        >>> import hades, numpy as np
        >>> lean_left, lean_right = [0, 0, -4, -4], [0, 0, 4, 4]
        >>> dataset = hades.Dataset(states=[lean_left, lean_right], labels=np.eye(2), task="CartPole-v1")
        >>> len(dataset), dataset.spec.num_actions
        (2, 2)
    """

    states: np.ndarray
    actions: np.ndarray | None = None
    labels: np.ndarray | None = None
    obs_mean: np.ndarray | None = None
    obs_std: np.ndarray | None = None
    online: bool = option(False)
    task: str = option("")
    learner: Mapping[str, Any] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)
    units: Units = field(default_factory=Units)

    def __post_init__(self) -> None:
        check(self)
        object.__setattr__(self, "learner", as_json("learner", self.learner))
        object.__setattr__(self, "info", as_info(self.info))
        for name in _TENSORS:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, as_float32(name, value))
        obs_shape = self.states.shape[1:]
        if self.obs_mean is None:
            object.__setattr__(self, "obs_mean", np.zeros(obs_shape, np.float32))
        if self.obs_std is None:
            object.__setattr__(self, "obs_std", np.ones(obs_shape, np.float32))
        _check(self)
        object.__setattr__(self, "units", Units.read(self.units, obs_shape[-1], self.spec.num_actions))

    def __len__(self) -> int:
        return len(self.states)

    def __repr__(self) -> str:
        return display.of_dataset(self)

    def _repr_html_(self) -> str:
        return display.dataset_in_html(self)

    @property
    def targets(self) -> np.ndarray:
        """Actions or labels, whichever the dataset has: ``[N, num_actions]``."""
        targets = self.actions if self.labels is None else self.labels
        assert targets is not None
        return targets

    @property
    def spec(self) -> Spec:
        """The interface to a policy trained on it."""
        return Spec(self.states.shape[1:], self.targets.shape[-1], self.labels is not None)

    @property
    def parts(self) -> Sequence[Json]:
        """Of a union of several tasks' datasets: each task's part. Of one task's: none."""
        return self.info.get("parts", ())

    def greedy_in(self, task: str) -> bool:
        """Whether it was distilled with likeliest actions; of a union, a task's part of it."""
        own = next((part for part in self.parts if part["task"] == task), self.info)
        return bool(own.get("greedy", False))

    @property
    def tasks(self) -> list[str]:
        """Of a union, each part's; of what names none, none."""
        return [part["task"] for part in self.parts] or [self.task] * bool(self.task)

    @property
    def metric(self) -> Metric:
        """What its scores are."""
        named = mapping(self.info.get("card")).get("metric") or self.info.get("metric")
        return metric_of(named if isinstance(named, str) else None)

    @property
    def normaliser(self) -> tuple[np.ndarray, np.ndarray]:
        """``(obs_mean, obs_std)``."""
        assert self.obs_mean is not None and self.obs_std is not None
        return self.obs_mean, self.obs_std

    @classmethod
    def from_arrays(cls, observations: Any, actions: Any, task: "Task | str | None" = None, **more: Any) -> "Dataset":
        """A dataset of pairs as an environment has them: to train on, to share, or to distil from (``start=``).

        Args:
            observations: ``[N, *obs]``, as the environment gives them.
            actions: as it takes them: continuous ones ``[N, act]`` between its bounds; discrete ones ``[N]``, counted
                from 0, or probabilities ``[N, actions]``.
            task: what they are of, by which bounds and names are known.
            more: ``obs_mean`` and ``obs_std``, ``[*obs]``, by which observations are normalised (left out: those of
                these pairs); ``units``, in place of the task's; ``learner`` and ``info``, as of a dataset.

        Raises:
            InputError: for pairs that do not fit the task.

        Examples:
            >>> import hades
            >>> dataset = hades.Dataset.from_arrays([[-0.5, -0.0625], [0.25, 0.0625]], [0, 2], "mountaincar")
            >>> dataset.states.tolist(), dataset.raw().observations.tolist()
            ([[-1.0, -1.0], [1.0, 1.0]], [[-0.5, -0.0625], [0.25, 0.0625]])
        """
        from hades.exchange import from_arrays

        return from_arrays(observations, actions, task, **more)

    def raw(self) -> Raw:
        """The pairs as the environment has them: observations not normalised, actions between its bounds.

        Raises:
            InputError: for a merged dataset, or where bounds are the task's to say and that cannot be made.
        """
        from hades.exchange import raw

        return raw(self)

    def to_torch(self) -> "TensorDataset":
        """Normalised states and targets, to train on: a ``torch.utils.data.TensorDataset``."""
        from hades.exchange import to_torch

        return to_torch(self)

    def to_pandas(self) -> "DataFrame":
        """Pairs as the environment has them (`raw`), a row each, in a column for each number with its name."""
        from hades.exchange import to_pandas

        return to_pandas(self)

    def to_hf(self) -> "HFDataset":
        """Pairs as the environment has them (`raw`), for Hugging Face's ``datasets``: observations and actions."""
        from hades.exchange import to_hf

        return to_hf(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the dataset to one ``.safetensors`` file, whole or not at all."""
        return write_atomically(path, self.packed())

    def packed(self) -> bytes:
        """What its file holds."""
        tensors = {name: getattr(self, name) for name in _TENSORS}
        tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items() if value is not None}
        about = {name: getattr(self, name) for name in _ABOUT} | {"version": FORMAT_VERSION}
        about |= {"units": said} if (said := self.units.said()) else {}
        about["digest"] = digest(tensors, about)
        return save(tensors, {_KEY: dumps(about, sort_keys=True)})

    def describe(self) -> str:
        """A few lines for people: what it is for, how large, how it was made."""
        lines = [
            f"{len(self)} pairs for {self.task or 'an unnamed task'}",
            f"  states   {list(self.states.shape)}, normalised",
            f"  {'labels ' if self.spec.discrete else 'actions'}  {list(self.targets.shape)}",
        ]
        if self.learner:
            lines.append("  learner  " + ", ".join(f"{k} {v}" for k, v in self.learner.items()))
        lines += [f"  {key:<8} {value}" for key, value in self.info.items() if key != "versions"]
        return "\n".join(map(printable, lines))


AnyDataset = Dataset | str | os.PathLike[str]
"""A dataset, or where it is: its file, a run's folder, a name of the zoo, or an address on the hub."""


def as_dataset(dataset: AnyDataset) -> Dataset:
    """A dataset, however it was given.

    Raises:
        InputError: as `load`.
    """
    if isinstance(dataset, Dataset):
        return dataset
    if not isinstance(dataset, (str, os.PathLike)):
        raise InputError(
            f"a dataset is a hades.Dataset, a file, a run's folder or a name of the zoo, not {shown(dataset)}"
        )
    return load(dataset)


def load(path: str | os.PathLike[str]) -> Dataset:
    """Read a dataset that `Dataset.save` wrote, a run's by its folder, one of the zoo by its name (``"hopper-4"``), or
    one on the hub by its address (``"hf://user/name"``, and ``@revision`` behind).

    Examples:
        >>> import hades
        >>> hades.load("hopper-4").task
        'brax/hopper'

    Raises:
        InputError: if there is no such file, or it is truncated, foreign, from a newer format, or its values fail
            the checks of `Dataset`; or the hub has none there, or cannot be reached.
    """
    path = as_path(path)
    if is_address(path):
        address = str(Address.of(path))
        return without_code(_read(fetch(path), address, "push it again, or take an earlier @REVISION"), address)
    if os.path.isdir(path):
        path = path / FILE
        if not os.path.isfile(path):
            raise InputError(f"{path.parent} is a folder without {FILE}, no run's or one that has just begun")
    if not os.path.isfile(path):
        if str(path) not in zoo():
            hint = near(path) or "`hades zoo` lists the zoo's"
            raise InputError(f"no dataset file at {path}, and none of that name in the zoo; {hint}")
        path = zoo()[str(path)]
    return _read(path, str(path), "a run's is written anew by: hades resume RUN")


def _read(path: Path, name: str, remedy: str) -> Dataset:
    """A file's dataset; errors call it by its name, and say what helps where it is damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # Some of them for types of numbers that NumPy lacks.
        raise InputError(f"{name} is not a readable .safetensors file, or is truncated ({error})") from None
    if not isinstance(about, dict):
        raise InputError(f"{name} is a .safetensors file, but not a HaDES dataset: its header has no '{_KEY}' entry")
    if about.get("version") != FORMAT_VERSION:
        raise InputError(
            f"{name} has format version {about.get('version')}, this HaDES reads version {FORMAT_VERSION}"
        )
    if missing := [key for key in _ABOUT if key not in about]:
        raise InputError(f"{name} is damaged: its header lacks {', '.join(missing)}")
    if "states" not in tensors or not set(tensors) <= set(_TENSORS):
        raise InputError(
            f"{name} holds the tensors {sorted(tensors)}, a dataset holds states and some of {list(_TENSORS[1:])}"
        )
    try:
        dataset = Dataset(**tensors, **{key: about[key] for key in _ABOUT}, units=about.get("units", {}))
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    if "digest" in about and about["digest"] != digest(tensors, about):
        raise InputError(f"{name} is damaged: not what was written; {remedy}")
    return dataset


def _check(dataset: Dataset) -> None:
    if (dataset.actions is None) == (dataset.labels is None):
        raise InputError("give actions (continuous) or labels (discrete), and not both")
    states, targets = dataset.states, dataset.targets
    if states.ndim < 2 or states.size == 0:
        raise InputError(f"states must be [N, *obs], each at least 1, not {list(states.shape)}")
    if targets.ndim != 2 or len(targets) != len(states) or targets.shape[1] == 0:
        kinds = "actions must be [N, act]", "labels must be [N, classes], or whole numbers [N]"
        wanted = kinds[dataset.labels is not None]
        raise InputError(f"{wanted}, with the states' N = {len(states)}, not {list(targets.shape)}")
    if dataset.labels is not None and not (
        (dataset.labels >= 0).all() and np.allclose(dataset.labels.sum(1), 1, atol=1e-3)
    ):
        raise InputError("labels must be probabilities: not negative, and every row sums to one")
    mean, std = dataset.normaliser
    for name, value in (("obs_mean", mean), ("obs_std", std)):
        if value.shape != states.shape[1:]:
            raise InputError(
                f"{name} must have an observation's shape {list(states.shape[1:])}, not {list(value.shape)}"
            )
    if not (std > 0).all():
        raise InputError("obs_std must be positive")
