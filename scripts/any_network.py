"""Pendulum's sixteen pairs for one kind of network, and for four of step sizes of their own, each in three minutes.

    python scripts/any_network.py        # docs/results/pendulum-16.safetensors and pendulum-16-any.safetensors
    hades study generalisation --datasets docs/results/pendulum-16.safetensors docs/results/pendulum-16-any.safetensors

Both train eight networks in each generation.
"""

import argparse
from pathlib import Path
from typing import Any

import hades

SHARED: dict[str, Any] = {
    "strategy": "ppo", "validate_every": 20,
    "strategy_options": {"environments": 32, "lr_decay": 0.9997, "gamma": 0.95},
    "learner": {"width": 64, "depth": 2, "activation": "relu", "learning_rate": 0.02},
}  # fmt: skip
SETS: dict[str, dict[str, Any]] = {
    "pendulum-16": {"inits": 8},
    "pendulum-16-any": {
        "inits": 2, "rate_spread": 2.0,
        "networks": ("mlp:64", "mlp:64+activation=relu", "mlp:32+activation=elu", "mlp:128x2+learning_rate=0.01"),
    },
}  # fmt: skip


def main() -> None:
    """Distil both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="of each")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    for name, own in SETS.items():
        result = hades.distill("pendulum", minutes=args.minutes, **SHARED, **own)
        result.dataset.save(args.out / f"{name}.safetensors")


if __name__ == "__main__":
    main()
