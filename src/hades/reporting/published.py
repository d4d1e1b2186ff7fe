"""What the paper reports: mean return and its standard deviation over seeds, by its authors' release of their runs."""

from typing import NamedTuple


class Level(NamedTuple):
    """Of the paper's runs on a task."""

    mean: float
    std: float
    size: int
    """Of its datasets."""

    def words(self, init: str) -> str:
        """As a figure names it."""
        return f"paper's HaDES-{'F' if init == 'fixed' else 'R'}, {self.size} pairs"


_RANDOM: dict[str, tuple[Level, ...]] = {
    "brax/ant": (Level(249.6, 139.9, 64),),
    "brax/halfcheetah": (Level(2707.1, 200.4, 4), Level(3449.8, 17.6, 16), Level(3346.8, 121.4, 64)),
    "brax/hopper": (Level(1741.0, 80.1, 4), Level(1781.5, 33.0, 16), Level(1771.3, 20.4, 64)),
    "brax/humanoid": (Level(1013.3, 164.8, 4), Level(1106.1, 51.9, 16), Level(1737.3, 520.3, 64)),
    "brax/humanoidstandup": (Level(218655, 23251, 64),),
    "brax/inverted_double_pendulum": (Level(7589.4, 1203.1, 64),),
    "brax/reacher": (Level(-168.5, 2.5, 64),),
    "brax/walker2d": (Level(1292.3, 314.0, 4), Level(2397.1, 190.5, 64)),
    "Asterix-MinAtar": (Level(4.65, 0.34, 16),),
    "Breakout-MinAtar": (Level(10.66, 1.64, 16),),
    "Freeway-MinAtar": (Level(0.0, 0.0, 16),),
    "SpaceInvaders-MinAtar": (Level(25.22, 2.05, 16),),
}
_FIXED: dict[str, tuple[Level, ...]] = {
    "brax/ant": (Level(1129.5, 385.1, 64),),
    "brax/halfcheetah": (Level(2782.3, 164.5, 4), Level(3544.8, 46.0, 16), Level(3625.8, 2.9, 64)),
    "brax/hopper": (Level(1796.8, 36.4, 4), Level(1838.0, 1.6, 16), Level(1835.4, 12.2, 64)),
    "brax/humanoid": (Level(1034.0, 172.2, 4), Level(2301.3, 1211.2, 16), Level(4610.2, 109.5, 64)),
    "brax/humanoidstandup": (Level(249962, 25170, 64),),
    "brax/inverted_double_pendulum": (Level(8949.9, 458.5, 64),),
    "brax/reacher": (Level(-168.2, 2.6, 64),),
    "brax/walker2d": (Level(2725.8, 109.4, 64),),
    "Asterix-MinAtar": (Level(7.75, 0.25, 16),),
    "Breakout-MinAtar": (Level(15.18, 3.64, 16),),
    "Freeway-MinAtar": (Level(0.0, 0.0, 16),),
    "Pong-misc": (Level(193.3, 4.1, 3),),
    "SpaceInvaders-MinAtar": (Level(39.67, 0.29, 16),),
}


def published(task: str, init: str, size: int) -> Level | None:
    """The paper's level on a task, of datasets of the size that is nearest; None where it has none.

    Args:
        init: ``"random"`` (HaDES-R) or ``"fixed"`` (HaDES-F).

    Examples:
        >>> published("brax/hopper", "random", 4)
        Level(mean=1741.0, std=80.1, size=4)
    """
    levels = (_FIXED if init == "fixed" else _RANDOM).get(task, ())
    return min(levels, key=lambda level: abs(level.size - size), default=None)
