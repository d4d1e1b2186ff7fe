"""Distillation against ES on the network's weights and PPO (Figures 2 and 3 of the paper).

Like with like: one width, one budget of environment steps (or of minutes), and for those that evolve one strategy, one
population, as many episodes a candidate, and a single search of whole episodes; PPO with the settings that a search
found for each task (`tuning`). HaDES is the preset's, also in its depth and in taking likeliest actions where it does
(ES and PPO train two layers and draw theirs); evolution of the pairs stands beside it where that is by a derivative.
The published comparison had ES at half the width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.options import COUNT, option
from hades.studies.base import SCALES, Study
from hades.studies.pieces import (
    ONE_SEARCH,
    Wanted,
    control,
    meaningful,
    preset_of,
    scores,
    spread,
    summary,
    task_named,
)
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DISTILLATIONS = ("HaDES-R", "HaDES-F", "td3")
METHODS = ("HaDES-R", "HaDES-F", "evolution", "ES", "PPO")


@dataclass(frozen=True, kw_only=True)
class Comparison(Study):
    """Trains by each method on each task."""

    paper: ClassVar[Options] = {
        "tasks": (
            "ant", "halfcheetah", "hopper", "humanoid", "humanoidstandup", "inverted_double_pendulum", "reacher",
            "walker2d", "asterix", "breakout", "freeway", "space-invaders", "seaquest",
        ),
        "steps": 30_000_000_000, "scale": "paper", "width": 512, "std": 0.03,
    }  # fmt: skip
    tasks: tuple[str, ...] = option(("cartpole", "hopper", "breakout", "freeway"))
    """Names of tasks of control."""
    methods: tuple[str, ...] = option(METHODS, one_of=(*METHODS, "td3"))
    """HaDES-R, HaDES-F, evolution (HaDES-R by it, where the preset is not), ES, PPO, or some of them; and td3 (HaDES-R
    by it, where actions are continuous)."""
    seeds: int = option(3, least=1)
    """Trainings by each method on each task."""
    steps: int = option(5_000_000, **COUNT)
    """The budget of every cell, in environment steps."""
    minutes: float | None = option(None, above=0)
    """The budget of every cell in place of steps: equal time on this machine."""
    scale: str = option("laptop", one_of=SCALES)
    """The preset that the distillations start from, laptop, evolution or paper; for ES, that of evolution."""
    width: int = option(64, least=1)
    """Of the networks of all methods."""
    std: float = option(0.05, above=0)
    """Initial standard deviation of the weights, for ES."""
    tuned: bool = option(True)
    """PPO has the settings that were tuned for the task; otherwise the usual ones."""

    def cells(self) -> list[Cell]:
        budget = {"steps": self.steps} if self.minutes is None else {"minutes": self.minutes}
        return [
            {"task": task, "method": method, "seed": seed, **budget, "preset": self._preset(method),
             "width": self.width,
             **self._own(method, task)}
            for task in self.tasks
            for method in self.methods
            if self._has(method, task)
            for seed in range(self.seeds)
        ]  # fmt: skip

    def _has(self, method: str, task: str) -> bool:
        """Whether a method is one of its own on a task."""
        if method == "td3":
            return not task_named(task).spec.discrete
        return method != "evolution" or preset_of(task, self.scale) != preset_of(task, self._preset(method))

    def _preset(self, method: str) -> str:
        """Whatever is not HaDES is compared by what evolves."""
        return "evolution" if self.scale == "laptop" and method not in DISTILLATIONS else self.scale

    def _own(self, method: str, task: str) -> Json:
        """The settings that one method alone has."""
        from hades.baselines.settings import complete

        if method == "PPO":
            return {"settings": complete(task, tuned=self.tuned)}
        return {"std": self.std} if method == "ES" else {}

    def wants(self, cell: Cell) -> Sequence[Wanted]:
        """As all methods take the preset: HaDES-F, of one network, and ES play as many episodes as HaDES-R."""

        def wanted(**options: Any) -> Wanted:
            task, preset = cell["task"], cell["preset"]
            asked = {**meaningful(task, preset, {**ONE_SEARCH, **options}), **_budget(cell)}
            return Wanted(task, None, cell["seed"], preset, {**asked, "learner": {"width": cell["width"]}})

        if cell["method"] == "td3":
            return (wanted(strategy="td3"),)
        if cell["method"] != "HaDES-F":
            return (wanted(),)
        config = wanted().config()
        return (wanted(init="fixed", episodes=config.inits * config.episodes),)

    def run(self, cell: Cell, folder: Path) -> Json:
        from hades.baselines.ppo import train_ppo
        from hades.baselines.weights import evolve_weights

        task, (wanted,) = control(cell["task"]), self.wants(cell)
        config = wanted.config()
        learner, seed, budget = config.learner, cell["seed"], _budget(cell)
        if cell["method"] == "PPO":
            result = train_ppo(task, learner, seed=seed, **budget, **cell["settings"])
        elif cell["method"] == "ES":
            result = evolve_weights(
                task, learner, population=config.population, episodes=config.inits * config.episodes,
                std=cell["std"], seed=seed, **budget,
            )  # fmt: skip
        else:
            result = wanted.distilled(self.place(folder, f"{cell['task']}-{cell['method']}-seed{seed}", cell))
        assert result.evaluation is not None
        metrics = result.metrics
        last = metrics[-1]
        thin = metrics[:: max(1, len(metrics) // 200)]
        return {
            "return": summary(result.evaluation),
            "iterations": iterations(cell, metrics),
            "env_steps": last["env_steps_total"],
            "training_seconds": round(last["seconds"], 1),
            "curve": [(r["env_steps_total"], round(r["seconds"], 1), r["mean"]) for r in thin],
        }

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.style import COLOURS, subplots

        figure, axes = subplots(len(self.tasks), 3, (12, 3.1 * len(self.tasks)))
        for number, task in enumerate(self.tasks):
            for colour, method in zip(COLOURS, self.methods, strict=False):
                mine = [row for row in rows if (row["cell"]["task"], row["cell"]["method"]) == (task, method)]
                for i, row in enumerate(mine):
                    steps, seconds, returns = zip(*row["curve"], strict=True)
                    returns = [np.nan if value is None else value for value in returns]
                    share = np.linspace(row["iterations"] / len(steps), row["iterations"], len(steps))
                    label = method if i == 0 else None
                    for ax, x in zip(axes[3 * number : 3 * number + 3], (share, np.asarray(steps) / 1e6, seconds),
                                     strict=True):  # fmt: skip
                        ax.plot(x, returns, color=colour, lw=1, alpha=0.8, label=label)
            names = ("generations, or iterations of PPO", "environment steps (millions)", "seconds")
            for ax, name in zip(axes[3 * number : 3 * number + 3], names, strict=True):
                ax.set(xlabel=name, ylabel=f"{task}: return")
            axes[3 * number].set_xscale("log")
            axes[3 * number + 2].legend(frameon=False, fontsize=8)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        table = [["task", "method", "seeds", "return", "M steps", "iterations", "seconds"]]
        for task in self.tasks:
            for method in self.methods:
                mine = [row for row in rows if (row["cell"]["task"], row["cell"]["method"]) == (task, method)]
                if not mine:  # evolution, where HaDES is by it
                    continue
                table.append(
                    [task, method, str(len(mine)), scores([row["return"] for row in mine]),
                     spread([row["env_steps"] / 1e6 for row in mine]),
                     spread([row["iterations"] for row in mine], 0),
                     spread([row["training_seconds"] for row in mine], 0)]
                )  # fmt: skip
        return table


def iterations(cell: Cell, metrics: Sequence[Json]) -> int:
    """Generations; of PPO, which is scored now and then, as many as its steps make."""
    from hades.baselines.settings import per_iteration

    if cell["method"] != "PPO":
        return len(metrics)
    return metrics[-1]["env_steps_total"] // per_iteration(cell["settings"])


def _budget(cell: Cell) -> Json:
    return {limit: cell[limit] for limit in ("steps", "minutes") if limit in cell}
