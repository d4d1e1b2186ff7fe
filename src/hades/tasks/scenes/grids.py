"""Grids whose channels say what is where, and observations that are pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hades.tasks.scenes.base import Doing, Legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHANNELS = 16
"""Of a grid, at most."""
BOARD = "#1B1F26"
"""Dark, as in the games, on light and dark pages alike."""
# Okabe and Ito's on a dark board, and what can still be told from them.
COLOURS = (
    "#56B4E9", "#FFFFFF", "#999999", "#D55E00", "#F0E442", "#009E73", "#CC79A7", "#E69F00", "#0072B2", "#B39DDB",
)  # fmt: skip
GAMES: Mapping[str, str] = {
    "ball": "#F0E442", "player": "#56B4E9", "enemy": "#D55E00", "gold": "#F0E442",
    "chicken": "#F0E442", "car": "#D55E00",
    "speed 1": "#FFFFFF", "speed 2": "#56B4E9", "speed 3": "#009E73", "speed 4": "#CC79A7", "speed 5": "#999999",
    "cannon": "#56B4E9", "alien": "#009E73", "aliens go left": "#E69F00", "aliens go right": "#CC79A7",
    "own bullet": "#FFFFFF", "their bullet": "#D55E00", "submarine": "#56B4E9", "its back": "#0072B2",
    "fish": "#CC79A7", "their submarine": "#E69F00", "oxygen": "#009E73", "divers": "#B39DDB", "diver": "#F0E442",
}  # fmt: skip
"""What channels' names are known by; others take their turn."""
CELL = 14
"""Pixels of a cell's side."""
FAR = 2
"""From here on, what is more than wholly there is beyond what a game shows."""
FAINT, ABSENT, SECOND = 0.3, 0.5, 0.75
"""Of what is wholly there: what is weaker is not drawn, of what is there, less than nothing, and second."""


@dataclass(frozen=True)
class Grid:
    """Cells ``[H, W, C]``: in each a square of the channel that is strongest, the larger the more it is there.

    A second channel that is there as well is a smaller square on it. A grid that was distilled also has negative
    values, less than nothing: where one is the strongest, its square is hollow.

    Attributes:
        names: of the channels, for the legend.
    """

    doing: Doing
    ratio: float = 1.0
    names: Sequence[str] = ()

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`; of values that spread far beyond 1, the strongest are wholly there."""
        grid = np.asarray(observation, np.float64)
        most = max(1.0, float(np.quantile(np.abs(grid), 0.99)))
        height, width = grid.shape[:2]
        pixels = painted(grid / most, self.colours(grid.shape[-1]))
        ax.imshow(pixels, extent=(0, width, height, 0), interpolation="nearest")
        ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
        ax.set_axis_off()
        self.doing.tell(ax, action)
        return bool(np.abs(grid).max() > FAR)

    def colours(self, channels: int) -> list[str]:
        """One a channel."""
        names = self.names or [""] * channels
        return [GAMES.get(name, COLOURS[i % len(COLOURS)]) for i, name in enumerate(names)]

    def legend(self) -> Legend:
        """As `hades.tasks.scenes.base.Scene`: the channels, and what is hollow."""
        channels = zip(self.names, self.colours(len(self.names)), strict=True)
        return [*channels, ("hollow: less than nothing", "none")]


def painted(grid: np.ndarray, colours: Sequence[str]) -> np.ndarray:
    """Cells ``[H, W, C]``, 1 where something is wholly there, as pixels ``[H * CELL, W * CELL, 3]``."""
    from matplotlib.colors import to_rgb

    palette, board = np.asarray([to_rgb(colour) for colour in colours]), np.asarray(to_rgb(BOARD))
    order = np.argsort(-np.abs(grid), -1)
    rings = np.arange(CELL) - (CELL - 1) / 2
    away = np.maximum(np.abs(rings)[:, None], np.abs(rings)[None])  # of a cell's pixels from its middle
    pixels = np.broadcast_to(board, (*grid.shape[:2], CELL, CELL, 3)).copy()
    for rank, size in ((0, 1.0), (1, 0.5))[: grid.shape[-1]]:
        channel = order[..., rank]
        value = np.take_along_axis(grid, channel[..., None], -1)[..., 0]
        least = np.where(value < 0, ABSENT, FAINT) if rank == 0 else SECOND
        strength = np.clip(np.abs(value), 0, 1) * (np.abs(value) >= least)
        reach = (size * (CELL / 2 - 0.5) * np.sqrt(strength))[..., None, None]
        inside = (away <= reach) & (strength > 0)[..., None, None]
        hollow = inside & (away < reach - 0.9) & (value < 0)[..., None, None]
        bright = np.where(value < 0, 0.6, 0.35 + 0.65 * strength)
        colour = board + (palette[channel] - board) * bright[..., None]
        drawn = inside & ~hollow & ((value > 0) | (rank == 0))[..., None, None]
        pixels = np.where(drawn[..., None], colour[:, :, None, None], pixels)
    return pixels.swapaxes(1, 2).reshape(grid.shape[0] * CELL, grid.shape[1] * CELL, 3)


@dataclass(frozen=True)
class Frame:
    """Observations that are pictures ``[H, W, C]``: in colours where there are three channels, else the last, grey."""

    doing: Doing
    ratio: float = 1.0

    def draw(self, ax: "Axes", observation: np.ndarray, action: np.ndarray | None = None) -> bool:
        """As `hades.tasks.scenes.base.Scene`."""
        picture = np.asarray(observation, np.float64)
        picture = picture / (255.0 if np.abs(picture).max() > 8 else 1.0)
        shown = np.clip(picture if picture.shape[-1] == 3 else picture[..., -1], 0, 1)
        ax.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set_axis_off()
        self.doing.tell(ax, action)
        return bool(picture.min() < -0.5 or picture.max() > 1.5)

    def legend(self) -> Legend:
        """As `hades.tasks.scenes.base.Scene`: it has no colours of its own."""
        return []
