"""How long a generation takes, where the time goes, and how far that is from what the hardware can do.

    python benchmarks/generation.py [--cases laptop paper published growth] [--out FILE.json]

Every case runs in a process of its own. All episodes run to the same length (terminations are ignored), so that
work does not depend on luck; `early_stop` is the same generation with terminations, from the same fresh search.
Times are the best of several repeats after one to warm up.

A generation's parts: ask and tell (the strategy), the inner loop, and the rollouts (the generation less the rest).
Roofs are measured in the same process, on all devices at once, chunk by chunk as the generation works:
  products       the inner loop's and the policy's matrix products alone, at their own shapes
  optimiser      bytes that a fused update of the parameters moves, at the measured bandwidth of such updates
  environment    the environment's own steps under random actions
"""

import argparse
import dataclasses
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPEATS = 2
MAX_STEPS = 1000
HOPPER = {"task": "brax/hopper", "size": 4, "width": 64, "epochs": 200, "population": 64, "inits": 2, "episodes": 1}
MINATAR = {"size": 16, "width": 64, "epochs": 64, "population": 128, "inits": 2, "episodes": 4}
LAPTOP = {
    "hopper-4": HOPPER,
    "hopper-64": HOPPER | {"size": 64},
    "halfcheetah-16": HOPPER | {"task": "brax/halfcheetah", "size": 16},
    "breakout-16": MINATAR | {"task": "Breakout-MinAtar"},
    "space-invaders-16": MINATAR | {"task": "SpaceInvaders-MinAtar"},
    "cartpole-2": HOPPER | {"task": "CartPole-v1", "size": 2, "episodes": 4},
}
WIDE = {"width": 512, "population": 16, "episodes": 4}
GROWTH: list[dict[str, Any]] = [{}, *({"population": p} for p in (16, 256, 1024))]
GROWTH += (
    [{"size": n} for n in (2, 16, 256)] + [{"width": w} for w in (128, 256, 512)] + [{"devices": d} for d in (1, 4)]
)
SUITES: dict[str, dict[str, dict[str, Any]]] = {
    "laptop": LAPTOP,
    "paper": {name: case | WIDE | {"max_steps": 300} for name, case in LAPTOP.items()},
    # The work of which the published implementation's time is known.
    "published": {
        "hopper-4": HOPPER | WIDE | {"max_steps": 1024, "published_seconds": 20.0},
        "breakout-16": MINATAR | {"task": "Breakout-MinAtar", "width": 256, "population": 16, "episodes": 8,
                                  "max_steps": 1000, "published_seconds": 3.6},
    },
    "growth": {
        ", ".join(["hopper-4", *(f"{k} {v}" for k, v in change.items())]): HOPPER | {"max_steps": 200} | change
        for change in GROWTH
    },
}  # fmt: skip


def best(fun: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Seconds of the best of a few calls, after one to warm up."""
    from hades.runtime import timed

    return min(timed(fun, repeats))


def measure(case: dict[str, Any]) -> dict[str, Any]:
    """One case, in this process."""
    import jax
    import jax.numpy as jnp
    from jax.sharding import PartitionSpec as P

    from hades import presets, runtime, tasks
    from hades.learner.networks import init_network
    from hades.learner.recipe import Learner
    from hades.parallel import AXIS, mesh, replicated
    from hades.search import Search
    from hades.tasks.control import ControlTask
    from hades.tasks.environment import Step

    runtime.configure()
    natural = tasks.make(case["task"])

    class FixedLength:
        """Every episode lasts as long as asked, whatever happens in it."""

        def __init__(self, steps: int) -> None:
            self.spec, self.max_steps, self.inner = natural.spec, steps, natural.environment

        def reset(self, key: jax.Array) -> tuple[Any, jax.Array]:
            state, obs = self.inner.reset(key)
            return (state, jnp.zeros((), jnp.int32)), obs

        def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step:
            state, number = state
            out = self.inner.step(key, state, action)
            return out._replace(
                state=(out.state, number + 1), terminated=jnp.asarray(False), truncated=number + 1 >= self.max_steps
            )

    def search_of(task: ControlTask) -> Search:
        learner = Learner(width=case["width"], epochs=case["epochs"])
        options = {name: case[name] for name in ("size", "population", "inits", "episodes")}
        return Search(
            task, presets.get(natural, "evolution").override({**options, "learner": learner, "curriculum": None})
        )

    def generation_time(task: ControlTask) -> tuple[float, int]:
        d = search_of(task)
        state = d.init()
        one = jax.jit(d.programs[0][0], out_shardings=replicated())
        return best(lambda: one(state, d.data)), int(one(state, d.data)[1]["env_steps"])

    steps = case.get("max_steps", MAX_STEPS)
    fixed = dataclasses.replace(natural, environment=FixedLength(steps))
    d = search_of(fixed)
    state = d.init()
    ask_key, init_key, *_ = d._keys(state)
    fitness, config, spec, recipe = d.fitness[0], d.config, d.task.spec, d.recipes[0]
    devices, jobs = jax.device_count(), config.population * config.inits
    chunks, chunk, batch = fitness.chunks(config.population)
    params = jax.eval_shape(partial(init_network, recipe, spec), jax.random.key(0))
    kernels = [leaf.shape for leaf in jax.tree.leaves(params) if leaf.ndim == 2]
    number = sum(leaf.size for leaf in jax.tree.leaves(params))

    def on_all_devices(fun: Callable[[jax.Array], jax.Array], networks: int) -> float:
        """Seconds of so many networks' work on every device at once, as often as a generation does it.

        ``fun`` takes a one that the compiler cannot know.
        """
        run = jax.shard_map(
            lambda one: fun(one[0])[None], mesh=mesh(), in_specs=P(AXIS), out_specs=P(AXIS), check_vma=False
        )
        one = jax.device_put(jnp.ones(devices), jax.NamedSharding(mesh(), P(AXIS)))
        return chunks * chunk / networks * best(partial(jax.jit(run), one))

    def products(networks: int, rows: int, repeats: int, backward: bool) -> float:
        """Seconds of every network's matrix products, ``repeats`` times, so many networks at once."""
        keys = jax.random.split(jax.random.key(0), len(kernels))
        random = [
            jax.random.normal(key, (networks, *shape)) / shape[0] for key, shape in zip(keys, kernels, strict=True)
        ]

        def layers(weights: list[jax.Array], x: jax.Array, _: Any) -> tuple[jax.Array, None]:
            h, inputs = x, []
            for w in weights:
                inputs.append(h)
                h = h @ w
            gradients = [jnp.zeros(())]
            if backward:
                g = h
                for w, inp in zip(reversed(weights), reversed(inputs), strict=True):
                    gradients.append((jnp.swapaxes(inp, 1, 2) @ g)[0, 0, 0])
                    g = g @ jnp.swapaxes(w, 1, 2)
            return x * 0.999 + h.mean() * 1e-9 + sum(gradients) * 1e-9, None

        x = jnp.ones((networks, rows, kernels[0][0]))

        def run(one: jax.Array) -> jax.Array:
            return jax.lax.scan(partial(layers, [one * w for w in random]), one * x, length=repeats)[0].sum()

        return on_all_devices(run, networks)

    def updates() -> float:
        """Seconds of Adam's elementwise work for every network and epoch, gradients given."""

        def update(carry: Any, _: None) -> tuple[Any, None]:
            p, m, v = carry
            g = 1e-3 * p
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            return (p - 1e-3 * m / (jnp.sqrt(v) + 1e-5), m, v), None

        start = jnp.ones((batch, number))
        return on_all_devices(
            lambda one: jax.lax.scan(update, (one * start,) * 3, length=recipe.epochs)[0][0].sum(), batch
        )

    def environment() -> float:
        """Seconds of all episodes under random actions that cost nothing."""
        lanes = chunk * config.episodes
        env_step = natural.vmap(natural.environment.step)
        keys = jax.random.split(jax.random.key(0), lanes)
        start = jax.vmap(natural.environment.reset)(keys)[0]
        if spec.discrete:
            actions = jax.random.randint(jax.random.key(1), (lanes,), 0, spec.num_actions)
        else:
            actions = jax.random.uniform(jax.random.key(1), (lanes, spec.num_actions), minval=-1, maxval=1)

        def one(env_state: Any, _: None) -> tuple[Any, jax.Array]:
            out = env_step(keys, env_state, actions)
            return out.state, out.reward.mean() + out.obs.astype(jnp.float32).mean()

        return on_all_devices(lambda unit: unit * jax.lax.scan(one, start, length=steps)[1].sum(), chunk)

    still = dataclasses.replace(natural, environment=FixedLength(1))
    strategy = jax.jit(lambda s: d.attempts.strategies[0].ask(ask_key, s)[1])
    search = state.search.strategy
    population = d.attempts.strategies[0].ask(ask_key, search)[0]
    tell = jax.jit(
        lambda s: d.attempts.strategies[0].tell(ask_key, s, population, jnp.arange(config.population) * 1.0)
    )
    generation, env_steps = generation_time(fixed)
    early, early_steps = generation_time(natural) if steps >= MAX_STEPS else (None, None)
    times = {
        "generation": generation,
        "ask": best(lambda: strategy(search)),
        "tell": best(lambda: tell(search)),
        "initialise": best(partial(jax.jit(fitness.networks), init_key)),
        "inner_loop": generation_time(still)[0],
        "dispatch": best(partial(jax.jit(lambda x: x + 1, out_shardings=replicated()), jnp.zeros(()))),
    }
    times["inner_loop"] -= times["ask"] + times["tell"] + times["initialise"]
    times["rollout"] = generation - sum(times[k] for k in ("ask", "tell", "initialise", "inner_loop"))
    roofs = {
        "inner_products": products(batch, config.size, recipe.epochs, backward=True),
        "optimiser": updates(),
        "policy_products": products(chunk, config.episodes, steps, backward=False),
        "environment": environment(),
    }
    flop = 6 * sum(a * b for a, b in kernels) * config.size * recipe.epochs * jobs
    large = jnp.ones((2048, 2048))
    return {
        "case": case,
        "devices": devices,
        "networks_per_chunk": chunk,
        "networks_per_batch": batch,
        "weights": number,
        "seconds": times,
        "roofs": roofs,
        "roofs_over_time": sum(roofs.values()) / generation,
        "env_steps": env_steps,
        "env_steps_per_second": env_steps / generation,
        "random_action_steps_per_second": env_steps / roofs["environment"],
        "inner_gflops": flop / times["inner_loop"] / 1e9,
        "inner_product_gflops_roof": flop / roofs["inner_products"] / 1e9,
        "large_product_gflops": 2 * 2048**3 / best(partial(jax.jit(lambda x: x @ x), large)) / 1e9,
        "update_gigabytes_per_second": 24 * number * recipe.epochs * jobs / roofs["optimiser"] / 1e9,
        "early_stop": {"generation": early, "env_steps": early_steps},
        "peak_memory_gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def machine() -> dict[str, Any]:
    from hades.runtime import hardware

    libraries = {name: version(name) for name in ("jax", "brax", "gymnax", "evosax", "hades-rl")}
    return hardware() | {"python": platform.python_version(), "versions": libraries}


def row(name: str, r: dict[str, Any]) -> str:
    s, case = r["seconds"], r["case"]
    line = f"{name:32} {s['generation']:8.3f} s  inner {s['inner_loop']:7.3f}  rollout {s['rollout']:7.3f}"
    line += f"  ask+tell {s['ask'] + s['tell']:6.4f}  roofs/time {r['roofs_over_time']:.2f}"
    line += f"  {r['env_steps_per_second']:9,.0f} steps/s  {r['peak_memory_gigabytes']:.1f} GB"
    if r["early_stop"]["generation"]:
        line += f"  early stop {r['early_stop']['generation']:.3f} s"
    return line + (f"  (published: {case['published_seconds']} s)" if "published_seconds" in case else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=SUITES, default=list(SUITES))
    parser.add_argument("--only", help="cases whose name begins so")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        print(json.dumps(measure(json.loads(args.case))))
        return
    results: dict[str, Any] = {"hardware": machine()}
    for suite in args.cases:
        results[suite] = {}
        for name, case in SUITES[suite].items():
            if args.only and not name.startswith(args.only):
                continue
            env = os.environ | ({"JAX_NUM_CPU_DEVICES": str(case["devices"])} if "devices" in case else {})
            command = [sys.executable, __file__, "--case", json.dumps(case)]
            done = subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE)
            if done.returncode:
                print(f"{suite}: {name} failed (exit {done.returncode})", file=sys.stderr)
                continue
            results[suite][name] = json.loads(done.stdout.splitlines()[-1])
            print(row(f"{suite}: {name}", results[suite][name]), file=sys.stderr, flush=True)
            if args.out:
                args.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
