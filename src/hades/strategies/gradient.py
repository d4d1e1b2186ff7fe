"""The meta-gradient: ascend the score itself, differentiated through the inner loop that trained the network.

Maclaurin et al. 2015; for truncated windows RaT-BPTT, Feng et al. 2023 (arXiv 2311.07025). Where evolution compares a
population, this takes the derivative at one solution: for tasks whose score is differentiable.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import PartitionSpec

from hades.errors import InputError
from hades.fitness import AXIS, Scores, combine, mesh
from hades.strategies import Score, Solution

LEARNING_RATE = 0.01
CLIP = 1.0
"""Largest global norm of the meta-gradient: an inner loop near divergence has enormous ones."""
AVERAGE = 0.1
"""Share of the steps, the last ones, that the search's centre is an average over."""


class GradientState(NamedTuple):
    solution: Solution
    optimiser: Any
    number: jax.Array
    """Of steps."""
    average: Solution
    """Of the last steps' solutions (Polyak & Juditsky 1992), for meta-gradients are noisy."""


class Gradient:
    """Ascent of the score by an optax optimiser.

    Args:
        optimiser: its name in optax: ``"adam"``, ``"sgd"``, ``"lion"``, ...
        solution: the pytree to start from.
        learning_rate: its step size; None for `LEARNING_RATE`.
        options: further arguments of the optimiser, such as ``b1``; ``clip``, in place of `CLIP`; and ``lr_decay``, by
            which each step is smaller than the one before.

    Raises:
        InputError: for an unknown optimiser or option, or an ``lr_decay`` that cannot be.
    """

    def __init__(
        self, optimiser: str, solution: Solution, learning_rate: float | None, options: Mapping[str, float]
    ) -> None:
        make: Any = getattr(optax, optimiser, None)
        accepted = list(inspect.signature(make).parameters) if callable(make) else []
        if "learning_rate" not in accepted:
            raise InputError(f"optax has no optimiser '{optimiser}'; adam, sgd, rmsprop, lion, ... are known")
        accepted.remove("learning_rate")
        options = dict(options)
        clip, decay = options.pop("clip", CLIP), options.pop("lr_decay", 1.0)
        if unknown := set(options) - set(accepted):
            known = ", ".join((*accepted, "clip", "lr_decay"))
            raise InputError(
                f"optax's {optimiser} has no option '{min(unknown)}'; it has {known} (its step size is strategy_lr)"
            )
        if not 0 < decay <= 1:
            raise InputError(f"lr_decay must be above 0 and at most 1 (steps of one size), not {decay}")
        self.solution = solution
        rate = optax.exponential_decay(learning_rate or LEARNING_RATE, 1, decay)
        ascent: Any = make(learning_rate=rate, **options)
        self.optimiser = optax.chain(optax.clip_by_global_norm(clip), ascent)

    def init(self, key: jax.Array, solution: Solution | None = None) -> GradientState:
        del key
        start = self.solution if solution is None else solution
        return GradientState(start, self.optimiser.init(start), jnp.zeros((), jnp.int32), start)

    def step(
        self, ask_key: jax.Array, tell_key: jax.Array, state: GradientState, score: Score
    ) -> tuple[GradientState, Any]:
        """One step of ascent; where the gradient is not finite, none, and the score counts as diverged."""
        del ask_key, tell_key

        def loss(solution: Solution) -> tuple[jax.Array, Any]:
            scores = score(jax.tree.map(lambda x: x[None], solution))
            return -scores.fitness[0], scores

        gradient, scores = jax.grad(loss, has_aux=True)(state.solution)
        updates, optimiser = self.optimiser.update(gradient, state.optimiser, state.solution)
        solution, number = optax.apply_updates(state.solution, updates), state.number + 1
        average = optax.incremental_update(solution, state.average, 1 / jnp.maximum(1, AVERAGE * number))
        new = GradientState(solution, optimiser, number, average)
        good = jnp.isfinite(optax.tree.norm(gradient))
        scores = scores._replace(fitness=jnp.where(good, scores.fitness, -jnp.inf))
        return jax.tree.map(lambda n, o: jnp.where(good, n, o), new, state), scores

    def mean(self, state: GradientState) -> Solution:
        return state.average

    def std(self, state: GradientState) -> jax.Array:
        del state
        return jnp.asarray(jnp.nan)


def joint(parts: Sequence[Callable[..., Scores]], costs: Sequence[float], *shared: Any) -> Score:
    """Several scores of a population as one, their mean, of which each device works out a share.

    Its gradient is the sum of theirs with norm 1 each, or 0 where one is not finite: so none has the say alone, be
    its gradient a hundred times another's.

    Args:
        parts: ``(population, *shared) -> scores``, each the work of one device.
        costs: of the parts, by which devices share them.
        shared: what all of them take.
    """

    def with_gradient(part: Callable[..., Scores], population: Solution, *shared: Any) -> tuple[Solution, Scores]:
        def total(population: Solution) -> tuple[jax.Array, Scores]:
            scores = part(population, *shared)
            return scores.fitness.sum(), scores

        gradient, scores = jax.grad(total, has_aux=True)(population)
        norm = optax.tree.norm(gradient)
        good = jnp.isfinite(norm) & (norm > 0)
        return jax.tree.map(lambda g: jnp.where(good, g / norm, 0), gradient), scores

    def work(numbers: Sequence[int], nothing: tuple[Solution, Scores], *operands: Any) -> tuple[Solution, Scores]:
        """Some parts' gradients, summed, and scores ``[parts, ...]``, 0 where they are not of these."""
        gradient, scores = nothing
        for i in numbers:
            own, score = with_gradient(parts[i], *operands)
            gradient = jax.tree.map(jnp.add, gradient, own)
            scores = jax.tree.map(lambda all_, one, i=i: all_.at[i].set(one), scores, score)
        return gradient, scores

    def on_a_device(population: Solution, *shared: Any) -> tuple[Solution, Scores]:
        one = jax.eval_shape(parts[0], population, *shared)
        scores = jax.tree.map(lambda s: jnp.zeros((len(parts), *s.shape), s.dtype), one)
        nothing = jax.tree.map(jnp.zeros_like, population), scores
        branches = [partial(work, numbers) for numbers in share(costs, jax.device_count())]
        return jax.lax.psum(jax.lax.switch(jax.lax.axis_index(AXIS), branches, nothing, population, *shared), AXIS)

    def forward(population: Solution) -> tuple[Scores, Solution]:
        whole = PartitionSpec()
        run = jax.shard_map(on_a_device, mesh=mesh(), in_specs=whole, out_specs=whole, check_vma=False)
        gradient, scores = run(population, *shared)
        return combine([jax.tree.map(lambda x, i=i: x[i], scores) for i in range(len(parts))]), gradient

    def backward(gradient: Solution, cotangent: Scores) -> tuple[Solution]:
        return (jax.tree.map(lambda g: cotangent.fitness.sum() * g, gradient),)

    score = jax.custom_vjp(lambda population: forward(population)[0])
    score.defvjp(forward, backward)
    return score


def share(costs: Sequence[float], devices: int) -> list[list[int]]:
    """Numbers of the pieces of work for each device: the dearest first, each to who has least to do (Graham 1969)."""
    shares: list[list[int]] = [[] for _ in range(devices)]
    for piece in sorted(range(len(costs)), key=lambda i: -costs[i]):
        min(shares, key=lambda numbers: sum(costs[i] for i in numbers)).append(piece)
    return shares
