"""Who writes a folder: one at a time, and a dead process never."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hades import locks
from hades.errors import Notice, WriteError
from hades.locks import NAME, Lock, Locked, waited

HOLD = (
    "import sys, time; from hades.locks import Lock; from pathlib import Path; lock = Lock(Path(sys.argv[1])); print()"
)


def holder(folder: Path) -> subprocess.Popen[bytes]:
    """Another process that has the folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline()
    return process


def elsewhere(folder: Path, **owner: object) -> None:
    """As another machine leaves it."""
    known = {"machine": "other", "host": "far", "process": 7, "sign": 0} | owner
    (folder / NAME).write_text(json.dumps(known))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short life."""
    monkeypatch.setattr(locks, "BEAT", 0.05)
    monkeypatch.setattr(locks, "DEAD_AFTER", 0.8)


def test_a_second_one_is_told_who_has_it_until_that_is_killed(tmp_path: Path) -> None:
    process = holder(tmp_path)
    with pytest.raises(Locked, match=f"is being written by process {process.pid} on .*: wait until it has ended"):
        Lock(tmp_path)
    process.kill()
    process.wait()
    with Lock(tmp_path) as lock:
        assert lock.held()
    assert not (tmp_path / NAME).exists()
    lock.release()  # again


def test_what_another_machine_writes_lives_while_it_gives_signs(tmp_path: Path, quick: None) -> None:
    elsewhere(tmp_path)
    timer = threading.Timer(0.1, elsewhere, (tmp_path,), {"sign": 1})
    timer.start()
    with (
        pytest.warns(Notice, match="was written by process 7 on far"),
        pytest.raises(Locked, match="process 7 on far"),
    ):
        Lock(tmp_path)
    timer.join()  # or it may be half written
    with pytest.warns(Notice), Lock(tmp_path) as lock:
        assert lock.held()


def test_without_the_kernels_locks_signs_of_life_tell(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_flock", lambda descriptor: False)
    with Lock(tmp_path), pytest.warns(Notice), pytest.raises(Locked):
        Lock(tmp_path)
    with Lock(tmp_path):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"process": 3}', "\0" * 300])
def test_a_damaged_file_of_nobody_is_nobodys(tmp_path: Path, quick: None, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    with Lock(tmp_path) as lock:
        assert lock.held()


def test_a_folder_that_is_removed_is_not_held(tmp_path: Path) -> None:
    with Lock(tmp_path) as lock:
        lock.file.unlink()
        assert not lock.held()
        with Lock(tmp_path) as other:
            lock.release()
            assert other.held()


def test_one_waits_for_the_other(tmp_path: Path) -> None:
    first = Lock(tmp_path)
    threading.Timer(0.2, first.release).start()
    start = time.monotonic()
    with waited(tmp_path):
        assert time.monotonic() - start > 0.15
        with pytest.raises(Locked):
            waited(tmp_path, seconds=0.1)


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=r"cannot write in .*: Not a directory"):
        Lock(tmp_path / "file" / "run")
