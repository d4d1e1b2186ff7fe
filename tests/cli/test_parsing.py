"""What a line means, and one line for what cannot be."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers import run

import hades
from hades.cli import main
from hades.cli.parsing import parse
from hades.errors import InputError


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("distill cartpol", "unknown task 'cartpol'; did you mean CartPole-v1"),
        ("distill cartpole --preset desktop", "unknown preset 'desktop'"),
        ("distill pendulum --preset paper", "the preset paper has no Pendulum-v1"),
        ("distill cartpole --strategy SNESS", "unknown strategy 'SNESS'"),
        ("distill cartpole --strategy-options temperature=hot", "strategy options are KEY=NUMBER"),
        ("distill cartpole --size 0", "size must be at least 1, not 0"),
        ("distill cartpole --size -2", "size must be at least 1, not -2"),
        ("distill cartpole --size two", "--size must be a whole number, not 'two'"),
        ("distill cartpole --minutes=soon", "--minutes must be a number, not 'soon'"),
        ("distill cartpole --width a 8", "--width must be whole numbers, not 'a 8'"),
        ("distill cartpole --seed", "--seed needs a whole number"),
        ("study comparison --tasks --seeds 1", "--tasks has no values; give some, or leave it out"),
        ("distill cartpole --networks", "--networks has no values; give some, or leave it out"),
        ("distill cartpole --sizee 3", "hades distill has no option --sizee; did you mean --size?"),
        ("distill cartpole --no-strategy-rl", "has no option --no-strategy-rl; did you mean --no-strategy-lr?"),
        ("evaluate good --frobnicate=1", "has no option --frobnicate; hades evaluate --help lists them"),
        ("study budget --seed 3", "hades study budget has no option --seed; did you mean --seeds?"),
        ("zoo show cartpole-2 more", "hades zoo has no use for 'more'; hades zoo --help says more"),
        ("completion ksh", "unknown shell 'ksh'; choose one of bash, zsh, fish"),
        ("distill --task hopper", "hades distill needs TASK; hades distill --help says more"),
        ("distill cartpole --activation step", "unknown activation 'step'"),
        ("distill cartpole --network cnn", "network 'cnn' wants grid observations"),
        ("distill cartpole --trackers mlflow", "unknown tracker 'mlflow'"),
        ("distill hopper --backend bullet", "unknown Brax backend"),
        ("distill cartpole --backend spring", "CartPole-v1 has no option 'backend'"),
        ("distill", "hades distill needs TASK"),
        ("distil cartpole", "distill"),
        ("distill cartpole --out full", "full exists and is not empty"),
        ("evaluate absent.safetensors", "no dataset file at absent"),
        ("evaluate foreign", "not a readable .safetensors"),
        ("evaluate good --task pendulum", "the dataset is for observations [4]"),
        ("evaluate good --inits 0", "inits must be at least 1"),
        ("evaluate good --init fixed", "holds no fixed initialisation"),
        ("evaluate good --seed 18446744073709551616", "seed must be at most 9223372036854775807, not 18446744"),
        ("evaluate good --seed -1", "seed must be at least 0, not -1"),
        ("evaluate good --episodes 2147483648", "episodes must be at most 2147483647"),
        ("train good --width 0", "width must be positive, not 0"),
        ("train good --width 64 64 --depth 3", "widths 64, 64 make 2 layers, not depth 3"),
        ("distill cartpole --checkpoint-every nan", "checkpoint_every must be at least 0, not nan"),
        ("distill cartpole --size 1000000000", "GB of memory or more"),
        ("distill cartpole --learning-rate inf", "learning_rate must be positive, not inf"),
        ("merge good absent -o union", "no dataset file at absent"),
        ("evaluate full", "is a folder without dataset.safetensors"),
        ("evaluate \x1b[31m", "no dataset file at \\x1b[31m"),
        ("train truncated", "truncated"),
        ("train nan", "not finite"),
        ("resume full", "full is not a run folder"),
        ("resume absent", "absent is not a run folder: there is no such folder"),
        ("zoo cartpole-2", "did you mean hades zoo show cartpole-2?"),
        ("zoo hopper4", "did you mean hades zoo show hopper-"),
        ("zoo lst", "hades zoo is list, show NAME or get NAME, not 'lst'"),
        ("distill cartpole --strategy ppo --window 5", "window belongs to the strategy gradient"),
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
    code, out, err = run(capsys, *args.split())
    assert code == 2 and out == "" and message in err
    assert err.startswith("hades: ") and err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_what_cannot_be_written_is_told_before_the_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").touch()
    for work in ("evaluate", "train", "load"):
        monkeypatch.setattr(hades, work, lambda *_, **__: pytest.fail("it went to work"))
    for line in ("report cartpole-2 --out file/x.html", "train cartpole-2 --out file/x.safetensors"):
        code, _, err = run(capsys, *line.split())
        assert code == 1 and err == f"hades: cannot write {line.split()[-1]}: Not a directory\n"


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(hades.InputError):
        main(["evaluate", "absent", "--debug"])


@pytest.mark.parametrize("line", ["", "--help", "distill --help", "evaluate --help", "zoo list"])
def test_help_imports_nothing_slow(line: str) -> None:
    code = f"""
import sys
from hades.cli import main
try:
    main({line.split()})
except SystemExit:
    pass
print("jax" in sys.modules)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "False" and len(out.splitlines()) > 5


def test_an_unknown_command_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "distil", "cartpole")
    assert (
        code == 2 and out == "" and err.startswith("hades: unknown command 'distil'; did you mean distill? Commands: ")
    )
    code, _, err = run(capsys, "frobnicate")
    assert code == 2 and err.startswith("hades: unknown command 'frobnicate'; Commands: distill, evaluate, ")


COMMANDS = ("evaluate good", "train good", "merge good good -o union", "zoo show", "presets", "study budget")
WORDS = ("--seed", "--inits", "--width", "--out", "-1", "nan", "--", "9" * 40)


@settings(max_examples=30)
@given(st.sampled_from(COMMANDS), st.lists(st.text(max_size=12) | st.sampled_from(WORDS)))
def test_whatever_follows_a_command_is_answered_in_one_line(line: str, more: list[str]) -> None:
    """Commands are parsed and told what is wrong; nothing that is let through begins."""
    try:
        parse([*line.split(), *more])
    except InputError as error:
        assert str(error).isprintable()
    except SystemExit as end:
        assert not end.code and {"-h", "--help"} & set(more)


def test_what_an_environment_takes_may_be_said_bit_by_bit() -> None:
    both = parse(["evaluate", "x", "--env-arg", "a=1", "b=two", "--env-arg", "c=true"])
    assert both.environment.given() == {"a": 1, "b": "two", "c": True}  # type: ignore[attr-defined]
