"""What watches a run."""

import json
import struct
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tensorboardX.proto import event_pb2

import hades
from hades import trackers
from hades.errors import InputError, Notice
from hades.extras import MissingExtra
from hades.runs import Run
from hades.tasks.control import ControlTask
from hades.trackers import Trackers
from tests.helpers import TINY, metrics_row


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'hades-rl\[wandb\]'"):
        trackers.check_trackers(["wandb"])


def test_both_watch_a_run(target: ControlTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = tmp_path / "run"
    hades.distill(target, size=2, out=run, trackers=["tensorboard", "wandb"], **TINY)
    assert shown(run) == dict.fromkeys(range(1, 8), 1)
    name = json.loads((run / "wandb.json").read_text())["id"]
    assert len(list(run.glob(f"wandb/offline-run-*-{name}"))) == 1


def shown(run: Path) -> dict[int, int]:
    """By generation, how often TensorBoard shows its mean: what a start purges, it does not."""
    known: list[int] = []
    for file in sorted(run.glob("tensorboard/events.*")):
        for event in events(file.read_bytes()):
            if event.HasField("session_log"):
                known = [step for step in known if step < event.step]
            known += [event.step for value in event.summary.value if value.tag == "mean"]
    return dict(Counter(known))


def events(data: bytes) -> Iterator[Any]:
    """Of a file: length, checksum, event, checksum, and so on."""
    while data:
        (length,) = struct.unpack("Q", data[:8])
        event = event_pb2.Event()  # type: ignore[attr-defined]
        event.ParseFromString(data[12 : 12 + length])
        yield event
        data = data[16 + length :]


def test_generations_that_are_done_again_are_shown_once(tmp_path: Path) -> None:
    rows = [metrics_row(generation) for generation in range(1, 9)]
    for begin in (0, 4):
        tracker = Trackers(["tensorboard"], Run(tmp_path, {}), begin)
        tracker.log(rows[begin:6])
        tracker.close()
    assert shown(tmp_path) == dict.fromkeys(range(1, 7), 1)


def test_what_a_tracker_cannot_take_is_said_once_and_offered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flush(self: object) -> None:
        raise OSError("No space left on device")

    rows = [metrics_row(generation) for generation in range(1, 5)]
    both = Trackers(["tensorboard"], Run(tmp_path, {}), 0)
    both.log(rows[:1])
    with monkeypatch.context() as disk, pytest.warns(Notice, match="tensorboard takes nothing now") as said:
        disk.setattr("tensorboardX.record_writer.RecordWriter.flush", flush)
        both.log(rows[1:2])
        both.log(rows[2:3])
    both.log(rows[3:])
    both.close()
    assert [one.category for one in said].count(Notice) == 1
    assert shown(tmp_path) == dict.fromkeys(range(1, 5), 1)


def test_a_missing_login_is_said_before_a_folder_is_made(
    target: ControlTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online = SimpleNamespace(settings=SimpleNamespace(mode="online"))
    fake = SimpleNamespace(setup=lambda: online, login=lambda **options: False)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    with pytest.raises(InputError, match=r"wandb has no login: .*wandb login.*WANDB_MODE=offline"):
        hades.distill(target, size=2, out=tmp_path / "run", trackers=["wandb"], **TINY)
    assert not (tmp_path / "run").exists()


def test_a_wandb_run_goes_on_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[dict[str, Any]] = []

    def init(**options: Any) -> SimpleNamespace:
        begun.append(options)
        return SimpleNamespace(log=lambda numbers, step: None, finish=lambda: None)

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init, Settings=dict))
    for _ in range(2):
        Trackers(["wandb"], Run(tmp_path / "run", {}), 0)
    (tmp_path / "run/wandb.json").write_text("{")
    Trackers(["wandb"], Run(tmp_path / "run", {}), 0)
    assert begun[0]["id"] == begun[1]["id"] != begun[2]["id"] and begun[0]["resume"] == "allow"


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(InputError, match="unknown tracker 'mlflow'; choose one of tensorboard, wandb"):
        trackers.check_trackers(["mlflow"])
