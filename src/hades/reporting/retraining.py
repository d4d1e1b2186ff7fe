"""What networks score that are trained without a pair, or for fewer steps."""

import math
from typing import NamedTuple

import numpy as np

from hades.aliases import Json
from hades.dataset import Dataset
from hades.metrics import metric_of
from hades.scores import BOOTSTRAPS, Evaluation

AT_MOST = 16
"""Pairs that are left out, each by itself."""
MOST = 0.9
"""Of what training gains, that counts as most of it."""


class Influence(NamedTuple):
    """Scores without each pair, of the same networks on the same episodes."""

    pairs: np.ndarray
    """``[M]``, which pairs were left out: of more than `AT_MOST` so many, evenly spread over the dataset."""
    whole: Evaluation
    """With all pairs."""
    without: tuple[Evaluation, ...]
    """M of them."""

    @property
    def interval(self) -> np.ndarray:
        """``[M, 2]``, of the mean without each, 95 %: by a bootstrap over networks, of one over its episodes."""
        return np.asarray([interval_of(each) for each in self.without])

    def words(self, dataset: Dataset) -> str:
        """What one sees."""
        number, means = metric_of(self.whole.metric).number, [each.mean for each in self.without]
        worst, least = int(np.argmin(means)), int(np.argmax(means))
        whose = _networks(self.whole)
        some = "of those left out " * (len(means) < len(dataset))
        kept = f"; without pair {self.pairs[least] + 1}, which {some}is missed least, {number(means[least])}"
        return (
            f"Without pair {self.pairs[worst] + 1} {whose} {number(means[worst])} instead of "
            f"{number(self.whole.mean)}{kept}. {counted(self.whole)}"
        )

    def facts(self) -> Json:
        """For a file."""
        rows = zip(self.pairs, self.without, self.interval, strict=True)
        pairs = [{"pair": int(i) + 1, "mean": each.mean, "interval": _known(ends)} for i, each, ends in rows]
        return {"metric": self.whole.metric, "whole": self.whole.mean, "pairs": pairs}


class Growth(NamedTuple):
    """Scores after more and more steps of training, of the same networks on the same episodes."""

    steps: tuple[int, ...]
    scores: tuple[Evaluation, ...]

    @property
    def means(self) -> np.ndarray:
        """``[K]``, over networks."""
        return np.asarray([each.mean for each in self.scores])

    @property
    def spreads(self) -> np.ndarray:
        """``[K]``, standard deviations of networks' means; of one network none."""
        return np.asarray([each.std_of_inits or 0.0 for each in self.scores])

    @property
    def quartiles(self) -> np.ndarray:
        """``[2, K]``: between which half of the networks are."""
        return np.percentile([each.returns.mean(1) for each in self.scores], [25, 75], axis=1)

    def words(self, dataset: Dataset) -> str:
        """What one sees."""
        del dataset
        number, means = metric_of(self.scores[0].metric).number, self.means
        gained = means >= means[0] + MOST * (means[-1] - means[0])
        first = self.steps[int(gained.argmax())]
        grown = f"; {MOST:.0%} of that is gained by step {first}" if means[-1] > means[0] and first else ""
        return (
            f"Before training {_networks(self.scores[0])} {number(means[0])}, after all {self.steps[-1]} steps "
            f"{number(means[-1])}{grown}. {counted(self.scores[0])}"
        )

    def facts(self) -> Json:
        """For a file."""
        return {
            "metric": self.scores[0].metric,
            "steps": list(self.steps),
            "mean": self.means.tolist(),
            "std_of_inits": [each.std_of_inits for each in self.scores],
        }


def counted(score: Evaluation) -> str:
    """What each mean is of, in a sentence."""
    metric, (inits, episodes) = metric_of(score.metric), score.returns.shape
    return f"Each mean is of {metric.counts({'inits': inits, 'episodes': episodes})}."


def _networks(score: Evaluation) -> str:
    """Whose they are, of which there may be one, and that they have a score."""
    kind, _, more = (score.networks.words or "fresh").partition(", ")
    known, several = f", {more}," if more else "", len(score.returns) > 1
    return f"{kind} networks{known} get" if several else f"{kind} network{known} gets"


def interval_of(score: Evaluation) -> tuple[float, float]:
    """95 % of the mean: by a bootstrap over networks, or over episodes where it is of one network; not numbers where
    it is of one score."""
    means = score.returns.mean(1) if score.over_networks else score.returns.mean(0)
    if len(means) < 2:
        return math.nan, math.nan
    rows = np.random.default_rng(0).integers(len(means), size=(BOOTSTRAPS, len(means)))
    with np.errstate(invalid="ignore"):  # of the worst
        low, high = np.percentile(means[rows].mean(1), [2.5, 97.5])
    return float(low), float(high)


def _known(ends: np.ndarray) -> list[float] | None:
    return ends.tolist() if np.isfinite(ends).all() else None


def left_out(size: int, most: int = AT_MOST) -> np.ndarray:
    """Which pairs of so many to leave out."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


def stops(epochs: int) -> tuple[int, ...]:
    """After how many steps of training to look.

    Examples:
        >>> stops(20)
        (0, 1, 2, 4, 8, 20)
    """
    doubled = [2**k for k in range(epochs.bit_length()) if 2**k <= 0.75 * epochs]
    return (0, *doubled, epochs)
