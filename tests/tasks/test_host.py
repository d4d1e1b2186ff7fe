"""An environment in plain NumPy, outside JAX: the same search, loop and evaluation."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades.dataset import Spec
from hades.learner.networks import init_network
from hades.normalisers import identity_normaliser
from hades.tasks.control import ControlTask
from hades.tasks.host import HostStep, HostTask

KEY = jax.random.key(0)
OPTIONS: dict[str, Any] = {
    "population": 16, "inits": 1, "validate_inits": 2, "validate_every": 5, "generations": 20, "progress": False,
    "learner": {"width": 16, "epochs": 60},
}  # fmt: skip


class Line:
    """Walk on a line for ten steps; the reward is minus the distance to the origin. Half of the copies end early."""

    spec = Spec((1,), 1, discrete=False)
    max_steps = 10

    def __init__(self, early: int | None = None) -> None:
        self.early, self.steps = early, 0

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        draws = [np.random.default_rng(int(seed)).uniform(-1, 1, 1) for seed in seeds]
        self.x, self.time = np.stack(draws).astype(np.float32), 0
        return self.x

    def step(self, actions: np.ndarray) -> HostStep:
        assert isinstance(actions, np.ndarray) and actions.shape == self.x.shape
        self.x, self.time = self.x + 0.5 * actions, self.time + 1
        self.steps += len(actions)
        ended = (self.time == self.early) & (np.arange(len(actions)) % 2 == 0)
        return HostStep(self.x, -np.abs(self.x[:, 0]), ended, np.full(len(actions), self.time >= self.max_steps))


class Breaking(Line):
    """Its first copy leaves the numbers at the third step."""

    def step(self, actions: np.ndarray) -> HostStep:
        out = super().step(actions)
        if self.time == 3:
            self.x[0] = np.nan
        return out._replace(obs=self.x)

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Anew where it says so."""
        draws = [np.random.default_rng(int(seed)).uniform(-1, 1, 1) for seed in seeds]
        self.x = np.where(which[:, None], np.stack(draws).astype(np.float32), self.x)
        return self.x

    def another(self) -> "Breaking":
        """One like it."""
        return Breaking()


def test_what_leaves_the_numbers_begins_anew() -> None:
    task = HostTask("breaking", Breaking())
    recipe = task.reference.patched(hades.Learner(width=4))
    params = jax.vmap(lambda key: init_network(recipe, task.spec, key))(jax.random.split(KEY, 2))
    play, seen = task.collect(
        recipe, params, identity_normaliser(task.spec), task.begin(jax.random.split(KEY, (2, 2))), 5, KEY
    )
    assert seen.terminated[:, 0, 0].tolist() == [False, False, True, False, False]
    assert not seen.terminated[:, 1].any() and np.isnan(seen.next_obs[2, 0, 0]).all()
    assert np.isfinite(seen.obs).all() and np.isfinite(play.obs).all()
    assert seen.seen is not None and float(seen.seen.number) == 5 * 4


def test_it_is_distilled_and_evaluated_like_any_other() -> None:
    task = HostTask("line", Line())
    result = hades.distill(task, size=2, **OPTIONS)
    first = result.metrics[0]["mean"]
    assert result.metrics[-1]["mean"] > first + 2
    assert result.metrics[-1]["env_steps"] == 16 * 10
    score = hades.evaluate(result.dataset, task, inits=4, episodes=3)
    assert score.returns.shape == (4, 3) and score.mean > first + 2
    np.testing.assert_array_equal(score.returns, hades.evaluate(result.dataset, task, inits=4, episodes=3).returns)


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    task, options = HostTask("line", Line()), {**OPTIONS, **{"generations": 10}}
    whole = hades.distill(task, size=2, **options).dataset
    hades.distill(task, size=2, out=tmp_path / "run", **{**options, "generations": 5})
    again = hades.resume(tmp_path / "run", task, generations=10, progress=False).dataset
    np.testing.assert_array_equal(whole.states, again.states)
    np.testing.assert_array_equal(whole.targets, again.targets)


def test_candidates_share_their_episodes() -> None:
    """Common random numbers: the same dataset twice in a population has the same score twice."""
    from hades.learner.recipe import Learner
    from hades.scoring import Fitness

    task = HostTask("line", Line())
    fitness = Fitness(task, task.reference.patched(Learner(width=8, epochs=5)), inits=2, episodes=3, watch=True)
    pairs = jnp.ones((2, 2, 1)), jnp.zeros((2, 2, 1)), {}
    scores = fitness.population(pairs, fitness.networks(KEY), identity_normaliser(task.spec), KEY)
    assert float(scores.fitness[0]) == float(scores.fitness[1])
    assert scores.seen is not None and float(scores.seen.number) == int(scores.env_steps) == 2 * 2 * 3 * 10


@pytest.mark.parametrize("normaliser", ["none", "fixed", "running"])
def test_every_normaliser_and_start(normaliser: str) -> None:
    options = {**OPTIONS, **{"generations": 2, "normaliser": normaliser, "start": "sample"}}
    dataset = hades.distill(HostTask("line", Line()), size=2, **options).dataset
    mean, std = dataset.normaliser
    assert dataset.states.shape == (2, 1) and ((mean == 0) & (std == 1)).all() == (normaliser == "none")


def test_what_comes_after_an_episodes_end_does_not_count() -> None:
    """Episodes that end at step 4 have four rewards and four observations."""
    task = HostTask("line", Line(early=4))
    episode = task._play(lambda obs, alive, step: np.zeros((*alive.shape, 1), np.float32),
                         jax.random.split(KEY, (1, 6)), watch=True)  # fmt: skip
    assert episode.length.tolist() == [[4, 10] * 3] and episode.terminated.tolist() == [[True, False] * 3]
    assert episode.seen is not None
    distance = np.abs(np.asarray(episode.seen.mean[..., 0]))  # nothing moves
    np.testing.assert_allclose(episode.ret, -distance * np.tile([4, 10], 3), rtol=1e-5)
    assert episode.seen.number.tolist() == [[4, 10] * 3]
    np.testing.assert_allclose(episode.seen.m2, 0, atol=1e-10)


def test_a_limit_cuts_episodes_off() -> None:
    options = {**OPTIONS, **{"generations": 3, "curriculum": 2}}
    rows = hades.distill(HostTask("line", Line()), size=2, **options).metrics
    assert [row["env_steps"] / 16 for row in rows] == [1, 6, 10]


def test_moments_are_those_of_the_observations() -> None:
    task = HostTask("line", Line())
    normaliser = task.measure(KEY, episodes=512).normaliser()
    assert abs(float(normaliser.mean[0])) < 0.2 and 0.5 < float(normaliser.std[0]) < 2
    assert -8 < task.random_return(KEY) < -3


def test_strategies_that_need_more_are_refused() -> None:
    with pytest.raises(hades.InputError, match="not differentiable"):
        hades.distill(HostTask("line", Line()), size=2, strategy="gradient", progress=False)


@pytest.mark.slow
def test_the_same_environment_in_jax_scores_alike(target: ControlTask) -> None:
    """The fixture is this environment as a traced one: a dataset is worth the same in both."""
    dataset = hades.Dataset(states=np.asarray([[-1.0], [1.0]]), actions=np.asarray([[0.9], [-0.9]]))
    scores = [hades.evaluate(dataset, task, inits=8, episodes=8, greedy=True).mean for task in
              (target, HostTask("line", Line()))]  # fmt: skip
    assert scores[0] == pytest.approx(scores[1], abs=1.0)
