"""The pages that the code writes are what it says now."""

from pathlib import Path

import pytest

from hades.cli.reference import PAGES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_in_docs_is_that_of_the_code(name: str) -> None:
    """Else: python -m hades.cli.reference NAME > docs/NAME.md."""
    assert (DOCS / f"{name}.md").read_text() == PAGES[name]() + "\n"
