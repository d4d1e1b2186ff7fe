"""hades envs, presets, version: what there is."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated

from tyro.conf import Positional, arg

from hades.cli.groups import Output, Text
from hades.cli.output import show
from hades.errors import InputError
from hades.extras import both_ways
from hades.tables import align


@dataclass(kw_only=True)
class Envs:
    """List the tasks."""

    suite: Positional[Annotated[str | None, arg(metavar="[SUITE]", help_behavior_hint="")]] = None
    """Only this suite's, all of them."""
    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades import tasks
        from hades.tasks.suites import SUITES

        if self.suite is not None and self.suite not in SUITES:
            raise InputError(f"there is no suite '{self.suite}'; choose one of {', '.join(SUITES)}")
        names = tasks.names(self.suite)
        return show(names, _listed(self.suite, names) if self.suite else _overview(names), self.output.json)


def _listed(suite: str, names: list[str]) -> str:
    """A suite's names; of one that is not here, how one gets it."""
    return "\n".join(names) or f"{suite} is missing: {both_ways(suite)}"


def _overview(names: list[str]) -> str:
    """The names of the suites that come with HaDES; of the others, how many there are, and how one gets them."""
    from hades.tasks.suites import LATER, SUITES

    there = Counter(name.split("/")[0] for name in names)
    lines = [(f"{suite}/...", str(there[suite] or "missing"), SUITES[suite].what) for suite in LATER]
    own = [name for name in names if name.split("/")[0] not in LATER]
    ends = [
        "hades envs SUITE lists what is there; one that is missing comes by",
        f"{both_ways('SUITE')}.",
        "FILE.py:CLASS or module:CLASS is an environment of your own.",
    ]
    return "\n".join([*own, "", align(lines), "", *ends])


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
