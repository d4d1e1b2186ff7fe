"""Environments outside JAX: steps a second of the engine alone, with a policy, and in a generation of evolution.

    python benchmarks/host.py [TASK ...] [--copies 256] [--out FILE]

The engine alone replays the very actions that the policy took, so that the episodes are the same. Beside them a plain
loop over one copy, as Gymnasium's documentation has it, without any of this.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

import hades
from hades import runtime
from hades.learner.recipe import Learner
from hades.normalisers import identity_normaliser
from hades.scoring import Fitness
from hades.tasks.host import HostTask
from hades.training import fresh_networks

TASKS = (
    "gymnasium/Hopper-v5", "gymnasium/HalfCheetah-v5", "gymnasium/LunarLander-v3", "gymnasium/CartPole-v1",
    "envpool/Hopper-v4",
)  # fmt: skip
PAIRS, INITS = 16, 2


def seconds(function: Callable[[], Any], repeats: int = 3) -> float:
    """The shortest of some calls, after one that does not count."""
    function()
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(function())
        took.append(time.perf_counter() - began)
    return min(took)


def measured(name: str, copies: int) -> dict[str, Any]:
    """Of one task."""
    task = hades.make(name)
    assert isinstance(task, HostTask)
    recipe = task.reference.patched(Learner(width=64, epochs=200))
    key, normaliser = jax.random.key(0), identity_normaliser(task.spec)
    networks = fresh_networks(recipe, task.spec, copies, key)
    keys = jax.random.split(key, (copies, 1))
    taken: list[np.ndarray] = []
    step = task.environment.step

    def recorded(actions: np.ndarray) -> Any:
        taken.append(actions.copy())
        return step(actions)

    object.__setattr__(task.environment, "step", recorded)
    steps = int(task.score(recipe, networks, normaliser, keys).length.sum())
    object.__setattr__(task.environment, "step", step)
    played = list(taken)
    seeds = np.asarray(jax.vmap(jax.random.bits)(keys.reshape(-1)))

    def engine() -> None:
        task.environment.reset(seeds)
        for actions in played:
            task.environment.step(actions)

    fitness = Fitness(task, recipe, inits=INITS)
    states = jax.random.normal(key, (copies // INITS, PAIRS, *task.spec.obs_shape))
    targets = jax.random.normal(key, (copies // INITS, PAIRS, task.spec.num_actions))
    two = fitness.networks(key)

    def generation() -> int:
        return int(fitness.population((states, targets, {}), two, normaliser, key).env_steps)

    its, took = generation(), seconds(generation)
    alone, policy = seconds(engine), seconds(lambda: task.score(recipe, networks, normaliser, keys))
    return {
        "task": name,
        "copies": copies,
        "steps": steps,
        "engine": round(steps / alone),
        "with a policy": round(steps / policy),
        "share": round(alone / policy, 3),
        "in a generation": round(its / took),
        "steps of a generation": its,
        "plain loop, one copy": round(plain(name, task)),
        "versions": dict(task.versions),
    }


def plain(name: str, task: HostTask, least: float = 2.0) -> float:
    """Steps a second of one copy, in this process, by random actions; 0 where Gymnasium has none of this name."""
    import gymnasium

    suite, _, bare = name.partition("/")
    if suite != "gymnasium":
        return 0.0
    env = gymnasium.make(bare)
    env.reset(seed=0)
    env.action_space.seed(0)
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < least:
        ended, cut = env.step(env.action_space.sample())[2:4]
        steps += 1
        if ended or cut:
            env.reset()
    return steps / (time.perf_counter() - began)


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=TASKS)
    parser.add_argument("--copies", type=int, default=256)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "host-cpu-2-cores.json")
    asked = parser.parse_args()
    runtime.configure()
    rows = [measured(name, asked.copies) for name in asked.tasks]
    found = {**runtime.hardware(), "jax": jax.__version__, "pairs": PAIRS, "width": 64, "rows": rows}
    asked.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
