"""A known deadlock of JAX on CPU, kept out: see `hades.networks.orthogonal`.

`hangs("batched")` takes flax's initialiser instead, and hangs.
"""

import subprocess
import sys

PROGRAM = """
import os, sys
os.environ["PJRT_NPROC"] = "2"
import jax
from hades import learner, networks
from hades.dataset import Spec

if "batched" in sys.argv:
    networks.INITIALISERS["orthogonal"] = jax.nn.initializers.orthogonal
small = learner.Learner(width=256).over(learner.reference(Spec((300,), 6, True)))
fresh = jax.jit(jax.vmap(lambda key: learner.init_network(small, Spec((300,), 6, True), key)))
for i in range(30):
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
