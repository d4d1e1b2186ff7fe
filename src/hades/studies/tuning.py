"""PPO's settings for each task of the paper: what `hades.baselines.settings.TASKS` was chosen by.

Candidates around what is published and what is usual. Networks are those of `comparison`; seeds, which score, too,
begin where no comparison's come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.baselines.settings import CONTINUOUS, DISCRETE, PUBLISHED
from hades.options import option
from hades.studies.base import SCALES, Study
from hades.studies.pieces import Wanted, best_first, control, scores, summary
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST_SEED = 1_000
"""Comparisons begin at 0."""


@dataclass(frozen=True)
class Search:
    """What is tried for a task, and for how long."""

    usual: Options
    candidates: tuple[Options, ...]
    """Over the usual settings."""
    steps: int = 1_000_000
    seeds: int = 1


def _falling(rates: Sequence[float], **others: float) -> tuple[Options, ...]:
    return tuple({"learning_rate": rate, "anneal": True, **others} for rate in rates)


_MINATAR: tuple[Options, ...] = ({}, *_falling((2.5e-3, 5e-3)))
_INVADERS: tuple[Options, ...] = (
    {}, *_falling((1e-3, 2.5e-3, 5e-3)), *_falling((2.5e-3,), ent_coef=0.03), {"learning_rate": 2.5e-3},
)  # fmt: skip
_BREAKOUT: tuple[Options, ...] = (
    {}, {"learning_rate": 5e-3, "ent_coef": 0.03}, *_falling((1e-3, 2.5e-3, 5e-3)),
    *_falling((1e-3, 2.5e-3, 5e-3), ent_coef=0.03), *_falling((5e-3,), num_minibatches=8),
)  # fmt: skip
_HOPPER: tuple[Options, ...] = (
    {}, {"learning_rate": 1e-3}, *_falling((3e-4, 1e-3, 2.5e-3)), *_falling((1e-3,), gamma=0.97),
    *_falling((1e-3,), gamma=0.995), *_falling((1e-3,), ent_coef=0.01),
)  # fmt: skip
_BRAX: tuple[Options, ...] = ({}, {"learning_rate": 1e-3}, *_falling((1e-3, 2.5e-3)))
SEARCHES = {
    "cartpole": Search(DISCRETE, ({}, {"learning_rate": 1e-3}, *_falling((3e-4, 1e-3, 2.5e-3, 5e-3))), seeds=2),
    "breakout": Search(DISCRETE, _BREAKOUT),
    "freeway": Search(DISCRETE, _MINATAR),
    "space-invaders": Search(DISCRETE, _INVADERS),
    "asterix": Search(DISCRETE, (*_MINATAR, PUBLISHED["Asterix-MinAtar"])),
    "seaquest": Search(DISCRETE, (*_MINATAR, PUBLISHED["Seaquest-MinAtar"])),
    "hopper": Search(CONTINUOUS, _HOPPER),
    "inverted_double_pendulum": Search(CONTINUOUS, _BRAX[:3]),
    "reacher": Search(CONTINUOUS, (*_BRAX, PUBLISHED["brax/reacher"])),
    "walker2d": Search(CONTINUOUS, (*_BRAX, PUBLISHED["brax/walker2d"])),
    "halfcheetah": Search(CONTINUOUS, (*_BRAX[:2], PUBLISHED["brax/halfcheetah"]), 500_000),
    "ant": Search(CONTINUOUS, (*_BRAX[:2], PUBLISHED["brax/ant"]), 500_000),
    "humanoid": Search(CONTINUOUS, (*_BRAX[:2], PUBLISHED["brax/humanoidstandup"]), 250_000),
    "humanoidstandup": Search(CONTINUOUS, (*_BRAX[:2], PUBLISHED["brax/humanoidstandup"]), 250_000),
}
"""By task; the slow ones get few candidates and steps."""


@dataclass(frozen=True, kw_only=True)
class Tuning(Study):
    """Trains by PPO with every candidate's settings."""

    paper: ClassVar[Options] = {"steps": 50_000_000, "seeds": 3, "scale": "paper", "width": 512}
    tasks: tuple[str, ...] = option(tuple(SEARCHES), one_of=SEARCHES)
    """Names of tasks of control."""
    seeds: int | None = option(None, least=1)
    """Trainings with each candidate's settings; left out: one, of cheap tasks two."""
    steps: int | None = option(None, least=1)
    """Of each training, in the environment; left out: a million, of slow tasks less."""
    scale: str = option("evolution", one_of=SCALES)
    """The preset whose networks are trained, laptop, evolution or paper."""
    width: int = option(64, least=1)
    """Of the networks."""

    def cells(self) -> list[Cell]:
        return [
            {"task": task, "settings": {**search.usual, **candidate}, "seed": FIRST_SEED + seed,
             "steps": self.steps or search.steps, "preset": self.scale, "width": self.width}
            for task, search in ((task, SEARCHES[task]) for task in self.tasks)
            for seed in range(self.seeds or search.seeds)
            for candidate in search.candidates
        ]  # fmt: skip

    def wants(self, cell: Cell) -> Sequence[Wanted]:
        return (Wanted(cell["task"], None, cell["seed"], cell["preset"], {"learner": {"width": cell["width"]}}),)

    def run(self, cell: Cell, folder: Path) -> Json:
        from hades.baselines.ppo import train_ppo

        del folder
        task, learner = control(cell["task"]), self.wants(cell)[0].config().learner
        result = train_ppo(task, learner, seed=cell["seed"], steps=cell["steps"], evaluations=5, **cell["settings"])
        last = result.metrics[-1]
        return {
            "return": summary(result.evaluation),
            "env_steps": last["env_steps_total"],
            "training_seconds": round(last["seconds"], 1),
            "curve": [(row["env_steps_total"], round(row["seconds"], 1), row["mean"]) for row in result.metrics],
        }

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.style import BLUE, subplots

        across = min(4, len(self.tasks))
        figure, axes = subplots(
            -(-len(self.tasks) // across), across, (3.5 * across, 3 * -(-len(self.tasks) // across))
        )
        for ax in axes[len(self.tasks) :]:
            ax.set_axis_off()
        for ax, task in zip(axes, self.tasks, strict=False):
            for rank, (_, mine) in enumerate(ranked(rows, task)):
                ax.plot([rank] * len(mine), [row["return"]["mean"] for row in mine], "o", color=BLUE, ms=4)
            ax.set(title=task, xlabel="candidates, best first", ylabel="return")
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        table = [["task", "settings", "M steps", "seeds", "return"]]
        for task in self.tasks:
            for rank, (words, mine) in enumerate(ranked(rows, task)):
                score, steps = scores([row["return"] for row in mine]), f"{mine[0]['env_steps'] / 1e6:.1f}"
                table.append([task, words, steps, str(len(mine)), score if rank else f"**{score}**"])
        return table


def ranked(rows: Sequence[Row], task: str) -> list[tuple[str, list[Row]]]:
    """Each candidate's rows of a task by the settings in which candidates differ, the best first."""
    mine = [row for row in rows if row["cell"]["task"] == task]
    settings = [row["cell"]["settings"] for row in mine]
    varied = [name for name in (settings[0] if settings else ()) if len({known[name] for known in settings}) > 1]
    found: dict[str, list[Row]] = {}
    for row in mine:
        words = ", ".join(f"{name.replace('_', ' ')} {row['cell']['settings'][name]}" for name in varied)
        found.setdefault(words, []).append(row)
    return sorted(found.items(), key=lambda one: best_first(float(np.mean([row["return"]["mean"] for row in one[1]]))))
