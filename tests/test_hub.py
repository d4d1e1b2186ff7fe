"""Datasets on the hub, by its own client against a stand-in: there and back, and one line for what cannot be."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

import hades
from hades.errors import Notice
from hades.extras import MissingExtra
from hades.hub import CITATION, card, push
from hades.remote import FILE, Address, fetch, is_address
from tests.fake_hub import READER, TOKEN, Hub, Repository
from tests.helpers import TINY, run

constants = pytest.importorskip("huggingface_hub.constants")
ROOT = Path(__file__).parents[1]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """What the client takes for the hub, with a cache and a login of its own; a test runs in an empty folder."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with Hub() as server:
        at(server.url, monkeypatch)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client has read HF_ENDPOINT when it was imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


def put(hub: Hub, name: str, **files: bytes) -> None:
    """Another client's files."""
    hub.repositories[name] = Repository()
    hub.repositories[name].commit(files)


def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at(f"http://127.0.0.1:{free.getsockname()[1]}", monkeypatch)


def test_there_and_back(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "push", "cartpole-2", "me/pairs", "--license", "mit", "--message", "Two", "--json")
    url = f"{hub.url}/datasets/me/pairs"
    assert code == 0 and json.loads(out) == {"url": url, "dataset": "hf://me/pairs"}
    kept = hub.repositories["me/pairs"]
    files = kept.commits["main"]
    assert set(files) == {".gitattributes", "dataset.safetensors", "README.md", "pairs.png"} and kept.messages == [
        "initial commit",
        "Two",
    ]
    assert files["pairs.png"].startswith(b"\x89PNG")
    assert files["README.md"].decode() == card("cartpole-2", "me/pairs", "mit")
    mine, theirs = hades.load("cartpole-2"), hades.load("hf://me/pairs")
    assert fetch("hf://me/pairs").read_bytes() == mine.packed() == theirs.packed() == files["dataset.safetensors"]

    code, out, err = run(capsys, "evaluate", "hf://me/pairs", "--inits", "2", "--episodes", "1", "--json", "--quiet")
    assert code == 0 and json.loads(out)["return"]["mean"] > 400 and err == ""
    code, out, _ = run(capsys, "train", "hf://me/pairs@main", "--width", "8", "--json")
    assert code == 0 and json.loads(out)["params"] == "pairs.params-0.safetensors"
    code, out, _ = run(capsys, "merge", "hf://me/pairs", "acrobot", "-o", "both.safetensors", "--json")
    assert code == 0 and json.loads(out)["tasks"] == ["CartPole-v1", "Acrobot-v1"]
    assert [path.name for path in Path().iterdir()] == ["pairs.params-0.safetensors", "both.safetensors"]


def test_the_real_command_finds_the_hub_by_the_environment(hub: Hub, tmp_path: Path) -> None:
    push("cartpole-2", "me/pairs")
    there = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
    line = [sys.executable, "-m", "hades", "evaluate", "hf://me/pairs", "--inits", "2", "--episodes", "1", "--json"]
    done = subprocess.run(line, env=os.environ | there, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["return"]["inits"] == 2 and (tmp_path / "home" / "hub").is_dir()


def test_what_it_held_stays_in_its_history(hub: Hub, cartpole_pairs: hades.Dataset, tmp_path: Path) -> None:
    for size in (2, 1):
        whole = dataclasses.replace(cartpole_pairs, info={"n": size})
        assert push(whole, "hf://me/pairs") == f"{hub.url}/datasets/me/pairs"
    _, first, second = (name for name in hub.repositories["me/pairs"].commits if name != "main")
    assert [hades.load(f"hf://me/pairs{which}").info["n"] for which in ("", f"@{first}", f"@{second}")] == [1, 2, 1]
    cartpole_pairs.save(tmp_path / "run" / "dataset.safetensors")
    push(tmp_path / "run", "me/pairs")
    assert hades.load(Path("hf://me/pairs")).info == {}  # of whose slashes pathlib keeps one
    hub.repositories["me/pairs"].commit({"best/two.safetensors": cartpole_pairs.packed()})
    assert len(hades.load("hf://datasets/me/pairs/best/two.safetensors")) == 2


def test_a_run_goes_on_from_it_and_keeps_it(hub: Hub, tmp_path: Path, cartpole_pairs: hades.Dataset) -> None:
    push(cartpole_pairs, "me/pairs")
    options = TINY | {"start": "hf://me/pairs", "generations": 1}
    hades.distill("cartpole", size=2, out=tmp_path / "run", normaliser="fixed", **options)
    del hub.repositories["me/pairs"]
    assert hades.load(tmp_path / "run" / "start.safetensors").packed() == cartpole_pairs.packed()
    again = hades.resume(tmp_path / "run", generations=2, progress=False)
    assert len(again.metrics) == 2 and again.evaluation is not None
    text = card(tmp_path / "run")  # as the run scored it
    assert f"| {again.evaluation.iqm:.1f} [{again.evaluation.iqm_interval[0]:.1f}, " in text  # type: ignore[index]
    assert " networks × " in text and "from fresh initialisations, and play whole episodes" in text
    assert "generations 2, environment steps " in text


def test_private_is_private_or_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    push("cartpole-2", "me/mine", private=True)
    assert hub.repositories["me/mine"].private and hades.load("hf://me/mine").task == "CartPole-v1"
    push("cartpole-2", "me/mine", private=True)
    push("cartpole-2", "me/theirs")
    with pytest.raises(hades.InputError, match="me/theirs is there already, and public; leave --private out"):
        push("acrobot", "me/theirs", private=True)
    assert len(hub.repositories["me/theirs"].messages) == 2
    monkeypatch.setenv("HF_TOKEN", READER)
    with pytest.raises(hades.InputError, match="or a private one that takes another login: hf auth login"):
        hades.load("hf://me/mine")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("evaluate hf://me/absent", "has no dataset me/absent, or a private one"),
        ("train hf://me/pairs@v9", "me/pairs at http://127.0.0.1:PORT has no revision 'v9'"),
        ("merge hf://me/other acrobot -o x", "me/other at http://127.0.0.1:PORT holds no dataset.safetensors"),
        (
            "evaluate hf://me/gated",
            "is given to those whom its owner lets: ask at http://127.0.0.1:PORT/datasets/me/g",
        ),
        ("evaluate hf://me/tampered", "hf://me/tampered is damaged: not what was written; push it again"),
        ("evaluate hf://me/short", "hf://me/short is not a readable .safetensors file, or is truncated"),
        (
            "evaluate hf://pairs",
            "an address is hf://USER/NAME, and @REVISION or /FILE.safetensors behind, not 'hf://p",
        ),
        ("evaluate hf://me/pairs/code.py", "an address is hf://USER/NAME"),
        ("evaluate hf://me/two--hyphens", "Cannot have -- or .. in repo_id"),
        ("distill cartpole --start hf://me/absent", "has no dataset me/absent"),
        ("push hf://me/absent me/new", "has no dataset me/absent"),
        ("push absent me/new", "no dataset file at absent"),
        ("push cartpole-2 pairs", "a repository is USER/NAME, not 'pairs'"),
        ("push cartpole-2", "hades push needs USER/NAME"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(hub: Hub, capsys: pytest.CaptureFixture[str], line: str, says: str) -> None:
    good = hades.load("cartpole-2").packed()
    tampered, short = good[:-1] + bytes([good[-1] ^ 1]), good[:-9]
    for name, held in {"pairs": good, "gated": good, "tampered": tampered, "short": short}.items():
        put(hub, f"me/{name}", **{FILE: held})
    put(hub, "me/other", **{"train.csv": b"1,2"})
    hub.gated = {"me/gated"}
    one_line(run(capsys, *line.split()), says.replace("PORT", str(hub.server_port)))
    assert list(Path().iterdir()) == [] and "me/new" not in hub.repositories


def one_line(done: tuple[int, str, str], says: str) -> None:
    """That a command ended so."""
    code, out, err = done
    assert code == 2 and out == "" and err.startswith("hades: ") and says in err and err.count("\n") == 1, err


def test_no_login_and_one_that_may_not_write(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    push_it = ("push", "cartpole-2", "me/pairs")
    one_line(run(capsys, *push_it), f"{hub.url} wants a login that it knows: hf auth login")
    monkeypatch.setenv("HF_TOKEN", READER)
    one_line(run(capsys, *push_it), f"this login may not write me/pairs at {hub.url}")
    assert hub.repositories == {}


def test_without_network_what_was_fetched_is_there(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    push("cartpole-2", "me/pairs")
    push("cartpole-2", "me/other")
    before = hades.load("hf://me/pairs")
    no_network(monkeypatch)
    began = time.monotonic()
    assert hades.load("hf://me/pairs").packed() == before.packed()
    one_line(run(capsys, "evaluate", "hf://me/other"), "cannot be reached (")
    one_line(run(capsys, "push", "cartpole-2", "me/pairs"), "cannot be reached (")
    assert time.monotonic() - began < 5


def test_no_code_that_a_download_names_is_run(
    hub: Hub, capsys: pytest.CaptureFixture[str], cartpole_pairs: hades.Dataset
) -> None:
    named = {"task": "subprocess:getoutput", "info": {"task_options": {"cmd": "touch was-run"}}}
    evil = dataclasses.replace(cartpole_pairs, **named)
    push(evil, "me/evil")
    part = {"task": evil.task, "size": 2, "first": 0, "obs_mean": [0] * 4, "obs_std": [1] * 4, **named["info"]}
    push(dataclasses.replace(cartpole_pairs, task="", info={"parts": [part]}), "me/parts")
    code, _, err = run(capsys, "evaluate", "hf://me/evil", "--inits", "1")
    assert code == 2 and "names code for its task, and no download's is run; if it is yours, give it: --task" in err
    assert "this dataset names no task" in err
    one_line(run(capsys, "evaluate", "hf://me/parts"), "hf://me/parts names code for its tasks (subprocess:getoutput)")
    with pytest.warns(Notice, match="names code"):
        assert hades.evaluate("hf://me/evil", "cartpole", 1, 1).mean > 0
    assert not Path("was-run").exists()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for asked in (lambda: hades.load("hf://me/pairs"), lambda: push("cartpole-2", "me/pairs")):
        with pytest.raises(MissingExtra, match=r"pip install 'hades-rl\[hub\]'"):
            asked()


def test_addresses() -> None:
    assert Address.of("hf://me/a.b_c-1") == Address.of(Path("hf://me/a.b_c-1/")) == ("me/a.b_c-1", None, FILE)
    for text in ("hf://me/x@v1", "hf://me/x@refs%2Fpr%2F1", "hf://me/x/sub/y.safetensors"):
        assert str(Address.of(text)) == str(Address.of(Path(text))) == text and is_address(text)
    assert Address.of("hf://me/x@refs%2Fpr%2F1").revision == "refs/pr/1" and not is_address("hopper-4")


def front(text: str) -> dict[str, object]:
    """What the hub reads of a card."""
    return yaml.safe_load(text.split("---\n")[1])


def test_a_card_says_what_the_header_does() -> None:
    text = card("hopper-4", "me/hop", license="apache-2.0")
    assert front(text)["tags"] == ["hades", "behaviour-distillation", "brax/hopper"]
    assert front(text)["library_name"] == "hades-rl" and front(text)["license"] == "apache-2.0"
    for part in (
        "# brax/hopper: 4 state-action pairs", "![The state-action pairs](pairs.png)",
        'dataset = hades.load("hf://me/hop")', "hades evaluate hf://me/hop", "| backend positional, max_steps 1,000 |",
        "| its own recipe | return | 1843.6 ± 30.6 | 1851.1 [1846.5, 1855.5] | 1349.4 | 32 networks × 8 episodes |",
        "Of 46 other networks", "activation tanh", "width 64", "jax 0.10.2", "seed 1", CITATION,
    ):  # fmt: skip
        assert part in text, part
    assert "license" not in front(card("hopper-4")) and CITATION in (ROOT / "README.md").read_text()


def test_a_card_says_what_there_is_not(cartpole_pairs: hades.Dataset) -> None:
    assert "No score is recorded." in card(cartpole_pairs) and "HaDES-F" not in card(cartpole_pairs)
    odd = dataclasses.replace(cartpole_pairs, info={"score": 12, "card": {"scores": {"x": {"mean": "much"}}}})
    assert "12; how that was measured is not recorded." in card(odd)
    score = hades.Evaluation(np.ones((1, 3))).summary() | {"networks": "its own"}
    own = dataclasses.replace(cartpole_pairs, info={"score": score, "init_key": [0, 1], "own": "a class of mine"})
    text = card(own)
    assert "1 network × 3 episodes, its own; interval over episodes" in text and "HaDES-F" in text
    assert "an environment of its maker's own" in text
    assert "`digits`" in card("digits-10") and "test accuracy" in card("digits-10")
    assert front(card(hades.merge(["cartpole-2", "acrobot"])))["tags"] == [
        "hades", "behaviour-distillation", "CartPole-v1", "Acrobot-v1"
    ]  # fmt: skip
    strange = dataclasses.replace(cartpole_pairs, task='a|b: "c"\n---\n')
    assert front(card(strange))["tags"][2] == strange.task and "`a\\|b" in card(strange)  # type: ignore[index]
