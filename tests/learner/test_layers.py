"""Layers and initialisers, and the convolution that CPUs take.

Among them a known deadlock of JAX on CPU, kept out: see `hades.learner.layers.orthogonal`. `hangs("batched")` takes
JAX's initialiser instead, and hangs.
"""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from hades.learner.layers import Conv, InstanceNorm, orthogonal, patches

PROGRAM = """
import os, sys
os.environ["PJRT_NPROC"] = "2"
import jax
from hades.dataset import Spec
from hades.learner import layers
from hades.learner.networks import init_network
from hades.learner.recipe import Learner
from hades.learner.recipes import published

if "batched" in sys.argv:
    layers.INITIALISERS["orthogonal"] = jax.nn.initializers.orthogonal
spec = Spec((300,), 6, True)
small = published(spec).patched(Learner(width=256))
fresh = jax.jit(jax.vmap(lambda key: init_network(small, spec, key)))
for i in range(10):
    jax.block_until_ready(fresh(jax.random.split(jax.random.key(i), 6)))
"""


def hangs(*args: str) -> bool:
    """Under a watchdog: it takes seconds, or for ever."""
    try:
        subprocess.run([sys.executable, "-c", PROGRAM, *args], check=True, timeout=180)
    except subprocess.TimeoutExpired:
        return True
    return False


def test_batches_of_networks_are_initialised() -> None:
    assert not hangs()


def test_a_batch_of_orthogonal_matrices_is_made_one_by_one() -> None:
    keys = jax.random.split(jax.random.key(0), 3)
    init = orthogonal(2**0.5)
    batch = jax.jit(jax.vmap(lambda key: init(key, (5, 4))))
    np.testing.assert_array_equal(batch(keys), jnp.stack([init(key, (5, 4)) for key in keys]))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 7), (9, 4)])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_patches_times_kernel_is_the_convolution(height: int, width: int, size: int) -> None:
    rng = np.random.default_rng(height)
    x = jnp.asarray(rng.normal(size=(2, height, width, 3)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(size, size, 3, 4)), jnp.float32)
    want = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    np.testing.assert_allclose(patches(x, size) @ kernel.reshape(-1, 4), want, atol=1e-4)


def test_a_convolution_is_initialised_as_flax_does() -> None:
    zeros, lecun = nn.initializers.zeros, nn.initializers.lecun_normal()
    x = jnp.zeros((1, 6, 6, 2))
    ours = Conv(4, 3, lecun, zeros).init(jax.random.key(0), x)
    theirs = nn.Conv(4, (3, 3), kernel_init=lecun, bias_init=zeros).init(jax.random.key(0), x)
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


def test_an_instance_norm_leaves_mean_zero_and_variance_one() -> None:
    x = 3 + 2 * jax.random.normal(jax.random.key(0), (2, 6, 5, 3))
    norm = InstanceNorm()
    out = np.asarray(norm.apply(norm.init(jax.random.key(1), x), x))
    np.testing.assert_allclose(out.mean((1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(out.var((1, 2)), 1, rtol=1e-4)
