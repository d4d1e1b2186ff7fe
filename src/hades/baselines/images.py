"""What distilled images are compared with: chosen and averaged real ones, and all of them; across architectures.

The protocol is the field's (Wang et al. 2018, Zhao et al. 2021): fresh networks trained on a set, test accuracy with
mean and standard deviation, on the architecture that the set was distilled on and on others.
"""

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np

from hades import runtime
from hades.config import Config
from hades.dataset import AnyDataset, Dataset, as_dataset
from hades.errors import InputError
from hades.evaluation import Working, evaluate
from hades.learner.objectives.classes import balanced_labels
from hades.learner.recipe import SHAPE, Learner
from hades.learner.recipes import ARCHITECTURES, IMAGES, ON_SMALL, SMALL, WHOLE_SET
from hades.metrics import TEST
from hades.normalisers import identity_normaliser
from hades.options import held_to
from hades.progress import silent
from hades.scores import Evaluation
from hades.seeds import key_of
from hades.tables import align, marked
from hades.tasks.base import Task
from hades.tasks.images import as_float, images_of

PER_CENT = dataclasses.replace(TEST, digits=1)


@held_to(Config)
@runtime.in_32_bits
def baseline(task: Task, kind: str, size: int, seed: int = 0) -> Dataset:
    """A dataset that nothing was distilled for.

    Args:
        kind: real images drawn at random (``"sample"``) or by ``"herding"``, the class's ``"mean"``, its k-means
            ``"centres"``; or ``"all"``, the whole training set.
        size: images; a multiple of the classes. Of no account for ``"all"``.
        seed: of what is drawn.

    Raises:
        InputError: for an unknown kind or a size that the classes do not divide.
    """
    task = images_of(task)
    if kind not in task.baselines:
        raise InputError(f"unknown baseline '{kind}'; choose one of {', '.join(task.baselines)}")
    classes = len(task.classes)
    if kind == "all":
        images, recipe = np.asarray(as_float(task.train.images)), WHOLE_SET
        labels = np.eye(classes, dtype=np.float32)[task.train.labels]
    else:
        start = task.start(kind, size, identity_normaliser(task.spec), key_of(seed))
        images, recipe = np.asarray(start), IMAGES
        labels = np.asarray(balanced_labels(size, classes))
    return Dataset(
        states=images,
        labels=labels,
        task=task.name,
        learner=recipe.options(),
        info={"baseline": kind, "seed": seed, "metric": task.validation.metric.name, **task.origin},
    )


@held_to(Config)
@runtime.in_32_bits
def across(
    dataset: AnyDataset,
    task: Task,
    inits: int | None = 5,
    seed: int = 0,
    names: Iterable[str] = ARCHITECTURES,
    working: Working = silent,
) -> Mapping[str, Evaluation]:
    """Test accuracy of fresh networks of each architecture, trained by its recipe; on a whole set by `WHOLE_SET`."""
    dataset = as_dataset(dataset)
    recipes = ON_SMALL if min(images_of(task).spec.obs_shape[:2]) < SMALL else ARCHITECTURES
    learners = {name: recipes[name].options() for name in names}
    if dataset.info.get("baseline") == "all":
        learners = {name: {k: options[k] for k in SHAPE} for name, options in learners.items()}
    return {
        name: evaluate(dataset, task, inits, learner=Learner(**options), init="fresh", seed=seed, working=working)
        for name, options in learners.items()
    }


def per_cent(mean: float, spread: float | None) -> str:
    """An accuracy for a table; marked where several networks are exactly alike."""
    return marked(PER_CENT.words(100 * mean, None if spread is None else 100 * spread), spread == 0)


def table(rows: Mapping[str, Mapping[str, Evaluation]]) -> str:
    """Accuracies in per cent, mean ± standard deviation over networks: a line a dataset, a column an architecture."""
    columns = list(next(iter(rows.values())))
    cells = [["", *columns, "average"]]
    for name, row in rows.items():
        means = [score.mean for score in row.values()]
        scores = [per_cent(score.mean, score.std) for score in row.values()]
        cells.append([name, *scores, per_cent(float(np.mean(means)), None)])
    return align(cells)
