"""Text for people: tables, as lines of text and as Markdown, and what a terminal is not to be sent."""

from collections.abc import Sequence


def align(rows: Sequence[Sequence[str]]) -> str:
    """A table as lines of text, its columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def markdown(table: Sequence[Sequence[str]]) -> str:
    """A header, then lines."""
    header, *lines = ["| " + " | ".join(line) + " |" for line in table]
    return "\n".join([header, "|---" * len(table[0]) + "|", *lines])


def printable(text: str, but: str = "") -> str:
    """Text without characters that a terminal acts on, or that end a line: what is in files is not ours.

    Args:
        but: characters that stay.
    """
    return "".join(c if c.isprintable() or c in but else c.encode("unicode_escape").decode() for c in text)
