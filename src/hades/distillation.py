"""Distil a task into a dataset, and go on with what was interrupted: what is asked is checked here, then searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from hades import presets, runtime, tasks
from hades.aliases import Json
from hades.attempts import State
from hades.config import Config
from hades.dataset import Dataset
from hades.errors import InputError
from hades.evaluation import Evaluation
from hades.learner.recipe import Wishes, as_learner
from hades.loop import Counts, Loop, Signals
from hades.progress import Progress
from hades.runs import Row, Run, check_free
from hades.search import Search
from hades.tasks.base import Task
from hades.trackers import Trackers, check_trackers


@dataclass(frozen=True, eq=False)
class Result:
    """What `distill` returns.

    Attributes:
        dataset: the best dataset that the run validated.
        evaluation: its score on networks and episodes that neither the search nor its validation saw (of images: on
            such networks, and on the validation's images); None if the run was interrupted.
        metrics: one row a generation, as in ``metrics.jsonl``.
        config: the complete configuration.
        run: the run's folder, if one was asked for.
        interrupted: the signal that stopped the run before its budget was spent, or None.
    """

    dataset: Dataset
    evaluation: Evaluation | None
    metrics: list[Row]
    config: Config
    run: Path | None
    interrupted: int | None


@runtime.in_32_bits
def distill(
    task: Task | str,
    size: int | None = None,
    preset: str = "laptop",
    seed: int = 0,
    *,
    out: str | Path | None = None,
    trackers: Sequence[str] = (),
    progress: bool = True,
    checkpoint_every: float = 15.0,
    learner: Wishes = None,
    **options: Any,
) -> Result:
    """Distil a task into a dataset of ``size`` state-action pairs.

    Args:
        task: from `hades.make`, or a name for it.
        size: N; None takes the preset's.
        preset: where the options start from (`hades presets` lists them).
        seed: of everything random; the same seed gives the same dataset.
        out: folder for the run (metrics, checkpoints, dataset, report); None keeps nothing on disk.
        trackers: ``"tensorboard"``, ``"wandb"``; they need ``out``.
        progress: show progress on stderr.
        checkpoint_every: seconds between two checkpoints.
        learner: wishes laid over the preset's recipe.
        options: any other field of `hades.Config`.

    Raises:
        InputError: for anything asked for that cannot be, before anything is written.

    >>> import hades
    >>> result = hades.distill("cartpole", size=2, generations=20, progress=False)
    >>> len(result.dataset), result.dataset.task
    (2, 'CartPole-v1')
    """
    runtime.configure()
    check_trackers(trackers)
    if trackers and out is None:
        raise InputError("trackers write into the run's folder; give out=...")
    if out is not None:
        check_free(out)
    if isinstance(task, str):
        task = tasks.make(task)
    overrides = {**options, "seed": seed, "learner": as_learner(learner)} | ({} if size is None else {"size": size})
    search = Search(task, presets.get(task, preset).override(overrides))
    run = None if out is None else Run.create(out, _about(search, preset))
    return _run(search, search.init(), Counts(), run, trackers, progress, checkpoint_every)


@runtime.in_32_bits
def resume(
    run: str | Path,
    task: Task | None = None,
    *,
    trackers: Sequence[str] = (),
    progress: bool = True,
    checkpoint_every: float = 15.0,
    **budget: float | None,
) -> Result:
    """Continue a run that was interrupted, to the dataset that it would have had without the interruption.

    Args:
        run: the run's folder.
        task: for a run on an environment of your own, which its folder cannot name.
        trackers, progress, checkpoint_every: as in `distill`.
        budget: ``generations``, ``steps`` or ``minutes`` in place of the run's own, to go on past its end.
    """
    runtime.configure()
    check_trackers(trackers)
    opened = Run.open(run)
    task = task or tasks.make(opened.about["task"], **opened.about.get("task_options", {}))
    config = Config.from_json(opened.about["config"], task.reference)
    budget = {k: v for k, v in budget.items() if v is not None}
    search = Search(task, config.override(budget) if budget else config)
    restored = opened.restore(lambda counts: search.init(counts.get("turn", 0)))
    state, counts = (search.init(), Counts()) if restored is None else (restored[0], Counts(**restored[1]))
    counts.turn = int(state.turn)
    return _run(search, state, counts, opened, trackers, progress, checkpoint_every)


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
        "task_options": dict(task.options),
        "versions": versions(task),
    }
    if config.keeps_networks:
        info["init_key"] = jax.random.key_data(search.fixed_init_key).tolist()
    return search.codec.dataset(*search.best(state), info)


def versions(task: Task) -> dict[str, str]:
    """Of everything that a score depends on."""
    return {"hades": version("hades-rl"), "jax": jax.__version__, **task.versions}


@dataclass(frozen=True)
class RunKeeper:
    """Keeps a search in a run's folder, if it has one, and tells the trackers."""

    search: Search
    run: Run | None
    trackers: Trackers | None

    def log(self, rows: Sequence[Row]) -> None:
        """To the run's metrics and the trackers."""
        if self.run:
            self.run.log(rows)
        if self.trackers:
            self.trackers.log(rows)

    def snapshot(self, state: State, counts: Counts) -> None:
        """The best dataset so far."""
        if self.run:
            self.run.snapshot(int(state.generation), dataset_of(self.search, state, counts.env_steps))

    def save(self, state: State, counts: Counts, dataset: Dataset | None = None) -> None:
        """A checkpoint, and the dataset."""
        if self.run:
            dataset = dataset or dataset_of(self.search, state, counts.env_steps)
            self.run.save(int(state.generation), state, vars(counts), dataset)


def _about(search: Search, preset: str) -> Json:
    """What a run's folder says of itself."""
    task, config = search.task, search.config
    # A run is resumed from any folder.
    start = {"start": str(config.start_file.absolute())} if config.start_file else {}
    return {
        "task": task.name,
        "task_options": {**task.options, **task.where},
        "preset": preset,
        "config": config.to_json() | start,
        "versions": versions(task),
    }


def _run(
    search: Search,
    state: State,
    counts: Counts,
    run: Run | None,
    trackers: Sequence[str],
    progress: bool,
    checkpoint_every: float,
) -> Result:
    """Search until the budget is spent, score what was found, keep it."""
    config, before = search.config, run.metrics() if run else []
    keeper = RunKeeper(search, run, Trackers(trackers, run) if run and trackers and runtime.is_main() else None)
    loop = Loop(search, config, counts, keeper, bool(before), checkpoint_every)
    title = f"{search.task.name}, {config.size} pairs"
    with Signals() as signals, Progress(title, config.budget, not (progress and runtime.is_main())) as display:
        state, stopped = loop.run(state, display, signals)
        evaluation, spent = None, loop.spent(int(state.generation))
        if spent:
            display.note("scoring the dataset on fresh networks")
            evaluation = Evaluation(search.evaluate(state), search.task.validation.metric.name)
        dataset = dataset_of(search, state, counts.env_steps, evaluation)
        keeper.save(state, counts, dataset)
    if keeper.trackers:
        keeper.trackers.close()
    interrupted = stopped if stopped and not spent else None
    return Result(dataset, evaluation, before + loop.rows, config, run.path if run else None, interrupted)
