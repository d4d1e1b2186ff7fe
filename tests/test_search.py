"""Algorithm 1: what a search draws, sees, validates and finds."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades.config import Config
from hades.errors import InputError
from hades.normalisers import Moments, Normaliser
from hades.scores import OWN
from hades.search import Search
from hades.tasks.control import ControlTask
from hades.tasks.environment import Step
from hades.tasks.images import ImageTask
from tests.helpers import RECIPE, TINY, Target


def test_hades_f_keeps_its_network_and_says_which(target: ControlTask) -> None:
    result = hades.distill(target, size=2, init="fixed", **TINY)
    assert result.config.inits == 1 and result.dataset.info["init"] == "fixed"
    key = jax.random.wrap_key_data(jnp.asarray(result.dataset.info["init_key"], jnp.uint32))
    search = Search(target, result.config)
    kept, drawn = (search.fitness[0].networks(k) for k in (search.fixed_init_key, key))
    assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), kept, drawn)))
    assert result.dataset.info["own_networks"] == [result.config.learner.drawn | {"inits": 1}]
    assert result.evaluation is not None
    assert result.evaluation.returns.shape == (1, 4) and result.evaluation.networks == OWN


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"init": "random"}, (6, 1)),
        ({"init": "fixed"}, (1, 6)),
        ({"init": "fixed", "inits": 2}, (2, 4)),
        ({"init": "fixed", "networks": ("mlp:8x1", "mlp:8x1", "mlp:4x1")}, (3, 6)),
    ],
)
def test_hades_f_is_scored_on_its_own_networks(
    options: dict[str, Any], shape: tuple[int, int], target: ControlTask
) -> None:
    """For as many episodes more: a network that plays twice is not two."""
    search = Search(target, Config(validate_inits=3).override({"inits": 1} | options))
    search.play = lambda *arguments: np.zeros(jax.eval_shape(search._play, *arguments).shape)
    assert search.evaluate(search.init()).shape == shape


@pytest.mark.parametrize(
    ("task", "options", "says"),
    [
        ("digits", {"greedy": True}, "greedy is of actions; images have classes"),
        ("digits", {"population": 8}, "population means nothing to the strategy gradient"),
        ("digits", {"std": 0.1}, "std means nothing to the strategy gradient"),
        ("digits", {"start": "digits-10", "label_logit": 4.0}, "label_logit is where labels start"),
        ("digits", {"start_actions": 0.1}, "start_actions is of continuous actions; those of digits are discrete"),
        ("target", {"labels": "soft"}, "labels are of classes and discrete actions; those of target are continuous"),
        ("target", {"learner": {"augment": "dsa"}}, r"augment 'dsa' wants grid observations \[H, W, C\]"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    task: str, options: dict[str, Any], says: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(InputError, match=says):
        hades.distill(request.getfixturevalue(task), generations=1, progress=False, **options)


def test_images_are_scored_once_on_hades_fs_own_network(mine: ImageTask) -> None:
    search = Search(mine, Config(learner=RECIPE).override({"size": 3, "init": "fixed", "normaliser": "none"}))
    search.play = lambda *arguments: np.zeros(jax.eval_shape(search._play, *arguments).shape)
    assert search.evaluate(search.init()).shape == (1, 1)


def test_the_running_normaliser_sees_what_the_population_sees(target: ControlTask) -> None:
    result = hades.distill(target, size=2, normaliser="running", **TINY)
    steps = sum(row["env_steps"] for row in result.metrics)
    assert steps == 7 * 8 * 10 == result.dataset.info["env_steps"]
    mean, std = result.dataset.normaliser
    assert abs(float(mean[0])) < 1 and 0.1 < float(std[0]) < 3


class Far(Target):
    """It sees the line from afar."""

    def reset(self, key: jax.Array) -> tuple[Any, jax.Array]:
        """A hundred units away."""
        state, obs = super().reset(key)
        return state, obs + 100

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step:
        """As there."""
        out = super().step(key, state, action)
        return out._replace(obs=out.obs + 100)


@pytest.mark.parametrize("normaliser", ["running", "fixed"])
def test_sampled_states_are_as_the_first_networks_see_them(normaliser: str) -> None:
    search = Search(
        ControlTask("far", Far()), Config(size=32, start="sample", normaliser=normaliser, learner=RECIPE, population=4)
    )
    state = search.init()
    states = np.asarray(state.search.best["states"])
    assert abs(states.mean()) < 1 and states.std() < 3
    assert abs(float(search.normaliser(state).mean[0]) - 100) < 1


@pytest.mark.parametrize("normaliser", ["running", "fixed"])
def test_what_is_compiled_for_one_seed_serves_all(target: ControlTask, normaliser: str) -> None:
    """Or every run would wait for the compiler, which takes minutes for the larger bodies of Brax."""
    programs = []
    for seed in (0, 1):
        options = {name: value for name, value in TINY.items() if name != "progress"}
        search = Search(target, Config().override({**options, "seed": seed, "normaliser": normaliser}))
        state, one, several = search.init(), np.int32(1), search.programs[0][1]
        solution, statistics = search.best(state)
        key, play = jax.random.key(seed), search.play
        programs.append(
            several.lower(state, one, one, search.data).as_text()  # type: ignore[attr-defined]
            + play.lower(state.key, solution, statistics, key, search.validation_data).as_text()  # type: ignore[attr-defined]
        )
    assert programs[0] == programs[1]


def test_a_curriculum_lengthens_episodes_and_validates_whole_ones(target: ControlTask) -> None:
    result = hades.distill(target, size=2, curriculum=3, **TINY)
    assert [row["env_steps"] / 8 for row in result.metrics] == [1, 4, 7, 10, 10, 10, 10]
    assert result.evaluation is not None and result.evaluation.returns.mean() < -0.5
    with pytest.raises(hades.InputError, match="images have none"):
        hades.distill("digits", curriculum=3, generations=1, progress=False)


def test_several_searches_share_half_of_the_budget_and_the_best_goes_on(target: ControlTask, tmp_path: Path) -> None:
    options = {**TINY, "generations": 18, "searches": 3, "validate_every": 3}
    result = hades.distill(target, size=2, out=tmp_path / "whole", **options)
    assert [row["search"] for row in result.metrics] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 9
    found = {
        turn: [r["validated"] for r in result.metrics if r["search"] == turn and r["validated"]] for turn in range(4)
    }
    assert len({scores[0] for scores in found.values()}) == 4  # each began elsewhere
    first = max((0, 1, 2), key=lambda turn: max(found[turn]))
    before = [row["std"] for row in result.metrics if row["search"] == first][-1]
    after = next(row["std"] for row in result.metrics if row["search"] == 3)
    assert after == pytest.approx(before, rel=0.2)  # it goes on and does not begin again
    assert result.dataset.info["validated"] == pytest.approx(max(max(scores) for scores in found.values()))


def test_polish_begins_at_what_was_validated_however_observations_are_scaled_by_then(target: ControlTask) -> None:
    search = Search(target, Config(size=2, population=4, polish=("SNES@0.5@0.01",), learner=RECIPE))
    state = search.init()
    then, now = Normaliser(jnp.zeros(1), jnp.ones(1)), Moments(jnp.asarray(10.0), jnp.full(1, 2.0), jnp.full(1, 40.0))
    found = {**state.search.best, "states": jnp.asarray([[2.0], [6.0]])}
    attempt = state.search._replace(seen=now, best_score=jnp.asarray(1.0), best=found, best_normaliser=then)
    polished = search.next_phase(state._replace(search=attempt)).search
    begun = search.attempts.strategies[1].mean(polished.strategy)
    np.testing.assert_allclose(begun["states"], [[0.0], [2.0]], atol=1e-6)  # of mean 2 and standard deviation 2
    np.testing.assert_array_equal(polished.best["states"], found["states"])


def test_a_network_named_again_is_drawn_more(target: ControlTask) -> None:
    config = Config(population=4, inits=2, networks=("mlp:4", "mlp:8", "mlp:8"))
    search = Search(target, config)
    for kinds in (search.fitness, search.validation):
        assert [fitness.recipe.width for fitness in kinds] == [4, 8]
    assert [fitness.inits for fitness in search.fitness] == [2, 4]


@pytest.mark.slow
def test_steps_are_of_all_kinds_of_networks(target: ControlTask) -> None:
    search = Search(target, Config(population=4, inits=2, networks=("mlp:4", "mlp:8", "mlp:8")))
    _, metrics = search.generation(search.init(), search.data)
    assert int(metrics["env_steps"]) == 4 * 6 * 10


def test_a_start_that_is_called_like_a_run_is_told_where_it_is(
    target: ControlTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "dataset.safetensors").touch()
    with pytest.raises(InputError, match=r"choose one of random, sample, or \./first for the run that is here"):
        hades.distill(target, start="first", progress=False)


def test_control_is_not_differentiable_and_starts_at_random(target: ControlTask) -> None:
    with pytest.raises(InputError, match="not differentiable: take an evolution strategy"):
        hades.distill(target, strategy="gradient", progress=False)
    with pytest.raises(InputError, match="target does not start at 'mean'; choose one of random, sample"):
        hades.distill(target, start="mean", progress=False)
