"""Objectives: what a pair's target is, how it starts, and the losses that train on it. One file each."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import jax
import numpy as np

from hades.dataset import Spec
from hades.learner.heads import Output
from hades.learner.objectives.actions import Actions
from hades.learner.objectives.classes import Classes
from hades.learner.objectives.distributions import Distributions

Loss = Callable[[Output, jax.Array], jax.Array]
"""Of a network's outputs for N states and the targets ``[N, A]``: the mean over pairs."""
Part = dict[str, jax.Array]
"""What an objective adds to the solution that is searched for."""


class Objective(Protocol):
    """What the targets of N pairs are; made of a `Spec` and the sharpness that a distillation asks for."""

    losses: ClassVar[Mapping[str, Loss]]
    """By the name that a recipe has for them."""
    column: ClassVar[str]
    """The dataset's tensor that holds the targets: actions or labels."""

    def start(self, size: int, key: jax.Array) -> Part:
        """Where a search begins."""
        ...

    def go_on(self, targets: np.ndarray) -> Part:
        """Where a search begins that goes on from a dataset's targets ``[N, A]``.

        Raises:
            InputError: if this objective cannot.
        """
        ...

    def targets(self, part: Mapping[str, Any], size: int) -> jax.Array:
        """Of a solution: ``[size, A]``."""
        ...


LABELS: dict[str, type[Objective]] = {"fixed": Classes, "soft": Distributions}
"""For discrete actions and classes, by name."""
LOSSES = tuple(dict.fromkeys(name for kind in (Actions, *LABELS.values()) for name in kind.losses))


def objective_of(spec: Spec, labels: str = "fixed", sharpness: float = 2.0) -> Objective:
    """The objective for a kind of action."""
    return LABELS[labels](spec, sharpness) if spec.discrete else Actions(spec)  # type: ignore[call-arg]


def loss_of(name: str, spec: Spec) -> Loss:
    """A recipe's loss, for the targets that a kind of action has in a dataset."""
    return objective_of(spec).losses[name]
