"""The plan of a distillation: phases, each a strategy that begins anew or goes on, with a share of the budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from hades.config import Config
from hades.errors import InputError
from hades.options import bare

EXPLORE = Fraction(1, 2)
"""Of the budget: what several searches share before the best of them gets the rest."""


@dataclass(frozen=True)
class Phase:
    """One phase.

    Attributes:
        strategy: its name.
        share: of the budget.
        start: the number of the start that it begins from; None: it goes on from the best so far.
        std: initial standard deviation, where it is not the configuration's.
    """

    strategy: str
    share: Fraction
    start: int | None = None
    std: float | None = None

    @property
    def settings(self) -> tuple[str, float | None]:
        """Equal for phases of which the later one can go on with the strategy's state of the former."""
        return bare(self.strategy), self.std


@dataclass(frozen=True)
class Plan:
    """Phases, one after the other; their shares sum to one."""

    phases: tuple[Phase, ...]

    def __len__(self) -> int:
        return len(self.phases)

    def end(self, turn: int) -> float:
        """The share of the budget after which a phase is over."""
        return 1.0 if turn + 1 >= len(self) else float(sum(phase.share for phase in self.phases[: turn + 1]))

    @property
    def starts(self) -> int:
        """How many phases begin anew."""
        return sum(phase.start is not None for phase in self.phases)

    @property
    def strategies(self) -> tuple[Phase, ...]:
        """The first phase of each strategy."""
        first: dict[tuple[str, float | None], Phase] = {}
        for phase in self.phases:
            first.setdefault(phase.settings, phase)
        return tuple(first.values())

    def number(self, turn: int) -> int:
        """Of a phase's strategy among `strategies`."""
        return [phase.settings for phase in self.strategies].index(self.phases[turn].settings)


def plan_of(config: Config) -> Plan:
    """Several starts, of which the best goes on; then strategies that polish it.

    Raises:
        InputError: for shares that are none, or leave nothing.
    """
    polish = [_polish(text) for text in config.polish]
    rest = 1 - sum((phase.share for phase in polish), Fraction())
    if rest <= 0:
        raise InputError(f"polish takes {float(1 - rest):g} of the budget; leave some for {config.strategy}")
    plan = Plan((*_search(config.strategy, config.searches, rest), *polish))
    for before, phase in pairwise(plan.phases):
        if phase in polish and phase.settings == before.settings:
            raise InputError(
                f"polish by {phase.strategy} would change nothing, for the search is by it already; "
                f"give it a standard deviation of its own: {phase.strategy}@{float(phase.share):g}@STD"
            )
    return plan


def _search(strategy: str, searches: int, share: Fraction) -> Sequence[Phase]:
    if searches == 1:
        return [Phase(strategy, share, 0)]
    each = [Phase(strategy, share * EXPLORE / searches, number) for number in range(searches)]
    return [*each, Phase(strategy, share * (1 - EXPLORE))]


def _polish(text: str) -> Phase:
    """``NAME@SHARE`` or ``NAME@SHARE@STD``."""
    says = f"polish is NAME@SHARE or NAME@SHARE@STD, with a share between 0 and 1, such as SNES@0.2, not '{text}'"
    strategy, *numbers = text.split("@")
    try:
        share, *std = _share(numbers[0]), *map(float, numbers[1:])
    except (ValueError, ZeroDivisionError, IndexError):
        raise InputError(says) from None
    if not strategy or not 0 < share < 1 or len(std) > 1 or not all(0 < one < float("inf") for one in std):
        raise InputError(says)
    return Phase(strategy, share, std=std[0] if std else None)


def _share(text: str) -> Fraction:
    """``0.2``, exactly, or ``1/5``; an enormous exponent is infinite, not computed."""
    return Fraction(text if "/" in text else str(float(text)))
