"""A network trained on a sequence of tasks (named in the paper's conclusion), and what the distilled pairs keep.

Each stage trains on one task's pairs. Alone, that overwrites what was learnt before; rehearsing the earlier tasks' few
pairs beside it costs next to nothing; or a fresh network is trained on all pairs so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.options import option
from hades.studies.base import Study
from hades.studies.pieces import EVALUATION_SEED, control, groups, random_return, scored
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hades.dataset import Dataset
    from hades.tasks.control import ControlTask

SEQUENCES = (("cartpole-8", "acrobot-12", "mountaincar-9"), ("hopper-4", "walker2d"))
ALONE, REHEARSED, RESET = "each task's pairs alone", "earlier pairs rehearsed", "reset, trained on all pairs so far"


@dataclass(frozen=True, kw_only=True)
class Continual(Study):
    """Trains on one task after the other, several times over, and scores on all of them after each stage."""

    paper: ClassVar[Options] = {"width": 512, "inits": 32, "cycles": 5}
    datasets: tuple[str, ...] = option(())
    """Names in the zoo, or files, of one sequence, whose actions are of one kind; left out: two of the zoo's."""
    identity: bool = option(True)
    """Tell the network which task it is in."""
    cycles: int = option(2, least=1)
    """How often the sequence comes."""
    width: int = option(256, least=1)
    """Of the network."""
    epochs: float = option(4.0, above=0)
    """A stage's, as a factor on the first dataset's recipe."""
    inits: int = option(16, least=1)
    """Networks in every score."""
    episodes: int = option(4, least=1)
    """Of each of these networks."""

    def __post_init__(self) -> None:
        super().__post_init__()
        groups(SEQUENCES, self.datasets)

    @property
    def sequences(self) -> tuple[tuple[str, ...], ...]:
        """Of datasets that come one after the other."""
        return groups(SEQUENCES, self.datasets)

    def cells(self) -> list[Cell]:
        return [
            {"sequence": list(sequence), "how": how, "cycles": self.cycles, "width": self.width,
             "identity": self.identity, "epochs": self.epochs, "inits": self.inits, "episodes": self.episodes}
            for sequence in self.sequences
            for how in (ALONE, REHEARSED, RESET)
        ]  # fmt: skip

    def reads(self, cell: Cell) -> Sequence[str]:
        return cell["sequence"]

    def run(self, cell: Cell, folder: Path) -> Json:
        import jax
        import jax.numpy as jnp

        from hades.dataset import load
        from hades.evaluation import recipe, task_of
        from hades.learner.cloning import behaviour_cloning, make_policy
        from hades.learner.networks import init_network
        from hades.learner.recipe import Learner
        from hades.merging import merge, parts
        from hades.normalisers import identity_normaliser

        del folder
        datasets = [load(name) for name in cell["sequence"]]
        union = merge(datasets, cell["identity"])
        spec, tasks = union.spec, [control(task) for task in parts(union).values()]
        learner = Learner(width=cell["width"], epochs=round(cell["epochs"] * recipe(union).epochs))
        complete = recipe(union, learner)
        alike = identity_normaliser(spec)
        ends = np.cumsum([0, *(len(d) for d in datasets)])
        key = jax.random.fold_in(jax.random.key(EVALUATION_SEED), 1)

        @jax.jit
        def fresh(key: jax.Array) -> Any:
            return jax.vmap(lambda key: init_network(complete, spec, key))(jax.random.split(key, cell["inits"]))

        @jax.jit
        def train(params: Any, states: jax.Array, targets: jax.Array) -> Any:
            return jax.vmap(lambda p: behaviour_cloning(complete, spec, p, states, targets).params)(params)

        def scorer(task: "ControlTask") -> Any:
            act = make_policy(complete, spec, union.greedy_in(task.name))
            return jax.jit(lambda params, keys: task.rollout(act, params, alike, keys).ret)

        scorers = [scorer(task) for task in tasks]
        params, returns = fresh(key), []
        for stage in range(cell["cycles"] * len(datasets)):
            current = stage % len(datasets)
            seen = range(min(stage + 1, len(datasets))) if cell["how"] != ALONE else [current]
            rows = np.concatenate([np.arange(ends[i], ends[i + 1]) for i in seen])
            if cell["how"] == RESET:
                params = fresh(jax.random.fold_in(key, stage))
            params = train(params, jnp.asarray(union.states[rows]), jnp.asarray(union.targets[rows]))
            keys = jax.random.split(jax.random.fold_in(key, 1000 + stage), (cell["inits"], cell["episodes"]))
            returns.append([float(score(params, keys).mean()) for score in scorers])
        return {
            "tasks": [task.name for task in tasks],
            "returns": returns,
            "single": [_single(dataset, cell) for dataset in datasets],
            "random": [random_return(control(task_of(d))) for d in datasets],
        }

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.style import COLOURS, subplots

        figure, axes = subplots(len(self.sequences), 3, (13, 3.3 * len(self.sequences)))
        for ax, row in zip(axes, rows, strict=True):
            shares, stages = relative(row), range(1, len(row["returns"]) + 1)
            for colour, task, curve in zip(cycle(COLOURS), row["tasks"], shares.T, strict=False):
                ax.plot(stages, curve, "o-", ms=4, color=colour, label=task)
            names = [row["tasks"][i % len(row["tasks"])] for i in range(len(shares))]
            ax.set_xticks(stages, names, rotation=30, ha="right", size=7)
            ax.set(title=row["cell"]["how"], xlabel="trained on", ylabel="share of a single task's gain")
            ax.legend(frameon=False, fontsize=7)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        table = [["tasks, in turn", "how", "share at the end", "forgetting", "forward transfer", "plasticity"]]
        for row in rows:
            table.append([", ".join(row["tasks"]), row["cell"]["how"], *(f"{v:.2f}" for v in measures(row).values())])
        return table


def _single(dataset: "Dataset", cell: Cell) -> float:
    """What fresh networks that are trained on one task's pairs alone have there."""
    return scored(dataset, cell, width=cell["width"]).mean


def relative(row: Row) -> np.ndarray:
    """Shares of the gain over random actions that networks of a single task have: ``[stages, tasks]``."""
    returns, single, floor = (np.asarray(row[name], float) for name in ("returns", "single", "random"))
    return (returns - floor) / np.where(single > floor, single - floor, np.nan)


def measures(row: Row) -> dict[str, float]:
    """Means over tasks, in shares of a single task's gain (Lopez-Paz & Ranzato 2017, Chaudhry et al. 2018).

    ``end``: after the last stage; ``forgetting``: the best share before the last stage less that at the end;
    ``forward transfer``: the share just before a task is first trained on; ``plasticity``: just after a task's stage,
    in the last cycle.
    """
    shares = relative(row)
    count = shares.shape[1]
    first = [shares[i - 1, i] for i in range(1, count)]
    last = range(len(shares) - count, len(shares))
    return {
        "end": float(shares[-1].mean()),
        "forgetting": float((shares[:-1].max(0) - shares[-1])[: count - 1].mean()),
        "forward transfer": float(np.mean(first)),
        "plasticity": float(np.mean([shares[stage, stage % count] for stage in last])),
    }
