"""What the numbers of a pair mean to its environment: their names, and what actions from -1 to 1 stand for."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hades.aliases import Json
from hades.errors import InputError
from hades.options import shown


class Units(NamedTuple):
    """Of an environment's observations and actions; what is not known is empty."""

    observations: tuple[str, ...] = ()
    """Names along an observation's last axis: of a vector its numbers, of a grid its channels."""
    actions: tuple[str, ...] = ()
    """Names of discrete actions, or of a continuous one's dimensions."""
    low: tuple[float, ...] = ()
    """What -1 stands for in each dimension of a continuous action; empty: -1 itself."""
    high: tuple[float, ...] = ()
    """What 1 stands for."""

    @classmethod
    def bounded(cls, low: Any, high: Any) -> "Units":
        """Of a continuous action, by its bounds ``[act]``; those of [-1, 1] need not be said."""
        low, high = (tuple(np.asarray(bound, float).reshape(-1).tolist()) for bound in (low, high))
        return cls() if set(low) == {-1.0} and set(high) == {1.0} else cls(low=low, high=high)

    @classmethod
    def read(cls, value: Any, obs: int, actions: int) -> "Units":
        """What a file has, or a caller gives, for so many numbers of observations and actions.

        Raises:
            InputError: for anything else.
        """
        if isinstance(value, cls):
            value = value._asdict()
        if not isinstance(value, Mapping) or not set(value) <= set(cls._fields):
            raise InputError(f"units are {', '.join(cls._fields)} by their names, not {shown(value)}")
        read = cls(
            _several(value, "observations", obs, "words", str),
            _several(value, "actions", actions, "words", str),
            _several(value, "low", actions, "finite numbers", float, int),
            _several(value, "high", actions, "finite numbers", float, int),
        )
        if bool(read.low) != bool(read.high):
            raise InputError("units: low and high belong together")
        return read

    def said(self) -> Json:
        """What is known, as a file has it."""
        return {name: list(value) for name, value in self._asdict().items() if value}

    def raw(self, actions: np.ndarray) -> np.ndarray:
        """Actions ``[N, act]`` in the environment's units, of those in [-1, 1]."""
        return np.asarray(self._low + (self._high - self._low) * (actions + 1) / 2, np.float32)

    def scaled(self, actions: np.ndarray) -> np.ndarray:
        """Actions ``[N, act]`` in [-1, 1], of those in the environment's units."""
        span = np.where(self._high > self._low, self._high - self._low, 1)
        return np.asarray(2 * (actions - self._low) / span - 1, np.float32)

    def likeliest(self, shares: np.ndarray) -> tuple[str, str]:
        """Of discrete actions, by their probabilities ``[actions]``: its name; and its share, unless it is sure."""
        best = int(np.argmax(shares))
        name = self.actions[best] if self.actions else f"action {best}"
        return name, "" if shares[best] > 0.995 else f"{shares[best]:.0%}"

    @property
    def _low(self) -> np.ndarray:
        return np.asarray(self.low or -1, np.float64)

    @property
    def _high(self) -> np.ndarray:
        return np.asarray(self.high or 1, np.float64)


class Raw(NamedTuple):
    """Pairs as the environment has them."""

    observations: np.ndarray
    """``[N, *obs]``, not normalised."""
    actions: np.ndarray
    """Continuous ones ``[N, act]`` between the environment's bounds; discrete ones' probabilities ``[N, actions]``."""


def _several(value: Mapping[str, Any], name: str, number: int, words: str, *kinds: type) -> tuple[Any, ...]:
    """One of the units' fields: nothing, or so many of a kind."""
    known = value.get(name) or ()
    good = isinstance(known, Sequence) and len(known) in (0, number) and not isinstance(known, str)
    if not good or not all(type(one) in kinds and (isinstance(one, str) or abs(one) < np.inf) for one in known):
        raise InputError(f"units: {name} must be {number} {words}, or none, not {shown(known)}")
    return tuple(known)


def fitting(names: Sequence[str], number: int) -> tuple[str, ...]:
    """Names, if there are so many."""
    return tuple(names) if len(names) == number else ()


def named_or_numbered(names: Sequence[str], number: int) -> list[str]:
    """So many names: those that are known, or numbers."""
    return list(names) or [str(i) for i in range(number)]
