"""README and docs say what the committed results say."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from hades import zoo

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def scripts() -> Any:
    """The folder of that name, from which modules can be imported."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(ROOT / "scripts")
        yield import_module


def test_what_is_drawn_is_drawn_from_the_results(scripts: Any) -> None:
    pages = scripts("pages")
    for page in pages.PAGES:
        assert pages.filled(page.read_text()) == page.read_text(), f"python scripts/pages.py draws {page.name} anew"


def test_every_figure_has_a_source_and_is_what_that_says(scripts: Any) -> None:
    assert scripts("claims").problems() == []


def test_a_figure_that_is_another_or_has_no_source_is_found(scripts: Any) -> None:
    claims = scripts("claims")
    known = [claims.Claim("page.md", "it returns 805.", "hades study laptop")]
    page = "At width 512, `--size 4`, it returns 805. See [there](x9.md).\n\n    hades distill --size 7\n"
    assert claims.wrong("page.md", page, known) == []
    assert claims.wrong("page.md", page.replace("805", "806"), known) == [
        "page.md does not say 'it returns 805.', as hades study laptop gave",
        "page.md: 806 has no source, in '...At width 512, `--size 4`, it returns 806. See [there](x9.md)....'",
    ]
    assert "page.md: 1,741.5 has no source" in claims.wrong("page.md", f"{page}\nIt has 1,741.5.", known)[0]
    drawn = f"{page}<!-- reached -->\n| 3 |\n<!-- end -->\n```\n17\n```\n"
    assert claims.wrong("page.md", drawn, known) == []


def test_the_gallery_shows_every_dataset_as_its_card_says(scripts: Any) -> None:
    gallery = scripts("gallery")
    assert gallery.page() == gallery.PAGE.read_text(), "python scripts/gallery.py draws docs/gallery.md anew"
    shown = set(re.findall(r'"(gallery/[^"]+)"', gallery.PAGE.read_text()))
    assert {f"gallery/{name}.png" for name in zoo.names()} <= shown
    assert [name for name in shown if not (gallery.PAGE.parent / name).exists()] == []
