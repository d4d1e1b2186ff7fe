"""One score of several kinds of networks, and its derivative, in which none has the say alone."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import optax
from jax.sharding import PartitionSpec

from hades.aliases import PyTree
from hades.learner.networks import Params, init_network, make_network
from hades.learner.objectives import loss_of
from hades.parallel import AXIS, mesh
from hades.scoring import Fitness, Scores, combine
from hades.strategies import Solution

Score = Callable[[Solution], Scores]


def joint(parts: Sequence[Callable[..., Scores]], costs: Sequence[float], *shared: PyTree) -> Score:
    """Several scores of a population as one, their mean, of which each device works out a share.

    Its gradient is the sum of theirs with norm 1 each, or 0 where one is not finite: so none has the say alone, be
    its gradient a hundred times another's.

    Args:
        parts: ``(population, *shared) -> scores``, each the work of one device.
        costs: of the parts, by which devices share them.
        shared: what all of them take.
    """

    def with_gradient(part: Callable[..., Scores], population: Solution, *shared: PyTree) -> tuple[Solution, Scores]:
        def total(population: Solution) -> tuple[jax.Array, Scores]:
            scores = part(population, *shared)
            return scores.fitness.sum(), scores

        gradient, scores = jax.grad(total, has_aux=True)(population)
        norm = optax.tree.norm(gradient)
        good = jnp.isfinite(norm) & (norm > 0)
        return jax.tree.map(lambda g: jnp.where(good, g / norm, 0), gradient), scores

    def work(numbers: Sequence[int], nothing: tuple[Solution, Scores], *operands: PyTree) -> tuple[Solution, Scores]:
        """Some parts' gradients, summed, and scores ``[parts, ...]``, 0 where they are not of these."""
        gradient, scores = nothing
        for i in numbers:
            own, score = with_gradient(parts[i], *operands)
            gradient = jax.tree.map(jnp.add, gradient, own)
            scores = jax.tree.map(lambda all_, one, i=i: all_.at[i].set(one), scores, score)
        return gradient, scores

    def on_a_device(population: Solution, *shared: PyTree) -> tuple[Solution, Scores]:
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


def training_bytes(fitness: Fitness, size: int) -> float:
    """That a candidate's networks read and write while they train on ``size`` pairs: what it costs, about.

    Small networks wait for memory: their time goes with this rather than with the flops.
    """
    recipe, spec = fitness.recipe, fitness.task.spec
    params = jax.eval_shape(partial(init_network, recipe, spec), jax.random.key(0))
    pairs = [jax.ShapeDtypeStruct((size, *shape), jnp.float32) for shape in (spec.obs_shape, (spec.num_actions,))]

    def objective(params: Params, states: jax.Array, targets: jax.Array) -> jax.Array:
        return loss_of(recipe.loss, spec)(make_network(recipe, spec).apply(params, states), targets)

    analysis = jax.jit(jax.grad(objective)).lower(params, *pairs).cost_analysis()  # on accelerators there is none
    known = analysis["bytes accessed"] if analysis else sum(4 * leaf.size for leaf in jax.tree.leaves(params))
    return fitness.inits * recipe.epochs * known
