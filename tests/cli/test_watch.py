"""A signal is answered in time, also where Python cannot."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.helpers import run as command

from hades import runs
from hades.cli import main, watch
from hades.cli.output import kept
from hades.cli.watch import Watch

STUCK = """
import hashlib
from hades.cli.watch import Watch
with Watch() as watch:
    watch.kept = lambda: "all is kept"
    for _ in range(2):
        try:
            print(flush=True)
            hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # like a compiler: minutes outside Python
        except KeyboardInterrupt:
            pass  # it came before
"""


def test_where_python_is_stuck_ctrl_c_is_answered_nevertheless() -> None:
    process = subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline()
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, b"hades: interrupted; all is kept\n")
    assert watch.PATIENCE < 2 and time.monotonic() - start > watch.PATIENCE


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_command_that_is_interrupted_says_what_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    monkeypatch.setattr("hades.merging.merge", lambda *args: signal.raise_signal(number))
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    args = ["merge", "cartpole-2", "acrobot", "-o", "both"]
    assert command(capsys, *args) == (code, "", "hades: interrupted; nothing is written\n")
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    assert not os.listdir()


def test_an_interruption_that_python_ignores_comes_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Garbage:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def merging(*args: object) -> None:
        Garbage()  # raises where it is deleted: "Exception ignored in"
        time.sleep(60)

    monkeypatch.setattr("hades.merging.merge", merging)
    start = time.monotonic()
    args = ["merge", "cartpole-2", "acrobot", "-o", "both"]
    assert command(capsys, *args) == (143, "", "hades: interrupted; nothing is written\n")
    assert time.monotonic() - start < 30


def test_an_interruption_that_comes_out_as_an_error_is_answered_as_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def importing(*args: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("initialisation failed") from None

    monkeypatch.setattr("hades.merging.merge", importing)
    args = ["merge", "cartpole-2", "acrobot", "-o", "both"]
    assert command(capsys, *args) == (130, "", "hades: interrupted; nothing is written\n")


def test_a_study_says_how_it_goes_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hades.studies.conduct", lambda *args, **options: signal.raise_signal(signal.SIGINT))
    code, _, err = command(capsys, "study", "cost")
    assert code == 130 and err.endswith("the same command goes on with what is missing in studies/cost\n")


def test_a_run_says_which_checkpoint_is_kept(tmp_path: Path) -> None:
    assert kept(None) == kept(tmp_path / "-a b") == "nothing is kept yet"
    (tmp_path / "-a b" / "checkpoint").mkdir(parents=True)
    for name in ("2.safetensors", "10.safetensors", "11.safetensors.1.tmp", "12.safetensors.damaged"):
        (tmp_path / "-a b" / "checkpoint" / name).touch()
    os.chdir(tmp_path)
    says = "the checkpoint of generation 10 is kept; go on with: hades resume './-a b'"
    assert kept(Path("-a b")) == says


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Watch():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_a_thread_there_is_nothing_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(["version"])))
    thread.start()
    thread.join()
    assert codes == [0]


def test_a_notice_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hades.runtime.versions", lambda: runs.notice("this is so") or {})
    assert command(capsys, "version", "--json") == (0, "{}\n", "hades: this is so\n")
