"""How good a dataset is: networks trained on it, then scored."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save

from hades import runtime, tasks
from hades.aliases import PyTree
from hades.arguments import Scoring, Training
from hades.clocks import Stopwatch
from hades.contents import is_count
from hades.dataset import AnyDataset, Dataset, Spec, as_dataset
from hades.errors import InputError
from hades.files import write_atomically
from hades.learner.cloning import Policy, behaviour_cloning, make_policy
from hades.learner.networks import Params, init_network
from hades.learner.recipe import Recipe, Wishes, stored
from hades.learner.recipes import IMAGES, published
from hades.memory import check_memory, of_networks, of_training
from hades.normalisers import normaliser_of
from hades.options import held_to, shown
from hades.parallel import shifts
from hades.progress import Left, silent
from hades.runs import made_with
from hades.scores import FRESH, OWN, STRANGERS, Evaluation, Networks
from hades.scoring import AnyNormaliser, Fitness
from hades.seeds import as_key, key_of, stored_key
from hades.tasks.base import Task
from hades.training import Pairs

Working = Callable[[str], AbstractContextManager[Left]]
"""What is entered with a line that says what goes on, and is told then how long it will take."""
INITS = 32
"""Fresh networks, where nobody says how many."""


@held_to(Training)
@runtime.in_32_bits
def train(dataset: AnyDataset, key: jax.Array | int, learner: Wishes = None, *, init: str = Training.init) -> Params:
    """Train one network on a dataset: a fresh one, but HaDES-F's datasets their own.

    Args:
        dataset: or its file, a run's folder, a name of the zoo.
        key: draws the initialisation, and what a recipe's steps draw: ``jax.random.key(0)``, or 0, the seed of one.
        learner: fields that it sets override the recipe that the dataset was distilled for.
        init: as for `evaluate`; of several networks of its own, the first.

    Returns:
        The network's parameters, for `policy`. `jax.vmap` this over keys for many networks.

    Examples:
        >>> import hades, jax
        >>> params = hades.train(hades.load("cartpole-2"), jax.random.key(0), hades.Learner(width=8))
        >>> params["params"]["Dense_0"]["kernel"].shape
        (4, 8)
    """
    dataset, key = as_dataset(dataset), as_key(key)
    complete, spec = recipe(dataset, learner), dataset.spec
    check_memory([of_training(complete, spec, len(dataset))])
    networks, number = networks_of(dataset, complete, init)
    drawn = key if networks.sampled else jax.random.split(stored_key(dataset.info["init_key"]), number)[0]
    return _clone(complete, spec, drawn, key, jnp.asarray(dataset.states), jnp.asarray(dataset.targets))


@partial(jax.jit, static_argnums=(0, 1))
def _clone(
    recipe: Recipe, spec: Spec, init_key: jax.Array, key: jax.Array, states: jax.Array, targets: jax.Array
) -> Params:
    """A network drawn and trained: compiled once for a recipe and shapes."""
    return behaviour_cloning(recipe, spec, init_network(recipe, spec, init_key), states, targets, key=key).params


@held_to(Scoring)
@runtime.in_32_bits
def policy(dataset: AnyDataset, learner: Wishes = None, greedy: bool = Scoring.greedy) -> Policy:
    """The policy of networks that `train` made from a dataset and learner.

    Args:
        greedy: take the likeliest action instead of a sample; always so for a dataset that was distilled so.

    Returns:
        A function ``(params, obs, key) -> action``: ``obs`` is one observation ``[*obs]`` as the environment gives
        it; the action is an index, or ``[act]`` in [-1, 1].

    Examples:
        >>> import hades, jax, numpy as np
        >>> dataset, key = hades.load("cartpole-2"), jax.random.key(0)
        >>> act = hades.policy(dataset, greedy=True)
        >>> params, leans = hades.train(dataset, key), ([0, 0, -0.2, 0], [0, 0, 0.2, 0])
        >>> [int(act(params, np.asarray(lean), key)) for lean in leans]  # left, right
        [0, 1]
    """
    dataset = as_dataset(dataset)
    if dataset.online:
        raise InputError("this dataset's observations are normalised by whole batches of episodes; use evaluate")
    act = make_policy(recipe(dataset, learner), dataset.spec, greedy or dataset.greedy_in(dataset.task))
    mean, std = dataset.normaliser

    def acts(params: Params, obs: jax.Array, key: jax.Array) -> jax.Array:
        shape = list(dataset.spec.obs_shape)
        try:
            seen = jnp.asarray(obs, jnp.float32)
        except (TypeError, ValueError):
            raise InputError(f"an observation is an array {shape} here, not {shown(obs)}") from None
        if list(seen.shape) != shape:
            raise InputError(f"an observation is {shape} here, not {list(seen.shape)}")
        return act(params, (seen - mean) / std, key)

    return runtime.in_32_bits(acts)


@held_to(Scoring)
@runtime.in_32_bits
def evaluate(
    dataset: AnyDataset,
    task: Task | str | None = None,
    inits: int | None = Scoring.inits,
    episodes: int = Scoring.episodes,
    *,
    learner: Wishes = None,
    greedy: bool = Scoring.greedy,
    init: str = Scoring.init,
    seed: int = Scoring.seed,
    working: Working = silent,
) -> Evaluation:
    """Train networks on a dataset and score each by whole episodes: fresh ones, but HaDES-F's datasets their own.

    Args:
        dataset: or its file, a run's folder, a name of the zoo.
        task: what to score on; None makes the one that the dataset was made on, which for an environment or images
            of your own is for you to give. Images are scored by their test set.
        inits: fresh networks, each with its own initialisation; None: 32. A HaDES-F dataset's own are as many as it
            was evolved for, mostly one.
        episodes: episodes played by each; of no account for images.
        learner: fields that it sets override the recipe that the dataset was distilled for.
        greedy: take the mode of the action distribution instead of a sample; always so for a dataset that was
            distilled so.
        init: ``"fixed"``, the initialisations that a HaDES-F dataset was evolved for; ``"fresh"`` ones, which such a
            dataset was not distilled for, as the evaluation then says; or ``"auto"``: fixed for such a dataset and
            its own network, fresh for every other dataset or network.
        seed: of initialisations and episodes.
        working: entered with a line that says what goes on, while it does (`hades.progress.working` shows it).

    Raises:
        InputError: if dataset and task do not fit together, its own cannot be made again, or an option cannot be.

    Examples:
        >>> import hades
        >>> hades.evaluate(hades.load("cartpole-2"), inits=4, episodes=2).mean > 400
        True
    """
    runtime.configure()
    place, dataset = dataset, as_dataset(dataset)
    task = task_of(dataset, place=place) if task is None else task
    planned = trial(dataset, task, inits, episodes, learner=learner, greedy=greedy, init=init, seed=seed)
    with working(_doing(planned.fitness, planned.networks)) as left:
        params = planned.trained(dataset.states, dataset.targets)
        return planned.scored(params, left)


class Trial(NamedTuple):
    """How networks are trained on a dataset's pairs, or on some of them, and scored: always the same networks on the
    same episodes (common random numbers)."""

    fitness: Fitness
    networks: Networks
    normaliser: AnyNormaliser
    network_key: jax.Array
    episode_key: jax.Array

    def trained(self, states: np.ndarray, targets: np.ndarray, steps: int | None = None) -> Params:
        """Its networks, leaves ``[inits, ...]``, trained on pairs; stopped after so many steps, where that is said."""
        pairs = jnp.asarray(states)[None], jnp.asarray(targets)[None], {}
        last = None if steps is None else jnp.asarray(steps, jnp.int32)
        return _train(self.fitness, pairs, self.network_key, self.episode_key, last)

    def scored(self, params: Params, left: Left = lambda seconds: None) -> Evaluation:
        """Scores of such networks."""
        returns = _in_shifts(self.fitness, params, self.normaliser, self.episode_key, left)
        return Evaluation(returns, self.fitness.task.metric.name, self.networks)


def trial(
    dataset: Dataset,
    task: Task | str,
    inits: int | None,
    episodes: int,
    *,
    learner: Wishes = None,
    greedy: bool = False,
    init: str = Scoring.init,
    seed: int = Scoring.seed,
    usual: int = INITS,
    test: bool = True,
) -> Trial:
    """What `evaluate` does, of the same arguments; where ``inits`` is None, with ``usual`` fresh networks.

    Images are scored by their test set, or, where something may be chosen by it, by those kept for validation.

    Raises:
        InputError: as `evaluate`.
    """
    task = tasks.ready(task)
    if dataset.spec != task.spec:
        raise InputError(f"the dataset is for {_in_words(dataset.spec)}, but {task.name} has {_in_words(task.spec)}")
    task.check_dataset(dataset)
    network_key, episode_key = jax.random.split(jax.random.fold_in(key_of(seed), 2**31 - 4))
    task, complete = task.test if test else task.validation, recipe(dataset, learner, task.reference)
    networks, number = networks_of(dataset, complete, init, inits, usual)
    fitness = Fitness(task, complete, number, episodes, greedy or dataset.greedy_in(task.name))
    if not networks.sampled:
        network_key = stored_key(dataset.info["init_key"])
    check_memory(of_networks(fitness, 1, len(dataset), copies=2))
    return Trial(fitness, networks, normaliser_of(dataset), network_key, episode_key)


def _doing(fitness: Fitness, networks: Networks) -> str:
    """What an evaluation does, in words."""
    task, number = fitness.task, f"{fitness.inits} network{'s' if fitness.inits > 1 else ''}"
    then = f"playing {fitness.episodes} episodes each" if task.metric.episodes else "then testing"
    return f"{task.name}: training {number}{', ' if networks.words else ''}{networks.words}, {then} (compiling first)"


def networks_of(
    dataset: Dataset, complete: Recipe, init: str, inits: int | None = None, usual: int = INITS
) -> tuple[Networks, int]:
    """Which networks of a recipe a dataset is to train, and how many: of fresh ones ``usual``, unless that is said.

    Raises:
        InputError: for initialisations that the dataset does not have.
    """
    if "init_key" not in dataset.info:
        if init == "fixed":
            raise InputError("this dataset holds no fixed initialisation (it is not HaDES-F's); use init fresh")
        return FRESH, inits or usual
    old = [recipe(dataset).drawn | {"inits": 1}]  # whose files do not say
    mine = [each for each in dataset.info.get("own_networks", old) if each | complete.drawn == each]
    own = next((each["inits"] for each in mine if is_count(each.get("inits"))), None)
    if init == "fixed" and own is None:
        raise InputError("this dataset's own initialisation is of another network; use init fresh")
    if init == "fresh" or own is None:
        return STRANGERS, inits or usual
    if inits not in (None, own):
        raise InputError(
            f"this dataset (HaDES-F) was evolved for {own} initialisation{'s' if own > 1 else ''} of its own, not "
            f"{inits}; leave inits out, or take init fresh"
        )
    return OWN, own


def task_of(dataset: Dataset, name: str | None = None, *, place: AnyDataset | None = None, **options: Any) -> Task:
    """The task to score a dataset on: of a name, or the one that it was made on.

    Args:
        dataset: the dataset.
        name: the task's, where it is told.
        place: where the dataset comes from; a run's folder knows what its task was made with, and where its files lay.
        options: of `hades.make`.

    Raises:
        InputError: where that cannot be made again from what the file says.
    """
    if name is not None:
        return tasks.make(name, **options)
    if dataset.parts:
        raise InputError(
            f"this dataset is of several tasks, {', '.join(dataset.tasks)}: hades evaluate, or in Python "
            "hades.merging.evaluate_parts, scores it on each"
        )
    if not dataset.task:
        raise InputError("this dataset names no task; give one (--task)")
    call = tasks.own.typed(dataset.task, dataset.info.get("task_options", {}))
    call = call or "hades.evaluate(dataset, task), or the name of another (--task)"
    return tasks.again(dataset.task, dataset.info, call, {**made_with(place), **options})


def recipe(dataset: Dataset, learner: Wishes = None, reference: Recipe | None = None) -> Recipe:
    """A complete recipe: what is asked for, over the dataset's own, over the published one of its task."""
    usual = published(dataset.spec) if dataset.metric.episodes else IMAGES
    return (reference or usual).patched(stored(dataset.learner), learner)


# Two programs: the second, which Brax's compilation makes the dearer, is the same for all recipes of one network, and
# found in the compilation cache. Both are kept: what is evaluated again compiles nothing.
@partial(jax.jit, static_argnums=0)
def _train(
    fitness: Fitness, pairs: Pairs, network_key: jax.Array, episode_key: jax.Array, last: jax.Array | None = None
) -> Params:
    """Fresh networks trained on a dataset, a population of one: ``[inits, ...]``."""
    trained = fitness.train(pairs, fitness.networks(network_key), episode_key, last)
    return jax.tree.map(lambda x: x[0], trained)


def _in_shifts(fitness: Fitness, params: Params, normaliser: AnyNormaliser, key: jax.Array, left: Left) -> np.ndarray:
    """Scores ``[inits, episodes]``; networks play one shift after the other, and the first tells how long it takes."""
    number, play = shifts(fitness.inits, fitness.episodes), _play if fitness.task.traced else _played
    shift = replace(fitness, inits=fitness.inits // number)
    parts = jax.tree.map(lambda x: x.reshape(number, shift.inits, *x.shape[1:]), (params, fitness.seeds(key)))
    returns, watch = [], Stopwatch()
    for done in range(1, number + 1):
        networks, seeds = jax.tree.map(itemgetter(done - 1), parts)
        returns.append(np.asarray(play(shift, networks, normaliser, seeds, fitness.task.data)))
        if done < number:
            left(watch.lap()[0] * (number - done))
    return np.concatenate(returns)


def _played(fitness: Fitness, params: Params, normaliser: AnyNormaliser, keys: jax.Array, data: PyTree) -> jax.Array:
    """Scores ``[inits, episodes]``."""
    return fitness.rollouts(1, _take, (params,), normaliser, keys, data).ret[0]


def _take(job: jax.Array, params: Params) -> Params:
    """A job's network, of those that are there already."""
    return jax.tree.map(lambda x: x[job], params)


_play = jax.jit(_played, static_argnums=0)


def _in_words(spec: Spec) -> str:
    kind = "discrete actions" if spec.discrete else "action dimensions"
    return f"observations {list(spec.obs_shape)} and {spec.num_actions} {kind}"


def save_params(params: Params, path: str | os.PathLike[str]) -> Path:
    """Write a network's parameters to a ``.safetensors`` file, named by their path: ``params.Dense_0.kernel``."""
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    named = {".".join(str(part.key) for part in path): np.asarray(leaf) for path, leaf in leaves}
    return write_atomically(path, save(named))
