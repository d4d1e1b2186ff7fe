"""Metrics on disk: lines that are damaged cost no other."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hades import journal
from hades.errors import InputError, Notice
from hades.journal import Journal
from hades.runs import Run
from tests.helpers import metrics_row

ROWS = [metrics_row(generation) for generation in range(1, 31)]


def written(folder: Path) -> Path:
    """A file of thirty rows."""
    Journal(folder / "metrics.jsonl").add(ROWS)
    return folder / "metrics.jsonl"


def test_it_gives_back_its_rows(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    assert journal.read(file) == ([], 0)
    kept = Journal(file)
    kept.add(ROWS[:10])
    kept.add(ROWS[10:])
    assert journal.read(file) == (ROWS, 0) and kept.rows == ROWS and kept.as_left()


@pytest.mark.parametrize(
    "odd",
    [
        b"", b"{", b'{"generation": 4, "me', b"[1, 2]", b"\xff\x00", b"[" * 2000, b"null", b'{"generation": 11}',
        *(
            json.dumps(metrics_row(11) | change).encode()
            for change in (
                {"generation": 99}, {"generation": 3}, {"generation": 1.5}, {"seconds": None}, {"mean": "high"},
                {"mean": 10**400}, {"best": float("inf")},
            )
        ),
    ],
)  # fmt: skip
def test_an_odd_line_is_left_out_and_counted(tmp_path: Path, odd: bytes) -> None:
    file = written(tmp_path)
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([*lines[:10], odd, *lines[11:]]) + b"\n")
    assert journal.read(file) == (ROWS[:10] + ROWS[11:], int(odd != b""))


def test_the_count_is_said(tmp_path: Path) -> None:
    written(tmp_path).write_bytes(b"\n".join([json.dumps(ROWS[0]).encode(), b"{", b"}"]))
    with pytest.warns(Notice, match="2 lines are cut off or damaged, and left out"):
        assert Run(tmp_path, {}).metrics() == ROWS[:1]


def test_of_two_writers_each_generation_is_there_once(tmp_path: Path) -> None:
    lines = [json.dumps(row).encode() for row in ROWS]
    both = [line for pair in zip(lines[10:25], lines[10:25], strict=True) for line in pair]
    (tmp_path / "metrics.jsonl").write_bytes(b"\n".join([*lines[:10], *both, *lines[25:]]))
    assert journal.read(tmp_path / "metrics.jsonl") == (ROWS, 15)


@given(st.randoms(use_true_random=False))
def test_whatever_the_damage_it_is_read(tmp_path_factory: pytest.TempPathFactory, rng: random.Random) -> None:
    file = written(tmp_path_factory.mktemp("journal"))
    data = bytearray(file.read_bytes())
    for _ in range(rng.randint(1, 5)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    file.write_bytes(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
    rows, _ = journal.read(file)
    found = [row["generation"] for row in rows]
    assert found == sorted(set(found))


def test_a_file_that_is_not_as_it_was_left_is_written_anew(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "metrics.jsonl")
    kept.add(ROWS[:5])
    for damage in (lambda: kept.file.write_bytes(kept.file.read_bytes()[:-9]), kept.file.unlink):
        damage()
        assert not kept.as_left()
        kept.add([])
        assert journal.read(kept.file) == (ROWS[:5], 0)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(InputError, match="cannot read"):
        journal.read(tmp_path / "metrics.jsonl")
