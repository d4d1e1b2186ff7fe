"""What makes a laptop's minutes count: hopper with four pairs, one change at a time.

    python scripts/laptop.py ROW ... [--seeds 0 1 2] [--minutes M | --steps S]

Results go to docs/laptop.json, one entry for each row and seed; `python scripts/laptop.py table` prints them.
A run's datasets are scored on 32 fresh networks of width 64 and of width 512, by a seed that nothing was tuned on.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

import hades

LEARNER = hades.Learner(width=64, epochs=600)
ROWS: dict[str, dict[str, Any]] = {
    "width 128, 200 epochs": {"learner": hades.Learner(width=128, epochs=200)},
    "width 64, 600 epochs": {"learner": LEARNER},
    "width 64, 600 epochs, CMA-ES": {"learner": LEARNER, "strategy": "CMA_ES"},
    "width 64, 600 epochs, standard deviation 0.6": {"learner": LEARNER, "std": 0.6},
    "width 64, 600 epochs, standard deviation 1": {"learner": LEARNER, "std": 1.0},
    "standard deviation 1, 4 searches": {"learner": LEARNER, "std": 1.0, "searches": 4},
    "standard deviation 1, curriculum of 50": {"learner": LEARNER, "std": 1.0, "curriculum": 50},
    "standard deviation 1, curriculum of 50, 4 searches": {
        "learner": LEARNER,
        "std": 1.0,
        "curriculum": 50,
        "searches": 4,
    },
    "standard deviation 1, 10 searches": {"learner": LEARNER, "std": 1.0, "searches": 10},
}
"""All with a population of 32, 4 networks a candidate, SNES from a standard deviation of 0.3 where not said."""
BASE = {"population": 32, "inits": 4, "std": 0.3, "strategy": "SNES", "validate_inits": 64}
MARKS = (1000, 1500, 1741)
FILE = Path(__file__).parent.parent / "docs" / "laptop.json"
FRESH = 1000


def run(row: str, seed: int, budget: dict[str, float]) -> dict[str, Any]:
    options = {**BASE, **ROWS[row], **budget}
    result = hades.distill("brax/hopper", size=4, seed=seed, progress=False, **options)
    if result.interrupted:
        sys.exit("interrupted")
    result.dataset.save(FILE.parent / "laptop" / f"hopper-row{list(ROWS).index(row)}-seed{seed}.safetensors")
    reached = {}
    for mark in MARKS:
        first = next((r for r in result.metrics if (r["validated"] or 0) >= mark), None)
        reached[str(mark)] = first and {"minutes": first["seconds"] / 60, "env_steps": first["env_steps_total"]}
    scores = {
        str(width): hades.evaluate(
            result.dataset, "brax/hopper", 32, 1, seed=FRESH, learner=hades.Learner(width=width)
        ).summary()
        for width in (64, 512)
    }
    curve = [
        (r["seconds"], r["env_steps_total"], r["validated"]) for r in result.metrics if r["validated"] is not None
    ]
    last = result.metrics[-1]
    return {
        "row": row,
        "seed": seed,
        "generations": last["generation"],
        "minutes": last["seconds"] / 60,
        "env_steps": last["env_steps_total"],
        "cores": len(os.sched_getaffinity(0)),
        "reached": reached,
        "scores": scores,
        "curve": curve,
        "versions": result.dataset.info["versions"],
    }


def table(results: list[dict[str, Any]]) -> str:
    marks = ", ".join(map(str, MARKS))
    lines = [f"| change | seeds | minutes | M steps | width 64 | width 512 | minutes (M steps) to {marks} |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in dict.fromkeys(r["row"] for r in results):
        runs = [r for r in results if r["row"] == row]
        minutes, steps = spread([r["minutes"] for r in runs]), spread([r["env_steps"] / 1e6 for r in runs])
        scores = [spread([r["scores"][width]["mean"] for r in runs]) for width in ("64", "512")]
        first = "; ".join(reached([r["reached"][str(mark)] for r in runs]) for mark in MARKS)
        lines.append("| " + " | ".join([row, str(len(runs)), minutes, steps, *scores, first]) + " |")
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    return f"{np.mean(values):.0f}" + (f" ± {np.std(values):.0f}" if len(values) > 1 else "")


def reached(runs: list[dict[str, float] | None]) -> str:
    there = [run for run in runs if run]
    if not there:
        return "never"
    minutes, steps = (np.mean([run[key] for run in there]) for key in ("minutes", "env_steps"))
    share = f" in {len(there)} of {len(runs)}" if len(there) < len(runs) else ""
    return f"{minutes:.1f} ({steps / 1e6:.0f}){share}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", help="numbers of rows, from 0, or: table")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    args = parser.parse_args()
    results = json.loads(FILE.read_text()) if FILE.exists() else []
    if args.rows == ["table"]:
        print(table(results))
        return
    budget = {"steps": args.steps} if args.steps else {"minutes": args.minutes or 20.0}
    for row in (list(ROWS)[int(i)] for i in args.rows):
        for seed in args.seeds:
            results = [r for r in results if (r["row"], r["seed"]) != (row, seed)] + [run(row, seed, budget)]
            FILE.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
