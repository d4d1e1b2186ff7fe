"""What several studies do alike: distil or go on, score, and put figures into words."""

import dataclasses
import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hades import tables
from hades.aliases import Json, Options
from hades.errors import InputError
from hades.metrics import RETURN
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hades.config import Config
    from hades.dataset import Dataset
    from hades.distillation import Result
    from hades.scores import Evaluation
    from hades.tasks.base import Task
    from hades.tasks.control import ControlTask

EVALUATION_SEED = 1_000
"""Of scores; nothing is distilled or chosen with it."""
ONE_SEARCH: Json = {"searches": 1, "curriculum": None}
"""Of whole episodes: what a distillation is compared by, whatever its preset."""
KEPT = ("mean", "std_of_inits", "iqm", "iqm_interval", "min", "inits", "episodes")
"""Of an evaluation's summary, in rows and on cards."""


@dataclass(frozen=True)
class Wanted:
    """A distillation that a cell wants: what `hades.distill` is to be given."""

    task: str
    size: int | None
    seed: int
    preset: str
    options: Options
    """Over the preset's, with the ``learner``."""
    made_with: Options = field(default_factory=dict)
    """What `hades.make` is given beside the name."""

    def config(self) -> "Config":
        """The preset with the options laid over it."""
        from hades.distillation import configured

        return configured(self.made(), self.preset, self.size, self.seed, **self.options)

    def made(self) -> "Task":
        """The task."""
        return task_named(self.task, **self.made_with)

    def distilled(self, folder: Path, **more: Any) -> "Result":
        """`hades.distill` into a run of the folder, or the rest of it where it was interrupted."""
        from hades.distillation import distill, resume

        result = (
            resume(folder, progress=False)
            if (folder / "config.json").exists()
            else distill(
                self.made(),
                self.size,
                self.preset,
                self.seed,
                out=folder,
                progress=False,
                **self.options,
                **more,
            )
        )
        if result.interrupted is not None:
            raise KeyboardInterrupt
        return result


def meaningful(task: str, preset: str, options: Options) -> Options:
    """Options without those that mean nothing to the strategy, theirs or the preset's."""
    from hades import strategies

    ignored = strategies.kind(options.get("strategy", preset_of(task, preset).strategy)).ignores
    return {name: value for name, value in options.items() if name not in ignored}


def preset_of(task: str, name: str) -> "Config":
    """A task's preset."""
    from hades import presets

    return presets.get(task_named(task), name)


@functools.cache
def task_named(task: str, **options: Any) -> "Task":
    """By its name; images are read once for all of a study's cells."""
    from hades import tasks

    return tasks.make(task, **options)


def scored(dataset: "Dataset", cell: Cell, task: "Task | None" = None, **learner: Any) -> "Evaluation":
    """Networks of a learner on a dataset: fresh ones whatever it was distilled for, as many as the cell says."""
    from hades.evaluation import evaluate

    how = cell["inits"], cell["episodes"]
    return evaluate(dataset, task, *how, learner=learner, init="fresh", seed=EVALUATION_SEED)


def summary(evaluation: "Evaluation") -> Json:
    """What a row keeps of an evaluation."""
    known = evaluation.summary()
    return {name: known[name] for name in KEPT}


def validations(metrics: Sequence[Json]) -> list[tuple[float, int, float]]:
    """Seconds, environment steps and score of a search's centre, wherever it was validated."""
    return [
        (row["seconds"], row["env_steps_total"], row["validated"]) for row in metrics if row["validated"] is not None
    ]


def draw_validations(ax: "Axes", rows: Sequence[Row]) -> None:
    """The ``curve`` of each row, a seed a line, against its minutes."""
    import numpy as np

    from hades.reporting.style import COLOURS

    for row in rows:
        seconds, _, validated = np.asarray(row["curve"], float).reshape(-1, 3).T
        seed = row["cell"]["seed"]
        ax.plot(seconds / 60, validated, ".-", lw=1, ms=3, color=COLOURS[seed % len(COLOURS)], label=f"seed {seed}")
    ax.set(xlabel="minutes", ylabel="validated return")


def control(task: "Task | str") -> "ControlTask":
    """A task whose policies act."""
    from hades.tasks import acting

    return acting(task, "this study is")


def random_return(task: "ControlTask") -> float:
    """What random actions have, played once for each task and its options."""
    import jax

    about = json.dumps([task.name, task.origin], sort_keys=True)
    if about not in _RANDOM:
        _RANDOM[about] = task.random_return(jax.random.key(EVALUATION_SEED))
    return _RANDOM[about]


_RANDOM: dict[str, float] = {}


def over_seeds(values: Sequence[float]) -> float:
    """Standard deviation of several runs, of which there could have been more (by one less than their number)."""
    import numpy as np

    return float(np.std(values, ddof=1))


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Mean, and ± standard deviation over seeds where there are several; none where one is not a finite number."""
    import numpy as np

    number = dataclasses.replace(RETURN, digits=digits).words
    return number(float(np.mean(values)), over_seeds(values) if len(values) > 1 else None)


def best_first(score: float) -> tuple[bool, float]:
    """What scores are sorted by; those that are not finite come last."""
    return not math.isfinite(score), -float(score)


def scores(summaries: Sequence[Json], digits: int = 1) -> str:
    """Of several trainings, as `spread`; marked where they are exactly alike, or in each of them all episodes are."""
    means = [summary["mean"] for summary in summaries]
    same = len(means) > 1 and len(set(means)) == 1
    return tables.marked(spread(means, digits), same or all(map(alike, summaries)))


def over_networks(summary: Json, digits: int = 1) -> str:
    """Mean, and ± standard deviation over networks where there are several; marked where they are exactly alike."""
    words = dataclasses.replace(RETURN, digits=digits).words(summary["mean"], summary["std_of_inits"])
    return tables.marked(words, alike(summary))


def alike(summary: Json) -> bool:
    """Whether all episodes of an evaluation, or the means of all its networks, are exactly one number."""
    networks, episodes = summary.get("inits", 1), summary.get("episodes", 1)
    if networks > 1 and summary["std_of_inits"] == 0:
        return True
    return networks * episodes > 1 and summary.get("min") == summary["mean"]


def fraction(share: float) -> str:
    """For a table; where there is nothing to have a share of, none."""
    return "none" if math.isnan(share) else f"{share:.2f}"


def groups(preset: tuple[tuple[str, ...], ...], datasets: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The preset's groups of datasets, or one of the datasets given.

    Raises:
        InputError: for a group of one.
    """
    if len(datasets) == 1:
        raise InputError(f"this study takes two datasets or more, not {datasets[0]} alone")
    return (datasets,) if datasets else preset
