"""The host loop: budgets end it, metrics and validations come as they should."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import hades
from hades.aliases import PyTree
from hades.distillation import Result
from hades.tasks.control import ControlTask
from hades.tasks.environment import Step
from tests.helpers import TINY, Target


class Paid(Target):
    """Whatever is done, the same reward; but for the first step's, which is 1."""

    def __init__(self, reward: float) -> None:
        self.reward = reward

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """Go on, for that reward."""
        return super().step(key, state, action)._replace(reward=jnp.where(state[1] == 0, 1.0, self.reward))


def paid(reward: float, **options: Any) -> Result:
    return hades.distill(ControlTask("paid", Paid(reward)), size=2, **{**TINY, "progress": True, **options})


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


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


def test_compilation_is_not_taken_from_the_minutes(target: ControlTask) -> None:
    jax.clear_caches()
    result = hades.distill(target, size=2, minutes=0.01, **{**TINY, "generations": None})
    assert result.seconds["compiling"] > 0.1 and result.seconds["scoring"] > 0
    assert result.seconds["searching"] >= 0.6 and result.seconds["searching"] == pytest.approx(
        result.metrics[-1]["seconds"], abs=1.0
    )
    assert len(result.metrics) > 1


def test_candidates_that_score_alike_move_nothing_and_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    result = paid(1.0, generations=30)
    assert "all candidates scored 10 for 2" in capsys.readouterr().err
    assert {row["std"] for row in result.metrics} == {result.metrics[0]["std"]} and result.given_up is None
    assert result.metrics[-1]["worst"] == result.metrics[-1]["best"] == 10


def test_patience_ends_what_learns_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    result = paid(1.0, generations=30, patience=5)
    assert len(result.metrics) == 5 and result.evaluation is not None and result.interrupted is None
    assert result.given_up and result.given_up in capsys.readouterr().err
    assert len(hades.distill(ControlTask("walk", Target()), size=2, **TINY, patience=2).metrics) == 7


def test_what_is_next_is_begun_where_patience_ends_a_search() -> None:
    result = paid(1.0, generations=60, patience=3, searches=2)
    assert [row["search"] for row in result.metrics] == [0] * 3 + [1] * 3 + [2] * 3 and result.given_up


def test_what_gave_up_goes_on_only_where_it_is_given_more(tmp_path: Path) -> None:
    result = paid(1.0, generations=30, patience=5, out=tmp_path / "run")
    task = ControlTask("paid", Paid(1.0))
    again = hades.resume(tmp_path / "run", task, progress=False)  # as after a kill while it was scored
    assert again.metrics == result.metrics and again.given_up
    assert len(hades.resume(tmp_path / "run", task, generations=40, progress=False).metrics) == 10


def test_one_is_not_alike(mine: hades.tasks.base.Task) -> None:
    result = hades.distill(mine, generations=3, patience=1, progress=False)
    assert len(result.metrics) == 3 and {row["worst"] for row in result.metrics} == {None}


@pytest.mark.parametrize(
    "reward", [float("nan"), *(pytest.param(r * float("inf"), marks=pytest.mark.slow) for r in (1, -1))]
)
def test_where_nothing_is_finite_a_run_ends_and_its_files_are_json(
    reward: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = paid(reward, generations=100, out=tmp_path / "run")
    assert result.given_up and "nothing had a finite score" in capsys.readouterr().err
    assert 10 <= len(result.metrics) < 100
    lines = [json.loads(line, parse_constant=refuse) for line in (tmp_path / "run/metrics.jsonl").open()]
    assert lines == result.metrics
    assert {(row["best"], row["mean"], row["diverged"]) for row in lines} == {(None, None, 8)}
    assert {row["validated"] for row in lines} == {None}
    assert result.evaluation is not None and result.evaluation.diverged == result.evaluation.returns.size
    kept = hades.load(tmp_path / "run/dataset.safetensors").info
    assert kept["score"]["mean"] is None and kept["validated"] is None
    hades.report(tmp_path / "run")
