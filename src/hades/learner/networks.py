"""Networks: a body, and the head for the kind of action."""

import functools

import jax
import jax.numpy as jnp
from flax import linen as nn

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.bodies import NETWORKS
from hades.learner.heads import Output, head_of
from hades.learner.layers import OUT
from hades.learner.parts import Parts
from hades.learner.recipe import Recipe

Params = PyTree
"""A network's parameters, as flax has them."""


class Network(Parts):
    """A policy or classifier.

    Called on observations ``[..., *obs]`` it gives what its head makes of the last layer: logits ``[..., A]``, or
    ``(mean, log_std)``, each ``[..., A]``.
    """

    @nn.compact
    def __call__(self, obs: jax.Array) -> Output:
        """Outputs of the head, for observations ``[..., *obs]``."""
        features = NETWORKS[self.body].features(self, obs).reshape(*self.lead(obs), -1)
        return head_of(self.spec).output(self, self.dense(self.spec.num_actions, OUT)(features))


def make_network(recipe: Recipe, spec: Spec) -> Network:
    """A recipe's network.

    Raises:
        InputError: for a convolutional network where observations are not grids, and noise of discrete actions.
    """
    if recipe.log_std and spec.discrete:
        raise InputError("log_std is of continuous actions, and these are discrete; leave it out")
    if NETWORKS[recipe.network].grids and not spec.grid:
        others = " or ".join(f"'{name}'" for name, body in NETWORKS.items() if not body.grids)
        raise InputError(
            f"network '{recipe.network}' wants grid observations [H, W, C], this task has {list(spec.obs_shape)}; "
            f"use {others}"
        )
    if recipe.augment != "none" and not spec.grid:
        raise InputError(
            f"augment '{recipe.augment}' wants grid observations [H, W, C], this task has {list(spec.obs_shape)}"
        )
    shared = recipe.activation, recipe.initialiser, recipe.bias, recipe.norm, recipe.log_std
    return Network(spec, recipe.network, recipe.widths, *shared)


def init_network(recipe: Recipe, spec: Spec, key: jax.Array) -> Params:
    """Fresh parameters for one network."""
    return make_network(recipe, spec).init(key, jnp.zeros((1, *spec.obs_shape)))


@functools.lru_cache(maxsize=256)
def network_bytes(recipe: Recipe, spec: Spec) -> int:
    """Of one network's parameters."""
    return tree_bytes(jax.eval_shape(functools.partial(init_network, recipe, spec), jax.random.key(0)))


@functools.lru_cache(maxsize=256)
def layer_bytes(recipe: Recipe, spec: Spec) -> int:
    """Of what its layers give for one observation."""

    def outputs(key: jax.Array) -> PyTree:
        network, obs = make_network(recipe, spec), jnp.zeros((1, *spec.obs_shape))
        return network.apply(network.init(key, obs), obs, capture_intermediates=True)[1]

    return tree_bytes(jax.eval_shape(outputs, jax.random.key(0)))


def tree_bytes(tree: PyTree) -> int:
    """Of a pytree of arrays, or of their shapes."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
