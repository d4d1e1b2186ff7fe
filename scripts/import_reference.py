"""Convert the paper's published datasets (NumPy archives) into dataset files, and its figures into one small table.

    python scripts/import_reference.py FOLDER OUT

Two of the datasets come without observation statistics: the published evaluation gathered its own while the policies
played, and so does ours for them (`online`). Of the figures, ``figures.json`` keeps what a result is compared with.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import hades
from hades.learner.recipes import IMAGES, published


def convert(path: Path) -> hades.Dataset:
    arrays = dict(np.load(path, allow_pickle=False))
    meta = json.loads(str(arrays.pop("meta")))
    about: dict[str, Any] = {"info": {"source": f"Lupu et al. 2024, {meta['paper_run']} (Apache-2.0)"}}
    if "images" in arrays:
        learner = IMAGES.patched(meta["inner"]).options()
        return hades.Dataset(
            states=arrays["images"], labels=arrays["labels"], task="fashion-mnist", learner=learner, **about
        )
    task = hades.make(meta["task"])
    shape = task.spec.obs_shape
    about["info"]["published"] = meta["logged_final"]
    normaliser = {k: arrays[k].reshape(shape) for k in ("obs_mean", "obs_std") if k in arrays}
    return hades.Dataset(
        states=arrays["states"].reshape(-1, *shape),
        **({"labels": arrays["labels"]} if task.spec.discrete else {"actions": arrays["actions"]}),
        **normaliser,
        online=not normaliser,
        task=task.name,
        learner=published(task.spec).patched(meta["inner"]).options(),
        **about,
    )


def final(run: dict[str, Any]) -> dict[str, Any]:
    """Population-mean return of the last ten generations, over seeds."""
    settings = {"generations": run["outer"]["n_generations"], "population": run["outer"]["popsize"]}
    width = run["inner"]["WIDTH"]
    return {"mean": run["final_mean"], "std": run["final_std"], "seeds": len(run["seeds"]), "width": width, **settings}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    for name in ("breakout-16", "hopper-4", "hopper-64", "halfcheetah-64", "fashion-mnist-10"):
        convert(source / f"{name}.npz").save(out / f"{name}.safetensors")
    figures = json.loads((source / "figures.json").read_text())
    kept = {name: final(run) for name, run in figures.items() if "final_mean" in run}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(run)}" for name, run in kept.items())
    (out / "figures.json").write_text(f"{{\n{lines}\n}}\n")
