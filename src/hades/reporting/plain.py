"""Figures whose words are drawn as they are: in the name of a file or of a number, "$" and "^" are no mathematics."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter


class PlainFigure(Figure):
    """As matplotlib's; only the powers of ten on a logarithmic scale are mathematics."""

    def draw(self, renderer: Any) -> None:
        """As a figure's, of whatever was added to it by now."""
        axes = [axis for ax in self.axes for axis in (ax.xaxis, ax.yaxis)]
        major = [axis for axis in axes if isinstance(axis.get_major_formatter(), LogFormatter)]
        minor = [axis for axis in axes if isinstance(axis.get_minor_formatter(), LogFormatter)]
        powers = {id(text) for axis in major for text in axis.get_majorticklabels()}
        powers |= {id(text) for axis in minor for text in axis.get_minorticklabels()}
        for text in self.findobj(Text):
            if isinstance(text, Text):
                text.set_parse_math(id(text) in powers)
        super().draw(renderer)
