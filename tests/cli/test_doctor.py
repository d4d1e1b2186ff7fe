"""What the command line says of itself: an overview, what is installed, completion, and its JSON's keys."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import TINY_LINE, run

from hades.cli.completion import SHELLS, script
from hades.cli.parsing import COMMANDS

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


def test_the_overview_fits_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    lines = out.splitlines()
    assert code == 0 and len(lines) <= 24 and max(map(len, lines)) <= 80
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    names += next(line for line in lines if line.startswith("Ask: ")).removeprefix("Ask: ").split(", ")
    assert names == list(COMMANDS) and names[:5] == ["distill", "evaluate", "train", "resume", "zoo"]


def test_the_version_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.fullmatch(r"hades-rl \d+\.\d+\.\d+\S*\n", run(capsys, "--version")[1])


def test_the_doctor_finds_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "doctor", "--json")
    found = json.loads(out)
    assert code == 0 and found["problems"] == [] and found["test"]["return"] > 400
    assert found["extras"]["gymnasium"] and found["devices"][0]["memory_gb"] > 0


def test_the_doctor_says_what_is_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no kernel image")

    monkeypatch.setattr("hades.evaluation.evaluate", broken)
    code, out, _ = run(capsys, "doctor")
    assert (
        code == 1 and out.splitlines()[-1] == "networks could not be trained and played: RuntimeError: no kernel image"
    )


def test_the_doctor_sees_that_nothing_can_be_cached(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import jax

    (tmp_path / "file").touch()
    before = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "file" / "below"))
    try:
        code, out, _ = run(capsys, "doctor")
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
    assert code == 1 and f"{tmp_path / 'file' / 'below'} cannot be written" in out


def test_the_doctor_answers_where_jax_does_not_start() -> None:
    line, env = [sys.executable, "-m", "hades", "doctor", "--json"], {**os.environ, "JAX_PLATFORMS": "nowhere"}
    said = subprocess.run(line, env=env, capture_output=True, text=True)
    found = json.loads(said.stdout)
    assert said.returncode == 1 and found["devices"] == [] and found["test"]["return"] is None
    assert found["problems"][0].startswith("JAX finds no device of JAX_PLATFORMS=nowhere: ")
    assert all(len(problem.splitlines()) == 1 for problem in found["problems"])


_script = cache(script)


COMPLETED = """
complete() { builtin complete "$@"; FUNCTION=$2; }
source %s
COMP_WORDS=(hades %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
$FUNCTION hades "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$((COMP_CWORD - 1))]}"
echo "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("dis", "distill"),
        ("distill --stra", "--strategy --strategy-lr --strategy-options"),
        ("evaluate --inits", "--inits"),
        ("distill --no-str", "--no-strategy-lr --no-strategy-options"),
        ("distill --loss ''", "nll mse"),
        ("evaluate --init f", "fresh fixed"),
        ("study bud", "budget"),
        ("study budget --scale ''", "laptop evolution paper"),
        ("study comparison --methods HaDES-R P", "PPO"),
        ("completion z", "zsh"),
        ("distill cartp", "cartpole"),
        ("distill inverted", "inverted_double_pendulum"),
        ("distill cartpole --stra", "--strategy --strategy-lr --strategy-options"),
        ("distill cartpole --strategy SN", "SNES"),
        ("distill --strategy pp", "ppo"),
        ("distill --strategy gra", "gradient"),
        ("distill cartpole --preset ''", "laptop evolution paper"),
        ("distill cartpole --networks mlp len", "lenet"),
        ("evaluate cartpole-", "cartpole-2 cartpole-8"),
        ("explain cartpole-", "cartpole-2 cartpole-8"),
        ("zoo sh", "show"),
        ("zoo show hopper-v", "hopper-v5-16"),
        ("envs gymna", "gymnax gymnasium"),
        ("evaluate mine/da", "mine/dataset.safetensors"),
        ("merge cartpole-2 mi", "mine/ mine/dataset.safetensors"),
        ("distill cartpole --size 3", ""),
    ],
)
def test_bash_completes(tmp_path: Path, typed: str, completed: str) -> None:
    (tmp_path / "hades").write_text(_script("bash"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "dataset.safetensors").touch()
    line = ["bash", "-c", COMPLETED % (tmp_path / "hades", typed)]
    said = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert said.stdout.split() == completed.split(), said.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_knows_every_command(shell: str) -> None:
    assert all(name in _script(shell) for name in COMMANDS)


def documented(of: str) -> dict[str, str]:
    """By key, the type that the page says of a command."""
    rows = re.findall(r"^\| ([\w, ]+) \| `(\w+)` \| ([\w ]+) \|", PAGE, re.MULTILINE)
    return {key: kind for who, key, kind in rows if of in who.split(", ")}


def is_a(kind: str, value: Any) -> bool:
    """Whether a value is of a type as the page has it."""
    if " or " in kind:
        return any(is_a(one, value) for one in kind.split(" or "))
    outer, _, inner = kind.partition(" of ")
    if inner:
        values = value.values() if isinstance(value, dict) else value
        return is_a(outer, value) and all(is_a(inner.removesuffix("s"), one) for one in values)
    if outer in ("integer", "number") and isinstance(value, bool):
        return False
    return isinstance(value, PYTHON[outer])


PYTHON: dict[str, Any] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list,
    "null": type(None),
}  # fmt: skip


def held(found: Any, page: dict[str, str]) -> bool:
    """Whether an object has the page's keys, with values of their types."""
    return set(found) == set(page) and all(is_a(kind, found[key]) for key, kind in page.items())


def test_types_are_told_apart() -> None:
    assert is_a("array of strings", ["a"]) and is_a("object of numbers", {"a": 1.5}) and is_a("string or null", None)
    wrong: dict[str, Any] = {
        "array of strings": [1],
        "integer": True,
        "number or null": "1",
        "array": {},
        "object": [],
    }
    assert not [kind for kind, value in wrong.items() if is_a(kind, value)]


@pytest.mark.slow
def test_json_is_as_documented(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hades.hub.push", lambda *_, **__: "https://page")
    folder = tmp_path / "run"
    lines = {
        "distill": ["cartpole", "--size", "2", "--generations", "5", *TINY_LINE, "--out", str(folder)],
        "resume": [str(folder), "--generations", "6"],
        "evaluate": ["cartpole-2", "--inits", "2", "--episodes", "1"],
        "train": ["cartpole-2", "--out", str(tmp_path / "params.safetensors")],
        "merge": ["cartpole-2", "acrobot", "--out", str(tmp_path / "union.safetensors")],
        "push": ["cartpole-2", "me/pairs"],
        "report": [str(folder)],
        "explain": ["cartpole-2", "--inits", "2", "--episodes", "1"],
        "render": [str(folder), "--out", str(tmp_path / "episode.gif")],
        "doctor": [],
    }
    score = dict(re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", PAGE, re.MULTILINE))
    for command, line in lines.items():
        found = json.loads(run(capsys, command, *line, "--json")[1])
        assert held(found, documented(command)), command
        if "return" in found:
            assert held(found["return"], score), command


@pytest.mark.parametrize("command", ["zoo", "envs", "presets", "version"])
def test_json_whose_keys_are_names_is_as_documented(capsys: pytest.CaptureFixture[str], command: str) -> None:
    found = json.loads(run(capsys, command, "--json")[1])
    rows = re.findall(rf"^\| {command} \| ([\w ]+) \| ([^|;]*)", PAGE, re.MULTILINE)
    ((kind, says),) = rows
    assert found and is_a(kind, found)
    for each in found.values() if command == "zoo" else ():
        assert set(re.findall(r"`(\w+)`", says)) <= set(each)


def test_progress_in_a_file_is_plain_lines(tmp_path: Path) -> None:
    """As in a cluster's log, where both streams are one file."""
    line = [sys.executable, "-m", "hades", "distill", "cartpole", "--size", "2", "--generations", "5", *TINY_LINE]
    with (tmp_path / "log").open("wb") as log:
        subprocess.run([*line, "--out", str(tmp_path / "run")], stdout=log, stderr=log, check=True)
    text = (tmp_path / "log").read_bytes().decode()
    assert "5 generations" in text and "generation 5/5" in text and "return" in text
    assert all(sign == "\n" or sign.isprintable() for sign in text)
