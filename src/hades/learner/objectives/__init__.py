"""Objectives: what a pair's target is, how it starts, and the losses that train on it. One file each."""

from hades.dataset import Spec
from hades.learner.objectives.actions import Actions
from hades.learner.objectives.base import Loss, Objective
from hades.learner.objectives.classes import Classes
from hades.learner.objectives.distributions import Distributions

OBJECTIVES: dict[str, type[Objective]] = {"actions": Actions, "fixed": Classes, "soft": Distributions}
"""By name; the first for a kind of action is its default."""
LABELS = tuple(name for name, kind in OBJECTIVES.items() if kind.discrete)
"""For discrete actions and classes."""
LOSSES = tuple(dict.fromkeys(name for kind in OBJECTIVES.values() for name in kind.losses))


def objective_of(spec: Spec, labels: str = LABELS[0], label_logit: float = 0.0, most: float = 1.0) -> Objective:
    """The objective for a kind of action: one of `LABELS` where it is discrete.

    Args:
        label_logit: of soft labels at the start.
        most: of continuous actions then.
    """
    return OBJECTIVES[labels](spec, label_logit) if spec.discrete else Actions(spec, most)


def loss_of(name: str, spec: Spec) -> Loss:
    """A recipe's loss, for the targets that a kind of action has in a dataset."""
    return objective_of(spec).losses[name]
