"""What a strategy may ask beside scores and their derivative: rollouts, and a loss of its own through the training."""

from typing import Any, ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import hades
from hades.config import Config
from hades.dataset import Spec
from hades.learner.recipes import CONTINUOUS
from hades.oracle import Generation
from hades.scoring import Scores
from hades.search import Search
from hades.strategies import ROLLOUTS, STRATEGIES, Oracle, Settings, Solution
from hades.tasks.base import Task
from hades.tasks.control import ControlTask
from hades.tasks.rollouts import Play, Trajectory

STEPS, NETWORKS, EPISODES = 10, 2, 64


class _State(NamedTuple):
    solution: Solution
    optimiser: Any
    play: Play | None


class Reinforce:
    """The policy gradient of Williams (1992), differentiated through the inner loop to the pairs."""

    needs: ClassVar = ROLLOUTS
    ignores: ClassVar = ()
    collects: ClassVar = STEPS * NETWORKS * EPISODES

    def __init__(self, solution: Solution, task: Task, rate: float) -> None:
        self.solution, self.task, self.optimiser = solution, task, optax.adam(rate)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.solution, settings.task, settings.learning_rate or 0.05)

    @classmethod
    def implied(cls, spec: Spec) -> dict[str, Any]:
        del spec
        return {}

    @classmethod
    def words(cls, name: str, population: int, std: float) -> tuple[str, str]:
        del population, std
        return "1", name

    def init(self, key: jax.Array, solution: Solution | None = None) -> _State:
        del key
        start = self.solution if solution is None else solution
        return _State(start, self.optimiser.init(start), None)

    def step(self, ask_key: jax.Array, tell_key: jax.Array, state: _State, oracle: Oracle) -> tuple[_State, Scores]:
        play = self.task.begin(jax.random.split(ask_key, (NETWORKS, EPISODES)))
        _, seen = oracle.rollouts(oracle.trained(state.solution), play, STEPS, tell_key)
        to_go = jnp.cumsum(seen.reward[::-1], 0)[::-1]  # [T, B, E]
        advantage = (to_go - to_go.mean((1, 2), keepdims=True)) / (to_go.std() + 1e-6)

        def loss(outputs: Any, data: Any) -> tuple[jax.Array, None]:
            action, advantage = data
            return -(oracle.head.log_prob(outputs, action) * advantage).mean(), None

        obs, *data = jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1), (seen.obs, seen.action, advantage))
        flat = obs.reshape(NETWORKS, STEPS * EPISODES, -1)
        data = [x.reshape(NETWORKS, STEPS * EPISODES, *x.shape[3:]) for x in data]
        gradients, _ = oracle.surrogate(state.solution, loss, oracle.inputs(flat), data)
        gradient = jax.tree.map(lambda x: x.mean(0), gradients)
        updates, optimiser = self.optimiser.update(gradient, state.optimiser)
        solution = optax.apply_updates(state.solution, updates)
        scores = Scores(seen.reward.sum(0).mean()[None], jnp.asarray(seen.reward.size, jnp.int32), None)
        return _State(solution, optimiser, None), scores

    def in_pieces(self) -> Self:
        raise NotImplementedError

    def mean(self, state: _State) -> Solution:
        return state.solution

    def metrics(self, state: _State) -> dict[str, jax.Array]:
        del state
        return {}


OPTIONS: dict[str, Any] = {
    "strategy": "reinforce", "inits": NETWORKS, "generations": 60, "normaliser": "none", "validate_inits": 4,
    "learner": {"width": 16, "epochs": 12}, "progress": False,
}  # fmt: skip


@pytest.mark.slow
def test_an_actors_loss_through_the_inner_loop_improves_the_pairs(
    target: ControlTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "reinforce", Reinforce)
    result = hades.distill(target, size=2, **OPTIONS)
    first, last = result.metrics[0]["mean"], result.metrics[-1]["mean"]
    assert last > first + 5
    assert result.evaluation is not None and result.evaluation.mean > first + 5


@pytest.mark.slow
def test_a_plan_polishes_what_a_loss_has_found(target: ControlTask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STRATEGIES, "reinforce", Reinforce)
    options = {
        **OPTIONS,
        **{"generations": 6, "polish": ("SNES@0.5",), "population": 8, "std": 0.05, "validate_every": 3},
    }
    result = hades.distill(target, size=2, **options)
    assert [row["search"] for row in result.metrics] == [0] * 3 + [1] * 3
    assert ["std" not in row for row in result.metrics] == [True] * 3 + [False] * 3


def test_who_cannot_be_asked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STRATEGIES, "reinforce", Reinforce)
    with pytest.raises(hades.InputError, match="which digits cannot: take gradient, or an evolution strategy"):
        hades.distill("digits", **OPTIONS)


@pytest.mark.slow
def test_networks_of_several_kinds_play_and_have_their_say(target: ControlTask) -> None:
    config = Config(
        size=2,
        strategy="ppo",
        normaliser="none",
        learner=CONTINUOUS.patched({"epochs": 4}),
        networks=("mlp:4", "mlp:8"),
    )
    key, play = jax.random.key(0), target.begin(jax.random.split(jax.random.key(1), (4, EPISODES)))
    seen, gradients = _asked(target, config, play, key)
    half = jax.tree.map(lambda x: x[: len(x) // 2], play)
    seen_one, gradients_one = _asked(target, config.override({"networks": ("mlp:4",)}), half, key)
    assert seen.reward.shape == (STEPS, 4, EPISODES)
    assert seen.seen is not None and float(seen.seen.number) == STEPS * 4 * EPISODES
    np.testing.assert_allclose(seen.reward[:, :2], seen_one.reward, rtol=1e-5)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x[:2], y, rtol=1e-4, atol=1e-6), gradients, gradients_one)
    assert all((np.abs(x[2:]) > 0).any() for x in jax.tree.leaves(gradients))


def _asked(task: ControlTask, config: Config, play: Play, key: jax.Array) -> tuple[Trajectory, Solution]:
    """What networks of a start do, and the derivatives of how large their actions are."""
    search = Search(task, config)
    normaliser = search.codec.first_normaliser(search.codec.measured(key))

    @jax.jit
    def ask() -> tuple[Trajectory, Solution]:
        networks = [fitness.networks(key) for fitness in search.fitness]
        generation = Generation(search.codec, search.pairs, search.fitness, networks, normaliser, key, (), None)
        solution = search.codec.start(key, normaliser)
        _, seen = generation.rollouts(generation.trained(solution), play, STEPS, key)
        obs = jnp.moveaxis(seen.obs, 0, 1).reshape(seen.obs.shape[1], -1, *seen.obs.shape[3:])
        return seen, generation.surrogate(solution, _size, generation.inputs(obs), ())[0]

    return ask()


def _size(outputs: Any, nothing: Any) -> tuple[jax.Array, None]:
    del nothing
    return (outputs[0] ** 2).mean(), None
