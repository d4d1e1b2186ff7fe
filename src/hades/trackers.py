"""Trackers that watch a run: TensorBoard and Weights & Biases."""

from collections.abc import Sequence

from hades.errors import InputError, MissingExtra
from hades.runs import Row, Run

TRACKERS = {"tensorboard": "tensorboardX", "wandb": "wandb"}
"""By name: the module."""


class Trackers:
    """TensorBoard and W&B, imported only when asked for; `check_trackers` says beforehand whether they can be."""

    def __init__(self, names: Sequence[str], run: Run) -> None:
        self.tensorboard = self.wandb = None
        if "tensorboard" in names:
            from tensorboardX import SummaryWriter

            self.tensorboard = SummaryWriter(str(run.path / "tensorboard"))
        if "wandb" in names:
            import wandb

            self.wandb = wandb.init(
                project="hades",
                name=run.path.name,
                dir=str(run.path),
                config=dict(run.about),
                settings=wandb.Settings(silent=True),
            )

    def log(self, rows: Sequence[Row]) -> None:
        """A run's metrics, by their generation."""
        for row in rows:
            numbers = {k: v for k, v in row.items() if k != "generation" and v is not None}
            if self.tensorboard is not None:
                for name, value in numbers.items():
                    self.tensorboard.add_scalar(name, value, row["generation"])
            if self.wandb is not None:
                self.wandb.log(numbers, step=row["generation"])

    def close(self) -> None:
        """Nothing more comes."""
        if self.tensorboard is not None:
            self.tensorboard.close()
        if self.wandb is not None:
            self.wandb.finish()


def check_trackers(names: Sequence[str]) -> None:
    """Raise unless every tracker is known and installed."""
    from importlib.util import find_spec

    for name in names:
        if name not in TRACKERS:
            raise InputError(f"unknown tracker '{name}'; choose one of {', '.join(TRACKERS)}")
        if find_spec(TRACKERS[name]) is None:
            raise MissingExtra(name, name)
