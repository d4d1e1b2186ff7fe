"""Continuous actions: each pair's target is an action, evolved with its state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from hades.dataset import Spec
from hades.learner.objectives.base import Loss, Part


def nll(out: tuple[jax.Array, jax.Array], targets: jax.Array) -> jax.Array:
    """Negative log-likelihood, summed over action dimensions."""
    mean, log_std = out
    log_prob = jax.scipy.stats.norm.logpdf(targets, mean, jnp.exp(log_std))
    return -jnp.mean(jnp.sum(log_prob, axis=-1))


def mse(out: tuple[jax.Array, jax.Array], targets: jax.Array) -> jax.Array:
    """Squared error of the mean. The log-std gets no gradient: the standard deviation stays what it was."""
    return jnp.mean(jnp.sum((out[0] - targets) ** 2, axis=-1))


@dataclass(frozen=True)
class Actions:
    """Actions ``[N, A]``, at the start as sharp at the most."""

    spec: Spec
    sharpness: float
    discrete: ClassVar = False
    sharpens: ClassVar = False
    losses: ClassVar[Mapping[str, Loss]] = {"nll": nll, "mse": mse}
    column: ClassVar = "actions"

    def start(self, size: int, key: jax.Array) -> Part:
        """Uniform."""
        drawn = jax.random.uniform(key, (size, self.spec.num_actions), minval=-1, maxval=1)
        return {"actions": self.sharpness * drawn}

    def go_on(self, targets: np.ndarray) -> Part:
        """From a dataset's actions."""
        return {"actions": jnp.asarray(targets)}

    def targets(self, part: Part, size: int) -> jax.Array:
        """The actions themselves."""
        del size
        return part["actions"]
