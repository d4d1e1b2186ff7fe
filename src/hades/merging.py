"""Datasets of several tasks as one: an agent trained on the union acts in each task (Lupu et al. 2024, Section 5.3).

States are padded with zeros to the largest observation, or, where the agent is to know its task, each task's have
numbers of their own; actions are padded to the largest action, labels with classes that no pair has. Each part keeps
its observation normaliser, so that its states mean what they meant.
"""

import functools
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hades import runtime, tasks
from hades.arguments import Merging, Scoring
from hades.dataset import AnyDataset, Dataset, Spec, as_dataset
from hades.errors import InputError
from hades.evaluation import evaluate
from hades.learner.recipe import Wishes
from hades.normalisers import Normaliser
from hades.options import held_to
from hades.scores import Evaluation
from hades.tasks.base import Acting, Task
from hades.tasks.views import View, pad


@held_to(Merging)
@runtime.in_32_bits
def merge(datasets: Sequence[AnyDataset], identity: bool = Merging.identity) -> Dataset:
    """The union of datasets of different tasks.

    Args:
        datasets: two or more, or their files, runs' folders or names of the zoo; all with discrete or all with
            continuous actions, and observations of one rank; the first one's learner is the
            union's recipe.
        identity: tell the tasks apart: each task's observations have numbers of their own (for grids: channels), which
            are 0 in the others, so that their pairs change little of what a network makes of one task's.

    Raises:
        InputError: for datasets that do not fit together.

    Examples:
        >>> import hades
        >>> both = hades.merge([hades.load("cartpole-2"), hades.load("acrobot")], identity=True)
        >>> len(both), both.spec.obs_shape
        (8, (10,))
    """
    if isinstance(datasets, (str, Dataset)) or not isinstance(datasets, Iterable):
        raise InputError("give two datasets or more to merge, as a list")
    datasets = [as_dataset(d) for d in datasets]
    _check(datasets)
    shapes = [d.spec.obs_shape for d in datasets]
    obs_shape = tuple(map(max, zip(*shapes, strict=True)))
    firsts = [0] * len(datasets)
    if identity:
        *firsts, total = itertools.accumulate((shape[-1] for shape in shapes), initial=0)
        obs_shape = (*obs_shape[:-1], total)
    num_actions = max(d.spec.num_actions for d in datasets)
    states, targets, about = [], [], []
    for d, first in zip(datasets, firsts, strict=True):
        states.append(np.asarray(pad(d.states, obs_shape, first)))
        targets.append(np.pad(d.targets, ((0, 0), (0, num_actions - d.spec.num_actions))))
        mean, std = (x.tolist() for x in d.normaliser)
        kept = {key: d.info[key] for key in ("own", "fingerprint", "greedy") if key in d.info}
        part = {"task": d.task, "task_options": d.info.get("task_options", {}), "size": len(d), "first": first} | kept
        about.append(part | {"obs_mean": mean, "obs_std": std})
    discrete, joined = datasets[0].spec.discrete, np.concatenate(targets)
    return Dataset(
        states=np.concatenate(states),
        actions=None if discrete else joined,
        labels=joined if discrete else None,
        learner=datasets[0].learner,
        info={"parts": about},
    )


@runtime.in_32_bits
def parts(dataset: Dataset, given: Sequence[Task] = (), task: str | None = None) -> dict[str, Acting]:
    """The tasks of a merged dataset, by name, as its agent sees them: observations normalised and padded.

    Args:
        given: those of them that are your own, which no file can hold.
        task: only this one.

    Raises:
        InputError: if the dataset is not a merged one, or not of this task, or a task of it must be given.
    """
    if not dataset.parts:
        raise InputError("this dataset is of one task; `hades merge` makes one of several")
    known, yours = {part["task"]: part for part in dataset.parts}, {task.name: task for task in given}
    if other := set(yours) - set(known):
        raise InputError(f"this dataset has no part for {', '.join(sorted(other))}")
    chosen = list(known) if task is None else [task if task in known else tasks.resolve(task)]
    if chosen[0] not in known:
        raise InputError(f"this dataset is not for {chosen[0]}; it is for {', '.join(known)}")
    return {name: _part(json.dumps(known[name]), dataset.spec, yours.get(name)) for name in chosen}


@functools.cache
def _part(about: str, spec: Spec, given: Task | None) -> Acting:
    """A part's task as an agent of the union sees it: the same each time, so that what was compiled for it serves."""
    part = json.loads(about)
    task = given or tasks.again(part["task"], part, "hades.merging.evaluate_parts(dataset, given=[task])")
    normaliser = Normaliser(*(jnp.asarray(part[name], jnp.float32) for name in ("obs_mean", "obs_std")))
    return task.seen_through(View(spec, normaliser, part["first"]))


@runtime.in_32_bits
def evaluate_parts(
    dataset: AnyDataset,
    task: str | None = None,
    inits: int | None = Scoring.inits,
    episodes: int = Scoring.episodes,
    *,
    learner: Wishes = None,
    given: Sequence[Task] = (),
    **options: Any,
) -> Mapping[str, Evaluation]:
    """Train fresh networks on a merged dataset and score each on every task, or on one of them.

    Arguments as for `hades.evaluate`; ``given`` as for `parts`.
    """
    dataset = as_dataset(dataset)
    return {
        name: evaluate(dataset, part, inits, episodes, learner=learner, **options)
        for name, part in parts(dataset, given, task).items()
    }


def _check(datasets: Sequence[Dataset]) -> None:
    if len(datasets) < 2:
        raise InputError("give two datasets or more to merge")
    names = [d.task for d in datasets]
    if any(d.parts for d in datasets):
        raise InputError("a merged dataset cannot be merged again; give those that it was made of")
    if "" in names:
        raise InputError("a dataset names no task; its part of the union could not be scored")
    if len(set(names)) < len(names):
        raise InputError(f"two datasets are for {max(names, key=names.count)}; give one for each task")
    if any(d.online for d in datasets):
        raise InputError(
            "published datasets without stored statistics cannot be merged: their scale changes as they play"
        )
    if not all(d.metric.episodes for d in datasets):
        raise InputError("only datasets of control tasks can be merged")
    if len({d.spec.discrete for d in datasets}) > 1:
        raise InputError("discrete and continuous actions cannot be merged: a network has one kind of head")
    if len({len(d.spec.obs_shape) for d in datasets}) > 1:
        shapes = ", ".join(str(list(d.spec.obs_shape)) for d in datasets)
        raise InputError(f"observations of different rank cannot be merged: {shapes}")
