"""What docs/environments.md shows runs as it stands there."""

import re
from pathlib import Path

import pytest

import hades

PAGE = Path(__file__).parents[1] / "docs" / "environments.md"


@pytest.mark.slow
@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))
def test_examples_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    if file := re.match(r'"""[^"]* (\w+\.py)\."""', code):
        assert code == (PAGE.parents[1] / "examples" / file[1]).read_text()
        (tmp_path / file[1]).write_text(code)
        name = re.findall(r"^class (\w+)", code, re.MULTILINE)[-1]
        hades.check(hades.make(f"{file[1]}:{name}", max_steps=9))
        return
    exec(code, names)
    assert "result" in names
