"""What makes a laptop's minutes count: hopper with four pairs and Breakout with 15 or 16, mostly one change at a time.

Each dataset is scored on 32 fresh networks of width 64 and of width 512, by a seed that nothing was tuned on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.errors import InputError
from hades.options import COUNT, option
from hades.studies.base import Study
from hades.studies.pieces import Wanted, draw_validations, scored, scores, spread, validations
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTHS = (64, 512)


@dataclass(frozen=True)
class Change:
    """A line of a task's table: options over those that all of its lines share, how long, and on which seeds."""

    options: Options = field(default_factory=dict)
    learner: Options = field(default_factory=dict)
    minutes: float = 20.0
    seeds: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Ablation:
    """One task's table."""

    size: int
    shared: Json
    learner: Json
    rows: dict[str, Change]
    marks: tuple[float, ...]
    """Returns whose first validation is timed."""
    episodes: int = 1
    """Of each fresh network."""
    task: str | None = None
    """Its name, where that is not the table's."""


FIVE = (0, 1, 2, 3, 4)
_short = partial(Change, minutes=2)
_TWO_LAYERS: Options = {
    "width": 64, "depth": 2, "activation": "tanh", "optimiser": "adam", "learning_rate": 0.01, "epochs": 64,
}  # fmt: skip
_ONE_LAYER: Options = {"width": 256, "depth": 1, "optimiser": "momentum", "learning_rate": 0.3}
ABLATIONS = {
    "hopper": Ablation(
        size=4,
        shared={"population": 32, "inits": 4, "std": 0.3, "searches": 1, "curriculum": None, "validate_inits": 64},
        learner={"width": 64, "epochs": 600},
        rows={
            "width 128, 200 epochs": Change({}, {"width": 128, "epochs": 200}, minutes=12),
            "width 64, 600 epochs": Change(minutes=9, seeds=(0, 1)),
            "width 64, 600 epochs, CMA-ES": Change({"strategy": "CMA_ES"}),
            "width 64, 600 epochs, standard deviation 0.6": Change({"std": 0.6}),
            "width 64, 600 epochs, standard deviation 1": Change({"std": 1.0}, minutes=18, seeds=FIVE),
            "standard deviation 1, 4 searches": Change({"std": 1.0, "searches": 4}, minutes=16, seeds=(3,)),
            "standard deviation 1, curriculum of 50": Change({"std": 1.0, "curriculum": 50}),
            "standard deviation 1, curriculum of 50, 4 searches": Change(
                {"std": 1.0, "curriculum": 50, "searches": 4}, minutes=10, seeds=FIVE
            ),
            "standard deviation 1, 10 searches": Change({"std": 1.0, "searches": 10}, seeds=FIVE),
            "standard deviation 1, 20 searches": Change({"std": 1.0, "searches": 20}, minutes=16, seeds=(4,)),
            "standard deviation 1, 2 networks, 24 searches": Change({"std": 1.0, "inits": 2, "searches": 24}),
            "standard deviation 1, 16 searches": Change({"std": 1.0, "searches": 16}, seeds=FIVE),
        },
        marks=(1000, 1500, 1741),
    ),
    "breakout": Ablation(
        size=15,
        shared={"population": 128, "inits": 2, "episodes": 4, "start": "random"},
        learner={"width": 64},
        rows={
            "width 64, 4 episodes": Change(),
            "16 episodes": Change({"episodes": 16}),
            "started from observations": Change({"start": "sample"}),
            "width 32": Change({}, {"width": 32}),
            "started from observations, width 32, 8 episodes": Change(
                {"start": "sample", "episodes": 8}, {"width": 32}
            ),
        },
        marks=(1, 2, 3),
        episodes=8,
    ),
    "breakout-ppo": Ablation(
        size=16,
        shared={"strategy": "ppo", "normaliser": "channels", "validate_every": 10},
        learner=_TWO_LAYERS,
        rows={
            "two layers of 64, Adam at 0.01": _short(),
            "one layer of 256, momentum at 0.3": _short({}, _ONE_LAYER),
            "one layer of 256, entropy 0.03, greedy": _short(
                {"strategy_options": {"entropy": 0.03}, "greedy": True}, _ONE_LAYER
            ),
            "normaliser fixed": _short({"normaliser": "fixed"}),
            "normaliser none": _short({"normaliser": "none"}),
            "relu": _short({}, {"activation": "relu"}),
            "momentum at 0.6": _short({}, {"optimiser": "momentum", "learning_rate": 0.6}),
            "32 epochs at 0.02": _short({}, {"epochs": 32, "learning_rate": 0.02}),
            "normaliser running": _short({"normaliser": "running"}),
            "gelu": _short({}, {"activation": "gelu"}),
            "16 epochs at 0.04": _short({}, {"epochs": 16, "learning_rate": 0.04}),
            "width 128 at 0.005": _short({}, {"width": 128, "learning_rate": 0.005}),
            "8 networks": _short({"inits": 8}),
            "2 networks": _short({"inits": 2}),
            "128 environments": _short({"strategy_options": {"environments": 128}}),
            "clip 0.4": _short({"strategy_options": {"clip": 0.4}}),
            "step size 0.03": _short({"strategy_lr": 0.03}),
            "entropy 0.03": _short({"strategy_options": {"entropy": 0.03}}),
        },
        marks=(3, 5, 8, 10.7),
        episodes=8,
        task="breakout",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Laptop(Study):
    """Distils a task by its preset with one change after the other."""

    paper: ClassVar[Options] = {"minutes": 480.0, "seeds": 3}
    task: str = option("hopper", one_of=ABLATIONS)
    """Which table: hopper or breakout, by evolution, or breakout-ppo."""
    rows: tuple[int, ...] = option((), least=0)
    """Numbers of rows, from 0; left out: all."""
    seeds: int | None = option(None, least=1)
    """Distillations of each row; left out: on the row's own seeds, from one to five."""
    minutes: float | None = option(None, above=0)
    """Of each distillation; left out: the row's own, from 2 to 20."""
    steps: int | None = option(None, **COUNT)
    """Of each distillation, in place of minutes."""
    inits: int = option(32, least=1)
    """Networks in every score."""

    def cells(self) -> list[Cell]:
        about = ABLATIONS[self.task]
        names = list(about.rows)
        for number in self.rows:
            if number >= len(names):
                raise InputError(f"{self.task} has the rows 0 to {len(names) - 1}, not {number}")
        chosen = [names[number] for number in self.rows] or names
        return [
            {"task": about.task or self.task, "row": name, "seed": seed, "size": about.size, "inits": self.inits,
             "episodes": about.episodes, "options": {**about.shared, **change.options, **self._budget(change)},
             "learner": {**about.learner, **change.learner}}
            for name, change in ((name, about.rows[name]) for name in chosen)
            for seed in (change.seeds if self.seeds is None else range(self.seeds))
        ]  # fmt: skip

    def _budget(self, change: Change) -> dict[str, float]:
        return {"minutes": self.minutes or change.minutes} if self.steps is None else {"steps": self.steps}

    def wants(self, cell: Cell) -> Sequence[Wanted]:
        options = {**cell["options"], "learner": cell["learner"]}
        return (Wanted(cell["task"], cell["size"], cell["seed"], "evolution", options),)

    def run(self, cell: Cell, folder: Path) -> Json:
        number = list(ABLATIONS[self.task].rows).index(cell["row"])
        wanted = {k: cell[k] for k in ("task", "seed", "size", "options", "learner")}
        place = self.place(folder, f"{self.task}-row{number}-seed{cell['seed']}", wanted)
        (asked,) = self.wants(wanted)
        result = asked.distilled(place)
        scores = {str(width): scored(result.dataset, cell, width=width).summary() for width in WIDTHS}
        last = result.metrics[-1]
        return {
            "generations": last["generation"],
            "minutes": last["seconds"] / 60,
            "env_steps": last["env_steps_total"],
            "scores": scores,
            "curve": validations(result.metrics),
        }

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.style import subplots

        names = list(dict.fromkeys(row["cell"]["row"] for row in rows))
        figure, axes = subplots(-(-len(names) // 3), min(3, len(names)), (14, 2.6 * -(-len(names) // 3)))
        for ax in axes[len(names) :]:
            ax.set_axis_off()
        for ax, name in zip(axes, names, strict=False):
            draw_validations(ax, [row for row in rows if row["cell"]["row"] == name])
            ax.set_title(name, size=8)
            ax.legend(frameon=False, fontsize=7)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        marks = ABLATIONS[self.task].marks
        header = ["change", "seeds", "minutes", "M steps", *(f"width {width}" for width in WIDTHS)]
        table = [[*header, f"minutes (M steps) to {', '.join(map(str, marks))}"]]
        for name in dict.fromkeys(row["cell"]["row"] for row in rows):
            mine = [row for row in rows if row["cell"]["row"] == name]
            minutes, steps = spread([row["minutes"] for row in mine]), spread([row["env_steps"] / 1e6 for row in mine])
            found = [[row["scores"][str(width)] for row in mine] for width in WIDTHS]
            words = [scores(some, 0 if max(one["mean"] for one in some) >= 100 else 1) for some in found]
            first = "; ".join(_reached([_first(row, mark) for row in mine]) for mark in marks)
            table.append([name, str(len(mine)), minutes, steps, *words, first])
        return table


def _first(row: Row, mark: float) -> tuple[float, float] | None:
    """Minutes and environment steps of the first validation that reached a mark."""
    found = next((point for point in row["curve"] if point[2] >= mark), None)
    return None if found is None else (found[0] / 60, found[1])


def _reached(runs: Sequence[tuple[float, float] | None]) -> str:
    there = [run for run in runs if run]
    if not there:
        return "never"
    minutes, steps = np.mean(there, axis=0)
    share = f" in {len(there)} of {len(runs)}" if len(there) < len(runs) else ""
    return f"{minutes:.1f} ({steps / 1e6:.0f}){share}"
