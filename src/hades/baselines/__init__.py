"""What distillation is compared with: ES on a network's weights, PPO, images that nobody distilled."""

from dataclasses import dataclass
from typing import Any

from hades.errors import InputError


@dataclass(frozen=True, eq=False)
class Result:
    """What `evolve_weights` and `train_ppo` return.

    Attributes:
        params: one network's parameters: of the search's last centre, of PPO's actor.
        normaliser: of the observations that the network wants, a `hades.normalisers.Normaliser`.
        evaluation: its returns over fresh episodes, a `hades.Evaluation`.
        metrics: one row a generation, or a scoring of PPO: ``env_steps_total``, ``seconds`` of searching (compilation
            is none of them), what it scored.
    """

    params: Any
    normaliser: Any
    evaluation: Any
    metrics: list[dict[str, Any]]


def check_budget(**limits: float | None) -> dict[str, float]:
    """The one limit of a budget that was given, infinity for the others."""
    if sum(limit is not None for limit in limits.values()) != 1:
        raise InputError(f"give the budget as {' or as '.join(limits)}, one of them")
    return {name: float("inf") if limit is None else limit for name, limit in limits.items()}
