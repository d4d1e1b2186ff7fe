"""End to end, through the real command line on real environments."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.helpers import TINY_LINE, run

import hades


def test_distil_evaluate_train_and_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "distill", "cartpole", *TINY_LINE, "--generations", "6", "--json")
    result = json.loads(out)
    assert code == 0 and result["generations"] == 6 and result["return"]["inits"] == 128
    assert "generation 6" in err and "remaining" in err
    folder = Path(result["run"])
    assert folder == Path("runs/cartpole-seed0")
    assert {p.name for p in folder.iterdir()} == {
        "config.json", "metrics.jsonl", "checkpoint", "dataset.safetensors", "report.html", "snapshots"
    }  # fmt: skip

    page = (folder / "report.html").read_text()
    assert "CartPole-v1: 2 state-action pairs" in page and page.count('<svg role="img"') == 4

    code, out, _ = run(capsys, "evaluate", str(folder), "--inits", "3", "--episodes", "2", "--json")
    scores = json.loads(out)
    assert code == 0 and scores["return"]["inits"] == 3 and scores["learner"]["width"] == 8
    code, out, _ = run(
        capsys, "evaluate", result["dataset"], "--inits", "2", "--width", "16", "8", "--activation", "relu"
    )
    assert code == 0 and "return" in out and "IQM" in out and "2 networks × 8 episodes" in out

    code, out, _ = run(capsys, "train", result["dataset"], "--out", "net.safetensors", "--width", "16", "--json")
    assert code == 0 and json.loads(out)["params"] == "net.safetensors"
    assert load_file("net.safetensors")["params.Dense_0.kernel"].shape == (4, 16)

    code, out, _ = run(capsys, "resume", str(folder), "--generations", "8", "--json", "--quiet")
    assert code == 0 and json.loads(out)["generations"] == 8
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 8
    code, out, err = run(capsys, "resume", str(folder))
    assert f"report.html  (hades report {folder} adds an episode" in out
    assert code == 0 and "±" in out and "over networks" in out
    spent = "the budget of 8 generations is spent, so nothing is searched"
    assert err.startswith(f"CartPole-v1, 2 state-action pairs: {spent}")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "actions"), [("inverted_pendulum", 1), ("hopper", 3)])
def test_rigid_bodies_end_to_end(capsys: pytest.CaptureFixture[str], name: str, actions: int) -> None:
    args = ["distill", name, "--size", "2", "--population", "4", "--inits", "1", "--width", "8", "--epochs", "8"]
    code, out, err = run(capsys, *args, "--generations", "1", "--out", "run", "--json")
    assert code == 0 and json.loads(out)["return"]["mean"] > 0
    assert "arn" not in err  # no warnings of the libraries'
    dataset = hades.load("run/dataset.safetensors")
    assert dataset.task == f"brax/{name}" and dataset.targets.shape == (2, actions)
    assert dataset.info["task_options"]["backend"] == "positional"


@pytest.mark.slow
def test_minatar_with_a_cnn(capsys: pytest.CaptureFixture[str]) -> None:
    tiny = ["--size", "4", "--preset", "evolution", *TINY_LINE, "--generations", "2", "--out", "run"]
    code, _, _ = run(capsys, "distill", "breakout", *tiny, "--network", "cnn")
    assert code == 0 and hades.load("run/dataset.safetensors").states.shape == (4, 10, 10, 4)
    assert '<svg role="img"' in Path("run/report.html").read_text()


@pytest.mark.slow
def test_images_by_gradient_from_start_to_table(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = rng.random((60, 8, 8), np.float32)
    images[labels == 0, :4] = 0  # the upper half is dark, or the lower
    images[labels == 1, 4:] = 0
    np.savez("mine.npz", images=images, labels=labels)
    tiny = ["--inits", "1", "--epochs", "30", "--episodes", "16", "--validate-every", "2", "--out", "run"]
    code, out, _ = run(capsys, "distill", "mine.npz", *tiny, "--generations", "4", "--json")
    assert code == 0 and json.loads(out)["validation accuracy"]["mean"] > 0.9
    assert sorted(int(path.stem) for path in Path("run/snapshots").iterdir()) == [0, 2, 4]
    page = Path("run/report.html").read_text()
    assert "mine: 2 images" in page and "labelled images looked at" in page

    code, out, _ = run(capsys, "evaluate", "run", "--inits", "2", "--json")
    assert code == 0 and json.loads(out)["test accuracy"]["mean"] > 0.9
    code, out, err = run(capsys, "evaluate", "run", "--inits", "2", "--baselines", "--epochs", "5")
    lines = out.partition("\n\n")[0].splitlines()  # a note may stand below
    assert code == 0 and [line.split()[0] for line in lines[1:]] == [
        "distilled", "mean", "sample", "centres", "herding", "all"
    ]  # fmt: skip
    assert "±" in lines[1] and "scoring herding" in err

    code, out, _ = run(capsys, "resume", "run", "--generations", "6", "--json", "--quiet")
    assert code == 0 and json.loads(out)["generations"] == 6
    Path("mine.npz").unlink()
    code, _, err = run(capsys, "evaluate", "run")
    assert code == 2 and err.startswith("hades: ") and len(err.splitlines()) == 1


def test_the_zoo_is_there_and_its_names_go_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "zoo")
    assert code == 0 and "cartpole-2" in out and "CartPole-v1" in out
    code, out, _ = run(capsys, "evaluate", "cartpole-2", "--inits", "2", "--episodes", "2", "--json")
    assert code == 0 and json.loads(out)["return"]["mean"] > 400
    assert run(capsys, "train", "cartpole-2", "--json")[0] == 0 and Path("cartpole-2.params-0.safetensors").exists()
    code, out, _ = run(capsys, "zoo", "show", "cartpole-2")
    assert code == 0 and json.loads(out)["made"] == "hades distill cartpole --minutes 0.5"
    assert run(capsys, "zoo", "get", "cartpole-2", "--out", "mine.safetensors")[0] == 0
    assert run(capsys, "zoo", "get", "acrobot", "--out", "mine.safetensors", "--force")[0] == 0
    assert hades.load("mine.safetensors").task == "Acrobot-v1"
    for args, says in (
        (["zoo", "get"], "get which? give one of "),
        (["zoo", "show", "cartpol"], "no 'cartpol' in the zoo"),
        (["zoo", "get", "cartpole-2", "--out", "mine.safetensors"], "exists"),
        (["train", "cartpole-2"], "cartpole-2.params-0.safetensors exists; give another file (--out), or --force"),
        (["train", "cartpole-2", "--out", "mine.safetensors"], "mine.safetensors exists"),
        (["evaluate", "cartpole-3"], "did you mean cartpole-8 or cartpole-2?"),
    ):
        code, _, err = run(capsys, *args)
        assert code == 2 and says in err and len(err.splitlines()) == 1


def test_merge_and_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "merge", "cartpole-2", "acrobot", "-o", "both.safetensors", "--identity", "--json")
    assert code == 0 and json.loads(out)["tasks"] == ["CartPole-v1", "Acrobot-v1"]
    again = ["merge", "cartpole-2", "acrobot", "-o", "both.safetensors"]
    code, _, err = run(capsys, *again)
    assert (
        code == 2
        and err.startswith("hades: both.safetensors exists")
        and hades.load("both.safetensors").spec[0] == (10,)
    )
    assert run(capsys, *again, "--force")[0] == 0 and hades.load("both.safetensors").spec[0] == (6,)
    code, out, _ = run(capsys, "evaluate", "both.safetensors", "--inits", "2", "--episodes", "1", "--json")
    assert code == 0 and set(json.loads(out)) == {"CartPole-v1", "Acrobot-v1"}
    code, out, _ = run(capsys, "evaluate", "both.safetensors", "--task", "acrobot", "--inits", "2", "--episodes", "1")
    assert code == 0 and "Acrobot-v1: return" in out and "CartPole-v1: return" not in out
    for args, says in (
        (["merge", "cartpole-2", "pendulum", "-o", "x.safetensors"], "one kind of head"),
        (["merge", "cartpole-2", "-o", "x.safetensors"], "two datasets or more"),
        (["evaluate", "both.safetensors", "--task", "pendulum"], "it is for CartPole-v1, Acrobot-v1"),
    ):
        code, _, err = run(capsys, *args)
        assert code == 2 and says in err and len(err.splitlines()) == 1
    assert not Path("x.safetensors").exists()


def test_envs_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "envs")
    assert code == 0 and {"CartPole-v1", "Seaquest-MinAtar", "brax/ant"} <= set(out.splitlines())
    code, out, _ = run(capsys, "presets")
    assert code == 0 and "brax/walker2d" in out and "2048" in out
    code, out, _ = run(capsys, "presets", "--task", "hopper", "--json")
    assert json.loads(out)["paper"]["brax/hopper"]["population"] == 2048
