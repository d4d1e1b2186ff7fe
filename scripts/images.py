"""Images distilled, and what they are compared with: the figures of docs/images.md.

    python scripts/images.py ROW ... [--seeds 0] [--inits 5] [--networks cnn mlp ...] [--one-by-one]
    python scripts/images.py table

A row is a distillation (`DISTILLED`) or a baseline, as TASK:SIZE:KIND (fashion-mnist:10:mean, digits:10:all). Fresh
networks are trained on its images and tested on the test set, which nothing else touches; results go to
docs/images.json, datasets and contact sheets to docs/images, and what is there is scored, not made again.
HADES_DATA_DIR says where the data lie.
"""

import argparse
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import hades
from hades.baselines import images as baselines
from hades.dataset import Dataset
from hades.evaluation import Evaluation
from hades.reporting import contact_sheet, learning_curve
from hades.runs import Run
from hades.runtime import devices, hardware
from hades.tasks.images import ImageTask

# Evolution needs many candidates: a small network, few large steps, and room to search (docs/images.md).
EVOLUTION = {
    "strategy": "OpenES", "population": 128, "inits": 1, "std": 0.05, "strategy_lr": 0.01,
    "strategy_options": {"lr_decay": 0.9995}, "validate_every": 50, "minutes": 12.0,
    "learner": hades.Learner(learning_rate=3.0, epochs=50),
}  # fmt: skip
# Narrow networks of each kind; many draws of the MLP, which costs next to nothing.
NETWORKS = {
    "networks": ("mlp:128x2",) * 4 + ("cnn:32", "lenet", "convnet:16", "resnet:8,16,32"), "label_logit": 4.0,
    "inits": 1, "strategy_lr": 0.03, "strategy_options": {"lr_decay": 0.99}, "episodes": 128, "minutes": 10.0,
    "validate_every": 40, "validate_inits": 2, "learner": hades.Learner(learning_rate=1.5, epochs=60),
}  # fmt: skip
# From images for the MLP, in minutes, on to the paper's CNN itself, whose steps are a hundred times as dear.
WIDE = {
    "inits": 1, "strategy_lr": 0.005, "validate_every": 50, "validate_inits": 2, "minutes": 5.0,
    "learner": hades.Learner(network="cnn", width=128, depth=1, learning_rate=1.0, epochs=100),
}  # fmt: skip
# As the preset of MNIST, with fewer steps: 8,000 training images are soon learnt by heart.
MNIST_10K = {
    "strategy_lr": 0.02, "strategy_options": {"lr_decay": 0.998}, "generations": 1500,
    "learner": hades.Learner(learning_rate=3.0, epochs=60),
}  # fmt: skip
# From images that differ within a class; steps as short as the published recipe's.
TEN = {
    "start": "centres", "label_logit": 4.0, "strategy_lr": 0.03, "generations": 2500,
    "learner": hades.Learner(learning_rate=2.0, epochs=50),
}  # fmt: skip
DISTILLED: dict[str, tuple[str, int, dict[str, Any]]] = {
    "digits-10": ("digits", 10, {}),
    "fashion-mnist-10": ("fashion-mnist", 10, {}),
    "fashion-mnist-10-cnn": ("fashion-mnist", 10, WIDE),
    "fashion-mnist-10-evolution": ("fashion-mnist", 10, EVOLUTION),
    "fashion-mnist-10-networks": ("fashion-mnist", 10, NETWORKS),
    "fashion-mnist-100": ("fashion-mnist", 100, TEN),
    "mnist-10k-10": ("mnist-10k", 10, MNIST_10K),
}
GOES_ON = {"fashion-mnist-10-cnn": "fashion-mnist-10"}
"""Rows that start from another's images."""
DOCS = Path(__file__).parent.parent / "docs"
IMAGES, FILE = DOCS / "images", DOCS / "images.json"


def distil(row: str, seed: int, minutes: float | None) -> dict[str, Any]:
    """Distil into docs/images, with pictures; what is to be known about it."""
    task, size, options = DISTILLED[row]
    out, name = Path("runs") / f"{row}-seed{seed}", f"{row}-seed{seed}"
    budget: dict[str, Any] = {} if minutes is None else {"minutes": minutes}
    if row in GOES_ON:
        budget["start"] = str(IMAGES / f"{GOES_ON[row]}-seed{seed}.safetensors")
    result = hades.distill(image_task(task), size, seed=seed, out=out, progress=False, **{**options, **budget})
    IMAGES.mkdir(exist_ok=True)
    result.dataset.save(IMAGES / f"{name}.safetensors")
    sheet = contact_sheet({**Run.open(out).snapshots(), "after": result.dataset})
    sheet.savefig(IMAGES / f"{name}.png", dpi=110)
    learning_curve(result.metrics, "minus loss").savefig(IMAGES / f"{name}-curve.png", dpi=110)
    curve = [(row["seconds"], row["validated"]) for row in result.metrics if row["validated"] is not None]
    return {
        "minutes": result.metrics[-1]["seconds"] / 60,
        "generations": result.dataset.info["generations"],
        "validation accuracy (seconds, accuracy)": [[round(s), round(v, 4)] for s, v in curve],
        "learner": dict(result.dataset.learner),
        "hardware": hardware() | devices(),
        "versions": result.dataset.info["versions"],
    }


def image_task(name: str) -> ImageTask:
    task = hades.make(name)
    assert isinstance(task, ImageTask)
    return task


def dataset_of(row: str, seed: int) -> tuple[ImageTask, Dataset]:
    if row in DISTILLED:
        return image_task(DISTILLED[row][0]), hades.load(IMAGES / f"{row}-seed{seed}.safetensors")
    name, size, kind = row.split(":")
    task = image_task(name)
    return task, baselines.baseline(task, kind, int(size), seed)


def one_by_one(
    known: dict[str, Any], task: ImageTask, dataset: Dataset, name: str, inits: int, results: list[dict[str, Any]]
) -> Evaluation:
    """As `baselines.across`, a network at a time: those of an interrupted call are kept."""
    kept = known.setdefault("one by one", {}).setdefault(name, [])
    for init in range(len(kept), inits):
        kept.append(baselines.across(dataset, task, 1, known["seed"] + init, [name])[name].mean)
        save(results)
    return Evaluation(np.asarray(kept)[:, None], task.test.metric)


def save(results: list[dict[str, Any]]) -> None:
    FILE.write_text(json.dumps(results, indent=1) + "\n")


def table(results: list[dict[str, Any]]) -> str:
    columns = list(baselines.ARCHITECTURES)
    lines = ["| images | minutes | " + " | ".join(columns) + " | average |", "|---" * (len(columns) + 3) + "|"]
    for result in results:
        scores = [result["test accuracy"].get(name) for name in columns]
        cells = [f"{100 * s['mean']:.1f} ± {100 * s['std']:.1f} ({s['inits']})" if s else "" for s in scores]
        average = f"{100 * np.mean([s['mean'] for s in scores if s]):.1f}" if all(scores) else ""
        minutes = f"{result['minutes']:.1f}" if "minutes" in result else ""
        lines.append("| " + " | ".join([result["row"], minutes, *cells, average]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", help="rows, or: table")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--inits", type=int, default=5)
    parser.add_argument("--minutes", type=float, help="instead of the preset's")
    parser.add_argument("--networks", nargs="+", default=list(baselines.ARCHITECTURES))
    parser.add_argument("--one-by-one", action="store_true", help="train each network by itself, for what takes hours")
    args = parser.parse_args()
    results = json.loads(FILE.read_text()) if FILE.exists() else []
    if args.rows == ["table"]:
        print(table(results))
        return
    for row, seed in itertools.product(args.rows, args.seeds):
        known = next((r for r in results if (r["row"], r["seed"]) == (row, seed)), None)
        if known is None:
            about = distil(row, seed, args.minutes) if row in DISTILLED else {}
            known = {"row": row, "seed": seed, "test accuracy": {}, **about}
            results.append(known)
        task, dataset = dataset_of(row, seed)
        for name in args.networks:
            start = time.monotonic()
            if args.one_by_one:
                score = one_by_one(known, task, dataset, name, args.inits, results)
            else:
                score = baselines.across(dataset, task, args.inits, seed, [name])[name]
            print(row, seed, name, score, f"{time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
            summary = score.summary()
            known["test accuracy"][name] = {k: summary[k] for k in ("mean", "std", "min", "max", "inits")}
            save(results)


if __name__ == "__main__":
    main()
