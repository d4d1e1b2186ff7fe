"""Every option of a distillation, once: command line, ``config.json`` and documentation are derived from it."""

import contextlib
import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from hades.aliases import Json, Options
from hades.arguments import ESSENTIALS
from hades.errors import InputError
from hades.finding import zoo
from hades.learner.recipe import SHAPE, Learner, Recipe, stored
from hades.options import COUNT, SEED, bare, check, check_names, check_value, option, registry, shown

PAIRS, SEARCH, SCORE, BUDGET = "pairs", "search", "score", "budget and validation"
LIMITS = ("generations", "steps", "minutes")

LEARNABLE = {"learn_rate": "learning_rate", "learn_std": "log_std"}
"""Options of a recipe that may be searched for with the pairs, by the option that asks for it."""


@dataclass(frozen=True)
class Config:
    """All options of one distillation.

    Raises:
        InputError: for an option value that cannot be.
    """

    size: int = option(16, least=1, group=ESSENTIALS)
    """State-action pairs in the dataset, N; for images, a multiple of the classes."""
    init: str = option("random", one_of=("random", "fixed"), group=ESSENTIALS)
    """random: new networks every generation (HaDES-R); fixed: always the same (HaDES-F)."""
    minutes: float | None = option(None, above=0, off=MISSING, group=ESSENTIALS)
    """Budget of time, of searching: compilation and the scoring at the end come beside it. Whichever limit is reached
    first ends the run."""
    seed: int = option(0, **SEED, group=ESSENTIALS)
    """Of everything random, from 0 to 2^63 - 1: the same seed gives the same dataset, by a budget of generations or
    steps; how far minutes go is the machine's."""
    strategy: str = option("SNES", group=SEARCH)
    """Evolution strategy of evosax: SNES, OpenES, CMA-ES, ...; for environments also ppo and, off-policy,
    for continuous actions, td3: an actor's loss differentiated through the inner loop; for tasks whose score is
    differentiable gradient, the meta-gradient by Adam, or gradient:NAME by another of optax's optimisers."""
    population: int = option(64, least=1, group=SEARCH)
    """Candidates a generation."""
    std: float = option(0.3, above=0, group=SEARCH)
    """Initial standard deviation of the search."""
    strategy_lr: float | None = option(None, above=0, group=SEARCH)
    """Step size: of the optimiser of ppo, td3 and the meta-gradient; of the search's mean (by Adam), for evolution
    strategies with an optimiser. Off: the strategy's own."""
    strategy_options: Mapping[str, float] = option({}, group=SEARCH)
    """Further parameters of the strategy, such as temperature=20, over those of the preset; off: its defaults."""
    window: int | None = option(None, least=1, group=SEARCH)
    """For the meta-gradient: differentiate through so many steps of the inner loop, which then ends at a random step
    (Feng et al. 2023); off: all."""
    searches: int = option(1, least=1, most=1000, group=SEARCH)
    """Begin so many searches, each from another start, one after the other in the first half of the budget; the one
    with the best validation goes on."""
    polish: tuple[str, ...] = option((), group=SEARCH)
    """Strategies that go on from the best so far, each with a share of the budget at its end: NAME@SHARE, or
    NAME@SHARE@STD with a standard deviation of its own, such as SNES@0.2@0.05."""
    start: str = option("random", group=PAIRS)
    """Where states start: random, or sample (observations of random actions; real images); images also at mean (of
    each class), centres (of k-means) or zero. Or a dataset (file, run's folder, name in the zoo, or hf://USER/NAME) to
    go on from, with its normaliser where that is fixed; or minari:ID, pairs of a dataset of Minari's that is here."""
    normaliser: str = option("running", one_of=registry("hades.normalisers", "NORMALISERS"), off="none", group=PAIRS)
    """Of observations: none, fixed (measured under random actions before the run), channels (so measured, but each
    channel of a grid is scaled as one: cells that are hardly ever set are not blown up) or running (gathered over all
    that the population sees, as in OpenAI-ES)."""
    labels: str = option("fixed", one_of=registry("hades.learner.objectives", "LABELS"), group=PAIRS)
    """For classes and discrete actions: fixed (balanced one-hot) or soft (searched for with the states)."""
    label_logit: float = option(2.0, above=0, group=PAIRS)
    """Of soft labels at the start, for each pair's own class; the others have 0."""
    start_actions: float | None = option(None, above=0, most=1, group=PAIRS)
    """Continuous actions start within so much of 0; off: 1, anywhere in their bounds."""
    inits: int = option(2, least=1, group=SCORE)
    """Networks trained on each candidate."""
    episodes: int = option(1, least=1, group=SCORE)
    """Episodes played by each network; labelled images that it is scored on."""
    curriculum: int | None = option(None, least=1, group=SCORE)
    """Cut episodes off after a tenth of their steps in a search's first generation; after so many generations they
    are whole. Validations are of whole episodes."""
    greedy: bool = option(False, group=SCORE)
    """Score the most likely action instead of a sampled one."""
    networks: tuple[str, ...] = option((), group=SCORE)
    """Distil for several networks at once, each with an equal say, as NAME, NAME:WIDTH, NAME:WIDTHxDEPTH or
    NAME:WIDTH,WIDTH,...; deep ones are trained by recipes of their own, and each may have other options of the inner
    loop: mlp:256+learning_rate=0.002+activation=relu. Of one that is named twice, twice as many are trained."""
    rate_spread: float | None = option(None, least=1, group=SCORE)
    """Train each network by a step size of its own, drawn anew from so many times smaller to so many times larger than
    the learner's, for pairs that train by whatever is near; off: all alike."""
    learn_rate: bool = option(False, group=SCORE)
    """Search for the inner step size, too."""
    learn_std: bool = option(False, group=SCORE)
    """Search for the standard deviation of continuous actions, too, from the learner's log_std on."""
    chunk: int | None = option(None, least=1, group=SCORE)
    """Networks that run at once on a device; off: chosen by memory and cache."""
    generations: int | None = option(None, least=1, off=MISSING, group=BUDGET)
    """Budget of generations."""
    steps: int | None = option(None, **COUNT, off=MISSING, group=BUDGET)
    """Budget of environment steps of whole episodes; for images, of labelled images looked at."""
    patience: int | None = option(None, least=1, group=BUDGET)
    """End a search, and a run whose last one it is, after so many generations in a row whose candidates all scored the
    same, from which it learns nothing; off: go on until the budget is spent."""
    validate_every: int = option(10, least=1, group=BUDGET)
    """Generations between two scorings of the search's centre on networks and episodes that the search never sees.
    The best so scored is the result."""
    validate_inits: int = option(16, least=1, group=BUDGET)
    """Networks in such a scoring."""
    learner: Recipe = field(default_factory=lambda: _recipes().CONTINUOUS)
    """The inner loop."""

    def __post_init__(self) -> None:
        check(self)
        object.__setattr__(self, "learner", _recipes().CONTINUOUS.patched(self.learner))
        if self.label_logit != Config.label_logit and not _sharpens(self.labels):
            raise InputError("label_logit is where soft labels start; add labels soft, or leave it out")
        recipes = self.recipes  # or says what they cannot be
        for name, of_recipe in self.learns.items():
            if len({getattr(recipe, of_recipe) for recipe in recipes}) > 1:
                raise InputError(f"{name} searches for one {of_recipe}, but these networks have several")

    @property
    def learns(self) -> dict[str, str]:
        """The options that ask to search for one of the recipe's, too: ``{"learn_rate": "learning_rate"}``."""
        return {name: of_recipe for name, of_recipe in LEARNABLE.items() if getattr(self, name)}

    @property
    def starts_from_dataset(self) -> bool:
        """Whether `start` names a dataset."""
        return names_dataset(self.start)

    @property
    def start_file(self) -> Path | None:
        """The dataset's file, or its run's folder, that `start` names, if it does."""
        return Path(self.start) if _is_place(self.start) else None

    @property
    def keeps_networks(self) -> bool:
        """Whether every generation has the same initialisations (HaDES-F)."""
        return self.init == "fixed"

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """Whose score counts: the learner alone, or one for each of the networks."""
        return tuple(self.learner.patched(_network(name)) for name in self.networks) or (self.learner,)

    @property
    def budget(self) -> dict[str, float | None]:
        """Limits on generations, steps and minutes; absent ones are None."""
        return {limit: getattr(self, limit) for limit in LIMITS}

    def to_json(self) -> Json:
        """As ``config.json`` has it."""
        return dataclasses.asdict(self) | {"learner": self.learner.options()}

    @classmethod
    def from_json(cls, data: Options, reference: Recipe | None = None) -> "Config":
        """From ``config.json``; what an old one leaves out of the recipe is the task's reference.

        Raises:
            InputError: for an option that there is not, or a value that cannot be.
        """
        if not isinstance(data, Mapping):
            raise InputError(f"a configuration is options by their names, not {shown(data)}")
        check_names(cls, data, "a configuration")
        base = reference or _recipes().CONTINUOUS
        return cls(**{**data, "learner": base.patched(stored(data.get("learner")))})

    def override(self, overrides: Options) -> "Config":
        """This configuration with other options.

        A ``learner`` among them is laid over the recipe, and ``strategy_options`` over those there are (none at all
        leave none). A limit replaces the whole budget, another strategy comes without this one's step size and
        options, another network takes the place of several, ``init="fixed"`` means one network, and a dataset to go
        on from is one start, with actions and a normaliser of its own.

        Raises:
            InputError: for an option that there is not, or a value that cannot be.
        """
        check_names(Config, overrides, "a configuration")
        overrides = {name: check_value(Config, name, value) for name, value in overrides.items()}
        recipe = self.learner.patched(overrides.get("learner"))
        implied: dict[str, Any] = {"learner": recipe}
        if any(overrides.get(limit) is not None for limit in LIMITS):
            implied |= dict.fromkeys(LIMITS)
        if bare(overrides.get("strategy", self.strategy)) != bare(self.strategy):
            implied |= {"strategy_lr": None, "strategy_options": {}}
        elif given := overrides.get("strategy_options"):
            overrides["strategy_options"] = {**self.strategy_options, **given}
        if any(getattr(recipe, name) != getattr(self.learner, name) for name in SHAPE):
            implied |= {"networks": ()}
        if overrides.get("init") == "fixed" and not self.keeps_networks:
            implied |= {"inits": 1}  # as published: HaDES-F overfits one network
        if names_dataset(overrides.get("start", "")):
            implied |= {"start_actions": None, "searches": 1}
            implied |= {"normaliser": "fixed"} if self.normaliser == "running" else {}
        return dataclasses.replace(self, **{**implied, **overrides, "learner": recipe})


def _recipes() -> ModuleType:
    """Whose values are checked as they are made, with JAX, which the help of a command does without."""
    from hades.learner import recipes

    return recipes


def _is_place(start: str) -> bool:
    return start.endswith(".safetensors") or os.sep in start


def names_dataset(start: str) -> bool:
    """Whether `Config.start` is a dataset's file, run or name in the zoo."""
    return _is_place(start) or start in zoo()


def _sharpens(labels: str) -> bool:
    from hades.learner.objectives import OBJECTIVES

    return OBJECTIVES[labels].sharpens


def _network(text: str) -> Learner:
    """``NAME``, ``NAME:WIDTH``, ``NAME:WIDTHxDEPTH`` or ``NAME:WIDTH,WIDTH,...``, with its own recipe if any.

    And with other options of a learner: ``NAME:WIDTH+OPTION=VALUE+OPTION=VALUE``.
    """
    shape, *wishes = text.split("+")
    match = re.fullmatch(r"(\w+)(?::(\d{1,9})(?:x(\d{1,9}))?|:(\d{1,9}(?:,\d{1,9})+))?", shape)
    if not match or any("=" not in wish for wish in wishes):
        raise InputError(
            "networks are NAME, NAME:WIDTH, NAME:WIDTHxDEPTH or NAME:WIDTH,WIDTH,..., and +OPTION=VALUE for other "
            f"options of the learner, not '{text}'"
        )
    name, width, depth, widths = match.groups()
    own = Learner(
        network=name,
        width=tuple(map(int, widths.split(","))) if widths else int(width) if width else None,
        depth=int(depth) if depth else None,
    )
    more = {name: _value(value) for name, value in (wish.split("=", 1) for wish in wishes)}
    return _recipes().DEEP.get(name, own) | own | Learner(**more)


def _value(text: str) -> float | str:
    """A number, if it is one."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text
