"""End to end, through the real command line on real environments."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import hades
from hades.cli import main

HADES = [sys.executable, "-m", "hades"]
TINY = ["--population", "8", "--inits", "1", "--width", "8", "--epochs", "16", "--validate-every", "4"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(list(args))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_distil_evaluate_train_and_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "distill", "cartpole", *TINY, "--generations", "6", "--json")
    result = json.loads(out)
    assert code == 0 and result["generations"] == 6 and result["return"]["inits"] == 128
    assert "generation 6" in err and "remaining" in err
    folder = Path(result["run"])
    assert folder == Path("runs/cartpole-seed0")
    assert {p.name for p in folder.iterdir()} == {
        "config.json", "metrics.jsonl", "checkpoint", "dataset.safetensors", "report.html", "snapshots"
    }  # fmt: skip

    page = (folder / "report.html").read_text()
    assert "CartPole-v1: 2 state-action pairs" in page and page.count("data:image/png;base64,") == 2
    assert "http" not in page

    code, out, _ = _run(capsys, "evaluate", str(folder), "--inits", "3", "--episodes", "2", "--json")
    scores = json.loads(out)
    assert code == 0 and scores["return"]["inits"] == 3 and scores["learner"]["width"] == 8
    code, out, _ = _run(
        capsys, "evaluate", result["dataset"], "--inits", "2", "--width", "16", "8", "--activation", "relu"
    )
    assert code == 0 and "return" in out and "IQM" in out and "2 networks × 8 episodes" in out

    code, out, _ = _run(capsys, "train", result["dataset"], "--out", "net.safetensors", "--width", "16", "--json")
    assert code == 0 and json.loads(out)["params"] == "net.safetensors"
    assert load_file("net.safetensors")["params.Dense_0.kernel"].shape == (4, 16)

    code, out, _ = _run(capsys, "resume", str(folder), "--generations", "8", "--json", "--quiet")
    assert code == 0 and json.loads(out)["generations"] == 8
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 8


def test_hopper_end_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    args = ["distill", "hopper", "--size", "2", "--population", "4", "--inits", "1", "--width", "8", "--epochs", "8"]
    code, out, err = _run(capsys, *args, "--generations", "1", "--out", "run", "--json")
    assert code == 0 and json.loads(out)["return"]["mean"] > 0
    assert "arn" not in err  # no warnings of the libraries'
    dataset = hades.load("run/dataset.safetensors")
    assert dataset.task == "brax/hopper" and dataset.targets.shape == (2, 3)
    assert dataset.info["task_options"]["backend"] == "positional"


def test_minatar_with_a_cnn(capsys: pytest.CaptureFixture[str]) -> None:
    args = ["distill", "breakout", "--size", "4", *TINY, "--network", "cnn", "--generations", "2", "--out", "run"]
    code, _, _ = _run(capsys, *args)
    assert code == 0 and hades.load("run/dataset.safetensors").states.shape == (4, 10, 10, 4)
    assert "data:image/png" in Path("run/report.html").read_text()


def test_images_by_gradient_from_start_to_table(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = rng.random((60, 8, 8), np.float32)
    images[labels == 0, :4] = 0  # the upper half is dark, or the lower
    images[labels == 1, 4:] = 0
    np.savez("mine.npz", images=images, labels=labels)
    tiny = ["--inits", "1", "--epochs", "30", "--episodes", "16", "--validate-every", "2", "--out", "run"]
    code, out, _ = _run(capsys, "distill", "mine.npz", *tiny, "--generations", "4", "--json")
    assert code == 0 and json.loads(out)["validation accuracy"]["mean"] > 0.9
    assert sorted(int(path.stem) for path in Path("run/snapshots").iterdir()) == [0, 2, 4]
    page = Path("run/report.html").read_text()
    assert "mine: 2 images" in page and "labelled images looked at" in page

    code, out, _ = _run(capsys, "evaluate", "run", "--inits", "2", "--json")
    assert code == 0 and json.loads(out)["test accuracy"]["mean"] > 0.9
    code, out, err = _run(capsys, "evaluate", "run", "--inits", "2", "--baselines", "--epochs", "5")
    lines = out.splitlines()
    assert code == 0 and [line.split()[0] for line in lines[1:]] == [
        "distilled", "mean", "sample", "centres", "herding", "all"
    ]  # fmt: skip
    assert "±" in lines[1] and "scoring herding" in err

    code, out, _ = _run(capsys, "resume", "run", "--generations", "6", "--json", "--quiet")
    assert code == 0 and json.loads(out)["generations"] == 6
    Path("mine.npz").unlink()
    code, _, err = _run(capsys, "evaluate", "run")
    assert code == 2 and err.startswith("hades: ") and len(err.splitlines()) == 1


def test_the_zoo_is_there_and_its_names_go_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "zoo")
    assert code == 0 and "cartpole-2" in out and "CartPole-v1" in out
    code, out, _ = _run(capsys, "evaluate", "cartpole-2", "--inits", "2", "--episodes", "2", "--json")
    assert code == 0 and json.loads(out)["return"]["mean"] > 400
    assert _run(capsys, "train", "cartpole-2", "--json")[0] == 0 and Path("cartpole-2.params-0.safetensors").exists()
    code, out, _ = _run(capsys, "zoo", "show", "cartpole-2")
    assert code == 0 and json.loads(out)["made"] == "hades distill cartpole"
    assert _run(capsys, "zoo", "get", "cartpole-2", "--out", "mine.safetensors")[0] == 0
    for args, says in (
        (["zoo", "get"], "get which? give one of "),
        (["zoo", "show", "cartpol"], "no 'cartpol' in the zoo"),
        (["zoo", "get", "cartpole-2", "--out", "mine.safetensors"], "exists"),
        (["evaluate", "cartpole-3"], "did you mean cartpole-8 or cartpole-2?"),
    ):
        code, _, err = _run(capsys, *args)
        assert code == 2 and says in err and len(err.splitlines()) == 1


def test_merge_and_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "merge", "cartpole-2", "acrobot", "-o", "both.safetensors", "--identity", "--json")
    assert code == 0 and json.loads(out)["tasks"] == ["CartPole-v1", "Acrobot-v1"]
    code, out, _ = _run(capsys, "evaluate", "both.safetensors", "--inits", "2", "--episodes", "1", "--json")
    assert code == 0 and set(json.loads(out)) == {"CartPole-v1", "Acrobot-v1"}
    code, out, _ = _run(capsys, "evaluate", "both.safetensors", "--task", "acrobot", "--inits", "2", "--episodes", "1")
    assert code == 0 and "Acrobot-v1: return" in out and "CartPole-v1: return" not in out
    for args, says in (
        (["merge", "cartpole-2", "pendulum", "-o", "x.safetensors"], "one kind of head"),
        (["merge", "cartpole-2", "-o", "x.safetensors"], "two datasets or more"),
        (["evaluate", "both.safetensors", "--task", "pendulum"], "it is for CartPole-v1, Acrobot-v1"),
    ):
        code, _, err = _run(capsys, *args)
        assert code == 2 and says in err and len(err.splitlines()) == 1
    assert not Path("x.safetensors").exists()


def test_trackers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    args = ["distill", "cartpole", *TINY, "--generations", "2", "--out", "run"]
    code, _, _ = _run(capsys, *args, "--trackers", "tensorboard", "wandb")
    assert code == 0
    assert list(Path("run/tensorboard").glob("events.*")) and list(Path("run/wandb").glob("offline-run-*"))


def test_envs_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "envs")
    assert code == 0 and {"CartPole-v1", "Seaquest-MinAtar", "brax/ant"} <= set(out.splitlines())
    code, out, _ = _run(capsys, "presets")
    assert code == 0 and "brax/walker2d" in out and "2048" in out
    code, out, _ = _run(capsys, "presets", "--task", "hopper", "--json")
    assert json.loads(out)["paper"]["brax/hopper"]["population"] == 2048


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("distill cartpol", "unknown task 'cartpol'; did you mean CartPole-v1"),
        ("distill cartpole --preset desktop", "unknown preset 'desktop'"),
        ("distill pendulum --preset paper", "the paper has no Pendulum-v1"),
        ("distill cartpole --strategy SNESS", "unknown strategy 'SNESS'"),
        ("distill cartpole --strategy-options temperature=hot", "strategy options are KEY=NUMBER"),
        ("distill cartpole --size 0", "size must be at least 1, not 0"),
        ("distill cartpole --size -2", "size must be at least 1, not -2"),
        ("distill cartpole --size two", "--size"),
        ("distill cartpole --sise 3", "--size"),
        ("distill cartpole --activation step", "unknown activation 'step'"),
        ("distill cartpole --network cnn", "network 'cnn' wants grid observations"),
        ("distill cartpole --trackers mlflow", "unknown tracker 'mlflow'"),
        ("distill hopper --backend bullet", "unknown Brax backend"),
        ("distill cartpole --backend spring", "CartPole-v1 has no option 'backend'"),
        ("distill", "task"),
        ("distil cartpole", "distill"),
        ("distill cartpole --out full", "full exists and is not empty"),
        ("evaluate absent.safetensors", "no dataset file at absent"),
        ("evaluate foreign", "not a readable .safetensors"),
        ("evaluate good --task pendulum", "the dataset is for observations [4]"),
        ("evaluate good --inits 0", "inits must be at least 1"),
        ("evaluate good --init fixed", "holds no fixed initialisation"),
        ("train truncated", "truncated"),
        ("train nan", "not finite"),
        ("resume full", "full is not a run folder"),
        ("resume absent", "absent is not a run folder"),
    ],
)
def test_bad_input_is_answered_in_one_line(
    capsys: pytest.CaptureFixture[str], cartpole_pairs: hades.Dataset, args: str, message: str
) -> None:
    cartpole_pairs.save("good")
    content = Path("good").read_bytes()
    Path("truncated").write_bytes(content[:-7])
    Path("nan").write_bytes(content[:-4] + np.float32(np.nan).tobytes())
    Path("foreign").write_text("not a dataset")
    Path("full").mkdir()
    Path("full/mine").touch()
    before = sorted(Path().rglob("*"))
    code, out, err = _run(capsys, *args.split())
    assert code == 2 and out == "" and message in err
    assert err.startswith("hades: ") and err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(hades.InputError):
        main(["evaluate", "absent", "--debug"])


def test_help_imports_nothing_slow() -> None:
    code = """
import sys
from hades.cli import main
try:
    main(["--help"])
except SystemExit:
    print("jax" in sys.modules)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "False" and "distill" in out


SLOW = ["distill", "cartpole", *TINY, "--generations", "400", "--seed", "3", "--json"]


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


def test_killed_three_times_the_dataset_is_the_same(uninterrupted: bytes, tmp_path: Path) -> None:
    out, often = tmp_path / "run", ["--checkpoint-every", "0.3"]
    command = [*HADES, *SLOW, "--out", str(out), *often]
    rng = random.Random(0)
    for low in (10, 100, 200):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _wait_for_generations(out, low + rng.randrange(60), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        command = [*HADES, "resume", str(out), "--quiet", *often]
    subprocess.run(command, check=True, capture_output=True)
    assert (out / "dataset.safetensors").read_bytes() == uninterrupted
    generations = [json.loads(line)["generation"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert generations == list(range(1, 401))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_run_that_goes_on(uninterrupted: bytes, tmp_path: Path, number: int, code: int) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen([*HADES, *SLOW, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _wait_for_generations(out, 20, process)
    process.send_signal(number)
    stdout, _ = process.communicate()
    assert process.returncode == code and json.loads(stdout)["interrupted"] is True
    assert hades.load(out / "dataset.safetensors").info["score"] is None
    copy = tmp_path / "moved"
    shutil.copytree(out, copy)
    subprocess.run([*HADES, "resume", str(copy), "--quiet"], check=True, capture_output=True)
    assert (copy / "dataset.safetensors").read_bytes() == uninterrupted
