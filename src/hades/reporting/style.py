"""What figures have in common: colours that everyone can tell apart, no global state, no display."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours can be told apart by everyone.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def subplots(
    rows: int, columns: int, size: tuple[float, float], widths: Sequence[float] | None = None
) -> tuple["Figure", list["Axes"]]:
    """A figure without pyplot: no global state, no display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    return figure, list(axes.ravel())


def png(figure: "Figure") -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()
