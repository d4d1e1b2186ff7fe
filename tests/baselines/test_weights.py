"""Evolution of a network's weights."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades.baselines.weights import WeightEvolution, evolve_weights, utilities
from hades.tasks.control import ControlTask

SMALL = hades.Learner(width=8, depth=1)
SAME: dict[str, Any] = {"population": 32, "std": 0.3}
"""Everywhere, to compile once."""


def test_learns(target: ControlTask) -> None:
    result = evolve_weights(target, SMALL, **SAME, generations=40)
    assert result.metrics[-1]["mean"] > result.metrics[0]["mean"] + 1
    assert result.evaluation.mean > -2.5
    assert result.evaluation.returns.shape == (1, 64)


def test_same_seed_same_result(target: ControlTask) -> None:
    a, b = (evolve_weights(target, SMALL, **SAME, generations=2, seed=4) for _ in range(2))
    jax.tree.map(np.testing.assert_array_equal, a.params, b.params)


def test_a_budget_of_steps_ends_with_the_generation_that_spends_it(target: ControlTask) -> None:
    result = evolve_weights(target, SMALL, **SAME, steps=1281)
    assert [row["env_steps_total"] for row in result.metrics] == [640, 1280, 1920]


def test_the_gradient_is_the_sum_over_the_population(target: ControlTask) -> None:
    search = WeightEvolution(target, target.reference.patched(SMALL), population=5, episodes=1, std=0.1, seed=0)
    key, weights = jax.random.key(1), jnp.array([0.5, -0.2, 0.1, -0.6, 0.2])
    noise = jnp.stack([search.noise(key, jnp.int32(i)) for i in range(5)])
    mean, std = search.gradient(weights, key)
    np.testing.assert_allclose(mean, weights @ noise, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(std, weights @ (noise**2 - 1), rtol=1e-4, atol=1e-5)


def test_memory_does_not_hold_the_population(target: ControlTask) -> None:
    """Perturbations of 2,048 networks would be 8 KB for each of their weights."""
    search = WeightEvolution(
        target, target.reference.patched(hades.Learner(width=256)), population=2048, episodes=1, std=0.1, seed=0
    )
    memory = search.generation.lower(search.init()).compile().memory_analysis()
    assert memory is not None
    assert memory.temp_size_in_bytes < search.start.nbytes * 2048 / 8


def test_utilities_rank() -> None:
    got = utilities(jnp.array([3.0, -jnp.inf, 10.0, 5.0]))
    assert got.sum() == pytest.approx(0, abs=1e-6)
    assert list(jnp.argsort(-got)[:2]) == [2, 3]
    assert got[0] == got[1] == pytest.approx(-0.25)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "one of them"),
        ({"generations": 1, "minutes": 1.0}, "one of them"),
        ({"population": 1, "generations": 1}, "2 or more"),
    ],
)
def test_bad_input(target: ControlTask, options: dict[str, float], says: str) -> None:
    with pytest.raises(hades.InputError, match=says):
        evolve_weights(target, SMALL, **options)  # type: ignore[arg-type]
