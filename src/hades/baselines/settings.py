"""PPO's settings: the usual ones for a kind of action, and for a task what a search found (`hades study tuning`)."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hades import tasks
from hades.aliases import Options
from hades.errors import InputError
from hades.options import check_names, check_value, option
from hades.tasks.control import ControlTask


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What PPO's settings may be."""

    num_envs: int = option(least=1)
    num_steps: int = option(least=1)
    num_epochs: int = option(least=1)
    num_minibatches: int = option(least=1)
    learning_rate: float = option(above=0)
    anneal: bool = option()
    gamma: float = option(least=0, most=1)
    gae_lambda: float = option(least=0, most=1)
    clip_eps: float = option(above=0)
    vf_coef: float = option(least=0)
    ent_coef: float = option(least=0)
    max_grad_norm: float = option(above=0)
    normalize_observations: bool = option()
    normalize_rewards: bool = option()


_USUAL: dict[str, Any] = {
    "num_envs": 64, "num_steps": 128, "num_epochs": 4, "num_minibatches": 16, "learning_rate": 3e-4, "anneal": False,
    "gamma": 0.99, "gae_lambda": 0.95, "clip_eps": 0.2, "vf_coef": 0.5, "max_grad_norm": 0.5,
}  # fmt: skip
"""Of Huang et al. 2022, "The 37 implementation details of PPO". ``anneal``: the learning rate falls to 0 with the
budget, from one evaluation on the way to the next."""
CONTINUOUS = _USUAL | {"ent_coef": 0.0, "normalize_observations": True, "normalize_rewards": True}
DISCRETE = _USUAL | {"ent_coef": 0.01, "normalize_observations": False, "normalize_rewards": False}
_MINATAR = DISCRETE | {"learning_rate": 5e-3, "anneal": True, "num_minibatches": 8}
_BRAX = CONTINUOUS | {
    "num_envs": 32, "num_steps": 32, "num_epochs": 2, "num_minibatches": 2, "learning_rate": 1.72e-3,
    "gae_lambda": 0.8, "max_grad_norm": 5.0, "ent_coef": 0.01, "normalize_rewards": False,
}  # fmt: skip
PUBLISHED: dict[str, Options] = {
    "Asterix-MinAtar": _MINATAR,
    "Seaquest-MinAtar": _MINATAR,
    "brax/halfcheetah": _BRAX,
    "brax/humanoidstandup": _BRAX,
    "brax/walker2d": _BRAX,
    "brax/ant": _BRAX | {
        "num_envs": 64, "num_steps": 64, "num_epochs": 8, "num_minibatches": 16, "learning_rate": 1.08e-4,
        "gamma": 0.98, "max_grad_norm": 0.5,
    },
    "brax/reacher": _BRAX | {
        "num_envs": 128, "num_steps": 128, "num_epochs": 8, "num_minibatches": 64, "learning_rate": 2.75e-4,
        "gamma": 0.95, "gae_lambda": 0.95, "max_grad_norm": 0.1,
    },
}  # fmt: skip
"""By purejaxrl, for MinAtar, and by rejax, for each task of Brax."""
TASKS: dict[str, Options] = PUBLISHED | {
    "CartPole-v1": DISCRETE | {"learning_rate": 1e-3, "anneal": True},
    "Asterix-MinAtar": DISCRETE | {"learning_rate": 2.5e-3, "anneal": True},
    # A step size of 5e-3 has twice the return on one seed, and nothing on another, whose policy it breaks.
    "Breakout-MinAtar": DISCRETE | {"learning_rate": 2.5e-3, "anneal": True},
    "Freeway-MinAtar": DISCRETE | {"learning_rate": 2.5e-3, "anneal": True},
    "Seaquest-MinAtar": DISCRETE | {"learning_rate": 5e-3, "anneal": True},
    "SpaceInvaders-MinAtar": DISCRETE | {"learning_rate": 2.5e-3, "anneal": True, "ent_coef": 0.03},
    "brax/hopper": CONTINUOUS | {"learning_rate": 1e-3},
    "brax/walker2d": CONTINUOUS | {"learning_rate": 2.5e-3, "anneal": True},
    "brax/inverted_double_pendulum": CONTINUOUS | {"learning_rate": 1e-3, "anneal": True},
    "brax/halfcheetah": CONTINUOUS | {"learning_rate": 1e-3},
    "brax/humanoid": CONTINUOUS | {"learning_rate": 1e-3},
    "brax/humanoidstandup": CONTINUOUS,
}
"""By task, complete: the best that `hades study tuning` found (docs/studies/tuning). For Ant and Reacher that was what
is published."""
SHAPES = (
    "num_envs", "num_steps", "num_epochs", "num_minibatches", "normalize_observations", "normalize_rewards",
)  # fmt: skip
"""What a program is compiled for; the other settings are its arguments."""


def per_iteration(settings: Options) -> int:
    """Environment steps of one iteration."""
    return settings["num_envs"] * settings["num_steps"]


def complete(task: ControlTask | str, own: Options = MappingProxyType({}), tuned: bool = True) -> dict[str, Any]:
    """All settings of a training: a task's, or the usual ones of its kind, and one's own in place of them.

    Args:
        task: or its name; one that has settings of its own need not be made for that.
        tuned: the task's, if there are any; otherwise, the usual ones.

    Raises:
        InputError: for a setting that there is not or cannot be, or minibatches that do not divide an iteration's
            steps.
    """
    known = TASKS.get(tasks.resolve(task) if isinstance(task, str) else task.name)
    if known is None or not tuned:
        known = DISCRETE if tasks.acting(task, "PPO is").spec.discrete else CONTINUOUS
    check_names(Settings, own, "PPO")
    chosen = {**known, **{name: check_value(Settings, name, value) for name, value in own.items()}}
    batch = chosen["num_envs"] * chosen["num_steps"]
    if batch % chosen["num_minibatches"]:
        raise InputError(f"{batch} steps an iteration cannot be split into {chosen['num_minibatches']} minibatches")
    return chosen
