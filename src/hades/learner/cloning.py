"""The inner loop: behaviour cloning, the supervised training of one network on a dataset.

A pure function of one network, one dataset and one key: `jax.vmap` it from outside.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import optax

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.learner.augmentation import AUGMENTATIONS
from hades.learner.heads import head_of
from hades.learner.networks import Params, make_network
from hades.learner.objectives import loss_of
from hades.learner.recipe import Recipe
from hades.learner.span import Trained, way_of

Policy = Callable[[Params, jax.Array, jax.Array], jax.Array]
"""``(params, normalised observation [*obs], key) -> action``: an int32 index, or ``[act]`` in [-1, 1]."""
Learned = Mapping[str, jax.Array]
"""Of a recipe's options, those that are searched for with the pairs, by their names."""
Window = tuple[int, jax.Array]
"""``(steps, last)``: stop after step number ``last``, differentiate only through so many steps before it (truncated
backpropagation through time; with a random ``last`` that of Feng et al. 2023); through 0, nothing is kept for it."""

EPS: dict[str, Any] = {"eps": 1e-5, "eps_root": 1e-16}
"""The published one; and one under the root, whose derivative at a gradient of zero is otherwise not a number."""
OPTIMISERS: dict[str, Callable[..., optax.GradientTransformation]] = {
    "adam": partial(optax.adam, **EPS),
    "adamw": partial(optax.adamw, **EPS),
    "rmsprop": optax.rmsprop,
    "sgd": optax.sgd,
    "momentum": partial(optax.sgd, momentum=0.9),
}


def behaviour_cloning(
    recipe: Recipe,
    spec: Spec,
    params: Params,
    states: jax.Array,
    targets: jax.Array,
    learned: Learned = MappingProxyType({}),
    key: jax.Array | None = None,
    window: Window | None = None,
) -> Trained:
    """Train one network on a dataset: gradient descent for ``recipe.epochs`` steps.

    Differentiable in the dataset and what is learned; the steps are checkpointed, so that the backward pass holds
    about ``2 sqrt(epochs)`` copies of parameters and optimiser state.

    Args:
        params: from `init_network`.
        states: ``[N, *obs]``, normalised.
        targets: ``[N, num_actions]``, actions or labels.
        learned: scalars ``learning_rate`` and ``log_std``, in place of the recipe's.
        key: for recipes with a ``batch`` or an ``augment``.
        window: which steps to differentiate through; None for all.
    """
    loss, learning_rate = loss_of(recipe.loss, spec), learned.get("learning_rate", recipe.learning_rate)
    if "log_std" in learned:
        params = head_of(spec).spread(params, learned["log_std"])
    way = way_of(recipe, spec, len(states), window is not None)(recipe, spec, params, states)
    key = jax.random.key(0) if key is None else key

    def step(data: tuple[PyTree, ...], carry: tuple[Params, PyTree], i: jax.Array) -> tuple[Params, PyTree]:
        params, opt_state = carry
        states, targets, rate = data
        batch_key, augment_key = jax.random.split(jax.random.fold_in(key, i))
        if recipe.batch and recipe.batch < len(states):
            chosen = jax.random.randint(batch_key, (recipe.batch,), 0, len(states))
            states, targets = states[chosen], targets[chosen]
        at, states = way.at(params, AUGMENTATIONS[recipe.augment](augment_key, states))
        grads = jax.grad(lambda p: loss(way.network.apply(p, states), targets))(at)
        updates, opt_state = make_optimiser(recipe, rate).update(grads, opt_state, params)
        return optax.apply_updates(params, updates), opt_state

    data = way.seen, targets, learning_rate
    carry = way.start, make_optimiser(recipe, recipe.learning_rate).init(way.start)
    first, length = jnp.zeros((), jnp.int32), recipe.epochs
    if window and window[0] < recipe.epochs:
        length, last = window
        first, fixed = last - length, jax.lax.stop_gradient(data)
        carry = jax.lax.fori_loop(0, first, lambda i, carry: step(fixed, carry, i), carry)
    carry = checkpointed_scan(lambda carry, i: step(data, carry, first + i), carry, length)
    return Trained(way, carry[0])


def checkpointed_scan(step: Callable[[PyTree, jax.Array], PyTree], carry: PyTree, length: int) -> PyTree:
    """``length`` steps ``(carry, i) -> carry``, whose backward pass stores about ``2 sqrt(length)`` carries."""
    inner = math.isqrt(length) or 1

    def block(carry: PyTree, numbers: jax.Array) -> tuple[PyTree, None]:
        return jax.lax.scan(lambda carry, i: (step(carry, i), None), carry, numbers)

    numbers = jnp.arange(length, dtype=jnp.int32)
    whole = length - length % inner
    carry, _ = jax.lax.scan(jax.checkpoint(block), carry, numbers[:whole].reshape(-1, inner))
    return block(carry, numbers[whole:])[0]


def make_optimiser(recipe: Recipe, learning_rate: jax.Array | float) -> optax.GradientTransformation:
    """The recipe's optimiser, its gradients clipped where the recipe says so."""
    optimiser = OPTIMISERS[recipe.optimiser](learning_rate)
    return optax.chain(optax.clip_by_global_norm(recipe.clip), optimiser) if recipe.clip else optimiser


def make_policy(recipe: Recipe, spec: Spec, greedy: bool = False) -> Policy:
    """The policy of a trained network: actions are sampled from its head, or its mode is taken (``greedy``)."""
    network, head = make_network(recipe, spec), head_of(spec)

    def policy(params: Params, obs: jax.Array, key: jax.Array) -> jax.Array:
        out: Any = jax.tree.map(lambda x: x[0], network.apply(params, obs[None]))
        return head.bounded(head.mode(out) if greedy else head.sample(out, key))

    return policy
