"""The documented recipe twice more, by nothing of HaDES: in plain NumPy, and in flax and optax.

Each trains a network on what docs/format.md's reader gives, and returns the last layer as a function of one
normalised observation, and the log standard deviation of continuous actions.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn

Arrays = Mapping[str, np.ndarray]
Trained = tuple[Callable[[np.ndarray], np.ndarray], np.ndarray | None]


def in_numpy(arrays: Arrays, recipe: Mapping[str, Any], seed: int) -> Trained:
    """Backpropagation by hand."""
    rng, discrete = np.random.default_rng(seed), "labels" in arrays
    states, targets = arrays["states"].reshape(len(arrays["states"]), -1), arrays["labels" if discrete else "actions"]
    sizes = [states.shape[1], *[recipe["width"]] * recipe["depth"], targets.shape[1]]
    gains = [2**0.5] * recipe["depth"] + [0.01]
    weights = [gain * _orthogonal(rng, n, m) for gain, n, m in zip(gains, sizes, sizes[1:], strict=False)]
    biases = [np.zeros(size) for size in sizes[1:]]
    log_std = np.full(targets.shape[1], recipe.get("log_std", 0.0))
    squared, momentum = recipe.get("loss") == "mse", recipe.get("optimiser") == "momentum"
    parameters = weights + biases + ([] if discrete else [log_std])
    moments = [(np.zeros_like(x), np.zeros_like(x)) for x in parameters]

    def bend(x: np.ndarray) -> np.ndarray:
        return np.tanh(x) if recipe["activation"] == "tanh" else np.maximum(x, 0)

    def forward(x: np.ndarray) -> list[np.ndarray]:
        layers = [x]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            layers.append(bend(layers[-1] @ weight + bias))
        return [*layers, layers[-1] @ weights[-1] + biases[-1]]

    for step in range(1, recipe["epochs"] + 1):
        *layers, out = forward(states)
        if discrete:
            shares = np.exp(out - out.max(1, keepdims=True))
            shares /= shares.sum(1, keepdims=True)
            delta, of_std = (shares * targets.sum(1, keepdims=True) - targets) / targets.size, []
        else:
            error, variance = out - targets, 0.5 if squared else np.exp(2 * log_std)
            delta = error / variance / len(states)
            of_std = [0 * log_std if squared else 1 - (error**2 / variance).mean(0)]
        of_weights, of_biases = [], []
        for i in reversed(range(len(weights))):
            of_weights.insert(0, layers[i].T @ delta)
            of_biases.insert(0, delta.sum(0))
            delta = delta @ weights[i].T * ((1 - layers[i] ** 2) if recipe["activation"] == "tanh" else layers[i] > 0)
        gradients = of_weights + of_biases + of_std
        norm = sum(float((g**2).sum()) for g in gradients) ** 0.5
        scale = min(1.0, recipe["clip"] / norm) if recipe.get("clip") else 1.0
        for x, g, (m, v) in zip(parameters, gradients, moments, strict=True):
            if momentum:
                m += scale * g - 0.1 * m
                x -= recipe["learning_rate"] * m
                continue
            m += 0.1 * (scale * g - m)
            v += 0.001 * ((scale * g) ** 2 - v)
            x -= recipe["learning_rate"] * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-5)
    return lambda seen: forward(seen[None])[-1][0], None if discrete else log_std


def _orthogonal(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T


def in_flax(arrays: Arrays, recipe: Mapping[str, Any], seed: int) -> Trained:
    """With a module and an optimiser of libraries'."""
    discrete = "labels" in arrays
    states, targets = arrays["states"].reshape(len(arrays["states"]), -1), arrays["labels" if discrete else "actions"]
    hidden, last = nn.initializers.orthogonal(2**0.5), nn.initializers.orthogonal(0.01)

    class Policy(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
            for _ in range(recipe["depth"]):
                x = getattr(nn, recipe["activation"])(nn.Dense(recipe["width"], kernel_init=hidden)(x))
            log_std = self.param("log_std", nn.initializers.constant(recipe.get("log_std", 0.0)), targets.shape[1:])
            return nn.Dense(targets.shape[1], kernel_init=last)(x), log_std

    network = Policy()
    params = network.init(jax.random.key(seed), states)
    clip = optax.clip_by_global_norm(recipe["clip"]) if recipe.get("clip") else optax.identity()
    optimisers = {"adam": partial(optax.adam, eps=1e-5), "momentum": partial(optax.sgd, momentum=0.9)}
    optimiser = optax.chain(clip, optimisers[recipe.get("optimiser", "adam")](recipe["learning_rate"]))

    def loss(params: Any) -> jax.Array:
        out, log_std = cast(tuple[jax.Array, jax.Array], network.apply(params, states))
        if discrete:
            return -(targets * nn.log_softmax(out)).mean()
        if recipe.get("loss") == "mse":
            return ((out - targets) ** 2).sum(1).mean()
        return -jax.scipy.stats.norm.logpdf(targets, out, jnp.exp(log_std)).sum(1).mean()

    @jax.jit
    def train(params: Any) -> Any:
        def step(carry: Any, _: None) -> tuple[Any, None]:
            params, state = carry
            updates, state = optimiser.update(jax.grad(loss)(params), state)
            return (optax.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, optimiser.init(params)), None, recipe["epochs"])[0][0]

    trained = jax.tree.map(np.asarray, train(params)["params"])
    layers = [trained[f"Dense_{i}"] for i in range(recipe["depth"] + 1)]

    def last_layer(seen: np.ndarray) -> np.ndarray:
        for layer in layers[:-1]:
            seen = seen @ layer["kernel"] + layer["bias"]
            seen = np.tanh(seen) if recipe["activation"] == "tanh" else np.maximum(seen, 0)
        return seen @ layers[-1]["kernel"] + layers[-1]["bias"]

    return last_layer, None if discrete else trained["log_std"]
