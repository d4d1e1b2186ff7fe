"""``metrics.jsonl``: a line a generation, whatever happens to some of them."""

import json
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path

from hades.aliases import Json
from hades.contents import is_number
from hades.errors import InputError, WriteError
from hades.files import dumps, reason, write_atomically

Row = Json
"""A generation's metrics, by name; None where there is no number."""
NUMBERS, NAMES = ("generation", "env_steps_total", "seconds"), ("mean", "best", "validated")
"""What every row has: numbers, and what may be None."""


class Journal:
    """The file while it is written.

    Args:
        rows: what it is to hold by now; the file itself may hold less, more, or something odd.
    """

    def __init__(self, file: Path, rows: Iterable[Row] = ()) -> None:
        self.file, self.rows = file, list(rows)
        self._size = len(_lines(self.rows))

    def add(self, rows: Iterable[Row]) -> None:
        """Append, or write all anew where the file is not as it was left: cut off by a full disk, or gone.

        Raises:
            WriteError: if that cannot be; the next call tries again.
        """
        new = list(rows)
        as_left, data = self.as_left(), _lines(new)
        self.rows += new
        self._size += len(data)
        if not as_left:
            write_atomically(self.file, _lines(self.rows))
        elif data:
            try:
                with open(self.file, "ab") as file:
                    file.write(data)
            except OSError as error:
                raise WriteError(f"cannot write {self.file}: {reason(error)}") from None

    def as_left(self) -> bool:
        """Whether the file has the size that it was left with."""
        try:
            return self.file.stat().st_size == self._size
        except OSError:
            return not self._size


def read(file: Path) -> tuple[list[Row], int]:
    """The rows of a file, by ascending generation, and how many lines are none.

    Raises:
        InputError: if there is a file that cannot be read.
    """
    try:
        lines = [line for line in file.read_bytes().split(b"\n") if line]
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise InputError(f"cannot read {file}: {reason(error)}") from None
    rows = _ascending([row for row in map(_row, lines) if row is not None])
    return rows, len(lines) - len(rows)


def _lines(rows: Iterable[Row]) -> bytes:
    return "".join(dumps(row) + "\n" for row in rows).encode()


def _row(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not all(is_number(row.get(name)) for name in NUMBERS):
        return None
    whole = isinstance(row["generation"], int) and set(NAMES) <= set(row)
    return row if whole and all(value is None or is_number(value) for value in row.values()) else None


def _ascending(rows: list[Row]) -> list[Row]:
    """As many rows as have ascending generations: those of two writers, or a damaged number, are left out."""
    ends: list[int] = []  # by length: the least generation that a chain of rows ends with, and where it is
    places: list[int] = []
    before: list[int] = []
    for place, row in enumerate(rows):
        length = bisect_left(ends, row["generation"])
        before.append(places[length - 1] if length else -1)
        ends[length : length + 1], places[length : length + 1] = [row["generation"]], [place]
    chain, place = [], places[-1] if places else -1
    while place >= 0:
        chain.append(rows[place])
        place = before[place]
    return chain[::-1]
