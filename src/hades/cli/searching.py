"""hades distill, hades resume."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from hades.arguments import ESSENTIALS, Beginning
from hades.cli.derive import given, options_of
from hades.cli.groups import Cluster, Folder, Output, Running, TaskOptions
from hades.cli.output import kept, report
from hades.config import LIMITS, Config
from hades.learner.recipe import Recipe

Options: Any = options_of(Config, Recipe, whole=(Beginning,), inline=ESSENTIALS)
Budget: Any = options_of(
    Config, inline=ESSENTIALS, leave_out=tuple(name for name in Config.__dataclass_fields__ if name not in LIMITS)
)


@dataclass(kw_only=True)
class _Where:
    environment: TaskOptions = field(default_factory=TaskOptions)


@dataclass(kw_only=True)
class _Run:
    recording: Running = field(default_factory=Running)
    output: Output = field(default_factory=Output)
    cluster: Cluster = field(default_factory=Cluster)


@dataclass(kw_only=True)
class Distill(_Run, _Where, Options):
    """Distil a task into a dataset."""

    task: Positional[Annotated[str, arg(metavar="TASK")]]
    """The task: cartpole, hopper, digits, ... (`hades envs` lists all), gymnasium/NAME, FILE.py:CLASS of your own
    environment, or the path of your own images."""
    out: Folder = None
    """The run's folder, new or empty; left out: a new one under runs/."""

    def __call__(self) -> int:
        self.cluster.connect(self.output.debug)
        from hades import tasks
        from hades.distillation import distill
        from hades.runs import free_path

        options, learner = given(self, Config), given(self, Recipe)
        task = tasks.make(self.task, **self.environment.given())
        name, size = re.sub(r"\W+", "-", task.name.split("/")[-1].split("-")[0].lower()), options.get("size")
        stem = "-".join([name, *([str(size)] if size else []), f"seed{options.get('seed', 0)}"])
        self.out = self.out or free_path(stem)
        options |= self.recording.given() | {"learner": learner, "out": self.out}
        result = distill(task, **given(self, Beginning), **options)
        return report(result, self.output.json)

    def kept(self) -> str:
        """What is, of a run that was stopped."""
        return kept(self.out)


@dataclass(kw_only=True)
class Resume(_Run, Budget):
    """Continue a run that was interrupted, or one past its end.

    The latter with a larger budget.
    """

    run: Positional[Annotated[Path, arg(metavar="RUN")]]
    """The run's folder."""

    def __call__(self) -> int:
        self.cluster.connect(self.output.debug)
        from hades.distillation import resume

        return report(resume(self.run, **self.recording.given(), **given(self, Config)), self.output.json)

    def kept(self) -> str:
        """What is, of a run that was stopped."""
        return kept(self.run)
