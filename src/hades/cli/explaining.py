"""hades explain: what a dataset's pairs mean."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from hades import arguments
from hades.cli.derive import Flag, given, options_of
from hades.cli.groups import Folder, Output, TaskOptions, Text, Writing
from hades.cli.output import show
from hades.tables import align

if TYPE_CHECKING:
    from hades.reporting.meaning import Meaning

_Explaining: Any = options_of(whole=(arguments.Explaining,))


@dataclass(kw_only=True)
class Explain(Writing, _Explaining):
    """Say what a dataset's pairs mean; with --out, draw it.

    What is lost without each pair, which answers for which part of an episode, what a network makes of them, how far
    they lie from real states, and how networks' scores grow with training.
    """

    dataset: Positional[Annotated[Path, arg(metavar="DATASET")]]
    """A dataset file, a run's folder, a name of the zoo, or hf://USER/NAME."""
    task: Text = None
    """The task to play; left out: the one that the dataset names."""
    out: Folder = None
    """A folder for the figures, each as .svg and .png; left out: none are drawn."""
    quiet: Flag = False
    """No progress."""
    environment: TaskOptions = field(default_factory=TaskOptions)
    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades import runtime
        from hades.dataset import load
        from hades.evaluation import task_of
        from hades.progress import working
        from hades.reporting.meaning import alone, meaning

        runtime.configure()
        dataset = alone(load(self.dataset))
        out = self.out and self.free(self.out)
        task = task_of(dataset, self.task, place=self.dataset, **self.environment.given())
        how = given(self, arguments.Explaining)
        found = meaning(dataset, task, **how, working=partial(working, quiet=self.quiet))
        files = list(_drawn(found, out)) if out else []
        data = {"task": task.name, "size": len(dataset), **found.facts(), "missing": found.missing, "files": files}
        return show(data, "\n".join([*_text(found), *files]), self.output.json)


def _text(found: "Meaning") -> Iterator[str]:
    """A table of the pairs, then a line for each thing that there is to say, or why there is nothing."""
    from hades.reporting.meaning import TITLES, table

    yield align(table(found))
    for name, title in TITLES.items():
        if told := found.words.get(name) or found.missing.get(name):
            yield f"\n{title}: {told}"


def _drawn(found: "Meaning", folder: Path) -> Iterator[str]:
    """Figures' files."""
    from hades.files import write_atomically
    from hades.reporting.explanations import explained
    from hades.reporting.style import png, svg

    for each in explained(found):
        for ending, content in (("svg", svg(each.figure, each.words, each.name).encode()), ("png", png(each.figure))):
            yield str(write_atomically(folder / f"{each.name}.{ending}", content))
