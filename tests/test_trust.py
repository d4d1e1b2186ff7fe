"""Whose a run's folder is."""

import json
from pathlib import Path

import pytest

from hades.trust import is_ours, signed

ABOUT = {"task": "mine.py:Mine", "task_options": {"file": "/here/mine.py", "g": 1 / 3, "sizes": (1, 2)}, "own": "Mine"}


def test_what_this_user_signed_is_ours_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    about = json.loads(json.dumps(signed(ABOUT)))
    assert is_ours(about) and is_ours({**about, "config": "of no matter"})
    for changed in ({"task": "mine.py:Other"}, {"task_options": {"file": "/there.py"}}, {"fingerprint": "00"}):
        assert not is_ours({**about, **changed})
    for forged in ("", None, 3, "0" * 64):
        assert not is_ours({**about, "signature": forged})
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of another"))
    assert not is_ours(about)


def test_the_key_is_the_users_alone_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first, (key,) = signed(ABOUT), tmp_path.rglob("key")
    assert key.stat().st_mode & 0o077 == 0 and signed(ABOUT) == first
    key.write_bytes(b"")  # as a crash would leave it: of an empty key anybody could make signatures
    assert signed(ABOUT)["signature"] == "" and not is_ours(first) and not is_ours(signed(ABOUT))


def test_where_no_key_can_be_kept_nothing_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert signed(ABOUT)["signature"] == "" and not is_ours(signed(ABOUT))
