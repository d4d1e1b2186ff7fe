"""What the command line says of itself: an overview, what is installed, completion, and its JSON's keys."""

import json
import re
import subprocess
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
    ],
)
def test_bash_completes(tmp_path: Path, typed: str, completed: str) -> None:
    (tmp_path / "hades").write_text(script("bash"))
    said = subprocess.run(["bash", "-c", COMPLETED % (tmp_path / "hades", typed)], capture_output=True, text=True)
    assert said.stdout.split() == completed.split(), said.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_knows_every_command(shell: str) -> None:
    assert all(name in script(shell) for name in COMMANDS)


def documented(of: str) -> set[str]:
    """Keys that the page says of a command."""
    rows = re.findall(r"^\| ([\w, ]+) \| ([^|]*) \|", PAGE.partition("## JSON")[2], re.MULTILINE)
    return {key for who, keys in rows if of in who.split(", ") for key in re.findall(r"`(\w+)`", keys.split("(")[0])}


def test_json_has_the_documented_keys(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    lines = {
        "distill": ["cartpole", "--size", "2", "--generations", "5", *TINY_LINE, "--out", str(folder)],
        "resume": [str(folder), "--generations", "6"],
        "evaluate": ["cartpole-2", "--inits", "2", "--episodes", "1"],
        "train": ["cartpole-2", "--out", str(tmp_path / "params.safetensors")],
        "merge": ["cartpole-2", "acrobot", "--out", str(tmp_path / "union.safetensors")],
        "doctor": [],
    }
    for command, line in lines.items():
        found = json.loads(run(capsys, command, *line, "--json")[1])
        assert set(found) == documented(command), command
        score = re.findall(r"^\| (`[^|]*`) \| ", PAGE.partition("| of a score |")[2], re.MULTILINE)
        if "return" in found:
            assert set(found["return"]) == set(re.findall(r"`(\w+)`", "".join(score)))
    assert set(json.loads(run(capsys, "zoo", "--json")[1])["cartpole-2"]) > {"task", "pairs", "made", "scores"}
    assert "CartPole-v1" in json.loads(run(capsys, "envs", "--json")[1])
    assert "laptop" in json.loads(run(capsys, "presets", "--json")[1])
    assert "jax" in json.loads(run(capsys, "version", "--json")[1])
