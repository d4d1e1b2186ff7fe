"""What makes a laptop's minutes count: hopper with four pairs and Breakout with fifteen, one change at a time.

    python scripts/laptop.py TASK ROW ... [--seeds 0 1 2] [--minutes M | --steps S]

Results go to docs/laptop.json, one entry for each row and seed; `python scripts/laptop.py TASK table` prints them. A
run's datasets are scored on 32 fresh networks of width 64 and of width 512, by a seed that nothing was tuned on.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import hades
from hades.studies import EVALUATION_SEED, spread


@dataclass(frozen=True)
class Ablation:
    """One task's rows: options over those that all of them share."""

    size: int
    shared: dict[str, Any]
    rows: dict[str, dict[str, Any]]
    marks: tuple[float, ...]
    """Returns whose first validation is timed."""
    episodes: int = 1
    """Of each fresh network."""


NARROW = {"learner": hades.Learner(width=64, epochs=600)}
WIDE_START = {**NARROW, "std": 1.0}
ABLATIONS = {
    "hopper": Ablation(
        size=4,
        shared={"population": 32, "inits": 4, "std": 0.3, "searches": 1, "curriculum": None, "validate_inits": 64},
        rows={
            "width 128, 200 epochs": {"learner": hades.Learner(width=128, epochs=200)},
            "width 64, 600 epochs": NARROW,
            "width 64, 600 epochs, CMA-ES": {**NARROW, "strategy": "CMA_ES"},
            "width 64, 600 epochs, standard deviation 0.6": {**NARROW, "std": 0.6},
            "width 64, 600 epochs, standard deviation 1": WIDE_START,
            "standard deviation 1, 4 searches": {**WIDE_START, "searches": 4},
            "standard deviation 1, curriculum of 50": {**WIDE_START, "curriculum": 50},
            "standard deviation 1, curriculum of 50, 4 searches": {
                **WIDE_START, "curriculum": 50, "searches": 4
            },
            "standard deviation 1, 10 searches": {**WIDE_START, "searches": 10},
            "standard deviation 1, 20 searches": {**WIDE_START, "searches": 20},
            "standard deviation 1, 2 networks, 24 searches": {**WIDE_START, "inits": 2, "searches": 24},
            "standard deviation 1, 16 searches": {**WIDE_START, "searches": 16},
        },
        marks=(1000, 1500, 1741),
    ),
    "breakout": Ablation(
        size=15,
        shared={"population": 128, "inits": 2, "episodes": 4, "start": "random", "learner": hades.Learner(width=64)},
        rows={
            "width 64, 4 episodes": {},
            "16 episodes": {"episodes": 16},
            "started from observations": {"start": "sample"},
            "width 32": {"learner": hades.Learner(width=32)},
            "started from observations, width 32, 8 episodes": {
                "start": "sample", "learner": hades.Learner(width=32), "episodes": 8
            },
        },
        marks=(1, 2, 3),
        episodes=8,
    ),
}  # fmt: skip
FILE = Path(__file__).parent.parent / "docs" / "laptop.json"


def run(task: str, row: str, seed: int, budget: dict[str, float]) -> dict[str, Any]:
    about = ABLATIONS[task]
    options = {**about.shared, **about.rows[row], **budget}
    result = hades.distill(task, size=about.size, seed=seed, progress=False, **options)
    if result.interrupted:
        sys.exit("interrupted")
    folder = FILE.parent / "laptop"
    folder.mkdir(exist_ok=True)
    result.dataset.save(folder / f"{task}-row{list(about.rows).index(row)}-seed{seed}.safetensors")
    reached = {}
    for mark in about.marks:
        first = next((r for r in result.metrics if (r["validated"] or 0) >= mark), None)
        reached[str(mark)] = first and {"minutes": first["seconds"] / 60, "env_steps": first["env_steps_total"]}
    scores = {
        str(width): hades.evaluate(
            result.dataset, task, 32, about.episodes, seed=EVALUATION_SEED, learner=hades.Learner(width=width)
        ).summary()
        for width in (64, 512)
    }
    curve = [
        (r["seconds"], r["env_steps_total"], r["validated"]) for r in result.metrics if r["validated"] is not None
    ]
    last = result.metrics[-1]
    return {
        "task": task,
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


def table(task: str, results: list[dict[str, Any]]) -> str:
    marks = ", ".join(map(str, ABLATIONS[task].marks))
    lines = [f"| change | seeds | minutes | M steps | width 64 | width 512 | minutes (M steps) to {marks} |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in ABLATIONS[task].rows:
        runs = [r for r in results if (r["task"], r["row"]) == (task, row)]
        if not runs:
            continue
        minutes, steps = spread([r["minutes"] for r in runs]), spread([r["env_steps"] / 1e6 for r in runs])
        means = [[r["scores"][width]["mean"] for r in runs] for width in ("64", "512")]
        scores = [spread(values, 0 if max(values) >= 100 else 1) for values in means]
        first = "; ".join(reached([r["reached"][str(mark)] for r in runs]) for mark in ABLATIONS[task].marks)
        lines.append("| " + " | ".join([row, str(len(runs)), minutes, steps, *scores, first]) + " |")
    return "\n".join(lines)


def reached(runs: list[dict[str, float] | None]) -> str:
    there = [run for run in runs if run]
    if not there:
        return "never"
    minutes, steps = (np.mean([run[key] for run in there]) for key in ("minutes", "env_steps"))
    share = f" in {len(there)} of {len(runs)}" if len(there) < len(runs) else ""
    return f"{minutes:.1f} ({steps / 1e6:.0f}){share}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=ABLATIONS)
    parser.add_argument("rows", nargs="+", help="numbers of rows, from 0, or: table")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    args = parser.parse_args()
    results = json.loads(FILE.read_text()) if FILE.exists() else []
    if args.rows == ["table"]:
        print(table(args.task, results))
        return
    budget = {"steps": args.steps} if args.steps else {"minutes": args.minutes or 20.0}
    for row in (list(ABLATIONS[args.task].rows)[int(i)] for i in args.rows):
        for seed in args.seeds:
            done = run(args.task, row, seed, budget)
            others = [r for r in results if any(r[name] != done[name] for name in ("task", "row", "seed"))]
            results = [*others, done]
            FILE.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
