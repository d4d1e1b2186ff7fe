import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evosax.algorithms.distribution_based import distribution_based_algorithms

from hades.errors import InputError
from hades.strategies.evolution import Evolution, find

KEY = jax.random.key(0)
START = {"x": jnp.full((2, 2), 2.0), "y": jnp.full(3, -1.0)}


def _fitness(population) -> jax.Array:
    """Highest, zero, at the origin."""
    return -sum(jnp.sum(leaf.reshape(len(leaf), -1) ** 2, axis=1) for leaf in jax.tree.leaves(population))  # type: ignore[return-value]


def _climb(strategy: Evolution, generations: int = 200, fitness=_fitness):
    def step(state, key):
        ask, tell = jax.random.split(key)
        population, state = strategy.ask(ask, state)
        return strategy.tell(tell, state, population, fitness(population)), None

    return jax.lax.scan(step, strategy.init(KEY), jax.random.split(KEY, generations))[0]


@pytest.mark.parametrize(
    ("name", "learning_rate"),
    [("SNES", None), ("OpenES", 0.05), ("cma-es", None), ("Sep_CMA_ES", None), ("PGPE", 0.05)],
)
def test_strategies_climb(name: str, learning_rate: float | None) -> None:
    strategy = Evolution(name, 32, START, std=0.3, learning_rate=learning_rate)
    mean = strategy.mean(_climb(strategy))
    assert jax.tree.structure(mean) == jax.tree.structure(START)
    assert float(_fitness(jax.tree.map(lambda x: x[None], mean))[0]) > -0.05


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("SNES", {"weights": 3}, "SNES has no option 'weights'; it has lr_std_init, std_init, temperature"),
        ("SNES", {"std_init": -1}, "SNES's std_init must be positive, not -1"),
        ("SNES", {"temperature": -1.0}, "temperature must be positive"),
        ("PGPE", {"std_lr": -5}, "std_lr must be positive"),
        ("OpenES", {"std_decay": -2}, "std_decay must be positive"),
        ("OpenES", {"std_decay": 2}, "std_decay must be at most 1, not 2"),
    ],
)
def test_options_that_cannot_be_are_refused(name: str, options: dict[str, float], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Evolution(name, 8, START, std=0.3, options=options)


@pytest.mark.parametrize("name", ["SNES", "OpenES", "CMA-ES"])
def test_candidates_that_diverge_count_as_the_worst(name: str) -> None:
    """A third of the space gives NaN, another infinity: the search leaves both and stays finite."""

    def fitness(population) -> jax.Array:
        x, y = population["x"][:, 0, 0], population["x"][:, 0, 1]
        return jnp.where(x > 2.2, jnp.nan, jnp.where(y > 2.2, -jnp.inf, _fitness(population)))

    strategy = Evolution(name, 32, START, std=0.3, learning_rate=0.05 if name == "OpenES" else None)
    mean = strategy.mean(_climb(strategy, fitness=fitness))
    assert float(_fitness(jax.tree.map(lambda x: x[None], mean))[0]) > -0.05


@pytest.mark.parametrize("name", ["SNES", "CMA-ES", "OpenES"])
def test_a_generation_that_tells_nothing_apart_changes_nothing(name: str) -> None:
    """All diverged, or all scored the same: of ranks that mean nothing, CMA-ES would collapse and SNES wander."""
    strategy = Evolution(name, 8, START, std=0.3)
    state = strategy.init(KEY)
    population, state = strategy.ask(KEY, state)
    for fitness in (
        *(jnp.full(8, value) for value in (np.nan, np.inf, -np.inf, 0.0)),
        jnp.full(8, 3.0).at[2].set(np.nan),
    ):
        after = strategy.tell(KEY, state, population, fitness)
        same = jax.tree.map(lambda a, b: bool(jnp.array_equal(a, b, equal_nan=True)), after, state)
        assert all(jax.tree.leaves(same))
    moved = strategy.tell(KEY, state, population, jnp.full(8, 3.0).at[2].set(4))
    assert not jnp.array_equal(moved.mean, state.mean)


def test_initial_std_is_that_of_the_first_population() -> None:
    for name in ("SNES", "OpenES", "CMA-ES"):
        strategy = Evolution(name, 2000, START, std=0.3)
        population, _ = strategy.ask(KEY, strategy.init(KEY))
        assert float(jnp.std(population["y"])) == pytest.approx(0.3, rel=0.05), name


def test_temperature_sharpens_the_weights() -> None:
    plain, sharp = (Evolution("SNES", 64, START, 0.3, options=o).params.weights for o in ({}, {"temperature": 20.0}))
    assert float(sharp.sum()) == pytest.approx(1.0, rel=1e-4) and not jnp.allclose(plain, sharp)


def test_names() -> None:
    assert (find("open_es"), find("OpenES"), find("cma-es"), find("snes")) == ("Open_ES", "Open_ES", "CMA_ES", "SNES")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "SNESS"}, "unknown strategy 'SNESS'; did you mean SNES"),
        ({"name": "pppo"}, "unknown strategy 'pppo'; did you mean ppo"),
        ({"name": "SNES", "options": {"colour": 1.0}}, "no option 'colour'; it has lr_std_init"),
        ({"name": "CMA-ES", "learning_rate": 0.1}, "CMA_ES has no optimiser"),
        ({"name": "SV_CMA_ES"}, "several populations at once; choose CMA_ES"),
        ({"name": "OpenES", "population": 7}, "cannot have a population of 7"),
    ],
)
def test_bad_options_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Evolution(**{"population": 8, "solution": START, "std": 0.3, **arguments})


@pytest.mark.parametrize("name", [n for n in distribution_based_algorithms if not n.startswith("SV_")])
def test_every_strategy_of_evosax_asks_and_tells(name: str) -> None:
    strategy = Evolution(name, 8, START, std=0.3)
    state = jax.eval_shape(strategy.init, KEY)
    population, state = jax.eval_shape(strategy.ask, KEY, state)
    assert population["x"].shape == (8, 2, 2)
    after = jax.eval_shape(strategy.tell, KEY, state, population, jax.eval_shape(_fitness, population))
    assert (
        jax.tree.structure(after) == jax.tree.structure(state)
        and jax.eval_shape(strategy.metrics, after)["std"].shape == ()
    )


def test_schedules_decay_to_their_limit_or_stay() -> None:
    def stds(options: dict[str, float]) -> list[float]:
        strategy = Evolution("OpenES", 8, START, std=0.5, learning_rate=0.05, options=options)
        return [float(strategy.metrics(_climb(strategy, generations))["std"]) for generations in (1, 30)]

    assert stds({}) == pytest.approx([0.5, 0.5])
    assert stds({"std_decay": 0.9}) == pytest.approx([0.5 * 0.9, 0.5 * 0.9**30], rel=0.12)
    assert stds({"std_decay": 0.9, "std_limit": 0.3})[1] == pytest.approx(0.3)
    with pytest.raises(InputError, match="SNES keeps no schedule"):
        Evolution("SNES", 8, START, std=0.5, options={"std_decay": 0.9})
