"""Layers and initialisers that networks are made of."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.custom_batching
import jax.numpy as jnp
from flax import linen as nn

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


halve = partial(nn.avg_pool, window_shape=(2, 2), strides=(2, 2))
"""Average pooling, 2 x 2."""
