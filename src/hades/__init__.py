"""HaDES: behaviour distillation. A handful of synthetic state-action pairs that train any network into a policy.

    import hades

    task = hades.make("cartpole")
    result = hades.distill(task, size=2)
    params = hades.train(result.dataset, jax.random.key(0))
    scores = hades.evaluate(result.dataset, task)

The method is from Lupu et al., "Behaviour Distillation", ICLR 2024.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hades.config import Config as Config
    from hades.dataset import Dataset as Dataset
    from hades.dataset import load as load
    from hades.distillation import Result as Result
    from hades.distillation import distill as distill
    from hades.distillation import resume as resume
    from hades.errors import InputError as InputError
    from hades.evaluation import evaluate as evaluate
    from hades.evaluation import policy as policy
    from hades.evaluation import train as train
    from hades.hub import push as push
    from hades.learner.recipe import Learner as Learner
    from hades.learner.recipe import Recipe as Recipe
    from hades.merging import merge as merge
    from hades.reporting.meaning import meaning as meaning
    from hades.reporting.motion import render as render
    from hades.reporting.page import report as report
    from hades.runtime import configure as configure
    from hades.scores import Evaluation as Evaluation
    from hades.tasks import check as check
    from hades.tasks import make as make

# Loaded when first used: `import hades` and `hades --help` take no time.
_HOME = {
    "dataset": ("Dataset", "load"),
    "distillation": ("Result", "distill", "resume"),
    "errors": ("InputError",),
    "evaluation": ("evaluate", "policy", "train"),
    "hub": ("push",),
    "learner.recipe": ("Learner", "Recipe"),
    "merging": ("merge",),
    "config": ("Config",),
    "reporting.motion": ("render",),
    "reporting.page": ("report",),
    "reporting.meaning": ("meaning",),
    "runtime": ("configure",),
    "scores": ("Evaluation",),
    "tasks": ("check", "make"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'hades' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"hades.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
