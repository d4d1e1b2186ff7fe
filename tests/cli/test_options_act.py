"""Whatever a command takes either changes what it does, or is refused in one line: every option of the help, tried."""

import copy
import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hades
from hades import distillation, evaluation, hub, merging
from hades import zoo as library
from hades.baselines import images
from hades.cli import main, parsing, searching
from hades.errors import InputError
from hades.learner.recipe import Learner
from hades.progress import silent
from hades.scores import Evaluation
from hades.tasks.base import Task

VALUES: dict[str, Any] = {
    "task": "acrobot", "init": "fresh", "backend": "spring", "network": "transformer", "activation": "gelu",
    "initialiser": "he", "norm": "layer", "loss": "mse", "optimiser": "rmsprop", "augment": "dsa",
    "out": Path("elsewhere"), "data_dir": Path("elsewhere"), "preset": "paper", "strategy": "CMA_ES",
    "normaliser": "none", "labels": "soft", "start": "sample", "networks": "mlp:8", "polish": "SNES@0.1",
    "strategy_options": "temperature=20", "trackers": "tensorboard", "coordinator": "there:1",
    "env_arg": "max_steps_in_episode=77", "message": "better", "license": "mit",
}  # fmt: skip
"""Of options that are names or paths: other ones than the datasets' own."""
MODES = (
    "train cartpole-2", "train own", "evaluate cartpole-2", "evaluate own", "evaluate digits-10",
    "evaluate digits-10 --across", "evaluate digits-10 --baselines", "evaluate merged",
    "evaluate merged --task acrobot", "zoo list", "zoo show cartpole-2", "zoo get cartpole-2",
    "merge cartpole-2 acrobot -o union", "push cartpole-2 me/pairs", "distill cartpole", "distill digits",
    "resume run", pytest.param("evaluate hopper-4", marks=pytest.mark.slow),
)  # fmt: skip
NOWHERE = {"debug", "force", "distributed"}
"""What shows only where something fails, is in the way, or waits for others."""
ANYWAY = {"zoo show cartpole-2": {"json"}}
"""What is done without being asked for, too: a card is JSON."""


def options_of(command: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Of a command, by name: what the help says of their values."""
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main([command, "--help"])
    found = re.findall(
        r"^[│ ]+(?:-\w[A-Z ]*, )?--(?!no-)([a-z][a-z-]*)(?: ([A-Z]+)\b)?", capsys.readouterr().out, re.M
    )
    return {name.replace("-", "_"): metavar for name, metavar in found if name != "help"}


def given(asked: Any, name: str, value: Any) -> Any:
    """A command with one option more."""
    holder = next(one for one in (asked, *vars(asked).values()) if name in getattr(one, "__dict__", ()))
    several = isinstance(getattr(holder, name), tuple)
    setattr(holder, name, (value,) if several else value)
    return asked


def words(value: Any) -> str:
    """An argument, as far as it changes what is done."""
    if isinstance(value, Task):
        return f"{value.name} {value.options}"
    if isinstance(value, hades.Dataset):
        return f"{value.task} {value.states.shape}"
    return repr(value.options()) if isinstance(value, Learner) else str(value)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, cartpole_pairs: hades.Dataset) -> list[str]:
    """What the library is asked to do, in words; it does nothing."""
    dataclasses.replace(cartpole_pairs, info={"init_key": [1, 2]}).save("own")
    merging.merge([cartpole_pairs, hades.load("acrobot")]).save("merged")
    done: list[str] = []

    def instead(result: Any) -> Callable[..., Any]:
        def call(*args: Any, working: Any = silent, **options: Any) -> Any:
            with working("at work"):
                pass
            done.append("; ".join([*map(words, args), *(f"{k} {words(v)}" for k, v in options.items())]))
            return result

        return call

    score, dataset = Evaluation(np.zeros((2, 2))), hades.load("digits-10")
    for module, name, result in (
        (distillation, "distill", None), (distillation, "resume", None), (evaluation, "evaluate", score),
        (evaluation, "train", {}), (evaluation, "save_params", None), (library, "get", "file"),
        (images, "across", {"mlp": score}), (images, "baseline", dataset), (hades.Dataset, "save", None),
        (hub, "push", "page"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, instead(result))
    monkeypatch.setattr(searching, "report", lambda result, as_json: print(result, as_json))
    return done


@pytest.mark.parametrize("mode", MODES)
def test_every_option_acts_or_is_refused(mode: str, calls: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    known = options_of(mode.split()[0], capsys)
    assert known and set(known) & NOWHERE

    def does(name: str, value: Any) -> tuple[list[str], str, str] | None:
        """What is done with one option more; None where it is refused."""
        calls.clear()
        capsys.readouterr()
        asked: Any = copy.deepcopy(plain)
        try:
            given(asked, name, value)() if name else asked()
        except InputError as error:
            assert str(error) and "\n" not in str(error)
            return None
        captured = capsys.readouterr()
        return list(calls), captured.out, captured.err

    plain: Any = parsing.parse(mode.split())
    before = does("", None)
    assert before is not None
    for name, metavar in known.items():
        value = {"": True, "INT": 3, "FLOAT": 0.25}.get(metavar) or VALUES[name]
        if name not in NOWHERE | ANYWAY.get(mode, set()) and f" --{name}" not in mode:
            assert does(name, value) != before, f"{mode} --{name} {value}"
