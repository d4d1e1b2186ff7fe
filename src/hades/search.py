"""Algorithm 1 of Lupu et al. (2024): ask for datasets, train networks on them, score the networks, tell.

Everything is a pure function of a `State`. A checkpoint is that state, which is why a resumed run is the same run.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hades import strategies
from hades.aliases import PyTree
from hades.attempts import Attempt, Attempts, State
from hades.config import Config
from hades.dataset import Dataset
from hades.dispatch import Metrics, stepped, traced
from hades.errors import InputError
from hades.learner.networks import init_network, tree_bytes
from hades.learner.recipe import Recipe
from hades.memory import check_memory, of_networks, of_population, of_rollouts, of_state
from hades.normalisers import NORMALISERS, Normaliser
from hades.options import bare
from hades.oracle import Generation
from hades.parallel import replicated
from hades.plan import Phase, Plan, plan_of
from hades.scoring import Fitness, piece, ranked, staged
from hades.seeds import key_of
from hades.solution import Codec
from hades.strategies import DERIVATIVE, ROLLOUTS, SCORES, Settings, Solution, Strategy
from hades.tasks.base import Task

CURRICULUM = 0.1
"""Of an episode's steps: what a curriculum begins with."""
_EVOLUTION = "an evolution strategy, such as SNES"


class Search:
    """The outer loop, as pure functions of a `State`.

    A generation draws networks and episodes (HaDES-F keeps its networks), asks the strategy for a population of
    datasets, trains and scores networks on each, and tells the strategy.

    Args:
        warm: the dataset to start from, where it is not in the file that the configuration names.

    Raises:
        InputError: for what task and configuration cannot agree on.
    """

    def __init__(self, task: Task, config: Config, warm: Dataset | None = None) -> None:
        self.task, self.config, self.plan = task, config, plan_of(config)
        inits = Counter({recipe: number * config.inits for recipe, number in Counter(config.recipes).items()})
        self.inits, self.recipes = inits, list(inits)
        for recipe in self.recipes:  # or says why it cannot be
            jax.eval_shape(partial(init_network, recipe, task.spec), jax.random.key(0))
        check(task, config, self.plan)
        self.key = key_of(config.seed)
        start_key, measure_key = jax.random.split(jax.random.fold_in(self.key, 2**31 - 1))
        self.codec = Codec.of(task, config, self.recipes[0], warm)
        self.pairs = piece(task, jax.vmap(self.codec.pairs))
        scored = [scorers(task, config, inits, strategies.needs(phase.strategy)) for phase in self.plan.strategies]
        self.fitness, self.validation = scored[0], validators(task, config, inits)
        self._check_memory(scored)
        measured = self.codec.measured(measure_key)
        start = self.codec.start(start_key, self.codec.first_normaliser(measured))
        made = [self._strategy(phase, start) for phase in self.plan.strategies]
        self.replicate = jax.jit(lambda x: x, out_shardings=replicated())
        self.attempts = Attempts(self.plan, made, self.codec, self.key, start_key, measured, self.replicate)
        self.data, self.validation_data = task.data, task.validation.data
        self.play = staged(task, self._play, out_shardings=replicated())
        self.programs = [self._programs(*each) for each in zip(made, scored, strict=True)]

    def _check_memory(self, scored: Sequence[Sequence[Fitness]]) -> None:
        """Raise `InputError` where a generation or a validation cannot fit, before anything of their size is made."""
        config, part = self.config, jax.eval_shape(partial(self.codec.objective.start, self.config.size), self.key)
        numbers = config.size * math.prod(self.task.spec.obs_shape) + tree_bytes(part) // 4
        for phase, kinds in zip(self.plan.strategies, scored, strict=True):
            needs = strategies.needs(phase.strategy)
            candidates = config.population if needs == SCORES else 1
            for each in kinds:
                networks = of_networks(each, candidates, config.size, needs)
                check_memory([of_population(candidates, numbers), *networks])
        for each in self.validation:
            check_memory(of_networks(each, 1, config.size, inits="validate_inits"))

    def _strategy(self, phase: Phase, start: Solution) -> Strategy:
        config = self.config
        own = bare(phase.strategy) == bare(config.strategy)  # whose step size and options these are
        rate, options = (config.strategy_lr, config.strategy_options) if own else (None, {})
        search = phase.strategy, config.population, start, phase.std or config.std, rate, options
        settings = Settings(*search, self.task, self.recipes[0], sum(self.inits.values()))
        made = strategies.make(settings)
        rollouts = of_rollouts(self.recipes[0], self.task.spec, self.config.size, made.collects)
        check_memory([of_state(phase.strategy, made), rollouts])
        return made if self.task.traced else made.in_pieces()

    def _programs(
        self, strategy: Strategy, fitness: Sequence[Fitness]
    ) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """One generation, and several in a dispatch, by one of the plan's strategies."""
        one = staged(self.task, partial(self._generation, strategy, fitness))  # traced once, though used twice
        if self.task.traced:
            return one, jax.jit(partial(traced, one), out_shardings=replicated())
        return one, partial(stepped, one)

    @property
    def goes_on(self) -> bool:
        """Whether it starts from what has been found already."""
        return self.codec.warm is not None

    def init(self, turn: int = 0) -> State:
        """Before the first generation; or a state of a later phase, for a checkpoint to be read into."""
        return self.attempts.first(turn)

    def next_phase(self, state: State) -> State:
        """A phase is over: begin anew, or go on from the best so far."""
        return self.attempts.next(state, self.best(state))

    def generation(self, state: State, data: PyTree) -> tuple[State, Metrics]:
        """One generation: the state after it, and its metrics."""
        return self.programs[self.plan.number(int(state.turn))][0](state, data)

    def generations(
        self, state: State, number: jax.Array | np.int32, steps: jax.Array | np.int32, data: PyTree
    ) -> tuple[State, Metrics, jax.Array]:
        """Generations in one dispatch: ``number`` of them, or until ``steps`` environment steps are spent.

        Returns the state, metrics ``[MAX_PER_DISPATCH]``, and how many generations there were.
        """
        return self.programs[self.plan.number(int(state.turn))][1](state, number, steps, data)

    def _generation(
        self, strategy: Strategy, fitness: Sequence[Fitness], state: State, data: PyTree
    ) -> tuple[State, Metrics]:
        ask_key, init_key, episode_key, tell_key, _ = self._keys(state)
        attempt = state.search
        oracle = Generation(
            codec=self.codec,
            pairs=self.pairs,
            fitness=tuple(fitness),
            networks=tuple(each.networks(self._init_key(state.key, init_key)) for each in fitness),
            normaliser=self.normaliser(state),
            episode_key=episode_key,
            data=data,
            limit=self._limit(attempt),
        )
        moved, scores = strategy.step(ask_key, tell_key, attempt.strategy, oracle)
        finite, several = jnp.isfinite(scores.fitness), scores.fitness.size > 1
        metrics = {
            "mean": jnp.mean(scores.fitness, where=finite),
            "best": jnp.max(scores.fitness),
            "worst": jnp.min(scores.fitness, where=finite, initial=jnp.inf if several else jnp.nan),
            "diverged": jnp.sum(jnp.isinf(scores.fitness)),
            "env_steps": scores.env_steps,
            **strategy.metrics(moved),
        }
        seen = attempt.seen if scores.seen is None else attempt.seen.merge(scores.seen)
        attempt = attempt._replace(age=attempt.age + 1, strategy=moved, seen=seen)
        return state._replace(generation=state.generation + 1, search=attempt), metrics

    def normaliser(self, state: State) -> Normaliser:
        """Of the observations, as they have been seen by now."""
        return self.codec.normaliser(state.search.seen, state.fixed_normaliser)

    def _limit(self, attempt: Attempt) -> jax.Array | None:
        """Steps after which an episode is cut off, by the curriculum."""
        if self.config.curriculum is None or self.task.max_steps is None:
            return None
        share = CURRICULUM + (1 - CURRICULUM) * attempt.age / self.config.curriculum
        return jnp.round(jnp.minimum(share, 1) * self.task.max_steps)

    def _keys(self, state: State) -> jax.Array:
        """For ask, networks, episodes, tell, and a validation before it."""
        return jax.random.split(jax.random.fold_in(jax.random.wrap_key_data(state.key), state.generation), 5)

    def _init_key(self, run_key: jax.Array, key: jax.Array) -> jax.Array:
        return _fixed_init_key(jax.random.wrap_key_data(run_key)) if self.config.keeps_networks else key

    @property
    def fixed_init_key(self) -> jax.Array:
        """HaDES-F's initialisation, the other half of its result."""
        return _fixed_init_key(self.key)

    def validate(self, state: State) -> tuple[State, float | None]:
        """Score the search's centre on networks and episodes of its own; keep it if it is the best so far.

        The score is None where it is not a finite number.
        """
        *_, key = self._keys(state)
        attempt = state.search
        centre, normaliser = self.attempts.strategy(state).mean(attempt.strategy), self.normaliser(state)
        score = ranked(self.play(state.key, centre, normaliser, key, self.validation_data).mean())
        if score > attempt.best_score:
            best = self.replicate((score, centre, normaliser))
            attempt = attempt._replace(best_score=best[0], best=best[1], best_normaliser=best[2])
        return state._replace(search=attempt), float(score) if jnp.isfinite(score) else None

    def evaluate(self, state: State) -> np.ndarray:
        """Scores ``[inits, episodes]`` of the result, on networks and episodes that nothing was chosen by.

        HaDES-F's networks are its own: they play twice as many episodes, where there are any.
        """
        solution, normaliser = self.best(state)
        keys = jax.random.split(jax.random.fold_in(self.key, 2**31 - 3), 2)
        scores = [self.play(state.key, solution, normaliser, key, self.validation_data) for key in keys]
        if not self.config.keeps_networks:
            return np.concatenate(scores)
        return np.concatenate(scores if self.task.validation.metric.episodes else scores[:1], 1)

    def best(self, state: State) -> tuple[Solution, Normaliser]:
        """The best validated solution and its normaliser; before the first validation, the search's centre."""
        leader = self.attempts.leader(state)
        if jnp.isfinite(leader.best_score):
            return leader.best, leader.best_normaliser
        return self.attempts.strategy(state).mean(leader.strategy), self.normaliser(state)

    def best_score(self, state: State) -> float | None:
        """Of all validations; None before the first."""
        score = float(self.attempts.leader(state).best_score)
        return score if np.isfinite(score) else None

    def _play(
        self, run_key: jax.Array, solution: Solution, normaliser: Normaliser, key: jax.Array, data: PyTree
    ) -> jax.Array:
        """Scores ``[inits, episodes]`` of networks trained on one solution, fresh but for HaDES-F's."""
        init_key, episode_key = jax.random.split(key)
        pairs = self.pairs(jax.tree.map(lambda x: x[None], solution))
        each = [
            fitness.returns(pairs, normaliser, self._init_key(run_key, init_key), episode_key, data)
            for fitness in self.validation
        ]
        return jnp.concatenate(each)


def scorers(task: Task, config: Config, inits: Counter[Recipe], needs: str) -> list[Fitness]:
    """That score a strategy's solutions, one for each kind of network."""
    several = len(inits) > 1
    # A derivative has but one candidate to spread over the devices: kinds of networks are what they can share.
    apart = several and needs == DERIVATIVE
    return [
        Fitness(
            task.calibrated if several else task,
            recipe,
            number,
            config.episodes,
            config.greedy,
            watch=NORMALISERS[config.normaliser].running,
            rate_spread=config.rate_spread,
            window=None if needs == SCORES else config.window,
            chunk=config.chunk,
            spread=not apart,
        )
        for recipe, number in inits.items()
    ]


def validators(task: Task, config: Config, inits: Counter[Recipe]) -> list[Fitness]:
    """That validate its centre, likewise; HaDES-F's on its own networks, each for as many episodes more."""
    fixed, fewest = config.keeps_networks, min(inits.values())
    return [
        Fitness(
            task.validation,
            recipe,
            number if fixed else config.validate_inits,
            -(-config.validate_inits // fewest) if fixed else 1,
            config.greedy,
            rate_spread=config.rate_spread,
        )
        for recipe, number in inits.items()
    ]


def check(task: Task, config: Config, plan: Plan) -> None:
    """What task and configuration must agree on.

    Raises:
        InputError: if they do not.
    """
    needed = {strategies.needs(phase.strategy) for phase in plan.strategies}
    if not task.traced and jax.process_count() > 1:
        raise InputError(f"{task.name} is stepped outside JAX, by one process alone; leave --distributed out")
    if DERIVATIVE in needed and not task.differentiable:
        raise InputError(f"the score of {task.name} is not differentiable: take {_EVOLUTION}")
    if ROLLOUTS in needed and not task.stepped:
        others = f"gradient, or {_EVOLUTION}" if task.differentiable else _EVOLUTION
        raise InputError(f"{config.strategy} steps environments one by one, which {task.name} cannot: take {others}")
    if config.greedy and not task.validation.metric.episodes:
        raise InputError(f"greedy is of actions; {task.metric.pairs} have classes, of which the likeliest counts")
    if not task.spec.discrete and config.labels != Config.labels:
        raise InputError(f"labels are of classes and discrete actions; those of {task.name} are continuous")
    if config.starts_from_dataset and config.label_logit != Config.label_logit:
        raise InputError(f"label_logit is where labels start; they start as those of {config.start}")
    if config.start_actions and task.spec.discrete:
        raise InputError(f"start_actions is of continuous actions; those of {task.name} are discrete")
    if config.starts_from_dataset and config.start_actions:
        raise InputError(f"start_actions is where actions start; they start as those of {config.start}")
    if config.window is not None and DERIVATIVE not in needed:
        raise InputError("window belongs to the strategy gradient")
    if not config.starts_from_dataset:
        task.check_start(config.start)
    task.check(config.normaliser, config.curriculum, config.size)


def _fixed_init_key(key: jax.Array) -> jax.Array:
    return jax.random.fold_in(key, 2**31 - 2)
