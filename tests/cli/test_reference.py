"""The page of options is what the options declare."""

from pathlib import Path

from hades.cli.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "options.md"


def test_the_page_in_docs_is_that_of_the_code() -> None:
    """Else: python -m hades.cli.reference > docs/options.md."""
    assert PAGE.read_text() == page() + "\n"
