"""The page of a run, of a dataset, or of several side by side: one HTML file that needs nothing else."""

import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hades import runtime
from hades.dataset import AnyDataset, Dataset
from hades.errors import InputError
from hades.evaluation import Working
from hades.files import as_address, dumps, write_atomically
from hades.metrics import Metric
from hades.progress import silent
from hades.reporting.closer import Closer, Picture, closer
from hades.reporting.curves import axes_of, curve_in_words, curves, learning_curve
from hades.reporting.facts import Score, facts, generalisation, lead, scores, table
from hades.reporting.pictures import PICTURES
from hades.reporting.reproduction import command
from hades.reporting.style import svg
from hades.reporting.subject import Subject, subject

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

PAGE = "report.html"


class Part(NamedTuple):
    """What a page shows of one subject."""

    name: str
    title: str
    lead: str
    missing: Sequence[str]
    scores: Sequence[Score]
    curves: Sequence[Picture]
    curve: str
    picture: Picture | None
    """The pairs."""
    table: Sequence[Sequence[str]]
    closer: Closer
    generalisation: str
    facts: Sequence[tuple[str, str]]
    command: str
    config: str
    download: tuple[str, str] | None
    """The name of the dataset's file, and the file as an address."""


@runtime.in_32_bits
def report(
    source: AnyDataset,
    *others: AnyDataset,
    out: Path | str | None = None,
    quick: bool = False,
    working: Working = silent,
) -> Path:
    """Write one self-contained HTML page: what a run found, what a dataset is, or several compared.

    Args:
        source: a run's folder, finished, going on or damaged, or a dataset: itself, its file, its name in the zoo or
            its address on the hub.
        others: to compare it with.
        out: where; None writes ``report.html`` into a run's folder, ``NAME.html`` here for a dataset, and
            ``comparison.html`` here for several.
        quick: train no networks for it: without an episode in motion, and without what the pairs mean.
        working: entered with a line that says what goes on, while it does (`hades.progress.working` shows it).

    Returns:
        The page's path.

    Raises:
        InputError: where there is neither a run nor a dataset, or what is compared is scored by different metrics.
    """
    return written([subject(one) for one in (source, *others)], out, quick, working)


def written(
    every: Sequence[Subject], out: Path | str | None = None, quick: bool = False, working: Working = silent
) -> Path:
    """As `report`, of what has been read."""
    _one_kind_of_score(every)
    seen = [Closer() if quick else closer(one, f"s{number}", working=working) for number, one in enumerate(every)]
    return write_atomically(out or place(every), rendered(every, seen).encode())


def _one_kind_of_score(every: Sequence[Subject]) -> None:
    metrics = {one.metric.name for one in every}
    if len(metrics) > 1:
        raise InputError(f"what is compared must have one kind of score, not {' and '.join(sorted(metrics))}")


def place(every: Sequence[Subject]) -> Path:
    """Where a page goes that has been given none."""
    if len(every) > 1:
        return Path("comparison.html")
    return every[0].run / PAGE if every[0].run else Path(re.sub(r"[^\w.-]+", "-", every[0].name) + ".html")


def rendered(every: Sequence[Subject], seen: Sequence[Closer] = (), live: bool = False) -> str:
    """A page's HTML.

    Args:
        seen: of each subject what trained networks have shown, if that was looked at.
        live: it looks for a newer one now and then, where it came from.
    """
    seen = seen or [Closer()] * len(every)
    parts = [_part(one, f"s{number}", seen[number]) for number, one in enumerate(every)]
    title = parts[0].title if len(parts) == 1 else f"{len(parts)} compared: {', '.join(one.name for one in parts)}"
    together = _together(every) if len(every) > 1 else []
    return _templates().get_template("page.html").render(parts=parts, title=title, together=together, live=live)


def _part(of: Subject, name: str, seen: Closer) -> Part:
    """What there is to show of a subject; what there is not is left out."""
    return Part(
        name=of.name,
        title=f"{of.task or 'A dataset'}: {_size(of)} {of.metric.pairs}",
        lead=lead(of),
        missing=of.missing + seen.missing,
        closer=seen,
        scores=scores(of),
        curves=_curves(of, name),
        curve=curve_in_words(of.metrics, of.metric),
        picture=_picture(of, of.dataset, name) if of.dataset else None,
        table=table(of.dataset) if of.dataset else (),
        generalisation=generalisation(of),
        facts=facts(of),
        command=command(of.about) if of.config else "",
        config=dumps(of.config, indent=2) if of.config else "",
        download=_download(of.name, of.dataset) if of.dataset else None,
    )


def _size(of: Subject) -> str:
    return str(len(of.dataset) if of.dataset else of.config.get("size", "no"))


def _picture(of: Subject, dataset: Dataset, name: str) -> Picture:
    words = f"The {_size(of)} {of.metric.pairs}; their numbers are in the table below."
    return Picture("The pairs", svg(PICTURES[of.metric.picture](dataset, of.snapshots), words, f"{name}-pairs"), words)


def _curves(of: Subject, name: str) -> list[Picture]:
    """A run's curve against all that it can be drawn against."""
    if not of.metrics:
        return []
    words = curve_in_words(of.metrics, of.metric)
    return _against(
        partial(learning_curve, of.metrics, of.metric, level=of.level, init=of.init), of.metric, words, name
    )


def _together(every: Sequence[Subject]) -> list[Picture]:
    """Curves of several runs in one figure."""
    runs = {one.name: one.metrics for one in every if one.metrics}
    if not runs:
        return []
    metric = every[0].metric
    words = "; ".join(f"{name}: {curve_in_words(rows, metric)}" for name, rows in runs.items())
    return _against(partial(curves, runs, metric), metric, words, "all")


def _against(draw: Callable[..., "Figure"], metric: Metric, words: str, name: str) -> list[Picture]:
    """A curve against all that it can be drawn against."""
    names = {against: f"{name}-{against}" for against in axes_of(metric)}
    return [Picture(each, svg(draw(against=each), words, named), words, named) for each, named in names.items()]


def _download(name: str, dataset: Dataset) -> tuple[str, str]:
    return f"{name}.safetensors", as_address(dataset.packed(), "application/octet-stream")


@cache
def _templates() -> "Environment":
    """What comes from files is escaped, but for what is drawn here."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("hades.reporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
