"""Evolution strategies from evosax (Lange 2022), by name: ask for a population, tell its fitness.

evosax minimises; fitness is negated here and nowhere else.
"""

import copy
import dataclasses
import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Self

import jax
import jax.flatten_util
import jax.numpy as jnp
import optax

from hades.aliases import Options
from hades.dataset import Spec
from hades.errors import InputError, meant
from hades.options import bare
from hades.scoring import Scores
from hades.strategies import SCORES, STRATEGIES, Oracle, Settings, Solution, State


class Evolution:
    """One of evosax's distribution-based strategies over a pytree.

    Args:
        name: as evosax has it; case and punctuation do not matter (``"SNES"``, ``"OpenES"``, ``"CMA-ES"``).
        population: candidates a generation.
        solution: the pytree that a generation's mean starts from.
        std: initial standard deviation of the search distribution.
        learning_rate: of the mean, by Adam, for strategies that follow a gradient estimate with an optimiser; None
            leaves the strategy's own optimiser (SNES: the natural-gradient step).
        options: further fields of the strategy's parameters or constructor. ``temperature`` (SNES, xNES) turns the
            weights of the ranks into the softmax that the published runs used. ``std_decay`` and ``lr_decay`` are
            factors a generation, ``std_limit`` where the former ends, for strategies that keep a schedule (OpenES).

    Raises:
        InputError: for an unknown strategy or option, or a population that the strategy cannot have.
    """

    needs: ClassVar = SCORES
    collects: ClassVar = 0
    ignores: ClassVar = ()

    def __init__(
        self,
        name: str,
        population: int,
        solution: Solution,
        std: float,
        learning_rate: float | None = None,
        options: Mapping[str, float] | None = None,
    ) -> None:
        if population < 2:
            raise InputError("population must be at least 2: a strategy compares candidates")
        self.name = find(name)
        self.solution = solution
        algorithm = _algorithms()[self.name]
        accepted = inspect.signature(algorithm.__init__).parameters
        options = dict(options or {})
        kwargs: dict[str, Any] = {k: options.pop(k) for k in list(options) if k in accepted and k.startswith("use_")}
        decays = {name: options.pop(name) for name in ("std_decay", "std_limit", "lr_decay") if name in options}
        if learning_rate is not None:
            if "optimizer" not in accepted:
                raise InputError(f"{self.name} has no optimiser; leave the strategy's learning rate out")
            kwargs["optimizer"] = optax.adam(optax.exponential_decay(learning_rate, 1, decays.get("lr_decay", 1.0)))
        if decays and not {"std_schedule", "optimizer"} <= set(accepted):
            raise InputError(f"{self.name} keeps no schedule; {min(decays)} is for strategies such as OpenES")
        if "num_populations" in accepted:
            raise InputError(
                f"{self.name} evolves several populations at once; choose {self.name.removeprefix('SV_')}"
            )
        if "sampling_fn" in accepted:
            kwargs["sampling_fn"] = partial(_sample, solution, std)
        if "std_schedule" in accepted:
            limit = decays.get("std_limit")  # which optax reads as an upper one where nothing decays
            kwargs["std_schedule"] = optax.exponential_decay(std, 1, decays.get("std_decay", 1.0), end_value=limit)
        try:
            self.algorithm = algorithm(population, solution, **kwargs)
        except AssertionError as error:
            raise InputError(f"{self.name} cannot have a population of {population}: {error}") from None
        params = self.algorithm.default_params
        usual = {f.name: getattr(params, f.name) for f in dataclasses.fields(params)}
        numbers = {
            name: value for name, value in usual.items() if jax.tree_util.all_leaves([value]) and jnp.ndim(value) == 0
        }
        if "weights" in usual:
            numbers["temperature"] = 1.0
        if "std_init" in usual:
            options.setdefault("std_init", std)
        for name in decays.keys() & {"std_decay", "lr_decay"}:
            if decays[name] > 1:
                raise InputError(f"{self.name}'s {name} must be at most 1, not {decays[name]}")
        _check_numbers(self.name, {**options, **decays}, {**numbers, **dict.fromkeys(decays, 1.0)})
        if "temperature" in options:
            from evosax.algorithms.distribution_based.discovered_es import get_weights

            options["weights"] = get_weights(population, options.pop("temperature"))  # type: ignore[assignment]
        self.params = params.replace(**jax.tree.map(jnp.asarray, options))

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the constructor."""
        s = settings
        return cls(s.name, s.population, s.solution, s.std, s.learning_rate, s.options)

    @classmethod
    def implied(cls, spec: Spec) -> Options:
        """Nothing: the presets for evolution say all of it."""
        del spec
        return {}

    @classmethod
    def words(cls, name: str, population: int, std: float) -> tuple[str, str]:
        """Its population and search, for a table."""
        return str(population), f"{name}, std {std:g}"

    def init(self, key: jax.Array, solution: Solution | None = None) -> State:
        """From the start, or another solution."""
        return self.algorithm.init(key, self.solution if solution is None else solution, self.params)

    def ask(self, key: jax.Array, state: State) -> tuple[Solution, State]:
        """A population: the solution's pytree with a leading axis ``[P, ...]``."""
        return self.algorithm.ask(key, state, self.params)

    def tell(self, key: jax.Array, state: State, population: Solution, fitness: jax.Array) -> State:
        """Move the search distribution towards what scored well: fitness ``[P]``, higher is better.

        A candidate whose fitness is not finite counts as the worst that was. A generation of nothing else changes
        nothing, and neither does one whose candidates are all alike (of ranks that mean nothing, CMA-ES collapses and
        SNES wanders), or an update that is not finite.
        """
        finite = jnp.isfinite(fitness)
        worst = jnp.min(fitness, where=finite, initial=jnp.inf)
        fitness = jnp.where(finite, fitness, jnp.where(finite.any(), worst, 0))
        new, _ = self.algorithm.tell(key, population, -fitness, state, self.params)
        good = (fitness.max() > fitness.min()) & jnp.isfinite(new.mean).all()
        return jax.tree.map(lambda n, o: jnp.where(good, n, o), new, state)

    def step(self, ask_key: jax.Array, tell_key: jax.Array, state: State, oracle: Oracle) -> tuple[State, Scores]:
        """Ask, score, tell."""
        population, state = self.ask(ask_key, state)
        scores = oracle.scores(population)
        return self.tell(tell_key, state, population, scores.fitness), scores

    def in_pieces(self) -> Self:
        """Ask and tell are jitted by themselves."""
        pieces = copy.copy(self)
        vars(pieces).update(ask=jax.jit(self.ask), tell=jax.jit(self.tell))
        return pieces

    def metrics(self, state: State) -> dict[str, jax.Array]:
        """Mean standard deviation of the search distribution; NaN for a strategy that keeps none."""
        return {"std": jnp.mean(state.std) if hasattr(state, "std") else jnp.asarray(jnp.nan)}

    def mean(self, state: State) -> Solution:
        """The centre of the search distribution, as a solution."""
        return self.algorithm.get_mean(state)


def _sample(solution: Solution, std: float, key: jax.Array) -> Solution:
    """Random search: normal around the start."""
    flat, unravel = jax.flatten_util.ravel_pytree(solution)
    return unravel(flat + std * jax.random.normal(key, flat.shape))


def _algorithms() -> Options:
    """Imported late: evosax makes arrays as it is imported, which starts JAX on the devices that it has by then."""
    from evosax.algorithms.distribution_based import distribution_based_algorithms

    return distribution_based_algorithms


def names() -> tuple[str, ...]:
    """Of evosax's strategies."""
    return tuple(_algorithms())


def find(name: str) -> str:
    """evosax's own spelling of a strategy's name."""
    known_as = {bare(known): known for known in _algorithms()}
    if found := known_as.get(bare(name)):
        return found
    every = known_as | {bare(other): other for other in STRATEGIES}
    hint = meant(bare(name), every, cutoff=0.4) or f"choose one of {', '.join(every.values())}"
    raise InputError(f"unknown strategy '{name}'; {hint}")


def _check_numbers(name: str, options: Options, usual: Options) -> None:
    """Raise `InputError` for an option that a strategy does not have, or that is not positive as its usual one is."""
    for option, value in options.items():
        if option not in usual:
            raise InputError(f"{name} has no option '{option}'; it has {', '.join(sorted(usual))}")
        if usual[option] > 0 and not value > 0:
            raise InputError(f"{name}'s {option} must be positive, not {value}")
