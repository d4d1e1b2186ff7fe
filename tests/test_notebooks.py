"""The notebooks run from top to bottom, and were kept with what they gave."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NEEDS = {"pytorch": "torch", "cartpole": "pandas", "own_environment": "pandas"}


def cells(name: str) -> list[dict[str, object]]:
    """A notebook's cells of code."""
    return [
        cell for cell in json.loads((FOLDER / f"{name}.ipynb").read_text())["cells"] if cell["cell_type"] == "code"
    ]


def test_all_are_tried() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_outputs_are_kept_and_name_no_machine(name: str) -> None:
    assert any(cell["outputs"] for cell in cells(name))
    assert not any(
        place in (FOLDER / f"{name}.ipynb").read_text() for place in ("/home/", "/root/", "/tmp/", "Traceback")
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDS)
def test_every_cell_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in cells(name):
        exec("".join(cell["source"]), names)  # type: ignore[arg-type]
