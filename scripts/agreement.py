"""Does a dataset's return by `hades.evaluate` agree with a plain Gymnasium loop around the exported network?

    python scripts/agreement.py DATASET ... [--inits 16] [--episodes 4] [--out FILE]

For each dataset of a Gymnasium environment (a file or a run's folder): fresh networks are trained by `hades.train`,
saved, read again as files, and act in what `gymnasium.make` makes, by `hades.policy`, an episode after the other. The
other score is `hades.evaluate`'s, on other networks and episodes. They agree where the means differ by less than the
sum of their 95 % intervals' halves.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
import jax
import numpy as np
from flax.traverse_util import unflatten_dict
from safetensors.numpy import load_file

import hades
from hades import runtime
from hades.evaluation import save_params

SEED = 5_000
"""Of networks and episodes that nobody else has."""


def interval(of_networks: np.ndarray, draws: int = 10_000) -> tuple[float, float]:
    """The bootstrap's 95 % of the mean over networks."""
    rng = np.random.default_rng(0)
    means = rng.choice(of_networks, (draws, len(of_networks))).mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def plain(dataset: hades.Dataset, inits: int, episodes: int) -> np.ndarray:
    """Returns ``[inits, episodes]`` by a loop that knows nothing of HaDES's tasks."""
    act, env = jax.jit(hades.policy(dataset)), gymnasium.make(dataset.task.removeprefix("gymnasium/"))
    low, high = (getattr(env.action_space, name, 0) for name in ("low", "high"))
    returns = np.zeros((inits, episodes))
    for i in range(inits):
        params = exported(hades.train(dataset, SEED + i, init="fresh"))
        for j in range(episodes):
            obs, key, over = env.reset(seed=SEED + i * episodes + j)[0], jax.random.key(SEED + i * episodes + j), False
            while not over:
                key, act_key = jax.random.split(key)
                action = np.asarray(act(params, obs.astype(np.float32), act_key))
                action = int(action) if dataset.spec.discrete else low + (high - low) * (action + 1) / 2
                obs, reward, terminated, truncated, _ = env.step(action)
                returns[i, j] += float(reward)
                over = terminated or truncated
    return returns


def exported(params: Any) -> Any:
    """A network as its file has it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.safetensors"
        save_params(params, file)
        return unflatten_dict({tuple(name.split(".")): value for name, value in load_file(file).items()})


def compared(path: str, inits: int, episodes: int) -> dict[str, Any]:
    """Both scores of a dataset."""
    dataset = hades.load(path)
    ours = hades.evaluate(dataset, inits=inits, episodes=episodes, init="fresh", seed=1_000).returns
    both = {"hades.evaluate": np.asarray(ours, float), "plain loop": plain(dataset, inits, episodes)}
    means = {name: float(each.mean()) for name, each in both.items()}
    ranges = {name: interval(each.mean(1)) for name, each in both.items()}
    halves = sum((high - low) / 2 for low, high in ranges.values())
    difference = abs(means["hades.evaluate"] - means["plain loop"])
    return {"task": dataset.task, "means": means, "intervals": ranges, "difference": difference,
            "agree": difference <= halves}  # fmt: skip


def main() -> None:
    """Compare, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--inits", type=int, default=16)
    parser.add_argument("--episodes", type=int, default=4)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    runtime.configure()
    rows = [compared(path, asked.inits, asked.episodes) for path in asked.datasets]
    found = {**runtime.hardware(), "inits": asked.inits, "episodes": asked.episodes, "rows": rows}
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
