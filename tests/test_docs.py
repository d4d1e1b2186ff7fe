"""What docs/environments.md shows runs as it stands there."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "environments.md"


@pytest.mark.slow
@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))
def test_examples_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    exec(code, names)
    assert "result" in names
