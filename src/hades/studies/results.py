"""What the laptop presets reach (the README's table), and the published datasets, scored as they were published.

Fresh networks and episodes by a seed that is never used in distillation or for choosing a preset. A run's folder has
the dataset.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.metrics import RETURN
from hades.options import option
from hades.studies.base import SCALES, Study
from hades.studies.pieces import Wanted, draw_validations, over_seeds, scored, validations
from hades.studies.rows import Cell, Row
from hades.tables import marked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hades.dataset import Dataset
    from hades.tasks.base import Task


@dataclass(frozen=True)
class Experiment:
    """A task's line of the table: pairs, seeds, and what is trained on them."""

    task: str
    size: int
    seeds: int = 3
    inits: int = 32
    episodes: int = 8
    settings: tuple[Json, ...] = ({}, {"width": 512})
    """Learners to train on the dataset; what they leave out is the dataset's own recipe."""
    minutes: Mapping[str, float] = field(default_factory=dict)
    """Of each distillation by a preset, where the table has not the preset's own."""
    made_with: Options = field(default_factory=dict)
    """What `hades.make` is given beside the name."""


WIDTHS = tuple({"width": width, "activation": name} for width in (64, 512) for name in ("tanh", "relu"))


def _by_rate(wide: float) -> Options:
    """Ten minutes each; wide networks also by steps that shrink as a layer widens."""
    settings = ({}, {"width": 512}, {"width": 512, "learning_rate": wide})
    return {"settings": settings, "minutes": {"laptop": 10}}


_MOMENTUM = _by_rate(0.0375)
_SHALLOW: Options = {
    "settings": ({}, {"width": 64}, {"width": 512}, {"width": 64, "depth": 2}, {"width": 512, "depth": 2}),
}
_WIDE: Options = {"episodes": 4, "settings": ({}, {"width": 64}, {"width": 512})}
_BODY: Options = {"episodes": 4, **_by_rate(0.0025)}
_SIXTEEN: dict[str, Any] = {"seeds": 1, "inits": 16, "episodes": 4, "settings": ({},)}
EXPERIMENTS = {
    "cartpole": Experiment("cartpole", 2, inits=64, settings=WIDTHS),
    "pendulum": Experiment("pendulum", 8),
    "acrobot": Experiment("acrobot", 6),
    "mountaincar-continuous": Experiment("mountaincar-continuous", 4),
    "breakout": Experiment("breakout", 16, minutes={"laptop": 5}, **_SHALLOW),
    "freeway": Experiment("freeway", 16, **_MOMENTUM),
    "asterix": Experiment("asterix", 16, minutes={"laptop": 10}, **_SHALLOW),
    "space-invaders": Experiment("space-invaders", 16, **_MOMENTUM),
    "seaquest": Experiment("seaquest", 16, **_MOMENTUM),
    "mountaincar": Experiment("mountaincar", 3, minutes={"laptop": 0.8}),
    "hopper-16": Experiment("hopper", 16, seeds=1, episodes=4),
    "walker2d": Experiment("walker2d", 4, seeds=2),
    "halfcheetah": Experiment("halfcheetah", 16, seeds=2, minutes={"laptop": 60.0}, **_WIDE),
    "ant": Experiment("ant", 16, minutes={"laptop": 10}, **_WIDE),
    "humanoid": Experiment("humanoid", 64, seeds=2, minutes={"laptop": 30}, **_WIDE),
    "humanoidstandup": Experiment("humanoidstandup", 64, **_BODY),
    "inverted_double_pendulum": Experiment("inverted_double_pendulum", 16, **_BODY),
    "reacher": Experiment("reacher", 16, minutes={"laptop": 5}, **_WIDE),
}
OTHERS = {
    "LunarLander-v3": Experiment("gymnasium/LunarLander-v3", 8, minutes={"laptop": 10}, **_SIXTEEN),
    "Hopper-v5": Experiment("gymnasium/Hopper-v5", 16, minutes={"laptop": 8}, **_SIXTEEN),
    "HalfCheetah-v5": Experiment("gymnasium/HalfCheetah-v5", 16, minutes={"laptop": 8}, **_SIXTEEN),
    "ButtonPress-v3": Experiment("envpool/MetaWorld/ButtonPress-v3", 8, minutes={"laptop": 6}, **_SIXTEEN),
    "Navix-Empty-5x5-v0": Experiment("navix/Navix-Empty-5x5-v0", 14, minutes={"laptop": 2}, **_SIXTEEN),
    "CartpoleBalance": Experiment("playground/CartpoleBalance", 8, minutes={"laptop": 3}, **_SIXTEEN),
    "PendulumSwingup": Experiment("playground/PendulumSwingup", 8, minutes={"laptop": 3}, **_SIXTEEN),
    "PointMass": Experiment(
        "examples/point_mass.py:PointMass", 4, minutes={"laptop": 1}, made_with={"max_steps": 100}, **_SIXTEEN
    ),
    "Freeway-v5-84": Experiment("gymnasium/ALE/Freeway-v5", 6, minutes={"laptop": 12}, **{**_SIXTEEN, "episodes": 1}),
    "Freeway-v5": Experiment(
        "gymnasium/ALE/Freeway-v5", 6, minutes={"laptop": 6}, made_with={"screen": 42}, **{**_SIXTEEN, "episodes": 1}
    ),
}
"""Of suites that are installed beside HaDES (`pip install 'hades-rl[suites]'`), and one of a file in the repository:
asked for by their names."""
PUBLISHED: Json = {"inits": 16, "episodes": 4, "settings": [{}]}
"""How the published datasets are scored: on networks as published."""


@dataclass(frozen=True, kw_only=True)
class Results(Study):
    """Distils by a preset, seed by seed, and scores on fresh networks of several kinds."""

    paper: ClassVar[Options] = {
        "scale": "paper",
        "names": ("breakout", "freeway", "asterix", "space-invaders", "walker2d", "halfcheetah", "hopper-16"),
    }
    names: tuple[str, ...] = option(tuple(EXPERIMENTS), one_of=(*EXPERIMENTS, *OTHERS))
    """Of the table's experiments."""
    reference: tuple[str, ...] = option(())
    """Published datasets to score, too: files, such as those of the repository's folder reference."""
    seeds: int | None = option(None, least=1)
    """Distillations of each experiment; left out: three, of those that take half an hour fewer."""
    minutes: float | None = option(None, above=0)
    """Of each distillation; left out: the table's, or the preset's."""
    inits: int | None = option(None, least=1)
    """Networks in every score; left out: the experiment's own."""
    scale: str = option("laptop", one_of=SCALES)
    """The preset of the distillations, laptop, evolution or paper."""

    def cells(self) -> list[Cell]:
        own = {} if self.inits is None else {"inits": self.inits}
        cells: list[Cell] = [
            {"name": name, "seed": seed, "preset": self.scale, "task": known.task, "size": known.size,
             "minutes": self.minutes or known.minutes.get(self.scale), "inits": known.inits,
             "episodes": known.episodes, "settings": list(known.settings), **_named(known), **own}
            for name, known in ((name, (EXPERIMENTS | OTHERS)[name]) for name in self.names)
            for seed in range(self.seeds or known.seeds)
        ]  # fmt: skip
        return cells + [{"dataset": file, **PUBLISHED, **own} for file in self.reference]

    def reads(self, cell: Cell) -> Sequence[str]:
        return (cell["dataset"],) if "dataset" in cell else ()

    def wants(self, cell: Cell) -> Sequence[Wanted]:
        if "dataset" in cell:
            return ()
        budget = {} if cell["minutes"] is None else {"minutes": cell["minutes"]}
        made_with = cell.get("made_with", {})
        return (Wanted(cell["task"], cell["size"], cell["seed"], cell["preset"], budget, made_with),)

    def run(self, cell: Cell, folder: Path) -> Json:
        from hades.dataset import load

        if "dataset" in cell:
            dataset = load(cell["dataset"])
            return {"pairs": len(dataset), "scores": _scores(dataset, cell)}
        wanted = {k: cell[k] for k in ("name", "seed", "preset", "minutes", "task", "size")} | _named(cell)
        place = self.place(folder, f"{cell['name']}-seed{cell['seed']}", wanted)
        (asked,) = self.wants(wanted)
        result = asked.distilled(place)
        return {
            "config": result.config.to_json(),
            "training_seconds": round(result.metrics[-1]["seconds"], 1),
            "generations": result.dataset.info["generations"],
            "env_steps": result.dataset.info["env_steps"],
            "scores": _scores(result.dataset, cell, asked.made()),
            "curve": validations(result.metrics),
        }

    def figure(self, rows: Sequence[Row]) -> "Figure":
        """What each experiment reached and, below it, its seeds' validations as they came, of rows that have them."""
        from hades.reporting.style import BLUE, subplots

        lines = _lines(rows)
        names = list(dict.fromkeys(line[0] for line in lines))
        bands, columns = -(-len(names) // 4), min(4, len(names))
        figure, axes = subplots(2 * bands, columns, (14, 4.6 * bands))
        for ax in axes:
            ax.set_axis_off()
        panels = np.reshape(np.asarray(axes), (bands, 2, columns)).transpose(0, 2, 1).reshape(-1, 2)
        for (reached, course), name in zip(panels, names, strict=False):
            _, _, words, means, spreads = zip(*(line[:5] for line in lines if line[0] == name), strict=True)
            reached.set_axis_on()
            reached.barh(range(len(words)), means, xerr=[spread or 0.0 for spread in spreads], color=BLUE, capsize=3)
            reached.set_yticks(range(len(words)), words, size=7)
            reached.invert_yaxis()
            reached.set_title(name, size=9, loc="right")
            if known := [row for row in rows if _name(row) == name and "curve" in row]:
                course.set_axis_on()
                draw_validations(course, known)
                course.legend(frameon=False, fontsize=7)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        """A line a setting: means over seeds, spread over seeds or, of one seed, over networks."""
        header = ["task", "pairs", "networks trained on them", "return", "seeds", "minutes"]
        return [header] + [
            [name, pairs, words, marked(RETURN.words(mean, spread), spread == 0), *others]
            for name, pairs, words, mean, spread, *others in _lines(rows)
        ]


def _lines(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Name, pairs, networks, mean, spread, seeds and minutes: a line a setting of each experiment."""
    lines = []
    for name in dict.fromkeys(map(_name, rows)):
        mine = [row for row in rows if _name(row) == name]
        seconds = max(row.get("training_seconds", 0.0) for row in mine)
        pairs = str(mine[0]["cell"].get("size") or mine[0]["pairs"])
        for i, first in enumerate(mine[0]["scores"]):
            means = [row["scores"][i]["return"]["mean"] for row in mine]
            spread = over_seeds(means) if len(means) > 1 else first["return"]["std_of_inits"]
            own = mine[0].get("config", {}).get("learner", {})
            others = (str(len(mine)), f"{seconds / 60:.1f}") if seconds else ("", "")
            lines.append((name, pairs, _words(own, first), statistics.mean(means), spread, *others))
    return lines


def _named(of: "Experiment | Cell") -> Json:
    """What the task is made with, where that is anything: cells that were before there was it have none."""
    made_with = of.get("made_with") if isinstance(of, Mapping) else of.made_with
    return {"made_with": dict(made_with)} if made_with else {}


def _name(row: Row) -> str:
    cell = row["cell"]
    return cell["name"] if "name" in cell else f"{Path(cell['dataset']).stem}, published"


def _words(own: Json, score: Json) -> str:
    from hades.presets import USUAL_DEPTH

    learner = own | score["setting"]
    kind = f"width {learner['width']}" if "width" in learner else "as published"
    activation = f", {learner['activation']}" if "activation" in learner else ""
    told = "depth" in score["setting"]
    layers = f", depth {learner['depth']}" if learner.get("depth", USUAL_DEPTH) != USUAL_DEPTH or told else ""
    rate = f", step size {score['setting']['learning_rate']:g}" if "learning_rate" in score["setting"] else ""
    return f"{score['return']['inits']} fresh, {kind}{layers}{activation}{rate}"


def _scores(dataset: "Dataset", cell: Cell, task: "Task | None" = None) -> list[Json]:
    settings = cell["settings"]
    return [{"setting": setting, "return": scored(dataset, cell, task, **setting).summary()} for setting in settings]
