"""What is optional: found where it is installed, and nowhere else."""

from pathlib import Path

import pytest

import hades
from hades import extras
from hades.errors import InputError
from hades.tasks.suites import SUITES, Suite
from hades.trackers import TRACKERS, check_trackers


def test_a_folder_of_its_name_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python takes one in the working directory for a package without code."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("minari", "tracks", "pool"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").touch()
    monkeypatch.setitem(SUITES, "envpool", Suite("", "pool"))
    with pytest.raises(extras.MissingExtra, match="pool is not installed"):
        hades.make("envpool/Hopper-v4")
    monkeypatch.setitem(TRACKERS, "wandb", "tracks")
    with pytest.raises(extras.MissingExtra, match="tracks is not installed"):
        check_trackers(["wandb"])
    with pytest.raises(InputError, match=r"minari is not installed|of Minari's"):
        hades.distill("cartpole", start="minari:mine/own-v0", normaliser="fixed", progress=False)
    assert extras.installed("numpy") and not extras.installed("no_such_package")


def test_the_line_serves_a_clone_too() -> None:
    assert str(extras.MissingExtra("wandb", "wandb")) == (
        "wandb is not installed; install it with: pip install 'hades-rl[wandb]' (in a clone: pip install '.[wandb]')"
    )
