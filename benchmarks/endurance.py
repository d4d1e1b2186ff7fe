"""Whether memory stays flat over long work: prints JSON.

    python benchmarks/endurance.py [CASE ...] [--out FILE.json]

Each case runs in a process of its own. Resident memory and memory maps are read twice: after a tenth of the work, when
all is compiled, and at its end.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

import hades
from hades.runtime import devices, hardware, versions
from hades.search import Search

CALLS = 1_000
SMALL: dict[str, Any] = {
    "inits": 1, "searches": 1, "validate_inits": 4, "learner": hades.Learner(width=16, epochs=32)
}  # fmt: skip
"""Of distillations: it is their number of generations that counts."""


def memory() -> dict[str, float]:
    """Of this process, now."""
    status = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return {"megabytes": kilobytes / 1024, "maps": Path("/proc/self/maps").read_bytes().count(b"\n")}


def called(function: Callable[[int], Any]) -> dict[str, Any]:
    """Many calls."""
    for i in range(CALLS // 10):
        function(i)
    early, start = memory(), time.monotonic()
    for i in range(CALLS // 10, CALLS):
        function(i)
    return {"seconds a call": (time.monotonic() - start) / (0.9 * CALLS), **compared(early, memory())}


def distilled(task: str, generations: int, population: int) -> dict[str, Any]:
    """Many generations; memory is looked at with each validation."""
    looks, validate = [], Search.validate

    def look(search: Search, state: Any) -> Any:
        validated = validate(search, state)
        looks.append(memory())
        return validated

    Search.validate = look
    result = hades.distill(task, generations=generations, population=population, **SMALL)
    found = compared(looks[len(looks) // 10], looks[-1])
    return {"generations": len(result.metrics), "seconds searching": result.seconds["searching"], **found}


def compared(early: dict[str, float], late: dict[str, float]) -> dict[str, Any]:
    """Both, and the growth of the memory."""
    return {"early": early, "late": late, "growth": late["megabytes"] / early["megabytes"] - 1}


DATASET = "cartpole-2"
CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "evaluate": lambda: called(lambda i: hades.evaluate(hades.load(DATASET), inits=2, episodes=1, seed=i)),
    "train": lambda: called(lambda i: hades.train(hades.load(DATASET), jax.random.key(i))),
    "cartpole, 2,000 generations": lambda: distilled("cartpole", 2_000, 16),
    "hopper, 200 generations": lambda: distilled("hopper", 200, 8),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=f"of: {'; '.join(CASES)}; left out: all")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.here:
        hades.configure()
        print(json.dumps(CASES[args.here]()))
        return
    results: dict[str, Any] = {"hardware": hardware() | devices(), "versions": versions()}
    for name in args.cases or CASES:
        command = [sys.executable, __file__, "--here", name]
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True)
        results[name] = json.loads(done.stdout.splitlines()[-1])
        print(name, results[name], file=sys.stderr, flush=True)
        if args.out:
            args.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
