"""What an objective is."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

import jax
import numpy as np

from hades.dataset import Spec
from hades.learner.heads import Output

Loss = Callable[[Output, jax.Array], jax.Array]
"""Of a network's outputs for N states and the targets ``[N, A]``: the mean over pairs."""
Part = dict[str, jax.Array]
"""What an objective adds to the solution that is searched for."""


class Objective(Protocol):
    """What the targets of N pairs are; made of a `Spec` and the sharpness that a distillation asks for."""

    def __init__(self, spec: Spec, sharpness: float) -> None: ...

    discrete: ClassVar[bool]
    """Whether it is for discrete actions and classes."""
    sharpens: ClassVar[bool]
    """Whether a sharpness is of account."""
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

    def targets(self, part: Part, size: int) -> jax.Array:
        """Of a solution: ``[size, A]``."""
        ...
