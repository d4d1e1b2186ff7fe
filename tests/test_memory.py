"""What cannot fit is refused with the figure, before anything of its size is made; what fits is let through."""

import math
from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest

import hades
from hades import memory, parallel, strategies
from hades.config import Config
from hades.dataset import Spec
from hades.errors import InputError
from hades.memory import check_memory, of_networks, of_population
from hades.presets import PRESETS
from hades.search import Search, scorers, validators
from hades.strategies import SCORES
from hades.tasks.control import ControlTask
from hades.tasks.images import ImageTask, Labelled
from tests.helpers import Target

MACHINE = 24 * 10**9
LARGE = Spec((376,), 17, discrete=False)
"""Of the paper's environments, the largest."""


class Wide(Target):
    """As the largest."""

    spec = LARGE


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two devices that share a laptop's memory."""
    monkeypatch.setattr(memory, "device_memory", lambda: MACHINE // 2)
    monkeypatch.setattr(parallel, "device_memory", lambda: MACHINE // 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"size": 10**8},
            "GB of it for 1 network .* training on 100,000,000 pairs at once.*: make size, width or epochs smaller",
        ),
        (
            {"strategy": "ppo", "strategy_options": {"rollout": 10**8}},
            "6,400,000,000 steps of rollouts.*: make environments, rollout or inits smaller",
        ),
        ({"population": 2**31 - 1}, "2,147,483,647 (candidates|episodes)|make inits, population or episodes smaller"),
        ({"size": 50_000, "strategy": "CMA-ES", "chunk": 1}, "state of CMA-ES; .* that keeps less, such as SNES"),
        ({"inits": 2**31 - 1}, "2,147,483,647 networks of .* make inits or width smaller"),
        ({"validate_inits": 2**31 - 1}, "2,147,483,647 networks of .* make validate_inits or width smaller"),
        ({"episodes": 2**31 - 1}, "episodes smaller|make episodes, width or chunk smaller"),
        ({"learner": {"width": 200_000}}, "1 network of 40,000,800,002 weights training on 2 pairs"),
    ],
)
def test_what_cannot_fit_is_refused_with_the_figure(target: ControlTask, options: dict[str, Any], says: str) -> None:
    config = Config(size=2, population=64, normaliser="none").override({"learner": {"width": 64}, **options})
    with pytest.raises(
        InputError, match=r"this needs [\d,]+\.\d GB of memory or more, [\d,]+\.\d GB .* has \d"
    ) as error:
        Search(target, config)
    with pytest.raises(InputError, match=says):
        raise error.value


def test_what_is_trained_or_scored_alone_is_refused_likewise(target: ControlTask) -> None:
    dataset = hades.Dataset(states=np.ones((2, 1)), actions=np.ones((2, 1)))
    for call in (partial(hades.evaluate, dataset, target), partial(hades.train, dataset, 0)):
        with pytest.raises(InputError, match="GB of memory or more"):
            call(learner={"width": 10**6})


def test_no_preset_is_refused_on_a_laptop() -> None:
    many = Labelled(np.zeros((40, 32, 32, 3), np.uint8), np.arange(40) % 10)
    images = ImageTask("images", many, many, tuple("0123456789"))
    for name, config in (each for configs in PRESETS.values() for each in configs.items()):
        task = images if name.islower() and "/" not in name else ControlTask("wide", Wide())
        needs = strategies.needs(config.strategy)
        inits = Counter({recipe: number * config.inits for recipe, number in Counter(config.recipes).items()})
        candidates, numbers = config.population if needs == SCORES else 1, config.size * math.prod(task.spec.obs_shape)
        for fitness in scorers(task, config, inits, needs):
            networks = of_networks(fitness, candidates, config.size, needs)
            check_memory([of_population(candidates, numbers), *networks])
        for fitness in validators(task, config, inits):
            check_memory(of_networks(fitness, 1, config.size))
