"""What figures have in common: one style, colours that everyone can tell apart, no global state, no display."""

import html
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = Path(__file__).parent / "hades.mplstyle"
# Okabe and Ito's colours can be told apart by everyone.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def subplots(
    rows: int,
    columns: int,
    size: tuple[float, float],
    widths: Sequence[float] | None = None,
    layout: Literal["constrained"] | None = "constrained",
    dpi: float | None = None,
) -> tuple["Figure", list["Axes"]]:
    """A figure without pyplot."""
    from matplotlib import style

    from hades.reporting.plain import PlainFigure

    with style.context(STYLE):
        figure = PlainFigure(figsize=size, layout=layout, dpi=dpi)
        axes = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    return figure, list(axes.ravel())


def named(name: str) -> str:
    """A name in a legend, which would leave out one that begins with an underscore."""
    return f" {name}" if name.startswith("_") else name


def above(ax: "Axes", ncol: int = 2, **more: Any) -> None:
    """A legend that nothing lies under."""
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=ncol, frameon=False, fontsize=8, handlelength=1.4,
              columnspacing=1.2, **more)  # fmt: skip


def png(figure: "Figure") -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def svg(figure: "Figure", words: str, name: str) -> str:
    """A figure as a part of a page, whose colour of text it takes.

    Args:
        words: what is seen in it, for who does not see it.
        name: among the page's figures; its parts are named by it, which must not be called alike.
    """
    from matplotlib import style

    buffer = io.StringIO()
    with style.context(STYLE):
        figure.savefig(buffer, format="svg", transparent=True, dpi=120, metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()[buffer.getvalue().index("<svg") :]
    drawn = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", drawn)
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.S)
    drawn = re.sub(r'(<svg[^>]*?) width="[^"]*"| height="[^"]*"(?=[^>]*viewBox)', r"\1", drawn, count=2)
    drawn = drawn.replace("#000000", "currentColor")
    return drawn.replace("<svg", f'<svg role="img" aria-label="{html.escape(words)}"', 1)
