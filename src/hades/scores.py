"""Scores of networks that were trained alike, with the field's statistics; and whose networks they are."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hades import display
from hades.aliases import Json
from hades.metrics import RETURN, metric_of

BOOTSTRAPS = 2000


class Networks(NamedTuple):
    """Which networks were scored."""

    words: str = ""
    """For people and files; nothing to be said of fresh ones, where the dataset was distilled for such."""
    sampled: bool = True
    """Whether they are a sample, whose spread says how others would do."""


FRESH, OWN = Networks(), Networks("its own", sampled=False)
STRANGERS = Networks("fresh, which HaDES-F did not distil for")


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Scores of networks trained on one dataset.

    Attributes:
        returns: ``[inits, episodes]``: undiscounted returns; of images: accuracies, ``[inits, 1]``. What was not a
            finite number, of either sign, is minus infinity: the worst.
        metric: what they are.
        networks: whose.
    """

    returns: np.ndarray
    metric: str = RETURN.name
    networks: Networks = FRESH

    def __post_init__(self) -> None:
        object.__setattr__(self, "returns", np.where(np.isfinite(self.returns), self.returns, -np.inf))

    @property
    def diverged(self) -> int:
        """Scores that were not a finite number."""
        return int(np.count_nonzero(~np.isfinite(self.returns)))

    @property
    def mean(self) -> float:
        """Over all episodes of all networks."""
        return float(self.returns.mean())

    @property
    def std(self) -> float | None:
        """Standard deviation over all episodes of all networks; of a single score there is none."""
        return _std(self.returns) if self.returns.size > 1 else None

    @property
    def iqm(self) -> float:
        """Interquartile mean (Agarwal et al. 2021): the mean of the middle half of all returns."""
        return float(_iqm(self.returns.ravel()))

    @property
    def std_of_inits(self) -> float | None:
        """Standard deviation of the networks' means; of one network there is none."""
        return _std(self.returns.mean(1)) if len(self.returns) > 1 else None

    @property
    def over_networks(self) -> bool:
        """Whether the interval is over networks; where there is one, or no other is meant, it is over episodes."""
        return self.networks.sampled and len(self.returns) > 1

    @property
    def iqm_interval(self) -> tuple[float, float] | None:
        """95 % percentile interval of the interquartile mean, by a bootstrap; of a single score there is none."""
        draws = self.returns if self.over_networks else self.returns.T
        if len(draws) < 2:
            return None
        rng = np.random.default_rng(0)
        rows = rng.integers(len(draws), size=(BOOTSTRAPS, len(draws)))
        with np.errstate(invalid="ignore"):  # of the worst
            low, high = np.percentile(_iqm(draws[rows].reshape(BOOTSTRAPS, -1)), [2.5, 97.5])
        return float(low), float(high)

    def summary(self) -> Json:
        """All figures, as JSON; those that there are none of are null."""
        interval = self.iqm_interval
        return {
            "metric": self.metric,
            "mean": self.mean,
            "std": self.std,
            "std_of_inits": self.std_of_inits,
            "iqm": self.iqm,
            "iqm_interval": None if interval is None else list(interval),
            "min": float(self.returns.min()),
            "max": float(self.returns.max()),
            "inits": self.returns.shape[0],
            "episodes": self.returns.shape[1],
            "diverged": self.diverged,
            **({"networks": self.networks.words} if self.networks.words else {}),
            **({} if self.over_networks or interval is None else {"interval_over": "episodes"}),
        }

    def __str__(self) -> str:
        return metric_of(self.metric).sentence(self.summary())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return display.evaluation_in_html(self)


def _std(values: np.ndarray) -> float:
    """Not a number where a value is not finite."""
    return float(values.std()) if np.isfinite(values).all() else float("nan")


def _iqm(values: np.ndarray) -> np.ndarray:
    """Of the last axis; for a count not divisible by four the cut is at whole values."""
    values = np.sort(values, axis=-1)
    cut = values.shape[-1] // 4
    return values[..., cut : values.shape[-1] - cut].mean(-1)
