"""The mechanism: rows by the hash of what made them, what is missing done, the rest left alone."""

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hades
from hades import studies, tables
from hades.config import Config
from hades.learner import recipes
from hades.learner.recipe import Learner
from hades.options import option
from hades.reporting.style import subplots
from hades.studies import Cell, Row, Study, base, pieces, rows
from hades.studies.conduct import _newest

DOCS = Path(__file__).parents[2] / "docs"
DONE: list[Cell] = []


@dataclass(frozen=True, kw_only=True)
class Toy(Study):
    """Multiplies."""

    numbers: tuple[int, ...] = option((1, 2, 3))
    """What is multiplied."""
    factor: int = option(2, least=1)
    """By what."""
    dataset: str = option("cartpole-2")
    """What is read."""

    def cells(self) -> list[Cell]:
        return [{"number": number, "factor": self.factor, "dataset": self.dataset} for number in self.numbers]

    def reads(self, cell: Cell) -> Sequence[str]:
        return (cell["dataset"],)

    def run(self, cell: Cell, folder: Path) -> dict[str, Any]:
        DONE.append(cell)
        return {"product": cell["number"] * cell["factor"]}

    def figure(self, rows: Sequence[Row]) -> Any:
        return subplots(1, 1, (1, 1))[0]

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        return [["number", "product"], *([str(row["cell"]["number"]), str(row["product"])] for row in rows)]


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DONE.clear()


def conduct(folder: Path, **options: Any) -> list[Row]:
    return studies.conduct(Toy(**options), folder, progress=False)


def written(folder: Path) -> list[Row]:
    return json.loads((folder / "results.json").read_text())["rows"]


def test_a_row_says_what_made_it_and_is_not_made_twice(tmp_path: Path) -> None:
    found = conduct(tmp_path, factor=3)
    assert [row["product"] for row in found] == [3, 6, 9] and found == written(tmp_path)
    for row in found:
        made = row["made"]
        assert made["settings"] == {"numbers": [1, 2, 3], "factor": 3, "dataset": "cartpole-2"}
        assert made["versions"]["jax"] and made["hardware"]["cores"] and made["datasets"]["cartpole-2"]
        making = {name: made[name] for name in ("configs", "datasets", "versions")} | {
            "study": "toy", "cell": row["cell"]
        }  # fmt: skip
        assert row["key"] == rows.key(making)
    assert conduct(tmp_path, factor=3) == found and len(DONE) == 3


def test_rows_of_other_settings_stay_apart_and_are_not_printed(tmp_path: Path) -> None:
    first, other = conduct(tmp_path), conduct(tmp_path, factor=5)
    assert [row["product"] for row in first] == [2, 4, 6] and [row["product"] for row in other] == [5, 10, 15]
    assert written(tmp_path) == [*first, *other]
    assert (tmp_path / "table.md").read_text().splitlines()[2:] == ["| 1 | 5 |", "| 2 | 10 |", "| 3 | 15 |"]
    assert conduct(tmp_path) == first and written(tmp_path) == [*first, *other] and len(DONE) == 6
    assert "| 3 | 6 |" in (tmp_path / "table.md").read_text()
    assert conduct(tmp_path, numbers=(2, 7))[0] == first[1] and len(DONE) == 7  # a cell that both ask for is one


def test_a_score_that_was_not_finite_is_none_in_tables_and_the_worst(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    for i, mean in enumerate((3.0, math.nan, -math.inf)):
        diverged = hades.Evaluation(np.full((2, 1), mean))
        rows.add(file, "toy", {"key": str(i), "return": pieces.summary(diverged)})
    assert '"mean": null' in file.read_text()
    found = [row["return"] for row in rows.read(file, "toy").values()]
    assert [pieces.scores([score]) for score in found] == ["3.0†", "none", "none"]
    assert pieces.scores(found) == "none ± none"
    assert sorted([math.nan, 1.0, -math.inf, 3.0], key=pieces.best_first)[:2] == [3.0, 1.0]


def test_other_versions_make_other_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = conduct(tmp_path)
    monkeypatch.setattr(rows, "versions", lambda: {"jax": "99"})
    assert {row["key"] for row in conduct(tmp_path)}.isdisjoint(row["key"] for row in first)
    assert len(written(tmp_path)) == 6


def test_another_dataset_under_the_same_name_makes_a_new_row(tmp_path: Path, cartpole_pairs: hades.Dataset) -> None:
    file = str(tmp_path / "mine.safetensors")
    cartpole_pairs.save(file)
    first = conduct(tmp_path, dataset=file)
    dataclasses.replace(cartpole_pairs, info={"card": {"made": "by hand"}}).save(file)
    assert conduct(tmp_path, dataset=file) == first  # what is written beside it does not count
    dataclasses.replace(cartpole_pairs, states=2 * cartpole_pairs.states).save(file)
    assert conduct(tmp_path, dataset=file) != first and len(DONE) == 6 and len(written(tmp_path)) == 6
    dataclasses.replace(cartpole_pairs, learner={"width": 8}).save(file)
    conduct(tmp_path, dataset=file)
    assert len(written(tmp_path)) == 9


def test_a_configuration_is_all_that_its_names_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the seed, which the cell has; an option that is off might as well not be there."""
    config = Config(networks=("lenet", "mlp:8"))
    known = rows.configuration(config)
    assert known == rows.configuration(config.override({"seed": 7}))
    assert known != rows.configuration(config.override({"std": 0.7}))
    assert rows.meaning({"a": 1, "b": None, "c": ()}) == rows.meaning({"a": 1}) != rows.meaning({"a": 2})
    monkeypatch.setitem(recipes.DEEP, "lenet", recipes.DEEP["lenet"] | Learner(epochs=7))
    assert known != rows.configuration(config)


def test_an_interrupted_study_goes_on_with_the_cells_that_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Toy.run

    def failing(self: Toy, cell: Cell, folder: Path) -> dict[str, Any]:
        if cell["number"] == 3:
            raise KeyboardInterrupt
        return run(self, cell, folder)

    monkeypatch.setattr(Toy, "run", failing)
    with pytest.raises(KeyboardInterrupt):
        conduct(tmp_path)
    assert len(written(tmp_path)) == 2 and not (tmp_path / "table.md").exists()
    monkeypatch.undo()
    conduct(tmp_path)
    assert [cell["number"] for cell in DONE] == [1, 2, 3]


def test_what_another_process_writes_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Toy.run

    def slow(self: Toy, cell: Cell, folder: Path) -> dict[str, Any]:
        if self.factor == 2 and cell["number"] == 2:
            conduct(tmp_path, factor=5)
        return run(self, cell, folder)

    monkeypatch.setattr(Toy, "run", slow)
    conduct(tmp_path)
    assert sorted(row["product"] for row in written(tmp_path)) == [2, 4, 5, 6, 10, 15]


def test_runs_of_different_making_lie_in_different_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, (cell, other, _) = Toy(), Toy().cells()
    place = study.place(tmp_path, "brax/hopper", cell)
    assert place.parent == tmp_path and place.name.startswith("brax-hopper-") and len(place.name) == 20
    assert study.place(tmp_path, "brax/hopper", dict(cell)) == place != study.place(tmp_path, "brax/hopper", other)
    monkeypatch.setattr(rows, "versions", lambda: {"jax": "99"})
    assert study.place(tmp_path, "brax/hopper", cell) != place


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[1]", "not a study's results"),
        ("{", "not a study's results"),
        ('{"study": "budget", "rows": []}', "results of the study budget"),
        ('{"study": "toy", "settings": {}, "rows": [{"cell": {"number": 1}, "product": 2}]}', "format 1"),
    ],
)
def test_a_file_of_something_else_or_of_an_older_hades_is_left_alone(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(hades.InputError, match=says) as error:
        conduct(tmp_path)
    assert "--out" in str(error.value) and "\n" not in str(error.value)
    assert (tmp_path / "results.json").read_text() == content and DONE == []


def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(hades.InputError, match="leave the study toy nothing to do"):
        conduct(tmp_path, numbers=())


def test_the_latest_settings_and_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "kind_of", lambda name: Toy)
    with pytest.raises(hades.InputError, match="no results"):
        studies.latest(tmp_path / "results.json", "toy")
    first = conduct(tmp_path)
    assert studies.latest(tmp_path / "results.json", "toy") == (Toy(), first)
    conduct(tmp_path, factor=5, numbers=(4,))
    study, found = studies.latest(tmp_path / "results.json", "toy")
    assert study == Toy(factor=5, numbers=(4,)) and [row["product"] for row in found] == [20]


def test_the_latest_rows_are_not_mixed_with_those_of_former_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "kind_of", lambda name: Toy)
    conduct(tmp_path)
    monkeypatch.setattr(rows, "versions", lambda: {"jax": "99"})
    key = rows.key(Toy().making(Toy().cells()[0]))
    row = written(tmp_path)[0]
    rows.add(tmp_path / "results.json", "toy", {**row, "key": key, "made": {**row["made"], "versions": {"jax": "99"}}})
    assert [found["key"] for found in studies.latest(tmp_path / "results.json", "toy")[1]] == [key]
    found = conduct(tmp_path)
    assert studies.latest(tmp_path / "results.json", "toy")[1] == found and len(written(tmp_path)) == 6


@pytest.mark.parametrize("part", ["configs", "recipes"])
def test_seeds_by_a_former_preset_are_not_averaged_with_those_by_the_present_one(part: str) -> None:
    about = {"versions": {}, "datasets": {}}
    made = [
        ({"task": "hopper", "seed": 0}, about), ({"task": "hopper", "seed": 1}, about | {part: ["a"]}),
        ({"task": "hopper", "seed": 2}, about | {part: ["b"]}), ({"task": "hopper", "seed": 3}, about | {part: ["b"]}),
        ({"task": "ant", "seed": 0}, about | {part: ["c"]}),
    ]  # fmt: skip
    found = _newest([{"cell": cell, "made": about} for cell, about in made])
    assert [(row["cell"]["task"], row["cell"]["seed"]) for row in found.values()] == [
        ("ant", 0), ("hopper", 3), ("hopper", 2)
    ]  # fmt: skip


@pytest.mark.parametrize("file", sorted(DOCS.glob("studies/*/results.json")), ids=lambda file: file.parent.name)
def test_what_the_docs_show_is_what_their_rows_say(file: Path) -> None:
    study, found = studies.latest(file, json.loads(file.read_text())["study"])
    assert len(found) == len(study.cells())
    assert tables.markdown(study.table(found)) + "\n" == (file.parent / "table.md").read_text()


def test_a_row_is_of_the_code_that_its_task_had(tmp_path: Path) -> None:
    file, code = tmp_path / "mine.py", (Path(__file__).parents[1] / "walk.py").read_text()
    study, keys = studies.make("budget", tasks=(f"{file}:Walk",), sizes=(2,), seeds=1), []
    for text in (code, code, f"{code}\n# another\n"):
        file.write_text(text)
        pieces.task_named.cache_clear()
        keys.append(rows.key(study.making(study.cells()[0])))
    assert keys[0] == keys[1] != keys[2]
