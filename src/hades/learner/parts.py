"""What bodies of networks are made of: layers as one network initialises and activates them."""

from collections.abc import Callable

import jax
from flax import linen as nn

from hades.dataset import Spec
from hades.learner.layers import HIDDEN, INITIALISERS, Conv

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    name: getattr(nn, name)
    for name in ("tanh", "relu", "elu", "gelu", "silu", "swish", "leaky_relu", "softplus", "sigmoid")
}
NORMS: dict[str, Callable[[jax.Array], jax.Array]] = {"none": lambda x: x, "layer": lambda x: nn.LayerNorm()(x)}
"""Of the units of a dense layer, before their activation."""


class Parts(nn.Module):
    """A network, as far as its body asks.

    Attributes:
        spec: what goes in and comes out.
        body: one of `NETWORKS`.
        widths: hidden units, or channels, of each layer, block or stage.
        activation: one of `ACTIVATIONS`.
        initialiser: of kernels, one of `INITIALISERS`.
        bias: biases start uniform in ``[0, bias)``.
        norm: ``"layer"`` normalises the units of dense hidden layers before their activation.
        log_std: of continuous actions, where training begins.
    """

    spec: Spec
    body: str
    widths: tuple[int, ...]
    activation: str
    initialiser: str
    bias: float
    norm: str = "none"
    log_std: float = 0.0

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
