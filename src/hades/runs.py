"""A run on disk: configuration, metrics, checkpoints, dataset.

Of a distributed run, every process holds a `Run` and calls it alike; only the main process writes.

config.json           what was asked for, and the library versions
metrics.jsonl         one line a generation
checkpoint/           the last two states, by orbax: complete or absent, whenever the process dies
dataset.safetensors   the best dataset so far
snapshots/            what was best at the start, and at validations number 1, 2, 4, 8, ...
report.html           curves and pairs, when the run has ended
"""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax

from hades import runtime
from hades.aliases import Json, Options, PyTree
from hades.dataset import Dataset, load, write_atomically
from hades.errors import InputError
from hades.files import dumps

Row = Json


class Run:
    """The folder of one distillation. Make one with `create` or `open`."""

    def __init__(self, path: Path, about: Options) -> None:
        self.path, self.about = path, about
        self._manager: Any = None

    @classmethod
    def create(cls, path: str | os.PathLike[str], about: Options) -> "Run":
        """Begin a run in a new or empty folder.

        Raises:
            InputError: if the folder holds something, or cannot be written.
        """
        path = Path(path)
        check_free(path)
        runtime.agree(0)  # all have looked
        if runtime.is_main():
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"cannot make the folder {path}: {error.strerror}") from None
            write_atomically(path / "config.json", (dumps(about, indent=2) + "\n").encode())
        return cls(path, about)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Run":
        """An existing run.

        Raises:
            InputError: if the folder is not a run's.
        """
        path = Path(path)
        try:
            about = json.loads((path / "config.json").read_text())
            if not {"task", "config"} <= set(about):
                raise ValueError
        except (OSError, ValueError, TypeError):
            raise InputError(f"{path} is not a run folder: it has no config.json of a distillation") from None
        return cls(path, about)

    @property
    def dataset_path(self) -> Path:
        """Of the best dataset so far."""
        return self.path / "dataset.safetensors"

    def log(self, rows: Iterable[Row]) -> None:
        """Append to the metrics, a line a generation."""
        if not runtime.is_main():
            return
        with open(self.path / "metrics.jsonl", "a") as file:
            file.writelines(dumps(row) + "\n" for row in rows)

    def metrics(self) -> list[Row]:
        """All metrics so far; a last line that was cut off by a kill is left out."""
        rows: list[Row] = []
        file = self.path / "metrics.jsonl"
        for line in file.read_text().splitlines() if file.exists() else []:
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        return rows

    def save(self, generation: int, state: PyTree, host: Options, dataset: Dataset) -> None:
        """Checkpoint: the state, what the host counts beside it, and the dataset."""
        import orbax.checkpoint as ocp

        if generation not in self._checkpoints().all_steps():
            args = ocp.args.Composite(state=ocp.args.StandardSave(state), host=ocp.args.JsonSave(dict(host)))
            self._checkpoints().save(generation, args=args)
        if runtime.is_main():
            dataset.save(self.dataset_path)

    def snapshot(self, generation: int, dataset: Dataset) -> None:
        """Keep a dataset as it is at a generation, to look at later."""
        if runtime.is_main():
            dataset.save(self.path / "snapshots" / f"{generation:07}.safetensors")

    def snapshots(self) -> dict[int, Dataset]:
        """All that were kept, by generation."""
        return {int(path.stem): load(path) for path in sorted(self.path.glob("snapshots/*.safetensors"))}

    def restore(self, like: Callable[[Row], PyTree]) -> tuple[PyTree, Row] | None:
        """The last checkpoint: the state, and what the host counted; None before the first.

        Metrics beyond it are dropped.

        Args:
            like: from the host's counts, a state that is typed and placed as the checkpoint's is to be.
        """
        import orbax.checkpoint as ocp

        generation = self._checkpoints().latest_step()
        kept = [row for row in self.metrics() if row["generation"] <= (generation or 0)]
        lines = "".join(dumps(row) + "\n" for row in kept)
        if runtime.is_main():
            write_atomically(self.path / "metrics.jsonl", lines.encode())
        if generation is None:
            return None
        host = self._checkpoints().restore(generation, args=ocp.args.Composite(host=ocp.args.JsonRestore())).host
        shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, like(host))
        args = ocp.args.Composite(state=ocp.args.StandardRestore(shapes))
        return self._checkpoints().restore(generation, args=args).state, host

    def _checkpoints(self) -> Any:
        if self._manager is None:
            import orbax.checkpoint as ocp

            options = ocp.CheckpointManagerOptions(max_to_keep=2, enable_async_checkpointing=False, create=True)
            self._manager = ocp.CheckpointManager(self.path.absolute() / "checkpoint", options=options)
        return self._manager


def check_free(path: str | os.PathLike[str]) -> None:
    """Raise `InputError` unless a run can begin at ``path``."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a folder that is new or empty")
    if path.is_dir() and any(path.iterdir()):
        raise InputError(
            f"{path} exists and is not empty; give a new folder, or continue it with: hades resume {path}"
        )


def free_path(stem: str) -> Path:
    """``runs/stem``, or with the first number that is free."""
    candidates = (Path("runs") / (stem + suffix) for suffix in ("", *(f"-{i}" for i in range(2, 100_000))))
    return next(path for path in candidates if not path.exists())
