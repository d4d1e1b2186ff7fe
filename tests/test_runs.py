"""A run's folder: what was written is found again, whatever happened to it."""

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hades
from hades import files, runs
from hades.checkpoints import Damaged, generations, read
from hades.errors import InputError, Notice, WriteError
from hades.locks import Locked
from hades.runs import Run
from tests.helpers import metrics_row

OLD = Path(__file__).parent / "data" / "run-0.1"
ABOUT = {"task": "mine", "config": {"size": 2, "seed": 3}}
STATE = {"a": np.zeros(3, np.float32), "b": (np.zeros((), np.int32), None)}


def begun(folder: Path, dataset: hades.Dataset, *saved: int) -> Run:
    """A run with checkpoints of some generations."""
    run = Run.create(folder / "run", ABOUT)
    save(run, dataset, *saved)
    return run


def save(run: Run, dataset: hades.Dataset, *saved: int) -> None:
    for generation in saved:
        run.log([metrics_row(generation)])
        run.save(generation, state(generation), {"env_steps": 10**12 + generation}, dataset)


def state(generation: int) -> dict[str, Any]:
    return {"a": np.full(3, generation, np.float32), "b": (np.full((), generation, np.int32), None)}


def goes_on(path: Path) -> int:
    """The generation that an interrupted run goes on from; 0 if it begins again."""
    with Run.open(path, write=True) as run:
        found = run.restore(lambda host: STATE)
        assert found is None or (found[0]["a"] == found[0]["b"][0]).all()
        return 0 if found is None else int(found[0]["b"][0])


def refusing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """From here on, the disk is."""

    def fsync(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", fsync)


def test_a_run_is_found_again(tmp_path: Path) -> None:
    Run.create(tmp_path / "a/b", ABOUT)
    assert Run.open(tmp_path / "a/b").about == ABOUT


def test_a_folder_that_holds_something_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        Run.create(tmp_path, ABOUT)
    with pytest.raises(InputError, match="is a file"):
        Run.create(tmp_path / "mine.txt", ABOUT)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_run_that_was_killed_as_it_began_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "config.json.123.tmp").touch()
    with Run.create(tmp_path, ABOUT):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"task": 1}', "[" * 600 + "]" * 600, "\xff"])
def test_a_folder_that_is_not_a_runs_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match="not a run folder"):
        Run.open(tmp_path)


@pytest.mark.parametrize(
    "name", ["-x", "a b", "a#b?c%20d", "a\nb", "'\"\\", "gs:", "é", os.fsdecode(b"\xff"), "x" * 255]
)
def test_a_path_holds_any_character(tmp_path: Path, continuous_pairs: hades.Dataset, name: str) -> None:
    with begun(tmp_path / name, continuous_pairs, 2, 5):
        pass
    assert goes_on(tmp_path / name / "run") == 5


def test_a_checkpoint_gives_back_the_state_and_two_are_kept(tmp_path: Path, continuous_pairs: hades.Dataset) -> None:
    with Run.create(tmp_path / "run", ABOUT) as run:
        assert run.restore(lambda _: STATE) is None
        save(run, continuous_pairs, 2, 5, 9)
    restored = Run.open(tmp_path / "run").restore(lambda host: STATE)
    assert restored is not None
    found, host = restored
    assert found["a"].tolist() == [9, 9, 9] and int(found["b"][0]) == 9 and host == {"env_steps": 10**12 + 9}
    assert generations(tmp_path / "run/checkpoint") == [9, 5]


def test_metrics_past_the_checkpoint_are_dropped(tmp_path: Path, continuous_pairs: hades.Dataset) -> None:
    with begun(tmp_path, continuous_pairs, 1, 2) as run:
        run.log([metrics_row(3)])
    assert [row["generation"] for row in run.metrics()] == [1, 2, 3]
    assert goes_on(run.path) == 2
    assert [json.loads(x)["generation"] for x in (run.path / "metrics.jsonl").read_text().splitlines()] == [1, 2]


def test_a_second_writer_is_told_of_the_first(tmp_path: Path, continuous_pairs: hades.Dataset) -> None:
    run = begun(tmp_path, continuous_pairs, 1)
    with run:
        with pytest.raises(Locked, match=f"being written by process {os.getpid()} on "):
            goes_on(run.path)
        assert Run.open(run.path).metrics()  # to read it is free
    assert goes_on(run.path) == 1


@pytest.mark.parametrize("harm", [lambda data: data[:-1], lambda data: data[:-1] + b"\x01", lambda data: b""])
def test_a_damaged_checkpoint_is_said_and_the_one_before_taken(
    tmp_path: Path, continuous_pairs: hades.Dataset, harm: Any
) -> None:
    with begun(tmp_path, continuous_pairs, 2, 5) as run:
        last = run.path / "checkpoint/5.safetensors"
    last.write_bytes(harm(last.read_bytes()))
    says = "the checkpoint of generation 5 is damaged; the run goes on from generation 2, 3 generations are done again"
    with pytest.warns(Notice, match=says):
        assert goes_on(run.path) == 2
    (run.path / "checkpoint/2.safetensors").unlink()
    with pytest.warns(Notice, match="there is no checkpoint; the run begins again, 2 generations are done again"):
        assert goes_on(run.path) == 0


def test_a_checkpoint_of_other_options_is_refused(tmp_path: Path, continuous_pairs: hades.Dataset) -> None:
    with begun(tmp_path, continuous_pairs, 2), pytest.raises(InputError, match=r"other options.* \['a'\] differs"):
        Run.open(tmp_path / "run").restore(lambda host: {**STATE, "a": np.zeros(4, np.float32)})


def test_a_configuration_that_was_edited_is_refused_with_what_differs(
    tmp_path: Path, continuous_pairs: hades.Dataset
) -> None:
    with begun(tmp_path, continuous_pairs, 2) as run:
        pass
    text = run.manifest.read_text()
    run.manifest.write_text(text.replace('"seed": 3', '"seed": 4'))
    with pytest.raises(InputError, match=r"edited or damaged: config.seed is 4, was 3. .* delete the file"):
        Run.open(run.path)
    run.manifest.unlink()
    for damage in (None, text[:20], text.replace("task", "tusk")):
        if damage:
            run.manifest.write_text(damage)
        with pytest.warns(Notice, match="config.json is missing or damaged: what the last checkpoint says"):
            assert Run.open(run.path).about == ABOUT


def test_a_configuration_without_a_digest_is_checked(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"task": "mine", "config": []}')
    with pytest.raises(InputError, match=r"config must be options, not \[\]"):
        Run.open(tmp_path)


def test_what_was_edited_in_a_run_of_version_0_1_is_checked_like_any_input(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "run")
    file = tmp_path / "run/config.json"
    about = json.loads(file.read_text())
    file.write_text(json.dumps(about | {"config": about["config"] | {"population": -3}}))
    with pytest.raises(InputError, match=r"run/config\.json: population must be at least 1, not -3"):
        hades.resume(tmp_path / "run", progress=False)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["checkpoint", "config.json", "metrics.jsonl"]


@pytest.mark.slow
def test_a_damaged_checkpoint_of_version_0_1_is_known_as_such(tmp_path: Path) -> None:
    shutil.copytree(OLD / "checkpoint", tmp_path / "checkpoint")
    for file in (tmp_path / "checkpoint/4/state").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(Damaged):
        read(tmp_path / "checkpoint", 4, lambda host: STATE)


def test_what_a_run_is_from_here_on_is_kept(tmp_path: Path) -> None:
    with Run.create(tmp_path / "run", ABOUT) as run:
        run.settle(ABOUT | {"config": {"generations": 9}})
    assert Run.open(run.path).about["config"] == {"generations": 9}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
def test_on_a_full_disk_the_last_checkpoint_stays_whole_and_all_is_written_later(
    tmp_path: Path, continuous_pairs: hades.Dataset, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    run = begun(tmp_path, continuous_pairs, 2)
    before = sorted(path.name for path in run.path.rglob("*.*"))
    refusing(monkeypatch, number)
    for generation in (5, 9):
        with pytest.raises(WriteError, match=os.strerror(number)):
            save(run, continuous_pairs, generation)
    with pytest.raises(WriteError, match=os.strerror(number)):
        run.snapshot(9, continuous_pairs)
    assert not run.whole and sorted(path.name for path in run.path.rglob("*.*")) == before
    monkeypatch.undo()
    save(run, continuous_pairs, 11)
    assert run.whole and generations(run.checkpoints) == [11, 2] and set(run.snapshots()) == {9}
    assert [row["generation"] for row in run.metrics()] == [2, 5, 9, 11]


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path, continuous_pairs: hades.Dataset) -> None:
    run = begun(tmp_path, continuous_pairs, 2)
    shutil.rmtree(run.path)
    with pytest.warns(Notice, match="was removed while its run goes on: it is made again"), run:
        save(run, continuous_pairs, 5)
    assert goes_on(run.path) == 5
    assert [row["generation"] for row in run.metrics()] == [2, 5] and hades.load(run.dataset_path)


def test_a_folder_that_is_another_runs_by_now_is_left_alone(tmp_path: Path, continuous_pairs: hades.Dataset) -> None:
    run = begun(tmp_path, continuous_pairs, 2)
    shutil.rmtree(run.path)
    other = Run.create(run.path, {**ABOUT, "task": "other"})
    for ended in (False, True):
        if ended:
            other.__exit__(None, None, None)
        with pytest.raises(WriteError, match="was removed, and holds something else by now"):
            save(run, continuous_pairs, 5)
    assert Run.open(run.path).about["task"] == "other" and not other.metrics()


def test_a_snapshot_that_is_damaged_is_left_out(tmp_path: Path, continuous_pairs: hades.Dataset) -> None:
    run = Run.create(tmp_path / "run", ABOUT)
    for generation in (0, 4):
        run.snapshot(generation, continuous_pairs)
    (run.path / "snapshots/0000000.safetensors").write_bytes(b"")
    assert set(run.snapshots()) == {4}


def test_free_paths_count_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert runs.free_path("x") == Path("runs/x")
    (tmp_path / "runs/x").mkdir(parents=True)
    assert runs.free_path("x") == Path("runs/x-2")
