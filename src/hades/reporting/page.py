"""The page of a run, of a dataset, or of several side by side: one HTML file that needs nothing else."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hades import runtime
from hades.dataset import AnyDataset, Dataset
from hades.errors import InputError
from hades.evaluation import Working
from hades.files import as_address, dumps, write_atomically
from hades.metrics import Metric
from hades.progress import silent
from hades.reporting.closer import Closer, Picture, closer
from hades.reporting.curves import axes_of, curve_in_words, curves, learning_curve
from hades.reporting.facts import Score, facts, generalisation, lead, measured, networks, scores, table
from hades.reporting.pictures import PICTURES
from hades.reporting.reproduction import command, inexact
from hades.reporting.style import svg
from hades.reporting.subject import Subject, subject
from hades.runs import PAGE

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

MOST = 5_000_000
"""Bytes of a page."""


class Part(NamedTuple):
    """What a page shows of one subject."""

    name: str
    title: str
    lead: str
    missing: Sequence[str]
    scores: Sequence[Score]
    measured: str
    """What these are of."""
    curves: Sequence[Picture]
    curve: str
    picture: Picture | None
    """The pairs."""
    table: Sequence[Sequence[str]]
    closer: Closer
    generalisation: str
    facts: Sequence[tuple[str, str]]
    command: str
    inexact: str
    """Why the command may give another dataset."""
    config: str
    download: tuple[str, str] | None
    """The name of the dataset's file, and the file as an address; an empty one where it is too large for a page."""
    acts: bool
    """Whether networks are policies."""
    networks: tuple[str, str]
    """What training gives, and what scoring scores."""
    several: bool
    """Tasks."""


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
    """A page's HTML, from which what is largest is left out until it is small enough, and said so.

    Args:
        seen: of each subject what trained networks have shown, if that was looked at.
        live: it looks for a newer one now and then, where it came from.
    """
    seen = seen or [Closer()] * len(every)
    parts = [_part(one, f"s{number}", seen[number]) for number, one in enumerate(every)]
    title = parts[0].title if len(parts) == 1 else f"{len(parts)} compared: {', '.join(one.name for one in parts)}"
    together = _together(every) if len(every) > 1 else []
    template = _templates().get_template("page.html")
    while True:
        page = template.render(parts=parts, title=title, together=together, live=live)
        if len(page.encode()) <= MOST:
            return page
        heavy = [one for number, part in enumerate(parts) for one in _lighter(number, part)]
        if not heavy:
            return page
        _, number, part = max(heavy, key=lambda one: one[0])
        parts[number] = part


def _lighter(number: int, part: Part) -> Iterator[tuple[int, int, Part]]:
    """What a part can do without: how large that is, the part's number, and the part without it."""
    closer, limit = part.closer, f"the page would be larger than {MOST / 1e6:g} MB"

    def without(drawn: str, said: str, **rest: Any) -> tuple[int, int, Part]:
        return len(drawn), number, part._replace(missing=[*part.missing, f"{said}: {limit}."], **rest)

    if closer.motion:
        said = "There is no moving picture (hades render makes one)"
        yield without(closer.motion.drawn, said, closer=closer._replace(motion=None))
    if part.download and part.download[1]:
        name, address = part.download
        said = f"The file {name} ({len(address) * 0.75e-6:.1f} MB) is not in the page"
        yield without(address, said, download=(name, ""))
    if part.picture:
        yield without(part.picture.drawn, "There is no picture of the pairs", picture=None)
    if closer.pictures:
        said = "What the pairs mean is not drawn (hades explain --out does)"
        yield without("".join(one.drawn for one in closer.pictures), said, closer=closer._replace(pictures=()))


def _part(of: Subject, name: str, seen: Closer) -> Part:
    """What there is to show of a subject; what there is not is left out."""
    missing, again = [*of.missing, *seen.missing], ""
    try:
        again = command(of.about) if of.config else ""
    except InputError as error:
        missing.append(f"What distils it again is not known: {error}.")
    numbers = table(of.dataset) if of.dataset else []
    return Part(
        name=of.name,
        title=f"{of.task or 'A dataset'}: {_size(of)} {of.metric.pairs}",
        lead=lead(of),
        missing=missing,
        closer=seen,
        scores=scores(of),
        measured=measured(of),
        curves=_curves(of, name),
        curve=curve_in_words(of.metrics, of.metric),
        picture=_picture(of, of.dataset, name, bool(numbers)) if of.dataset else None,
        table=numbers,
        generalisation=generalisation(of),
        facts=facts(of),
        command=again,
        inexact=inexact(of.about),
        config=dumps(of.config, indent=2) if of.config else "",
        download=_download(of.name, of.dataset) if of.dataset else None,
        acts=of.metric.episodes and not (of.dataset and (of.dataset.online or of.dataset.parts)),
        networks=networks(of),
        several=bool(of.dataset and of.dataset.parts),
    )


def _size(of: Subject) -> str:
    return str(len(of.dataset) if of.dataset else of.config.get("size", "no"))


def _picture(of: Subject, dataset: Dataset, name: str, numbers: bool) -> Picture:
    figure, shown = PICTURES[of.metric.picture](dataset, of.snapshots)
    which = f"The {shown}" if shown == len(dataset) else f"The first {shown} of the {len(dataset):,}"
    words = f"{which} {of.metric.pairs}{'; their numbers are in the table below' if numbers else ''}."
    return Picture("The pairs", svg(figure, words, f"{name}-pairs"), words)


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
    drawn = [one for one in every if one.metrics]
    alike = len({one.name for one in drawn}) < len(drawn)
    runs = {str(one.run) if alike and one.run else one.name: one.metrics for one in drawn}
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
