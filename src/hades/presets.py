"""The named, complete configurations, by preset and task."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from hades import strategies
from hades.config import LIMITS, Config
from hades.errors import InputError
from hades.learner.recipe import Learner, Recipe
from hades.learner.recipes import CONTINUOUS, DISCRETE, IMAGES, few_pairs
from hades.strategies import ppo
from hades.tables import align, counted
from hades.tasks.base import Task
from hades.tasks.images import DEFAULTS

Options = dict[str, Any]


def get(task: Task, name: str) -> Config:
    """The preset of a task; for tasks without one, sensible defaults for their kind.

    Raises:
        InputError: for an unknown preset, or one that this task does not have.
    """
    if name not in PRESETS:
        raise InputError(f"unknown preset '{name}'; choose one of {', '.join(PRESETS)}")
    if task.name in PRESETS[name]:
        return PRESETS[name][task.name]
    if name != "laptop":
        raise InputError(f"the preset {name} has no {task.name}; use laptop (`hades presets` lists what each has)")
    return usual(task)


def usual(task: Task) -> Config:
    """Sensible defaults for a task's kind."""
    return Config(learner=task.reference).override(task.defaults)


def by(task: Task, name: str, strategy: str) -> Config:
    """A preset by another strategy: on a scale of minutes the task's own for that kind of strategy, if there is one.

    Raises:
        InputError: as `get`.
    """
    kind, config = strategies.kind(strategy), get(task, name)
    minutes = ("laptop", "evolution")
    others = [*(PRESETS[each].get(task.name, config) for each in minutes), usual(task)] if name in minutes else []
    base = next((each for each in (config, *others) if strategies.kind(each.strategy) is kind), config)
    return base.override({"strategy": strategy}).override(kind.implied(task.spec) if base is config else {})


def table(chosen: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Presets as lines of text: ``{preset: {task: Config.to_json()}}``."""
    rows = [(preset, task, *row(c)) for preset, configs in chosen.items() for task, c in configs.items()]
    return align([("preset", "task", *HEADER), *rows])


USUAL_DEPTH = 2
"""That is not worth a word."""
HEADER = ("pairs", "population", "inits×episodes", "strategy", "normaliser", "learner", "budget")


def row(c: Mapping[str, Any]) -> tuple[str, ...]:
    """A configuration, as `Config.to_json` has it, in the cells below `HEADER`."""
    recipe = c["learner"]
    shape = f"width {recipe['width']}" + (f", depth {recipe['depth']}" if recipe["depth"] != USUAL_DEPTH else "")
    network = " ".join(c["networks"]) or shape
    budget = " or ".join(counted(c[limit], limit) for limit in LIMITS if c[limit])
    population, search = strategies.kind(c["strategy"]).words(c["strategy"], c["population"], c["std"])
    return (
        str(c["size"]), population, f"{c['inits']}×{c['episodes']}", search, c["normaliser"],
        f"{network}, {recipe['epochs']} epochs", budget,
    )  # fmt: skip


def _over(recipe: Recipe) -> Callable[..., Config]:
    """Options over shared ones over those of their kind: learners and strategies' options are laid over each other."""
    return lambda *shared, **options: reduce(Config.override, (*shared, options), Config(learner=recipe))


_continuous, _discrete, _images = map(_over, (CONTINUOUS, DISCRETE, IMAGES))


def _paper_brax(epochs: int) -> Config:
    """Table 5 of the paper; the published runs' settings."""
    return _continuous(
        size=64, population=2048, inits=2, episodes=4, std=0.03, normaliser="running",
        learner=Learner(width=512, epochs=epochs), generations=2000,
    )  # fmt: skip


_PAPER_MINATAR: Options = {
    "size": 16, "population": 2048, "inits": 2, "episodes": 8, "std": 0.5, "strategy_options": {"temperature": 20.0},
    "normaliser": "fixed", "learner": Learner(width=512, epochs=64), "generations": 5000,
}  # fmt: skip
_PAPER_IMAGES: Options = {
    "size": 10, "population": 512, "inits": 2, "episodes": 1024, "start": "mean", "strategy": "OpenES", "std": 0.02,
    "strategy_lr": 0.01, "strategy_options": {"std_decay": 0.999, "std_limit": 0.001, "lr_decay": 0.999},
    "normaliser": "none", "learner": Learner(network="cnn", width=128, depth=1, learning_rate=0.1, epochs=1000),
    "generations": 1000,
}  # fmt: skip
_LAPTOP_MNIST: Options = {
    "strategy_lr": 0.02, "strategy_options": {"lr_decay": 0.999}, "generations": 4000, "minutes": 10.0,
    "learner": Learner(learning_rate=3.0, epochs=60),
}  # fmt: skip
_LAPTOP_CLASSIC: Options = {
    "size": 4, "population": 64, "inits": 2, "episodes": 4, "validate_inits": 64, "learner": Learner(width=64),
    "minutes": 1.0,
}  # fmt: skip
# With few epochs, what a narrow network has learnt depends on how it began, and a search that starts narrow stays
# where it began. Of those that start wide, one in five finds a good gait, in its first minute or never
# (docs/laptop.md).
_LAPTOP_BRAX: Options = {
    "size": 16, "population": 32, "inits": 2, "std": 1.0, "curriculum": 50,
    "learner": Learner(width=64, epochs=300), "minutes": 30.0,
}  # fmt: skip
_LAPTOP_WALK: Options = {
    "size": 4, "population": 32, "inits": 4, "std": 1.0, "searches": 10, "validate_inits": 64,
    "learner": Learner(width=64, epochs=600), "minutes": 20.0,
}  # fmt: skip
# From what is seen, and with a narrow network, whose many first-layer weights are most of the time.
_LAPTOP_MINATAR: Options = {
    "size": 16, "population": 128, "inits": 2, "episodes": 8, "start": "sample", "std": 0.5, "normaliser": "fixed",
    "validate_inits": 64, "learner": Learner(width=32), "minutes": 5.0,
}  # fmt: skip
# An actor's loss through the inner loop, as PPO wants it; or by networks of two narrow layers where one wide layer was
# no better or was not tried (docs/laptop.md).
_LAPTOP_LOOK: Options = {**ppo.DISCRETE, "strategy": "ppo", "normaliser": "channels", "minutes": 20.0}
_LAPTOP_MOVE: Options = {**ppo.CONTINUOUS, "strategy": "ppo", "normaliser": "fixed", "minutes": 20.0}
_NARROW = Learner(width=64, depth=2)
_STEADY = _NARROW | Learner(learning_rate=0.02)
# Networks try things out, or stay longer where the ball flies in a loop.
_TRY: Options = {"greedy": True, "strategy_options": {"entropy": 0.03}}
# Noise shrinks by its gradient until nothing more is found, so it does by a factor; velocities are soon many times
# those of random actions; and the clipped objective bounds what a generation learns: a small one learns as much.
_GAIT: Options = {
    "start_actions": 0.1, "normaliser": "running", "learner": Learner(log_std=-1.0),
    "strategy_options": {
        "environments": 8, "minibatches": 2, "entropy": 0.0, "lr_decay": 0.99998,
        "std_decay": 0.996, "std_limit": 0.12,
    },
}  # fmt: skip

_EVOLUTION: dict[str, Config] = {
    "CartPole-v1": _discrete(_LAPTOP_CLASSIC, size=2, std=0.5, learner=few_pairs("tanh"), minutes=0.25),
    "Pendulum-v1": _continuous(
        _LAPTOP_CLASSIC, size=8, inits=4, episodes=2, std=1.0, searches=4, learner=few_pairs("relu"), minutes=3.0
    ),
    "Acrobot-v1": _discrete(_LAPTOP_CLASSIC, size=6, std=0.5, inits=4, learner=few_pairs("relu")),
    "MountainCar-v0": _discrete(_LAPTOP_CLASSIC, size=3, std=0.5, learner=few_pairs("relu")),
    "MountainCarContinuous-v0": _continuous(_LAPTOP_CLASSIC, std=0.5, minutes=0.5),
    "brax/hopper": _continuous(_LAPTOP_WALK, searches=16),
    "brax/walker2d": _continuous(_LAPTOP_WALK, minutes=30.0),
    "brax/halfcheetah": _continuous(_LAPTOP_BRAX),
    "brax/ant": _continuous(_LAPTOP_BRAX),
    "brax/humanoid": _continuous(_LAPTOP_BRAX),
    "brax/humanoidstandup": _continuous(_LAPTOP_BRAX),
    "brax/inverted_double_pendulum": _continuous(_LAPTOP_WALK, curriculum=50, searches=4, minutes=10.0),
    "brax/reacher": _continuous(_LAPTOP_BRAX, minutes=10.0),
    "Breakout-MinAtar": _discrete(_LAPTOP_MINATAR, size=15),
    "Asterix-MinAtar": _discrete(_LAPTOP_MINATAR),
    "Freeway-MinAtar": _discrete(  # an episode has 2,500 steps; to walk up whatever comes is a good start
        _LAPTOP_MINATAR, population=64, episodes=1, std=2.0, labels="soft", learner=Learner(width=64)
    ),
    "SpaceInvaders-MinAtar": _discrete(_LAPTOP_MINATAR),
    "Seaquest-MinAtar": _discrete(_LAPTOP_MINATAR),
    "Pong-misc": _discrete(_LAPTOP_MINATAR, size=3),
}
PRESETS: dict[str, dict[str, Config]] = {
    "laptop": {
        **_EVOLUTION,
        "brax/halfcheetah": _continuous(_LAPTOP_MOVE, _GAIT, minutes=30.0),
        "brax/ant": _continuous(_LAPTOP_MOVE),
        "brax/humanoid": _continuous(_LAPTOP_MOVE, size=64, strategy_options={"critic_width": 256}, minutes=60.0),
        "brax/humanoidstandup": _continuous(_LAPTOP_MOVE, size=64, learner=_STEADY, minutes=60.0),
        "brax/inverted_double_pendulum": _continuous(_LAPTOP_MOVE, learn_std=False, learner=_STEADY, minutes=10.0),
        "brax/reacher": _continuous(_LAPTOP_MOVE, strategy_options={"gamma": 0.95}, minutes=10.0),
        "gymnasium/HalfCheetah-v5": _continuous(_LAPTOP_MOVE, learner=_STEADY, minutes=10.0),
        "Breakout-MinAtar": _discrete(_LAPTOP_LOOK, _TRY, minutes=5.0),
        "Asterix-MinAtar": _discrete(_LAPTOP_LOOK, _TRY, strategy_options={"gamma": 0.95}),
        "Freeway-MinAtar": _discrete(_LAPTOP_LOOK, learner=_NARROW),
        "SpaceInvaders-MinAtar": _discrete(_LAPTOP_LOOK, learner=_NARROW),
        "Seaquest-MinAtar": _discrete(_LAPTOP_LOOK, learner=_NARROW),
        # From so few training images, those for one network train deeper ones worse than class means do.
        "digits": _images(DEFAULTS, _LAPTOP_MNIST, networks=("mlp:64", "mlp:64x2"), minutes=1.0),
        "mnist": _images(DEFAULTS, _LAPTOP_MNIST),
        "fashion-mnist": _images(DEFAULTS, _LAPTOP_MNIST),
        "kmnist": _images(DEFAULTS, _LAPTOP_MNIST),
        "cifar10": _images(DEFAULTS),
        "svhn": _images(DEFAULTS),
    },
    "evolution": _EVOLUTION,
    "paper": {
        "brax/ant": _paper_brax(400),
        "brax/halfcheetah": _paper_brax(400),
        "brax/hopper": _paper_brax(200),
        "brax/humanoid": _paper_brax(400),
        "brax/humanoidstandup": _paper_brax(400),
        "brax/inverted_double_pendulum": _paper_brax(200),
        "brax/reacher": _paper_brax(400),
        "brax/walker2d": _paper_brax(400),
        "Asterix-MinAtar": _discrete(_PAPER_MINATAR),
        "Breakout-MinAtar": _discrete(_PAPER_MINATAR),
        "Freeway-MinAtar": _discrete(_PAPER_MINATAR),
        "SpaceInvaders-MinAtar": _discrete(_PAPER_MINATAR),
        "Seaquest-MinAtar": _discrete(_PAPER_MINATAR),
        "Pong-misc": _discrete(_PAPER_MINATAR, size=3, init="fixed", inits=1, generations=2000),
        "mnist": _images(_PAPER_IMAGES),
        "fashion-mnist": _images(_PAPER_IMAGES),
    },
}
"""The complete configurations, by preset and task."""
