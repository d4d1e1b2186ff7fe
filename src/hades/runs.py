"""A run on disk: configuration, metrics, checkpoints, dataset.

Of a distributed run, every process holds a `Run` and calls it alike; only the main process writes, and holds the
folder's lock while it does.

config.json           what was asked for, and the library versions
metrics.jsonl         one line a generation
checkpoint/           the last two states: complete or absent, whenever the process dies
dataset.safetensors   the best dataset so far
start.safetensors     the dataset that it goes on from, where that was given as such
snapshots/            what was best at the start, and at validations number 1, 2, 4, 8, ...
report.html           curves and pairs, when the run has ended
lock                  who writes it, while it is written
"""

import contextlib
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hades import checkpoints, journal, manifest, runtime, trust
from hades.aliases import Options, PyTree
from hades.checkpoints import KEPT, Damaged
from hades.dataset import FILE, Dataset, load
from hades.errors import InputError, WriteError, notice
from hades.files import TEMPORARY, as_path, in_shell, reason, write_atomically
from hades.journal import Journal, Row
from hades.locks import Lock, is_free

START = "start.safetensors"
METRICS, CHECKPOINTS, PAGE = "metrics.jsonl", "checkpoint", "report.html"


class Run:
    """The folder of one distillation; a context, at whose end its lock is given back. `create` or `open` makes one."""

    def __init__(self, path: Path, about: Options) -> None:
        self.path, self.about = path, about
        self.journal = Journal(path / METRICS)
        self._lock: Lock | None = None
        self._unwritten: dict[Path, Callable[[], Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lock is not None:
            self._lock.release()

    @classmethod
    def create(cls, path: str | os.PathLike[str], about: Options) -> "Run":
        """Begin a run in a new or empty folder.

        Raises:
            InputError: if the folder holds something, is being written, or cannot be.
        """
        run = cls(as_path(path), about)
        check_free(path)
        runtime.agree(0)  # all have looked
        run._by_main(run._begin)
        return run

    @classmethod
    def open(cls, path: str | os.PathLike[str], write: bool = False) -> "Run":
        """An existing run.

        Args:
            write: to go on with it, not only to read it.

        Raises:
            InputError: if the folder is not a run's, or its ``config.json`` not what the run wrote; to go on with it,
                also if it is being written, or cannot be.
        """
        run = cls(as_path(path), {})
        try:
            there = run.manifest.exists() or checkpoints.generations(run.checkpoints)
        except OSError as error:
            raise InputError(f"cannot read {path}: {reason(error)}") from None
        if not there:
            what = "it has no config.json of a distillation" if run.path.is_dir() else "there is no such folder"
            raise InputError(f"{path} is not a run folder: {what}")
        if write:
            run._by_main(run._take)
        try:
            run.about = manifest.read(run.manifest, run.checkpoints)
        except BaseException:
            run.__exit__(None, None, None)
            raise
        return run

    @property
    def dataset_path(self) -> Path:
        """Of the best dataset so far."""
        return self.path / FILE

    @property
    def start(self) -> Dataset | None:
        """The dataset that it goes on from, where it keeps one."""
        path = self.path / START
        return load(path) if path.exists() else None

    def keep_start(self, dataset: Dataset) -> None:
        """Keep the dataset that it goes on from."""

        def keep() -> None:
            dataset.save(self.path / START)

        self._by_main(keep)

    @property
    def manifest(self) -> Path:
        """What the run is."""
        return self.path / "config.json"

    @property
    def checkpoints(self) -> Path:
        """Where they are."""
        return self.path / CHECKPOINTS

    @property
    def whole(self) -> bool:
        """Whether everything is written."""
        return not self._unwritten and self.journal.as_left()

    def log(self, rows: Iterable[Row]) -> None:
        """Append to the metrics, a line a generation.

        Raises:
            WriteError: if that cannot be; what could not be written is tried again by the next call.
        """
        if runtime.is_main():
            self._stand()
            self.journal.add(rows)

    def metrics(self) -> list[Row]:
        """All metrics so far; lines that are cut off, or damaged, are left out."""
        rows, odd = journal.read(self.journal.file)
        if odd and runtime.is_main():
            notice(f"{self.journal.file}: {odd} lines are cut off or damaged, and left out")
        return rows

    def settle(self, about: Options) -> None:
        """What the run is from here on: into ``config.json``.

        Raises:
            WriteError: if that cannot be.
        """
        self.about = about
        if runtime.is_main():
            self._write({self.manifest: self._write_about})

    def save(self, generation: int, state: PyTree, host: Options, dataset: Dataset) -> None:
        """Checkpoint: the state, what the host counts beside it, and the dataset.

        Raises:
            WriteError: if not all could be written; the last checkpoint is whole.
        """
        if not runtime.is_main():
            return
        file = checkpoints.file_of(self.checkpoints, generation)
        self._unwritten = {path: write for path, write in self._unwritten.items() if path.parent != file.parent}
        files: dict[Path, Callable[[], Any]] = {self.journal.file: partial(self.log, ())}
        if not file.exists():
            files[file] = partial(write_atomically, file, checkpoints.packed(state, host, self.about))
        self._write(files | {self.dataset_path: partial(dataset.save, self.dataset_path)})
        for old in checkpoints.generations(self.checkpoints)[KEPT:]:
            checkpoints.drop(self.checkpoints, old)

    def snapshot(self, generation: int, dataset: Dataset) -> None:
        """Keep a dataset as it is at a generation, to look at later.

        Raises:
            WriteError: if that cannot be; the next call of anything tries again.
        """
        if runtime.is_main():
            file = self.path / "snapshots" / f"{generation:07}.safetensors"
            self._write({file: partial(dataset.save, file)})

    def snapshots(self) -> dict[int, Dataset]:
        """All that were kept and can be read, by generation."""
        return read_snapshots(self.path)[0]

    def restore(self, like: Callable[[Row], PyTree]) -> tuple[PyTree, Row] | None:
        """The last checkpoint that is whole: the state, and what the host counted; None without one.

        Metrics beyond it are dropped; what that loses is said.

        Args:
            like: from the host's counts, a state that is typed and placed as the checkpoint's is to be.

        Raises:
            InputError: if it cannot be read, or is of a run with other options.
        """
        found, generation, damaged = None, 0, []
        for known in checkpoints.generations(self.checkpoints):
            try:
                found, generation = checkpoints.read(self.checkpoints, known, like), known
                break
            except Damaged:
                damaged.append(known)
        rows = self.metrics()
        runtime.agree(0)  # all have read
        self.journal = Journal(self.journal.file, (row for row in rows if row["generation"] <= generation))
        if runtime.is_main():
            self._say_loss(None if found is None else generation, damaged, rows)
            for known in damaged:
                checkpoints.set_aside(self.checkpoints, known)
            self.journal.add(())
        return found

    def _say_loss(self, found: int | None, damaged: list[int], rows: list[Row]) -> None:
        """Of what was lost by damage; what was done since the last checkpoint, a kill loses without a word."""
        if not damaged and (found is not None or not rows):
            return
        last, generation = damaged[0] if damaged else rows[-1]["generation"], found or 0
        what = f"the checkpoint of generation {last} is damaged" if damaged else "there is no checkpoint"
        goes_on = f"goes on from generation {generation}" if generation else "begins again"
        notice(f"{self.path}: {what}; the run {goes_on}, {last - generation} generations are done again")

    def _by_main(self, write: Callable[[], None]) -> None:
        """Do it in the main process; all fail if it does."""
        failed: InputError | None = None
        if runtime.is_main():
            try:
                write()
            except InputError as error:
                failed = error
        if runtime.agree(float(failed is not None)):
            raise failed or InputError(f"the main process cannot write {self.path}")

    def _take(self) -> None:
        self._lock = Lock(self.path)
        for folder in (self.path, self.checkpoints, self.path / "snapshots"):
            for left in folder.glob(f"*{TEMPORARY}"):
                with contextlib.suppress(OSError):
                    left.unlink()

    def _begin(self) -> None:
        self._take()
        try:
            check_free(self.path)  # still
            self._write_about()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def _stand(self) -> None:
        """See that the folder is there and ours; make it again where somebody removed it."""
        if self._lock is None or self._lock.held():
            return
        there = self.journal.as_left() and self.manifest.exists()
        if not there and not is_free(self.path):
            raise WriteError(f"cannot write {self.path}: it was removed, and holds something else by now")
        self._lock.release()
        self._lock = Lock(self.path)
        if not there:
            self._unwritten[self.manifest] = self._write_about
            notice(f"{self.path} was removed while its run goes on: it is made again")

    def _write(self, files: dict[Path, Callable[[], Any]]) -> None:
        """Write files, and those that could not be written before; what fails now is tried again by the next call."""
        self._unwritten |= files
        self._stand()
        failed: InputError | None = None
        for path, write in list(self._unwritten.items()):
            try:
                write()
                del self._unwritten[path]
            except InputError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _write_about(self) -> None:
        manifest.write(self.manifest, self.about)


def read_snapshots(folder: Path) -> tuple[dict[int, Dataset], list[str]]:
    """All that a run kept and that can be read, by generation; and the names of those that cannot."""
    found, bad = {}, []
    for path in sorted(folder.glob("snapshots/*.safetensors")):
        try:
            found[int(path.stem)] = load(path)
        except (InputError, ValueError):
            bad.append(path.name)
    return found, bad


def check_free(path: str | os.PathLike[str]) -> None:
    """Raise `InputError` unless a run can begin at ``path``."""
    path = as_path(path)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a folder that is new or empty")
    if not is_free(path):
        raise InputError(
            f"{path} exists and is not empty; give a new folder, or continue it with: hades resume {in_shell(path)}"
        )


def free_path(stem: str) -> Path:
    """``runs/stem``, or with the first number that is free."""
    candidates = (Path("runs") / (stem + suffix) for suffix in ("", *(f"-{i}" for i in range(2, 100_000))))
    return next(path for path in candidates if not path.exists())


def made_with(place: object) -> Options:
    """Of a run's folder: what its task was made with, and where its files lay, that with code if the run was this
    user's. Of anything else nothing."""
    if not isinstance(place, (str, os.PathLike)) or not os.path.isdir(place):
        return {}
    try:
        about = Run.open(place).about
    except InputError:  # a folder may hold a dataset, and nothing else of a run
        return {}
    options = about.get("task_options", {})
    return {name: value for name, value in options.items() if name != "file" or trust.is_ours(about)}
