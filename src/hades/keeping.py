"""What is kept of a search: its dataset, and in a run's folder what it was, how it went, and its page."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import jax

from hades import runtime, trust
from hades.aliases import Json
from hades.attempts import State
from hades.config import Config
from hades.dataset import Dataset
from hades.errors import InputError, WriteError, notice
from hades.loop import Counts
from hades.reporting.page import report
from hades.runs import Row, Run
from hades.scores import Evaluation
from hades.search import Search
from hades.tasks.base import Task
from hades.trackers import Trackers


def dataset_of(search: Search, state: State, env_steps: int = 0, evaluation: Evaluation | None = None) -> Dataset:
    """The best dataset that a search has validated, with what there is to know about it."""
    config, task = search.config, search.task
    info: Json = {
        "score": None if evaluation is None else evaluation.summary(),
        "validated": search.best_score(state),
        "generations": int(state.generation),
        "env_steps": env_steps,
        "seed": config.seed,
        "init": config.init,
        "greedy": config.greedy,
        "metric": task.validation.metric.name,
        **task.origin,
        "versions": versions(task),
    }
    if config.keeps_networks:
        info["init_key"] = jax.random.key_data(search.fixed_init_key).tolist()
        info["own_networks"] = [recipe.drawn | {"inits": number} for recipe, number in search.inits.items()]
    return search.codec.dataset(*search.best(state), info)


def versions(task: Task) -> dict[str, str]:
    """Of everything that a score depends on."""
    return {"hades": version("hades-rl"), "jax": jax.__version__, **task.versions}


class RunKeeper:
    """Keeps a search in a run's folder, if it has one, and tells the trackers.

    What cannot be written is said once and tried again, and the search goes on.

    Attributes:
        failed: why not all is written, if so.
    """

    def __init__(self, search: Search, run: Run | None, trackers: Trackers | None) -> None:
        self.search, self.run, self.trackers = search, run, trackers
        self.failed: str | None = None

    def log(self, rows: Sequence[Row]) -> None:
        """To the run's metrics and the trackers."""
        if self.run:
            self._try(self.run, partial(self.run.log, rows))
        if self.trackers:
            self.trackers.log(rows)

    def snapshot(self, state: State, counts: Counts) -> None:
        """The best dataset so far."""
        if self.run:
            dataset = dataset_of(self.search, state, counts.env_steps)
            self._try(self.run, partial(self.run.snapshot, int(state.generation), dataset))

    def save(self, state: State, counts: Counts, dataset: Dataset | None = None) -> None:
        """A checkpoint, and the dataset."""
        if self.run:
            dataset = dataset or dataset_of(self.search, state, counts.env_steps)
            self._try(self.run, partial(self.run.save, int(state.generation), state, vars(counts), dataset))

    def _try(self, run: Run, write: Callable[[], None]) -> None:
        before = self.failed
        try:
            write()
        except (InputError, OSError) as error:
            self.failed = str(error)
            if before is None:
                notice(f"{error}; the run goes on, and tries again with every checkpoint")
        else:
            self.failed = None if run.whole else before
            if before and not self.failed:
                notice(f"{run.path} is written again")


def about(search: Search, preset: str) -> Json:
    """What a run's folder says of itself."""
    task = search.task
    known = {
        "task": task.name,
        **task.origin,
        "own": task.own,  # also where it is nobody's
        "task_options": {**task.options, **task.where},
        "preset": preset,
        "metric": task.validation.metric.name,
        "config": config_of(search.config),
        "versions": versions(task),
        "made": {"date": datetime.now(UTC).isoformat(timespec="seconds"), "hardware": runtime.hardware()},
    }
    return trust.signed(known)


def config_of(config: Config) -> Json:
    """As a run's folder has it, which is resumed from any other."""
    return config.to_json() | ({"start": str(config.start_file.absolute())} if config.start_file else {})


def written_page(run: Run) -> tuple[Path | None, str | None]:
    """A run's page, and why it could not be written, if so."""
    if not runtime.is_main():
        return None, None
    try:
        return report(run.path, quick=True), None
    except WriteError as error:
        return None, str(error)
