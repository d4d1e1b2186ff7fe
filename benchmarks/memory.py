"""Peak memory of one generation whatever the population: prints JSON.

    python benchmarks/memory.py

Each case runs in a process of its own; few epochs, for their number changes time and not memory.
"""

import json
import subprocess
import sys
import time

DISTIL = "import hades; hades.distill('{}', generations=1, population={}, progress=False, validate_inits=4, {})"
WEIGHTS = (
    "import hades; from hades.baselines.weights import evolve_weights;"
    "evolve_weights('brax/hopper', hades.Learner(width=512), population={}, episodes=1, generations=1,"
    " evaluation_episodes=1)"
)
CARTPOLE = "learner=hades.Learner(epochs=16)"
HOPPER = "learner=hades.Learner(width=512, epochs=8)"
CASES = {
    "cartpole, population 64": DISTIL.format("CartPole-v1", 64, CARTPOLE),
    "cartpole, population 65,536": DISTIL.format("CartPole-v1", 65_536, CARTPOLE),
    "hopper, width 512, population 16": DISTIL.format("brax/hopper", 16, HOPPER),
    "hopper, width 512, population 2,048": DISTIL.format("brax/hopper", 2_048, HOPPER),
    "weights of hopper, width 512, population 16": WEIGHTS.format(16),
    "weights of hopper, width 512, population 2,048": WEIGHTS.format(2_048),
}
PEAK = ";import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)"


def main() -> None:
    results = {}
    for name, code in CASES.items():
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code + PEAK], text=True, stdout=subprocess.PIPE, check=True)
        results[name] = {
            "peak_gigabytes": round(float(done.stdout.splitlines()[-1]), 2),
            "seconds_with_compilation": round(time.monotonic() - start, 1),
        }
        print(name, results[name], file=sys.stderr, flush=True)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
