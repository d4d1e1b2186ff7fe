"""Networks: a body, and the head for the kind of action."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.bodies import NETWORKS
from hades.learner.heads import Output, head_of
from hades.learner.layers import HIDDEN, INITIALISERS, OUT, Conv
from hades.learner.recipe import Recipe

Params = PyTree
"""A network's parameters, as flax has them."""
ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    name: getattr(nn, name) for name in ("tanh", "relu", "elu", "gelu", "silu", "leaky_relu", "softplus", "sigmoid")
}
NORMS = ("none", "layer")


class Network(nn.Module):
    """A policy or classifier.

    Attributes:
        spec: what goes in and comes out.
        body: one of `NETWORKS`.
        widths: hidden units, or channels, of each layer, block or stage.
        activation: one of `ACTIVATIONS`.
        initialiser: of kernels, one of `INITIALISERS`.
        bias: biases start uniform in ``[0, bias)``.
        norm: ``"layer"`` normalises the units of dense hidden layers before their activation.

    Called on observations ``[..., *obs]`` it gives what its head makes of the last layer: logits ``[..., A]``, or
    ``(mean, log_std)``, each ``[..., A]``.
    """

    spec: Spec
    body: str
    widths: tuple[int, ...]
    activation: str
    initialiser: str
    bias: float
    norm: str = "none"

    @nn.compact
    def __call__(self, obs: jax.Array) -> Output:
        """Outputs of the head, for observations ``[..., *obs]``."""
        features = NETWORKS[self.body].features(self, obs).reshape(*self.lead(obs), -1)
        return head_of(self.spec).output(self, self.dense(self.spec.num_actions, OUT)(features))

    def lead(self, obs: jax.Array) -> tuple[int, ...]:
        """The axes before an observation's own."""
        return obs.shape[: obs.ndim - len(self.spec.obs_shape)]

    def act(self, x: jax.Array) -> jax.Array:
        """The activation."""
        return ACTIVATIONS[self.activation](x)

    def dense(self, width: int, gain: float = HIDDEN) -> nn.Dense:
        """A dense layer, initialised as the network's are."""
        return nn.Dense(width, kernel_init=self._kernel(gain), bias_init=self._biases())

    def conv(self, width: int, size: int = 3) -> Conv:
        """A convolution, likewise."""
        return Conv(width, size, self._kernel(HIDDEN), self._biases())

    def _kernel(self, gain: float) -> nn.initializers.Initializer:
        return INITIALISERS[self.initialiser](gain)

    def _biases(self) -> nn.initializers.Initializer:
        return nn.initializers.uniform(self.bias) if self.bias else nn.initializers.zeros


def make_network(recipe: Recipe, spec: Spec) -> Network:
    """A recipe's network.

    Raises:
        InputError: for a convolutional network where observations are not grids.
    """
    if NETWORKS[recipe.network].grids and len(spec.obs_shape) != 3:
        others = " or ".join(f"'{name}'" for name, body in NETWORKS.items() if not body.grids)
        raise InputError(
            f"network '{recipe.network}' wants grid observations [H, W, C], this task has {list(spec.obs_shape)}; "
            f"use {others}"
        )
    shared = recipe.activation, recipe.initialiser, recipe.bias, recipe.norm
    return Network(spec, recipe.network, recipe.widths, *shared)


def init_network(recipe: Recipe, spec: Spec, key: jax.Array) -> Params:
    """Fresh parameters for one network."""
    return make_network(recipe, spec).init(key, jnp.zeros((1, *spec.obs_shape)))
