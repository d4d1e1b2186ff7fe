"""What the derivative of a loss through the inner loop costs, a network: prints JSON.

    python benchmarks/through.py [--widths 64 256 512] [--epochs 16 64 200] [--out FILE.json]

Breakout's networks, 16 pairs, full-batch Adam and momentum (which moves the first layer in the span of the pairs), a
loss of 1,024 observations a network: what `--strategy ppo` asks for.
Beside seconds: the multiplications that it needs (a gradient for each step, its derivative, which takes two, and the
loss's; not what the first layer makes of observations at first, once a generation) as a share of what the machine's
matrix products do, and the memory that the program holds beside its arguments: steps are checkpointed, so that it
grows with the root of their number.
"""

import argparse
import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any

import jax

import hades
from hades.learner.networks import network_bytes
from hades.learner.recipes import DISCRETE
from hades.learner.span import spans
from hades.runtime import devices, hardware, timed, versions
from hades.scoring import Fitness
from hades.tasks import make
from hades.training import Pairs

PAIRS, NETWORKS, OBSERVATIONS, REPEATS = 16, 8, 1024, 5
PRODUCT = 1024
"""Rows and columns of the matrices that the machine's rate is taken from."""


def products() -> float:
    """Multiply-adds a second of matrix products, on all devices at once."""
    number = jax.device_count()
    matrices = jax.random.normal(jax.random.key(0), (number, PRODUCT, PRODUCT))
    square = jax.pmap(lambda x: x @ x)
    return number * PRODUCT**3 / min(timed(lambda: square(matrices), REPEATS))


def loss(outputs: jax.Array, nothing: Any) -> tuple[jax.Array, None]:
    """Of one network."""
    del nothing
    return jax.nn.log_softmax(outputs)[:, 0].mean(), None


def pairs(solution: Any) -> Pairs:
    """With soft labels."""
    return solution["states"], jax.nn.softmax(solution["logits"]), {}


def measured(optimiser: str, width: int, epochs: int, rate: float) -> dict[str, Any]:
    """Of one optimiser, width and number of steps."""
    task = make("breakout")
    step = {"adam": 0.64 / epochs, "momentum": 19.2 / width}[optimiser]
    recipe = DISCRETE.patched(
        hades.Learner(width=width, activation="tanh", epochs=epochs, optimiser=optimiser, learning_rate=step)
    )
    fitness = Fitness(task, recipe, inits=NETWORKS)
    keys = jax.random.split(jax.random.key(0), 5)
    shape, actions = task.spec.obs_shape, task.spec.num_actions
    solution = {
        "states": jax.random.normal(keys[0], (PAIRS, *shape)),
        "logits": jax.random.normal(keys[1], (PAIRS, actions)),
    }
    obs = jax.random.normal(keys[2], (NETWORKS, OBSERVATIONS, *shape))

    @jax.jit
    def through(solution: Any, networks: Any, key: jax.Array, inputs: Any) -> Any:
        return fitness.through(pairs, loss, solution, networks, key, inputs, ())[0]

    networks = fitness.networks(keys[3])
    args = solution, networks, keys[4], fitness.inputs(networks, obs, PAIRS)
    program = through.lower(*args).compile()
    seconds, weights = min(timed(lambda: program(*args), REPEATS)) / NETWORKS, network_bytes(recipe, task.spec) / 4
    memory = program.memory_analysis()
    assert memory is not None
    numbers = math.prod(shape)
    if spans(recipe, task.spec, PAIRS):  # a number for each pair in place of each input, and products with the pairs
        moved, met = weights - (numbers - PAIRS) * width, 2 * numbers * PAIRS
    else:
        moved, met = weights, 0
    needed = 9 * epochs * PAIRS * moved + OBSERVATIONS * (3 * moved + met)
    return {
        "optimiser": optimiser, "width": width, "epochs": epochs, "networks": NETWORKS,
        "milliseconds a network": 1e3 * seconds, "multiply-adds a network": needed,
        "share of the products' rate": needed / seconds / rate, "megabytes": memory.temp_size_in_bytes / 2**20,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 256, 512])
    parser.add_argument("--epochs", type=int, nargs="+", default=[16, 64, 200])
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    args = parser.parse_args()
    hades.configure()
    rate = products()
    results: dict[str, Any] = {
        "hardware": hardware() | devices(),
        "versions": versions(),
        "products": rate,
        "cases": [],
    }
    for optimiser in ("adam", "momentum"):
        for width, epochs in itertools.product(args.widths, args.epochs):
            results["cases"].append(measured(optimiser, width, epochs, rate))
            print(results["cases"][-1], file=sys.stderr, flush=True)
    if args.out:
        args.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
