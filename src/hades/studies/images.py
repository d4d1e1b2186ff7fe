"""Images distilled, and what they are compared with (docs/images.md): the baselines, across five architectures.

A row is a distillation (`DISTILLED`), or a baseline as TASK:SIZE:KIND (fashion-mnist:10:mean, digits:10:all). Fresh
networks are trained on its images and tested on the test set, which nothing else touches. HADES_DATA_DIR says where
the data lie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.errors import InputError
from hades.options import option, registry
from hades.studies.base import Study
from hades.studies.pieces import Wanted, validations
from hades.studies.rows import Cell, Row, meaning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hades.dataset import Dataset
    from hades.distillation import Result

NETWORKS = ("cnn", "mlp", "lenet", "convnet", "resnet")
TEN = {"cnn": 10, "mlp": 10}
"""Networks of the cheap kinds, which most rows have five of."""
FIVE = 5


@dataclass(frozen=True)
class Distillation:
    """Options over the preset's, and over its recipe; how many networks it is tested on where not five."""

    task: str
    size: int
    options: Options = field(default_factory=dict)
    learner: Options = field(default_factory=dict)
    inits: Mapping[str, int] = field(default_factory=dict)
    start: str | None = None
    """The row whose images it starts from."""


DISTILLED = {
    "digits-10": Distillation("digits", 10, inits=TEN),
    "fashion-mnist-10": Distillation("fashion-mnist", 10, inits=TEN),
    # From images for the MLP, in minutes, on to the paper's CNN itself, whose steps are a hundred times as dear.
    "fashion-mnist-10-cnn": Distillation(
        "fashion-mnist", 10,
        {"inits": 1, "strategy_lr": 0.005, "validate_every": 50, "validate_inits": 2, "minutes": 5.0},
        {"network": "cnn", "width": 128, "depth": 1, "learning_rate": 1.0, "epochs": 100},
        TEN, start="fashion-mnist-10",
    ),
    # Narrow networks of each kind; many draws of the MLP, which costs next to nothing.
    "fashion-mnist-10-networks": Distillation(
        "fashion-mnist", 10,
        {"networks": ["mlp:128x2"] * 4 + ["cnn:32", "lenet", "convnet:16", "resnet:8,16,32"], "label_logit": 4.0,
         "inits": 1, "strategy_lr": 0.03, "strategy_options": {"lr_decay": 0.99}, "episodes": 128, "minutes": 10.0,
         "validate_every": 40, "validate_inits": 2},
        {"learning_rate": 1.5, "epochs": 60},
    ),
    # Evolution needs many candidates: a small network, few large steps, and room to search (docs/images.md).
    "fashion-mnist-10-evolution": Distillation(
        "fashion-mnist", 10,
        {"strategy": "OpenES", "population": 128, "inits": 1, "std": 0.05, "strategy_lr": 0.01,
         "strategy_options": {"lr_decay": 0.9995}, "validate_every": 50, "minutes": 12.0},
        {"learning_rate": 3.0, "epochs": 50},
    ),
    # From images that differ within a class; steps as short as the published recipe's.
    "fashion-mnist-100": Distillation(
        "fashion-mnist", 100,
        {"start": "centres", "label_logit": 4.0, "strategy_lr": 0.03, "generations": 2500},
        {"learning_rate": 2.0, "epochs": 50},
    ),
    # As the preset of MNIST, with fewer steps: 8,000 training images are soon learnt by heart.
    "mnist-10k-10": Distillation(
        "mnist-10k", 10,
        {"strategy_lr": 0.02, "strategy_options": {"lr_decay": 0.998}, "generations": 1500},
        {"learning_rate": 3.0, "epochs": 60}, TEN,
    ),
}  # fmt: skip
ROWS = (
    "digits-10", "digits:10:mean", "digits:10:all",
    "fashion-mnist-10", "fashion-mnist-10-cnn", "fashion-mnist-10-networks", "fashion-mnist-10-evolution",
    "fashion-mnist:10:mean", "fashion-mnist:10:sample", "fashion-mnist:10:herding", "fashion-mnist:10:all",
    "fashion-mnist-100", "fashion-mnist:100:mean", "fashion-mnist:100:sample", "fashion-mnist:100:centres",
    "fashion-mnist:100:herding", "mnist-10k-10",
)  # fmt: skip
"""The table's."""
SLOW = {"fashion-mnist:10:all": ("convnet", "resnet")}
"""Networks that take so long that each is trained by itself."""


@dataclass(frozen=True, kw_only=True)
class Images(Study):
    """Tests each row's images on fresh networks of each architecture."""

    paper: ClassVar[Options] = {"inits": 20}
    rows: tuple[str, ...] = option(ROWS)
    """Distillations by name, baselines as TASK:SIZE:KIND."""
    networks: tuple[str, ...] = option(NETWORKS, one_of=registry("hades.learner.recipes", "ARCHITECTURES"))
    """Architectures: cnn, mlp, lenet, convnet, resnet."""
    seeds: int = option(1, least=1)
    """Distillations, or draws of real images, of each row."""
    minutes: float | None = option(None, above=0)
    """Of each distillation; left out: the row's own budget."""
    inits: int | None = option(None, least=1)
    """Networks of each architecture; left out: five, ten of the cheap ones on some rows."""
    one_by_one: bool = option(False)
    """Train each network by itself, for what takes hours: an interrupted study keeps those that are done."""

    def cells(self) -> list[Cell]:
        return [
            {**row, "seed": seed, "network": network, "first": first, "inits": inits}
            for row in map(self._row, self.rows)
            for seed in range(self.seeds)
            for network in self.networks
            for first, inits in self._draws(row["row"], network)
        ]

    def _row(self, name: str) -> Cell:
        """What a row's images are made of."""
        if known := DISTILLED.get(name):
            budget = {} if self.minutes is None else {"minutes": self.minutes}
            shared = {"task": known.task, "size": known.size, "options": {**known.options, **budget}}
            start = {} if known.start is None else {"start": self._row(known.start)}
            return {"row": name, **shared, "learner": dict(known.learner), **start}
        task, _, rest = name.partition(":")
        size, _, kind = rest.partition(":")
        if not (kind and size.isdigit()):
            known = ", ".join(DISTILLED)
            raise InputError(f"unknown row '{name}'; choose one of {known}, or a baseline as TASK:SIZE:KIND")
        return {"row": name, "task": task, "size": int(size), "baseline": kind}

    def _draws(self, name: str, network: str) -> list[tuple[int, int]]:
        """The first network and how many: of all at once, or of each by itself."""
        own = DISTILLED[name].inits if name in DISTILLED else {}
        inits = self.inits or own.get(network, FIVE)
        apart = self.one_by_one or network in SLOW.get(name, ())
        return [(first, 1) for first in range(inits)] if apart else [(0, inits)]

    def wants(self, cell: Cell) -> Sequence[Wanted]:
        """A row's own, then those that it starts from."""
        if "baseline" in cell:
            return ()
        options = {**cell["options"], "learner": cell["learner"]}
        own = Wanted(cell["task"], cell["size"], cell["seed"], "laptop", options)
        return (own, *(self.wants(cell["start"] | {"seed": cell["seed"]}) if "start" in cell else ()))

    def making(self, cell: Cell) -> Json:
        """And the recipes by which networks of that name are tested."""
        from hades.learner.recipes import ARCHITECTURES, ON_SMALL, WHOLE_SET

        known = [recipes[cell["network"]] for recipes in (ARCHITECTURES, ON_SMALL) if "network" in cell]
        known += [WHOLE_SET] if "baseline" in cell else []
        return super().making(cell) | {"recipes": [meaning(recipe.options()) for recipe in known]}

    def run(self, cell: Cell, folder: Path) -> Json:
        from hades import tasks
        from hades.baselines.images import across, baseline
        from hades.tasks.images import images_of

        task, about = images_of(tasks.make(cell["task"])), {}
        if "baseline" in cell:
            dataset: Dataset = baseline(task, cell["baseline"], cell["size"], cell["seed"])
        else:
            result = self._distilled(cell, cell["seed"], folder)
            dataset, about = result.dataset, _about(result)
        name, seed = cell["network"], cell["seed"] + cell["first"]
        score = across(dataset, task, cell["inits"], seed, [name])[name].summary()
        return {"accuracy": {k: score[k] for k in ("mean", "std", "min", "max", "inits")}, **about}

    def _distilled(self, cell: Cell, seed: int, folder: Path) -> "Result":
        """A row's run, with pictures; and before it that of the row which it starts from."""
        from hades.reporting import report
        from hades.reporting.sheets import contact_sheet
        from hades.runs import Run

        wanted = {k: v for k, v in cell.items() if k not in ("network", "first", "inits")} | {"seed": seed}
        place, start = self.place(folder, f"{cell['row']}-seed{seed}", wanted), {}
        if "start" in cell:
            first = self._distilled(cell["start"], seed, folder).run
            assert first is not None
            start = {"start": str(first / "dataset.safetensors")}
        result = self.wants(wanted)[0].distilled(place, **start)
        if not (place / "images.png").exists():
            sheet = contact_sheet({**Run.open(place).snapshots(), "after": result.dataset})
            sheet.savefig(place / "images.png", dpi=110)
            report(place, quick=True)
        return result

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.sheets import heat_map
        from hades.reporting.style import subplots

        accuracies = {(name, row): mean for row, name, mean, *_ in _scores(rows)}
        figure, (ax,) = subplots(1, 1, (8, 1 + 0.35 * len({row for _, row in accuracies})))
        heat_map(ax, accuracies, "network", "images")
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        """Test accuracy in per cent, mean ± standard deviation over networks (how many)."""
        from hades.baselines.images import per_cent

        table = [["images", "minutes", *self.networks, "average"]]
        found = {(row, name): (mean, std, inits) for row, name, mean, std, inits in _scores(rows)}
        for name in dict.fromkeys(_name(row) for row in rows):
            scores = [found[name, network] for network in self.networks]
            cells = [f"{per_cent(mean, std if inits > 1 else None)} ({inits})" for mean, std, inits in scores]
            minutes = next((f"{row['minutes']:.1f}" for row in rows if _name(row) == name and "minutes" in row), "")
            table.append([name, minutes, *cells, f"{100 * np.mean([mean for mean, *_ in scores]):.1f}"])
        return table


def _about(result: "Result") -> Json:
    """What there is to know about a row's distillation."""
    return {
        "minutes": result.metrics[-1]["seconds"] / 60,
        "generations": result.dataset.info["generations"],
        "learner": dict(result.dataset.learner),
        "curve": [[round(seconds), round(accuracy, 4)] for seconds, _, accuracy in validations(result.metrics)],
    }


def _name(row: Row) -> str:
    cell = row["cell"]
    return f"{cell['row']}, seed {cell['seed']}" if cell["seed"] else cell["row"]


def _scores(rows: Sequence[Row]) -> list[tuple[str, str, float, float | None, int]]:
    """Row, network, mean, standard deviation, count: of networks at once, or of all by themselves."""
    scores = []
    for name, network in dict.fromkeys((_name(row), row["cell"]["network"]) for row in rows):
        mine = [r["accuracy"] for r in rows if (_name(r), r["cell"]["network"]) == (name, network)]
        means = [score["mean"] for score in mine]
        std = mine[0]["std"] if len(mine) == 1 else float(np.std(means))
        scores.append((name, network, float(np.mean(means)), std, sum(score["inits"] for score in mine)))
    return scores
