"""Options that commands share: of output, of the task, of a run, of a cluster."""

import json
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import UseAppendAction

from hades import arguments
from hades.aliases import Json
from hades.cli.cluster import quiet_collectives
from hades.cli.derive import Flag, given, options_of, shown
from hades.errors import InputError
from hades.files import check_writable

Text = Annotated[str | None, shown("NAME")]
Folder = Annotated[Path | None, shown("PATH")]
_Kept: Any = options_of(whole=(arguments.Running,), leave_out=("progress",))
_Place: Any = options_of(whole=(arguments.Joining,))


@dataclass(kw_only=True)
class Output:
    """How a command answers."""

    json: Flag = False
    """Print the result as JSON."""
    debug: Flag = False
    """Show tracebacks."""


@dataclass(kw_only=True)
class Writing:
    """Of a command that writes a file."""

    force: Flag = False
    """Overwrite what is there."""

    def free(self, path: Path) -> Path:
        """A path, if nothing is there or may be overwritten."""
        if path.exists() and not self.force:
            raise InputError(f"{path} exists; give another file (--out), or --force to overwrite it")
        check_writable(path)
        return path


@dataclass(kw_only=True)
class TaskOptions:
    """What `hades.make` takes beside the name."""

    backend: Text = None
    """Brax physics: positional, spring, generalized or mjx."""
    data_dir: Folder = None
    """Folder that has the images' files already; left out: HADES_DATA_DIR, or a download."""
    zca: Flag = False
    """Whiten the images."""

    env_arg: Annotated[tuple[tuple[str, ...], ...], shown("KEY=VALUE ..."), UseAppendAction] = ()
    """What the environment itself takes, as its documentation says; for most also max_steps."""

    def given(self) -> Json:
        """What was given, for `hades.make`."""
        named = {"backend": self.backend, "data_dir": self.data_dir and str(self.data_dir), "zca": self.zca}
        return {name: value for name, value in named.items() if value} | dict(map(_pair, chain(*self.env_arg)))


@dataclass(kw_only=True)
class Running(_Kept):
    """What is kept and shown of a run."""

    quiet: Flag = False
    """No progress."""

    def given(self) -> Json:
        """For `hades.distill` and `hades.resume`."""
        return given(self, arguments.Running) | {"progress": not self.quiet}


@dataclass(kw_only=True)
class Cluster(_Place):
    """Several processes."""

    distributed: Flag = False
    """One of several processes; Slurm, Open MPI and JAX_* variables are recognised."""
    coordinator: Annotated[str | None, shown("HOST:PORT")] = None
    """Where process 0 listens, if nothing is recognised."""

    def connect(self, debug: bool) -> None:
        """Set JAX up and join the others, before it starts."""
        numbers = given(self, arguments.Joining)
        described = {"coordinator": self.coordinator, **numbers}
        if self.distributed:
            quiet_collectives(debug)
        elif names := [name.replace("_", "-") for name, value in described.items() if value is not None]:
            raise InputError(f"--{names[0]} belongs to --distributed")
        from hades import runtime

        if self.distributed:
            runtime.connect(self.coordinator, **numbers)
        else:
            runtime.configure()


def _pair(text: str) -> tuple[str, Any]:
    """``KEY=VALUE``: a number, true or false as JSON has it; anything else as the word that it is."""
    key, equals, value = text.partition("=")
    if not (equals and key.isidentifier()):
        raise InputError(f"--env-arg takes KEY=VALUE, not '{text}'")
    try:
        read = json.loads(value.lower() if value in ("True", "False") else value)
    except ValueError:
        return key, value
    return key, read if isinstance(read, (bool, int, float)) else value
