"""Architecture search on a dataset (named in the paper's introduction), against the same ranking by PPO.

Optuna proposes networks by their score after seconds of training on the pairs. PPO trains each of them in the real
environment; what counts is how alike the two rank them, and the time of each.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.extras import need
from hades.options import COUNT, option
from hades.studies.base import Study
from hades.studies.pieces import best_first, control, scored, summary
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BOOTSTRAPS = 2000


@dataclass(frozen=True, kw_only=True)
class Architectures(Study):
    """Ranks a space of networks twice."""

    paper: ClassVar[Options] = {"datasets": ("hopper-4", "breakout"), "trials": 100, "steps": 50_000_000}
    datasets: tuple[str, ...] = option(("cartpole-2",))
    """Names in the zoo, or files."""
    trials: int = option(24, least=1)
    """Architectures."""
    steps: int = option(300_000, **COUNT)
    """Environment steps that PPO trains each of them for."""
    inits: int = option(32, least=1)
    """Networks in the score after training on the dataset."""
    episodes: int = option(8, least=1)
    """Of each of these networks."""
    seeds: int = option(2, least=1)
    """Trainings by PPO whose mean ranks an architecture."""
    tuned: bool = option(True)
    """PPO has the settings that were tuned for the task; otherwise the usual ones."""

    def cells(self) -> list[Cell]:
        from hades.baselines.settings import complete
        from hades.dataset import load

        return [
            {"dataset": dataset, "trial": trial, "steps": self.steps, "seeds": self.seeds, "inits": self.inits,
             "episodes": self.episodes, "ppo": complete(load(dataset).task, tuned=self.tuned)}
            for dataset in self.datasets
            for trial in range(self.trials)
        ]  # fmt: skip

    def reads(self, cell: Cell) -> Sequence[str]:
        return (cell["dataset"],)

    def run(self, cell: Cell, folder: Path) -> Json:
        from hades.baselines.ppo import train_ppo
        from hades.dataset import load
        from hades.evaluation import task_of
        from hades.learner.recipe import Learner, stored

        dataset = load(cell["dataset"])
        task = control(task_of(dataset))
        name, searched = Path(cell["dataset"]).stem, {k: cell[k] for k in ("dataset", "inits", "episodes")}
        trials = _optuna(self.place(folder, f"optuna-{name}", searched), name, cell["trial"])
        trial = trials.ask()
        architecture = _architecture(trial)
        learner, start = Learner(**architecture), time.monotonic()
        score = scored(dataset, cell, task, **architecture)
        seconds = time.monotonic() - start
        trials.tell(trial, score.mean)
        start, returns = time.monotonic(), []
        for seed in range(cell["seeds"]):
            wishes = stored(dataset.learner) | learner
            by_ppo = train_ppo(task, wishes, seed=seed, steps=cell["steps"], **cell["ppo"])
            returns.append(by_ppo.evaluation.mean)
        return {
            "architecture": architecture,
            "return": summary(score),
            "dataset_seconds": round(seconds, 2),
            "ppo_returns": returns,
            "ppo_seconds": round(time.monotonic() - start, 2),
        }

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.style import COLOURS, subplots

        figure, axes = subplots(1, len(self.datasets), (5 * len(self.datasets), 4))
        for ax, name in zip(axes, self.datasets, strict=True):
            mine = [row for row in rows if row["cell"]["dataset"] == name]
            for colour, depth in zip(COLOURS, (1, 2, 3, 4), strict=False):
                some = [row for row in mine if row["architecture"]["depth"] == depth]
                ax.scatter([row["return"]["mean"] for row in some], [np.mean(row["ppo_returns"]) for row in some],
                           color=colour, label=f"depth {depth}")  # fmt: skip
            rho, low, high = correlation(mine)
            ax.set(title=f"{name}: rank correlation {rho:.2f} [{low:.2f}, {high:.2f}]",
                   xlabel="return after training on the pairs", ylabel="return after PPO")  # fmt: skip
            ax.legend(frameon=False)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        table = [
            ["dataset", "architecture", "return, trained on the pairs", "return, by PPO", "seconds, pairs", "PPO"]
        ]
        for name in self.datasets:
            mine = [row for row in rows if row["cell"]["dataset"] == name]
            rho, low, high = correlation(mine)
            totals = [f"{sum(row[key] for row in mine):.0f}" for key in ("dataset_seconds", "ppo_seconds")]
            table.append([name, f"**all {len(mine)}**", f"**rank correlation {rho:.2f} [{low:.2f}, {high:.2f}]**", "",
                          *totals])  # fmt: skip
            for row in sorted(mine, key=lambda row: best_first(row["return"]["mean"])):
                words = ", ".join(f"{k} {v}" for k, v in row["architecture"].items())
                table.append(
                    [name, words, f"{row['return']['mean']:.1f}", f"{np.mean(row['ppo_returns']):.1f}",
                     f"{row['dataset_seconds']:.1f}", f"{row['ppo_seconds']:.1f}"]
                )  # fmt: skip
        return table


def correlation(rows: Sequence[Row]) -> tuple[float, float, float]:
    """Spearman's, of the two rankings, with a 95 % bootstrap interval over architectures."""
    from scipy.stats import rankdata

    pairs = np.asarray([(row["return"]["mean"], np.mean(row["ppo_returns"])) for row in rows])
    count, rng = len(pairs), np.random.default_rng(0)
    chosen = np.stack([np.arange(count), *rng.integers(count, size=(BOOTSTRAPS, count))])  # all, then the bootstrap
    ranks = rankdata(pairs[chosen], axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    with np.errstate(invalid="ignore"):  # where all of one ranking are alike
        rho = ranks.prod(2).sum(1) / np.sqrt((ranks**2).sum(1).prod(1))
    if count < 3 or not np.isfinite(rho[1:]).any():
        return math.nan, math.nan, math.nan
    low, high = np.nanpercentile(rho[1:], [2.5, 97.5])
    return float(rho[0]), float(low), float(high)


def _optuna(folder: Path, name: str, seed: int) -> Any:
    """The search so far, from its journal; a trial that was interrupted counts as failed."""
    need("optuna", "studies")
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    found = optuna.create_study(
        study_name=name,
        storage=JournalStorage(JournalFileBackend(str(folder / "journal.log"))),
        sampler=optuna.samplers.TPESampler(seed=seed),
        direction="maximize",
        load_if_exists=True,
    )
    for trial in found.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        found.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return found


def _architecture(trial: Any) -> Json:
    return {
        "width": trial.suggest_categorical("width", [8, 16, 32, 64, 128, 256, 512]),
        "depth": trial.suggest_int("depth", 1, 4),
        "activation": trial.suggest_categorical("activation", ["tanh", "relu", "elu", "gelu", "sigmoid"]),
        "initialiser": trial.suggest_categorical("initialiser", ["orthogonal", "lecun", "he"]),
        "norm": trial.suggest_categorical("norm", ["none", "layer"]),
    }
