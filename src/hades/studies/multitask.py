"""One agent from the datasets of several tasks (Section 5.3 of the paper). No environment step trains it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.options import option
from hades.studies.base import Study
from hades.studies.pieces import (
    EVALUATION_SEED,
    control,
    fraction,
    groups,
    over_networks,
    random_return,
    scored,
    summary,
)  # fmt: skip
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUPS = (
    ("cartpole-8", "acrobot-12", "mountaincar-9"),
    ("hopper-4", "halfcheetah", "walker2d"),
    ("breakout", "asterix", "freeway", "space-invaders"),
)
ALONE, MERGED, IDENTITY = "alone", "merged", "merged, tasks told apart"


@dataclass(frozen=True, kw_only=True)
class Multitask(Study):
    """Merges datasets, trains networks on the union, scores them on each task."""

    paper: ClassVar[Options] = {"widths": (512,), "inits": 64}
    datasets: tuple[str, ...] = option(())
    """Names in the zoo, or files, that are merged; left out: three groups of the zoo's."""
    widths: tuple[int, ...] = option((256,), least=1)
    """Of the networks."""
    epochs: float = option(4.0, above=0)
    """Of training on the union, as a factor on its first dataset's: there is more to learn."""
    inits: int = option(32, least=1)
    """Networks in every score."""
    episodes: int = option(8, least=1)
    """Of each of these networks."""

    def __post_init__(self) -> None:
        super().__post_init__()
        groups(GROUPS, self.datasets)

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Of datasets that are merged."""
        return groups(GROUPS, self.datasets)

    def cells(self) -> list[Cell]:
        shared = {"epochs": self.epochs, "inits": self.inits, "episodes": self.episodes}
        return [
            {"group": list(group), "how": how, "width": width, **shared}
            for group in self.groups
            for width in self.widths
            for how in (ALONE, MERGED, IDENTITY)
        ]

    def reads(self, cell: Cell) -> Sequence[str]:
        return cell["group"]

    def run(self, cell: Cell, folder: Path) -> Json:
        from hades.dataset import load
        from hades.evaluation import recipe, task_of
        from hades.learner.recipe import Learner
        from hades.merging import evaluate_parts, merge

        del folder
        datasets = [load(name) for name in cell["group"]]
        union = merge(datasets, identity=cell["how"] == IDENTITY)  # or says why not, before anything is played
        if cell["how"] == ALONE:
            scores = {d.task: scored(d, cell, width=cell["width"]) for d in datasets}
        else:
            learner = Learner(width=cell["width"], epochs=round(cell["epochs"] * recipe(union).epochs))
            how = None, cell["inits"], cell["episodes"]
            scores = evaluate_parts(union, *how, learner=learner, seed=EVALUATION_SEED)
        tasks = {d.task: task_of(d) for d in datasets}
        return {
            "returns": {task: summary(score) for task, score in scores.items()},
            "random": {name: random_return(control(task)) for name, task in tasks.items()},
        }

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.style import COLOURS, subplots

        figure, axes = subplots(1, len(self.groups), (5.2 * len(self.groups), 3.8))
        for ax, group in zip(axes, self.groups, strict=True):
            width = self.widths[-1]
            mine = {row["cell"]["how"]: row for row in rows
                    if row["cell"]["group"] == list(group) and row["cell"]["width"] == width}  # fmt: skip
            tasks = list(mine[ALONE]["returns"])
            for i, (how, row) in enumerate(mine.items()):
                places = np.arange(len(tasks)) + 0.27 * (i - 1)
                ax.bar(places, [_share(mine[ALONE], row, task) for task in tasks], 0.25, color=COLOURS[i], label=how)
            ax.set_xticks(range(len(tasks)), tasks, rotation=20, ha="right", size=8)
            ax.set(ylabel="share of the gain over random actions", title=f"width {width}")
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=3, frameon=False, fontsize=8)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        table = [["task", "width", ALONE, MERGED, IDENTITY, "share kept"]]
        for group in self.groups:
            for width in self.widths:
                mine = {row["cell"]["how"]: row for row in rows
                        if row["cell"]["group"] == list(group) and row["cell"]["width"] == width}  # fmt: skip
                for task in mine[ALONE]["returns"]:
                    scores = [mine[how]["returns"][task] for how in (ALONE, MERGED, IDENTITY)]
                    cells = [over_networks(score) for score in scores]
                    shares = [_share(mine[ALONE], mine[how], task) for how in (MERGED, IDENTITY)]
                    table.append([task, str(width), *cells, " / ".join(map(fraction, shares))])
        return table


def _share(alone: Row, row: Row, task: str) -> float:
    """Of the gain over random actions that a network of the task alone has; no number where it gains nothing."""
    floor = alone["random"][task]
    gain = alone["returns"][task]["mean"] - floor
    return (row["returns"][task]["mean"] - floor) / gain if gain > 0 else math.nan
