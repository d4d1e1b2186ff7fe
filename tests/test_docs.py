"""What the pages show runs as it stands there, and their commands are ones that there are."""

import re
import shlex
from pathlib import Path

import pytest

import hades
from hades.cli.parsing import parse
from hades.errors import InputError

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "docs" / "environments.md"]
    + [page for kind in ("tutorials", "how-to", "explanation") for page in (ROOT / "docs" / kind).glob("*.md")]
)
ALONE = {"environments.md"}
"""Pages whose examples are each by itself; others go on from block to block."""


def blocks(page: Path, language: str) -> list[str]:
    """A page's code."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def examples(page: Path) -> list[str]:
    """What is to run: block by block, or the page as one."""
    found = blocks(page, "python")
    return found if page.name in ALONE else ["\n".join(part for part in found if not _file(part))][: len(found)]


def _file(code: str) -> re.Match[str] | None:
    """The name of the file that a block is."""
    return re.match(r'"""[^"]* (\w+\.py)\."""', code)


CASES = [pytest.param(page, code, id=f"{page.stem}-{i}") for page in PAGES for i, code in enumerate(examples(page))]


@pytest.mark.slow
@pytest.mark.parametrize(("page", "code"), CASES)
def test_examples_run(page: Path, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for part in blocks(page, "python"):
        if file := _file(part):
            assert part == (ROOT / "examples" / file[1]).read_text()
            (tmp_path / file[1]).write_text(part)
    if file := _file(code):
        name = re.findall(r"^class (\w+)", code, re.MULTILINE)[-1]
        hades.check(hades.make(f"{file[1]}:{name}", max_steps=9))
        return
    names: dict[str, object] = {"__name__": "example"}
    exec(code, names)
    assert len(names) > 2


COMMANDS = [
    (page, line)
    for page in [ROOT / "README.md", *PAGES, ROOT / "docs" / "images.md"]
    for line in re.findall(
        r"^(?: {4})?(hades [^\n#]*)", "\n".join([*blocks(page, "sh"), page.read_text()]), re.MULTILINE
    )
]


@pytest.mark.parametrize(("page", "line"), sorted(set(COMMANDS)), ids=lambda x: x if isinstance(x, str) else x.stem)
def test_commands_are_ones_that_there_are(page: Path, line: str) -> None:
    try:
        parse(shlex.split(line)[1:])
    except InputError as error:
        pytest.fail(f"{page.name}: {line}: {error}")
