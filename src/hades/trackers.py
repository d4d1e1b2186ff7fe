"""Trackers that watch a run: TensorBoard and Weights & Biases."""

import json
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from hades.errors import InputError, notice
from hades.extras import need
from hades.files import write_atomically
from hades.runs import Row, Run

TRACKERS = {"tensorboard": "tensorboardX", "wandb": "wandb"}
"""By name: the module."""


class Tracker(Protocol):
    """Who is told of a run's metrics."""

    def log(self, rows: Sequence[Row]) -> None:
        """Generations that have come."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class Trackers:
    """Those that were asked for, imported only then; `check_trackers` says beforehand whether they can be.

    What one of them cannot take is said once, offered again with what comes next, and no reason to stop.

    Args:
        generation: where the run goes on from; what was logged beyond it is of no account.
    """

    def __init__(self, names: Sequence[str], run: Run, generation: int) -> None:
        self.trackers: dict[str, Tracker] = {}
        if "tensorboard" in names:
            self.trackers["tensorboard"] = TensorBoard(run, generation)
        if "wandb" in names:
            self.trackers["wandb"] = WandB(run)
        self.waiting: dict[str, list[Row]] = {name: [] for name in self.trackers}
        self.failed: set[str] = set()

    def log(self, rows: Sequence[Row]) -> None:
        """A run's metrics, by their generation."""
        for name, tracker in self.trackers.items():
            self.waiting[name] += rows
            try:
                tracker.log(self.waiting[name])
                self.waiting[name] = []
            except Exception as error:  # of many kinds: disk, network, account
                self._say(name, error)

    def close(self) -> None:
        """Nothing more comes."""
        for name, tracker in self.trackers.items():
            try:
                tracker.close()
            except Exception as error:
                self._say(name, error)

    def _say(self, name: str, error: Exception) -> None:
        if name not in self.failed:
            notice(
                f"{name} takes nothing now ({str(error).splitlines()[0] if str(error) else error!r}); the run goes on"
            )
        self.failed.add(name)


class TensorBoard:
    """Event files in the run's folder ``tensorboard``, which TensorBoard reads as one run.

    Written here and now: tensorboardX's own writer is a thread, which a full disk kills without a word.
    """

    def __init__(self, run: Run, generation: int) -> None:
        self.folder, self.generation = run.path.absolute() / "tensorboard", generation
        self.events: Any = None

    def log(self, rows: Sequence[Row]) -> None:
        """Scalars, by generation."""
        from tensorboardX.proto.event_pb2 import Event  # type: ignore[attr-defined]
        from tensorboardX.summary import scalar

        if self.events is None:
            self.events = self._begin()
        try:
            for row in rows:
                for name, value in _numbers(row).items():
                    event = Event(wall_time=time.time(), step=row["generation"], summary=scalar(name, value))
                    self.events.write_event(event)
            self.events.flush()
            self.generation = rows[-1]["generation"] if rows else self.generation
        except Exception:
            self.events = None  # the file may end in the middle of an event, after which none is read
            raise

    def close(self) -> None:
        """End the file."""
        if self.events is not None:
            self.events.close()

    def _begin(self) -> Any:
        """A new file; what earlier ones have beyond the generation is purged."""
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog  # type: ignore[attr-defined]

        self.folder.mkdir(parents=True, exist_ok=True)
        events = EventsWriter(str(self.folder / "events"), f".{time.time_ns()}")
        start = SessionLog(status=SessionLog.START)
        events.write_event(Event(wall_time=time.time(), step=self.generation + 1, session_log=start))
        return events


class WandB:
    """A W&B run, whose name the run's folder keeps: who resumes goes on in it."""

    def __init__(self, run: Run) -> None:
        import wandb

        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "hades"),
            name=run.path.absolute().name,
            id=_wandb_id(run.path / "wandb.json"),
            resume="allow",
            dir=str(run.path),
            config=dict(run.about),
            settings=wandb.Settings(silent=True),
        )

    def log(self, rows: Sequence[Row]) -> None:
        """Numbers, by generation."""
        for row in rows:
            self.run.log(_numbers(row), step=row["generation"])

    def close(self) -> None:
        """End the W&B run."""
        self.run.finish()


def check_trackers(names: Sequence[str]) -> None:
    """Raise unless every tracker is known, installed, and logged in to."""
    for name in names:
        if name not in TRACKERS:
            raise InputError(f"unknown tracker '{name}'; choose one of {', '.join(TRACKERS)}")
        need(TRACKERS[name], name)
    if "wandb" in names:
        _check_login()


def _check_login() -> None:
    import wandb

    if wandb.setup().settings.mode not in ("online", "shared"):
        return
    try:
        known = wandb.login(prompt=False, verify=False)
    except TypeError:  # one that always prompts
        known = wandb.api.api_key
    if not known:
        raise InputError("wandb has no login: give it one (wandb login, or WANDB_API_KEY), or set WANDB_MODE=offline")


def _wandb_id(file: Path) -> str:
    """Of the run's W&B run, as its folder has it, or a new one."""
    try:
        return str(json.loads(file.read_bytes())["id"])
    except (OSError, ValueError, TypeError, KeyError):
        name = secrets.token_hex(4)
        write_atomically(file, json.dumps({"id": name}).encode())
        return name


def _numbers(row: Row) -> dict[str, float]:
    return {k: v for k, v in row.items() if k != "generation" and v is not None}
