"""A model of a generation's time, fitted to the growth curves of `generation.py` and checked against them.

    python benchmarks/cost_model.py RESULTS.json

    seconds = jobs / cores * (epochs * (a + b * weights + c * weights * pairs) + episodes * steps * (d + e * weights))

A job is one network on one candidate; cores are devices, where they are not more than there are cores. Each case is
predicted by constants fitted to the others.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls


def features(result: dict[str, Any], cores: int) -> np.ndarray:
    case = result["case"]
    weights = result["weights"]
    share = case["population"] * case["inits"] / min(result["devices"], cores)
    plays = case["episodes"] * case["max_steps"]
    inner = case["epochs"] * np.array([1, weights, weights * case["size"]])
    return share * np.concatenate([inner, plays * np.array([1, weights])])


def fit(x: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Constants that are not negative, by relative error."""
    scaled = x / seconds[:, None]
    unit = scaled.max(0)
    return nnls(scaled / unit, np.ones(len(seconds)))[0] / unit


def main() -> None:
    results = json.loads(Path(sys.argv[1]).read_text())
    cases, cores = results["growth"], results["hardware"]["cores"]
    x = np.stack([features(r, cores) for r in cases.values()])
    seconds = np.array([r["seconds"]["generation"] for r in cases.values()])
    errors = {}
    for i, name in enumerate(cases):
        others = np.arange(len(seconds)) != i
        predicted = float(x[i] @ fit(x[others], seconds[others]))
        errors[name] = {"measured": seconds[i], "predicted": predicted, "error": predicted / seconds[i] - 1}
    constants = dict(zip("abcde", fit(x, seconds).tolist(), strict=True))
    print(json.dumps({"constants": constants, "cases": errors}, indent=1))


if __name__ == "__main__":
    main()
