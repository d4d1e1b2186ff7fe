"""Action heads: what a network's last layer means, as a distribution of actions. Each exists once."""

from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from flax import linen as nn

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.learner.parts import Parts

Output = Any
"""What a head makes of the last layer: logits ``[..., A]``, or ``(mean, log_std)``, each ``[..., A]``."""


class Head(Protocol):
    """A distribution of actions, from a network's outputs."""

    def output(self, network: Parts, last: jax.Array) -> Output:
        """Of the last layer ``[..., A]``, with what parameters the head has of its own."""
        ...

    def spread(self, params: PyTree, log_std: jax.Array) -> PyTree:
        """A network's parameters, with a log-std of actions, where there is one."""
        ...

    def sample(self, out: Output, key: jax.Array) -> jax.Array:
        """One action of one output; a continuous one may lie outside [-1, 1]."""
        ...

    def mode(self, out: Output) -> jax.Array:
        """The most likely action."""
        ...

    def bounded(self, action: jax.Array) -> jax.Array:
        """The action as an environment takes it."""
        ...

    def target(self, out: Output) -> jax.Array:
        """What it does, as a dataset's target says it: probabilities, or the mean action, ``[..., A]``."""
        ...

    def log_prob(self, out: Output, action: jax.Array) -> jax.Array:
        """Of actions (indices ``[...]``, or ``[..., A]``): ``[...]``."""
        ...

    def entropy(self, out: Output) -> jax.Array:
        """``[...]``, in nats."""
        ...


@dataclass(frozen=True)
class Categorical:
    """Discrete actions: int32 indices, by the softmax of logits."""

    def output(self, network: Parts, last: jax.Array) -> jax.Array:
        """The last layer itself: logits."""
        del network
        return last

    def spread(self, params: PyTree, log_std: jax.Array) -> PyTree:
        """There is none."""
        del log_std
        return params

    def sample(self, out: jax.Array, key: jax.Array) -> jax.Array:
        """An index."""
        return jax.random.categorical(key, out)

    def mode(self, out: jax.Array) -> jax.Array:
        """The index of the largest logit."""
        return jnp.argmax(out)

    def bounded(self, action: jax.Array) -> jax.Array:
        """An index is one already."""
        return action

    def target(self, out: jax.Array) -> jax.Array:
        """Probabilities."""
        return jax.nn.softmax(out)

    def log_prob(self, out: jax.Array, action: jax.Array) -> jax.Array:
        """Of indices."""
        return jnp.take_along_axis(jax.nn.log_softmax(out), action[..., None], -1)[..., 0]

    def entropy(self, out: jax.Array) -> jax.Array:
        """Of the softmax."""
        log_probs = jax.nn.log_softmax(out)
        return -(jnp.exp(log_probs) * log_probs).sum(-1)


@dataclass(frozen=True)
class Gaussian:
    """Continuous actions ``[A]``, normal with one free log-std a dimension."""

    def output(self, network: Parts, last: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean, and log-std."""
        start = nn.initializers.constant(network.log_std)
        log_std: jax.Array = network.param("log_std", start, last.shape[-1:])
        return last, jnp.broadcast_to(log_std, last.shape)

    def spread(self, params: PyTree, log_std: jax.Array) -> PyTree:
        """The same in all dimensions."""
        log_stds = jnp.full_like(params["params"]["log_std"], log_std)
        return {**params, "params": {**params["params"], "log_std": log_stds}}

    def sample(self, out: tuple[jax.Array, jax.Array], key: jax.Array) -> jax.Array:
        """A draw."""
        mean, log_std = out
        return mean + jnp.exp(log_std) * jax.random.normal(key, mean.shape)

    def mode(self, out: tuple[jax.Array, jax.Array]) -> jax.Array:
        """The mean."""
        return out[0]

    def bounded(self, action: jax.Array) -> jax.Array:
        """Clipped to [-1, 1]."""
        return jnp.clip(action, -1, 1)

    def target(self, out: tuple[jax.Array, jax.Array]) -> jax.Array:
        """The mean, clipped."""
        return self.bounded(out[0])

    def log_prob(self, out: tuple[jax.Array, jax.Array], action: jax.Array) -> jax.Array:
        """Summed over dimensions."""
        return jax.scipy.stats.norm.logpdf(action, out[0], jnp.exp(out[1])).sum(-1)

    def entropy(self, out: tuple[jax.Array, jax.Array]) -> jax.Array:
        """Summed over dimensions."""
        return (out[1] + 0.5 * jnp.log(2 * jnp.pi * jnp.e)).sum(-1)


def head_of(spec: Spec) -> Head:
    """The head for a kind of action."""
    return Categorical() if spec.discrete else Gaussian()
