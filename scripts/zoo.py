"""Make the zoo: score the best datasets on fresh networks and write them, with their cards, into the package.

    python scripts/zoo.py [NAME ...] [--generalisation RESULTS.json] [--known]

Scores are of fresh networks and episodes by a seed that nothing was distilled or chosen with; with --known, those that
`scripts/results.py` has made of the same dataset. The share of settings that a dataset generalises to is read from a
generalisation study's results, where there are some for it.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import hades
from hades.dataset import ZOO
from hades.distillation import versions
from hades.evaluation import recipe, task_of
from hades.studies import EVALUATION_SEED, KEPT, summary
from hades.studies.generalisation import share_kept

ROOT = Path(__file__).parent.parent
RELEASE = "published by the authors (Lupu et al. 2024, Apache-2.0), observations normalised as they play"
SOURCES: dict[str, tuple[str, str]] = {
    "cartpole-2": ("docs/results/cartpole-seed0.safetensors", "hades distill cartpole"),
    "cartpole-8": (
        "docs/results/cartpole-8.safetensors",
        "hades distill cartpole --size 8 --minutes 1.5 --activation relu, one core",
    ),
    "pendulum": ("docs/results/pendulum-seed0.safetensors", "hades distill pendulum"),
    "acrobot": ("docs/results/acrobot-seed2.safetensors", "hades distill acrobot"),
    "acrobot-12": ("docs/results/acrobot-12.safetensors", "hades distill acrobot --size 12 --minutes 2, one core"),
    "mountaincar-continuous": (
        "docs/results/mountaincar-continuous-seed0.safetensors",
        "hades distill mountaincar-continuous",
    ),
    "mountaincar": (
        "docs/results/mountaincar-seed0.safetensors",
        "python scripts/results.py mountaincar --minutes 1.5, one core",
    ),
    "mountaincar-9": (
        "docs/results/mountaincar-9.safetensors",
        "hades distill mountaincar --size 9 --minutes 1.5, one core",
    ),
    "hopper-4": (
        "docs/results/hopper-4.safetensors",
        "python scripts/laptop.py hopper 8, 20 minutes of one core; the best validated of five seeds",
    ),
    "hopper-16": (
        "docs/results/hopper-16.safetensors",
        "hades study budget, one core",
    ),
    "walker2d": (
        "docs/results/walker2d-seed0.safetensors",
        "python scripts/results.py walker2d --minutes 8, one core",
    ),
    "halfcheetah": (
        "docs/results/halfcheetah-seed0.safetensors",
        "python scripts/results.py halfcheetah --minutes 9, one core",
    ),
    "inverted_double_pendulum": (
        "docs/results/inverted_double_pendulum-seed0.safetensors",
        "python scripts/results.py inverted_double_pendulum --minutes 4, one core",
    ),
    "hopper-64": ("reference/hopper-64.safetensors", RELEASE),
    "halfcheetah-64": ("reference/halfcheetah-64.safetensors", RELEASE),
    "breakout": ("reference/breakout-16.safetensors", RELEASE.split(",")[0]),
    "asterix": ("docs/results/asterix-seed0.safetensors", "python scripts/results.py asterix, one core"),
    "freeway": ("docs/results/freeway-seed0.safetensors", "python scripts/results.py freeway, one core"),
    "space-invaders": (
        "docs/results/space-invaders-seed0.safetensors",
        "python scripts/results.py space-invaders, one core",
    ),
    "digits-10": ("docs/images/digits-10-seed0.safetensors", "hades distill digits"),
    "fashion-mnist-10": ("reference/fashion-mnist-10.safetensors", RELEASE.split(",")[0]),
}
"""By name: the file, and how it was made."""
IMAGES = ("digits", "fashion-mnist")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="left out: all")
    parser.add_argument("--generalisation", type=Path, nargs="*", default=[], help="results.json of the study")
    parser.add_argument("--known", action="store_true", help="take the scores in docs/results")
    args = parser.parse_args()
    if unknown := set(args.names) - set(SOURCES):
        sys.exit(f"no {', '.join(sorted(unknown))}; there are {', '.join(SOURCES)}")
    shares = generalisation(args.generalisation)
    for name in args.names or SOURCES:
        file, made = SOURCES[name]
        dataset = hades.load(ROOT / file)
        scores = known(ROOT / file) if args.known else {}
        card = {"made": made, "metric": "return", "scores": scores, "generalisation": shares.get(name)}
        for words, setting in () if scores else settings(dataset).items():
            score = hades.evaluate(dataset, inits=32, learner=hades.Learner(**setting), seed=EVALUATION_SEED)
            card["metric"], card["scores"][words] = score.metric, summary(score)
            print(name, words, score, file=sys.stderr, flush=True)
        keep = ("generations", "env_steps", "seed", "init", "greedy", "metric", "task_options", "versions")
        info = {k: dataset.info[k] for k in keep if k in dataset.info} | {"card": card}
        info.setdefault("versions", versions(task_of(dataset)))
        dataclasses.replace(dataset, info=info).save(ZOO / f"{name}.safetensors")


def known(file: Path) -> dict[str, dict[str, Any]]:
    """Scores of docs/results/NAME-seedS.safetensors in docs/results/NAME.json."""
    name, _, seed = file.stem.rpartition("-seed")
    results = json.loads((file.parent / f"{name}.json").read_text())["results"]
    scores = next(result["scores"] for result in results if result["seed"] == int(seed))
    words = [", ".join(f"{k} {v}" for k, v in score["setting"].items()) or "its own recipe" for score in scores]
    return {w: {k: score["return"][k] for k in KEPT} for w, score in zip(words, scores, strict=True)}


def settings(dataset: hades.Dataset) -> dict[str, dict[str, Any]]:
    """The dataset's own recipe, and for control the other of the two widths."""
    own = recipe(dataset).width
    if dataset.task in IMAGES:
        return {"its own recipe": {}}
    other = 64 if own == 512 else 512
    return {"its own recipe": {}, f"width {other}": {"width": other}}


def generalisation(files: list[Path]) -> dict[str, dict[str, Any]]:
    """Of each dataset in the studies' results."""
    found = {}
    for file in files:
        rows = json.loads(file.read_text())["rows"]
        for name in {row["cell"]["dataset"] for row in rows}:
            found[name] = share_kept([row for row in rows if row["cell"]["dataset"] == name])
    return found


if __name__ == "__main__":
    main()
