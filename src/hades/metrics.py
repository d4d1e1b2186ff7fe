"""Metrics: what a score is, and how people are told it."""

import dataclasses
import math
from dataclasses import dataclass

from hades.aliases import Options


@dataclass(frozen=True)
class Metric:
    """What a score measures. Scores are maximised.

    Attributes:
        name: as files and ``--json`` have it.
        unit: of a score, where it has one.
        digits: behind the point, for people.
        episodes: whether each network has a score an episode, or one of its whole data.
        chance: the score of guessing, where it is known beforehand.
        ceiling: the best score that there can be, where there is one.
        searched: what a search is scored by while this is what it is judged by.
        counted: what a budget's steps are.
        pairs: what a dataset's pairs are called.
        picture: of `hades.reporting.pictures.PICTURES`: how a dataset is drawn.
    """

    name: str
    unit: str = ""
    digits: int = 1
    episodes: bool = True
    chance: float | None = None
    ceiling: float | None = None
    searched: str = "return"
    counted: str = "environment steps"
    pairs: str = "state-action pairs"
    picture: str = "pairs"

    @property
    def own_panel(self) -> bool:
        """Whether it is on another scale than what the search is scored by."""
        return self.searched != self.name

    def number(self, value: float | None) -> str:
        """A score for people; what is not a finite number, which files have as null, is none."""
        return "none" if value is None or not math.isfinite(value) else f"{value:.{self.digits}f}"

    def words(self, mean: float | None, spread: float | None) -> str:
        """``mean ± spread``, where there is one."""
        return self.number(mean) + ("" if spread is None else f" ± {self.number(spread)}")

    def kept(self, known: Options) -> str:
        """For how many other settings a dataset works, as the study generalisation found; or nothing."""
        if not known:
            return ""
        chance = "random actions" if self.episodes else "guessing"
        return (
            f"Of {known['settings']} other networks and ways of training, each with one or two parts changed, "
            f"{known['share']:.0%} keep {known['within']:.0%} of what its own recipe gains over {chance}."
        )

    def over_networks(self, score: Options) -> str:
        """An evaluation's mean, and its standard deviation over networks where there are several."""
        words = self.words(score["mean"], score.get("std_of_inits"))
        return words if score.get("std_of_inits") is None else f"{words} over networks"

    def spread(self, score: Options) -> str:
        """An evaluation's mean and standard deviations: of networks, and of all episodes where each played several."""
        words, std = self.over_networks(score), score["std"] if score["episodes"] > 1 else None
        comma = "" if std is None or score["std_of_inits"] is None else ","
        return words if std is None else f"{words}{comma} ± {self.number(std)} over episodes"

    def sentence(self, score: Options) -> str:
        """An evaluation's summary on one line."""
        iqm, least, most = (self.number(score[name]) for name in ("iqm", "min", "max"))
        interval = ", ".join(map(self.number, score["iqm_interval"] or ()))
        iqm += f" [{interval}]" if interval else ""
        return f"{self.name} {self.spread(score)}   IQM {iqm}   min {least}   max {most}   ({self.counts(score)})"

    def counts(self, score: Options) -> str:
        """Of what an evaluation's summary is."""
        inits = score["inits"]
        each = f" × {score['episodes']} episode{'s' if score['episodes'] > 1 else ''}" if self.episodes else ""
        whose = f", {score['networks']}" if "networks" in score else ""
        over = f"; interval over {score['interval_over']}" if "interval_over" in score else ""
        lost = (
            f"; {score['diverged']} of {inits * score['episodes']} scores not finite" if score.get("diverged") else ""
        )
        return f"{inits} network{'s' if inits > 1 else ''}{each}{whose}{over}{lost}"


RETURN = Metric("return")
"""The undiscounted sum of an episode's rewards."""
LOSS = Metric(
    "minus loss", unit="nats", digits=4, ceiling=0.0, searched="minus loss", counted="labelled images looked at",
    pairs="images", picture="contact sheet",
)  # fmt: skip
"""On labelled images, one an episode."""
ACCURACY = dataclasses.replace(LOSS, name="accuracy", unit="share of images", episodes=False, ceiling=1.0)
VALIDATION = dataclasses.replace(ACCURACY, name="validation accuracy")
TEST = dataclasses.replace(ACCURACY, name="test accuracy")

METRICS = {metric.name: metric for metric in (RETURN, LOSS, ACCURACY, VALIDATION, TEST)}


def metric_of(name: str | None) -> Metric:
    """By the name that a file has for it; files from before there were several have none."""
    return METRICS[name or RETURN.name] if name in (None, *METRICS) else Metric(name or "")
