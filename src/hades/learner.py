"""The inner loop: networks, their action heads, and behaviour cloning on a dataset.

Everything here is a pure function of one network, one dataset and one key: `jax.vmap` it from outside.
The defaults are the published recipe (Lupu et al. 2024, Appendix B): two hidden layers, orthogonal initialisation,
full-batch Adam on the negative log-likelihood.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.custom_batching
import jax.numpy as jnp
import optax
from flax import linen as nn

from hades.dataset import Spec
from hades.errors import InputError

Params = Any
Policy = Callable[[Params, jax.Array, jax.Array], jax.Array]
"""``(params, normalised observation [*obs], key) -> action``: an int32 index, or ``[act]`` in [-1, 1]."""

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    name: getattr(nn, name) for name in ("tanh", "relu", "elu", "gelu", "silu", "leaky_relu", "softplus", "sigmoid")
}
OPTIMISERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "adam": partial(optax.adam, eps=1e-5),
    "adamw": partial(optax.adamw, eps=1e-5),
    "rmsprop": optax.rmsprop,
    "sgd": optax.sgd,
    "momentum": partial(optax.sgd, momentum=0.9),
}
NETWORKS = ("mlp", "cnn")
LOSSES = ("nll", "mse")

INHERIT: Any = None


@dataclass(frozen=True)
class Learner:
    """A network and the supervised recipe that trains it.

    A field left out is inherited: from the dataset's own recipe where there is one, else from the published one
    for the kind of action (`reference`).

    Args:
        network: ``"mlp"``, or ``"cnn"`` (3x3 convolution with 16 channels first) for grid observations ``[H, W, C]``.
        width: units in each hidden layer, or one number per layer (then ``depth`` is not used).
        depth: number of hidden layers.
        activation: one of `ACTIVATIONS`.
        loss: ``"nll"``, negative log-likelihood (for labels: cross-entropy, averaged over pairs and classes, as
            published), or ``"mse"``, squared error of the mean action or of the action probabilities.
        optimiser: one of `OPTIMISERS`.
        learning_rate: its step size.
        epochs: number of full-batch steps.
        clip: largest global norm of the gradient; 0 for no clipping.

    Raises:
        InputError: for a name or number that is not an option.
    """

    network: str = INHERIT
    width: int | tuple[int, ...] = INHERIT
    depth: int = INHERIT
    activation: str = INHERIT
    loss: str = INHERIT
    optimiser: str = INHERIT
    learning_rate: float = INHERIT
    epochs: int = INHERIT
    clip: float = INHERIT

    def __post_init__(self) -> None:
        if isinstance(self.width, list):
            object.__setattr__(self, "width", tuple(self.width))
        choices = {"network": NETWORKS, "activation": ACTIVATIONS, "loss": LOSSES, "optimiser": OPTIMISERS}
        for name, options in choices.items():
            value = getattr(self, name)
            if value is not INHERIT and value not in options:
                raise InputError(f"unknown {name} '{value}'; choose one of {', '.join(options)}")
        widths = self.width if isinstance(self.width, tuple) else (self.width,)
        positive = {"depth": self.depth, "epochs": self.epochs, "learning_rate": self.learning_rate}
        for name, value in [("width", width) for width in widths] + list(positive.items()):
            if value is not INHERIT and not 0 < value < float("inf"):
                raise InputError(f"{name} must be positive, not {value}")
        if self.clip is not INHERIT and not 0 <= self.clip < float("inf"):
            raise InputError(f"clip must be 0 (off) or positive, not {self.clip}")

    def over(self, base: "Learner") -> "Learner":
        """This learner, with the fields that it leaves out taken from ``base``."""
        return Learner(**{**base.options(), **self.options()})

    def options(self) -> dict[str, Any]:
        """The fields that are set, as plain JSON values."""
        options = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in options.items() if v is not INHERIT}

    @property
    def widths(self) -> tuple[int, ...]:
        return self.width if isinstance(self.width, tuple) else (self.width,) * self.depth


def reference(spec: Spec) -> Learner:
    """The published recipe for a kind of action."""
    head = (
        Learner(activation="relu", learning_rate=0.03, epochs=64, clip=0.0)
        if spec.discrete
        else Learner(activation="tanh", learning_rate=5e-3, epochs=200, clip=0.5)
    )
    return head.over(Learner(network="mlp", width=512, depth=2, loss="nll", optimiser="adam"))


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


class _Network(nn.Module):
    learner: Learner
    spec: Spec

    @nn.compact
    def __call__(self, obs: jax.Array) -> Any:
        activation = ACTIVATIONS[self.learner.activation]
        dense = partial(nn.Dense, kernel_init=orthogonal(2**0.5))
        batch = obs.ndim - len(self.spec.obs_shape)
        x = obs
        if self.learner.network == "cnn":
            x = activation(nn.Conv(16, (3, 3), kernel_init=orthogonal(2**0.5))(x))
        x = x.reshape(*x.shape[:batch], -1)
        for width in self.learner.widths:
            x = activation(dense(width)(x))
        out = nn.Dense(self.spec.num_actions, kernel_init=orthogonal(0.01))(x)
        if self.spec.discrete:
            return out
        log_std = self.param("log_std", nn.initializers.zeros, (self.spec.num_actions,))
        return out, jnp.broadcast_to(log_std, out.shape)


def init_network(learner: Learner, spec: Spec, key: jax.Array) -> Params:
    """Fresh parameters for one network."""
    if learner.network == "cnn" and len(spec.obs_shape) != 3:
        raise InputError(
            f"network 'cnn' wants grid observations [H, W, C], this task has {list(spec.obs_shape)}; use 'mlp'"
        )
    return _Network(learner, spec).init(key, jnp.zeros((1, *spec.obs_shape)))


def behaviour_cloning(learner: Learner, spec: Spec, params: Params, states: jax.Array, targets: jax.Array) -> Params:
    """Train one network on a dataset: full-batch gradient descent for ``learner.epochs`` steps.

    Args:
        params: from `init_network`.
        states: ``[N, *obs]``, normalised.
        targets: ``[N, num_actions]``, actions or labels.
    """
    network = _Network(learner, spec)
    optimiser = OPTIMISERS[learner.optimiser](learner.learning_rate)
    if learner.clip:
        optimiser = optax.chain(optax.clip_by_global_norm(learner.clip), optimiser)

    def step(carry: tuple[Params, Any], _: None) -> tuple[tuple[Params, Any], None]:
        params, opt_state = carry
        grads = jax.grad(lambda p: _loss(learner.loss, spec, network.apply(p, states), targets))(params)
        updates, opt_state = optimiser.update(grads, opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), None

    (params, _), _ = jax.lax.scan(step, (params, optimiser.init(params)), length=learner.epochs)
    return params


def make_policy(learner: Learner, spec: Spec, greedy: bool = False) -> Policy:
    """The policy of a trained network: actions are sampled from its head, or its mode is taken (``greedy``)."""
    network = _Network(learner, spec)

    def policy(params: Params, obs: jax.Array, key: jax.Array) -> jax.Array:
        out: Any = network.apply(params, obs[None])
        if spec.discrete:
            logits = out[0]
            return jnp.argmax(logits) if greedy else jax.random.categorical(key, logits)
        mean, log_std = out[0][0], out[1][0]
        action = mean if greedy else mean + jnp.exp(log_std) * jax.random.normal(key, mean.shape)
        return jnp.clip(action, -1, 1)

    return policy


def _loss(name: str, spec: Spec, out: Any, targets: jax.Array) -> jax.Array:
    if spec.discrete:
        if name == "mse":
            return jnp.mean((jax.nn.softmax(out) - targets) ** 2)
        return -jnp.mean(targets * jax.nn.log_softmax(out))
    mean, log_std = out
    if name == "mse":
        # The log-std gets no gradient and stays at its initial 0: score such policies with greedy actions.
        return jnp.mean(jnp.sum((mean - targets) ** 2, axis=-1))
    log_prob = jax.scipy.stats.norm.logpdf(targets, mean, jnp.exp(log_std))
    return -jnp.mean(jnp.sum(log_prob, axis=-1))
