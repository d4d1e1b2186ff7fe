"""What a page says of a run or a dataset in words and tables."""

from typing import Any, NamedTuple

from hades.aliases import Json, Options
from hades.contents import generalisation_of, is_number, mapping
from hades.dataset import Dataset
from hades.display import action_in_words
from hades.evaluation import INITS
from hades.metrics import TEST, VALIDATION, Metric
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
        return "There is no dataset to show."
    many = f"These {len(of.dataset)} {of.metric.pairs}"
    if of.searched:
        many += ", found by a search and not recorded,"
    score = next((score for score in of.scores.values() if "mean" in score), None)
    if score is None:
        whose = "the search's own network, which it begins with," if of.own else "any fresh network"
        return f"{many} train {whose} by supervised learning. They have not been scored yet."
    level = f" The {of.level.words(of.init)}: {of.level.mean:,g} ± {of.level.std:,g}." if of.level else ""
    return f"{many} are a whole dataset. {_scored(of, score)}{level}"


def _scored(of: Subject, score: Json) -> str:
    """What networks have, of which there may be one, and what is behind it."""
    mean, spread = score["mean"], score.get("std_of_inits")
    who, have = "Networks that are trained on it and on nothing else", "have"
    if of.own:
        many = score.get("inits", 1) > 1
        kept, have = ("networks", "have") if many else ("network", "has")
        who = f"The {kept} that the search kept to (HaDES-F), trained on it and on nothing else,"
    words = f"{who} {have} a {of.metric.name} of"
    if mean is None:
        return f"{words} no finite number: training on it diverges for some."
    over = "" if spread is None else ", the mean ± standard deviation over networks"
    return f"{words} {of.metric.words(mean, spread)}{over}."


def measured(of: Subject) -> str:
    """What scores are of, in a table's caption."""
    whose, where = "fresh networks, which the search has not seen,", "fresh episodes, which it has not seen either"
    if of.own:
        whose, where = "the search's own networks (HaDES-F)", "fresh episodes, which it has not seen"
    if not of.metric.episodes:
        where = MEASURED.get(of.metric.name, "labelled images")
    return f"Scores of {whose} on {where}; mean ± standard deviation over networks, where there are several"


MEASURED = {
    VALIDATION.name: "images that are kept for validation: none of them is trained on, but the best dataset was "
    "chosen by them, which flatters it (hades evaluate has the test set)",
    TEST.name: "the test set, which it has not seen",
}
"""Which images, by the metric."""


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
    mean, whole = score["mean"], all(name in score for name in ("inits", "episodes"))
    share = None if mean is None or most <= least else (mean - least) / (most - least)
    return Score(
        networks=name,
        mean="no finite number" if mean is None else metric.over_networks(score),
        iqm=metric.number(score.get("iqm")) + (f" (95 %: {interval})" if interval else ""),
        range=" to ".join(metric.number(score[end]) for end in ("min", "max") if end in score),
        of=metric.counts(score) if whole else "",
        share=None if share is None else min(1.0, max(0.0, share)),
    )  # fmt: skip


def networks(of: Subject) -> tuple[str, str]:
    """What training gives, and what scoring scores, as code's comments say it."""
    where = "" if of.metric.episodes else " on the test set"
    if of.own:
        return "its own network (HaDES-F), after a second", f"what its own networks score{where}"
    return "a fresh network, after a second", f"what {INITS} others score{where}"


def in_a_table(dataset: Dataset) -> bool:
    """Whether its numbers are few enough for one, and the environment's; pictures and grids are none."""
    if dataset.online or dataset.parts:
        return False
    return dataset.states.ndim == 2 and len(dataset) <= ROWS and dataset.states.shape[1] <= COLUMNS


def table(dataset: Dataset) -> list[list[str]]:
    """The pairs as the environment has them, a row each, under a header; of many numbers there is none."""
    if not in_a_table(dataset):
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
    return of.metric.kept(generalisation_of(of.dataset.info)) if of.dataset else ""


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
        "networks": ("HaDES-F: its own" if of.own else "HaDES-R: fresh ones") if of.searched else None,
        "seed": info.get("seed", of.config.get("seed")),
        "recipe": _options(of.dataset.learner if of.dataset else mapping(of.config.get("learner"))),
        "begun": made.get("date"),
        "hardware": _options(mapping(made.get("hardware"))),
        "versions": _options(mapping(of.about.get("versions") or info.get("versions"))),
    }
    return [(name, str(value)) for name, value in known.items() if value not in (None, "")]


def _counted(number: Any) -> str | None:
    return f"{number:,}" if is_number(number) else None


def _options(options: Options) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())
