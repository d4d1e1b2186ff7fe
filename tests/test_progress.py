"""What is said while a run or a scoring goes on."""

import io
import sys
import time
from types import SimpleNamespace

import pytest

from hades import progress
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


def test_what_is_left_is_said_once_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with working("scoring") as left:
        left(100.0)
        time.sleep(0.6)
    assert "scoring  0:00, about 2 min left" in stream.getvalue()
