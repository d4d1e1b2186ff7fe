"""Bodies of networks, by name: from observations to features.

``mlp`` and ``cnn`` are the paper's, the others those of the dataset-distillation literature (Zhao et al. 2021):
ConvNet (``width`` channels in each of ``depth`` blocks), LeNet-5, and a small residual network; and a transformer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import jax
from flax import linen as nn

from hades.learner.layers import InstanceNorm, halve
from hades.learner.parts import NORMS, Parts


def mlp(network: Parts, x: jax.Array) -> jax.Array:
    """Dense layers."""
    x = x.reshape(*network.lead(x), -1)
    for width in network.widths:
        x = network.dense(width)(x)
        x = network.act(NORMS[network.norm](x))
    return x


def cnn(network: Parts, x: jax.Array) -> jax.Array:
    """A convolution with 16 channels, then dense layers."""
    return mlp(network, network.act(network.conv(16)(x)))


def convnet(network: Parts, x: jax.Array) -> jax.Array:
    """Blocks of convolution, instance norm and pooling."""
    for width in network.widths:
        x = halve(network.act(InstanceNorm()(network.conv(width)(x))))
    return x


def lenet(network: Parts, x: jax.Array) -> jax.Array:
    """LeNet-5 (LeCun et al. 1998), pooled by the mean."""
    for width in (6, 16):
        x = halve(network.act(network.conv(width, 5)(x)))
    return mlp(network, x)


def resnet(network: Parts, x: jax.Array) -> jax.Array:
    """Pooled between stages (Zhao & Bilen 2021); residual branches start at zero (Goyal et al. 2017)."""
    x = network.act(InstanceNorm()(network.conv(network.widths[0])(x)))
    for i, width in enumerate(network.widths):
        x = halve(x) if i else x
        y = network.act(InstanceNorm()(network.conv(width)(x)))
        y = InstanceNorm(nn.initializers.zeros)(network.conv(width)(y))
        x = network.act(y + (x if x.shape[-1] == width else InstanceNorm()(network.conv(width, 1)(x))))
    return halve(x)  # not the mean over the image, of which instance norms leave little


def transformer(network: Parts, x: jax.Array) -> jax.Array:
    """Pre-norm blocks (Vaswani et al. 2017, Xiong et al. 2020) over a grid's cells, or a vector's numbers."""
    tokens = x.reshape(*network.lead(x), -1, x.shape[-1] if network.spec.grid else 1)
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
        dense: whether its first layer is dense, over the whole observation.
    """

    features: Callable[[Parts, jax.Array], jax.Array]
    shape: Mapping[str, int | tuple[int, ...]] = field(default_factory=dict)
    grids: bool = True
    dense: bool = False


NETWORKS: dict[str, Body] = {
    "mlp": Body(mlp, grids=False, dense=True),
    "cnn": Body(cnn),
    "convnet": Body(convnet, {"width": 128, "depth": 3}),
    "lenet": Body(lenet, {"width": (120, 84), "depth": 2}),
    "resnet": Body(resnet, {"width": (16, 32, 64), "depth": 3}),
    "transformer": Body(transformer, {"width": 64, "depth": 2}, grids=False),
}
"""By name."""
