"""A study done: the cells that have no row yet, one after the other; and a study as its rows tell it."""

import dataclasses
import json
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hades import tables
from hades.errors import InputError
from hades.studies import base
from hades.studies.base import PUBLISHED, Study
from hades.studies.rows import Cell, Row, add, key, read


def conduct(study: Study, out: Path, progress: bool = True, force: bool = False) -> list[Row]:
    """Do the cells that have no row in ``out/results.json``; then draw figure and table.

    Args:
        force: overwrite a figure and a table that are not a study's.

    Returns:
        The study's rows: each cell's, its result's fields, the seconds that it took, and what made it.

    Raises:
        InputError: if there is nothing to do, or the folder has another study's results, or a figure and none.
    """
    from hades.progress import Pace
    from hades.runtime import release_programs

    file, cells = out / "results.json", study.work()
    if not (force or file.exists()) and (there := [name for name in PUBLISHED if (out / name).exists()]):
        raise InputError(f"{out} has a {there[0]} that is no study's; give another folder (--out), or --force")
    known = read(file, study.name)
    keys, pace = [key(study.making(cell)) for cell in cells], Pace(quiet=not progress)
    for number, (name, cell) in enumerate(zip(keys, cells, strict=True)):
        if name in known:
            continue
        words = ", ".join(f"{k} {v}" for k, v in cell.items())
        left = [other for row, other in zip(keys[number:], cells[number:], strict=True) if row not in known]
        with pace.working(f"{study.name} {number + 1}/{len(cells)}", left, words):
            release_programs()
            known = add(file, study.name, {"key": name, **_row(study, cell, out)})
    rows = [known[name] for name in keys]
    study.publish(rows, out)
    return rows


def text(study: Study, rows: Sequence[Row]) -> str:
    """The study's table as lines of text."""
    return tables.align([[part.replace("**", "") for part in line] for line in study.table(rows)])


def latest(file: Path, study: str) -> tuple[Study, list[Row]]:
    """A study with the settings that the last row of its results was made in, and the rows of these settings.

    Of a cell that was done again by other versions, or on another dataset of that name, the last row; and no rows of
    former ones beside it.

    Raises:
        InputError: where no row is.
    """
    rows = read(file, study)
    if not rows:
        raise InputError(f"there are no results of the study {study} in {file}")
    settings = list(rows.values())[-1]["made"]["settings"]
    made = base.kind_of(study)(**{k: _tuple(v) for k, v in settings.items()})
    by_cell = _newest(list(rows.values()))
    return made, [by_cell[_plain(cell)] for cell in made.cells() if _plain(cell) in by_cell]


def _newest(rows: Sequence[Row]) -> dict[str, Row]:
    """By cell, as far as their versions, datasets and configurations do not contradict those of rows made later."""
    known, found = {}, {}
    for row in reversed(rows):
        made, cell = row["made"], row["cell"]
        making = {(part, name): one for part in ("versions", "datasets") for name, one in made[part].items()}
        alike = _plain({**cell, "seed": None})  # whose mean a table shows
        making |= {(part, alike): made.get(part, []) for part in ("configs", "recipes")}
        if all(known.get(name, one) == one for name, one in making.items()):
            known |= making
            found.setdefault(_plain(cell), row)
    return found


def _row(study: Study, cell: Cell, out: Path) -> Row:
    """A cell done."""
    from hades.runtime import devices, hardware

    making, start = study.making(cell), time.monotonic()
    result = study.run(cell, out)
    made = {
        "settings": dataclasses.asdict(study),
        **{name: part for name, part in making.items() if name not in ("study", "cell")},
        "python": platform.python_version(),
        "hardware": hardware() | devices(),
    }
    return {"cell": cell, **result, "seconds": round(time.monotonic() - start, 2), "made": made}


def _plain(cell: Cell) -> str:
    return json.dumps(cell, sort_keys=True)


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value
