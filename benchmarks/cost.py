"""What a generation costs: a model of its time with constants measured on this machine, and how far it is off.

    python benchmarks/cost.py benchmarks/results/generation-cpu-2-cores.json

Fits hopper's cases of `benchmarks/generation.py`, growth and paper. Each case is also predicted from the others
alone. Prints JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

TERMS = {
    "products": "seconds a multiply-add of the inner loop's matrix products",
    "updates": "seconds a weight and epoch of gradients and optimiser",
    "policy": "seconds a multiply-add of the policies' products",
    "environment": "seconds an environment step, with what each network and step cost besides",
    "step": "seconds a step of a chunk's environments, however few",
    "generation": "seconds a generation, whatever its size",
}


def terms(result: dict[str, Any], cores: int) -> np.ndarray:
    """How often each of `TERMS` is paid one after the other, ``[6]``: jobs are spread over devices and cores."""
    case = result["case"]
    networks, chunk = case["population"] * case["inits"], result["networks_per_chunk"]
    devices = result["devices"]
    chunks = -(-networks // (devices * chunk))
    shared = max(1, devices / cores)
    turns = chunks * chunk * shared  # networks that a core works through
    steps, weights = case["max_steps"] * case["episodes"], result["weights"]
    epochs, size = case["epochs"], case["size"]
    products, updates = 3 * turns * epochs * size * weights, turns * epochs * weights
    return np.asarray(
        [products, updates, turns * steps * weights, turns * steps, chunks * case["max_steps"] * shared, 1]
    )


def fit(rows: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Constants that are not negative, with the least relative error."""
    scale = rows.max(0)
    return nnls(rows / scale / seconds[:, None], np.ones(len(seconds)))[0] / scale


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    results = json.loads(Path(sys.argv[1]).read_text())
    hoppers = {f"paper: {name}": case for name, case in results["paper"].items() if name.startswith("hopper")}
    cases, cores = results["growth"] | hoppers, results["hardware"]["cores"]
    rows = np.stack([terms(case, cores) for case in cases.values()])
    seconds = np.asarray([case["seconds"]["generation"] for case in cases.values()])
    constants = fit(rows, seconds)
    from_others = [rows[i] @ fit(np.delete(rows, i, 0), np.delete(seconds, i)) for i in range(len(seconds))]
    table = {
        name: {
            "measured": round(measured, 3),
            "model": round(model, 3),
            "error": round(model / measured - 1, 3),
            "error_left_out": round(left_out / measured - 1, 3),
        }
        for name, measured, model, left_out in zip(cases, seconds, rows @ constants, from_others, strict=True)
    }
    named = dict(zip(TERMS, constants.tolist(), strict=True))
    print(json.dumps({"hardware": results["hardware"], "constants": named, "cases": table}, indent=1))


if __name__ == "__main__":
    main()
