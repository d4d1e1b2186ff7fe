"""Text for people: tables, as lines of text and as Markdown, and what a terminal is not to be sent."""

from collections.abc import Sequence

ALIKE = "†"
NOTE = (
    f"{ALIKE} Exactly alike: at the most that there is to have, or one episode over and over. Look before comparing."
)


def align(rows: Sequence[Sequence[str]]) -> str:
    """A table as lines of text, its columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *_note(rows)])


def markdown(table: Sequence[Sequence[str]]) -> str:
    """A header, then lines."""
    header, *lines = ["| " + " | ".join(line) + " |" for line in table]
    return "\n".join([header, "|---" * len(table[0]) + "|", *lines, *_note(table)])


def marked(words: str, alike: bool) -> str:
    """Scores in words; marked where there are several and all are the same, which the table then explains below it."""
    return f"{words}{ALIKE}" if alike else words


def counted(number: float, things: str) -> str:
    """A number of things.

    Examples:
        >>> counted(1, "generations"), counted(0.5, "minutes"), counted(5_000_000, "steps")
        ('1 generation', '0.5 minutes', '5,000,000 steps')
    """
    digits = f"{number:,.0f}" if number == int(number) else f"{number:,g}"
    return f"{digits} {things.removesuffix('s') if number == 1 else things}"


def _note(table: Sequence[Sequence[str]]) -> list[str]:
    return ["", NOTE] if any(ALIKE in cell for row in table for cell in row) else []


def printable(text: str, but: str = "") -> str:
    """Text without characters that a terminal acts on, or that end a line: what is in files is not ours.

    Args:
        but: characters that stay.
    """
    return "".join(c if c.isprintable() or c in but else c.encode("unicode_escape").decode() for c in text)
