"""Grids whose channels say what is where, and observations that are pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hades.tasks.scenes.base import GROUND

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's, and what can still be told from them.
COLOURS = (
    "#0072B2", "#D55E00", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#7F3C8D", "#8C510A", "#666666",
)  # fmt: skip
FAINT = 0.15
"""Of the strongest: what is weaker is not drawn."""
ABSENT = 0.35
"""Of the strongest: what is as far below nothing is marked."""


@dataclass(frozen=True)
class Grid:
    """Cells ``[H, W, C]``: each in the colour of the channel that is strongest in it, the paler the weaker.

    A grid that was distilled also has negative values: less than nothing, which a small bar in the channel's colour
    marks where it is large.

    Attributes:
        names: of the channels, for the legend.
    """

    names: Sequence[str] = ()
    ratio: float = 1.0

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`; what is done is told beside it."""
        del action
        from matplotlib.colors import to_rgb

        grid = np.asarray(observation, np.float64)
        height, width, channels = grid.shape
        palette = np.asarray([to_rgb(colour) for colour in (COLOURS * channels)[:channels]])
        most, strongest = max(1.0, float(np.quantile(grid, 0.995))), grid.argmax(-1)
        alpha = np.clip(grid.max(-1) / most, 0, 1)
        alpha = np.where(alpha < FAINT, 0, alpha)
        ax.imshow(np.dstack([palette[strongest], alpha]), extent=(0, width, height, 0), interpolation="nearest")
        least, weakest = grid.min(-1), grid.argmin(-1)
        for row, column in zip(*np.nonzero((least < -ABSENT * most) & (-least > grid.max(-1))), strict=True):
            strength = float(np.clip(-least[row, column] / most, 0, 1))
            ax.plot(
                [column + 0.5 - 0.35 * strength, column + 0.5 + 0.35 * strength], [row + 0.5, row + 0.5],
                color=palette[weakest[row, column]], lw=1.2,
            )  # fmt: skip
        ax.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], aspect="equal")
        for spine in ax.spines.values():
            spine.set(visible=True, color=GROUND, linewidth=0.8)
        return False

    def legend(self) -> list[tuple[str, str]]:
        """Names and colours of its channels."""
        return list(zip(self.names, COLOURS * len(self.names), strict=False))


@dataclass(frozen=True)
class Frame:
    """Observations that are pictures ``[H, W, C]``: in colours where there are three channels, else the last, grey."""

    ratio: float = 1.0

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`; what is done is told beside it."""
        del action
        picture = np.asarray(observation, np.float64)
        most = 255.0 if picture.max() > 1.5 else 1.0
        picture = np.clip(picture / most, 0, 1)
        shown = picture if picture.shape[-1] == 3 else picture[..., -1]
        ax.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set_axis_off()
        return False
