"""Several processes on this machine, through the command line."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hades

DISTIL = ["distill", "CartPole-v1", "--population", "6", "--inits", "3", "--seed", "3", "--epochs", "32", "--quiet"]


def start(*args: str, devices: int = 2, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    env = {**os.environ, "JAX_NUM_CPU_DEVICES": str(devices), **(environ or {})}
    command = [sys.executable, "-m", "hades", *args]
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def start_two(*args: str) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    cluster = ["--distributed", "--coordinator", f"localhost:{port}", "--processes", "2", "--process-id"]
    return [start(*args, *cluster, str(i)) for i in range(2)]


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[str, str]]:
    return [process.communicate(timeout=300) for process in processes]


def metrics(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def wait_for(path: Path) -> None:
    until = time.monotonic() + 200
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert path.exists()


@pytest.mark.slow
def test_devices_and_processes_do_not_change_the_result(tmp_path: Path) -> None:
    runs = {name: tmp_path / name for name in ("1", "4", "2x2")}
    args = [*DISTIL, "--generations", "3", "--json", "--out"]
    processes = [start(*args, str(runs["1"]), devices=1), start(*args, str(runs["4"]), devices=4)]
    processes += start_two(*args, str(runs["2x2"]))
    outputs = ended(processes)
    assert [process.returncode for process in processes] == [0] * 4, outputs
    assert json.loads(outputs[2][0])["generations"] == 3
    assert outputs[3] == ("", ""), "only the main process reports"
    datasets = {name: hades.load(run / "dataset.safetensors") for name, run in runs.items()}
    for name in ("4", "2x2"):
        rows = list(zip(metrics(runs[name]), metrics(runs["1"]), strict=True))
        for key in ("mean", "best", "env_steps"):
            for row, want in rows:
                np.testing.assert_allclose(row[key], want[key], rtol=1e-4)
        np.testing.assert_allclose(datasets[name].states, datasets["1"].states, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_lost_process_ends_the_others_and_the_run_goes_on(tmp_path: Path, victim: int) -> None:
    run = tmp_path / "run"
    processes = start_two(*DISTIL, "--generations", "1000000", "--checkpoint-every", "0.5", "--out", str(run))
    wait_for(run / "metrics.jsonl")
    processes[victim].kill()
    killed = time.monotonic()
    _, errors = processes[1 - victim].communicate(timeout=200)
    assert time.monotonic() - killed < 60
    assert (
        errors == "hades: another process of this run ended; go on from the last checkpoint with: hades resume RUN\n"
    )
    assert processes[1 - victim].returncode != 0
    processes[victim].communicate()
    generations = len(metrics(run)) + 5
    (output,) = ended([start("resume", str(run), "--generations", str(generations), "--json", "--quiet", devices=1)])
    assert json.loads(output[0])["generations"] == generations
    assert [row["generation"] for row in metrics(run)] == list(range(1, generations + 1))


@pytest.mark.slow
def test_a_signal_to_one_stops_all_in_order(tmp_path: Path) -> None:
    run = tmp_path / "run"
    processes = start_two(*DISTIL, "--generations", "1000000", "--checkpoint-every", "0.5", "--out", str(run))
    wait_for(run / "metrics.jsonl")
    processes[1].send_signal(signal.SIGTERM)
    outputs = ended(processes)
    assert [process.returncode for process in processes] == [143, 143], outputs
    assert f"hades resume {run}" in outputs[0][0]


@pytest.mark.parametrize(
    ("args", "environ", "says"),
    [
        (["--processes", "2"], {}, "--processes belongs to --distributed"),
        (
            ["--distributed"],
            {},
            "no cluster was recognised; give --coordinator HOST:PORT --processes P --process-id I",
        ),
        (["--distributed", "--coordinator", "here"], {}, "HOST:PORT of process 0, not 'here'"),
        (
            ["--distributed", "--coordinator", "localhost:1", "--processes", "2", "--process-id", "2"],
            {},
            "numbered 0 to 1; process id 2 is not one",
        ),
        (["--distributed"], {"JAX_NUM_PROCESSES": "two"}, "must be whole numbers"),
    ],
)
def test_bad_clusters(tmp_path: Path, args: list[str], environ: dict[str, str], says: str) -> None:
    process = start(*DISTIL, "--out", str(tmp_path / "run"), *args, environ=environ)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 2 and not output
    assert says in errors and errors.count("\n") == 1
    assert not (tmp_path / "run").exists()
