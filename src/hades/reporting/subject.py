"""What a page is of: a run, finished, going on or damaged, or a dataset by itself."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from hades import checkpoints, journal, manifest
from hades.aliases import Json
from hades.contents import is_count, mapping, scores_of
from hades.dataset import FILE, AnyDataset, Dataset, as_dataset
from hades.errors import InputError
from hades.evaluation import task_of
from hades.files import in_shell, reason
from hades.metrics import Metric, metric_of
from hades.remote import is_address
from hades.reporting.published import Level, published
from hades.runs import CHECKPOINTS, METRICS, Row, Run, read_snapshots
from hades.tasks.base import Task


@dataclass(frozen=True)
class Subject:
    """What there is to show.

    Attributes:
        name: as its reader calls it.
        dataset: the best so far; None before there is one, or where it is damaged.
        about: what a run's folder says of itself; empty for a dataset by itself.
        metrics: a run's, a row a generation.
        snapshots: a run's datasets on the way, by generation.
        run: the run's folder, if it is one.
        missing: what should be there and is not, each in a sentence.
    """

    name: str
    dataset: Dataset | None
    about: Json = field(default_factory=dict)
    metrics: list[Row] = field(default_factory=list)
    snapshots: dict[int, Dataset] = field(default_factory=dict)
    run: Path | None = None
    missing: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """Its name; empty where nothing says it."""
        return (self.dataset.task if self.dataset else "") or self.about.get("task", "")

    @property
    def searched(self) -> bool:
        """Whether a search found its pairs, as far as that is known."""
        return bool(self.config or (self.dataset and {"card", "generations"} & self.dataset.info.keys()))

    def played(self) -> Task | None:
        """The task of its dataset, made again, with where a run's files lie; of a union none.

        Raises:
            InputError: where it cannot be made.
        """
        if self.dataset is None or self.dataset.parts:
            return None
        return task_of(self.dataset, place=self.run)

    @property
    def metric(self) -> Metric:
        """What its scores are: by its dataset or, where that is not there, by what it was on the way, or the run."""
        for one in (self.dataset, *reversed(self.snapshots.values())):
            if one is not None:
                return one.metric
        named = self.about.get("metric")
        return metric_of(named if isinstance(named, str) else None)

    @property
    def own(self) -> bool:
        """Whether its networks are its own (HaDES-F), of which others are no sample."""
        return "init_key" in self.dataset.info if self.dataset else self.init == "fixed"

    @property
    def config(self) -> Json:
        """A run's options."""
        return mapping(self.about.get("config"))

    @property
    def init(self) -> str:
        """Whether it is of HaDES-R (random) or HaDES-F (fixed)."""
        known = self.config or (self.dataset.info if self.dataset else {})
        return "fixed" if known.get("init") == "fixed" else "random"

    @property
    def level(self) -> Level | None:
        """The paper's, where it has one."""
        size = len(self.dataset) if self.dataset else self.config.get("size")
        return published(self.task, self.init, size if is_count(size) else 1)

    @property
    def scores(self) -> dict[str, Json]:
        """What it scores, by the networks that it was scored on."""
        return scores_of(self.dataset.info) if self.dataset else {}


def subject(source: AnyDataset) -> Subject:
    """What is to be shown, from a dataset, a run's folder, a file, a name of the zoo, or an address on the hub.

    Raises:
        InputError: where there is neither a run nor a dataset.
    """
    if isinstance(source, Dataset):
        return Subject(source.task or "a dataset", source)
    if os.path.isdir(source):
        return _of_folder(Path(source))
    return Subject(name_of(source), as_dataset(source))


def name_of(source: str | os.PathLike[str]) -> str:
    """What a run, a file, a dataset of the zoo or one on the hub is called, without where it is."""
    name = Path(source).resolve().name
    return (name.partition("@")[0] if is_address(source) else name).removesuffix(".safetensors")


def _of_folder(folder: Path) -> Subject:
    """Whatever of a run can be read, each part by itself; what cannot is missing."""
    missing: list[str] = []
    about = _about(folder, missing)
    metrics = _metrics(folder, missing)
    kept = _checkpoints(folder, bool(about and metrics), missing)
    dataset = _dataset(folder, kept, bool(metrics), missing)
    known = Subject(name_of(folder), dataset, about, metrics, _snapshots(folder, missing), folder)
    if not about and known.dataset is None and not known.metrics:
        raise InputError(f"{folder} is neither a run's folder nor holds a dataset; {missing[0]}")
    return replace(known, missing=tuple(missing))


def _about(folder: Path, missing: list[str]) -> Json:
    """What the run was."""
    try:
        run = Run.open(folder)
    except InputError as error:
        missing.append(f"What the run was is not known: {error}.")
        return {}
    if not manifest.whole(run.manifest):
        missing.append(f"{run.manifest.name} is missing or damaged: what the run was is told by its last checkpoint.")
    return dict(run.about)


def _metrics(folder: Path, missing: list[str]) -> list[Row]:
    """How the run went."""
    file, none = folder / METRICS, "there is no learning curve"
    try:
        rows, odd = journal.read(file)
    except InputError as error:
        missing.append(f"How the run went cannot be read: {error}; {none}.")
        return []
    if odd:
        rest = "is cut off or damaged, and left out" if odd == 1 else "are cut off or damaged, and left out"
        missing.append(f"{odd:,} line{'s' if odd > 1 else ''} of {file.name} {rest}{'' if rows else f': {none}'}.")
    elif not rows:
        missing.append(f"No generation is on record{'' if file.exists() else f' ({file.name} is not there)'}: {none}.")
    return rows


def _checkpoints(folder: Path, begun: bool, missing: list[str]) -> list[int]:
    """The generations from which it can go on."""
    try:
        kept = checkpoints.generations(folder / CHECKPOINTS)
    except OSError as error:
        missing.append(f"The checkpoints cannot be read: {reason(error)}.")
        return []
    if begun and not kept:
        missing.append("There is no checkpoint any more: hades resume begins again.")
    for generation in kept:
        if checkpoints.damaged(folder / CHECKPOINTS, generation):
            missing.append(f"The checkpoint of generation {generation:,} is damaged, or cannot be read.")
    return kept


def _dataset(folder: Path, kept: list[int], begun: bool, missing: list[str]) -> Dataset | None:
    """The best so far."""
    file = folder / FILE
    try:
        return as_dataset(file)
    except InputError as error:
        if file.exists():
            missing.append(f"The dataset cannot be read: {error}.")
        elif kept and begun:
            missing.append(f"{FILE} was there and is gone: hades resume {in_shell(folder)} writes it again.")
        elif begun:
            missing.append(f"{FILE} was there and is gone, and no checkpoint has it either.")
        else:
            missing.append("There is no dataset yet: no generation has ended.")
    return None


def _snapshots(folder: Path, missing: list[str]) -> dict[int, Dataset]:
    """What was best on the way."""
    found, bad = read_snapshots(folder)
    if bad:
        missing.append(f"Of what was best on the way, this cannot be read: {', '.join(bad)}.")
    return found
