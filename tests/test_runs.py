import json
from pathlib import Path

import numpy as np
import pytest

import hades
from hades import runs
from hades.errors import InputError
from hades.runs import Run

ABOUT = {"task": "mine", "config": {}}


def test_a_run_is_found_again(tmp_path: Path) -> None:
    Run.create(tmp_path / "a/b", ABOUT)
    assert Run.open(tmp_path / "a/b").about == ABOUT


def test_a_folder_that_holds_something_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        Run.create(tmp_path, ABOUT)
    with pytest.raises(InputError, match="is a file"):
        Run.create(tmp_path / "mine.txt", ABOUT)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"task": 1}'])
def test_a_folder_that_is_not_a_runs_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError, match="not a run folder"):
        Run.open(tmp_path)


def test_a_checkpoint_gives_back_the_state(tmp_path: Path, continuous_pairs: hades.Dataset) -> None:
    run = Run.create(tmp_path / "run", ABOUT)
    like = {"a": np.zeros(3, np.float32), "b": (np.zeros((), np.int32), None)}
    assert run.restore(lambda _: like) is None
    for generation in (2, 5, 9):
        state = {"a": np.full(3, generation, np.float32), "b": (np.full((), generation, np.int32), None)}
        run.save(generation, state, {"env_steps": 10**12 + generation}, continuous_pairs)
    restored = Run.open(tmp_path / "run").restore(lambda host: like)
    assert restored is not None
    state, host = restored
    assert state["a"].tolist() == [9, 9, 9] and int(state["b"][0]) == 9 and host == {"env_steps": 10**12 + 9}
    assert len(list((tmp_path / "run/checkpoint").iterdir())) == 2


def test_metrics_past_the_checkpoint_and_cut_off_lines_are_dropped(
    tmp_path: Path, continuous_pairs: hades.Dataset
) -> None:
    run = Run.create(tmp_path / "run", ABOUT)
    run.log({"generation": g} for g in (1, 2, 3))
    run.save(2, {"x": np.zeros(1)}, {}, continuous_pairs)
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write('{"generation": 4, "me')
    again = Run.open(run.path)
    assert [row["generation"] for row in again.metrics()] == [1, 2, 3]
    again.restore(lambda _: {"x": np.zeros(1)})
    assert [json.loads(x)["generation"] for x in (run.path / "metrics.jsonl").read_text().splitlines()] == [1, 2]


def test_free_paths_count_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert runs.free_path("x") == Path("runs/x")
    (tmp_path / "runs/x").mkdir(parents=True)
    assert runs.free_path("x") == Path("runs/x-2")
