"""How good a dataset is: fresh networks trained on it, then scored; with the field's statistics."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save

from hades import runtime, tasks
from hades.aliases import Json, PyTree
from hades.arguments import Scoring
from hades.dataset import AnyDataset, Dataset, Spec, as_dataset
from hades.errors import InputError
from hades.files import write_atomically
from hades.learner.cloning import Policy, behaviour_cloning, make_policy
from hades.learner.networks import Params, init_network
from hades.learner.recipe import Recipe, Wishes, stored
from hades.learner.recipes import published
from hades.memory import check_memory, of_networks, of_training
from hades.metrics import RETURN, metric_of
from hades.normalisers import normaliser_of
from hades.options import held_to
from hades.scoring import AnyNormaliser, Fitness, Pairs
from hades.seeds import as_key, key_of, stored_key
from hades.tasks.base import Task

BOOTSTRAPS = 2000


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of networks trained on one dataset.

    Attributes:
        returns: ``[inits, episodes]``: undiscounted returns; of images: accuracies, ``[inits, 1]``. What was not a
            finite number, of either sign, is minus infinity: the worst.
        metric: what they are.
    """

    returns: np.ndarray
    metric: str = RETURN.name

    def __post_init__(self) -> None:
        object.__setattr__(self, "returns", np.where(np.isfinite(self.returns), self.returns, -np.inf))

    @property
    def diverged(self) -> int:
        """Scores that were not a finite number."""
        return int(np.count_nonzero(~np.isfinite(self.returns)))

    @property
    def mean(self) -> float:
        """Over all episodes of all networks."""
        return float(self.returns.mean())

    @property
    def std(self) -> float:
        """Standard deviation over all episodes of all networks."""
        return _std(self.returns)

    @property
    def iqm(self) -> float:
        """Interquartile mean (Agarwal et al. 2021): the mean of the middle half of all returns."""
        return float(_iqm(self.returns.ravel()))

    @property
    def iqm_interval(self) -> tuple[float, float]:
        """95 % percentile interval of the interquartile mean, by a bootstrap over networks."""
        rng = np.random.default_rng(0)
        rows = rng.integers(len(self.returns), size=(BOOTSTRAPS, len(self.returns)))
        with np.errstate(invalid="ignore"):  # of the worst
            low, high = np.percentile(_iqm(self.returns[rows].reshape(BOOTSTRAPS, -1)), [2.5, 97.5])
        return float(low), float(high)

    def summary(self) -> Json:
        """All figures, as JSON."""
        return {
            "metric": self.metric,
            "mean": self.mean,
            "std": self.std,
            "std_of_inits": _std(self.returns.mean(1)),
            "iqm": self.iqm,
            "iqm_interval": list(self.iqm_interval),
            "min": float(self.returns.min()),
            "max": float(self.returns.max()),
            "inits": self.returns.shape[0],
            "episodes": self.returns.shape[1],
            "diverged": self.diverged,
        }

    def __str__(self) -> str:
        kind, (inits, episodes) = metric_of(self.metric), self.returns.shape
        each = f" × {episodes} episodes" if kind.episodes else ""
        iqm, low, high, least, most = map(
            kind.number, (self.iqm, *self.iqm_interval, self.returns.min(), self.returns.max())
        )
        lost = f"; {self.diverged} of {self.returns.size} scores not finite" if self.diverged else ""
        return (
            f"{self.metric} {kind.words(self.mean, self.std)}   IQM {iqm} [{low}, {high}]   min {least}   "
            f"max {most}   ({inits} networks{each}{lost})"
        )


@runtime.in_32_bits
def train(dataset: AnyDataset, key: jax.Array | int, learner: Wishes = None) -> Params:
    """Train one fresh network on a dataset.

    Args:
        dataset: or its file, a run's folder, a name of the zoo.
        key: draws the initialisation: ``jax.random.key(0)``, or 0, the seed of one.
        learner: fields that it sets override the recipe that the dataset was distilled for.

    Returns:
        The network's parameters, for `policy`. `jax.vmap` this over keys for many networks.

    >>> import hades, jax
    >>> params = hades.train(hades.load("cartpole-2"), jax.random.key(0), hades.Learner(width=8))
    >>> params["params"]["Dense_0"]["kernel"].shape
    (4, 8)
    """
    dataset, key = as_dataset(dataset), as_key(key)
    complete, spec = recipe(dataset, learner), dataset.spec
    check_memory([of_training(complete, spec, len(dataset))])
    return _clone(complete, spec, key, jnp.asarray(dataset.states), jnp.asarray(dataset.targets))


@partial(jax.jit, static_argnums=(0, 1))
def _clone(recipe: Recipe, spec: Spec, key: jax.Array, states: jax.Array, targets: jax.Array) -> Params:
    """A network drawn and trained: compiled once for a recipe and shapes."""
    return behaviour_cloning(recipe, spec, init_network(recipe, spec, key), states, targets, key=key)


@held_to(Scoring)
@runtime.in_32_bits
def policy(dataset: AnyDataset, learner: Wishes = None, greedy: bool = Scoring.greedy) -> Policy:
    """The policy of networks that `train` made from a dataset and learner.

    Returns:
        A function ``(params, obs, key) -> action``: ``obs`` is one observation ``[*obs]`` as the environment gives
        it; the action is an index, or ``[act]`` in [-1, 1].

    >>> import hades, jax, numpy as np
    >>> dataset, key = hades.load("cartpole-2"), jax.random.key(0)
    >>> act = hades.policy(dataset, greedy=True)
    >>> [int(act(hades.train(dataset, key), np.asarray([0, 0, lean, 0]), key)) for lean in (-0.2, 0.2)]  # left, right
    [0, 1]
    """
    dataset = as_dataset(dataset)
    if dataset.online:
        raise InputError("this dataset's observations are normalised by whole batches of episodes; use evaluate")
    act = make_policy(recipe(dataset, learner), dataset.spec, greedy)
    mean, std = dataset.normaliser
    return runtime.in_32_bits(lambda params, obs, key: act(params, (jnp.asarray(obs, jnp.float32) - mean) / std, key))


@held_to(Scoring)
@runtime.in_32_bits
def evaluate(
    dataset: AnyDataset,
    task: Task | str | None = None,
    inits: int = Scoring.inits,
    episodes: int = Scoring.episodes,
    *,
    learner: Wishes = None,
    greedy: bool = Scoring.greedy,
    init: str = Scoring.init,
    seed: int = Scoring.seed,
) -> Evaluation:
    """Train fresh networks on a dataset and score each by whole episodes.

    Args:
        dataset: or its file, a run's folder, a name of the zoo.
        task: what to score on; None makes the one that the dataset was made on, which for an environment or images
            of your own is for you to give. Images are scored by their test set.
        inits: networks, each with its own initialisation.
        episodes: episodes played by each; of no account for images.
        learner: fields that it sets override the recipe that the dataset was distilled for.
        greedy: take the mode of the action distribution instead of a sample; always so for a dataset that was
            distilled so.
        init: ``"fresh"``, ``"fixed"`` (the initialisation that a HaDES-F dataset was evolved for), or ``"auto"``:
            fixed for such a dataset, fresh for every other.
        seed: of initialisations and episodes.

    Raises:
        InputError: if dataset and task do not fit together, its own cannot be made again, or an option cannot be.

    >>> import hades
    >>> hades.evaluate(hades.load("cartpole-2"), inits=4, episodes=2).mean > 400
    True
    """
    runtime.configure()
    dataset = as_dataset(dataset)
    fixed_key = dataset.info.get("init_key")
    if init == "fixed" and fixed_key is None:
        raise InputError("this dataset holds no fixed initialisation (it is not HaDES-F's); use init fresh")
    task = task_of(dataset) if task is None else tasks.ready(task)
    if dataset.spec != task.spec:
        raise InputError(f"the dataset is for {_in_words(dataset.spec)}, but {task.name} has {_in_words(task.spec)}")
    task.check_dataset(dataset)
    network_key, episode_key = jax.random.split(jax.random.fold_in(key_of(seed), 2**31 - 4))
    task, complete = task.test, recipe(dataset, learner, task.reference)
    fitness = Fitness(task, complete, inits, episodes, greedy or dataset.info.get("greedy", False))
    if fixed_key is not None and init != "fresh":
        network_key = stored_key(fixed_key)
    check_memory(of_networks(fitness, 1, len(dataset), copies=2))
    pairs = jnp.asarray(dataset.states)[None], jnp.asarray(dataset.targets)[None], None
    params = _train(fitness, pairs, network_key, episode_key)
    play = _play if task.traced else _played
    returns = play(fitness, params, normaliser_of(dataset), episode_key, task.data)
    return Evaluation(np.asarray(returns), task.metric.name)


def task_of(dataset: Dataset, name: str | None = None, **options: Any) -> Task:
    """The task to score a dataset on: of a name, or the one that it was made on.

    Raises:
        InputError: where that cannot be made again from what the file says.
    """
    if name is not None:
        return tasks.make(name, **options)
    if not dataset.task:
        raise InputError("this dataset names no task; give one (--task)")
    about = {**dataset.info, "task_options": {**dataset.info.get("task_options", {}), **options}}
    return tasks.again(dataset.task, about, "hades.evaluate(dataset, task), or the name of another (--task)")


def recipe(dataset: Dataset, learner: Wishes = None, reference: Recipe | None = None) -> Recipe:
    """A complete recipe: what is asked for, over the dataset's own, over the published one of its task."""
    return (reference or published(dataset.spec)).patched(stored(dataset.learner), learner)


# Two programs: the second, which Brax's compilation makes the dearer, is the same for all recipes of one network, and
# found in the compilation cache. Both are kept: what is evaluated again compiles nothing.
@partial(jax.jit, static_argnums=0)
def _train(fitness: Fitness, pairs: Pairs, network_key: jax.Array, episode_key: jax.Array) -> Params:
    """Fresh networks trained on a dataset, a population of one: ``[inits, ...]``."""
    trained = fitness.train(pairs, fitness.networks(network_key), episode_key)
    return jax.tree.map(lambda x: x[0], trained)


def _played(fitness: Fitness, params: Params, normaliser: AnyNormaliser, key: jax.Array, data: PyTree) -> jax.Array:
    """Scores ``[inits, episodes]``."""
    return fitness.rollouts(1, _take, (params,), normaliser, key, data).ret[0]


def _take(job: jax.Array, params: Params) -> Params:
    """A job's network, of those that are there already."""
    return jax.tree.map(lambda x: x[job], params)


_play = jax.jit(_played, static_argnums=0)


def _std(values: np.ndarray) -> float:
    """Not a number where a value is not finite."""
    return float(values.std()) if np.isfinite(values).all() else float("nan")


def _iqm(values: np.ndarray) -> np.ndarray:
    """Of the last axis; for a count not divisible by four the cut is at whole values."""
    values = np.sort(values, axis=-1)
    cut = values.shape[-1] // 4
    return values[..., cut : values.shape[-1] - cut].mean(-1)


def _in_words(spec: Spec) -> str:
    kind = "discrete actions" if spec.discrete else "action dimensions"
    return f"observations {list(spec.obs_shape)} and {spec.num_actions} {kind}"


def save_params(params: Params, path: str | os.PathLike[str]) -> Path:
    """Write a network's parameters to a ``.safetensors`` file, named by their path: ``params.Dense_0.kernel``."""
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    named = {".".join(str(part.key) for part in path): np.asarray(leaf) for path, leaf in leaves}
    return write_atomically(path, save(named))
