"""The paper's experiments, and what a distilled dataset is good for: one module each, `hades study NAME`.

A study is a list of cells, each done on its own. ``results.json`` is written after every cell, so that a study that
was interrupted goes on with the cells that it lacks; distillations inside a cell are runs, and go on likewise. A cell
names all that its result depends on: after a change of settings, cells that are still asked for are not done again.
"""

import dataclasses
import importlib
import json
import math
import platform
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hades import tables
from hades.dataset import write_atomically
from hades.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hades.evaluation import Evaluation
    from hades.tasks import Task
    from hades.tasks.control import ControlTask

Cell = dict[str, Any]
Row = dict[str, Any]
"""A cell with its result, as JSON."""

STUDIES = {
    "comparison": "HaDES-R, HaDES-F, ES on the weights and PPO (Figures 2 and 3)",
    "generalisation": "one dataset, many networks and recipes (Figure 4, Appendix C.2)",
    "budget": "how many pairs it takes (Appendix C.1)",
    "multitask": "one agent from the datasets of several tasks (Section 5.3)",
    "cost": "time a generation, and when distilling pays off (Table 4)",
    "architectures": "architecture search on a dataset against the same by PPO",
    "continual": "a sequence of tasks, with and without rehearsing the pairs",
}
EVALUATION_SEED = 1_000
"""Of scores; nothing is distilled or chosen with it."""
ONE_SEARCH: dict[str, Any] = {"searches": 1, "curriculum": None}
"""Of whole episodes: what a distillation is compared by, whatever its preset."""
KEPT = ("mean", "std_of_inits", "iqm", "iqm_interval", "min", "inits", "episodes")
"""Of an evaluation's summary, in rows and on cards."""


@dataclass(frozen=True, kw_only=True)
class Study(ABC):
    """The settings of one experiment, at laptop scale by default.

    Attributes:
        paper: the settings that differ at the paper's scale.
    """

    paper: ClassVar[dict[str, Any]] = {}
    seeds: int = 3

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    @abstractmethod
    def cells(self) -> list[Cell]:
        """What is to be done, in order."""

    @abstractmethod
    def run(self, cell: Cell, folder: Path) -> dict[str, Any]:
        """The result of one cell, as JSON; runs go into the folder."""

    @abstractmethod
    def figure(self, rows: Sequence[Row]) -> "Figure":
        """The picture of the rows that there are."""

    @abstractmethod
    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        """The rows for people: a header, then lines."""


def make(name: str, preset: str = "laptop", **options: Any) -> Study:
    """A study by name.

    Args:
        preset: ``"laptop"`` or ``"paper"``; options replace its settings.

    Raises:
        InputError: for an unknown study, preset or option.
    """
    kind = kind_of(name)
    if preset not in ("laptop", "paper"):
        raise InputError(f"unknown preset '{preset}'; choose one of laptop, paper")
    known = {f.name for f in dataclasses.fields(kind)}
    if unknown := sorted(set(options) - known):
        raise InputError(f"the study {name} has no option '{unknown[0]}'; it has {', '.join(sorted(known))}")
    study = kind(**{**(kind.paper if preset == "paper" else {}), **options})
    if study.seeds < 1:
        raise InputError(f"seeds must be at least 1, not {study.seeds}")
    return study


def kind_of(name: str) -> type[Study]:
    """The class of a study.

    Raises:
        InputError: for a study that there is not.
    """
    if name not in STUDIES:
        raise InputError(f"unknown study '{name}'; choose one of {', '.join(STUDIES)}")
    return getattr(importlib.import_module(f"hades.studies.{name}"), name.capitalize())


def conduct(study: Study, out: Path, progress: bool = True) -> list[Row]:
    """Do the cells that ``out/results.json`` lacks; then draw ``figure.png``, ``figure.svg`` and ``table.md``.

    Returns:
        The study's rows: each cell's fields, its result's, and the seconds that it took.
    """
    from hades.runtime import release_programs

    file = out / "results.json"
    known, about, cells = read(file), _about(study), study.cells()
    for number, cell in enumerate(cells, 1):
        if key(cell) in known:
            continue
        if progress:
            words = ", ".join(f"{k} {v}" for k, v in cell.items())
            print(f"{study.name} {number}/{len(cells)}: {words}", file=sys.stderr, flush=True)
        release_programs()
        start = time.monotonic()
        result = study.run(cell, out)
        known[key(cell)] = {"cell": cell, **result, "seconds": round(time.monotonic() - start, 2)}
        write_atomically(file, (json.dumps(about | {"rows": list(known.values())}, indent=1) + "\n").encode())
    rows = [known[key(cell)] for cell in cells]
    figure = study.figure(rows)
    for suffix in ("png", "svg"):
        figure.savefig(out / f"figure.{suffix}", dpi=150)
    write_atomically(out / "table.md", (tables.markdown(study.table(rows)) + "\n").encode())
    return rows


def text(study: Study, rows: Sequence[Row]) -> str:
    """The study's table as lines of text."""
    return tables.align([[part.replace("**", "") for part in line] for line in study.table(rows)])


def distilled(folder: Path, task: str, size: int | None, seed: int, preset: str, **options: Any) -> Any:
    """`hades.distill` into a run of the folder, or the rest of it where it was interrupted."""
    from hades.distillation import distill, resume

    shared: dict[str, Any] = {"progress": False}
    result = (
        resume(folder, **shared)
        if (folder / "config.json").exists()
        else distill(task, size, preset, seed, out=folder, **shared, **options)
    )
    if result.interrupted is not None:
        raise KeyboardInterrupt
    return result


def summary(evaluation: "Evaluation") -> dict[str, Any]:
    """What a row keeps of an evaluation."""
    known = evaluation.summary()
    return {name: known[name] for name in KEPT}


def control(task: "Task | str") -> "ControlTask":
    """A task whose policies act."""
    from hades.tasks import acting

    return acting(task, "this study is")


def random_return(task: "ControlTask") -> float:
    """What random actions have, played once for each task and its options."""
    import jax

    about = json.dumps([task.name, dict(task.options)], sort_keys=True)
    if about not in _RANDOM:
        _RANDOM[about] = task.random_return(jax.random.key(EVALUATION_SEED))
    return _RANDOM[about]


_RANDOM: dict[str, float] = {}


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Mean, and ± standard deviation where there are several."""
    import numpy as np

    text = f"{np.mean(values):.{digits}f}"
    return f"{text} ± {np.std(values):.{digits}f}" if len(values) > 1 else text


def fraction(share: float) -> str:
    """For a table; where there is nothing to have a share of, none."""
    return "none" if math.isnan(share) else f"{share:.2f}"


def groups(preset: tuple[tuple[str, ...], ...], datasets: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The preset's groups of datasets, or one of the datasets given.

    Raises:
        InputError: for a group of one.
    """
    if len(datasets) == 1:
        raise InputError(f"this study takes two datasets or more, not {datasets[0]} alone")
    return (datasets,) if datasets else preset


def key(cell: Cell) -> str:
    """What a cell's row is found by."""
    return json.dumps(cell, sort_keys=True)


def read(file: Path) -> dict[str, Row]:
    """The rows of a study's results, by their cells' keys; none where there is no such file.

    Raises:
        InputError: for a file of something else.
    """
    if not file.exists():
        return {}
    try:
        return {key(row["cell"]): row for row in json.loads(file.read_text())["rows"]}
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{file} is not a study's results; give another folder (--out)") from None


def _about(study: Study) -> dict[str, Any]:
    from importlib.metadata import version

    from hades.runtime import devices, hardware

    libraries = ("hades-rl", "jax", "brax", "gymnax", "evosax")
    return {
        "study": study.name,
        "settings": dataclasses.asdict(study),
        "hardware": hardware() | devices(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in libraries},
    }
