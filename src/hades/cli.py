"""The command line: parse, call one function of the library, print.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failed, 2 bad input, 130 and 143 stopped
by ctrl-C or SIGTERM with a run that `hades resume` continues.
"""

import contextlib
import io
import json
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import Positional, arg, subcommand

from hades.errors import InputError

if TYPE_CHECKING:
    from hades.dataset import Dataset
    from hades.learner import Learner

# What is not given comes from the preset, or from the dataset's own recipe.
Int = Annotated[int | None, arg(metavar="INT", help_behavior_hint="")]
Float = Annotated[float | None, arg(metavar="FLOAT", help_behavior_hint="")]
Text = Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")]
Folder = Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")]
Ints = Annotated[tuple[int, ...], arg(metavar="INT ...", help_behavior_hint="")]
Pairs = Annotated[tuple[str, ...], arg(metavar="KEY=VALUE ...", help_behavior_hint="")]
Names = Annotated[tuple[str, ...], arg(metavar="NAME ...", help_behavior_hint="")]
Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff, arg(help_behavior_hint="")]


@dataclass(kw_only=True)
class Output:
    json: Flag = False
    """Print the result as JSON."""
    debug: Flag = False
    """Show tracebacks."""


@dataclass(kw_only=True)
class Running(Output):
    trackers: Names = ()
    """tensorboard, wandb: also log there."""
    checkpoint_every: float = 15.0
    """Seconds between two checkpoints."""
    quiet: Flag = False
    """No progress."""
    distributed: Flag = False
    """One of several processes; Slurm, Open MPI and JAX_* variables are recognised."""
    coordinator: Text = None
    """HOST:PORT where process 0 listens, if nothing is recognised."""
    processes: Int = None
    """How many processes there are."""
    process_id: Int = None
    """Which of them this is, from 0."""

    def connect(self) -> None:
        described = {"coordinator": self.coordinator, "processes": self.processes, "process-id": self.process_id}
        if self.distributed:
            _quiet_collectives(self.debug)
            from hades import runtime

            runtime.connect(self.coordinator, self.processes, self.process_id)
        elif given := [name for name, value in described.items() if value is not None]:
            raise InputError(f"--{given[0]} belongs to --distributed")


@dataclass(kw_only=True)
class LearnerOptions:
    network: Text = None
    """Network: mlp, transformer; for grids and images also cnn, convnet, lenet, resnet."""
    width: Ints = ()
    """Units in the hidden layers, or channels; several numbers: one a layer."""
    depth: Int = None
    """Number of hidden layers or blocks."""
    activation: Text = None
    """Activation: tanh, relu, elu, gelu, silu, leaky_relu, softplus or sigmoid."""
    initialiser: Text = None
    """Of the network's kernels: orthogonal, lecun, he or xavier."""
    bias: Float = None
    """Biases start uniform between 0 and this."""
    norm: Text = None
    """Of dense hidden layers: none or layer."""
    loss: Text = None
    """Loss: nll (negative log-likelihood) or mse."""
    optimiser: Text = None
    """Inner optimiser: adam, adamw, rmsprop, sgd or momentum."""
    learning_rate: Float = None
    """Inner step size."""
    epochs: Int = None
    """Steps of the inner loop, each on the whole dataset."""
    batch: Int = None
    """Pairs drawn for each step, instead of all; 0 for all."""
    augment: Text = None
    """Augmentation of images in the inner loop: none or dsa."""
    clip: Float = None
    """Largest global norm of the inner gradient; 0 for no clipping."""

    def learner(self) -> "Learner":
        from hades.learner import Learner

        names = [name for name in LearnerOptions.__dataclass_fields__ if name != "width"]
        width = self.width if len(self.width) != 1 else self.width[0]
        return Learner(width=width or None, **{name: getattr(self, name) for name in names})  # type: ignore[arg-type]


@dataclass(kw_only=True)
class TaskOptions:
    backend: Text = None
    """Brax physics: positional, spring, generalized or mjx."""
    data_dir: Folder = None
    """Folder that has the images' files already; left out: HADES_DATA_DIR, or a download."""
    zca: Flag = False
    """Whiten the images."""

    def options(self) -> dict[str, Any]:
        """What was given, for `hades.make`."""
        folder = None if self.data_dir is None else str(self.data_dir)
        given = {"backend": self.backend, "data_dir": folder, "zca": self.zca or None}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(kw_only=True)
class Distill(Running, LearnerOptions, TaskOptions):
    """Distil a task into a dataset."""

    task: Positional[str]
    """The task: cartpole, hopper, digits, ... (`hades envs` lists all), or a path of images of your own."""
    size: Int = None
    """Pairs in the dataset; for images, a multiple of the classes."""
    preset: str = "laptop"
    """Configuration that all other options start from: laptop or paper (`hades presets`)."""
    init: Text = None
    """random: new networks every generation (HaDES-R); fixed: always the same (HaDES-F)."""
    minutes: Float = None
    """Budget of time."""
    generations: Int = None
    """Budget of generations."""
    steps: Int = None
    """Budget of environment steps; for images, of labelled images looked at."""
    seed: int = 0
    """Of everything random: the same seed gives the same dataset."""
    out: Folder = None
    """The run's folder, new or empty; left out: a new one under runs/."""
    population: Int = None
    """Candidates a generation."""
    inits: Int = None
    """Networks trained on each candidate."""
    episodes: Int = None
    """Episodes played by each network; labelled images that it is scored on."""
    curriculum: Int = None
    """Cut episodes off after a tenth of their steps at first; after so many generations they are whole."""
    greedy: Flag = False
    """Score the most likely action instead of a sampled one."""
    start: Text = None
    """Where states start: random, or sample (observations of random actions; real images); images also at mean (of
    each class), centres (of k-means) or zero. Or a dataset (file, or name in the zoo) to go on from."""
    strategy: Text = None
    """Evolution strategy of evosax: SNES, OpenES, CMA-ES, ...; for images also gradient, or gradient:OPTIMISER."""
    std: Float = None
    """Initial standard deviation of the search."""
    strategy_lr: Float = None
    """Step size of the search's mean, for the gradient and for strategies with an optimiser."""
    strategy_options: Pairs = ()
    """Further parameters of the strategy, such as temperature=20."""
    window: Int = None
    """For the gradient: steps of the inner loop to differentiate through, up to a random one; left out: all."""
    networks: Names = ()
    """Distil for several networks at once, as NAME, NAME:WIDTH, NAME:WIDTHxDEPTH or NAME:WIDTH,WIDTH,..."""
    learn_rate: Flag = False
    """Search for the inner step size, too."""
    searches: Int = None
    """Begin several searches in the first half of the budget; the best goes on."""
    normaliser: Text = None
    """Of observations: none, fixed (measured before the run) or running."""
    labels: Text = None
    """For classes and discrete actions: fixed (balanced one-hot) or soft (evolved)."""
    label_logit: Float = None
    """Of soft labels at the start, for each pair's own class; the others have 0."""
    validate_every: Int = None
    """Generations between two validations of the search's centre."""
    chunk: Int = None
    """Networks that run at once on a device; left out: chosen by memory and cache."""

    def __call__(self) -> int:
        self.connect()
        from hades import tasks
        from hades.distillation import distill
        from hades.runs import free_path

        options: dict[str, Any] = {
            name: value
            for name in (
                "init", "minutes", "generations", "steps", "population", "inits", "episodes", "curriculum", "strategy",
                "std", "strategy_lr", "start", "window", "searches", "normaliser", "labels", "label_logit",
                "validate_every", "chunk",
            )
            if (value := getattr(self, name)) is not None
        }  # fmt: skip
        options |= {name: True for name in ("greedy", "learn_rate") if getattr(self, name)}
        if self.networks:
            options["networks"] = self.networks
        if self.strategy_options:
            options["strategy_options"] = _numbers(self.strategy_options)
        task = tasks.make(self.task, **self.options())
        stem = f"{task.name.split('/')[-1].split('-')[0].lower()}-{self.size or 'N'}-seed{self.seed}"
        result = distill(
            task,
            self.size,
            self.preset,
            self.seed,
            out=self.out or free_path(stem.replace("-N", "")),
            trackers=self.trackers,
            progress=not self.quiet,
            checkpoint_every=self.checkpoint_every,
            learner=self.learner(),
            **options,
        )
        return _report(result, self.json)


@dataclass(kw_only=True)
class Resume(Running):
    """Continue an interrupted run, or one past its end with a larger budget."""

    run: Positional[Path]
    """The run's folder."""
    minutes: Float = None
    """Budget in place of the run's own."""
    generations: Int = None
    """Budget in place of the run's own."""
    steps: Int = None
    """Budget in place of the run's own."""

    def __call__(self) -> int:
        self.connect()
        from hades.distillation import resume

        budget = {"minutes": self.minutes, "generations": self.generations, "steps": self.steps}
        result = resume(
            self.run,
            trackers=self.trackers,
            progress=not self.quiet,
            checkpoint_every=self.checkpoint_every,
            **budget,
        )
        return _report(result, self.json)


@dataclass(kw_only=True)
class Train(Output, LearnerOptions):
    """Train one fresh network on a dataset and save its parameters."""

    dataset: Positional[Path]
    """A dataset file, a run's folder, or a name of the zoo."""
    out: Folder = None
    """Where to save the parameters (.safetensors); left out: beside the dataset."""
    seed: int = 0
    """Of the initialisation."""

    def __call__(self) -> int:
        import jax

        from hades import runtime
        from hades.evaluation import recipe, save_params, train

        runtime.configure()
        dataset, learner = _load(self.dataset), self.learner()
        out = self.out or _file(self.dataset).with_suffix(f".params-{self.seed}.safetensors")
        params = train(dataset, jax.random.key(self.seed), learner)
        save_params(params, out)
        options = recipe(dataset, learner).options()
        _print({"params": str(out), "learner": options}, f"trained {_words(options)}\n{out}", self.json)
        return 0


@dataclass(kw_only=True)
class Evaluate(Output, LearnerOptions, TaskOptions):
    """Train fresh networks on a dataset and score them on its task; images by their test set."""

    dataset: Positional[Path]
    """A dataset file, a run's folder, or a name of the zoo."""
    task: Text = None
    """The task to score on; left out: the one that the dataset names."""
    inits: int = 32
    """Networks trained, each with its own initialisation."""
    episodes: int = 8
    """Episodes played by each network."""
    init: str = "auto"
    """fresh, fixed (HaDES-F's own initialisation), or auto: what the dataset was evolved for."""
    greedy: Flag = False
    """Score the most likely action instead of a sampled one."""
    seed: int = 0
    """Of initialisations and episodes."""
    across: Flag = False
    """Images: score networks of five architectures."""
    baselines: Flag = False
    """Images: beside it what needs no distillation: sampled, averaged, clustered images, and all."""

    def __call__(self) -> int:
        from hades.evaluation import evaluate, recipe, task_of

        dataset, learner = _load(self.dataset), self.learner()
        if "parts" in dataset.info:
            return self._parts(dataset, learner)
        task = task_of(dataset, self.task, **self.options())
        if self.across or self.baselines:
            return self._table(dataset, task, learner)
        result = evaluate(
            dataset, task, self.inits, self.episodes,
            learner=learner, greedy=self.greedy, init=self.init, seed=self.seed,
        )  # fmt: skip
        about = {"task": task.name, "size": len(dataset), "learner": recipe(dataset, learner).options()}
        score = {result.metric: result.summary()}
        _print(about | score, f"{dataset.describe()}\n\n{result}", self.json)
        return 0

    def _parts(self, dataset: "Dataset", learner: "Learner") -> int:
        """A merged dataset's score on each of its tasks, or on one."""
        from hades.merging import evaluate_parts

        scores = evaluate_parts(
            dataset, self.task, self.inits, self.episodes, learner=learner, greedy=self.greedy, seed=self.seed
        )
        text = "\n".join(f"{name}: {score}" for name, score in scores.items())
        data = {name: score.summary() for name, score in scores.items()}
        _print(data, f"{dataset.describe()}\n\n{text}", self.json)
        return 0

    def _table(self, dataset: "Dataset", task: Any, learner: "Learner") -> int:
        from hades.baselines import images
        from hades.evaluation import evaluate
        from hades.tasks.images import ImageTask

        if not isinstance(task, ImageTask):
            raise InputError(f"--across and --baselines are for images; {task.name} is control")
        kinds = images.BASELINES if self.baselines else ()
        datasets = {"distilled": dataset} | {kind: images.baseline(task, kind, len(dataset)) for kind in kinds}
        rows = {}
        for name, each in datasets.items():
            print(f"scoring {name}", file=sys.stderr, flush=True)
            rows[name] = (
                images.across(each, task, self.inits, self.seed)
                if self.across
                else {"accuracy": evaluate(each, task, self.inits, learner=learner, seed=self.seed)}
            )
        data = {name: {column: score.summary() for column, score in row.items()} for name, row in rows.items()}
        _print(data, images.table(rows), self.json)
        return 0


@dataclass(kw_only=True)
class Merge(Output):
    """Join the datasets of several tasks: one agent trained on the union acts in each."""

    datasets: Positional[tuple[str, ...]]
    """Files, runs' folders or names of the zoo; their tasks differ, their actions are of one kind."""
    out: Annotated[Path, arg(aliases=["-o"], metavar="PATH", help_behavior_hint="")]
    """The union's file (.safetensors)."""
    identity: Flag = False
    """Tell the tasks apart: each task's observations have inputs of their own."""

    def __call__(self) -> int:
        from hades.merging import merge

        union = merge([_load(Path(name)) for name in self.datasets], self.identity)
        union.save(self.out)
        data = {"dataset": str(self.out), "pairs": len(union), "tasks": [p["task"] for p in union.info["parts"]]}
        _print(data, f"{len(union)} pairs of {', '.join(data['tasks'])}\n{self.out}", self.json)
        return 0


@dataclass(kw_only=True)
class Zoo(Output):
    """The datasets that come with the package: list them, show one's card, or copy one out."""

    action: Positional[Literal["list", "show", "get"]] = "list"
    """list, show NAME or get NAME."""
    name: Positional[str | None] = None
    """Which; evaluate, train and merge take the name as it is."""
    out: Folder = None
    """For get: the file to write; left out: NAME.safetensors here."""

    def __call__(self) -> int:
        from hades import zoo

        if self.action == "list":
            _print(zoo.cards(), zoo.table(), self.json)
            return 0
        if self.name is None:
            raise InputError(f"{self.action} which? give one of {', '.join(zoo.names())}")
        if self.action == "show":
            card = zoo.card(self.name)
            _print(card, json.dumps(card, indent=2), self.json)
        else:
            out = zoo.get(self.name, self.out or Path(f"{self.name}.safetensors"))
            _print({"dataset": str(out)}, str(out), self.json)
        return 0


@dataclass(kw_only=True)
class Study(Output):
    """Repeat an experiment of the paper, or put a dataset to use; at laptop scale, if not said otherwise."""

    name: Positional[str]
    """comparison (HaDES, ES on the weights, PPO), generalisation (one dataset, many networks), budget (how many
    pairs), multitask (one agent from several datasets), cost (when distilling pays off), architectures (search on a
    dataset), continual (a sequence of tasks)."""
    preset: str = "laptop"
    """laptop or paper."""
    out: Folder = None
    """Where results, figure and table go, and where an interrupted study goes on; left out: studies/NAME."""
    tasks: Names = ()
    """Tasks, in place of the preset's."""
    datasets: Names = ()
    """Datasets (of the zoo, or files), in place of the preset's; for multitask and continual: one group."""
    seeds: Int = None
    """Repetitions of what is distilled or trained in the environment."""
    minutes: Float = None
    """Of each distillation."""
    steps: Int = None
    """Environment steps of each training."""
    width: Int = None
    """Of the networks, where a study has one width."""
    widths: Ints = ()
    """Of the networks, where it has several."""
    inits: Int = None
    """Fresh networks in every score."""
    episodes: Int = None
    """Episodes of each."""
    sizes: Ints = ()
    """Numbers of pairs (budget)."""
    trials: Int = None
    """Architectures (architectures)."""
    quiet: Flag = False
    """No progress."""

    def __call__(self) -> int:
        from hades import runtime, studies

        runtime.configure()
        names = (
            "tasks",
            "datasets",
            "seeds",
            "minutes",
            "steps",
            "width",
            "widths",
            "inits",
            "episodes",
            "sizes",
            "trials",
        )
        options = {name: value for name in names if (value := getattr(self, name)) not in (None, ())}
        study = studies.make(self.name, self.preset, **options)
        out = self.out or Path("studies") / self.name
        try:
            rows = studies.conduct(study, out, progress=not self.quiet)
        except KeyboardInterrupt:
            return _fail(f"interrupted; the same command goes on with what is missing in {out}", 130)
        _print(rows, f"{studies.text(study, rows)}\n\n{out}", self.json)
        return 0


@dataclass(kw_only=True)
class Envs(Output):
    """List the tasks."""

    def __call__(self) -> int:
        from hades import tasks

        names = tasks.names()
        _print(names, "\n".join(names), self.json)
        return 0


@dataclass(kw_only=True)
class Presets(Output):
    """Show the presets: which tasks have one, and what it says."""

    task: Text = None
    """Only this task's."""

    def __call__(self) -> int:
        from hades import presets, tasks

        name = None if self.task is None else tasks.resolve(self.task)
        chosen = {
            preset: {task: config.to_json() for task, config in configs.items() if name in (None, task)}
            for preset, configs in presets.PRESETS.items()
        }
        if not any(chosen.values()):
            raise InputError(f"{name} has no preset; `hades distill` takes sensible defaults for it")
        _print(chosen, presets.table(chosen), self.json)
        return 0


@dataclass(kw_only=True)
class Version(Output):
    """Show the versions of HaDES and of what its results depend on."""

    def __call__(self) -> int:
        from importlib.metadata import version

        versions = {name: version(name) for name in ("hades-rl", "jax", "flax", "optax", "evosax", "gymnax", "brax")}
        _print(versions, "\n".join(f"{name} {number}" for name, number in versions.items()), self.json)
        return 0


Command = (
    Annotated[Distill, subcommand("distill")]
    | Annotated[Resume, subcommand("resume")]
    | Annotated[Train, subcommand("train")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Merge, subcommand("merge")]
    | Annotated[Study, subcommand("study")]
    | Annotated[Zoo, subcommand("zoo")]
    | Annotated[Envs, subcommand("envs")]
    | Annotated[Presets, subcommand("presets")]
    | Annotated[Version, subcommand("version")]
)


def main(args: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = sys.argv[1:] if args is None else args
    try:
        command: Any = _parse(args)
        return command()
    except InputError as error:
        if "--debug" in args:
            raise
        return _fail(str(error), 2)
    except BrokenPipeError:  # the reader, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except Exception as error:
        if "--debug" in args:
            raise
        if "--distributed" in args and re.search("Gloo|coordination", str(error), re.IGNORECASE):
            os.write(2, LOST_SIGN)  # the reader of `_quiet_collectives` says it, once
            os._exit(1)  # a proper end would wait for the others
        first_line = (str(error).strip() or "no message").splitlines()[0]
        return _fail(f"{type(error).__name__}: {first_line} (--debug shows where)", 1)


def _parse(args: list[str]) -> Any:
    """tyro's answer to bad input is a box; this is one line."""
    if not args:
        args = ["--help"]
    captured = io.StringIO()
    try:
        with contextlib.redirect_stderr(captured):
            return tyro.cli(
                Command,  # type: ignore[arg-type]
                prog="hades",
                description="Behaviour distillation: a handful of state-action pairs that train any network.",
                args=args,
            )
    except SystemExit as end:
        if not end.code:
            raise
        raise InputError(_one_line(captured.getvalue())) from None


def _one_line(box: str) -> str:
    lines = [line.strip("│ ").strip() for line in box.splitlines() if not line.startswith(("╭", "╰"))]
    text = " ".join(lines)
    message, _, rest = text.partition("───")
    hint = re.search(r"(Perhaps you meant: --[\w-]+|Available subcommands: [\w, -]+)", rest.strip("─ "))
    message = message.split("Got errors:")[0].replace("{None}|", "").strip(" .")
    return message + (f". {hint.group(0).strip()}" if hint else "")


LOST = "another process of this run ended; go on from the last checkpoint with: hades resume RUN"
LOST_SIGN = b"JAX distributed service"
"""In what JAX's runtime writes as it aborts for a lost process."""


def _quiet_collectives(debug: bool) -> None:
    """Leave stdout to results and stderr to our own lines, which C++ below JAX does not.

    Gloo tells on stdout whom it is connected to; when a process is lost, JAX's runtime aborts the others with a stack
    trace on stderr. What comes from there goes through a pipe to a reader, which outlives this process. Before JAX
    is imported, for it does not like to be forked.
    """
    sys.stdout.flush()
    results = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = os.fdopen(results, "w")
    if debug:
        return
    read, write = os.pipe()
    if os.fork() == 0:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            text = pipe.read()
        os.write(2, f"hades: {LOST}\n".encode() if LOST_SIGN in text else text)
        os._exit(0)
    os.close(read)
    errors = os.dup(2)
    os.dup2(write, 2)
    os.close(write)
    sys.stderr = os.fdopen(errors, "w", buffering=1)


def _fail(message: str, code: int) -> int:
    print(f"hades: {message}", file=sys.stderr)
    return code


def _print(data: Any, text: str, as_json: bool) -> None:
    print(json.dumps(data, indent=2) if as_json else text)


def _report(result: Any, as_json: bool) -> int:
    from hades import runtime
    from hades.reporting import report

    if not runtime.is_main():
        return 0 if result.interrupted is None else 128 + result.interrupted
    page = report(result.run)
    data = {
        "run": str(result.run),
        "dataset": str(result.run / "dataset.safetensors"),
        "generations": result.dataset.info["generations"],
        "env_steps": result.dataset.info["env_steps"],
        "seconds": result.metrics[-1]["seconds"] if result.metrics else 0.0,
        result.dataset.info["metric"]: None if result.evaluation is None else result.evaluation.summary(),
        "interrupted": result.interrupted is not None,
    }
    if result.interrupted is None:
        text = f"{result.evaluation}\n{data['dataset']}\n{page}"
    else:
        text = f"stopped after generation {data['generations']}; go on with: hades resume {result.run}"
    _print(data, text, as_json)
    return 0 if result.interrupted is None else 128 + result.interrupted


def _load(path: Path) -> Any:
    from hades.dataset import load

    return load(_file(path))


def _file(path: Path) -> Path:
    """A dataset's file, where a run's folder is given."""
    from hades.runs import Run

    return Run.open(path).dataset_path if path.is_dir() else path


def _numbers(pairs: tuple[str, ...]) -> dict[str, float]:
    try:
        return {key: float(value) for key, value in (pair.split("=", 1) for pair in pairs)}
    except ValueError:
        raise InputError(f"strategy options are KEY=NUMBER, not '{' '.join(pairs)}'") from None


def _words(options: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in options.items())
