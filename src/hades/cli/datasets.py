"""hades train, evaluate, merge, zoo: what is done with datasets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from hades import arguments
from hades.aliases import Json
from hades.cli.derive import Flag, given, options_of, refuse
from hades.cli.groups import Folder, Output, TaskOptions, Text, Writing
from hades.cli.output import show, words
from hades.errors import InputError, meant
from hades.learner.recipe import Learner, Recipe

if TYPE_CHECKING:
    from hades.dataset import Dataset
    from hades.scores import Evaluation
    from hades.tasks.base import Task

_Training: Any = options_of(Recipe, whole=(arguments.Training,))
_Scoring: Any = options_of(Recipe, whole=(arguments.Scoring,))
_Merging: Any = options_of(whole=(arguments.Merging,))


@dataclass(kw_only=True)
class _Answer:
    output: Output = field(default_factory=Output)


@dataclass(kw_only=True)
class Train(_Answer, Writing, _Training):
    """Train one network on a dataset and save its parameters.

    A fresh one, or HaDES-F's own.
    """

    dataset: Positional[Annotated[Path, arg(metavar="DATASET")]]
    """A dataset file, a run's folder, a name of the zoo, or hf://USER/NAME."""
    out: Folder = None
    """Where to save the parameters (.safetensors); left out: beside the dataset."""

    def __call__(self) -> int:
        from hades import runtime
        from hades.dataset import load
        from hades.evaluation import networks_of, recipe, save_params, train

        runtime.configure()
        dataset, learner = load(self.dataset), Learner(**given(self, Recipe))
        complete, asked = recipe(dataset, learner), arguments.Training(**given(self, arguments.Training))
        networks, _ = networks_of(dataset, complete, asked.init)
        if not networks.sampled:
            refuse(self, ["seed"], "draws a fresh initialisation, and this dataset has its own; add --init fresh")
        name = asked.seed if networks.sampled else "own"
        out = self.free(self.out or self._beside().with_suffix(f".params-{name}.safetensors"))
        params = train(dataset, asked.seed, learner, init=asked.init)
        save_params(params, out)
        options = complete.options()
        whose = f" ({networks.words} initialisation)" if networks.words else ""
        return show(
            {"params": str(out), "learner": options}, f"trained {words(options)}{whose}\n{out}", self.output.json
        )

    def _beside(self) -> Path:
        """The dataset's file; of one on the hub, which is in no folder of yours, what it would be called here."""
        from hades.remote import FILE, Address, is_address

        if is_address(self.dataset):
            return Path(Address.of(self.dataset).name.split("/")[1] + ".safetensors")
        return self.dataset / FILE if self.dataset.is_dir() else self.dataset


@dataclass(kw_only=True)
class _Rest(_Answer):
    environment: TaskOptions = field(default_factory=TaskOptions)


@dataclass(kw_only=True)
class Evaluate(_Rest, _Scoring):
    """Train networks on a dataset and score them on its task.

    Of images: by their test set.
    """

    dataset: Positional[Annotated[Path, arg(metavar="DATASET")]]
    """A dataset file, a run's folder, a name of the zoo, or hf://USER/NAME."""
    task: Text = None
    """The task to score on; left out: the one that the dataset names."""
    across: Flag = False
    """Images: score networks of five architectures."""
    baselines: Flag = False
    """Images: beside it what needs no distillation: sampled, averaged, clustered images, and all."""
    quiet: Flag = False
    """No progress."""

    def __call__(self) -> int:
        from hades import runtime
        from hades.dataset import load
        from hades.evaluation import task_of

        runtime.configure()
        dataset = load(self.dataset)
        if dataset.parts:
            return self._parts(dataset)
        task = task_of(dataset, self.task, place=self.dataset, **self.environment.given())
        return self._table(dataset, task) if self.across or self.baselines else self._one(dataset, task)

    def _one(self, dataset: "Dataset", task: "Task") -> int:
        """A dataset's score on its task."""
        from hades.evaluation import evaluate, recipe
        from hades.progress import working

        if not task.test.metric.episodes:
            refuse(self, ("episodes", "greedy"), f"is of episodes, which {task.metric.pairs} do not have")
        learner, say = Learner(**given(self, Recipe)), partial(working, quiet=self.quiet)
        result = evaluate(dataset, task, **given(self, arguments.Scoring), learner=learner, working=say)
        about = {
            "task": task.name,
            "size": len(dataset),
            "learner": recipe(dataset, learner, task.reference).options(),
        }
        score = {result.metric: result.summary()}
        return show(about | score, f"{dataset}\n\n{result}", self.output.json)

    def _parts(self, dataset: "Dataset") -> int:
        """A merged dataset's score on each of its tasks, or on one."""
        from hades.evaluation import evaluate
        from hades.merging import parts
        from hades.progress import Pace

        refuse(self, ("backend", "data_dir", "zca", "env_arg", "across", "baselines"), "is for datasets of one task")
        learner, pace = Learner(**given(self, Recipe)), Pace(self.quiet)
        known = parts(dataset, task=self.task)

        def score(number: int, task: "Task") -> "Evaluation":
            left, count = [{"task": name} for name in list(known)[number:]], f"{number + 1}/{len(known)}"
            how: Json = given(self, arguments.Scoring) | {
                "working": lambda text: pace.working(f"{text} ({count})", left)
            }
            return evaluate(dataset, task, learner=learner, **how)

        scores = {name: score(number, task) for number, (name, task) in enumerate(known.items())}
        text = "\n".join(f"{name}: {score}" for name, score in scores.items())
        data = {name: score.summary() for name, score in scores.items()}
        return show(data, f"{dataset}\n\n{text}", self.output.json)

    def _table(self, dataset: "Dataset", task: "Task") -> int:
        """Images and what needs no distillation, on fresh networks of one kind or of five."""
        from hades.baselines import images
        from hades.evaluation import evaluate
        from hades.learner.recipes import ARCHITECTURES
        from hades.progress import Pace

        if not task.baselines:
            raise InputError(f"--across and --baselines are for images; {task.name} is control")
        refuse(self, ("episodes", "greedy"), f"is of episodes, which {task.metric.pairs} do not have")
        refuse(self, ["init"], "does nothing here: --across and --baselines are of fresh networks")
        if self.across:
            refuse(self, Recipe.__dataclass_fields__, "does nothing here: --across has recipes of its own")
        learner, pace = Learner(**given(self, Recipe)), Pace(self.quiet)
        asked = arguments.Scoring(**given(self, arguments.Scoring))
        kinds = task.baselines if self.baselines else ()
        datasets = {"distilled": dataset} | {kind: images.baseline(task, kind, len(dataset)) for kind in kinds}
        pieces = [{"images": name, "on": on} for name in datasets for on in (ARCHITECTURES if self.across else [""])]

        def score(number: int, name: str, on: str) -> "Mapping[str, Evaluation]":
            words = f"scoring {name}{' on ' if on else ''}{on} ({number + 1}/{len(pieces)})"
            how: Json = {"seed": asked.seed, "working": lambda _: pace.working(words, pieces[number:])}
            if on:
                return images.across(datasets[name], task, asked.inits, names=[on], **how)
            return {"accuracy": evaluate(datasets[name], task, asked.inits, learner=learner, init="fresh", **how)}

        rows: dict[str, dict[str, Evaluation]] = {name: {} for name in datasets}
        for number, (name, on) in enumerate(piece.values() for piece in pieces):
            rows[name] |= score(number, name, on)
        data = {name: {column: score.summary() for column, score in row.items()} for name, row in rows.items()}
        return show(data, images.table(rows), self.output.json)


@dataclass(kw_only=True)
class Merge(_Answer, Writing, _Merging):
    """Join datasets of several tasks: an agent of all acts in each."""

    datasets: Positional[Annotated[tuple[str, ...], arg(metavar="DATASET ...", help_behavior_hint="")]]
    """Files, runs' folders, names of the zoo or hf://USER/NAME; their tasks differ, their actions are of one kind."""
    out: Annotated[Path, arg(aliases=["-o"], metavar="PATH", help_behavior_hint="")]
    """The union's file (.safetensors)."""

    def __call__(self) -> int:
        from hades.merging import merge

        self.free(self.out)
        union = merge(self.datasets, **given(self, arguments.Merging))
        union.save(self.out)
        data = {"dataset": str(self.out), "pairs": len(union), "tasks": union.tasks}
        return show(data, f"{len(union)} pairs of {', '.join(data['tasks'])}\n{self.out}", self.output.json)


@dataclass(kw_only=True)
class Zoo(_Answer, Writing):
    """The datasets that come with the package: list, show, copy them."""

    action: Positional[Annotated[str, arg(metavar="[ACTION]", help_behavior_hint="")]] = "list"
    """list, show NAME or get NAME."""
    name: Positional[Annotated[str | None, arg(metavar="[NAME]", help_behavior_hint="")]] = None
    """Which; evaluate, train and merge take the name as it is."""
    out: Folder = None
    """For get: the file to write; left out: NAME.safetensors here."""

    def __call__(self) -> int:
        from hades import zoo

        if self.action not in ("list", "show", "get"):
            shows = {name: f"hades zoo show {name}" for name in zoo.names()}  # itself, if it is one
            said = f"hades zoo is list, show NAME or get NAME, not '{self.action}'"
            raise InputError("; ".join(filter(None, (said, meant(self.action, shows, most=1)))))
        if self.action == "list":
            refuse(self, ("out", "force"), "is for get, which copies a dataset's file")
            if self.name is not None:
                raise InputError(f"list shows all; `hades zoo show {self.name}` shows one")
            return show(zoo.cards(), zoo.table(), self.output.json)
        if self.name is None:
            raise InputError(f"{self.action} which? give one of {', '.join(zoo.names())}")
        if self.action == "show":
            refuse(self, ("out", "force"), "is for get, which copies a dataset's file")
            card = zoo.card(self.name)
            return show(card, json.dumps(card, indent=2), self.output.json)
        out = zoo.get(self.name, self.out or Path(f"{self.name}.safetensors"), self.force)
        return show({"dataset": str(out)}, str(out), self.output.json)
