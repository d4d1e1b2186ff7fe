"""Seconds of one core for convolutional networks on ten images: products of patches against XLA's convolution.

    python benchmarks/convolution.py

Forward, gradient, and the gradient of a gradient step (what the meta-gradient takes), two networks at once.
Prints JSON.
"""

import json
import os
import sys
from functools import partial
from typing import Any
from unittest import mock

os.environ |= {"JAX_NUM_CPU_DEVICES": "1", "PJRT_NPROC": "1"}

import jax
import jax.numpy as jnp
from generation import best

from hades.dataset import Spec
from hades.learner.networks import init_network, make_network
from hades.learner.objectives import loss_of
from hades.learner.recipe import Learner, Recipe
from hades.learner.recipes import IMAGES
from hades.runtime import hardware

SPEC = Spec((28, 28, 1), 10, discrete=True)
RECIPES = {
    "cnn, 128 units": IMAGES,
    "lenet": IMAGES.patched(Learner(network="lenet")),
    "convnet, 3 blocks of 32": IMAGES.patched(Learner(network="convnet", width=32, depth=3)),
    "resnet": IMAGES.patched(Learner(network="resnet")),
}


def seconds(recipe: Recipe, backend: str) -> dict[str, float]:
    images, labels = jax.random.uniform(jax.random.key(0), (10, *SPEC.obs_shape)), jnp.eye(10)
    params = jax.vmap(lambda key: init_network(recipe, SPEC, key))(jax.random.split(jax.random.key(1), 2))

    def forward(params: Any, images: jax.Array) -> Any:
        return loss_of("nll", SPEC)(make_network(recipe, SPEC).apply(params, images), labels)

    def gradient(params: Any, images: jax.Array) -> Any:
        return jax.grad(forward)(params, images)

    def meta_gradient(params: Any, images: jax.Array) -> Any:
        def after(images: jax.Array) -> Any:
            stepped = jax.tree.map(lambda p, g: p - 0.1 * g, params, gradient(params, images))
            return forward(stepped, images)

        return jax.grad(after)(images)

    with mock.patch("jax.default_backend", lambda: backend):
        parts = {"forward": forward, "gradient": gradient, "meta-gradient": meta_gradient}
        compiled = {name: jax.jit(jax.vmap(part, (0, None))) for name, part in parts.items()}
        return {name: best(partial(run, params, images), repeats=10) for name, run in compiled.items()}


def main() -> None:
    results: dict[str, Any] = {"hardware": hardware()}
    for name, recipe in RECIPES.items():
        patches, xla = seconds(recipe, "cpu"), seconds(recipe, "gpu")  # the form that other backends take
        results[name] = {
            part: {"patches": patches[part], "xla": xla[part], "times": round(xla[part] / patches[part], 1)}
            for part in patches
        }
        print(name, {part: value["times"] for part, value in results[name].items()}, file=sys.stderr, flush=True)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
