"""The zoo: the best datasets, scored on fresh networks and episodes by a seed that nothing was distilled with.

With ``write``, in a checkout, the package's files are made anew, each with its card: how it was made, its scores, and
the share of settings that it generalises to, read from results of the study generalisation.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hades.aliases import Json, Options
from hades.contents import OWN_RECIPE, generalisation_of
from hades.errors import InputError
from hades.options import option
from hades.studies.base import Study
from hades.studies.conduct import latest
from hades.studies.pieces import KEPT, alike, scored
from hades.studies.rows import Cell, Row
from hades.tables import marked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hades.dataset import Dataset

AUTHORS = "published by the authors (Lupu et al. 2024, Apache-2.0)"
_TEN = "ten minutes"
SOURCES: dict[str, tuple[str, str]] = {
    "cartpole-2": ("docs/results/cartpole-seed0", "hades distill cartpole --minutes 0.5"),
    "cartpole-8": (
        "docs/results/cartpole-8",
        "hades distill cartpole --size 8 --minutes 1.5 --activation relu, one core",
    ),
    "pendulum": ("docs/results/pendulum-seed0", "hades distill pendulum"),
    "pendulum-16": ("docs/results/pendulum-16-any", "python scripts/any_network.py, three minutes of one core"),
    "acrobot": ("docs/results/acrobot-seed2", "hades distill acrobot --minutes 2 --seed 2"),
    "acrobot-12": ("docs/results/acrobot-12", "hades distill acrobot --size 12 --minutes 2, one core"),
    "mountaincar-continuous": (
        "docs/results/mountaincar-continuous-seed0",
        "hades distill mountaincar-continuous --minutes 1",
    ),
    "mountaincar": (
        "docs/results/mountaincar-seed0",
        "hades study results --names mountaincar, by release 0.1, one core",
    ),
    "mountaincar-9": (
        "docs/results/mountaincar-9",
        "hades distill mountaincar --size 9 --minutes 1.5, one core",
    ),
    "hopper-4": (
        "docs/results/hopper-4",
        "hades study laptop, by release 0.1, 20 minutes of one core; the best validated of five seeds",
    ),
    "hopper-16": ("docs/results/hopper-16", "hades study budget, one core"),
    "walker2d": (
        "docs/results/walker2d-seed0",
        "hades study results --names walker2d --minutes 8, by release 0.1, one core",
    ),
    "halfcheetah": (
        "docs/results/halfcheetah-seed0",
        "hades study results --names halfcheetah --minutes 9, by release 0.1, one core",
    ),
    "inverted_double_pendulum": (
        "docs/results/inverted_double_pendulum-seed0",
        "hades study results --names inverted_double_pendulum --minutes 4, by release 0.1, one core",
    ),
    "hopper-64": ("reference/hopper-64", f"{AUTHORS}, observations normalised as they play"),
    "breakout": ("reference/breakout-16", AUTHORS),
    "asterix": ("docs/results/asterix-seed0", "hades study results --names asterix, by release 0.1, one core"),
    "freeway": ("docs/results/freeway-seed0", "hades study results --names freeway, by release 0.1, one core"),
    "space-invaders": (
        "docs/results/space-invaders-seed0",
        "hades study results --names space-invaders, by release 0.1, one core",
    ),
    **{
        name: (
            f"docs/results/{name}",
            f"hades study results --names {name.rpartition('-')[0]}, {minutes} of one core; {which} seeds",
        )
        for name, minutes, which in (
            ("walker2d-4", "thirty minutes", "the better of two"),
            ("halfcheetah-16", "an hour", "the second of two"),
            ("ant-16", _TEN, "the first of three"),
            ("inverted_double_pendulum-16", _TEN, "the best of three"),
            ("humanoid-64", "thirty minutes", "the better of two"),
            ("reacher-16", "five minutes", "the best of three"),
            ("breakout-16", "five minutes", "the first of three"),
            ("freeway-16", _TEN, "the first of three"),
            ("space-invaders-16", _TEN, "the first of three"),
            ("asterix-16", _TEN, "the first of three"),
        )
    },
    **{
        name: (f"docs/results/{name}", f"hades study results --names {of}, {minutes} of one core")
        for name, of, minutes in (
            ("lunarlander-8", "LunarLander-v3", _TEN),
            ("hopper-v5-16", "Hopper-v5", "eight minutes"),
            ("halfcheetah-v5-16", "HalfCheetah-v5", "eight minutes"),
        )
    },
    "digits-10": ("docs/images/digits-10-seed0", "hades distill digits"),
    "fashion-mnist-10": ("reference/fashion-mnist-10", AUTHORS),
}
"""By name: the file in a checkout, and how it was made; scripts were studies before they moved here."""
ONE_RECIPE = ("digits-10", "fashion-mnist-10")
"""Scored by their own recipe alone."""
INFO = ("generations", "env_steps", "seed", "init", "init_key", "own_networks", "greedy", "metric", "task_options",
        "own", "fingerprint", "versions")  # fmt: skip
"""Of a dataset, kept in the zoo."""


@dataclass(frozen=True, kw_only=True)
class Zoo(Study):
    """Scores each dataset by its own recipe, and those of control by the other of the two widths, too."""

    paper: ClassVar[Options] = {"inits": 128}
    finishing: ClassVar[tuple[str, ...]] = ("generalisation", "write")
    names: tuple[str, ...] = option(tuple(SOURCES), one_of=SOURCES)
    """In the zoo; where the working directory has the file that one was made from, that is scored."""
    inits: int = option(32, least=1)
    """Networks in every score."""
    episodes: int = option(8, least=1)
    """Of each of these networks."""
    generalisation: tuple[str, ...] = option(())
    """Files results.json of the study generalisation, of which the cards have the shares."""
    write: bool = option(False)
    """Write the scored datasets, with their cards, into the package's zoo."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for file in self.generalisation:
            if not Path(file).is_file():
                raise InputError(f"no file at {file}; generalisation takes results.json of the study of that name")
        if self.generalisation and not self.write:
            raise InputError("generalisation is for the cards, which are made with write; add it")

    def cells(self) -> list[Cell]:
        return [
            {"name": name, "setting": setting, "inits": self.inits, "episodes": self.episodes}
            for name in self.names
            for setting in _settings(name)
        ]

    def reads(self, cell: Cell) -> Sequence[str]:
        return (_file(cell["name"]),)

    def run(self, cell: Cell, folder: Path) -> Json:
        del folder
        dataset = _source(cell["name"])
        score = scored(dataset, cell, **cell["setting"])
        return {"task": dataset.task, "pairs": len(dataset), "score": score.summary()}

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.style import BLUE, subplots

        figure, axes = subplots(-(-len(self.names) // 4), 4, (14, 1.6 * -(-len(self.names) // 4)))
        for ax in axes[len(self.names) :]:
            ax.set_axis_off()
        for ax, name in zip(axes, self.names, strict=False):
            mine = [row for row in rows if row["cell"]["name"] == name]
            words = [_words(row["cell"]["setting"]) for row in mine]
            spreads = [row["score"]["std_of_inits"] or 0.0 for row in mine]
            ax.barh(range(len(mine)), [row["score"]["mean"] for row in mine], xerr=spreads, color=BLUE, capsize=3)
            ax.set_yticks(range(len(mine)), words, size=7)
            ax.set_title(name, size=9)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        from hades.metrics import metric_of

        table = [["name", "task", "pairs", "fresh networks", "score"]]
        for row in rows:
            score = row["score"]
            words = marked(metric_of(score["metric"]).words(score["mean"], score["std_of_inits"]), alike(score))
            fresh = f"{score['inits']}, {_words(row['cell']['setting'])}"
            table.append([row["cell"]["name"], row["task"], str(row["pairs"]), fresh, words])
        return table

    def publish(self, rows: Sequence[Row], out: Path) -> None:
        """Beside figure and table, the zoo's files if they are asked for."""
        super().publish(rows, out)
        shares = _shares(self.generalisation)
        for name in self.names if self.write else ():
            mine = [row for row in rows if row["cell"]["name"] == name]
            _write(name, mine, shares.get(name))


def _share_of(name: str, dataset: "Dataset") -> dict[str, float] | None:
    """For how many other settings the same pairs worked, as their present card says."""
    import numpy as np

    from hades.dataset import load
    from hades.finding import zoo

    old = load(name) if name in zoo() else None
    same = old and np.array_equal(old.states, dataset.states) and np.array_equal(old.targets, dataset.targets)
    return generalisation_of(old.info) or None if old and same else None


def _file(name: str) -> str:
    """What a dataset of the zoo was made from, in a checkout; itself, elsewhere."""
    file = f"{SOURCES[name][0]}.safetensors"
    return file if Path(file).is_file() else name


def _source(name: str) -> "Dataset":
    from hades.dataset import load

    return load(_file(name))


def _settings(name: str) -> list[Json]:
    """What learners are scored."""
    from hades.evaluation import recipe

    other = 64 if recipe(_source(name)).width == 512 else 512
    return [{}] if name in ONE_RECIPE else [{}, {"width": other}]


def _words(setting: Json) -> str:
    return ", ".join(f"{k} {v}" for k, v in setting.items()) or OWN_RECIPE


def _shares(files: Sequence[str]) -> dict[str, dict[str, float] | None]:
    """Of each dataset in results of the study generalisation, where it goes by its name or is the file of one."""
    from hades.studies.generalisation import share_kept

    shares, names = {}, {f"{file}.safetensors": name for name, (file, _) in SOURCES.items()}
    for file in files:
        _, rows = latest(Path(file), "generalisation")
        for dataset in {row["cell"]["dataset"] for row in rows}:
            mine = [row for row in rows if row["cell"]["dataset"] == dataset]
            shares[names.get(dataset, dataset)] = share_kept(mine)
    return shares


def _write(name: str, rows: Sequence[Row], share: dict[str, float] | None) -> None:
    """A dataset with its card, into the package."""
    from hades.evaluation import task_of
    from hades.exchange import units_of
    from hades.finding import ZOO
    from hades.keeping import versions

    dataset = _source(name)
    share = share or _share_of(name, dataset)
    scores = {_words(row["cell"]["setting"]): {k: row["score"][k] for k in KEPT} for row in rows}
    card = {"made": SOURCES[name][1], "metric": rows[0]["score"]["metric"], "scores": scores, "generalisation": share}
    info = {k: dataset.info[k] for k in INFO if k in dataset.info} | {"card": card}
    info.setdefault("versions", versions(task_of(dataset)))
    dataclasses.replace(dataset, info=info, units=units_of(dataset)).save(ZOO / f"{name}.safetensors")
