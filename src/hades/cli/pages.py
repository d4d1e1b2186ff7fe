"""hades report, hades render, hades watch: what is to be looked at."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from hades import arguments
from hades.aliases import Json
from hades.cli.derive import Flag, given, options_of, refuse
from hades.cli.groups import Folder, Output, TaskOptions, Text, Writing
from hades.cli.output import show
from hades.errors import InputError
from hades.learner.recipe import Learner, Recipe


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
        from hades.reporting.page import place, written
        from hades.reporting.subject import subject

        every = [subject(source) for source in self.sources]
        where = self.out or place(every)
        if self.out or not every[0].run or len(every) > 1:  # a run's page in its folder is HaDES' own
            self.free(where)
        page = str(written(every, where, self.quick, partial(working, quiet=self.quiet)))
        missing = sorted({one for of in every for one in of.missing})
        return show({"page": page, "missing": missing}, page, self.output.json)


_Watching: Any = options_of(whole=(arguments.Watching,))
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
    quiet: Flag = False
    """No progress."""
    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades import runtime
        from hades.dataset import load
        from hades.evaluation import task_of
        from hades.progress import working
        from hades.reporting.motion import LOADS, render
        from hades.reporting.subject import name_of

        runtime.configure()
        dataset, out = load(self.dataset), self.free(self.out or Path(f"{name_of(self.dataset)}.gif"))
        if dataset.parts:
            refuse(self, ("backend", "data_dir", "zca", "env_arg"), "is for datasets of one task")
            task = self.task
        else:
            task = task_of(dataset, self.task, place=self.dataset, **self.environment.given())
        how: Json = given(self, arguments.Rendering) | {"working": partial(working, quiet=self.quiet)}
        path, episodes = render(dataset, out, task, learner=Learner(**given(self, Recipe)), **how)
        loads, size = path.suffix == ".html", path.stat().st_size
        data = {
            "picture": str(path),
            "bytes": size,
            "needs_network": loads,
            "returns": [each.ret for each in episodes],
            "steps": [each.steps for each in episodes],
        }
        lines = [f"return {each.ret:.1f} in {each.steps} steps" for each in episodes] + [LOADS] * loads
        return show(data, "\n".join([*lines, f"{path} ({size / 1e6:.2f} MB)"]), self.output.json)


@dataclass(kw_only=True)
class Watch(_Watching):
    """Serve a run's page to this machine alone, and follow the run."""

    run: Positional[Annotated[Path, arg(metavar="RUN")]]
    """The run's folder."""
    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades.reporting.watching import HOST, server

        with server(self.run, **given(self, arguments.Watching)) as served:
            place = f"http://{HOST}:{served.server_address[1]}/"
            show({"page": place}, f"{place} follows {self.run}; ctrl-C ends it", self.output.json)
            served.serve_forever()
        return 0

    def kept(self) -> str:
        """What is, when it is ended: a page's server keeps nothing."""
        return "the page is not served any more; hades report writes one"
