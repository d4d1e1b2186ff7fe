"""What a study is: its options, its cells, and what it makes of their rows; and the registry of all."""

import dataclasses
import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hades import tables
from hades.aliases import Json, Options
from hades.errors import InputError
from hades.files import write_atomically
from hades.options import Rule, check, check_names, rules
from hades.studies import rows as on_disk
from hades.studies.pieces import Wanted
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = {
    "comparison": "HaDES-R, HaDES-F, ES on the weights and PPO (Figures 2 and 3)",
    "tuning": "PPO's settings for each task, from a search",
    "generalisation": "one dataset, many networks and recipes (Figure 4, Appendix C.2)",
    "budget": "how many pairs it takes (Appendix C.1)",
    "multitask": "one agent from the datasets of several tasks (Section 5.3)",
    "cost": "time a generation, and when distilling pays off (Table 4)",
    "architectures": "architecture search on a dataset against the same by PPO",
    "continual": "a sequence of tasks, with and without rehearsing the pairs",
    "results": "the laptop presets and the published datasets, scored (the README's table)",
    "laptop": "what makes a laptop's minutes count, one change at a time",
    "images": "distilled images and what they are compared with, across architectures",
    "zoo": "the zoo's datasets scored, and their cards",
}
PRESETS = ("laptop", "paper")
SCALES = ("laptop", "evolution", "paper")
"""Presets of distillations, where they are an option beside a study's own."""
PUBLISHED = ("figure.png", "figure.svg", "table.md")
"""Of a study's rows, for people."""


@dataclass(frozen=True, kw_only=True)
class Study(ABC):
    """The options of one experiment, at laptop scale by default: fields declared by `hades.options.option`.

    Raises:
        InputError: for an option value that cannot be.
    """

    paper: ClassVar[Options] = {}
    """The options that differ at the paper's scale."""
    finishing: ClassVar[tuple[str, ...]] = ()
    """The options of what is made of the rows; all others make other cells."""

    def __post_init__(self) -> None:
        check(self)
        for known, _ in rules(type(self)):
            if isinstance(values := getattr(self, known.name), tuple) and len(set(values)) < len(values):
                twice = next(value for value in values if values.count(value) > 1)
                raise InputError(f"{known.name} has {twice} twice; give it once")

    def work(self) -> list[Cell]:
        """Its cells.

        Raises:
            InputError: if there are none.
        """
        if not (cells := self.cells()):
            raise InputError(f"these options leave the study {self.name} nothing to do")
        return cells

    @property
    def name(self) -> str:
        """As the registry has it."""
        return type(self).__name__.lower()

    @abstractmethod
    def cells(self) -> list[Cell]:
        """What is to be done, in order; a cell says all settings that its result depends on."""

    def reads(self, cell: Cell) -> Sequence[str]:
        """The datasets that a cell reads, by name in the zoo or file: with other ones its row is another."""
        del cell
        return ()

    def wants(self, cell: Cell) -> Sequence[Wanted]:
        """The distillations that a cell's result depends on: with other presets or recipes its row is another."""
        del cell
        return ()

    @abstractmethod
    def run(self, cell: Cell, folder: Path) -> Json:
        """The result of one cell, as JSON; runs go into places of the folder."""

    @abstractmethod
    def figure(self, rows: Sequence[Row]) -> "Figure":
        """The picture of the rows."""

    @abstractmethod
    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        """The rows for people: a header, then lines."""

    def publish(self, rows: Sequence[Row], out: Path) -> None:
        """Draw ``figure.png``, ``figure.svg`` and ``table.md``."""
        figure = self.figure(rows)
        for suffix in ("png", "svg"):
            figure.savefig(out / f"figure.{suffix}", dpi=150)
        write_atomically(out / "table.md", (tables.markdown(self.table(rows)) + "\n").encode())

    def place(self, folder: Path, name: str, cell: Cell) -> Path:
        """Where a run lies that a cell needs: what it is called, and the short hash of all that makes it.

        Args:
            cell: what the run depends on; less than the cell itself, where several share the run.
        """
        return folder / f"{name.replace('/', '-').replace(':', '-')}-{on_disk.key(self.making(cell))[:8]}"

    def making(self, cell: Cell) -> Json:
        """All that makes a cell's result, of which its row's key is the hash."""
        wants = self.wants(cell)
        return {
            "study": self.name,
            "cell": cell,
            "configs": [on_disk.configuration(wanted.config()) for wanted in wants],
            "datasets": {name: on_disk.digest(name) for name in self.reads(cell)},
            "versions": on_disk.versions(),
            **on_disk.code(wanted.made() for wanted in wants),
        }


def make(name: str, preset: str = "laptop", **options: Any) -> Study:
    """A study by name.

    Args:
        preset: ``"laptop"`` or ``"paper"``; options replace its settings.

    Raises:
        InputError: for an unknown study, preset or option, or one that does nothing beside the others.
    """
    kind = kind_of(name)
    if preset not in PRESETS:
        raise InputError(f"unknown preset '{preset}'; choose one of {', '.join(PRESETS)}")
    check_names(kind, options, f"the study {name}")
    made = kind(**{**(kind.paper if preset == "paper" else {}), **options})
    made.work()
    for known, rule in rules(kind):
        if known.name in options and not _acts(made, known.name, rule):
            raise InputError(f"{known.name} does nothing beside the other options of this study; leave it out")
    return made


def _acts(study: Study, name: str, rule: Rule) -> bool:
    """Whether the study would be another with another value of an option."""
    if name in study.finishing:
        return True
    value = getattr(study, name)
    if isinstance(value, bool):
        other = not value
    elif isinstance(value, (int, float)):
        other = 2 * value + 1
    elif isinstance(value, tuple):
        other = value[:-1]
    else:
        names = rule.one_of() if callable(rule.one_of) else rule.one_of or ()
        other = next((one for one in names if one != value), value)
    try:
        return other == value or dataclasses.replace(study, **{name: other}).cells() != study.cells()
    except InputError:  # there is no such other study
        return True


def kind_of(name: str) -> type[Study]:
    """The class of a study.

    Raises:
        InputError: for a study that there is not.
    """
    if name not in STUDIES:
        raise InputError(f"unknown study '{name}'; choose one of {', '.join(STUDIES)}")
    return getattr(importlib.import_module(f"hades.studies.{name}"), name.capitalize())
