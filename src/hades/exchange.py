"""Datasets as other tools have them: arrays in an environment's own units, PyTorch, pandas, Hugging Face, Minari."""

import importlib
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hades.contents import as_float32
from hades.dataset import Dataset, Spec
from hades.errors import InputError
from hades.extras import installed
from hades.files import dumps
from hades.normalisers import varies
from hades.tables import counted
from hades.units import Raw, Units, named_or_numbered

if TYPE_CHECKING:
    from hades.tasks.base import Task

MINARI = "minari:"
"""How a start begins that is a dataset of Minari's."""


def from_arrays(
    observations: Any,
    actions: Any,
    task: "Task | str | None" = None,
    *,
    obs_mean: Any = None,
    obs_std: Any = None,
    units: Units | Mapping[str, Any] | None = None,
    learner: Mapping[str, Any] | None = None,
    info: Mapping[str, Any] | None = None,
) -> Dataset:
    """As `hades.Dataset.from_arrays` says."""
    seen, made = as_float32("observations", observations), _made(task)
    about = {} if made is None else {"metric": made.validation.metric.name, **made.origin}
    dataset = Dataset(
        states=seen,
        **_column(actions, made.spec if made else None),
        obs_mean=seen.mean(0) if obs_mean is None else obs_mean,
        obs_std=_spread(seen) if obs_std is None else obs_std,
        task=made.name if made else "",
        learner=learner or {},
        info={**about, **(info or {})},
    )
    if made and dataset.spec != made.spec:
        specs = dataset.spec, made.spec
        found, wanted = (f"observations {list(s.obs_shape)} and {s.num_actions} actions" for s in specs)
        raise InputError(f"these are pairs of {found}; {dataset.task} has {wanted}")
    known = made.units if made and units is None else units or Units()
    dataset = replace(dataset, units=known)  # which are read as from a file
    mean, std = dataset.normaliser
    scaled = {} if dataset.actions is None else {"actions": dataset.units.scaled(dataset.actions)}
    return replace(dataset, states=(dataset.states - mean) / std, **scaled)


def raw(dataset: Dataset) -> Raw:
    """As `hades.Dataset.raw` says."""
    if dataset.parts or dataset.online:
        raise InputError(
            "a merged dataset's pairs are of several environments; take the datasets that it was made of"
            if dataset.parts
            else "this published dataset's observations are normalised while they are played: it has no units"
        )
    mean, std = dataset.normaliser
    targets = dataset.targets if dataset.spec.discrete else units_of(dataset).raw(dataset.targets)
    return Raw(mean + std * dataset.states, targets)


def units_of(dataset: Dataset) -> Units:
    """What the file says, or, of files from before there were units, what the task does."""
    if dataset.units != Units() or not (dataset.task and dataset.metric.episodes):
        return dataset.units
    from hades.evaluation import task_of

    return task_of(dataset).units


def columns(dataset: Dataset) -> list[str]:
    """Names of the numbers of a pair, each another: of an observation's and of an action's."""
    units, shape = units_of(dataset), dataset.spec.obs_shape
    cells = itertools.product(*(range(side) for side in shape[:-1]))
    last = named_or_numbered(units.observations, shape[-1])
    observations = ["observation: " + " ".join([*map(str, cell), name]) for cell in cells for name in last]
    actions = named_or_numbered(units.actions, dataset.spec.num_actions)
    return [*observations, *(f"action: {name}" for name in actions)]


def to_torch(dataset: Dataset) -> Any:
    """As `hades.Dataset.to_torch` says."""
    torch = _imported("torch")
    tensors = (torch.from_numpy(np.array(each)) for each in (dataset.states, dataset.targets))
    return torch.utils.data.TensorDataset(*tensors)


def to_pandas(dataset: Dataset) -> Any:
    """As `hades.Dataset.to_pandas` says."""
    pandas = _imported("pandas")
    numbers = np.hstack([each.reshape(len(dataset), -1) for each in raw(dataset)])
    return pandas.DataFrame(numbers, columns=columns(dataset))


def to_hf(dataset: Dataset) -> Any:
    """As `hades.Dataset.to_hf` says."""
    datasets = _imported("datasets")
    about = {"task": dataset.task, "learner": dataset.learner, "units": units_of(dataset).said(), **dataset.info}
    rows = {name: list(values) for name, values in zip(("observations", "actions"), raw(dataset), strict=True)}
    return datasets.Dataset.from_dict(rows, info=datasets.DatasetInfo(description=dumps(about)))


def recorded(name: str, task: "Task", size: int, seed: int) -> Dataset:
    """So many pairs of a dataset of Minari's that is on this machine, from an episode each where there are so many,
    for a task.

    Args:
        name: ``minari:ID``.

    Raises:
        InputError: where it is not there, or does not fit the task.
    """
    minari, known = _imported("minari"), name.removeprefix(MINARI)
    try:
        found = minari.load_dataset(known)
    except Exception as error:  # of many kinds
        here = ", ".join(sorted(minari.list_local_datasets())) or "none"
        raise InputError(f"there is no dataset {known} of Minari's on this machine (there: {here})") from error
    rng = np.random.default_rng(seed)
    numbers = found.episode_indices
    episodes = [found[int(i)] for i in rng.choice(numbers, size, replace=size > len(numbers))]
    if not all(isinstance(episode.observations, np.ndarray) for episode in episodes):
        raise InputError(f"{known} has observations in several parts; make one array of them, for Dataset.from_arrays")
    steps = [int(rng.integers(len(episode.actions))) for episode in episodes]
    pairs = [(episode.observations[t], episode.actions[t]) for episode, t in zip(episodes, steps, strict=True)]
    observations, actions = map(np.stack, zip(*pairs, strict=True))
    every = np.concatenate([episode.observations for episode in episodes]).astype(np.float64)
    first = int(getattr(found.action_space, "start", 0))
    return from_arrays(
        observations, actions - first if first else actions, task, obs_mean=every.mean(0), obs_std=_spread(every),
        info={"start": name},
    )  # fmt: skip


def _spread(observations: np.ndarray) -> np.ndarray:
    """Standard deviations; 1 of what does not vary."""
    std = observations.std(0)
    return np.where(varies(observations.mean(0), std), std, 1)


def _made(task: "Task | str | None") -> "Task | None":
    from hades import tasks

    return tasks.make(task) if isinstance(task, str) else task


def _column(actions: Any, spec: Spec | None) -> dict[str, Any]:
    """Labels or actions: of whole numbers ``[N]`` rows that sum to one, as many as a task has actions."""
    given = np.asarray(actions)
    if spec and not spec.discrete and given.ndim == 1:
        row = counted(spec.num_actions, "numbers")
        raise InputError(f"actions are [N, {spec.num_actions}] here, a row of {row} a pair; these are [{len(given)}]")
    if not (spec.discrete if spec else given.ndim == 1):
        return {"actions": given}
    if spec is None or given.ndim != 1 or given.dtype.kind not in "biu":
        return {"labels": given}
    if not ((given >= 0) & (given < spec.num_actions)).all():
        raise InputError(f"actions go from 0 to {spec.num_actions - 1} here, not from {given.min()} to {given.max()}")
    return {"labels": np.eye(spec.num_actions, dtype=np.float32)[given.astype(int)]}


def _imported(module: str) -> Any:
    if not installed(module):
        raise InputError(f"{module} is not installed; install it with: pip install {module}")
    return importlib.import_module(module)
