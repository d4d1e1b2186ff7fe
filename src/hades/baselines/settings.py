"""PPO's settings: the usual ones for a kind of action, and for a task what a search found (`hades study tuning`)."""

from types import MappingProxyType
from typing import Any

from hades import tasks
from hades.aliases import Options
from hades.dataset import Spec
from hades.errors import InputError
from hades.tasks.control import ControlTask

_USUAL: dict[str, Any] = {
    "num_envs": 64, "num_steps": 128, "num_epochs": 4, "num_minibatches": 16, "learning_rate": 3e-4, "anneal": False,
    "gamma": 0.99, "gae_lambda": 0.95, "clip_eps": 0.2, "vf_coef": 0.5, "max_grad_norm": 0.5,
}  # fmt: skip
"""Of Huang et al. 2022, "The 37 implementation details of PPO". ``anneal``: the learning rate falls to 0 with the
budget, from one evaluation on the way to the next."""
CONTINUOUS = _USUAL | {"ent_coef": 0.0, "normalize_observations": True, "normalize_rewards": True}
DISCRETE = _USUAL | {"ent_coef": 0.01, "normalize_observations": False, "normalize_rewards": False}
TASKS: dict[str, Options] = {}
"""By task, complete."""
SHAPES = (
    "num_envs", "num_steps", "num_epochs", "num_minibatches", "normalize_observations", "normalize_rewards",
)  # fmt: skip
"""What a program is compiled for; the other settings are its arguments."""


def usual(spec: Spec) -> dict[str, Any]:
    """Of the kind of action."""
    return dict(DISCRETE if spec.discrete else CONTINUOUS)


def complete(task: ControlTask | str, own: Options = MappingProxyType({})) -> dict[str, Any]:
    """All settings of a training: a task's, or the usual ones of its kind, and one's own in place of them.

    Args:
        task: or its name; one that has settings of its own need not be made for that.

    Raises:
        InputError: for a setting that there is not, or minibatches that do not divide an iteration's steps.
    """
    known = TASKS.get(tasks.resolve(task) if isinstance(task, str) else task.name)
    if known is None:
        known = usual(tasks.acting(task, "PPO is").spec)
    if unknown := [name for name in own if name not in known]:
        raise InputError(f"PPO has no setting '{unknown[0]}'; it has {', '.join(known)}")
    chosen = {**known, **own}
    batch = chosen["num_envs"] * chosen["num_steps"]
    if batch % chosen["num_minibatches"]:
        raise InputError(f"{batch} steps an iteration cannot be split into {chosen['num_minibatches']} minibatches")
    return chosen
