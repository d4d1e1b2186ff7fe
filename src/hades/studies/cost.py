"""What distilling costs, and when it pays off (Table 4 of the paper).

A dataset costs one search; each policy after that costs the seconds of training on it. ES and PPO cost their whole
training for each policy.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar

from hades.aliases import Json, Options
from hades.options import COUNT, option
from hades.studies.base import SCALES, Study
from hades.studies.pieces import Wanted, control, meaningful
from hades.studies.rows import Cell, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("HaDES-R", "HaDES-F", "ES", "PPO")


@dataclass(frozen=True, kw_only=True)
class Cost(Study):
    """Times the parts of each method at the settings of a preset."""

    paper: ClassVar[Options] = {"scale": "paper", "width": 512, "steps": 50_000_000}
    tasks: tuple[str, ...] = option(("cartpole", "hopper", "halfcheetah", "breakout"))
    """Names of tasks of control."""
    scale: str = option("evolution", one_of=SCALES)
    """The preset whose settings are timed, laptop, evolution or paper."""
    width: int = option(64, least=1)
    """Of the networks of all methods."""
    after: int = option(30, least=0)
    """Generations before those that are timed; by then, episodes last as long as a search's."""
    generations: int = option(5, least=1)
    """Of which the median time is taken."""
    trainings: int = option(10, least=1)
    """Of a single policy, likewise."""
    steps: int = option(2_000_000, **COUNT)
    """Environment steps that PPO is given for one policy."""
    tuned: bool = option(True)
    """PPO has the settings that were tuned for the task; otherwise the usual ones."""

    def cells(self) -> list[Cell]:
        from hades.baselines.settings import SHAPES, complete

        return [
            {"task": task, "preset": self.scale, "width": self.width, "after": self.after,
             "generations": self.generations, "trainings": self.trainings, "steps": self.steps,
             "ppo": {name: complete(task, tuned=self.tuned)[name] for name in SHAPES}}  # the others cost no time
            for task in self.tasks
        ]  # fmt: skip

    def wants(self, cell: Cell) -> Sequence[Wanted]:
        whole = meaningful(cell["task"], cell["preset"], {"curriculum": None})  # episodes
        return (Wanted(cell["task"], None, 0, cell["preset"], {"learner": {"width": cell["width"]}, **whole}),)

    def run(self, cell: Cell, folder: Path) -> Json:
        import jax

        from hades import runtime
        from hades.baselines.ppo import train_ppo
        from hades.baselines.settings import per_iteration
        from hades.baselines.weights import WeightEvolution
        from hades.evaluation import train
        from hades.keeping import dataset_of
        from hades.search import Search

        del folder
        task = control(cell["task"])
        config = self.wants(cell)[0].config()
        seconds: dict[str, float] = {}
        for method, init in (("HaDES-R", "random"), ("HaDES-F", "fixed")):
            search = Search(task, config.override({"init": init}))
            state = search.init()
            seconds[method] = _pace(partial(search.generation, data=search.data), state, cell)
            dataset = dataset_of(search, state)
        es = WeightEvolution(task, config.learner, config.population, config.inits * config.episodes, 0.05, 0)
        seconds["ES"] = _pace(es.generation, es.init(), cell)
        one_policy = jax.jit(lambda key: train(dataset, key, init="fresh"))
        keys = iter(jax.random.split(jax.random.key(0), 2 + cell["trainings"]))
        training = median(runtime.timed(lambda: one_policy(next(keys)), cell["trainings"]))
        steps = max(cell["steps"], 2 * per_iteration(cell["ppo"]))  # of one there is no pace
        ppo = train_ppo(task, config.learner, steps=steps, evaluations=4, **cell["ppo"])
        pace = [row["seconds"] for row in ppo.metrics]
        per_million = (
            1e6 * (pace[-1] - pace[0]) / (ppo.metrics[-1]["env_steps_total"] - ppo.metrics[0]["env_steps_total"])
        )
        return {"seconds a generation": seconds, "training": training, "ppo_seconds_a_million_steps": per_million,
                "generations of the preset": _generations(config, seconds["HaDES-R"])}  # fmt: skip

    def figure(self, rows: Sequence[Row]) -> "Figure":
        import numpy as np

        from hades.reporting.style import COLOURS, subplots

        figure, (ax,) = subplots(1, 1, (8, 4))
        policies = np.logspace(0, 4, 100)
        for colour, row in zip(cycle(COLOURS), rows, strict=False):
            search, each, es, _ = costs(row)
            ax.loglog(policies, search + each * policies, color=colour, label=f"{row['cell']['task']}, distilled")
            ax.loglog(policies, es * policies, color=colour, ls="--", label=f"{row['cell']['task']}, ES for each")
        ax.set(xlabel="policies", ylabel="seconds, all in all")
        ax.legend(frameon=False, fontsize=8)
        return figure

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        header = ["task", "HaDES-R, s a generation", "HaDES-F", "ES", "generations", "s to train a policy",
                  f"by PPO, {self.steps / 1e6:g} M steps", "distilling pays off against ES from", "against PPO",
                  "faster than ES, once distilled"]  # fmt: skip
        table = [header]
        for row in rows:
            search, each, es, ppo = costs(row)
            pays = ["never" if each >= other else f"{math.ceil(search / (other - each))} policies"
                    for other in (es, ppo)]  # fmt: skip
            times = [f"{row['seconds a generation'][method]:.3f}" for method in ("HaDES-R", "HaDES-F", "ES")]
            generations = str(row["generations of the preset"])
            table.append([row["cell"]["task"], *times, generations, f"{each:.3f}", f"{ppo:.1f}", *pays,
                          f"{es / each:,.0f} times"])  # fmt: skip
        return table


def _pace(generation: Callable[[Any], tuple[Any, Any]], state: Any, cell: Cell) -> float:
    """Median seconds of a generation, some generations on."""
    from hades.runtime import timed

    states = [state]

    def go_on() -> Any:
        states.append(generation(states.pop())[0])  # which may be donated
        return states[0]

    for _ in range(cell["after"]):
        go_on()
    return median(timed(go_on, cell["generations"]))


def costs(row: Row) -> tuple[float, float, float, float]:
    """Seconds of the search, and of a policy: trained on its dataset, by ES in as many generations, by PPO."""
    generations, seconds = row["generations of the preset"], row["seconds a generation"]
    ppo = row["ppo_seconds_a_million_steps"] * row["cell"]["steps"] / 1e6
    return generations * seconds["HaDES-R"], row["training"], generations * seconds["ES"], ppo


def _generations(config: Any, seconds: float) -> int:
    """How many the preset's budget has, at this pace."""
    return config.generations or max(1, round(60 * config.minutes / seconds))
