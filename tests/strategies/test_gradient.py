"""The meta-gradient: a strategy that asks for the derivative of the score."""

from collections.abc import Callable
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hades.errors import InputError
from hades.scoring import Scores
from hades.strategies import Oracle, Solution
from hades.strategies.gradient import Gradient

KEY = jax.random.key(0)


class _Differentiated:
    """Answers as a generation does, from a score of one solution."""

    def __init__(self, score: Callable[[Solution], Scores]) -> None:
        self.score = score

    def derivative(self, solution: Solution) -> tuple[Solution, Scores]:
        """Of minus the score."""

        def loss(solution: Solution) -> tuple[jax.Array, Scores]:
            scores = self.score(jax.tree.map(lambda x: x[None], solution))
            return -scores.fitness[0], scores

        return jax.grad(loss, has_aux=True)(solution)


def differentiated(score: Callable[[Solution], Scores]) -> Oracle:
    """An oracle that knows but this."""
    return cast(Oracle, _Differentiated(score))


def _score(x: dict[str, jax.Array]) -> Scores:
    return Scores(-((x["x"] - 3.0) ** 2).sum(-1), jnp.zeros((), jnp.int32), None)


def _sum(x: dict[str, jax.Array]) -> Scores:
    return Scores(x["x"].sum(-1), jnp.zeros((), jnp.int32), None)


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "lion"])
def test_it_climbs_by_any_optimiser_of_optax(optimiser: str) -> None:
    strategy = Gradient(optimiser, {"x": jnp.zeros(2)}, 0.05, {})
    state, step = strategy.init(KEY), jax.jit(lambda state: strategy.step(KEY, KEY, state, differentiated(_score)))
    for _ in range(200):
        state, _ = step(state)
    np.testing.assert_allclose(strategy.mean(state)["x"], 3.0, atol=0.1)


def test_steps_become_smaller_by_lr_decay() -> None:
    strategy = Gradient("sgd", {"x": jnp.zeros(1)}, 0.1, {"lr_decay": 0.5})
    state = strategy.init(KEY)
    for _ in range(3):
        state, _ = strategy.step(KEY, KEY, state, differentiated(_sum))
    assert float(state.solution["x"][0]) == pytest.approx(0.1 + 0.05 + 0.025)


def test_the_centre_is_steadier_than_the_steps() -> None:
    strategy = Gradient("sgd", {"x": jnp.zeros(())}, 0.5, {"clip": 100.0})
    state, noise = strategy.init(KEY), jax.random.normal(KEY, (60,))
    for i in range(60):
        oracle = differentiated(lambda x, i=i: _score({"x": (x["x"] + noise[i])[..., None]}))
        state, _ = strategy.step(KEY, KEY, state, oracle)
    assert abs(float(strategy.mean(state)["x"]) - 3.0) < abs(float(state.solution["x"]) - 3.0)


def test_a_gradient_that_is_not_finite_is_left_out() -> None:
    strategy = Gradient("sgd", {"x": jnp.zeros(2)}, 0.1, {})
    state = strategy.init(KEY)
    after, scores = strategy.step(KEY, KEY, state, differentiated(lambda x: _score({"x": jnp.sqrt(x["x"])})))
    np.testing.assert_array_equal(after.solution["x"], state.solution["x"])
    assert scores.fitness.tolist() == [-np.inf]  # the loop counts it as diverged


def test_options_reach_the_optimiser_and_unknown_ones_are_refused() -> None:
    start = {"x": jnp.zeros(2)}
    clipped = Gradient("sgd", start, 1.0, {"clip": 0.01})
    state, _ = clipped.step(KEY, KEY, clipped.init(KEY), differentiated(_score))
    assert float(jnp.linalg.norm(state.solution["x"])) == pytest.approx(0.01)
    for option in ("momentum", "learning_rate"):
        with pytest.raises(InputError, match=f"adam has no option '{option}'; .* step size is strategy_lr"):
            Gradient("adam", start, None, {option: 0.9})
    with pytest.raises(InputError, match="lr_decay must be above 0 and at most 1"):
        Gradient("adam", start, None, {"lr_decay": 0.0})
    with pytest.raises(InputError, match="optax has no optimiser 'adma'"):
        Gradient("adma", start, None, {})
