"""What watches a run."""

from pathlib import Path

import pytest

import hades
from hades import trackers
from hades.errors import InputError, MissingExtra
from hades.tasks.control import ControlTask
from tests.helpers import TINY


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'hades-rl\[wandb\]'"):
        trackers.check_trackers(["wandb"])


def test_both_watch_a_run(target: ControlTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = tmp_path / "run"
    hades.distill(target, size=2, out=run, trackers=["tensorboard", "wandb"], **TINY)
    assert list(run.glob("tensorboard/events.*")) and list(run.glob("wandb/offline-run-*"))


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(InputError, match="unknown tracker 'mlflow'; choose one of tensorboard, wandb"):
        trackers.check_trackers(["mlflow"])
