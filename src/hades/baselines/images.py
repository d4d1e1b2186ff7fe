"""What distilled images are compared with: chosen and averaged real ones, and all of them; across architectures.

The protocol is the field's (Wang et al. 2018, Zhao et al. 2021): fresh networks trained on a set, test accuracy with
mean and standard deviation, on the architecture that the set was distilled on and on others.
"""

from collections.abc import Iterable, Mapping

import jax
import numpy as np

from hades.dataset import Dataset
from hades.distillation import balanced_labels
from hades.errors import InputError
from hades.evaluation import Evaluation, evaluate
from hades.learner import DEEP, IMAGES, Learner
from hades.reporting import align
from hades.tasks.control import identity_normaliser
from hades.tasks.images import STARTS, ImageTask, as_float

ARCHITECTURES = {
    "cnn": Learner(network="cnn").over(IMAGES),
    "mlp": Learner(network="mlp", width=128, depth=2).over(IMAGES),
    "lenet": Learner(epochs=240).over(DEEP["lenet"].over(IMAGES)),
    "convnet": Learner(learning_rate=0.5, epochs=30).over(DEEP["convnet"].over(IMAGES)),
    "resnet": Learner(learning_rate=0.5, epochs=30).over(DEEP["resnet"].over(IMAGES)),
}
"""The paper's CNN and an MLP, by the published recipe; LeNet-5, ConvNet-3 and a small residual network by theirs, with
more or smaller steps than a distillation, of narrower ones, takes."""
SMALL = 16
"""Images of fewer pixels a side leave ConvNet and residual network few features, which take longer to learn from."""
ON_SMALL = ARCHITECTURES | {
    name: Learner(learning_rate=2.0, epochs=300).over(ARCHITECTURES[name]) for name in ("convnet", "resnet")
}
ALL = Learner(optimiser="adam", learning_rate=1e-3, epochs=4000, batch=128).over(IMAGES)
"""The recipe for a whole training set: minibatches, for many epochs on little data and about eight on 60,000."""
BASELINES = (*STARTS, "all")


def baseline(task: ImageTask, kind: str, size: int, seed: int = 0) -> Dataset:
    """A dataset that nothing was distilled for.

    Args:
        kind: real images drawn at random (``"sample"``) or by ``"herding"``, the class's ``"mean"``, its k-means
            ``"centres"``; or ``"all"``, the whole training set.
        size: images; a multiple of the classes. Of no account for ``"all"``.
        seed: of what is drawn.

    Raises:
        InputError: for an unknown kind or a size that the classes do not divide.
    """
    if kind not in BASELINES:
        raise InputError(f"unknown baseline '{kind}'; choose one of {', '.join(BASELINES)}")
    classes = len(task.classes)
    if kind == "all":
        images, learner = np.asarray(as_float(task.train.images)), ALL
        labels = np.eye(classes, dtype=np.float32)[task.train.labels]
    else:
        start = task.start(kind, size, identity_normaliser(task.spec), jax.random.key(seed))
        images, learner = np.asarray(start), IMAGES
        labels = np.asarray(balanced_labels(size, classes))
    return Dataset(
        states=images,
        labels=labels,
        task=task.name,
        learner=learner.options(),
        info={"baseline": kind, "seed": seed, "task_options": dict(task.options)},
    )


def across(
    dataset: Dataset, task: ImageTask, inits: int = 5, seed: int = 0, names: Iterable[str] = ARCHITECTURES
) -> Mapping[str, Evaluation]:
    """Test accuracy of fresh networks of each architecture, trained by its recipe; on a whole set by `ALL`."""
    recipes = ON_SMALL if min(task.spec.obs_shape[:2]) < SMALL else ARCHITECTURES
    learners = {name: recipes[name] for name in names}
    if dataset.info.get("baseline") == "all":
        learners = {
            name: Learner(network=each.network, width=each.width, depth=each.depth) for name, each in learners.items()
        }
    return {name: evaluate(dataset, task, inits, learner=each, seed=seed) for name, each in learners.items()}


def table(rows: Mapping[str, Mapping[str, Evaluation]]) -> str:
    """Accuracies in per cent, mean ± standard deviation over networks: a line a dataset, a column an architecture."""
    columns = list(next(iter(rows.values())))
    cells = [["", *columns, "average"]]
    for name, row in rows.items():
        scores = [f"{100 * score.mean:.1f} ± {100 * score.std:.1f}" for score in row.values()]
        cells.append([name, *scores, f"{100 * np.mean([score.mean for score in row.values()]):.1f}"])
    return align(cells)
