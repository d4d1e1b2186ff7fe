"""hades report, hades render, hades watch: what is to be looked at."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from hades import arguments
from hades.cli.derive import Flag, given, options_of
from hades.cli.groups import Folder, Output, TaskOptions, Text, Writing
from hades.cli.output import show
from hades.errors import InputError
from hades.learner.recipe import Learner, Recipe

PORT = 8265


@dataclass(kw_only=True)
class Report(Writing):
    """Write a page of a run or a dataset, or of several compared.

    One HTML file that needs nothing else: scores, the learning curve, pictures of the pairs, how it was made.
    """

    sources: Positional[Annotated[tuple[str, ...], arg(metavar="DATASET ...", help_behavior_hint="")]]
    """Runs' folders, finished or going on, dataset files, names of the zoo, or hf://USER/NAME."""
    out: Folder = None
    """The page; left out: report.html in a run's folder, NAME.html here for a dataset, comparison.html for several."""
    quick: Flag = False
    """Train no networks for it: without an episode in motion, and without what the pairs mean."""
    quiet: Flag = False
    """No progress."""
    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        if not self.sources:
            raise InputError("hades report needs a run's folder or a dataset; hades report --help says more")
        from hades.progress import working
        from hades.reporting.page import place, report
        from hades.reporting.subject import subject

        every = [subject(source) for source in self.sources]
        where = self.out or place(every)
        if self.out or not every[0].run or len(every) > 1:  # a run's page in its folder is HaDES' own
            self.free(where)
        page = report(*self.sources, out=where, quick=self.quick, working=partial(working, quiet=self.quiet))
        return show({"page": str(page), "missing": sorted({one for of in every for one in of.missing})}, str(page),
                    self.output.json)  # fmt: skip


_Rendering: Any = options_of(Recipe, whole=(arguments.Rendering,))


@dataclass(kw_only=True)
class Render(Writing, _Rendering):
    """Show an episode of freshly trained networks as a moving picture."""

    dataset: Positional[Annotated[Path, arg(metavar="DATASET")]]
    """A dataset file, a run's folder, a name of the zoo, or hf://USER/NAME."""
    out: Folder = None
    """A .gif, an .mp4 (by ffmpeg) or, for Brax, an .html, its viewer; left out: NAME.gif here."""
    task: Text = None
    """The task to play; left out: the one that the dataset names, of a merged one the first."""
    environment: TaskOptions = field(default_factory=TaskOptions)
    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades import runtime
        from hades.dataset import load
        from hades.evaluation import task_of
        from hades.reporting.motion import render
        from hades.reporting.subject import name_of

        runtime.configure()
        dataset, out = load(self.dataset), self.free(self.out or Path(f"{name_of(self.dataset)}.gif"))
        options, learner = self.environment.given(), Learner(**given(self, Recipe))
        task = self.task if dataset.parts else task_of(dataset, self.task, **options)
        render(dataset, out, task, learner=learner, **given(self, arguments.Rendering))
        return show({"picture": str(out)}, str(out), self.output.json)


@dataclass(kw_only=True)
class Watch:
    """Serve a run's page to this machine alone, and follow the run."""

    run: Positional[Annotated[Path, arg(metavar="RUN")]]
    """The run's folder."""
    port: Annotated[int, arg(metavar="INT", help_behavior_hint=f"(default: {PORT})")] = PORT
    """Where it listens, on localhost; 0 takes a free one."""
    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades.reporting.watching import HOST, server

        with server(self.run, self.port) as served:
            place = f"http://{HOST}:{served.server_address[1]}/"
            show({"page": place}, f"{place} follows {self.run}; ctrl-C ends it", self.output.json)
            served.serve_forever()
        return 0

    def kept(self) -> str:
        """What is, when it is ended: a page's server keeps nothing."""
        return "the page is not served any more; hades report writes one"
