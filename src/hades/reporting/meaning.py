"""What a dataset's pairs mean: where they lie, what a network makes of them, and which of them carries what."""

import dataclasses
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import jax
import numpy as np

from hades import runtime
from hades.aliases import Json, PyTree
from hades.arguments import Explaining
from hades.clocks import Stopwatch
from hades.dataset import AnyDataset, Dataset, as_dataset
from hades.display import action_in_words
from hades.errors import InputError
from hades.evaluation import Trial, Working, task_of, trial
from hades.learner.networks import Params
from hades.metrics import metric_of
from hades.normalisers import OnlineNormaliser
from hades.options import held_to, shown
from hades.progress import Left, silent
from hades.reporting import places, policies
from hades.reporting.places import Nearest, Projection, fed, thinned
from hades.reporting.policies import Answers, Field, all_do
from hades.reporting.retraining import Growth, Influence, left_out, stops
from hades.scores import Evaluation
from hades.tasks.base import Task

EPISODES, STEPS, NUMBERS = 4, 1000, 2**24
"""That are looked at, at most: how many, how long, and of how many numbers."""


class Part(Protocol):
    """One of the things that there are to say."""

    def words(self, dataset: Dataset) -> str:
        """What one sees, in a sentence or two."""
        ...

    def facts(self) -> Json:
        """For a file."""
        ...


@dataclass(frozen=True, eq=False)
class Meaning:
    """What a dataset's pairs mean; what could not be found out is None, and ``missing`` says why.

    Attributes:
        dataset: whose pairs they are.
        nearest: each pair's nearest real state.
        projection: real states and pairs in the plane of the largest variance.
        field: a policy over two numbers of the observation.
        influence: scores without each pair.
        answers: which pair answers for which step of an episode.
        training: scores after more and more steps of training.
        missing: why a part is not there, by its name.
    """

    dataset: Dataset
    nearest: Nearest | None = None
    projection: Projection | None = None
    field: Field | None = None
    influence: Influence | None = None
    answers: Answers | None = None
    training: Growth | None = None
    missing: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Part]:
        """Those that are there, by name."""
        return {name: part for name in PARTS if (part := getattr(self, name)) is not None}

    @property
    def words(self) -> dict[str, str]:
        """What is seen in each part's figure."""
        return {name: part.words(self.dataset) for name, part in self.parts.items()}

    @property
    def unseen(self) -> tuple[str, ...]:
        """A line for each reason, with all parts that are not there for it."""
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.missing.items():
            by_reason.setdefault(reason, []).append(f"“{TITLES[name]}”")
        return tuple(f"{', '.join(titles)}: {reason}." for reason, titles in by_reason.items())

    def facts(self) -> Json:
        """All numbers, as JSON; of a part that is not there null."""
        parts = self.parts
        return {name: parts[name].facts() | {"words": self.words[name]} if name in parts else None for name in PARTS}


TITLES = {
    "influence": "Without each pair",
    "answers": "Which pair answers for which step",
    "field": "What a trained network does",
    "projection": "Pairs among real states",
    "nearest": "How far pairs are from real states",
    "training": "By steps of training",
}
"""Of all parts, by name, in the order in which they are best told."""
PARTS = tuple(TITLES)


@held_to(Explaining)
@runtime.in_32_bits
def meaning(
    dataset: AnyDataset,
    task: Task | str | None = None,
    *,
    parts: Collection[str] = PARTS,
    inits: int = Explaining.inits,
    episodes: int = Explaining.episodes,
    seed: int = Explaining.seed,
    working: Working = silent,
) -> Meaning:
    """Find out what a dataset's pairs mean, by networks trained on them and without each of them.

    Args:
        dataset: or its file, a run's folder, a name of the zoo.
        task: to play; None makes the one that the dataset was made on.
        parts: of `PARTS`, those to find out.
        inits: networks trained, of each way of training; of HaDES-F's own all.
        episodes: played by each network.
        seed: of initialisations and episodes.
        working: entered with a line that says what goes on, while it does.

    Raises:
        InputError: for a merged dataset, and where dataset and task do not fit together or its own cannot be made.

    Examples:
        >>> import hades
        >>> found = hades.meaning("cartpole-2", parts=["training"], inits=2, episodes=1)
        >>> found.training.steps
        (0, 1, 2, 4, 8, 16, 32, 64, 128, 200)
    """
    runtime.configure()
    place, dataset = dataset, alone(as_dataset(dataset))
    if unknown := set(parts) - set(PARTS):
        raise InputError(f"there is no part {shown(min(unknown))}; parts are {', '.join(PARTS)}")
    number = None if "init_key" in dataset.info else inits  # of its own as many as there are
    task = task_of(dataset, place=place) if task is None else task
    planned = trial(dataset, task, number, episodes, seed=seed, test=False)
    found, missing = {}, {}
    with working(f"{planned.fitness.task.name}: what the {len(dataset)} pairs mean (compiling first)") as left:
        work = _Work(dataset, planned, left)
        for name in (name for name in PARTS if name in parts):
            try:
                found[name] = getattr(work, name)()
            except InputError as error:
                missing[name] = str(error)
    return Meaning(dataset, **found, missing=missing)


def alone(dataset: Dataset) -> Dataset:
    """A dataset of one task.

    Raises:
        InputError: for one of several.
    """
    if dataset.parts:
        raise InputError(
            f"what pairs mean is told of one task's; these are of {', '.join(dataset.tasks)}: give each's"
        )
    return dataset


def table(found: Meaning) -> list[list[str]]:
    """What is known of each pair, a row each, under a header."""
    dataset, rows = found.dataset, [["pair"], *([str(number)] for number in range(1, len(found.dataset) + 1))]

    def column(title: str, pairs: Iterable[int], cells: Iterable[str]) -> None:
        told = dict(zip(pairs, cells, strict=True))
        for number, row in enumerate(rows, -1):
            row.append(title if number < 0 else told.get(number, ""))

    every = range(len(dataset))
    column("action", every, (action_in_words(dataset, target) for target in dataset.targets))
    if influence := found.influence:
        number = metric_of(influence.whole.metric).number
        column(
            f"{influence.whole.metric} without it", influence.pairs, (number(each.mean) for each in influence.without)
        )
        if np.isfinite(influence.interval).any():
            column("95 %", influence.pairs, (f"{number(low)} to {number(high)}" for low, high in influence.interval))
    if answers := found.answers:
        column("answers for", answers.pairs, (f"{(answers.most == pair).mean():.0%}" for pair in answers.pairs))
    if nearest := found.nearest:
        column("distance", every, (f"{distance:.2g}" for distance in nearest.distance))
        column("farther than", every, (f"{percentile:.0f} %" for percentile in nearest.percentile))
    return rows


class Rollouts(NamedTuple):
    """What real states are: those that trained networks come to."""

    observations: np.ndarray
    """``[T, *obs]``, as the environment gave them."""
    episode: np.ndarray
    """``[T]``, its number."""


def rollouts(planned: Trial, params: Params) -> Rollouts:
    """Some of the episodes that networks are scored on; the first is the first network's first.

    Raises:
        InputError: where nobody acts, or no state stands still.
    """
    fitness, task = planned.fitness, planned.fitness.task.played
    if isinstance(planned.normaliser, OnlineNormaliser):
        raise InputError("its observations are normalised by whole batches of episodes: no real state stands still")
    numbers = math.prod(task.spec.obs_shape)
    limit = min(task.max_steps, STEPS, max(1, NUMBERS // numbers))
    several = max(1, min(EPISODES, NUMBERS // (limit * numbers)))
    keys, played = fitness.seeds(planned.episode_key), []
    for episode, network in list(np.ndindex(fitness.episodes, fitness.inits))[:several]:
        one = jax.tree.map(lambda x, i=network: x[i], params)
        played.append(
            task.record(fitness.recipe, one, planned.normaliser, keys[network, episode], fitness.greedy, limit)
        )
    episode = np.repeat(np.arange(len(played)), [len(each.rewards) for each in played])
    observations = np.concatenate([each.observations for each in played])
    whole = np.isfinite(observations).reshape(len(observations), -1).all(1)
    if whole.sum() < 2:  # the first is the environment's own
        raise InputError("its networks leave the numbers: they come to no states that are numbers")
    return Rollouts(observations[whole], episode[whole])


class _Work:
    """Parts, and what they share, each made once when it is first asked for."""

    def __init__(self, dataset: Dataset, planned: Trial, left: Left) -> None:
        self.dataset, self.trial, self.left = dataset, planned, left
        self.recipe, self.spec = planned.fitness.recipe, planned.fitness.task.spec

    @cached_property
    def whole(self) -> Params:
        """Networks trained on all pairs."""
        return self._networks(np.ones(len(self.dataset), bool), self.recipe.epochs)

    @cached_property
    def score(self) -> Evaluation:
        """Theirs."""
        return self.trial.scored(self.whole)

    @cached_property
    def pairs(self) -> np.ndarray:
        """Which are left out, each by itself."""
        if len(self.dataset) < 2:
            raise InputError("there is one pair, and without it nothing to train on")
        return left_out(len(self.dataset))

    @cached_property
    def without(self) -> list[Params]:
        """Networks trained without each of these."""
        return [self._networks(np.arange(len(self.dataset)) != pair, self.recipe.epochs) for pair in self.pairs]

    @cached_property
    def real(self) -> Rollouts:
        """What networks trained on all pairs come to."""
        return rollouts(self.trial, self.whole)

    def _networks(self, kept: np.ndarray, steps: int) -> PyTree:
        """On the host, where nothing is of one device or another."""
        return jax.device_get(self.trial.trained(self.dataset.states[kept], self.dataset.targets[kept], steps))

    def _do(self, params: Params, flat: np.ndarray) -> np.ndarray:
        return all_do(self.recipe, self.spec, params, flat)

    def _act(self, flat: np.ndarray) -> np.ndarray:
        """What the first network does."""
        return self._do(jax.tree.map(lambda x: x[:1], self.whole), flat)[0]

    def _scores(self, networks: list[Params]) -> list[Evaluation]:
        """Of each, with word of how long it takes yet."""
        watch, scores = Stopwatch(), []
        for done, params in enumerate(networks, 1):
            scores.append(self.trial.scored(params))
            self.left(watch.lap()[0] * (len(networks) - done))
        return scores

    def influence(self) -> Influence:
        """Scores without each pair."""
        return Influence(self.pairs, self.score, tuple(self._scores(self.without)))

    def answers(self) -> Answers:
        """Which pair answers for which step of the first network's first episode."""
        flat = fed(self.dataset, self.real.observations[self.real.episode == 0])
        without = np.stack([self._do(params, flat) for params in self.without])
        return policies.answers(self.pairs, self._do(self.whole, flat), without)

    def field(self) -> Field:
        """Of the first network."""
        return policies.field(self.dataset, self.real.observations, self._act)

    def projection(self) -> Projection:
        """Coloured by what the first network does."""
        some = self.real.observations[thinned(len(self.real.observations), int(np.prod(self.spec.obs_shape)))]
        return places.projection(self.dataset, some, self._act(fed(self.dataset, some)))

    def nearest(self) -> Nearest:
        """Among what all of the networks come to."""
        return places.nearest(self.dataset, *self.real)

    def training(self) -> Growth:
        """Scores after more and more steps."""
        every, steps = np.ones(len(self.dataset), bool), stops(self.recipe.epochs)
        scores = self._scores([self._networks(every, step) for step in steps[:-1]])
        return Growth(steps, (*scores, self.score))
