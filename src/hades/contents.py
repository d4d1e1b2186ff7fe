"""What a dataset holds, as a file has it: arrays of 32-bit numbers, and JSON."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from hades.aliases import Json, Options
from hades.errors import InputError
from hades.files import dumps
from hades.options import check_entries, option, shown

MOST_CLASSES = 2**16
"""That class numbers are told from one another."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What HaDES acts on of a dataset's ``info``, where it is there."""

    metric: str | None = option(None)
    greedy: bool = option(False)
    init_key: tuple[int, ...] | None = option(None, least=0, most=2**32 - 1)
    own_networks: tuple[Mapping[str, Any], ...] | None = option(None)
    task_options: Mapping[str, Any] = option({})
    parts: tuple[Mapping[str, Any], ...] = option(())


@dataclass(frozen=True, kw_only=True)
class Part:
    """Of a union of several tasks' datasets, one task's; with arrays ``obs_mean`` and ``obs_std``."""

    task: str = option()
    task_options: Mapping[str, Any] = option()
    size: int = option(least=1)
    first: int = option(least=0)


OWN_RECIPE = "its own recipe"
"""What a card calls the recipe that a dataset was distilled for."""


def mapping(value: Any) -> Json:
    """What a header has at a place where values by their names are expected; of anything else nothing."""
    return value if isinstance(value, dict) else {}


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a number that people can be told."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -(2**63) < value < 2**63


def is_count(value: Any) -> TypeGuard[int]:
    """Whether it is a whole number, and none below zero."""
    return is_number(value) and isinstance(value, int) and value >= 0


def scores_of(info: Options) -> dict[str, Json]:
    """By recipe, the scores that a dataset's ``info`` tells of: a card's, or its run's, if any."""
    known = mapping(mapping(info.get("card")).get("scores")) or {OWN_RECIPE: info.get("score")}
    return {name: _score(score) for name, score in known.items()}


def generalisation_of(info: Options) -> Json:
    """For how many other settings it works, where a card, or ``info`` itself, tells of it; else nothing."""
    known = mapping(mapping(info.get("card")).get("generalisation") or info.get("generalisation"))
    whole = all(is_number(known.get(name)) for name in ("share", "within")) and is_count(known.get("settings"))
    return known if whole else {}


def _score(value: Any) -> Json:
    """What is of a score what it should be: somebody else's header may have anything there."""
    known = mapping(value)
    return {name: known[name] for name, good in _OF_SCORE.items() if name in known and good(known[name])}


def _figure(value: Any) -> bool:
    """A number; one that is not finite is null in a file."""
    return value is None or isinstance(value, float) or is_number(value)


def _interval(value: Any) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 2 and all(map(_figure, value)))


def _text(value: Any) -> bool:
    return isinstance(value, str)


_OF_SCORE: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("mean", "std", "std_of_inits", "iqm", "min", "max"), _figure),
    **dict.fromkeys(("inits", "episodes", "diverged"), is_count),
    **dict.fromkeys(("metric", "networks", "interval_over"), _text),
    "iqm_interval": _interval,
}
"""What a score has, as `hades.scores.Evaluation.summary` says it, and what each may be."""


def as_float32(name: str, value: Any) -> np.ndarray:
    """Whatever numpy makes an array of, in 32 bits; of labels ``[N]`` that are whole numbers, one-hot rows.

    Raises:
        InputError: for anything but finite numbers.
    """
    try:
        array = np.asarray(value)
        if array.dtype.kind in "cmMUS":
            raise TypeError(f"its numbers are {array.dtype}")
        if name == "labels" and array.ndim == 1 and array.dtype.kind in "biu":
            array = _one_hot(array.astype(np.int64))
        with np.errstate(over="ignore"):
            array = array.astype(np.float32, copy=False)
    except InputError:
        raise
    except Exception as error:  # whatever another library's tensor has to say
        says = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{name} must be an array of numbers, not {shown(value)} ({says})") from None
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds {np.count_nonzero(~np.isfinite(array))} values that are not finite numbers")
    return array


def _one_hot(classes: np.ndarray) -> np.ndarray:
    if not ((classes >= 0) & (classes < MOST_CLASSES)).all():
        raise InputError(f"labels that are class numbers go from 0 to {MOST_CLASSES - 1}")
    return classes[:, None] == np.arange(classes.max(initial=-1) + 1)


def as_json(name: str, value: Any) -> Json:
    """Values by their names, as a file has them.

    Raises:
        InputError: for what a file cannot have.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{name} must be values by their names, not {shown(value)}")
    try:
        return json.loads(dumps(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{name} must be JSON: {error}") from None


def as_info(info: Any) -> Json:
    """What a dataset's ``info`` is in its file.

    Raises:
        InputError: for what a file cannot have, or what HaDES reads of it and is something else.
    """
    known = as_json("info", info)
    check_entries(Known, known, "info")
    for part in known.get("parts", ()):
        check_entries(Part, part, "a part")
        for name in ("obs_mean", "obs_std"):
            as_float32(name, part.get(name))
    return known
