"""The host loop: budgets end it, metrics and validations come as they should."""

import json
from pathlib import Path

import pytest

import hades
from hades.tasks.control import ControlTask
from tests.helpers import TINY


def test_a_budget_of_steps_ends_after_the_generation_that_spends_it(target: ControlTask) -> None:
    result = hades.distill(target, size=2, steps=201, **{**TINY, "generations": None})
    assert [row["env_steps_total"] for row in result.metrics] == [80, 160, 240]


def test_a_budget_of_minutes_ends(target: ControlTask) -> None:
    result = hades.distill(target, size=2, minutes=0.02, **{**TINY, "generations": None})
    assert result.evaluation is not None and result.metrics


def test_metrics_have_a_row_a_generation(target: ControlTask, tmp_path: Path) -> None:
    result = hades.distill(target, size=2, out=tmp_path / "run", **TINY)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert rows == result.metrics and [row["generation"] for row in rows] == list(range(1, 8))
    assert [row["generation"] for row in rows if row["validated"] is not None] == [3, 6, 7]
    best = max(row["validated"] for row in rows if row["validated"] is not None)
    assert result.dataset.info["validated"] == pytest.approx(best)
