"""What a page says of a run or a dataset in words and tables."""

from typing import NamedTuple

from hades.aliases import Json, Options
from hades.contents import mapping
from hades.dataset import Dataset
from hades.display import action_in_words
from hades.metrics import Metric
from hades.progress import lasting
from hades.reporting.pictures import raw_or_normalised
from hades.reporting.subject import Subject
from hades.units import named_or_numbered

ROWS, COLUMNS = 64, 40
"""Of a table of pairs, at most."""


class Score(NamedTuple):
    """What networks of one kind score."""

    networks: str
    mean: str
    iqm: str
    range: str
    of: str
    share: float | None
    """Of the best that there is to show, for a bar."""


def lead(of: Subject) -> str:
    """The page in a sentence or two."""
    if of.dataset is None:
        return "The search has not written a dataset yet."
    many = f"These {len(of.dataset)} {of.metric.pairs}"
    if of.config or {"card", "generations"} & of.dataset.info.keys():
        many += ", found by a search and not recorded,"
    known = [score for score in of.scores.values() if score]
    if not known:
        return f"{many} train any fresh network by supervised learning. They have not been scored yet."
    score = known[0]
    words = of.metric.words(score.get("mean"), score.get("std_of_inits"))
    level = f" The {of.level.words(of.init)}: {of.level.mean:,g} ± {of.level.std:,g}." if of.level else ""
    return (
        f"{many} are a whole dataset. Networks that are trained on it and on nothing else have a {of.metric.name} of "
        f"{words}, the mean ± standard deviation over networks.{level}"
    )


def scores(of: Subject) -> list[Score]:
    """A row for each kind of networks that it was scored on."""
    known = {name: score for name, score in of.scores.items() if "mean" in score}
    least = of.metric.chance or 0.0
    others = [of.level.mean] if of.level else []
    most = max([score["mean"] or 0 for score in known.values()] + others, default=0)
    if len(known) + len(others) < 2:  # nothing that a bar would compare it with
        most = least
    return [_score(name, score, of.metric, least, most) for name, score in known.items()]


def _score(name: str, score: Json, metric: Metric, least: float, most: float) -> Score:
    interval = " to ".join(map(metric.number, score.get("iqm_interval") or ()))
    spread = score.get("std_of_inits")
    share = ((score["mean"] or 0) - least) / (most - least) if most > least else None
    return Score(
        networks=name,
        mean=metric.words(score["mean"], spread) + (" over networks" if spread is not None else ""),
        iqm=metric.number(score.get("iqm")) + (f" (95 %: {interval})" if interval else ""),
        range=" to ".join(metric.number(score[end]) for end in ("min", "max") if end in score),
        of=metric.counts(score | {"inits": score.get("inits", 1), "episodes": score.get("episodes", 1)}),
        share=None if share is None else min(1.0, max(0.0, share)),
    )


def table(dataset: Dataset) -> list[list[str]]:
    """The pairs as the environment has them, a row each, under a header; of pictures and grids there is none."""
    if dataset.states.ndim != 2 or len(dataset) > ROWS or sum(dataset.states.shape[1:]) > COLUMNS:
        return []
    observations, actions = raw_or_normalised(dataset)
    names = named_or_numbered(dataset.units.observations, observations.shape[1])
    if dataset.spec.discrete:
        header, done = ["action"], [[action_in_words(dataset, row)] for row in actions]
    else:
        called = named_or_numbered(dataset.units.actions, actions.shape[1])
        header = [f"action: {name}" for name in called]  # as joints' angles are called, too
        done = [[f"{value:.3g}" for value in row] for row in actions]
    rows = [first + [f"{value:.3g}" for value in row] for row, first in zip(observations, done, strict=True)]
    return [["pair", *header, *names], *([str(number), *row] for number, row in enumerate(rows, 1))]


def generalisation(of: Subject) -> str:
    """How many other networks and ways of training the dataset works for, where that was looked at."""
    known = mapping(mapping(of.dataset.info.get("card")).get("generalisation")) if of.dataset else {}
    if not {"share", "settings", "within"} <= known.keys():
        return ""
    return (
        f"Of {known['settings']} other networks and ways of training, each with one or two parts changed, "
        f"{known['share']:.0%} reach {known['within']:.0%} of its own recipe's {of.metric.name}."
    )


def facts(of: Subject) -> list[tuple[str, str]]:
    """How it was made."""
    info = of.dataset.info if of.dataset else {}
    made = mapping(of.about.get("made"))
    last = of.metrics[-1] if of.metrics else {}
    known = {
        "task": of.task,
        "made by": mapping(info.get("card")).get("made"),
        "generations": _counted(last.get("generation", info.get("generations"))),
        of.metric.counted: _counted(last.get("env_steps_total", info.get("env_steps"))),
        "time of searching": lasting(last["seconds"]) if last else None,
        "networks": "HaDES-F: its own" if of.init == "fixed" else "HaDES-R: fresh ones",
        "seed": info.get("seed", of.config.get("seed")),
        "recipe": _options(of.dataset.learner if of.dataset else of.config.get("learner", {})),
        "begun": made.get("date"),
        "hardware": _options(mapping(made.get("hardware"))),
        "versions": _options(mapping(of.about.get("versions") or info.get("versions"))),
    }
    return [(name, str(value)) for name, value in known.items() if value not in (None, "")]


def _counted(number: float | None) -> str | None:
    return None if number is None else f"{number:,}"


def _options(options: Options) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())
