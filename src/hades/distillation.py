"""Distil a task into a dataset, and go on with what was interrupted: what is asked is checked here, then searched."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hades import display, presets, runtime, strategies, tasks
from hades.arguments import Beginning, Running
from hades.attempts import State
from hades.clocks import Stopwatch
from hades.config import LIMITS, Config
from hades.dataset import Dataset
from hades.errors import InputError
from hades.keeping import RunKeeper, about, config_of, dataset_of, written_page
from hades.learner.recipe import Wishes, as_learner
from hades.loop import Counts, Loop
from hades.options import bare, held_to
from hades.plan import plan_of
from hades.progress import Progress
from hades.runs import Row, Run, check_free
from hades.scores import FRESH, OWN, Evaluation, Networks
from hades.search import Search
from hades.signals import Signals
from hades.solution import given_start
from hades.tables import counted
from hades.tasks.base import Task
from hades.trackers import Trackers, check_trackers


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What `distill` returns.

    Attributes:
        dataset: the best dataset that the run validated.
        evaluation: its score on networks and episodes that neither the search nor its validation saw (of images: on
            such networks, and on the validation's images; HaDES-F's on its own networks); None if the run was
            interrupted.
        metrics: one row a generation, as in ``metrics.jsonl``.
        config: the complete configuration.
        run: the run's folder, if one was asked for.
        page: what was found, to look at, in that folder; None where there is no folder, or the run was interrupted.
        interrupted: the signal that stopped the run before its budget was spent, or None.
        given_up: why the run ended before its budget was spent, if it did so by itself.
        unsaved: why not all of this is in the run's folder (a full disk, say), or None.
        seconds: that went into compiling, searching and scoring.
    """

    dataset: Dataset
    evaluation: Evaluation | None
    metrics: list[Row]
    config: Config
    run: Path | None
    page: Path | None
    interrupted: int | None
    given_up: str | None
    unsaved: str | None
    seconds: Mapping[str, float]

    def __repr__(self) -> str:
        return display.of_result(self)

    def _repr_html_(self) -> str:
        return display.result_in_html(self)


@held_to(Beginning, Running)
@runtime.in_32_bits
def distill(
    task: Task | str,
    size: int | None = None,
    preset: str = Beginning.preset,
    seed: int = Config.seed,
    *,
    out: str | Path | None = None,
    trackers: Sequence[str] = Running.trackers,
    progress: bool = Running.progress,
    checkpoint_every: float = Running.checkpoint_every,
    learner: Wishes = None,
    **options: Any,
) -> Result:
    """Distil a task into a dataset of ``size`` state-action pairs.

    Args:
        task: from `hades.make`, or a name for it.
        size: N; None takes the preset's, or that of the dataset to go on from.
        preset: where the options start from (`hades presets` lists them).
        seed: of everything random; the same seed gives the same dataset, by a budget of generations or steps.
        out: folder for the run (metrics, checkpoints, dataset, report); None keeps nothing on disk.
        trackers: ``"tensorboard"``, ``"wandb"``; they need ``out``.
        progress: show progress on stderr.
        checkpoint_every: seconds between two checkpoints.
        learner: wishes laid over the preset's recipe.
        options: any other field of `hades.Config`; ``start`` may also be a dataset itself, which the run's folder then
            keeps.

    Raises:
        InputError: for anything asked for that cannot be, before anything is written.

    Examples:
        >>> import hades
        >>> result = hades.distill("cartpole", size=2, generations=2, progress=False)
        >>> len(result.dataset), result.dataset.task
        (2, 'CartPole-v1')
    """
    runtime.configure()
    check_trackers(trackers)
    if trackers and out is None:
        raise InputError("trackers write into the run's folder; give out=...")
    if out is not None:
        check_free(out)
    task = tasks.ready(task)
    asked = partial(configured, task, preset, seed=seed, learner=learner)
    warm, known = given_start(options, out, task, partial(asked, size=size))
    runtime.warn_of_idle_cores()
    search = Search(task, asked(size=len(warm) if warm and size is None else size, **known), warm)
    run = None if out is None else Run.create(out, about(search, preset))
    with run or contextlib.nullcontext():
        if run and warm:
            run.keep_start(warm)
        return _run(search, search.init(), Counts(), run, trackers, progress, checkpoint_every)


def configured(
    task: Task, preset: str, size: int | None = None, seed: int = 0, learner: Wishes = None, **options: Any
) -> Config:
    """A task's preset with what is asked of `distill` laid over it.

    Raises:
        InputError: for what cannot be, or would do nothing.
    """
    overrides = {**options, "seed": seed, "learner": as_learner(learner)} | ({} if size is None else {"size": size})
    config = presets.get(task, preset)
    strategy = config.override({name: value for name, value in options.items() if name == "strategy"}).strategy
    if bare(strategy) != bare(config.strategy):
        config = presets.by(task, preset, strategy)
    config = config.override(overrides)
    if config.starts_from_dataset and config.searches > 1:  # which runs of HaDES 0.1 may have
        raise InputError(f"searches begin each from another start, and {config.start} is one; leave searches out")
    if not any(config.budget.values()):
        raise InputError(f"nothing ends this run: give {', '.join(LIMITS[:-1])} or {LIMITS[-1]}")
    kinds = {strategies.kind(phase.strategy) for phase in plan_of(config).strategies}
    for name in options:
        if all(name in kind.ignores for kind in kinds):
            raise InputError(
                f"{name} means nothing to the strategy {config.strategy}; leave it out, or take a strategy that has it"
            )
    return config


@held_to(Running)
@runtime.in_32_bits
def resume(
    run: str | Path,
    task: Task | None = None,
    *,
    trackers: Sequence[str] = Running.trackers,
    progress: bool = Running.progress,
    checkpoint_every: float = Running.checkpoint_every,
    **budget: float | None,
) -> Result:
    """Continue a run that was interrupted, to the dataset that it would have had without the interruption.

    Args:
        run: the run's folder.
        task: for a run on an environment of your own, which its folder cannot hold.
        trackers: as in `distill`.
        progress: as in `distill`.
        checkpoint_every: as in `distill`.
        budget: ``generations``, ``steps`` or ``minutes`` in place of the run's own, to go on past its end; kept, for
            the next time.

    Raises:
        InputError: if the folder is not a run's, is not what the run wrote, or is being written by another process.
    """
    runtime.configure()
    check_trackers(trackers)
    if unknown := budget.keys() - set(LIMITS):
        raise InputError(f"of a run, {', '.join(LIMITS)} can be changed, not {min(unknown)}")
    with Run.open(run, write=True) as opened:
        task = _task_of(opened, task)
        try:
            config = Config.from_json(opened.about["config"], task.reference)
        except InputError as error:
            raise InputError(f"{opened.manifest}: {error}") from None
        if limits := {k: v for k, v in budget.items() if v is not None}:
            config = config.override(limits)
        runtime.warn_of_idle_cores()
        search = Search(task, config, opened.start)
        restored = opened.restore(lambda counts: search.init(counts.get("turn", 0)))
        state, counts = (search.init(), Counts()) if restored is None else (restored[0], Counts.read(restored[1]))
        spent = {"generations": int(state.generation), "steps": counts.env_steps, "minutes": counts.seconds / 60}
        for limit, asked in limits.items():
            if asked < spent[limit]:
                had = f"{spent[limit]:,.2f}" if limit == "minutes" else f"{spent[limit]:,}"
                raise InputError(f"this run has had {had} {limit}; give more, or leave {limit} out")
        opened.settle({**opened.about, "config": config_of(config)})
        counts.turn = int(state.turn)
        if limits:  # to go on even where that seemed of no use
            counts.alike = counts.barren = 0
        return _run(search, state, counts, opened, trackers, progress, checkpoint_every)


def _task_of(run: Run, given: Task | None) -> Task:
    """The task of a run: made again, or the one that is given, where it is the same."""
    name = run.about["task"]
    file = run.about.get("task_options", {}).get("file")
    if given is None and file and not Path(file).is_file():
        raise InputError(f"the environment's file {file} is gone; put it back, or in Python: hades.resume(run, task)")
    if given is None:
        call = "the file as it was" if tasks.own.is_reference(name) else "hades.resume(run, task)"
        return tasks.again(name, run.about, call, trusted=True)
    task = tasks.ready(given)
    tasks.check_same(task, name, run.about)
    return task


def _scored(config: Config) -> Networks:
    """Which networks a result is scored by: those that it was distilled for."""
    if config.keeps_networks:
        return OWN
    words, kinds = [], dict.fromkeys(config.networks)
    if len(kinds) > 1:
        words.append(f"of {', '.join(kinds)}")
    if config.rate_spread:
        words.append(f"by step sizes from {config.rate_spread:g} times smaller to larger")
    return Networks(", ".join(["fresh", *words])) if words else FRESH


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
    config, rows = search.config, list(run.journal.rows) if run else []
    watching = Trackers(trackers, run, int(state.generation)) if run and trackers and runtime.is_main() else None
    keeper = RunKeeper(search, run, watching)
    loop = Loop(search, config, counts, keeper, int(state.generation) > 0, checkpoint_every)
    metric = search.task.validation.metric
    title = f"{search.task.name}, {counted(config.size, metric.pairs)}"
    quiet, before, scored = not (progress and runtime.is_main()), counts.seconds + counts.compiled, 0.0
    spent = loop.over(int(state.generation)) and not loop.given_up
    showing = Progress(title, config.budget, before, quiet, rows, spent, metric)
    with Signals() as signals, showing as display:
        state, stopped = loop.run(state, display, signals)
        evaluation, over = None, loop.over(int(state.generation))
        if over:
            if loop.rows:
                keeper.save(state, counts)  # who is stopped while it is scored loses nothing
            display.score()
            watch = Stopwatch()
            evaluation = Evaluation(search.evaluate(state), metric.name, _scored(config))
            scored, compiled = watch.lap()
            counts.compiled += compiled
        dataset = dataset_of(search, state, counts.env_steps, evaluation)
        keeper.save(state, counts, dataset)
    if watching:
        watching.close()
    page, unsaved = written_page(run) if run and over and not keeper.failed else (None, keeper.failed)
    return Result(
        dataset=dataset,
        evaluation=evaluation,
        metrics=rows + loop.rows,
        config=config,
        run=run.path if run else None,
        page=page,
        interrupted=stopped if stopped and not over else None,
        given_up=loop.given_up,
        unsaved=unsaved,
        seconds={"compiling": counts.compiled, "searching": counts.seconds, "scoring": scored},
    )
