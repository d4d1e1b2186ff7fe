"""Options that commands share: of output, of the task, of a run, of a cluster."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from hades.aliases import Json
from hades.cli.cluster import quiet_collectives
from hades.cli.derive import Flag, shown
from hades.errors import InputError

Int = Annotated[int | None, shown("INT")]
Text = Annotated[str | None, shown("NAME")]
Folder = Annotated[Path | None, shown("PATH")]
Names = Annotated[tuple[str, ...], shown("NAME ...")]


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

    def given(self) -> Json:
        """What was given, for `hades.make`."""
        return {k: str(v) if isinstance(v, Path) else v for k, v in vars(self).items() if v not in (None, False)}


@dataclass(kw_only=True)
class Running:
    """What is kept and shown of a run."""

    trackers: Names = ()
    """tensorboard, wandb: also log there."""
    checkpoint_every: float = 15.0
    """Seconds between two checkpoints."""
    quiet: Flag = False
    """No progress."""

    def given(self) -> Json:
        """For `hades.distill` and `hades.resume`."""
        return {
            "trackers": self.trackers, "progress": not self.quiet, "checkpoint_every": self.checkpoint_every
        }  # fmt: skip


@dataclass(kw_only=True)
class Cluster:
    """Several processes."""

    distributed: Flag = False
    """One of several processes; Slurm, Open MPI and JAX_* variables are recognised."""
    coordinator: Annotated[str | None, shown("HOST:PORT")] = None
    """Where process 0 listens, if nothing is recognised."""
    processes: Int = None
    """How many processes there are."""
    process_id: Int = None
    """Which of them this is, from 0."""

    def connect(self, debug: bool) -> None:
        """Set JAX up and join the others, before it starts."""
        described = {"coordinator": self.coordinator, "processes": self.processes, "process-id": self.process_id}
        if self.distributed:
            quiet_collectives(debug)
        elif given := [name for name, value in described.items() if value is not None]:
            raise InputError(f"--{given[0]} belongs to --distributed")
        from hades import runtime

        if self.distributed:
            runtime.connect(self.coordinator, self.processes, self.process_id)
        else:
            runtime.configure()
