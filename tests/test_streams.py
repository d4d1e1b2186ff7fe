"""stdout and stderr as they are met."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hades.streams import PLAIN, patient

HADES = f"{sys.executable} -m hades"


def shell(command: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """What a shell makes of it."""
    return subprocess.run(["bash", "-c", command], capture_output=True, env={**os.environ, **environ}, timeout=120)


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_without_a_stream_a_command_does_what_it_was_asked(tmp_path: Path, closed: str) -> None:
    done = shell(f"cd '{tmp_path}'; {HADES} zoo get cartpole-2 {closed}")
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cartpole-2.safetensors"]


def test_what_stdout_does_not_take_is_one_line_and_a_failure() -> None:
    done = shell(f"{HADES} version > /dev/full")
    assert (done.returncode, done.stderr) == (1, b"hades: cannot write to stdout: No space left on device\n")
    done = shell(f"set -o pipefail; {HADES} version | exit 0")
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("environ", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_a_terminal_that_knows_only_ascii_is_told_in_ascii(environ: dict[str, str]) -> None:
    done = shell(f"{HADES} zoo", PYTHONCOERCECLOCALE="0", **environ)
    assert done.returncode == 0 and done.stdout.isascii() and b" +- " in done.stdout and done.stderr == b""


def test_signs_and_bytes_that_an_encoding_lacks() -> None:
    assert "1 ± 2 × é 雪".encode("ascii", PLAIN) == b"1 +- 2 x e ?"
    assert os.fsdecode(b"a\xffb").encode("utf-8", PLAIN) == b"a\xffb"


def test_a_stream_that_is_closed_is_no_reason_to_stop() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None, os.fdopen(os.open("/dev/full", os.O_WRONLY), "w")):
        assert patient(stream).write("x") == 1
        print("y", file=patient(stream), flush=True)
