"""What was measured, as it is committed: rows of studies, files of benchmarks, the paper's runs."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from hades import studies
from hades.studies.rows import read

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "studies"
PAPER: dict[str, dict[str, Any]] = json.loads((ROOT / "reference" / "figures.json").read_text())
Row = studies.Row


def rows(name: str, /, **cell: Any) -> list[Row]:
    """A study's rows whose cells have these settings."""
    return _where(found(name)[1], cell)


def of(name: str, score: str, /, **cell: Any) -> list[float]:
    """The means of these rows' scores."""
    return [row[score]["mean"] for row in rows(name, **cell)]


@cache
def found(name: str, study: str | None = None) -> tuple[Any, list[Row]]:
    """A study's settings and rows, as docs show them; ``STUDY_ABOUT`` is one of several of a study."""
    return studies.latest(results(name), study or name.split("_")[0])


def all_rows(name: str, /, **cell: Any) -> list[Row]:
    """As `rows`, those of other settings of the study, too."""
    return _where(read(results(name), name.split("_")[0]).values(), cell)


def _where(rows: Iterable[Row], cell: dict[str, Any]) -> list[Row]:
    wanted = cell.items()
    return [row for row in rows if wanted <= {k: row["cell"].get(k) for k in cell}.items()]


def results(name: str) -> Path:
    """Where a study's rows are, if it has been run."""
    return RESULTS / name / "results.json"


@cache
def table(name: str) -> list[list[str]]:
    """A study's table."""
    study, known = found(name)
    return study.table(known)


def paper(run: str) -> dict[str, Any]:
    """A published run."""
    return PAPER[run]


@cache
def benchmark(name: str) -> dict[str, Any]:
    """What a benchmark wrote."""
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def spread(score: dict[str, float], digits: int = 1) -> str:
    """A score, as pages have it."""
    return f"{score['mean']:,.{digits}f} ± {score['std_of_inits']:,.{digits}f}"


def long_ago(game: str) -> str:
    """The size of the published runs of MinAtar."""
    run = paper(f"minatar-5k/HaDES-R/{game}-MinAtar/D16")
    return f"{run['generations']:,} generations of {run['population']:,} candidates"
