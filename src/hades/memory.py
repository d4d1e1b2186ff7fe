"""Memory: what a call needs of a device, at the least, and one line where that is more than there is.

Only what must be there at once is counted, a third or so of what is used in the end: what would run is not refused.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax

from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.networks import layer_bytes, network_bytes, tree_bytes
from hades.learner.recipe import Recipe
from hades.learner.span import spans, trained_spec
from hades.parallel import device_memory
from hades.scoring import Fitness
from hades.strategies import SCORES, Strategy

TRAINED = 3
"""Copies of a network that trains: its parameters, their gradients and a moment."""
TOLD = 4
"""Copies of a strategy's state: before and after, and what decomposing it takes."""


class Need(NamedTuple):
    """A part of what a call needs."""

    what: str
    size: float
    """Bytes, of each device."""
    less: str
    """That would make it smaller."""


def check_memory(needs: Sequence[Need]) -> None:
    """Raise `InputError` where needs are more than a device has: how much, and what most of it is for."""
    total, there = sum(need.size for need in needs), device_memory()
    if total <= there:
        return
    most, cpu = max(needs, key=lambda need: need.size), jax.default_backend() == "cpu"
    shared = jax.local_device_count() if cpu else 1  # on CPU, devices share the machine's memory
    needed, has, part = (f"{shared * size / 1e9:,.1f} GB" for size in (total, there, most.size))
    raise InputError(
        f"this needs {needed} of memory or more, {part} of it for {most.what}; "
        f"{'this machine' if cpu else 'a device'} has {has}: {most.less}"
    )


def of_population(candidates: int, numbers: int) -> Need:
    """Of candidates of so many numbers each, as they are proposed and as they are told."""
    what = f"{candidates:,} candidates of {numbers:,} numbers"
    return Need(what, 2 * 4 * candidates * numbers, "make size or population smaller")


def of_state(name: str, strategy: Strategy) -> Need:
    """Of what a strategy keeps."""
    state = tree_bytes(jax.eval_shape(strategy.init, jax.random.key(0)))
    return Need(
        f"the state of {name}", TOLD * state, "make size smaller, or take a strategy that keeps less, such as SNES"
    )


def of_rollouts(recipe: Recipe, spec: Spec, size: int, steps: int) -> Need:
    """Of steps that are collected, and again as they are learnt from: two observations, an action and four numbers.

    And, in the span of ``size`` pairs, what the first layer made of each.
    """
    first = recipe.widths[0] if spans(recipe, spec, size) else 0
    numbers = 2 * math.prod(spec.obs_shape) + spec.num_actions + 4 + first
    return Need(f"{steps:,} steps of rollouts", 2 * 4 * steps * numbers, "make environments, rollout or inits smaller")


def of_training(
    recipe: Recipe, spec: Spec, size: int, networks: int = 1, stored: int = 0, truncated: bool = False
) -> Need:
    """Of networks that train at once on ``size`` pairs each, and what their layers give, forwards and backwards.

    Args:
        stored: copies of a network that a derivative through its training keeps.
        truncated: that derivative is of the last steps alone.
    """
    weights = network_bytes(recipe, trained_spec(recipe, spec, size, truncated))
    pairs = min(size, recipe.batch or size)
    what = f"{_networks(networks, weights)} training on {pairs:,} pairs at once"
    each = (TRAINED + stored) * weights + 2 * pairs * layer_bytes(recipe, spec)
    return Need(what, networks * each + 4 * recipe.epochs, "make size, width or epochs smaller")


def of_networks(
    fitness: Fitness, candidates: int, size: int, needs: str = SCORES, inits: str = "inits", copies: int = 1
) -> list[Need]:
    """Of networks that are trained on candidates of ``size`` pairs each, and scored.

    Args:
        size: 0 where nothing is trained.
        needs: of the strategy; through a derivative, more of the training is kept.
        inits: what the option is called that says how many networks there are.
        copies: of these that are kept.
    """
    recipe, spec, task = fitness.recipe, fitness.task.spec, fitness.task
    weights, chunks, jobs = network_bytes(recipe, spec), fitness.chunks(candidates, size), candidates * fitness.inits
    stored = 0 if needs == SCORES else 2 * math.isqrt(min(recipe.epochs, fitness.window or recipe.epochs))
    episodes, many = fitness.episodes, f"make {inits}, population or episodes smaller"
    playing = weights + episodes * task.episode_bytes() / 4
    return [
        *([of_training(recipe, spec, size, chunks.batch, stored, bool(fitness.window))] if size else []),
        Need(_networks(fitness.inits, weights), copies * fitness.inits * weights, f"make {inits} or width smaller"),
        Need(f"{_networks(chunks.size, weights)} playing {episodes:,} episodes each at once", chunks.size * playing,
             "make episodes, width or chunk smaller"),
        Need(f"{_networks(jobs, weights)} played outside JAX", 0 if task.traced else jobs * weights, many),
        Need(f"scores of {jobs * episodes:,} episodes", 16 * jobs * episodes, many),
    ]  # fmt: skip


def _networks(number: int, weights: int) -> str:
    return f"{number:,} {'network' if number == 1 else 'networks'} of {weights // 4:,} weights"
