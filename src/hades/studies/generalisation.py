"""One dataset trains networks that it was never distilled for (Figure 4 and Appendix C.2 of the paper).

Each setting changes one or two parts of the dataset's own recipe. What counts is the share of the gain over random
actions that fresh networks keep: 1 is as good as with the recipe itself.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hades.aliases import Json, Options
from hades.options import option
from hades.studies.base import Study
from hades.studies.pieces import control, fraction, over_networks, random_return, scored, summary
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GOOD = 0.9
ACTIVATIONS = ("tanh", "relu", "elu", "gelu", "silu", "leaky_relu")
OPTIMISERS = ("adam", "adamw", "rmsprop", "sgd")
INITIALISERS = ("orthogonal", "lecun", "he", "xavier")


@dataclass(frozen=True, kw_only=True)
class Generalisation(Study):
    """Fresh networks of many settings on each dataset."""

    paper: ClassVar[Options] = {
        "datasets": ("hopper-4", "hopper-64", "walker2d", "breakout"),
        "widths": (16, 32, 64, 128, 256, 512, 1024),
        "depths": (1, 2, 3, 4, 5),
        "rates": (1 / 30, 0.1, 1 / 3, 1.0, 3.0, 10.0, 30.0),
        "epochs": (0.125, 0.25, 0.5, 2.0, 4.0, 8.0),
        "inits": 32,
        "episodes": 8,
    }
    datasets: tuple[str, ...] = option(("hopper-4", "breakout"))
    """Names in the zoo, or files."""
    widths: tuple[int, ...] = option((16, 64, 256, 1024), least=1)
    """Of the networks: all widths with all depths."""
    depths: tuple[int, ...] = option((1, 2, 3, 5), least=1, most=100)
    """Of the networks."""
    rates: tuple[float, ...] = option((0.1, 1 / 3, 1.0, 3.0), above=0)
    """Factors on the recipe's step size, with every optimiser."""
    epochs: tuple[float, ...] = option((0.25, 0.5, 2.0, 4.0), above=0)
    """Factors on the recipe's."""
    batches: tuple[int, ...] = option((1, 2), least=1)
    """Pairs a step."""
    inits: int = option(16, least=1)
    """Networks in every score."""
    episodes: int = option(4, least=1)
    """Of each of these networks."""

    def cells(self) -> list[Cell]:
        shared = {"inits": self.inits, "episodes": self.episodes}
        return [
            {"dataset": dataset, "part": part, "setting": setting, **shared}
            for dataset in self.datasets
            for part, setting in self._settings(dataset)
        ]

    def _settings(self, name: str) -> Iterator[tuple[str, Json]]:
        """Parts of the recipe, and what replaces them."""
        from hades.dataset import load
        from hades.evaluation import recipe

        dataset = load(name)
        own, grid = recipe(dataset).options(), dataset.spec.grid
        yield "own", {}
        for width in self.widths:
            for depth in self.depths:
                yield "shape", {"width": width, "depth": depth}
        for optimiser in OPTIMISERS:
            for rate in self.rates:
                yield "optimiser", {"optimiser": optimiser, "learning_rate": rate * own["learning_rate"]}
        for activation in ACTIVATIONS:
            yield "activation", {"activation": activation}
        for factor in self.epochs:
            yield "epochs", {"epochs": max(1, round(factor * own["epochs"]))}
        for batch in self.batches:
            if batch < len(dataset):
                yield "batch", {"batch": batch}
        for initialiser in INITIALISERS:
            yield "initialiser", {"initialiser": initialiser}
        yield "norm", {"norm": "layer"}
        yield "network", {"network": "transformer"}
        if grid:
            yield "network", {"network": "cnn"}

    def reads(self, cell: Cell) -> Sequence[str]:
        return (cell["dataset"],)

    def run(self, cell: Cell, folder: Path) -> Json:
        from hades.dataset import load
        from hades.evaluation import task_of

        del folder
        dataset = load(cell["dataset"])
        task = control(task_of(dataset))
        return {
            "return": summary(scored(dataset, cell, task, **cell["setting"])),
            "random": random_return(task),
        }

    def figure(self, rows: Sequence[Row]) -> "Figure":
        from hades.reporting.sheets import heat_map
        from hades.reporting.style import subplots

        datasets = list(dict.fromkeys(row["cell"]["dataset"] for row in rows))
        figure, axes = subplots(len(datasets), 3, (15, 3.9 * len(datasets)), (4, 4, 3))
        for number, name in enumerate(datasets):
            mine = [row for row in rows if row["cell"]["dataset"] == name]
            shares = relative(mine)
            shape, optimiser, bars = axes[3 * number : 3 * number + 3]
            for ax, part, (x, y) in ((shape, "shape", ("width", "depth")),
                                     (optimiser, "optimiser", ("learning_rate", "optimiser"))):  # fmt: skip
                cells = {
                    (row["cell"]["setting"][x], row["cell"]["setting"][y]): share
                    for row, share in zip(mine, shares, strict=True)
                    if row["cell"]["part"] == part
                }
                heat_map(ax, cells, x.replace("_", " "), y)
            shape.set_title(f"{name}: {_in_words(share_kept(mine))}", loc="left")
            others = [(_words(row["cell"]["setting"]), share) for row, share in zip(mine, shares, strict=True)
                      if row["cell"]["part"] not in ("shape", "optimiser", "own")]  # fmt: skip
            _bars(bars, others)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        table = [["dataset", "setting", "return", "share of the gain over random actions"]]
        for name in dict.fromkeys(row["cell"]["dataset"] for row in rows):
            mine = [row for row in rows if row["cell"]["dataset"] == name]
            shares = relative(mine)
            table.append([name, f"**{_in_words(share_kept(mine))}**", "", ""])
            for row, share in zip(mine, shares, strict=True):
                words = _words(row["cell"]["setting"]) or "its own"
                table.append([name, words, over_networks(row["return"]), fraction(share)])
        return table


def relative(rows: Sequence[Row]) -> list[float]:
    """Each setting's share of the gain over random actions that the dataset's own recipe has.

    No numbers where that gain may be chance: less than two standard errors of its mean over networks.
    """
    own = next(row for row in rows if row["cell"]["part"] == "own")
    score = own["return"]
    gain, chance = score["mean"] - own["random"], 2 * (score["std_of_inits"] or 0.0) / math.sqrt(score["inits"])
    return [(row["return"]["mean"] - row["random"]) / gain if gain > chance else math.nan for row in rows]


def share_kept(rows: Sequence[Row]) -> dict[str, float] | None:
    """Of a dataset's settings that differ from its own recipe: how many there are, and the share that keeps `GOOD`.

    None where the recipe itself gains nothing that could not be chance.
    """
    from hades.dataset import load
    from hades.evaluation import recipe

    shares = relative(rows)
    if all(map(math.isnan, shares)):
        return None
    own = recipe(load(rows[0]["cell"]["dataset"])).options().items()
    others = [share for row, share in zip(rows, shares, strict=True) if not row["cell"]["setting"].items() <= own]
    return {"share": float(np.mean(np.asarray(others) >= GOOD)), "settings": len(others), "within": GOOD}


def _in_words(kept: dict[str, float] | None) -> str:
    if kept is None:
        return "its own recipe gains no more over random actions than chance may"
    return f"{kept['share']:.0%} of {kept['settings']} other settings keep {kept['within']:.0%} of the gain"


def _words(setting: Json) -> str:
    parts = (f"{value:.2g}" if isinstance(value, float) else str(value) for value in setting.values())
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in zip(setting, parts, strict=True))


def _bars(ax: Any, shares: Sequence[tuple[str, float]]) -> None:
    from hades.reporting.style import BLUE, GREY

    names, values = zip(*shares, strict=True)
    ax.barh(range(len(names)), np.clip(values, 0, None), color=BLUE)
    ax.axvline(GOOD, color=GREY, ls="--", lw=1)
    ax.set_yticks(range(len(names)), names, size=7)
    ax.invert_yaxis()
    ax.set(xlabel="share of the gain over random actions", xlim=(0, 1.15))
