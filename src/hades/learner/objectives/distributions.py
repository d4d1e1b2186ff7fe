"""Soft labels: each pair's target is a distribution over classes, searched for with its state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from hades.dataset import Spec
from hades.learner.objectives.base import Loss, Part
from hades.learner.objectives.classes import balanced_labels, mse, nll


@dataclass(frozen=True)
class Distributions:
    """The softmax of logits ``[N, A]``, which start at ``sharpness`` for each pair's own class and at 0 else."""

    spec: Spec
    sharpness: float
    discrete: ClassVar = True
    sharpens: ClassVar = True
    losses: ClassVar[Mapping[str, Loss]] = {"nll": nll, "mse": mse}
    column: ClassVar = "labels"

    def start(self, size: int, key: jax.Array) -> Part:
        """Balanced."""
        del key
        return {"logits": self.sharpness * balanced_labels(size, self.spec.num_actions)}

    def go_on(self, targets: np.ndarray) -> Part:
        """From a dataset's labels."""
        return {"logits": jnp.log(jnp.maximum(targets, 1e-3))}

    def targets(self, part: Part, size: int) -> jax.Array:
        """Probabilities."""
        del size
        return jax.nn.softmax(part["logits"])
