"""hades train, evaluate, merge, zoo: what is done with datasets."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

from hades import arguments
from hades.cli.derive import Flag, given, options_of
from hades.cli.groups import Folder, Output, TaskOptions, Text, Writing
from hades.cli.output import show, words
from hades.errors import InputError
from hades.learner.recipe import Learner, Recipe

if TYPE_CHECKING:
    from hades.dataset import Dataset
    from hades.tasks.base import Task

_Training: Any = options_of(Recipe, whole=(arguments.Training,))
_Scoring: Any = options_of(Recipe, whole=(arguments.Scoring,))
_Merging: Any = options_of(whole=(arguments.Merging,))


@dataclass(kw_only=True)
class _Answer:
    output: Output = field(default_factory=Output)


@dataclass(kw_only=True)
class Train(_Answer, Writing, _Training):
    """Train one fresh network on a dataset and save its parameters."""

    dataset: Positional[Annotated[Path, arg(metavar="DATASET")]]
    """A dataset file, a run's folder, or a name of the zoo."""
    out: Folder = None
    """Where to save the parameters (.safetensors); left out: beside the dataset."""

    def __call__(self) -> int:
        from hades import runtime
        from hades.dataset import FILE, load
        from hades.evaluation import recipe, save_params, train

        runtime.configure()
        dataset, learner = load(self.dataset), Learner(**given(self, Recipe))
        seed = arguments.Training(**given(self, arguments.Training)).seed
        beside = self.dataset / FILE if self.dataset.is_dir() else self.dataset
        out = self.free(self.out or beside.with_suffix(f".params-{seed}.safetensors"))
        params = train(dataset, seed, learner)
        save_params(params, out)
        options = recipe(dataset, learner).options()
        return show({"params": str(out), "learner": options}, f"trained {words(options)}\n{out}", self.output.json)


@dataclass(kw_only=True)
class _Rest(_Answer):
    environment: TaskOptions = field(default_factory=TaskOptions)


@dataclass(kw_only=True)
class Evaluate(_Rest, _Scoring):
    """Train fresh networks on a dataset and score them on its task; images by their test set."""

    dataset: Positional[Annotated[Path, arg(metavar="DATASET")]]
    """A dataset file, a run's folder, or a name of the zoo."""
    task: Text = None
    """The task to score on; left out: the one that the dataset names."""
    across: Flag = False
    """Images: score networks of five architectures."""
    baselines: Flag = False
    """Images: beside it what needs no distillation: sampled, averaged, clustered images, and all."""

    def __call__(self) -> int:
        from hades import runtime
        from hades.dataset import load
        from hades.evaluation import evaluate, recipe, task_of

        runtime.configure()
        dataset, learner = load(self.dataset), Learner(**given(self, Recipe))
        asked = arguments.Scoring(**given(self, arguments.Scoring))
        if dataset.parts:
            return self._parts(dataset, learner, asked)
        task = task_of(dataset, self.task, **self.environment.given())
        if self.across or self.baselines:
            return self._table(dataset, task, learner, asked)
        result = evaluate(dataset, task, learner=learner, **vars(asked))
        about = {
            "task": task.name,
            "size": len(dataset),
            "learner": recipe(dataset, learner, task.reference).options(),
        }
        score = {result.metric: result.summary()}
        return show(about | score, f"{dataset.describe()}\n\n{result}", self.output.json)

    def _parts(self, dataset: "Dataset", learner: Learner, asked: arguments.Scoring) -> int:
        """A merged dataset's score on each of its tasks, or on one."""
        from hades.merging import evaluate_parts

        scores = evaluate_parts(
            dataset, self.task, asked.inits, asked.episodes, learner=learner, greedy=asked.greedy, seed=asked.seed
        )
        text = "\n".join(f"{name}: {score}" for name, score in scores.items())
        data = {name: score.summary() for name, score in scores.items()}
        return show(data, f"{dataset.describe()}\n\n{text}", self.output.json)

    def _table(self, dataset: "Dataset", task: "Task", learner: Learner, asked: arguments.Scoring) -> int:
        from hades.baselines import images
        from hades.evaluation import evaluate

        if not task.baselines:
            raise InputError(f"--across and --baselines are for images; {task.name} is control")
        kinds = task.baselines if self.baselines else ()
        datasets = {"distilled": dataset} | {kind: images.baseline(task, kind, len(dataset)) for kind in kinds}
        rows = {}
        for name, each in datasets.items():
            print(f"scoring {name}", file=sys.stderr, flush=True)
            rows[name] = (
                images.across(each, task, asked.inits, asked.seed)
                if self.across
                else {"accuracy": evaluate(each, task, asked.inits, learner=learner, seed=asked.seed)}
            )
        data = {name: {column: score.summary() for column, score in row.items()} for name, row in rows.items()}
        return show(data, images.table(rows), self.output.json)


@dataclass(kw_only=True)
class Merge(_Answer, Writing, _Merging):
    """Join the datasets of several tasks: one agent trained on the union acts in each."""

    datasets: Positional[Annotated[tuple[str, ...], arg(metavar="DATASET ...", help_behavior_hint="")]]
    """Files, runs' folders or names of the zoo; their tasks differ, their actions are of one kind."""
    out: Annotated[Path, arg(aliases=["-o"], metavar="PATH", help_behavior_hint="")]
    """The union's file (.safetensors)."""

    def __call__(self) -> int:
        from hades.merging import merge

        self.free(self.out)
        union = merge(self.datasets, **given(self, arguments.Merging))
        union.save(self.out)
        data = {"dataset": str(self.out), "pairs": len(union), "tasks": [p["task"] for p in union.parts]}
        return show(data, f"{len(union)} pairs of {', '.join(data['tasks'])}\n{self.out}", self.output.json)


@dataclass(kw_only=True)
class Zoo(_Answer, Writing):
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
            return show(zoo.cards(), zoo.table(), self.output.json)
        if self.name is None:
            raise InputError(f"{self.action} which? give one of {', '.join(zoo.names())}")
        if self.action == "show":
            card = zoo.card(self.name)
            return show(card, json.dumps(card, indent=2), self.output.json)
        out = zoo.get(self.name, self.out or Path(f"{self.name}.safetensors"), self.force)
        return show({"dataset": str(out)}, str(out), self.output.json)
