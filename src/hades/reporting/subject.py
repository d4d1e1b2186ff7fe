"""What a page is of: a run, finished, going on or damaged, or a dataset by itself."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from hades import journal
from hades.aliases import Json
from hades.contents import mapping, scores_of
from hades.dataset import FILE, AnyDataset, Dataset, as_dataset
from hades.errors import InputError
from hades.metrics import RETURN, Metric
from hades.reporting.published import Level, published
from hades.runs import Row, Run


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
    def metric(self) -> Metric:
        """What its scores are."""
        return self.dataset.metric if self.dataset else RETURN

    @property
    def config(self) -> Json:
        """A run's options."""
        return self.about.get("config", {})

    @property
    def init(self) -> str:
        """Whether it is of HaDES-R (random) or HaDES-F (fixed)."""
        known = self.config or (self.dataset.info if self.dataset else {})
        return "fixed" if known.get("init") == "fixed" else "random"

    @property
    def level(self) -> Level | None:
        """The paper's, where it has one."""
        size = len(self.dataset) if self.dataset else self.config.get("size", 1)
        return published(self.task, self.init, size)

    @property
    def scores(self) -> dict[str, Json]:
        """What it scores, by the networks that it was scored on."""
        return {name: mapping(score) for name, score in scores_of(self.dataset.info).items()} if self.dataset else {}


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
    return Path(source).resolve().name.partition("@")[0].removesuffix(".safetensors")


def _of_folder(folder: Path) -> Subject:
    """Whatever of a run can be read; what cannot is missing."""
    missing, about, metrics, snapshots, dataset = [], {}, [], {}, None
    run: Run | None = None
    try:
        run = Run.open(folder)
        about, snapshots = dict(run.about), run.snapshots()
        metrics, odd = journal.read(run.journal.file)
        if odd:
            missing.append(f"{odd} lines of {run.journal.file.name} are cut off or damaged, and left out.")
        elif not metrics:
            missing.append("No generation is on record: there is no learning curve.")
    except InputError as error:
        missing.append(f"What the run was is not known: {error}.")
    try:
        dataset = as_dataset(folder / FILE)
    except InputError as error:
        missing.append(
            f"The dataset cannot be read: {error}."
            if (folder / FILE).exists()
            else "There is no dataset yet: the run has not reached its first checkpoint."
        )
    if run is None and dataset is None:
        raise InputError(f"{folder} is neither a run's folder nor holds a dataset; {missing[0]}")
    return Subject(name_of(folder), dataset, about, metrics, snapshots, folder, tuple(missing))
