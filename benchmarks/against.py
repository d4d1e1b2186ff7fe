"""This checkout's generations against another's, in turn: where a machine's speed drifts, like with like.

    git worktree add ../before REVISION
    python benchmarks/against.py ../before [--cases laptop] [--only hopper-4] [--pairs 5] [--out FILE.json]

Prints JSON: seconds a generation (the best of `benchmarks/generation.py`'s repeats, a process each), and the median
ratio of this checkout's to the other's with its range.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from generation import SUITES, machine

HERE = Path(__file__).parent.parent


def seconds(checkout: Path, case: dict[str, Any]) -> float:
    """Of one generation, by a checkout's own benchmark and code."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(checkout / "src"), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, str(checkout / "benchmarks" / "generation.py"), "--case", json.dumps(case)]
    done = subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])["seconds"]["generation"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="a checkout")
    parser.add_argument("--cases", choices=SUITES, default="laptop")
    parser.add_argument("--only", nargs="+", help="names of cases")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    args = parser.parse_args()
    results: dict[str, Any] = {"hardware": machine()}
    for name, case in SUITES[args.cases].items():
        if args.only and name not in args.only:
            continue
        pairs = [(seconds(HERE, case), seconds(args.other.resolve(), case)) for _ in range(args.pairs)]
        ratios = [mine / other for mine, other in pairs]
        results[name] = {
            "seconds": [mine for mine, _ in pairs],
            "seconds before": [other for _, other in pairs],
            "ratio": round(statistics.median(ratios), 3),
            "range": [round(min(ratios), 3), round(max(ratios), 3)],
        }
        print(name, results[name]["ratio"], results[name]["range"], file=sys.stderr, flush=True)
        if args.out:
            args.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
