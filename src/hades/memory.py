"""Memory: what a call surely needs of a device, and one line where that is more than there is.

Only what is there at once whatever the compiler does is counted, which is a half to a fifth of what is used in the end:
what would run is not refused.
"""

import functools
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.networks import init_network, make_network
from hades.learner.recipe import Recipe
from hades.parallel import device_memory
from hades.scoring import Fitness
from hades.strategies import SCORES, Strategy

PRODUCTS = ("dot_general", "conv_general_dilated")
"""Operations whose results are kept for the backward pass."""
TRAINED, STEPPED = 3, 4
"""Copies of a network while it trains: parameters, gradients and a moment at the least; of a strategy's state while it
is told: before, after, and what a decomposition works on."""


class Need(NamedTuple):
    """A part of what is needed."""

    what: str
    size: float
    """Bytes on each device."""
    less: str
    """What would make it smaller."""


def check_memory(needs: Iterable[Need]) -> None:
    """Raise `InputError` where needs together are more than a device has, with the largest of them."""
    parts, there = list(needs), device_memory()
    if (total := sum(part.size for part in parts)) > there:
        most, machine = max(parts, key=lambda part: part.size), jax.default_backend() == "cpu"
        shared = jax.local_device_count() if machine else 1  # on CPU, devices share the machine's memory
        said = [f"{shared * size / 1e9:,.1f} GB" for size in (total, there, most.size)]
        raise InputError(
            f"this needs {said[0]} of memory or more, and the {'machine' if machine else 'device'} has {said[1]}: "
            f"{said[2]} for {most.what}; take {most.less}"
        )


def strategies(states: Sequence[tuple[str, Strategy]], population: int, numbers: int) -> list[Need]:
    """Of proposing: a population of candidates of so many numbers, and what each strategy keeps beside it."""
    asked = f"{population:,} candidates of {numbers:,} numbers"
    return [
        Need(asked, 2 * 4 * population * numbers, "a smaller size or population"),
        *(
            Need(f"the state of {name}", STEPPED * tree_bytes(jax.eval_shape(strategy.init, jax.random.key(0))),
                 "a smaller size, or a strategy that keeps less, such as SNES")
            for name, strategy in states
        ),
    ]  # fmt: skip


def networks(fitness: Fitness, population: int, size: int, needs: str = SCORES) -> list[Need]:
    """Of training networks on a population of datasets of ``size`` pairs, and scoring them."""
    ...


@functools.lru_cache(maxsize=256)
def network_bytes(recipe: Recipe, spec: Spec) -> int:
    """Of one network's parameters."""
    return tree_bytes(jax.eval_shape(functools.partial(init_network, recipe, spec), jax.random.key(0)))


def tree_bytes(tree: PyTree) -> int:
    """Of a pytree's arrays, or of their shapes; a random key counts as two words."""
    return sum(4 * leaf.size ...)
