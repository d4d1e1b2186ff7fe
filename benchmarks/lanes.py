"""Environment steps a second of one core: `jax.vmap` against `hades.tasks.lanes.vmap`. Prints JSON.

python benchmarks/lanes.py [TASK ...]
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

os.environ |= {"JAX_NUM_CPU_DEVICES": "1", "PJRT_NPROC": "1"}

import jax
from generation import best

import hades
from hades.tasks import lanes

BATCH, STEPS = 128, 64


def rate(task: Any, vmap: Callable[..., Any]) -> float:
    env = task.environment
    keys = jax.random.split(jax.random.key(0), BATCH)
    actions = jax.random.uniform(jax.random.key(1), (BATCH, env.spec.num_actions), minval=-1, maxval=1)
    state = jax.jit(jax.vmap(env.reset))(keys)[0]

    @jax.jit
    def run(state: Any) -> jax.Array:
        def step(state: Any, _: None) -> tuple[Any, jax.Array]:
            out = vmap(env.step)(keys, state, actions)
            return out.state, out.reward.sum()

        return jax.lax.scan(step, state, length=STEPS)[1].sum()

    return BATCH * STEPS / best(lambda: run(state), repeats=3)


def main() -> None:
    results = {}
    for name in sys.argv[1:] or ["brax/hopper", "brax/walker2d", "brax/halfcheetah", "brax/ant"]:
        task = hades.make(name)
        before, after = rate(task, jax.vmap), rate(task, lanes.vmap)
        results[name] = {"vmap": round(before), "lanes": round(after), "times": round(after / before, 1)}
        print(name, results[name], file=sys.stderr, flush=True)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
