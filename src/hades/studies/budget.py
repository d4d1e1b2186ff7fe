"""How many state-action pairs it takes (Appendix C.1 of the paper): return against N, for equal time.

One search of whole episodes each, whatever the preset: short budgets do not allow for several.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.options import option
from hades.studies.base import SCALES, Study
from hades.studies.pieces import (
    ONE_SEARCH,
    Wanted,
    meaningful,
    over_networks,
    over_seeds,
    scored,
    scores,
    summary,
    validations,
)
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Budget(Study):
    """Distils each task with different numbers of pairs."""

    paper: ClassVar[Options] = {
        "sizes": (2, 4, 8, 16, 64, 256), "minutes": None, "scale": "paper", "width": 512,
    }  # fmt: skip
    tasks: tuple[str, ...] = option(("hopper",))
    """Names of tasks."""
    sizes: tuple[int, ...] = option((2, 4, 16, 64), least=1)
    """N."""
    minutes: float | None = option(5.0, above=0)
    """Of each distillation; off: the preset's budget."""
    scale: str = option("laptop", one_of=SCALES)
    """The preset that the distillations start from, laptop, evolution or paper."""
    width: int = option(64, least=1)
    """Of the networks that the datasets are scored on."""
    inits: int = option(32, least=1)
    """Networks in every score."""
    episodes: int = option(4, least=1)
    """Of each of these networks."""
    seeds: int = option(1, least=1)
    """Distillations of each task and N."""

    def cells(self) -> list[Cell]:
        return [
            {"task": task, "size": size, "seed": seed, "preset": self.scale, "minutes": self.minutes,
             "width": self.width, "inits": self.inits, "episodes": self.episodes}
            for task in self.tasks
            for size in self.sizes
            for seed in range(self.seeds)
        ]  # fmt: skip

    def wants(self, cell: Cell) -> Sequence[Wanted]:
        limit = {} if cell["minutes"] is None else {"minutes": cell["minutes"]}
        asked = {**meaningful(cell["task"], cell["preset"], ONE_SEARCH), **limit}
        return (Wanted(cell["task"], cell["size"], cell["seed"], cell["preset"], asked),)

    def run(self, cell: Cell, folder: Path) -> Json:
        (wanted,) = self.wants(cell)
        result = wanted.distilled(self.place(folder, f"{cell['task']}-{cell['size']}-seed{cell['seed']}", cell))
        score = scored(result.dataset, cell, width=cell["width"])
        info = result.dataset.info
        curve = [(steps, score) for _, steps, score in validations(result.metrics)]
        return {"return": summary(score), "generations": info["generations"], "env_steps": info["env_steps"],
                "curve": curve}  # fmt: skip

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.style import BLUE, COLOURS, subplots

        figure, axes = subplots(len(self.tasks), 2, (10, 3.6 * len(self.tasks)))
        for number, task in enumerate(self.tasks):
            left, right = axes[2 * number : 2 * number + 2]
            means, stds = [], []
            for colour, size in zip(cycle(COLOURS), self.sizes, strict=False):
                mine = [row for row in rows if (row["cell"]["task"], row["cell"]["size"]) == (task, size)]
                means.append(np.mean([row["return"]["mean"] for row in mine]))
                one = mine[0]["return"]["std_of_inits"] or 0.0
                stds.append(over_seeds([row["return"]["mean"] for row in mine]) if len(mine) > 1 else one)
                for row in mine:
                    steps, validated = np.asarray(row["curve"], float).reshape(-1, 2).T
                    label = f"N = {size}" if row["cell"]["seed"] == 0 else None
                    right.plot(steps / 1e6, validated, color=colour, lw=1, label=label)
            left.errorbar(self.sizes, means, stds, color=BLUE, marker="o", capsize=3)
            left.set_xscale("log", base=2)
            left.set_xticks(self.sizes, [str(size) for size in self.sizes])
            left.set(xlabel="pairs, N", ylabel="return", title=task)
            right.set(xlabel="environment steps (millions)", ylabel="validated return")
            right.legend(frameon=False)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        table = [["task", "pairs", "seeds", "return", "generations", "M steps"]]
        for task in self.tasks:
            for size in self.sizes:
                mine = [row for row in rows if (row["cell"]["task"], row["cell"]["size"]) == (task, size)]
                score = scores([row["return"] for row in mine])
                if len(mine) == 1:
                    score = f"{over_networks(mine[0]['return'])} over networks"
                generations = f"{np.mean([row['generations'] for row in mine]):.0f}"
                steps = f"{np.mean([row['env_steps'] for row in mine]) / 1e6:.1f}"
                table.append([task, str(size), str(len(mine)), score, generations, steps])
        return table
