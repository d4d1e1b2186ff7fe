"""Actions as colours: one a discrete action, a scale for a continuous one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from hades.dataset import Dataset
from hades.reporting.policies import varying
from hades.reporting.style import BLUE, COLOURS, GREY, ORANGE, above, named
from hades.units import named_or_numbered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

LIGHT = "#E8E8E8"
SEVERAL = COLOURS[:6]
"""Of discrete actions; what is done more rarely than so many others is grey."""
SCALE = 255


class Shades(Protocol):
    """What actions look like."""

    def of(self, actions: np.ndarray) -> np.ndarray:
        """Colours ``[..., 3]`` of actions ``[..., A]``, as targets say them."""
        ...

    def key(self, ax: "Axes") -> None:
        """What the colours mean, beside axes."""
        ...


class Named(NamedTuple):
    """A colour for each discrete action; by their probabilities they are mixed."""

    names: Sequence[str]
    colours: np.ndarray
    """``[A, 3]``."""
    done: np.ndarray
    """``[A]``, whether it is done anywhere."""

    def of(self, actions: np.ndarray) -> np.ndarray:
        """Mixed."""
        return np.clip(actions @ self.colours, 0, 1)

    def key(self, ax: "Axes") -> None:
        """A patch and a name for each that is done."""
        from matplotlib.patches import Patch

        shown = {tuple(self.colours[i]): self.names[int(i)] for i in np.flatnonzero(self.done)[::-1]}
        patches = [Patch(color=colour, label=named(name)) for colour, name in reversed(shown.items())]
        above(ax, handles=patches, ncol=min(4, len(patches)))


class Scaled(NamedTuple):
    """From blue to orange, for one dimension of a continuous action."""

    name: str
    dimension: int
    low: float
    """What -1 stands for."""
    high: float
    """What 1 stands for."""

    def of(self, actions: np.ndarray) -> np.ndarray:
        """By the dimension."""
        return self._colours()(np.clip((actions[..., self.dimension] + 1) / 2, 0, 1))[..., :3]

    def key(self, ax: "Axes") -> None:
        """A bar in the environment's units."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        scale = ScalarMappable(Normalize(self.low, self.high), self._colours())
        bar = ax.figure.colorbar(scale, ax=ax, label=self.name, aspect=18, pad=0.02)
        bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]

    def _colours(self) -> "Colormap":
        from matplotlib.colors import LinearSegmentedColormap

        return LinearSegmentedColormap.from_list("actions", [BLUE, LIGHT, ORANGE], SCALE)


def shades(dataset: Dataset, actions: np.ndarray) -> Shades:
    """For actions ``[..., A]``: of continuous ones the dimension that varies most is shown."""
    from matplotlib.colors import to_rgb

    number, units = dataset.spec.num_actions, dataset.units
    names = named_or_numbered(units.actions, number)
    if not dataset.spec.discrete:
        shown = varying(actions)
        low, high = (units.raw(np.full(number, bound))[shown] for bound in (-1.0, 1.0))
        return Scaled(names[shown] if units.actions else f"action {names[shown]}", shown, float(low), float(high))
    share = actions.reshape(-1, number).mean(0)
    colours, often = np.tile(to_rgb(GREY), (number, 1)), np.argsort(-share, kind="stable")[: len(SEVERAL)]
    for colour, action in zip(SEVERAL, sorted(often), strict=False):
        colours[action] = to_rgb(colour)
    known = [name if units.actions else f"action {name}" for name in names]
    grey = [i for i in range(number) if i not in often]
    known = ["others" if i in grey and len(grey) > 1 else name for i, name in enumerate(known)]
    return Named(known, colours, share > 0.005)
