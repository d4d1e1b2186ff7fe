"""Networks, by name: a body, and the head for the kind of action.

``mlp`` and ``cnn`` are the paper's, the others those of the dataset-distillation literature (Zhao et al. 2021):
ConvNet (``width`` channels in each of ``depth`` blocks), LeNet-5, and a small residual network; and a transformer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from flax import linen as nn

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.heads import Output, head_of
from hades.learner.layers import HIDDEN, INITIALISERS, OUT, Conv, InstanceNorm, halve
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


def mlp(network: Network, x: jax.Array) -> jax.Array:
    """Dense layers."""
    x = x.reshape(*network.lead(x), -1)
    for width in network.widths:
        x = network.dense(width)(x)
        x = network.act(nn.LayerNorm()(x) if network.norm == "layer" else x)
    return x


def cnn(network: Network, x: jax.Array) -> jax.Array:
    """A convolution with 16 channels, then dense layers."""
    return mlp(network, network.act(network.conv(16)(x)))


def convnet(network: Network, x: jax.Array) -> jax.Array:
    """Blocks of convolution, instance norm and pooling."""
    for width in network.widths:
        x = halve(network.act(InstanceNorm()(network.conv(width)(x))))
    return x


def lenet(network: Network, x: jax.Array) -> jax.Array:
    """LeNet-5 (LeCun et al. 1998), pooled by the mean."""
    for width in (6, 16):
        x = halve(network.act(network.conv(width, 5)(x)))
    return mlp(network, x)


def resnet(network: Network, x: jax.Array) -> jax.Array:
    """Pooled between stages (Zhao & Bilen 2021); residual branches start at zero (Goyal et al. 2017)."""
    x = network.act(InstanceNorm()(network.conv(network.widths[0])(x)))
    for i, width in enumerate(network.widths):
        x = halve(x) if i else x
        y = network.act(InstanceNorm()(network.conv(width)(x)))
        y = InstanceNorm(nn.initializers.zeros)(network.conv(width)(y))
        x = network.act(y + (x if x.shape[-1] == width else InstanceNorm()(network.conv(width, 1)(x))))
    return halve(x)  # not the mean over the image, of which instance norms leave little


def transformer(network: Network, x: jax.Array) -> jax.Array:
    """Pre-norm blocks (Vaswani et al. 2017, Xiong et al. 2020) over a grid's cells, or a vector's numbers."""
    tokens = x.reshape(*network.lead(x), -1, x.shape[-1] if len(network.spec.obs_shape) == 3 else 1)
    embed: jax.Array = network.param("position", nn.initializers.normal(0.02), (tokens.shape[-2], network.widths[0]))
    x = network.dense(network.widths[0])(tokens) + embed
    for width in network.widths:
        heads = next(heads for heads in (4, 2, 1) if x.shape[-1] % heads == 0)
        x = x + nn.MultiHeadDotProductAttention(heads)(nn.LayerNorm()(x))
        x = x + network.dense(x.shape[-1])(network.act(network.dense(2 * width)(nn.LayerNorm()(x))))
    return nn.LayerNorm()(x).mean(-2)


@dataclass(frozen=True)
class Body:
    """From observations to features.

    Attributes:
        features: of a network and observations ``[..., *obs]``: ``[..., ...]``, flattened by the network.
        shape: the width and depth that are the body's own, where it has some.
        grids: whether it takes only grids ``[H, W, C]``.
    """

    features: Callable[[Network, jax.Array], jax.Array]
    shape: Mapping[str, int | tuple[int, ...]] = field(default_factory=dict)
    grids: bool = True


NETWORKS: dict[str, Body] = {
    "mlp": Body(mlp, grids=False),
    "cnn": Body(cnn),
    "convnet": Body(convnet, {"width": 128, "depth": 3}),
    "lenet": Body(lenet, {"width": (120, 84), "depth": 2}),
    "resnet": Body(resnet, {"width": (16, 32, 64), "depth": 3}),
    "transformer": Body(transformer, {"width": 64, "depth": 2}, grids=False),
}


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
