"""One score of several kinds of networks, and its derivative."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hades.config import Config
from hades.joint import joint, share
from hades.scoring import Scores
from hades.search import Search
from hades.tasks.base import Task
from hades.tasks.images import ImageTask
from tests.helpers import RECIPE


@pytest.mark.parametrize("costs", [(1.0, 1.0, 1.0), (1.0, 5.0, 2.0)])
def test_no_part_of_a_score_has_the_say_alone(costs: tuple[float, ...]) -> None:
    def of(fun: Callable[[jax.Array], jax.Array]) -> Callable[..., Scores]:
        return lambda x, unit: Scores(unit * fun(x["x"][0])[None], jnp.asarray(2), None)

    parts = [of(lambda x: 100 * x[0] - 3), of(lambda x: x[1]), of(lambda x: jnp.sqrt(x[2]))]
    score = joint(parts, costs, jnp.ones(()))
    population = {"x": jnp.zeros((1, 3)).at[0, 1].set(6.0)}
    gradient = jax.jit(jax.grad(lambda population: -score(population).fitness[0]))(population)["x"]
    np.testing.assert_array_equal(gradient, [[-1.0, -1.0, 0.0]])
    scores = jax.jit(score)(population)
    assert float(scores.fitness[0]) == 1.0 and int(scores.env_steps) == 6


def test_work_is_shared_about_evenly() -> None:
    assert share([5.0, 2.0, 2.0, 1.0], 2) == [[0], [1, 2, 3]]
    assert share([1.0, 3.0], 3) == [[1], [0], []]
    assert share([1.0, 3.0], 1) == [[1, 0]]


@pytest.mark.slow
def test_several_kinds_of_networks_score_as_each_of_them_does_calibrated(digits: ImageTask) -> None:
    def generation(task: Task, *networks: str) -> dict[str, jax.Array]:
        options = {"strategy": "gradient", "start": "mean", "normaliser": "none", "learner": RECIPE, "episodes": 64}
        config = Config(size=10, networks=networks, **options)
        search = Search(task, config)
        return search.generation(search.init(), search.data)[1]

    calibrated = digits.calibrated
    both, *single = (
        generation(digits, "mlp:8", "mlp:4"),
        generation(calibrated, "mlp:8"),
        generation(calibrated, "mlp:4"),
    )
    np.testing.assert_allclose(both["mean"], np.mean([metrics["mean"] for metrics in single]), rtol=1e-5)
    assert both["env_steps"] == sum(metrics["env_steps"] for metrics in single)
