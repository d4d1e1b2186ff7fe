"""The inner loop: networks, their action heads, and behaviour cloning on a dataset.

Everything here is a pure function of one network, one dataset and one key: `jax.vmap` it from outside.
The defaults are the published recipe (Lupu et al. 2024, Appendix B): two hidden layers, orthogonal initialisation,
full-batch Adam on the negative log-likelihood.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from hades.augmentation import AUGMENTATIONS
from hades.dataset import Spec
from hades.errors import InputError
from hades.networks import ACTIVATIONS, INITIALISERS, NETWORKS, NORMS, Network

Params = Any
Policy = Callable[[Params, jax.Array, jax.Array], jax.Array]
"""``(params, normalised observation [*obs], key) -> action``: an int32 index, or ``[act]`` in [-1, 1]."""

EPS: Any = {"eps": 1e-5, "eps_root": 1e-16}
"""The published one; and one under the root, whose derivative at a gradient of zero is otherwise not a number."""
OPTIMISERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "adam": partial(optax.adam, **EPS),
    "adamw": partial(optax.adamw, **EPS),
    "rmsprop": optax.rmsprop,
    "sgd": optax.sgd,
    "momentum": partial(optax.sgd, momentum=0.9),
}
LOSSES = ("nll", "mse")

INHERIT: Any = None


@dataclass(frozen=True)
class Learner:
    """A network and the supervised recipe that trains it.

    A field left out is inherited: from the dataset's own recipe where there is one, else from the published one
    for the kind of task (`reference`). A network with a shape of its own (convnet, lenet, ...) brings that along.

    Args:
        network: one of `NETWORKS`: ``"mlp"``, or for grids and images ``[H, W, C]`` ``"cnn"`` (a 3x3 convolution with
            16 channels, then dense), ``"convnet"``, ``"lenet"``, ``"resnet"``; ``"transformer"`` over a grid's cells,
            or a vector's numbers.
        width: units in each hidden layer (convnet: channels in each block, resnet: in each stage), or one number per
            layer (then ``depth`` is not used).
        depth: number of hidden layers, blocks or stages.
        activation: one of `ACTIVATIONS`.
        initialiser: of the kernels: ``"orthogonal"``, ``"lecun"``, ``"he"`` or ``"xavier"``.
        bias: biases start uniform in ``[0, bias)``.
        norm: ``"none"``, or ``"layer"`` before the activations of dense hidden layers.
        loss: ``"nll"``, negative log-likelihood (for labels: cross-entropy, averaged over pairs and classes, as
            published), or ``"mse"``, squared error of the mean action or of the action probabilities.
        optimiser: one of `OPTIMISERS`.
        learning_rate: its step size.
        epochs: number of steps; each a pass over the whole dataset, unless there is a ``batch``.
        batch: pairs drawn for each step; 0 for all.
        augment: ``"none"``, or ``"dsa"`` (Zhao & Bilen 2021): one random transformation of all images a step.
        clip: largest global norm of the gradient; 0 for no clipping.

    Raises:
        InputError: for a name or number that is not an option.
    """

    network: str = INHERIT
    width: int | tuple[int, ...] = INHERIT
    depth: int = INHERIT
    activation: str = INHERIT
    initialiser: str = INHERIT
    bias: float = INHERIT
    norm: str = INHERIT
    loss: str = INHERIT
    optimiser: str = INHERIT
    learning_rate: float = INHERIT
    epochs: int = INHERIT
    batch: int = INHERIT
    augment: str = INHERIT
    clip: float = INHERIT

    def __post_init__(self) -> None:
        if isinstance(self.width, list):
            object.__setattr__(self, "width", tuple(self.width))
        choices = {
            "network": NETWORKS,
            "activation": ACTIVATIONS,
            "initialiser": INITIALISERS,
            "norm": NORMS,
            "loss": LOSSES,
            "optimiser": OPTIMISERS,
            "augment": AUGMENTATIONS,
        }
        for name, options in choices.items():
            value = getattr(self, name)
            if value is not INHERIT and value not in options:
                raise InputError(f"unknown {name} '{value}'; choose one of {', '.join(options)}")
        widths = self.width if isinstance(self.width, tuple) else (self.width,)
        positive = {"depth": self.depth, "epochs": self.epochs, "learning_rate": self.learning_rate}
        for name, value in [("width", width) for width in widths] + list(positive.items()):
            if value is not INHERIT and not 0 < value < float("inf"):
                raise InputError(f"{name} must be positive, not {value}")
        for name in ("clip", "bias", "batch"):
            value = getattr(self, name)
            if value is not INHERIT and not 0 <= value < float("inf"):
                raise InputError(f"{name} must be 0 (off) or positive, not {value}")

    def over(self, base: "Learner") -> "Learner":
        """This learner, with the fields that it leaves out taken from ``base``."""
        own_shape = NETWORKS[self.network] if self.network not in (INHERIT, base.network) else {}
        return Learner(**{**base.options(), **own_shape, **self.options()})

    def options(self) -> dict[str, Any]:
        """The fields that are set, as plain JSON values."""
        options = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in options.items() if v is not INHERIT}

    @property
    def widths(self) -> tuple[int, ...]:
        return self.width if isinstance(self.width, tuple) else (self.width,) * self.depth


_SHARED = Learner(initialiser="orthogonal", bias=0.0, norm="none", loss="nll", batch=0, augment="none")
IMAGES = Learner(
    network="cnn", width=128, depth=1, activation="relu", initialiser="lecun", bias=0.05, optimiser="sgd",
    learning_rate=0.1, epochs=1000, clip=0.0,
).over(_SHARED)  # fmt: skip
"""The published recipe for images."""
_NORMED = Learner(initialiser="orthogonal", optimiser="sgd", learning_rate=2.0, epochs=15)
DEEP = {
    "lenet": Learner(network="lenet", initialiser="he", optimiser="adam", learning_rate=3e-3, epochs=60),
    "convnet": Learner(network="convnet").over(_NORMED),
    "resnet": Learner(network="resnet").over(_NORMED),
}
"""Networks that the published step size hardly moves, each with the recipe that trains it on a few images.

Where there are norms, plain gradient descent from a head near zero: images distilled for it are far better than those
for Adam (docs/images.md).
"""


def reference(spec: Spec) -> Learner:
    """The published recipe for a kind of action."""
    head = (
        Learner(activation="relu", learning_rate=0.03, epochs=64, clip=0.0)
        if spec.discrete
        else Learner(activation="tanh", learning_rate=5e-3, epochs=200, clip=0.5)
    )
    return head.over(Learner(network="mlp", width=512, depth=2, optimiser="adam").over(_SHARED))


def make_network(learner: Learner, spec: Spec) -> Network:
    """The network of a complete learner.

    Raises:
        InputError: for a convolutional network where observations are not grids.
    """
    if learner.network not in ("mlp", "transformer") and len(spec.obs_shape) != 3:
        raise InputError(
            f"network '{learner.network}' wants grid observations [H, W, C], this task has {list(spec.obs_shape)}; "
            "use 'mlp' or 'transformer'"
        )
    return Network(
        spec, learner.network, learner.widths, learner.activation, learner.initialiser, learner.bias, learner.norm
    )


def init_network(learner: Learner, spec: Spec, key: jax.Array) -> Params:
    """Fresh parameters for one network."""
    return make_network(learner, spec).init(key, jnp.zeros((1, *spec.obs_shape)))


def behaviour_cloning(
    learner: Learner,
    spec: Spec,
    params: Params,
    states: jax.Array,
    targets: jax.Array,
    learning_rate: jax.Array | None = None,
    key: jax.Array | None = None,
    window: tuple[int, jax.Array] | None = None,
) -> Params:
    """Train one network on a dataset: gradient descent for ``learner.epochs`` steps.

    Differentiable in the dataset and the learning rate; the steps are checkpointed, so that the backward pass holds
    about ``2 sqrt(epochs)`` copies of parameters and optimiser state.

    Args:
        params: from `init_network`.
        states: ``[N, *obs]``, normalised.
        targets: ``[N, num_actions]``, actions or labels.
        learning_rate: scalar, in place of the learner's.
        key: for learners with a ``batch`` or an ``augment``.
        window: ``(steps, last)``: stop after step number ``last``, differentiate only through so many steps before
            it (truncated backpropagation through time; with a random ``last`` that of Feng et al. 2023).
    """
    network = make_network(learner, spec)
    key = jax.random.key(0) if key is None else key

    def step(data: tuple[Any, ...], carry: tuple[Params, Any], i: jax.Array) -> tuple[Params, Any]:
        params, opt_state = carry
        states, targets, rate = data
        batch_key, augment_key = jax.random.split(jax.random.fold_in(key, i))
        if learner.batch and learner.batch < len(states):
            chosen = jax.random.randint(batch_key, (learner.batch,), 0, len(states))
            states, targets = states[chosen], targets[chosen]
        states = AUGMENTATIONS[learner.augment](augment_key, states)
        grads = jax.grad(lambda p: loss(learner.loss, spec, network.apply(p, states), targets))(params)
        updates, opt_state = make_optimiser(learner, rate).update(grads, opt_state, params)
        return optax.apply_updates(params, updates), opt_state

    data = states, targets, learner.learning_rate if learning_rate is None else learning_rate
    carry = params, make_optimiser(learner, learner.learning_rate).init(params)
    first, length = jnp.zeros((), jnp.int32), learner.epochs
    if window and window[0] < learner.epochs:
        length, last = window
        first, fixed = last - length, jax.lax.stop_gradient(data)
        carry = jax.lax.fori_loop(0, first, lambda i, carry: step(fixed, carry, i), carry)
    return checkpointed_scan(lambda carry, i: step(data, carry, first + i), carry, length)[0]


def checkpointed_scan(step: Callable[[Any, jax.Array], Any], carry: Any, length: int) -> Any:
    """``length`` steps ``(carry, i) -> carry``, whose backward pass stores about ``2 sqrt(length)`` carries."""
    inner = math.isqrt(length)

    def block(carry: Any, numbers: jax.Array) -> tuple[Any, None]:
        return jax.lax.scan(lambda carry, i: (step(carry, i), None), carry, numbers)

    numbers = jnp.arange(length, dtype=jnp.int32)
    whole = length - length % inner
    carry, _ = jax.lax.scan(jax.checkpoint(block), carry, numbers[:whole].reshape(-1, inner))
    return block(carry, numbers[whole:])[0]


def make_optimiser(learner: Learner, learning_rate: Any) -> optax.GradientTransformation:
    optimiser = OPTIMISERS[learner.optimiser](learning_rate)
    return optax.chain(optax.clip_by_global_norm(learner.clip), optimiser) if learner.clip else optimiser


def make_policy(learner: Learner, spec: Spec, greedy: bool = False) -> Policy:
    """The policy of a trained network: actions are sampled from its head, or its mode is taken (``greedy``)."""
    network = make_network(learner, spec)

    def policy(params: Params, obs: jax.Array, key: jax.Array) -> jax.Array:
        out: Any = network.apply(params, obs[None])
        if spec.discrete:
            logits = out[0]
            return jnp.argmax(logits) if greedy else jax.random.categorical(key, logits)
        mean, log_std = out[0][0], out[1][0]
        action = mean if greedy else mean + jnp.exp(log_std) * jax.random.normal(key, mean.shape)
        return jnp.clip(action, -1, 1)

    return policy


def loss(name: str, spec: Spec, out: Any, targets: jax.Array) -> jax.Array:
    """What the inner loop minimises: the mean over pairs of a network's outputs against their targets."""
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
