"""Networks, by name: a body, and the head for the kind of action.

``mlp`` and ``cnn`` are the paper's, the others those of the dataset-distillation literature (Zhao et al. 2021):
ConvNet (``width`` channels in each of ``depth`` blocks), LeNet-5, and a small residual network; and a transformer.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.custom_batching
import jax.numpy as jnp
from flax import linen as nn

from hades.dataset import Spec

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    name: getattr(nn, name) for name in ("tanh", "relu", "elu", "gelu", "silu", "leaky_relu", "softplus", "sigmoid")
}
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {},
    "cnn": {},
    "convnet": {"width": 128, "depth": 3},
    "lenet": {"width": (120, 84), "depth": 2},
    "resnet": {"width": (16, 32, 64), "depth": 3},
    "transformer": {"width": 64, "depth": 2},
}
"""By name: the shape that is the network's own, where it has one."""
NORMS = ("none", "layer")
HIDDEN, OUT = 2**0.5, 0.01
"""Gains of orthogonal kernels."""


def orthogonal(scale: float) -> nn.initializers.Initializer:
    """As flax's, but a batch of them is made one by one.

    JAX's QR on CPU hands a batch's matrices to the pool of threads that it runs on itself, and waits for them: as
    many batched QRs at a time as there are threads wait for each other for ever (lapack_sgeqrf_ffi ->
    jax::ParallelBatchMap -> absl::BlockingCounter::Wait on every thread).
    """
    initialise = nn.initializers.orthogonal(scale)

    def one_by_one(key: jax.Array, shape: Sequence[int], dtype: Any = jnp.float32) -> jax.Array:
        return jax.custom_batching.sequential_vmap(lambda key: initialise(key, shape, dtype))(key)

    return one_by_one


INITIALISERS: dict[str, Callable[[float], nn.initializers.Initializer]] = {
    "orthogonal": orthogonal,
    "lecun": lambda _: nn.initializers.lecun_normal(),
    "he": lambda _: nn.initializers.he_normal(),
    "xavier": lambda _: nn.initializers.xavier_uniform(),
}
"""By name: from a gain, which only the first uses."""


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

    Called on observations ``[..., *obs]`` it gives logits ``[..., A]``, or ``(mean, log_std)``, each ``[..., A]``.
    """

    spec: Spec
    body: str
    widths: tuple[int, ...]
    activation: str
    initialiser: str
    bias: float
    norm: str = "none"

    @nn.compact
    def __call__(self, obs: jax.Array) -> Any:
        features = getattr(self, "_" + self.body)(obs).reshape(*obs.shape[: obs.ndim - len(self.spec.obs_shape)], -1)
        out = self._dense(self.spec.num_actions, OUT)(features)
        if self.spec.discrete:
            return out
        log_std = self.param("log_std", nn.initializers.zeros, (self.spec.num_actions,))
        return out, jnp.broadcast_to(log_std, out.shape)

    def _mlp(self, x: jax.Array) -> jax.Array:
        x = x.reshape(*x.shape[: x.ndim - len(self.spec.obs_shape)], -1)
        for width in self.widths:
            x = self._dense(width)(x)
            x = self._act(nn.LayerNorm()(x) if self.norm == "layer" else x)
        return x

    def _cnn(self, x: jax.Array) -> jax.Array:
        return self._mlp(self._act(self._conv(16)(x)))

    def _convnet(self, x: jax.Array) -> jax.Array:
        for width in self.widths:
            x = _halve(self._act(InstanceNorm()(self._conv(width)(x))))
        return x

    def _lenet(self, x: jax.Array) -> jax.Array:
        for width in (6, 16):
            x = _halve(self._act(self._conv(width, 5)(x)))
        return self._mlp(x)

    def _resnet(self, x: jax.Array) -> jax.Array:
        """Pooled between stages (Zhao & Bilen 2021); residual branches start at zero (Goyal et al. 2017)."""
        x = self._act(InstanceNorm()(self._conv(self.widths[0])(x)))
        for i, width in enumerate(self.widths):
            x = _halve(x) if i else x
            y = self._act(InstanceNorm()(self._conv(width)(x)))
            y = InstanceNorm(nn.initializers.zeros)(self._conv(width)(y))
            x = self._act(y + (x if x.shape[-1] == width else InstanceNorm()(self._conv(width, 1)(x))))
        return _halve(x)  # not the mean over the image, of which instance norms leave little

    def _transformer(self, x: jax.Array) -> jax.Array:
        """Pre-norm blocks (Vaswani et al. 2017, Xiong et al. 2020) over a grid's cells, or a vector's numbers."""
        lead = x.ndim - len(self.spec.obs_shape)
        tokens = x.reshape(*x.shape[:lead], -1, x.shape[-1] if len(self.spec.obs_shape) == 3 else 1)
        embed = self.param("position", nn.initializers.normal(0.02), (tokens.shape[-2], self.widths[0]))
        x = self._dense(self.widths[0])(tokens) + embed
        for width in self.widths:
            heads = next(heads for heads in (4, 2, 1) if x.shape[-1] % heads == 0)
            x = x + nn.MultiHeadDotProductAttention(heads)(nn.LayerNorm()(x))
            x = x + self._dense(x.shape[-1])(self._act(self._dense(2 * width)(nn.LayerNorm()(x))))
        return nn.LayerNorm()(x).mean(-2)

    def _act(self, x: jax.Array) -> jax.Array:
        return ACTIVATIONS[self.activation](x)

    def _dense(self, width: int, gain: float = HIDDEN) -> nn.Dense:
        return nn.Dense(width, kernel_init=self._kernel(gain), bias_init=self._biases())

    def _conv(self, width: int, size: int = 3) -> "Conv":
        return Conv(width, size, self._kernel(HIDDEN), self._biases())

    def _kernel(self, gain: float) -> nn.initializers.Initializer:
        return INITIALISERS[self.initialiser](gain)

    def _biases(self) -> nn.initializers.Initializer:
        return nn.initializers.uniform(self.bias) if self.bias else nn.initializers.zeros


class Conv(nn.Module):
    """A square convolution with zero padding, as flax's.

    On CPU it is one matrix product of the patches, which batches over networks. Forward that is as fast as XLA's
    convolution or a few times faster, in the meta-gradient 2 to 8 times (`benchmarks/convolution.py`).
    """

    width: int
    size: int
    kernel_init: nn.initializers.Initializer
    bias_init: nn.initializers.Initializer

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", self.kernel_init, (self.size, self.size, x.shape[-1], self.width))
        bias = self.param("bias", self.bias_init, (self.width,))
        if jax.default_backend() == "cpu":
            return patches(x, self.size) @ kernel.reshape(-1, self.width) + bias
        images, dimensions = x.reshape(-1, *x.shape[-3:]), ("NHWC", "HWIO", "NHWC")
        out = jax.lax.conv_general_dilated(images, kernel, (1, 1), "SAME", dimension_numbers=dimensions)
        return out.reshape(*x.shape[:-1], self.width) + bias


class InstanceNorm(nn.Module):
    """Each image's channels with mean 0 and variance 1, then scaled and shifted (Ulyanov et al. 2016)."""

    scale_init: nn.initializers.Initializer = nn.initializers.ones

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        scale = self.param("scale", self.scale_init, x.shape[-1:])
        bias = self.param("bias", nn.initializers.zeros, x.shape[-1:])
        x = x - x.mean((-3, -2), keepdims=True)
        return x * jax.lax.rsqrt((x * x).mean((-3, -2), keepdims=True) + 1e-6) * scale + bias


def patches(x: jax.Array, size: int) -> jax.Array:
    """The square of odd ``size`` around each pixel of ``[..., H, W, C]``: ``[..., H, W, size * size * C]``."""
    height, width = x.shape[-3:-1]
    x = jnp.pad(x, [(0, 0)] * (x.ndim - 3) + [(size // 2, size // 2)] * 2 + [(0, 0)])
    shifted = [x[..., i : i + height, j : j + width, :] for i in range(size) for j in range(size)]
    return jnp.concatenate(shifted, -1)


_halve = partial(nn.avg_pool, window_shape=(2, 2), strides=(2, 2))
