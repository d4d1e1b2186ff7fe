"""The outer loop: evolve a dataset on which fresh networks become strong policies."""

import dataclasses
import math
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from hades import presets, runtime, strategies, tasks
from hades.dataset import Dataset, Spec, load
from hades.errors import InputError
from hades.evaluation import Evaluation
from hades.fitness import Fitness, Pairs, Scores, combine, mesh
from hades.learner import Learner, init_network
from hades.presets import Config
from hades.progress import Progress
from hades.runs import Row, Run, Trackers, check_free, check_trackers
from hades.strategies import Solution
from hades.strategies.gradient import joint
from hades.tasks import Task
from hades.tasks.control import Moments, Normaliser, identity_normaliser
from hades.tasks.images import ImageTask

MAX_PER_DISPATCH = 64
"""Generations in one dispatch, where they are short."""
DISPATCH_SECONDS = 0.5
"""What a dispatch aims at: longer ones would delay progress and ctrl-C, shorter ones cost overhead."""
CURRICULUM = 0.1
"""Of an episode's steps: what a curriculum begins with."""
EXPLORE = 1 / 2
"""Of the budget: what several searches share before the best of them gets the rest."""


@dataclass(frozen=True, eq=False)
class Result:
    """What `distill` returns.

    Attributes:
        dataset: the best dataset that the run validated.
        evaluation: its score on networks and episodes that neither evolution nor validation saw (of images: on such
            networks, and on the validation's images); None if the run was interrupted.
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
    learner: Learner | None = None,
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
        learner: overrides fields of the preset's learner.
        options: any other field of `Config`.

    Raises:
        InputError: for anything asked for that cannot be, before anything is written.
    """
    runtime.configure()
    check_trackers(trackers)
    if trackers and out is None:
        raise InputError("trackers write into the run's folder; give out=...")
    if out is not None:
        check_free(out)
    if isinstance(task, str):
        task = tasks.make(task)
    base = presets.get(task.name, preset, task.spec, isinstance(task, ImageTask))
    overrides = {**options, "seed": seed} | ({} if size is None else {"size": size})
    unknown = set(overrides) - {f.name for f in dataclasses.fields(Config)}
    if unknown:
        raise InputError(f"unknown option '{min(unknown)}'; a configuration has {', '.join(base.to_json())}")
    if learner is not None:
        overrides["learner"] = learner.over(base.learner)
    config = presets.override(base, overrides)
    distillation = Distillation(task, config)
    # A run is resumed from any folder.
    start = {"start": str(Path(config.start).absolute())} if config.start.endswith(".safetensors") else {}
    about = {
        "task": task.name,
        "task_options": {**task.options, **task.where},
        "preset": preset,
        "config": config.to_json() | start,
        "versions": versions(task),
    }
    run = None if out is None else Run.create(out, about)
    return _evolve(distillation, distillation.init(), _Host(), run, trackers, progress, checkpoint_every)


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
    config = Config.from_json(opened.about["config"])
    budget = {k: v for k, v in budget.items() if v is not None}
    if budget:
        config = presets.override(config, budget)
    task = task or tasks.make(opened.about["task"], **opened.about.get("task_options", {}))
    distillation = Distillation(task, config)
    state, host = distillation.init(), _Host()
    if restored := opened.restore(state):
        state, host = restored[0], _Host(**restored[1])
    return _evolve(distillation, state, host, opened, trackers, progress, checkpoint_every)


@dataclass
class _Host:
    """What the host counts beside the `State`: numbers too large for the device, and time."""

    env_steps: int = 0
    seconds: float = 0.0
    compiled: float | None = None
    """Seconds until the first generations, then until the first validation: what compilation took, mostly."""
    score: float | None = None
    """Of the last validation."""


class Search(NamedTuple):
    """One search and what it has found."""

    age: jax.Array
    """Its generations."""
    strategy: Any
    seen: Moments
    """Observations so far, for the running normaliser."""
    best_score: jax.Array
    best: Solution
    best_normaliser: Normaliser


class State(NamedTuple):
    """All that a distillation needs to go on: a pytree of arrays.

    The seed's part of it, too, so that what was compiled for one seed serves all.
    """

    key: jax.Array
    """Data of the run's random key."""
    fixed_normaliser: Normaliser
    """Where it does not run; else the identity."""
    generation: jax.Array
    turn: jax.Array
    """Number of the search that goes on; `Config.searches` when the best of them does."""
    search: Search
    rival: Search | None
    """The best of the searches before, where there are several."""


class Distillation:
    """The two loops of Lupu et al. (2024), as pure functions of a `State`.

    A generation draws networks and episodes (kept for HaDES-F's networks), asks the strategy for a population of
    datasets, trains and scores networks on each, and tells the strategy.
    """

    def __init__(self, task: Task, config: Config) -> None:
        self.task, self.config = task, config
        inits = Counter(learner.over(task.reference) for learner in config.learners for _ in range(config.inits))
        self.learners = list(inits)
        for learner in self.learners:  # or says why it cannot be
            jax.eval_shape(partial(init_network, learner, task.spec), jax.random.key(0))
        _check(task, config)
        self.key = jax.random.key(config.seed)
        self.start_key, measure_key = jax.random.split(jax.random.fold_in(self.key, 2**31 - 1))
        self.warm = warm_start(task, config) if config.starts_from_dataset else None
        if config.normaliser != "fixed":
            self.fixed_normaliser = identity_normaliser(task.spec)
        elif self.warm:
            self.fixed_normaliser = Normaliser(*map(jnp.asarray, self.warm.normaliser))
        else:
            self.fixed_normaliser = task.measure(measure_key)
        self.strategy = strategies.make(
            config.strategy,
            config.population,
            self.start(0),
            config.std,
            config.strategy_lr,
            config.strategy_options,
        )
        several = len(inits) > 1
        # A gradient has but one candidate to spread over the devices: kinds of networks are what they can share.
        self.apart = strategies.is_gradient(config.strategy) and several
        # Labels that suit one kind's confidence would be too soft or too sharp for another's.
        scorer = dataclasses.replace(task, calibrated=True) if several and isinstance(task, ImageTask) else task
        self.fitness = [
            Fitness(
                scorer,
                learner,
                number,
                config.episodes,
                config.greedy,
                watch=config.normaliser == "running",
                window=config.window,
                chunk=config.chunk,
                spread=not self.apart,
            )
            for learner, number in inits.items()
        ]
        self.costs = [fitness.training_bytes(config.size) for fitness in self.fitness] if self.apart else []
        fixed, validator = config.init == "fixed", task.validation
        self.validation = [
            Fitness(
                validator,
                learner,
                number if fixed else config.validate_inits,
                -(-config.validate_inits // number) if fixed else 1,
                config.greedy,
            )
            for learner, number in inits.items()
        ]
        self.data, self.validation_data, self.metric = task.data, validator.data, validator.metric
        self.replicated = NamedSharding(mesh(), PartitionSpec())
        self.replicate = jax.jit(lambda x: x, out_shardings=self.replicated)
        self.generation = jax.jit(self._generation)  # traced once, though used twice below
        self.generations = jax.jit(self._generations, out_shardings=self.replicated)
        self.play = jax.jit(self._play, out_shardings=self.replicated)

    def init(self) -> State:
        zero, search = jnp.zeros((), jnp.int32), self.begin(0)
        rival = search if self.config.searches > 1 else None
        key = jax.random.key_data(self.key)
        return self._placed(State(key, self.fixed_normaliser, zero, zero, search, rival))

    def start(self, number: int) -> Solution:
        """Where a search starts, by its number."""
        key = jax.random.fold_in(self.start_key, number) if number else self.start_key
        return initial_solution(self.task, self.config, key, self.fixed_normaliser, self.learners[0], self.warm)

    def begin(self, number: int) -> Search:
        """A search that has found nothing yet."""
        solution = self.start(number) if number else self.strategy.solution
        return Search(
            age=jnp.zeros((), jnp.int32),
            strategy=self.strategy.init(jax.random.fold_in(self.key, number) if number else self.key, solution),
            seen=Moments.zero(self.task.spec.obs_shape),
            best_score=jnp.asarray(-jnp.inf),
            best=solution,
            best_normaliser=self.fixed_normaliser,
        )

    def take_turn(self, state: State) -> State:
        """Begin the next search; after the last one, the best of all goes on."""
        turn, best = state.turn + 1, self._leader(state)
        search = self.begin(int(turn)) if turn < self.config.searches else best
        return self._placed(state._replace(turn=turn, search=search, rival=best))

    def _leader(self, state: State) -> Search:
        rival = state.rival
        return state.search if rival is None or state.search.best_score >= rival.best_score else rival

    def _placed(self, state: State) -> State:
        """Typed and placed as a dispatch returns it, or the next dispatch would be compiled anew."""
        return self.replicate(jax.tree.map(np.asarray, state))

    def _generations(
        self, state: State, number: jax.Array, steps: jax.Array, data: Any
    ) -> tuple[State, dict[str, jax.Array], jax.Array]:
        """Generations in one dispatch: ``number`` of them, or until ``steps`` environment steps are spent.

        Returns the state, metrics ``[MAX_PER_DISPATCH]``, and how many generations there were.
        """

        def body(carry: tuple[State, Any, jax.Array, jax.Array]) -> tuple[State, Any, jax.Array, jax.Array]:
            state, log, i, spent = carry
            state, metrics = self.generation(state, data)
            log = jax.tree.map(lambda rows, value: rows.at[i].set(value), log, metrics)
            return state, log, i + 1, spent + metrics["env_steps"]

        shapes = jax.eval_shape(self.generation, state, data)[1]
        log = jax.tree.map(lambda s: jnp.zeros((MAX_PER_DISPATCH, *s.shape), s.dtype), shapes)
        zero = jnp.zeros((), jnp.int32)
        state, log, done, _ = jax.lax.while_loop(
            lambda carry: (carry[2] < number) & (carry[3] < steps), body, (state, log, zero, zero)
        )
        return state, log, done

    def _generation(self, state: State, data: Any) -> tuple[State, dict[str, jax.Array]]:
        ask_key, init_key, episode_key, tell_key, _ = self._keys(state)
        search, limit = state.search, self.limit(state.search)

        def part(fitness: Fitness, population: Solution, network_key: jax.Array, *shared: Any) -> Scores:
            pairs = jax.vmap(partial(to_pairs, self.task.spec, self.config))(population)
            return fitness.population(pairs, fitness.networks(network_key), *shared)

        parts = [partial(part, fitness) for fitness in self.fitness]
        shared = self._init_key(state.key, init_key), self.normaliser(state), episode_key, data, limit

        def each(population: Solution) -> Scores:
            return combine([part(population, *shared) for part in parts])

        score = joint(parts, self.costs, *shared) if self.apart else each
        strategy, scores = self.strategy.step(ask_key, tell_key, search.strategy, score)
        finite = jnp.isfinite(scores.fitness)
        metrics = {
            "mean": jnp.mean(scores.fitness, where=finite),
            "best": jnp.max(scores.fitness),
            "std": self.strategy.std(strategy),
            "diverged": jnp.sum(~finite),
            "env_steps": scores.env_steps,
        }
        seen = search.seen if scores.seen is None else search.seen.merge(scores.seen)
        search = search._replace(age=search.age + 1, strategy=strategy, seen=seen)
        return state._replace(generation=state.generation + 1, search=search), metrics

    def _play(
        self, run_key: jax.Array, solution: Solution, normaliser: Normaliser, key: jax.Array, data: Any
    ) -> jax.Array:
        """Scores ``[inits, episodes]`` of networks trained on one solution, fresh but for HaDES-F's."""
        init_key, episode_key = jax.random.split(key)
        pairs = to_pairs(self.task.spec, self.config, solution)
        each = [
            fitness.returns(pairs, normaliser, self._init_key(run_key, init_key), episode_key, data)
            for fitness in self.validation
        ]
        return jnp.concatenate(each)

    def validate(self, state: State) -> tuple[State, float]:
        """Score the search's centre on networks and episodes of its own; keep it if it is the best so far."""
        *_, key = self._keys(state)
        search = state.search
        centre, normaliser = self.strategy.mean(search.strategy), self.normaliser(state)
        score = self.play(state.key, centre, normaliser, key, self.validation_data).mean()
        if score > search.best_score:
            best = self.replicate((score, centre, normaliser))
            search = search._replace(best_score=best[0], best=best[1], best_normaliser=best[2])
        return state._replace(search=search), float(score)

    def evaluate(self, state: State) -> Evaluation:
        """Score the result on networks and episodes that nothing was chosen by."""
        solution, normaliser = self.best(state)
        keys = jax.random.split(jax.random.fold_in(self.key, 2**31 - 3), 2)
        scores = [self.play(state.key, solution, normaliser, key, self.validation_data) for key in keys]
        return Evaluation(np.concatenate(scores), self.metric)

    def best(self, state: State) -> tuple[Solution, Normaliser]:
        """The best validated solution and its normaliser; before the first validation, the search's centre."""
        search = self._leader(state)
        if jnp.isfinite(search.best_score):
            return search.best, search.best_normaliser
        return self.strategy.mean(search.strategy), self.normaliser(state)

    def dataset(self, state: State, env_steps: int = 0, evaluation: Evaluation | None = None) -> Dataset:
        solution, normaliser = self.best(state)
        states, targets, rate = to_pairs(self.task.spec, self.config, solution)
        validated = float(self._leader(state).best_score)
        learner = self.learners[0].options() | ({} if rate is None else {"learning_rate": float(rate)})
        info: dict[str, Any] = {
            "score": None if evaluation is None else evaluation.summary(),
            "validated": validated if np.isfinite(validated) else None,
            "generations": int(state.generation),
            "env_steps": env_steps,
            "seed": self.config.seed,
            "init": self.config.init,
            "greedy": self.config.greedy,
            "metric": self.metric,
            "task_options": dict(self.task.options),
            "versions": versions(self.task),
        }
        if self.config.init == "fixed":
            info["init_key"] = jax.random.key_data(self.fixed_init_key).tolist()
        return Dataset(
            states=np.asarray(states),
            actions=None if self.task.spec.discrete else np.asarray(targets),
            labels=np.asarray(targets) if self.task.spec.discrete else None,
            obs_mean=np.asarray(normaliser.mean),
            obs_std=np.asarray(normaliser.std),
            task=self.task.name,
            learner=learner,
            info=info,
        )

    def normaliser(self, state: State) -> Normaliser:
        return state.search.seen.normaliser() if self.config.normaliser == "running" else state.fixed_normaliser

    def limit(self, search: Search) -> jax.Array | None:
        """Steps after which an episode is cut off, by the curriculum."""
        if self.config.curriculum is None or isinstance(self.task, ImageTask):
            return None
        share = CURRICULUM + (1 - CURRICULUM) * search.age / self.config.curriculum
        return jnp.round(jnp.minimum(share, 1) * self.task.environment.max_steps)

    def _keys(self, state: State) -> jax.Array:
        """For ask, networks, episodes, tell, and a validation before it."""
        return jax.random.split(jax.random.fold_in(jax.random.wrap_key_data(state.key), state.generation), 5)

    def _init_key(self, run_key: jax.Array, key: jax.Array) -> jax.Array:
        return _fixed_init_key(jax.random.wrap_key_data(run_key)) if self.config.init == "fixed" else key

    @property
    def fixed_init_key(self) -> jax.Array:
        """HaDES-F's initialisation, the other half of its result."""
        return _fixed_init_key(self.key)


def _fixed_init_key(key: jax.Array) -> jax.Array:
    return jax.random.fold_in(key, 2**31 - 2)


def initial_solution(
    task: Task, config: Config, key: jax.Array, normaliser: Normaliser, learner: Learner, warm: Dataset | None = None
) -> Solution:
    """Where the search starts: states as observations would be normalised, actions small, labels balanced.

    Or a dataset, to go on from.
    """
    state_key, action_key = jax.random.split(key)
    spec = task.spec
    if warm:
        states = jnp.asarray(warm.states)
    elif config.start != "random":
        states = task.start(config.start, config.size, normaliser, state_key)
    else:
        states = jax.random.normal(state_key, (config.size, *spec.obs_shape))
    solution = {"states": states}
    if not spec.discrete:
        actions = jax.random.uniform(action_key, (config.size, spec.num_actions), minval=-1, maxval=1)
        solution["actions"] = jnp.asarray(warm.targets) if warm else actions
    elif config.labels == "soft":
        balanced = config.label_logit * balanced_labels(config.size, spec.num_actions)
        solution["logits"] = jnp.log(jnp.maximum(warm.targets, 1e-3)) if warm else balanced
    if config.learn_rate:
        solution["log_rate"] = jnp.log(jnp.asarray(learner.learning_rate))
    return solution


def warm_start(task: Task, config: Config) -> Dataset:
    """The dataset that a search goes on from.

    Raises:
        InputError: if it does not fit task and configuration.
    """
    dataset = load(config.start)
    if dataset.spec != task.spec or len(dataset) != config.size:
        found = f"{len(dataset)} pairs of {list(dataset.states.shape[1:])} and {dataset.spec.num_actions} actions"
        wanted = f"{config.size} of {list(task.spec.obs_shape)} and {task.spec.num_actions}"
        raise InputError(f"{config.start} has {found}; {task.name} is asked for {wanted}")
    plain = (dataset.normaliser[0] == 0).all() and (dataset.normaliser[1] == 1).all()
    if dataset.online or not (config.normaliser == "fixed" or (config.normaliser == "none" and plain)):
        raise InputError(f"to go on from {config.start} with its own normaliser, take --normaliser fixed")
    balanced = balanced_labels(config.size, task.spec.num_actions)
    if task.spec.discrete and config.labels == "fixed" and not np.allclose(dataset.targets, balanced, atol=1e-3):
        raise InputError(f"{config.start} has labels of its own; take --labels soft to go on from them")
    return dataset


def to_pairs(spec: Spec, config: Config, solution: Solution) -> Pairs:
    """One candidate's states, targets and learning rate."""
    rate = jnp.exp(solution["log_rate"]) if config.learn_rate else None
    if not spec.discrete:
        targets = solution["actions"]
    elif config.labels == "soft":
        targets = jax.nn.softmax(solution["logits"])
    else:
        targets = balanced_labels(config.size, spec.num_actions)
    return solution["states"], targets, rate


def balanced_labels(size: int, classes: int) -> jax.Array:
    """One-hot labels in blocks whose lengths differ by one at most: ``[size, classes]``."""
    return jax.nn.one_hot(jnp.arange(size) * classes // size, classes)


def _check(task: Task, config: Config) -> None:
    """What task and configuration must agree on."""
    images = isinstance(task, ImageTask)
    gradient = strategies.is_gradient(config.strategy)
    if gradient and not task.differentiable:
        raise InputError(f"the score of {task.name} is not differentiable: take an evolution strategy, such as SNES")
    if config.window is not None and not gradient:
        raise InputError("window belongs to the strategy gradient: evolution differentiates nothing")
    if images and config.curriculum is not None:
        raise InputError("a curriculum is of episodes' lengths; images have none")
    if config.start not in task.starts and not config.starts_from_dataset:
        raise InputError(f"{task.name} does not start at '{config.start}'; choose one of {', '.join(task.starts)}")
    if images and config.normaliser == "running":
        raise InputError("images are normalised once, by 'fixed' statistics or not at all ('none')")
    if images:
        task.images_per_class(config.size)


def versions(task: Task) -> dict[str, str]:
    """Of everything that a score depends on."""
    return {"hades": version("hades-rl"), "jax": jax.__version__, **task.versions}


def _evolve(
    distillation: Distillation,
    state: State,
    host: _Host,
    run: Run | None,
    trackers: Sequence[str],
    progress: bool,
    checkpoint_every: float,
) -> Result:
    """Dispatch generations until the budget is spent: log, validate, checkpoint; stop at a signal."""
    config = distillation.config
    rows: list[Row] = run.metrics() if run else []
    tracking = Trackers(trackers, run) if run and trackers and runtime.is_main() else None
    budget = {"generations": config.generations, "steps": config.steps, "minutes": config.minutes}
    title = f"{distillation.task.name}, {config.size} pairs"
    per_dispatch, saved, stopped = 1, host.seconds, 0
    if run and not rows:
        run.snapshot(0, distillation.dataset(state, host.env_steps))
    with _Signals() as signals, Progress(title, budget, quiet=not (progress and runtime.is_main())) as display:
        while not (spent := _spent(config, int(state.generation), host)) and not stopped:
            start, generation = time.monotonic(), int(state.generation)
            share, compiling = _share(config, int(state.turn), host), host.score is None
            number = min(
                per_dispatch,
                config.validate_every - generation % config.validate_every,
                max(1, math.ceil(share * (config.generations or 2**31)) - generation),
            )
            steps = min(max(1, math.ceil(share * (config.steps or 2**62)) - host.env_steps), 2**31 - 1)
            state, log, done = distillation.generations(state, np.int32(number), np.int32(steps), distillation.data)
            log, done = jax.device_get((log, done))
            seconds = runtime.agree(time.monotonic() - start)
            new = _rows(log, int(done), generation, int(state.turn), host, seconds)
            per_dispatch = max(1, min(MAX_PER_DISPATCH, int(DISPATCH_SECONDS / (seconds / done))))
            over, turn_over = (_spent(config, int(state.generation), host, part) for part in (1.0, share))
            if int(state.generation) % config.validate_every == 0 or turn_over:
                state, host.score = distillation.validate(state)
                new[-1]["validated"] = host.score
                if run and (int(state.generation) // config.validate_every).bit_count() == 1:
                    run.snapshot(int(state.generation), distillation.dataset(state, host.env_steps))
            if turn_over and not over:
                state = distillation.take_turn(state)
            host.seconds += runtime.agree(time.monotonic() - start) - seconds
            if host.compiled is None or (compiling and host.score is not None):
                host.compiled = host.seconds
            stopped = int(runtime.agree(signals.received or 0))
            rows += new
            if run:
                run.log(new)
            if tracking:
                tracking.log(new)
            rate = sum(row["env_steps"] for row in new) / seconds
            display.update(new[-1], host.score, rate, last=over)
            if run and not over and host.seconds - saved > checkpoint_every:
                run.save(int(state.generation), state, vars(host), distillation.dataset(state, host.env_steps))
                saved = host.seconds
        evaluation = None
        if spent:
            display.note("scoring the dataset on fresh networks")
            evaluation = distillation.evaluate(state)
        dataset = distillation.dataset(state, host.env_steps, evaluation)
        if run:
            run.save(int(state.generation), state, vars(host), dataset)
    if tracking:
        tracking.close()
    path = run.path if run else None
    return Result(dataset, evaluation, rows, config, path, stopped if stopped and not spent else None)


def _spent(config: Config, generation: int, host: _Host, share: float = 1.0) -> bool:
    """Whether a share of the budget is."""
    return (
        generation >= share * (config.generations or float("inf"))
        or host.env_steps >= share * (config.steps or float("inf"))
        or host.seconds >= share * 60 * (config.minutes or float("inf"))
    )


def _share(config: Config, turn: int, host: _Host) -> float:
    """Of the budget: where a search's turn ends. Compilation is nobody's turn."""
    if config.searches == 1 or turn == config.searches:
        return 1.0
    compiled = (host.compiled or 0) / (60 * config.minutes) if config.minutes else 0.0
    return compiled + max(0, EXPLORE - compiled) * (turn + 1) / config.searches


def _rows(
    log: Mapping[str, np.ndarray], done: int, generation: int, turn: int, host: _Host, seconds: float
) -> list[Row]:
    """A dispatch's metrics, a row a generation; counts go on from the host's, which they update."""
    rows: list[Row] = []
    for i in range(done):
        host.env_steps += int(log["env_steps"][i])
        host.seconds += seconds / done
        row: Row = {"generation": generation + i + 1, "search": turn}
        for name, values in log.items():
            value = values[i].item()
            row[name] = value if np.isfinite(value) else None
        rows.append(row | {"env_steps_total": host.env_steps, "seconds": round(host.seconds, 3), "validated": None})
    return rows


class _Signals:
    """Turns ctrl-C and SIGTERM into a note, so that a dispatch ends and is saved; a second one interrupts."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
