"""What is searched for, and the dataset that it is: a pytree of states, what the objective adds, and a step size."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import Options
from hades.config import Config, names_dataset
from hades.dataset import Dataset, load
from hades.errors import InputError
from hades.exchange import MINARI, recorded
from hades.learner.objectives import Objective, objective_of
from hades.learner.recipe import Recipe
from hades.normalisers import NORMALISERS, Moments, Normaliser
from hades.remote import is_address
from hades.runs import START
from hades.strategies import Solution
from hades.tasks.base import Task
from hades.training import Pairs


@dataclass(frozen=True, eq=False)
class Codec:
    """Between solutions and datasets, for one task and configuration.

    Attributes:
        warm: the dataset that the search goes on from, if it does.
    """

    task: Task
    config: Config
    recipe: Recipe
    warm: Dataset | None

    @classmethod
    def of(cls, task: Task, config: Config, recipe: Recipe, warm: Dataset | None = None) -> "Codec":
        """Raise `InputError` if the dataset that the search is to go on from does not fit.

        Args:
            warm: that dataset, where it is not in the file that the configuration names.
        """
        if config.learn_std and task.spec.discrete:
            raise InputError(f"learn_std is of continuous actions; those of {task.name} are discrete")
        return cls(task, config, recipe, warm_start(task, config, warm) if config.starts_from_dataset else None)

    @property
    def objective(self) -> Objective:
        """What a pair's target is."""
        config = self.config
        return objective_of(self.task.spec, config.labels, config.label_logit, config.start_actions or 1.0)

    def measured(self, key: jax.Array) -> Moments:
        """What random actions observe, where that is to be known before the search begins; else nothing.

        It is by a running normaliser, too, where states that are sampled from observations have to be as it leaves
        them.
        """
        kind = NORMALISERS[self.config.normaliser]
        if (kind.measured and not self.warm) or (kind.running and self.config.start != "random"):
            return self.task.measure(key)
        return Moments.zero(self.task.spec.obs_shape)

    def first_normaliser(self, measured: Moments) -> Normaliser:
        """The one that a search begins by, and that stays unless it is a running one: or that of where it goes on."""
        kind = NORMALISERS[self.config.normaliser]
        if kind.measured and self.warm:
            return Normaliser(*map(jnp.asarray, self.warm.normaliser))
        return kind.of(measured)

    def normaliser(self, seen: Moments, first: Normaliser) -> Normaliser:
        """As observations have been seen by now; where it does not run, the first one."""
        kind = NORMALISERS[self.config.normaliser]
        return kind.of(seen) if kind.running else first

    def seen_by(self, normaliser: Normaliser, solution: Solution, before: Normaliser) -> Solution:
        """A solution whose states are the same observations by another normaliser than the one before."""
        return {**solution, "states": normaliser(before.inverse(solution["states"]))}

    def start(self, key: jax.Array, normaliser: Normaliser) -> Solution:
        """Where a search starts: states as observations would be normalised, actions small, labels balanced.

        Or a dataset, to go on from.
        """
        state_key, target_key = jax.random.split(key)
        if self.warm:
            part = self.objective.go_on(self.warm.targets)
        else:
            part = self.objective.start(self.config.size, target_key)
        solution = {"states": self._states(state_key, normaliser), **part}
        if self.config.learn_rate:
            solution["log_rate"] = jnp.log(jnp.asarray(self.recipe.learning_rate))
        if self.config.learn_std:
            solution["log_std"] = jnp.asarray(self.recipe.log_std)
        return solution

    def _states(self, key: jax.Array, normaliser: Normaliser) -> jax.Array:
        if self.warm:
            return jnp.asarray(self.warm.states)
        if self.config.start != "random":
            return self.task.start(self.config.start, self.config.size, normaliser, key)
        return jax.random.normal(key, (self.config.size, *self.task.spec.obs_shape))

    def pairs(self, solution: Solution) -> Pairs:
        """One candidate's states and targets, and what is searched for beside them."""
        learned = {"learning_rate": jnp.exp(solution["log_rate"])} if self.config.learn_rate else {}
        if self.config.learn_std:
            learned["log_std"] = solution["log_std"]
        return solution["states"], self.objective.targets(solution, self.config.size), learned

    def dataset(self, solution: Solution, normaliser: Normaliser, info: Options) -> Dataset:
        """A solution as what is kept of it."""
        states, targets, learned = self.pairs(solution)
        column: dict[str, Any] = {self.objective.column: np.asarray(targets)}
        return Dataset(
            states=np.asarray(states),
            **column,
            obs_mean=np.asarray(normaliser.mean),
            obs_std=np.asarray(normaliser.std),
            task=self.task.name,
            learner=self.recipe.options() | {name: float(value) for name, value in learned.items()},
            info=info,
            units=self.task.units,
        )


def given_start(
    options: Options, out: str | os.PathLike[str] | None, task: Task, asked: Callable[..., Config]
) -> tuple[Dataset | None, Options]:
    """The dataset that a search is to start from, if it is one, and the options with what says where that is.

    A run keeps it: what was at that place may be another, or gone, by the time that the run goes on.

    Args:
        options: of a distillation.
        out: the run's folder, where the file will be, if it has one.
        task: what is distilled.
        asked: the configuration that options give.
    """
    start = options.get("start")
    if isinstance(start, os.PathLike):
        start = os.fspath(start)
        options = {**options, "start": start}
    if isinstance(start, str) and is_address(start):
        start = load(start)
    elif isinstance(start, str) and start.startswith(MINARI):
        config = asked(**{name: value for name, value in options.items() if name != "start"})
        start = recorded(start, task, config.size, config.seed)
    if isinstance(start, Dataset):
        return start, {**options, "start": START if out is None else str(Path(out, START).absolute())}
    if isinstance(start, str) and names_dataset(start):
        return load(start), options
    return None, options


def warm_start(task: Task, config: Config, given: Dataset | None = None) -> Dataset:
    """The dataset that a search goes on from: the one given, or that in the configuration's file.

    Raises:
        InputError: if it does not fit task and configuration.
    """
    dataset = given or load(config.start)
    if dataset.spec != task.spec or len(dataset) != config.size:
        found = f"{len(dataset)} pairs of {list(dataset.states.shape[1:])} and {dataset.spec.num_actions} actions"
        wanted = f"{config.size} of {list(task.spec.obs_shape)} and {task.spec.num_actions}"
        raise InputError(f"{config.start} has {found}; {task.name} is asked for {wanted}")
    task.check_dataset(dataset)
    plain = (dataset.normaliser[0] == 0).all() and (dataset.normaliser[1] == 1).all()
    kind = NORMALISERS[config.normaliser]
    if dataset.online:
        raise InputError(f"{config.start} has no scales of its own, which whole batches give as they play: no start")
    if kind.running or not (kind.measured or plain):
        raise InputError(f"to go on from {config.start} with its own normaliser, take --normaliser fixed")
    try:
        objective_of(task.spec, config.labels).go_on(dataset.targets)
    except InputError as error:
        raise InputError(f"{config.start}: {error}") from None
    return dataset
