"""Make the figures of the README: distil with the laptop presets, score on fresh networks and episodes.

    python scripts/results.py NAME ...          # cartpole, hopper, ..., reference; -h lists them
    python scripts/results.py table             # what is in docs/results, as the README's table

Each writes ``docs/results/NAME.json``: the score of every seed and setting with its spread, the time, the hardware
and the versions. Runs lie in runs/NAME-seedS; what is there is gone on with, and not distilled again. Evaluation seeds
are never used in distillation or for choosing a preset.
"""

import argparse
import json
import platform
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hades
from hades.distillation import versions
from hades.runtime import devices, hardware
from hades.studies import EVALUATION_SEED, distilled

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Experiment:
    task: str
    size: int
    seeds: int = 3
    inits: int = 32
    episodes: int = 8
    settings: tuple[dict[str, Any], ...] = ({}, {"width": 512})
    """Learners to train on the dataset; what they leave out is the dataset's own recipe."""


EXPERIMENTS = {
    "cartpole": Experiment(
        "cartpole",
        2,
        inits=64,
        settings=tuple({"width": w, "activation": a} for w in (64, 512) for a in ("tanh", "relu")),
    ),
    "pendulum": Experiment("pendulum", 8),
    "acrobot": Experiment("acrobot", 6),
    "mountaincar-continuous": Experiment("mountaincar-continuous", 4),
    "breakout": Experiment("breakout", 15, seeds=1),
    "freeway": Experiment("freeway", 16, seeds=1, episodes=4),
    "asterix": Experiment("asterix", 16, seeds=1),
    "space-invaders": Experiment("space-invaders", 16, seeds=1),
    "mountaincar": Experiment("mountaincar", 3, seeds=1),
    "hopper-16": Experiment("hopper", 16, seeds=1, episodes=4),
    "walker2d": Experiment("walker2d", 4, seeds=1, episodes=4),
    "halfcheetah": Experiment("halfcheetah", 16, seeds=1, inits=16, episodes=4),
    "inverted_double_pendulum": Experiment("inverted_double_pendulum", 4, seeds=1, episodes=4),
}
REFERENCE = ("hopper-4", "hopper-64", "halfcheetah-64", "breakout-16")


def run(name: str, minutes: float | None) -> dict[str, Any]:
    experiment = EXPERIMENTS[name]
    task = hades.make(experiment.task)
    results, config = [], None
    for seed in range(experiment.seeds):
        budget: dict[str, Any] = {} if minutes is None else {"minutes": minutes}
        folder = ROOT / "runs" / f"{name}-seed{seed}"
        result = distilled(folder, experiment.task, experiment.size, seed, "laptop", **budget)
        result.dataset.save(ROOT / "docs/results" / f"{name}-seed{seed}.safetensors")
        scores = [score(result.dataset, task, experiment.inits, experiment.episodes, s) for s in experiment.settings]
        info, config = result.dataset.info, result.config.to_json()
        results.append(
            {"seed": seed, "seconds": round(result.metrics[-1]["seconds"], 1), "generations": info["generations"],
             "env_steps": info["env_steps"], "scores": scores}
        )  # fmt: skip
        print(json.dumps(results[-1]), file=sys.stderr, flush=True)
    return {"config": config, "results": results, "versions": versions(task)}


def reference() -> dict[str, Any]:
    """The published datasets, on networks as published."""
    scores = {}
    for name in REFERENCE:
        dataset = hades.load(ROOT / "reference" / f"{name}.safetensors")
        scores[name] = score(dataset, hades.make(dataset.task), 16, 4, {})
    return {"results": scores, "versions": versions(hades.make("hopper"))}


def score(dataset: hades.Dataset, task: Any, inits: int, episodes: int, setting: dict[str, Any]) -> dict[str, Any]:
    learner = hades.Learner(**setting)
    evaluation = hades.evaluate(dataset, task, inits, episodes, learner=learner, seed=EVALUATION_SEED)
    print(f"{task.name} {setting}: {evaluation}", file=sys.stderr, flush=True)
    return {"setting": setting, "return": evaluation.summary()}


def table() -> str:
    """All results as Markdown, a row a setting: means over seeds, spread over seeds or, of one seed, over networks."""
    rows = [
        "| task | pairs | networks trained on them | return | seeds | minutes, all included |",
        "|---|---|---|---|---|---|",
    ]
    for name, experiment in EXPERIMENTS.items():
        path = ROOT / "docs/results" / f"{name}.json"
        if not path.exists():
            continue
        about = json.loads(path.read_text())
        minutes = max(result["seconds"] for result in about["results"]) / 60
        for i in range(len(about["results"][0]["scores"])):
            scores = [result["scores"][i] for result in about["results"]]
            means = [s["return"]["mean"] for s in scores]
            spread = statistics.stdev(means) if len(means) > 1 else scores[0]["return"]["std_of_inits"]
            setting = about["config"]["learner"] | scores[0]["setting"]
            words = f"width {setting['width']}" + (f", {setting['activation']}" if "activation" in setting else "")
            rows.append(
                f"| {name} | {experiment.size} | {scores[0]['return']['inits']} fresh, {words} "
                f"| {statistics.mean(means):.1f} ± {spread:.1f} | {len(means)} | {minutes:.1f} |"
            )
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=[*EXPERIMENTS, "reference", "table"], metavar="NAME")
    parser.add_argument("--minutes", type=float, help="of each distillation, in place of the preset's")
    args = parser.parse_args()
    if args.names == ["table"]:
        print(table())
        sys.exit()
    for name in args.names:
        about = reference() if name == "reference" else run(name, args.minutes)
        about |= {"hardware": hardware() | devices(), "python": platform.python_version()}
        path = ROOT / "docs/results" / f"{name}.json"
        path.write_text(json.dumps(about, indent=1) + "\n")
