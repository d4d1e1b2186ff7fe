"""What a few seconds of everything give, to the byte: before and after a change that is to change nothing.

    python benchmarks/golden.py --write      # before: benchmarks/results/golden.json
    python benchmarks/golden.py              # after: what differs, if anything; exit code 1 then

Datasets are hashed whole (tensors and header, without the versions), study cells and evaluations kept as JSON without
their times. Rounding belongs to a processor, its libraries and the number of devices: compare on the machine that
wrote, on one core (`taskset -c 0`).
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hades
from hades import studies
from hades.runtime import devices, hardware, release_programs

FILE = Path(__file__).parent / "results" / "golden.json"
QUICK: dict[str, Any] = {
    "generations": 6,
    "population": 8,
    "inits": 2,
    "validate_every": 2,
    "validate_inits": 4,
    "progress": False,
}
NETWORK = hades.Learner(width=16, epochs=24)
IMAGES: dict[str, Any] = {"inits": 1, "episodes": 64, "progress": False, "validate_inits": 2, "validate_every": 2}
CLASSIFIER = hades.Learner(width=16, epochs=10)
CARTPOLE: dict[str, Any] = QUICK | {"learner": NETWORK}
BREAKOUT: dict[str, Any] = CARTPOLE | {"preset": "evolution"}
PPO: dict[str, Any] = {
    "learner": NETWORK, "inits": 2, "generations": 4, "validate_every": 2, "validate_inits": 4, "progress": False,
    "strategy_options": {"environments": 8, "rollout": 16},
}  # fmt: skip

DISTILLED: dict[str, tuple[str, int | None, dict[str, Any]]] = {
    "cartpole": ("cartpole", None, QUICK),
    "cartpole, HaDES-F": ("cartpole", 2, CARTPOLE | {"init": "fixed"}),
    "cartpole, three searches": ("cartpole", 2, CARTPOLE | {"generations": 12, "searches": 3}),
    "cartpole, OpenES": ("cartpole", 2, CARTPOLE | {"strategy": "OpenES", "strategy_lr": 0.02, "greedy": True}),
    "cartpole, curriculum": ("cartpole", 2, CARTPOLE | {"curriculum": 4, "learn_rate": True}),
    "pendulum": ("pendulum", None, QUICK | {"searches": 1}),
    "pendulum, two networks": ("pendulum", 4, CARTPOLE | {"networks": ("mlp:16", "mlp:8x1")}),
    "hopper": ("hopper", 4, CARTPOLE | {"generations": 2, "population": 4, "searches": 1}),
    "breakout": ("breakout", None, BREAKOUT | {"population": 16}),
    "breakout, soft labels": ("breakout", 12, BREAKOUT | {"labels": "soft"}),
    "breakout, CNN": ("breakout", 3, BREAKOUT | {"generations": 2, "learner": hades.Learner(network="cnn", width=8)}),
    "breakout by PPO": ("breakout", 12, PPO),
    "space-invaders by PPO, two networks": ("space-invaders", 12, PPO | {"networks": ("mlp:16", "mlp:8x1")}),
    "digits by gradient": ("digits", 10, IMAGES | {"networks": (), "learner": CLASSIFIER, "generations": 6}),
    "digits by evolution": (
        "digits", 10,
        IMAGES | {"networks": (), "learner": CLASSIFIER, "generations": 4, "strategy": "OpenES", "population": 8,
                  "start": "sample", "normaliser": "fixed"},
    ),
    "digits, two networks": ("digits", 10, IMAGES | {"networks": ("mlp:16", "lenet"), "generations": 2}),
    "digits, window and rate": (
        "digits", 10, IMAGES | {"networks": (), "learner": CLASSIFIER, "generations": 4, "window": 4,
                                "learn_rate": True},
    ),
}  # fmt: skip
STUDIES: dict[str, dict[str, Any]] = {
    "comparison": {"tasks": ("cartpole",), "methods": ("HaDES-R", "ES", "PPO"), "steps": 20_000, "seeds": 1},
    "generalisation": {"datasets": ("cartpole-2",), "widths": (8,), "depths": (2,), "inits": 2, "episodes": 1},
    "budget": {"tasks": ("cartpole",), "sizes": (2,), "minutes": 0.001, "inits": 2, "episodes": 1},
    "multitask": {"datasets": ("cartpole-2", "acrobot"), "widths": (8,), "inits": 2, "episodes": 1},
    "architectures": {"trials": 1, "steps": 10_000, "seeds": 1, "inits": 2, "episodes": 1},
    "continual": {"datasets": ("cartpole-2", "acrobot"), "cycles": 1, "width": 8, "inits": 2, "episodes": 1},
}
CELLS = 3
"""Of each study: the first ones."""
EVALUATED: dict[str, dict[str, Any]] = {
    "cartpole-2": {},
    "cartpole-2, relu": {"learner": hades.Learner(width=32, activation="relu")},
    "breakout": {"inits": 2, "episodes": 1},
    "digits-10": {"inits": 2},
}


def distilled(name: str) -> dict[str, Any]:
    task, size, options = DISTILLED[name]
    return {"dataset": digest(hades.distill(task, size, seed=1, **options).dataset)}


def resumed() -> dict[str, Any]:
    """A run that is gone on with, in the middle of its plan."""
    with tempfile.TemporaryDirectory() as folder:
        hades.distill("cartpole", 2, out=f"{folder}/run", **CARTPOLE | {"generations": 4})
        return {"dataset": digest(hades.resume(f"{folder}/run", generations=8, progress=False).dataset)}


def study(name: str) -> dict[str, Any]:
    made = studies.make(name, **STUDIES[name])
    with tempfile.TemporaryDirectory() as folder:
        return {str(i): plain(made.run(cell, Path(folder))) for i, cell in enumerate(made.cells()[:CELLS])}


def evaluated(name: str) -> dict[str, Any]:
    return hades.evaluate(hades.load(name.split(",")[0]), **{"inits": 4, "episodes": 2, **EVALUATED[name]}).summary()


def digest(dataset: hades.Dataset) -> str:
    """Of all that a dataset's file says."""
    parts = [dataset.states, dataset.targets, *dataset.normaliser]
    info = {k: v for k, v in dataset.info.items() if k != "versions"}
    about = json.dumps([dataset.task, dict(dataset.learner), info], sort_keys=True)
    return hashlib.sha256(b"".join(x.tobytes() for x in parts) + about.encode()).hexdigest()[:16]


def plain(result: dict[str, Any]) -> dict[str, Any]:
    """Without times, and what depends on them: where a budget is of minutes, how far it went."""
    kept = {k: v for k, v in result.items() if "seconds" not in k and k != "training"}
    kept.pop("curve", None)
    return json.loads(json.dumps(kept))


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    **{name: lambda name=name: distilled(name) for name in DISTILLED},
    "cartpole, resumed": resumed,
    **{f"study {name}": lambda name=name: study(name) for name in STUDIES},
    **{f"evaluate {name}": lambda name=name: evaluated(name) for name in EVALUATED},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=f"of: {', '.join(CASES)}; left out: all")
    parser.add_argument("--write", action="store_true", help="keep what comes out as what is right")
    args = parser.parse_args()
    known = json.loads(FILE.read_text()) if FILE.exists() else {"cases": {}}
    differs = []
    for name in args.cases or CASES:
        found = CASES[name]()
        release_programs()
        same = found == known["cases"].get(name)
        differs += [] if same else [name]
        print(
            "same   " if same else "DIFFERS",
            name,
            "" if same else json.dumps(found)[:400],
            file=sys.stderr,
            flush=True,
        )
        if args.write:
            known["cases"][name] = found
            FILE.write_text(json.dumps({**known, "hardware": hardware() | devices()}, indent=1) + "\n")
    return int(bool(differs) and not args.write)


if __name__ == "__main__":
    sys.exit(main())
