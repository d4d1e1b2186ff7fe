"""What is said while a run or a scoring goes on."""

import io
import re
import sys
import time
from types import SimpleNamespace

import pytest

from hades import progress
from hades.metrics import VALIDATION
from hades.progress import Pace, about, working


class Terminal(io.StringIO):
    """A stderr that is one."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_a_line_at_once_and_one_every_while(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PLAIN_TICK", 0.02)
    with working("scoring hopper"):
        time.sleep(0.2)
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "scoring hopper" and 1 <= len(rest) <= 10
    assert set(rest) == {"scoring hopper; 0:00 so far"}
    time.sleep(0.1)
    assert not capsys.readouterr().err  # the clock has stopped


def test_on_a_terminal_one_line_that_is_gone_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    with working("a" * 100):
        time.sleep(0.6)
    *lines, last = stream.getvalue().split("\r\x1b[K")[1:]
    assert len(lines) == 2 and all(line == "a" * 28 + "  0:00" for line in lines) and last == ""


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with working("scoring", quiet=True):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_stderr_that_is_closed_stops_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, done = io.StringIO(), []
    with monkeypatch.context() as patched:
        for stream in (closed, None):
            patched.setattr(sys, "stderr", stream)
            with working("scoring"):
                closed.close()
                done.append(stream)
    assert done == [closed, None] and capsys.readouterr() == ("", "")


def test_pieces_of_work_are_said_with_what_is_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 50))
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    pace, pieces = Pace(), [{"seed": seed} for seed in range(3)]
    for i in range(3):
        with pace.working(f"study {i + 1}/3", pieces[i:], "seed"):
            pass
    took = pace.done[0][1]
    assert took >= 50 and [piece for piece, _ in pace.done] == pieces
    assert capsys.readouterr().err.splitlines() == [
        "study 1/3: seed", f"study 2/3, {about(2 * took)}: seed", f"study 3/3, {about(took)}: seed"
    ]  # fmt: skip
    with Pace(quiet=True).working("study", pieces):
        pass
    assert capsys.readouterr().err == ""


def test_what_fails_within_ends_the_clock() -> None:
    with pytest.raises(KeyError), working("scoring"):
        raise KeyError


def test_a_title_is_what_it_is_and_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress.Progress("odd [/name] \x1b[31m", {"generations": 3, "steps": None, "minutes": None}):
        pass
    assert terminal.getvalue().count("odd [/name] \\x1b[31m") >= 1


BUDGET = {"generations": 40, "steps": None, "minutes": None}


def shown(monkeypatch: pytest.MonkeyPatch, columns: int, encoding: str = "utf-8") -> list[str]:
    """The lines that a terminal is left with, of a run that is half over."""
    stream = Terminal()
    monkeypatch.setattr(Terminal, "encoding", encoding, raising=False)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    with progress.Progress("task", BUDGET) as display:
        for generation, score in ((10, 1.0), (20, 9.0)):
            display.validated(score, 1.5)
            row = {"generation": generation, "mean": 2.0, "best": 3.0, "env_steps_total": 9, "seconds": 60.0}
            display.update(row, score, 1e6)
        stream.truncate(stream.seek(0))
    return [re.sub(r"\x1b\[[\d;?]*\w", "", line).strip("\r ") for line in stream.getvalue().splitlines()]


def test_a_terminal_shows_how_far_a_run_is_and_how_its_score_went(monkeypatch: pytest.MonkeyPatch) -> None:
    far, curve, last = shown(monkeypatch, 80)[:3]
    assert "━─" in far and "  50%  0:00 elapsed" in far
    assert curve == "validated ▁█ 9, best 9" and last == "generation 20/40  mean 2  best 3  steps/s 1.0M"


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_no_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    lines = shown(monkeypatch, columns)[:3]
    assert len(lines) == 3 and max(map(len, lines)) <= columns and "50%" in lines[0]
    assert all(line.isascii() for line in shown(monkeypatch, columns, "ascii"))


def test_scores_of_two_kinds_have_names(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.Progress("task", BUDGET, metric=VALIDATION) as display:
        display.validated(0.9, 0.1)
        row = {"generation": 1, "mean": -0.2, "best": -0.2, "env_steps_total": 9, "seconds": 1.0}
        display.update(row, 0.9, 1e6, last=True)
    assert "validation accuracy 0.9  generation 1/40  mean minus loss -0.2  steps/s" in stream.getvalue()


def test_a_countdown_that_has_run_out_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "PLAIN_TICK", 0.02)
    row = {"generation": 20, "mean": 1.0, "best": 1.0, "env_steps_total": 9, "seconds": 0.1}
    with progress.Progress("task", BUDGET) as display:
        display.update(row, None, 1e6, last=True)
        display.doing("validating")
        time.sleep(0.3)
    _, first, *_, last = stream.getvalue().splitlines()
    assert "remaining 0:00" in first and "remaining" not in last and "validating" in last


def test_what_is_left_is_said_once_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with working("scoring") as left:
        left(100.0)
        time.sleep(0.6)
    assert "scoring  0:00, about 2 min left" in stream.getvalue()
