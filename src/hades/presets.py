"""Configurations: every option of a distillation, and the named, complete ones."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hades.dataset import Spec, zoo
from hades.errors import InputError
from hades.learner import DEEP, INHERIT, Learner
from hades.reporting import align
from hades.strategies import is_gradient, plain

INITS = ("random", "fixed")
NORMALISERS = ("none", "fixed", "running")
LABELS = ("fixed", "soft")


@dataclass(frozen=True)
class Config:
    """All options of one distillation.

    Args:
        size: state-action pairs in the dataset, N.
        init: ``"random"`` draws new networks every generation (HaDES-R), ``"fixed"`` keeps one set (HaDES-F).
        population: candidates a generation.
        inits: networks trained on each candidate.
        episodes: episodes played by each network; for images: labelled images that it is scored on.
        curriculum: episodes are cut off after a tenth of their steps in a search's first generation, and last longer
            until, after so many generations, they are whole; None: always whole. Validations are of whole episodes.
        greedy: score the policies' modes instead of sampled actions.
        start: where the states start: ``"random"``, or ``"sample"`` (an observation of random actions; a real image);
            for images also ``"mean"`` (of each class), ``"centres"`` (of k-means) or ``"zero"``; or a dataset's file
            or name in the zoo, to go on from, with its normaliser where that is ``"fixed"``.
        strategy: an evosax strategy's name; for tasks whose score is differentiable also ``"gradient"``, the
            meta-gradient by Adam, or ``"gradient:NAME"`` by another of optax's optimisers.
        std: initial standard deviation of the search.
        strategy_lr: step size: of the meta-gradient's optimiser; of the mean (by Adam), for evolution strategies
            with an optimiser. None for the strategy's own.
        strategy_options: further parameters of the strategy.
        window: for the meta-gradient: differentiate through so many steps of the inner loop, which then ends at a
            random step (Feng et al. 2023); None for all.
        networks: distil for several kinds of networks at once, each with an equal say:
            ``"NAME"``, ``"NAME:WIDTH"``, ``"NAME:WIDTHxDEPTH"`` or ``"NAME:WIDTH,WIDTH,..."``; trained by the
            learner's recipe, or by one of their own (`hades.learner.DEEP`). One named again is drawn that much more.
        learn_rate: search for the inner loop's step size, too.
        searches: begin so many searches, each from another start, one after the other in the first half of the
            budget; the one with the best validation goes on.
        normaliser: of observations: ``"none"``, ``"fixed"`` (measured under random actions before the run) or
            ``"running"`` (gathered over all that the population sees, as in OpenAI-ES).
        labels: for discrete actions: ``"fixed"`` (balanced one-hot) or ``"soft"`` (evolved with the states).
        label_logit: of soft labels at the start, for each pair's own class; 0 for the others.
        learner: the inner loop; fields left out come from the published recipe.
        generations, steps, minutes: the budget; whichever is reached first ends the run. Environment steps count
            whole episodes (of images: labelled images looked at); minutes count from the first generation's start,
            compilation included.
        validate_every: generations between two scorings of the search's centre on networks and episodes that
            evolution never saw. The best so scored is the result.
        validate_inits: networks in such a scoring.
        seed: of everything random.
        chunk: networks that run at once on a device; None chooses by memory and cache.

    Raises:
        InputError: for an option value that cannot be.
    """

    size: int = 16
    init: str = "random"
    population: int = 64
    inits: int = 2
    episodes: int = 1
    curriculum: int | None = None
    greedy: bool = False
    start: str = "random"
    strategy: str = "SNES"
    std: float = 0.3
    strategy_lr: float | None = None
    strategy_options: Mapping[str, float] = field(default_factory=dict)
    window: int | None = None
    networks: tuple[str, ...] = ()
    learn_rate: bool = False
    searches: int = 1
    normaliser: str = "running"
    labels: str = "fixed"
    label_logit: float = 2.0
    learner: Learner = field(default_factory=Learner)
    generations: int | None = None
    steps: int | None = None
    minutes: float | None = None
    validate_every: int = 10
    validate_inits: int = 16
    seed: int = 0
    chunk: int | None = None

    def __post_init__(self) -> None:
        for name, options in (("init", INITS), ("normaliser", NORMALISERS), ("labels", LABELS)):
            if getattr(self, name) not in options:
                raise InputError(f"unknown {name} '{getattr(self, name)}'; choose one of {', '.join(options)}")
        at_least_one = ("size", "population", "inits", "episodes", "searches", "validate_every", "validate_inits")
        for name in (*at_least_one, "curriculum", "generations", "steps", "window", "chunk"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, not {value}")
        for name in ("std", "strategy_lr", "label_logit", "minutes"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise InputError(f"{name} must be positive, not {value}")
        if self.labels != "soft" and self.label_logit != Config.label_logit:
            raise InputError("label_logit is where soft labels start; add labels soft, or leave it out")
        if self.seed < 0:
            raise InputError(f"seed must not be negative, not {self.seed}")
        object.__setattr__(self, "networks", tuple(self.networks))
        rates = {learner.learning_rate for learner in self.learners}
        if self.learn_rate and len(rates) > 1:
            raise InputError("learn_rate searches for one step size, but these networks have several")

    @property
    def starts_from_dataset(self) -> bool:
        return self.start.endswith(".safetensors") or self.start in zoo()

    @property
    def learners(self) -> tuple[Learner, ...]:
        """Whose score counts: the learner alone, or one for each of the networks."""
        return tuple(_network(name).over(self.learner) for name in self.networks) or (self.learner,)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"learner": self.learner.options()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Config":
        unknown = set(data) - {f.name for f in dataclasses.fields(cls)}
        if unknown:
            raise InputError(f"unknown option '{min(unknown)}' in the configuration")
        return cls(**{**data, "learner": Learner(**data.get("learner", {}))})


def _network(text: str) -> Learner:
    """``NAME``, ``NAME:WIDTH``, ``NAME:WIDTHxDEPTH`` or ``NAME:WIDTH,WIDTH,...``."""
    match = re.fullmatch(r"(\w+)(?::(\d+)(?:x(\d+))?|:(\d+(?:,\d+)+))?", text)
    if not match:
        raise InputError(f"networks are NAME, NAME:WIDTH, NAME:WIDTHxDEPTH or NAME:WIDTH,WIDTH,..., not '{text}'")
    name, width, depth, widths = match.groups()
    own = Learner(
        network=name,
        width=tuple(map(int, widths.split(","))) if widths else int(width) if width else INHERIT,
        depth=int(depth) if depth else INHERIT,
    )
    return own.over(DEEP.get(name, own))


def get(task: str, name: str, spec: Spec, images: bool = False) -> Config:
    """The preset of a task; for tasks without one, sensible defaults for their kind.

    Raises:
        InputError: for an unknown preset, or one that this task does not have.
    """
    if name not in PRESETS:
        raise InputError(f"unknown preset '{name}'; choose one of {', '.join(PRESETS)}")
    if task in PRESETS[name]:
        return PRESETS[name][task]
    if name == "paper":
        raise InputError(f"the paper has no {task}; use the preset laptop, or one of {', '.join(PRESETS['paper'])}")
    return replace(_LAPTOP_IMAGES, size=spec.num_actions) if images else default(spec)


def default(spec: Spec) -> Config:
    """For a task without a preset: enough pairs to name every action, ten minutes."""
    learner = Learner(width=64)
    if spec.discrete:
        return Config(
            size=max(4, 2 * spec.num_actions), population=64, inits=2, std=0.5, learner=learner, minutes=10.0
        )
    return Config(size=8, population=64, inits=2, learner=learner, minutes=10.0)


def override(base: Config, overrides: Mapping[str, Any]) -> Config:
    """``base`` with overrides.

    A limit among them replaces the whole budget, another strategy comes without this one's step size and options,
    another network takes the place of several, and ``init="fixed"`` means one network.
    """
    limits = ("generations", "steps", "minutes")
    if any(overrides.get(limit) is not None for limit in limits):
        overrides = {**dict.fromkeys(limits), **overrides}
    if plain(overrides.get("strategy", base.strategy)) != plain(base.strategy):
        overrides = {"strategy_lr": None, "strategy_options": {}, **overrides}
    learner = overrides.get("learner", base.learner)
    if any(getattr(learner, name) != getattr(base.learner, name) for name in ("network", "width", "depth")):
        overrides = {"networks": (), **overrides}
    if overrides.get("init") == "fixed" and base.init == "random":
        overrides = {"inits": 1, **overrides}  # as published: HaDES-F overfits one network
    return replace(base, **overrides)


def table(chosen: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Presets as lines of text: ``{preset: {task: Config.to_json()}}``."""
    rows = [
        (
            "preset",
            "task",
            "pairs",
            "population",
            "inits×episodes",
            "strategy",
            "normaliser",
            "learner",
            "budget",
        )
    ]
    for preset, configs in chosen.items():
        for task, c in configs.items():
            learner = c["learner"]
            network = " ".join(c["networks"]) or f"width {learner['width']}"
            shape = network + (f", {learner['epochs']} epochs" if "epochs" in learner else "")
            budget = next(f"{c[limit]:g} {limit}" for limit in ("generations", "steps", "minutes") if c[limit])
            population, search = str(c["population"]), f"{c['strategy']}, std {c['std']:g}"
            if is_gradient(c["strategy"]):
                population, search = "1", c["strategy"]
            rows.append(
                (preset, task, str(c["size"]), population, f"{c['inits']}×{c['episodes']}",
                 search, c["normaliser"], shape, budget)
            )  # fmt: skip
    return align(rows)


def _paper_brax(epochs: int) -> Config:
    """Table 5 of the paper; the published runs' settings."""
    return Config(
        size=64, population=2048, inits=2, episodes=4, std=0.03, normaliser="running",
        learner=Learner(width=512, epochs=epochs), generations=2000,
    )  # fmt: skip


_PAPER_MINATAR = Config(
    size=16, population=2048, inits=2, episodes=8, std=0.5, strategy_options={"temperature": 20.0}, normaliser="fixed",
    learner=Learner(width=512, epochs=64), generations=5000,
)  # fmt: skip


def _small(activation: str) -> Learner:
    """For two to six pairs: the published step size for MinAtar, 0.03, does not carry over to wider networks."""
    return Learner(width=64, activation=activation, learning_rate=5e-3, epochs=200)


# Images by meta-gradient, for an MLP whose steps go as far as the published recipe's (2 x 50 = 0.1 x 1000): what
# trains it also trains the paper's CNN. A learned step size grows until nothing else does (docs/images.md). Larger
# steps are better as long as they are stable, which the brightness of the images decides. The standard deviation is
# for whoever asks for evolution instead.
_LAPTOP_IMAGES = Config(
    size=10, inits=2, episodes=512, start="mean", strategy="gradient", strategy_lr=0.01, std=0.05, labels="soft",
    normaliser="none", validate_every=100, validate_inits=4, minutes=10.0,
    learner=Learner(network="mlp", width=64, depth=1, optimiser="sgd", learning_rate=2.0, epochs=50),
)  # fmt: skip
_LAPTOP_MNIST = replace(
    _LAPTOP_IMAGES, strategy_lr=0.02, strategy_options={"lr_decay": 0.999}, generations=4000,
    learner=replace(_LAPTOP_IMAGES.learner, learning_rate=3.0, epochs=60),
)  # fmt: skip
_PAPER_IMAGES = Config(
    size=10, population=512, inits=2, episodes=1024, start="mean", strategy="OpenES", std=0.02, strategy_lr=0.01,
    strategy_options={"std_decay": 0.999, "std_limit": 0.001, "lr_decay": 0.999}, normaliser="none",
    learner=Learner(network="cnn", width=128, depth=1, optimiser="sgd", learning_rate=0.1, epochs=1000),
    generations=1000,
)  # fmt: skip
_LAPTOP_CLASSIC = Config(
    size=4, population=64, inits=2, episodes=4, validate_inits=64, learner=Learner(width=64), minutes=2.0
)
# With few epochs, what a narrow network has learnt depends on how it began, and a search that starts narrow stays
# where it began. Of those that start wide, one in five finds a good gait, in its first minute or never
# (docs/laptop.md).
_LAPTOP_BRAX = Config(
    size=16, population=32, inits=2, std=1.0, curriculum=50, learner=Learner(width=64, epochs=300), minutes=30.0
)
_LAPTOP_WALK = Config(
    size=4, population=32, inits=4, std=1.0, searches=10, validate_inits=64,
    learner=Learner(width=64, epochs=600), minutes=20.0,
)  # fmt: skip
# From what is seen, and with a narrow network, whose many first-layer weights are most of the time.
_LAPTOP_MINATAR = Config(
    size=16, population=128, inits=2, episodes=8, start="sample", std=0.5, normaliser="fixed",
    validate_inits=64, learner=Learner(width=32), minutes=5.0,
)  # fmt: skip

PRESETS: dict[str, dict[str, Config]] = {
    "laptop": {
        "CartPole-v1": replace(_LAPTOP_CLASSIC, size=2, std=0.5, learner=_small("tanh"), minutes=0.5),
        "Pendulum-v1": replace(
            _LAPTOP_CLASSIC, size=8, inits=4, episodes=2, std=1.0, searches=4, learner=_small("relu"), minutes=3.0
        ),
        "Acrobot-v1": replace(_LAPTOP_CLASSIC, size=6, std=0.5, inits=4, learner=_small("relu")),
        "MountainCar-v0": replace(_LAPTOP_CLASSIC, size=3, std=0.5, learner=_small("relu")),
        "MountainCarContinuous-v0": replace(_LAPTOP_CLASSIC, std=0.5, minutes=1.0),
        "brax/hopper": replace(_LAPTOP_WALK, searches=16),
        "brax/walker2d": replace(_LAPTOP_WALK, minutes=30.0),
        "brax/halfcheetah": _LAPTOP_BRAX,
        "brax/ant": _LAPTOP_BRAX,
        "brax/humanoid": _LAPTOP_BRAX,
        "brax/humanoidstandup": _LAPTOP_BRAX,
        "brax/inverted_double_pendulum": replace(_LAPTOP_WALK, curriculum=50, searches=4, minutes=10.0),
        "brax/reacher": replace(_LAPTOP_BRAX, minutes=10.0),
        "Breakout-MinAtar": replace(_LAPTOP_MINATAR, size=15),
        "Asterix-MinAtar": _LAPTOP_MINATAR,
        "Freeway-MinAtar": replace(  # an episode has 2,500 steps; to walk up whatever comes is a good start
            _LAPTOP_MINATAR, population=64, episodes=1, std=2.0, labels="soft", learner=Learner(width=64)
        ),
        "SpaceInvaders-MinAtar": _LAPTOP_MINATAR,
        "Seaquest-MinAtar": _LAPTOP_MINATAR,
        "Pong-misc": replace(_LAPTOP_MINATAR, size=3),
        # From so few training images, those for one network train deeper ones worse than class means do.
        "digits": replace(_LAPTOP_MNIST, networks=("mlp:64", "mlp:64x2"), generations=None, minutes=1.0),
        "mnist": _LAPTOP_MNIST,
        "fashion-mnist": _LAPTOP_MNIST,
        "kmnist": _LAPTOP_MNIST,
        "cifar10": _LAPTOP_IMAGES,
        "svhn": _LAPTOP_IMAGES,
    },
    "paper": {
        "brax/ant": _paper_brax(400),
        "brax/halfcheetah": _paper_brax(400),
        "brax/hopper": _paper_brax(200),
        "brax/humanoid": _paper_brax(400),
        "brax/humanoidstandup": _paper_brax(400),
        "brax/inverted_double_pendulum": _paper_brax(200),
        "brax/reacher": _paper_brax(400),
        "brax/walker2d": _paper_brax(400),
        "Asterix-MinAtar": _PAPER_MINATAR,
        "Breakout-MinAtar": _PAPER_MINATAR,
        "Freeway-MinAtar": _PAPER_MINATAR,
        "SpaceInvaders-MinAtar": _PAPER_MINATAR,
        "Seaquest-MinAtar": _PAPER_MINATAR,
        "Pong-misc": replace(_PAPER_MINATAR, size=3, init="fixed", inits=1, generations=2000),
        "mnist": _PAPER_IMAGES,
        "fashion-mnist": _PAPER_IMAGES,
    },
}
"""The complete configurations, by preset and task."""
