"""hades push: a dataset for others."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from hades import arguments
from hades.cli.derive import given, options_of
from hades.cli.groups import Output
from hades.cli.output import show

_Pushing: Any = options_of(whole=(arguments.Pushing,))


@dataclass(kw_only=True)
class Push(_Pushing):
    """Put a dataset on the Hugging Face hub, with a card and a picture.

    hf://USER/NAME is then its name everywhere.

    A repository that is there already gets a new commit: what it held stays in its history. Log in first: hf auth
    login.
    """

    dataset: Positional[Annotated[Path, arg(metavar="DATASET")]]
    """A dataset file, a run's folder, or a name of the zoo."""
    name: Positional[Annotated[str, arg(metavar="USER/NAME")]]
    """The repository; made where there is none."""
    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades.hub import push

        page = push(self.dataset, self.name, **given(self, arguments.Pushing))
        address = f"hf://{self.name.removeprefix('hf://')}"
        return show({"url": page, "dataset": address}, f"{page}\nhades evaluate {address}", self.output.json)
