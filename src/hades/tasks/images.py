"""Images: a trained classifier is scored by its loss on labelled images; by its accuracy where people look.

An episode is one image, drawn from the training set. The test set is behind `ImageTask.test`, for `evaluate` alone.
"""

import dataclasses
import os
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import Options, PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.networks import Params, make_network
from hades.learner.objectives import loss_of
from hades.learner.recipe import Learner, Recipe
from hades.learner.recipes import IMAGES
from hades.metrics import LOSS, TEST, VALIDATION, Metric
from hades.normalisers import Moments, Normaliser, OnlineNormaliser
from hades.tasks.base import Episode, Task

HELD_BACK = 5_000
"""Training images that a search is validated on, at most; a tenth of them where that is less."""
SCALES = np.geomspace(1 / 8, 8, 25, dtype=np.float32)
"""Of logits, that a calibrated loss chooses among."""
AT_ONCE = 250
"""Images in one forward pass of a whole set, which bounds its memory."""

# For an MLP whose steps go as far as the published recipe's (2 x 50 = 0.1 x 1000): what trains it also trains the
# paper's CNN. A learned step size grows until nothing else does (docs/images.md). Larger steps are better as long as
# they are stable, which the brightness of the images decides. The standard deviation is for whoever asks for evolution
# instead.
DEFAULTS: dict[str, Any] = {
    "size": 10, "inits": 2, "episodes": 512, "start": "mean", "strategy": "gradient", "strategy_lr": 0.01, "std": 0.05,
    "labels": "soft", "normaliser": "none", "validate_every": 100, "validate_inits": 4, "minutes": 10.0,
    "learner": Learner(network="mlp", width=64, depth=1, optimiser="sgd", learning_rate=2.0, epochs=50),
}  # fmt: skip


class Labelled(NamedTuple):
    """Images ``[M, H, W, C]``, uint8 or float32 in [0, 1] or whitened, and their classes ``[M]``."""

    images: Any
    labels: Any


@dataclass(frozen=True, eq=False)
class ImageTask(Task):
    """Labelled images as a task.

    Args:
        name: what `hades.make` takes.
        train: the training set, of which a search is scored on all but the images that validate it.
        held_out: the test set.
        classes: names, in the order of the labels.
        options: what `hades.make` was given that changes the data; they travel with runs and datasets.
        where: what it was given that says where the data lie; it stays with the run.
        registered: `hades.make` gives it again by name and options, and not by a path alone.
        fingerprint: of its images and labels.
        metric: what `score` gives: minus the loss on images drawn from `data`, or the accuracy on all of it.
        scaled: the loss is a network's least over scales of its logits (Guo et al. 2017), as accuracy has none.
    """

    name: str
    train: Labelled
    held_out: Labelled
    classes: tuple[str, ...]
    options: Options = field(default_factory=dict)
    where: Options = field(default_factory=dict)
    registered: bool = False
    fingerprint: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    metric: Metric = LOSS
    scaled: bool = False

    differentiable = True
    starts = ("random", "mean", "sample", "centres", "zero")
    normalisers = ("none", "fixed")
    preparations = ("zca",)

    @property
    def description(self) -> str:
        """The file or folder that the images are from."""
        return f"images {os.path.basename(self.where.get('path', self.name))}"

    @property
    def spec(self) -> Spec:
        """Images in, classes out."""
        return Spec(self.train.images.shape[1:], len(self.classes), True)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Images of each class chosen or averaged, and the whole training set."""
        return (*STARTS, "all")

    @property
    def reference(self) -> Recipe:
        """The published recipe for images."""
        return IMAGES

    @property
    def defaults(self) -> Options:
        """By meta-gradient, one image a class, ten minutes."""
        return DEFAULTS | {"size": len(self.classes)}

    @property
    def data(self) -> Labelled:
        """What `score` is to be given: an argument of every jitted function, for constants are compiled in."""
        return Labelled(*map(jnp.asarray, self._parts[0] if self.metric == LOSS else self.train))

    @property
    def validation(self) -> "ImageTask":
        """Scores by accuracy on training images that the search is not scored on; of few, on all of them."""
        return dataclasses.replace(self, train=self._parts[1], metric=self._of_all(VALIDATION))

    @property
    def test(self) -> "ImageTask":
        """Scores by accuracy on the test set."""
        return dataclasses.replace(self, train=self.held_out, metric=self._of_all(TEST))

    @property
    def calibrated(self) -> "ImageTask":
        """Labels that suit one kind of network's confidence would be too soft or too sharp for another's."""
        return dataclasses.replace(self, scaled=True)

    @property
    def identity(self) -> Hashable:
        """Images come as an argument."""
        return self.spec, self.metric, self.scaled

    def _of_all(self, metric: Metric) -> Metric:
        return dataclasses.replace(metric, chance=1 / len(self.classes))

    @cached_property
    def _parts(self) -> tuple[Labelled, Labelled]:
        """For the search and for its validation: the same each time."""
        search, validation = split(self.train, max(10, -(-len(self.train.labels) // HELD_BACK)))
        return (search, validation) if len(validation.labels) else (self.train, self.train)

    def score(
        self,
        recipe: Recipe,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        keys: jax.Array,
        greedy: bool = False,
        watch: bool = False,
        data: PyTree = None,
        limit: jax.Array | None = None,
    ) -> Episode:
        """Minus the loss of B networks on images drawn by keys ``[B, E]``; or their accuracy, ``[B, 1]``."""
        del greedy, watch, limit
        images, labels = data
        apply = make_network(recipe, self.spec).apply

        def logits(params: Params, images: jax.Array) -> Any:
            return apply(params, normaliser(as_float(images)))

        def whole(params: Params) -> jax.Array:
            batches = _in_batches(images)
            hits = jax.lax.map(lambda batch: jnp.argmax(logits(params, batch), -1), batches).ravel()[: len(labels)]
            return (hits == labels).mean()[None]

        def drawn(params: Params, keys: jax.Array) -> jax.Array:
            index = jax.vmap(lambda key: jax.random.randint(key, (), 0, len(labels)))(keys)
            targets = jax.nn.one_hot(labels[index], len(self.classes))
            out, one_by_one = logits(params, images[index]), jax.vmap(loss_of(recipe.loss, self.spec))
            scales = SCALES if self.scaled else np.ones(1, np.float32)
            losses = jax.vmap(lambda scale: one_by_one(scale * out, targets))(jnp.asarray(scales))
            return -losses[jnp.argmin(losses.mean(1))] * len(self.classes)

        # Images fill the vector units: networks side by side would only crowd the cache.
        ret = jax.vmap(drawn)(params, keys) if self.metric == LOSS else jax.lax.map(whole, params)
        images_seen = jnp.full(ret.shape, 1 if self.metric == LOSS else len(labels), jnp.int32)
        return Episode(ret, images_seen, jnp.ones(ret.shape, bool), None)

    def episode_bytes(self) -> int:
        """Of an image."""
        return 4 * int(np.prod(self.spec.obs_shape))

    def measure(self, key: jax.Array) -> Moments:
        """Of the training set's channels, all pixels alike."""
        del key
        images = np.asarray(as_float(self.train.images[:10_000]), np.float64)  # millions of numbers a channel
        mean, m2 = (jnp.asarray(x, jnp.float32) for x in (images.mean((0, 1, 2)), len(images) * images.var((0, 1, 2))))
        return Moments(
            jnp.asarray(len(images), jnp.float32), *(jnp.broadcast_to(x, self.spec.obs_shape) for x in (mean, m2))
        )

    def start(self, kind: str, size: int, normaliser: Normaliser, key: jax.Array) -> jax.Array:
        """Images ``[size, H, W, C]`` to start from, in blocks of classes, as the normaliser leaves them.

        Args:
            kind: ``"mean"`` of each class (of random parts of it, for several images), a ``"sample"`` of real ones,
                k-means ``"centres"`` of it, or ``"zero"``.

        Raises:
            InputError: for a size that the classes do not divide, or more images than a class has.
        """
        per_class = self.images_per_class(size)
        if kind == "zero":
            return jnp.zeros((size, *self.spec.obs_shape))
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        chosen = [
            STARTS[kind](np.asarray(as_float(self.of_class(c, per_class))), per_class, rng)
            for c in range(len(self.classes))
        ]
        return normaliser(jnp.asarray(np.concatenate(chosen)))

    def check_size(self, size: int) -> None:
        """Classes must divide it."""
        self.images_per_class(size)

    def images_per_class(self, size: int) -> int:
        """Of a dataset of so many images; raises `InputError` where the classes do not divide it."""
        if size % len(self.classes):
            raise InputError(
                f"{self.name} has {len(self.classes)} classes, which do not divide size {size}; "
                f"give a multiple, such as {len(self.classes)} (one image per class)"
            )
        return size // len(self.classes)

    def of_class(self, label: int, at_least: int = 1) -> Any:
        """A class's training images; raises `InputError` where there are too few."""
        images = self.train.images[self.train.labels == label]
        if len(images) < at_least:
            raise InputError(
                f"class '{self.classes[label]}' of {self.name} has {len(images)} training images, "
                f"too few for {at_least} per class"
            )
        return images


def images_of(task: Task) -> ImageTask:
    """A task of labelled images.

    Raises:
        InputError: for any other.
    """
    if not isinstance(task, ImageTask):
        raise InputError(f"this is for labelled images; {task.name} is scored by its {task.metric.name}")
    return task


def split(whole: Labelled, share: int) -> tuple[Labelled, Labelled]:
    """All but one in ``share`` of each class, and the rest; always the same."""
    rng, rest = np.random.default_rng(0), np.zeros(len(whole.labels), bool)
    for label in np.unique(whole.labels):
        members = rng.permutation(np.flatnonzero(whole.labels == label))
        rest[members[: len(members) // share]] = True
    return Labelled(whole.images[~rest], whole.labels[~rest]), Labelled(whole.images[rest], whole.labels[rest])


def as_float(images: Any) -> Any:
    """Images in [0, 1], or as they are where they are real numbers already."""
    return images.astype(np.float32) / 255 if images.dtype == np.uint8 else images


def _mean(images: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    return np.stack([part.mean(0) for part in np.array_split(rng.permutation(images), number)])


def _sample(images: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    return images[rng.choice(len(images), number, replace=False)]


def _centres(images: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    from sklearn.cluster import KMeans

    seed = int(rng.integers(2**31))
    centres = KMeans(number, random_state=seed).fit(images.reshape(len(images), -1)).cluster_centers_
    return centres.reshape(number, *images.shape[1:])


def _herding(images: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """Real images whose running mean stays nearest to the class's (Welling 2009)."""
    del rng
    flat = images.reshape(len(images), -1)
    mean, total, chosen = flat.mean(0), np.zeros(flat.shape[1]), []
    for i in range(1, number + 1):
        distance = np.linalg.norm(mean - (total + flat) / i, axis=1)
        distance[chosen] = np.inf
        chosen.append(int(distance.argmin()))
        total += flat[chosen[-1]]
    return images[chosen]


STARTS = {"mean": _mean, "sample": _sample, "centres": _centres, "herding": _herding}
"""Ways to choose images of one class; also the baselines that a distilled dataset is compared with."""


def _in_batches(images: jax.Array) -> jax.Array:
    """``[batches, AT_ONCE, ...]``, filled up with zeros."""
    size = min(AT_ONCE, len(images))
    pad = -len(images) % size
    return jnp.pad(images, ((0, pad), *[(0, 0)] * (images.ndim - 1))).reshape(-1, size, *images.shape[1:])
