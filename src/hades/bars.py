"""Bars and curves made of characters, for a terminal."""

import math
from collections.abc import Sequence

LEVELS, PLAIN = "▁▂▃▄▅▆▇█", "_.-~=+*#"
"""Of a curve, from the least; and those that every terminal has."""


def bar(share: float, width: int, plain: bool = False) -> tuple[str, str]:
    """What is done of so many characters, and what is not.

    Args:
        plain: by characters that every terminal has.

    Examples:
        >>> "|".join(bar(0.7, 10, plain=True)), "|".join(bar(0.0, 4))
        ('#######|...', '|────')
    """
    done = round(min(max(share, 0.0), 1.0) * width)
    full, empty = ("#", ".") if plain else ("━", "─")
    return full * done, empty * (width - done)


def sparkline(values: Sequence[float | None], width: int, plain: bool = False) -> str:
    """A curve of at most so many characters, from its least to its most; gaps where there is no number.

    Args:
        plain: by characters that every terminal has.

    Examples:
        >>> sparkline([1, 2, None, 8], 9), sparkline([0, 0, 4, 4, 8, 8], 3), sparkline([5, 5], 9)
        ('▁▂ █', '▁▅█', '▅▅')
    """
    means = [_mean(values[i * len(values) // width : (i + 1) * len(values) // width]) for i in range(width)]
    shown = means if len(values) > width else list(map(_finite, values))
    known = [value for value in shown if value is not None]
    least, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)

    levels = PLAIN if plain else LEVELS

    def level(value: float) -> str:
        return levels[int((value - least) / span * (len(levels) - 1) + 0.5)] if span else levels[len(levels) // 2]

    return "".join(" " if value is None else level(value) for value in shown)


def fitted(pieces: Sequence[str], width: int, between: str = "  ") -> str:
    """As many pieces as have room, from the first on, which is cut off where it alone has none.

    Examples:
        >>> fitted(["searching", "mean 12", "best 30"], 20)
        'searching  mean 12'
    """
    line = pieces[0][: max(0, width)] if pieces else ""
    for piece in pieces[1:]:
        if len(line) + len(between) + len(piece) > width:
            break
        line += between + piece
    return line


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in map(_finite, values) if value is not None]
    return sum(known) / len(known) if known else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
