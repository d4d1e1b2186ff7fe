"""hades envs, presets, version: what there is."""

from dataclasses import dataclass, field

from hades.cli.groups import Output, Text
from hades.cli.output import show
from hades.errors import InputError


@dataclass(kw_only=True)
class Envs:
    """List the tasks."""

    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades import tasks

        names = tasks.names()
        return show(names, "\n".join(names), self.output.json)


@dataclass(kw_only=True)
class Presets:
    """Show the presets: which tasks have one, and what it says."""

    task: Text = None
    """Only this task's."""
    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades import presets, tasks

        name = None if self.task is None else tasks.resolve(self.task)
        chosen = {
            preset: {task: config.to_json() for task, config in configs.items() if name in (None, task)}
            for preset, configs in presets.PRESETS.items()
        }
        if not any(chosen.values()):
            raise InputError(f"{name} has no preset; `hades distill` takes sensible defaults for it")
        return show(chosen, presets.table(chosen), self.output.json)


@dataclass(kw_only=True)
class Version:
    """Show the versions of HaDES and of what its results depend on."""

    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades.runtime import versions

        known = versions()
        return show(known, "\n".join(f"{name} {number}" for name, number in known.items()), self.output.json)
