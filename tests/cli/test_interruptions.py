"""Killed or stopped at any moment: the run goes on to the dataset that it would have had."""

import json
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.helpers import TINY_LINE

import hades

HADES = [sys.executable, "-m", "hades"]


SLOW = ["distill", "cartpole", *TINY_LINE, "--generations", "400", "--seed", "3", "--json"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run([*HADES, *SLOW, "--out", str(out)], check=True, capture_output=True)
    return (out / "dataset.safetensors").read_bytes()


def _wait_for_generations(out: Path, number: int, process: subprocess.Popen[bytes]) -> None:
    metrics = out / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if metrics.exists() and metrics.read_bytes().count(b"\n") >= number:
            return
        time.sleep(0.01)
    raise AssertionError(f"ended with {process.poll()} before generation {number}")


@pytest.mark.parametrize("moments", [(100,), pytest.param((10, 100, 200), marks=pytest.mark.slow)])
def test_killed_the_dataset_is_the_same(uninterrupted: bytes, tmp_path: Path, moments: tuple[int, ...]) -> None:
    out, often = tmp_path / "run", ["--checkpoint-every", "0.3"]
    command = [*HADES, *SLOW, "--out", str(out), *often]
    rng = random.Random(0)
    for low in moments:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _wait_for_generations(out, low + rng.randrange(60), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        command = [*HADES, "resume", str(out), "--quiet", *often]
    subprocess.run(command, check=True, capture_output=True)
    assert (out / "dataset.safetensors").read_bytes() == uninterrupted
    generations = [json.loads(line)["generation"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert generations == list(range(1, 401))


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_leaves_a_run_that_goes_on(uninterrupted: bytes, tmp_path: Path, number: int, code: int) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen([*HADES, *SLOW, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _wait_for_generations(out, 20, process)
    process.send_signal(number)
    stdout, errors = process.communicate()
    assert process.returncode == code
    assert b"is kept" in errors or json.loads(stdout)["interrupted"] is True  # on a busy machine it ends in time, too
    assert hades.load(out / "dataset.safetensors").info["score"] is None
    copy = tmp_path / "moved"
    shutil.copytree(out, copy)
    subprocess.run([*HADES, "resume", str(copy), "--quiet"], check=True, capture_output=True)
    assert (copy / "dataset.safetensors").read_bytes() == uninterrupted


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["2>&-", "2> >(head -1)", "2>/dev/full", "> >(exit 0)"])
def test_whoever_reads_or_not_the_run_goes_on(uninterrupted: bytes, tmp_path: Path, stream: str) -> None:
    command = f"{shlex.join([*HADES, *SLOW])} --out '{tmp_path}/run' {stream}"
    done = subprocess.run(["bash", "-c", command], capture_output=True)
    assert done.returncode == int(stream.startswith(">")) and b"Traceback" not in done.stderr
    assert (tmp_path / "run/dataset.safetensors").read_bytes() == uninterrupted


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["SNES", "ppo"])
def test_killed_outside_jax_the_dataset_is_the_same_too(tmp_path: Path, strategy: str) -> None:
    """And no process that stepped its environments is left."""
    line = ["--size", "2", "--width", "8", "--epochs", "20", "--inits", "2", "--validate-inits", "2", "--seed", "3"]
    line += ["--strategy", strategy, "--generations", "30", "--checkpoint-every", "0", "--quiet"]
    begin = [*HADES, "distill", "gymnasium/CartPole-v1", *line, "--out"]
    subprocess.run([*begin, str(tmp_path / "whole")], check=True, capture_output=True)
    out = tmp_path / "run"
    process = subprocess.Popen([*begin, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_for_generations(out, 5, process)
    listed = ["ps", "--ppid", str(process.pid), "-o", "pid="]
    workers = list(map(int, subprocess.run(listed, capture_output=True, text=True).stdout.split()))
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1)
    states = subprocess.run(["ps", "-o", "stat=", "-p", ",".join(map(str, workers))], capture_output=True, text=True)
    assert workers and set(states.stdout.split()) <= {"Z", "Zs"}  # nobody may be there to take note of their end
    subprocess.run([*HADES, "resume", str(out), "--quiet"], check=True, capture_output=True)
    assert (out / "dataset.safetensors").read_bytes() == (tmp_path / "whole" / "dataset.safetensors").read_bytes()
