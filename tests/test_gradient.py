"""The meta-gradient: a strategy that differentiates the score through the inner loop."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades.distillation import Distillation
from hades.errors import InputError
from hades.fitness import Fitness, Scores
from hades.learner import IMAGES, OPTIMISERS, Learner, behaviour_cloning, init_network
from hades.presets import Config
from hades.strategies.gradient import Gradient, joint, share
from hades.tasks.control import ControlTask, identity_normaliser
from hades.tasks.images import ImageTask

KEY = jax.random.key(0)
LEARNER = Learner(network="mlp", width=8, depth=1, learning_rate=1.0, epochs=20).over(IMAGES)
TINY = {
    "inits": 2, "episodes": 64, "generations": 8, "validate_every": 4, "validate_inits": 2, "learner": LEARNER,
    "progress": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> ImageTask:
    task = hades.make("digits")
    assert isinstance(task, ImageTask)
    return task


def _score(x: dict[str, jax.Array]):
    return Scores(-((x["x"] - 3.0) ** 2).sum(-1), jnp.zeros((), jnp.int32), None)


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "lion"])
def test_it_climbs_by_any_optimiser_of_optax(optimiser: str) -> None:
    strategy = Gradient(optimiser, {"x": jnp.zeros(2)}, 0.05, {})
    state = strategy.init(KEY)
    for _ in range(200):
        state, _ = strategy.step(KEY, KEY, state, _score)
    np.testing.assert_allclose(strategy.mean(state)["x"], 3.0, atol=0.1)


def test_steps_become_smaller_by_lr_decay() -> None:
    strategy = Gradient("sgd", {"x": jnp.zeros(1)}, 0.1, {"lr_decay": 0.5})
    state = strategy.init(KEY)
    for _ in range(3):
        state, _ = strategy.step(KEY, KEY, state, lambda x: Scores(x["x"].sum(-1), jnp.zeros((), jnp.int32), None))
    assert float(state.solution["x"][0]) == pytest.approx(0.1 + 0.05 + 0.025)


def test_the_centre_is_steadier_than_the_steps() -> None:
    strategy = Gradient("sgd", {"x": jnp.zeros(())}, 0.5, {"clip": 100.0})
    state, noise = strategy.init(KEY), jax.random.normal(KEY, (60,))
    for i in range(60):
        state, _ = strategy.step(KEY, KEY, state, lambda x, i=i: _score({"x": (x["x"] + noise[i])[..., None]}))
    assert abs(float(strategy.mean(state)["x"]) - 3.0) < abs(float(state.solution["x"]) - 3.0)


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


def test_a_gradient_that_is_not_finite_is_left_out() -> None:
    strategy = Gradient("sgd", {"x": jnp.zeros(2)}, 0.1, {})
    state = strategy.init(KEY)
    after, scores = strategy.step(KEY, KEY, state, lambda x: _score({"x": jnp.sqrt(x["x"])}))
    np.testing.assert_array_equal(after.solution["x"], state.solution["x"])
    assert scores.fitness.tolist() == [-np.inf]  # the loop counts it as diverged


def test_options_reach_the_optimiser_and_unknown_ones_are_refused() -> None:
    start = {"x": jnp.zeros(2)}
    clipped = Gradient("sgd", start, 1.0, {"clip": 0.01})
    state, _ = clipped.step(KEY, KEY, clipped.init(KEY), _score)
    assert float(jnp.linalg.norm(state.solution["x"])) == pytest.approx(0.01)
    for option in ("momentum", "learning_rate"):
        with pytest.raises(InputError, match=f"adam has no option '{option}'; .* step size is strategy_lr"):
            Gradient("adam", start, None, {option: 0.9})
    with pytest.raises(InputError, match="lr_decay must be above 0 and at most 1"):
        Gradient("adam", start, None, {"lr_decay": 0.0})
    with pytest.raises(InputError, match="optax has no optimiser 'adma'"):
        Gradient("adma", start, None, {})


def test_the_gradient_through_training_is_that_of_finite_differences() -> None:
    spec = hades.make("digits").spec
    states, targets = jax.random.uniform(KEY, (10, *spec.obs_shape)), jnp.eye(10)
    learner = Learner(activation="tanh", epochs=7).over(LEARNER)
    params = init_network(learner, spec, KEY)

    def out(states: jax.Array, rate: jax.Array) -> jax.Array:
        trained = behaviour_cloning(learner, spec, params, states, targets, rate)
        return sum(((a - b) ** 2).sum() for a, b in zip(*map(jax.tree.leaves, (trained, params)), strict=True))  # type: ignore[return-value]

    rate, step = jnp.asarray(0.7), 1e-2
    by_states, by_rate = jax.grad(out, (0, 1))(states, rate)
    direction = jax.random.normal(jax.random.key(1), states.shape) / 10
    difference = (out(states + step * direction, rate) - out(states - step * direction, rate)) / (2 * step)
    assert float((by_states * direction).sum()) == pytest.approx(float(difference), rel=0.02)
    difference = (out(states, rate + step) - out(states, rate - step)) / (2 * step)
    assert float(by_rate) == pytest.approx(float(difference), rel=0.02)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_training_by_any_optimiser_has_a_gradient(optimiser: str) -> None:
    spec = hades.make("digits").spec
    learner = Learner(optimiser=optimiser, learning_rate=0.01, epochs=5).over(LEARNER)
    states = jnp.zeros((10, *spec.obs_shape)).at[:, 0].set(1.0)  # most weights have a gradient of zero
    params = init_network(learner, spec, KEY)

    def norm(states: jax.Array) -> jax.Array:
        trained = behaviour_cloning(learner, spec, params, states, jnp.eye(10))
        return sum((leaf**2).sum() for leaf in jax.tree.leaves(trained))  # type: ignore[return-value]

    gradient = jax.grad(norm)(states)
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_a_window_trains_as_far_as_its_end_and_differentiates_its_own_steps() -> None:
    spec = hades.make("digits").spec
    states, targets = jax.random.uniform(KEY, (10, *spec.obs_shape)), jnp.eye(10)
    params = init_network(LEARNER, spec, KEY)
    train = partial(behaviour_cloning, spec=spec, targets=targets)

    def norm(params: object) -> jax.Array:
        return sum((leaf**2).sum() for leaf in jax.tree.leaves(params))  # type: ignore[return-value]

    begun = train(Learner(epochs=8).over(LEARNER), params=params, states=states)
    rest = Learner(epochs=5).over(LEARNER)
    want, gradient = jax.value_and_grad(lambda s: norm(train(rest, params=begun, states=s)))(states)
    window = (5, jnp.asarray(13))
    got, windowed = jax.value_and_grad(lambda s: norm(train(LEARNER, params=params, states=s, window=window)))(states)
    np.testing.assert_allclose(got, want, rtol=1e-5)
    np.testing.assert_allclose(windowed, gradient, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"window": 5, "labels": "soft", "learn_rate": True},
        {"networks": ("mlp:8", "mlp:8", "mlp:4")},
        {"strategy": "OpenES", "population": 4, "std": 0.02, "start": "sample", "normaliser": "fixed"},
        {"learner": Learner(augment="dsa", batch=10).over(LEARNER), "size": 20},
    ],
    ids=["plain", "window", "networks", "evolution", "augmented"],
)
def test_the_same_seed_gives_the_same_images_also_after_an_interruption(
    digits: ImageTask, tmp_path: Path, options: dict
) -> None:
    options = {**TINY, **options}
    whole = hades.distill(digits, **options).dataset
    hades.distill(digits, out=tmp_path, **{**options, "generations": 4})
    again = hades.resume(tmp_path, generations=8, progress=False).dataset
    np.testing.assert_array_equal(whole.states, again.states)
    np.testing.assert_array_equal(whole.targets, again.targets)
    assert whole.learner == again.learner and whole.info["generations"] == 8
    assert (whole.learner["learning_rate"] != LEARNER.learning_rate) == ("learn_rate" in options)


def test_deep_networks_are_distilled_for_by_recipes_of_their_own() -> None:
    config = Config(networks=("mlp:8", "lenet", "convnet:4x2", "resnet:4,8"), learner=LEARNER)
    mlp, lenet, convnet, resnet = config.learners
    assert mlp == Learner(width=8).over(LEARNER)
    assert lenet.widths == (120, 84) and convnet.widths == (4, 4) and resnet.width == (4, 8)
    assert lenet.optimiser == "adam" and resnet.initialiser == "orthogonal" and resnet.bias == LEARNER.bias


def test_a_network_named_again_is_drawn_more(target: ControlTask) -> None:
    options = {"population": 4, "inits": 2, "generations": 1, "learner": Learner(epochs=2), "progress": False}
    one = hades.distill(target, networks=("mlp:4",), **options).metrics[0]
    several = hades.distill(target, networks=("mlp:4", "mlp:8", "mlp:8"), **options).metrics[0]
    assert several["env_steps"] == 3 * one["env_steps"]


def test_images_distil_into_ten_that_train(digits: ImageTask) -> None:
    learner = Learner(width=32, learning_rate=5.0, epochs=60).over(LEARNER)
    options = {**TINY, "generations": 150, "validate_every": 50, "labels": "soft", "episodes": 256}
    result = hades.distill(digits, **{**options, "learner": learner})
    score = hades.evaluate(result.dataset, digits, 5)
    assert score.metric == "test accuracy" and score.mean > 0.85
    assert result.evaluation is not None and result.evaluation.metric == "validation accuracy"


def test_soft_labels_start_as_sharp_as_asked(digits: ImageTask) -> None:
    config = Config(size=10, start="mean", labels="soft", label_logit=4.0, normaliser="none", learner=LEARNER)
    distillation = Distillation(digits, config)
    labels = distillation.dataset(distillation.init()).labels
    assert labels is not None
    np.testing.assert_allclose(labels, jax.nn.softmax(4 * jnp.eye(10)), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_logit": 0.0}, "label_logit must be positive"),
        ({"labels": "fixed", "label_logit": 4.0}, "label_logit is where soft labels start; add labels soft"),
        ({"strategy": "gradient:adma"}, "optax has no optimiser"),
        ({"strategy": "SNES", "window": 3}, "window belongs to the strategy gradient"),
        ({"normaliser": "running"}, "images are normalised once"),
        ({"networks": ("mlp:wide",)}, "networks are NAME, NAME:WIDTH, NAME:WIDTHxDEPTH or"),
        ({"networks": ("vit",)}, "unknown network 'vit'"),
        ({"networks": ("mlp:8", "convnet:4"), "learn_rate": True}, "learn_rate searches for one step size"),
        ({"start": "best"}, "does not start at 'best'; choose one of random, mean"),
    ],
)
def test_what_cannot_be_is_refused(digits: ImageTask, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        hades.distill(digits, **{**TINY, **options})


def test_control_is_not_differentiable_and_starts_at_random(target: ControlTask) -> None:
    with pytest.raises(InputError, match="not differentiable: take an evolution strategy"):
        hades.distill(target, strategy="gradient", progress=False)
    with pytest.raises(InputError, match="target does not start at 'mean'; choose one of random, sample"):
        hades.distill(target, start="mean", progress=False)


def test_several_kinds_of_networks_score_as_each_of_them_does_calibrated(digits: ImageTask) -> None:
    def generation(task: ImageTask, *networks: str) -> dict[str, jax.Array]:
        options = {"strategy": "gradient", "start": "mean", "normaliser": "none", "learner": LEARNER, "episodes": 64}
        config = Config(size=10, networks=networks, **options)
        distillation = Distillation(task, config)
        return distillation.generation(distillation.init(), distillation.data)[1]

    calibrated = dataclasses.replace(digits, calibrated=True)
    both, *single = (
        generation(digits, "mlp:8", "mlp:4"),
        generation(calibrated, "mlp:8"),
        generation(calibrated, "mlp:4"),
    )
    np.testing.assert_allclose(both["mean"], np.mean([metrics["mean"] for metrics in single]), rtol=1e-5)
    assert both["env_steps"] == sum(metrics["env_steps"] for metrics in single)


SHARDED = """
import os, sys
import jax, numpy as np
import hades
from tests.test_gradient import TINY
result = hades.distill(hades.make("digits"), **{**TINY, "inits": 4, "generations": 3})
assert jax.device_count() == int(os.environ["JAX_NUM_CPU_DEVICES"])
np.save(sys.argv[1], result.dataset.states)
"""


def test_the_gradient_does_not_depend_on_the_devices(tmp_path: Path) -> None:
    images = []
    for devices in (1, 3):
        path = tmp_path / f"{devices}.npy"
        environment = {**os.environ, "JAX_NUM_CPU_DEVICES": str(devices), "PYTHONPATH": str(Path(__file__).parents[1])}
        subprocess.run([sys.executable, "-c", SHARDED, str(path)], env=environment, check=True, timeout=300)
        images.append(np.load(path))
    np.testing.assert_allclose(*images, atol=1e-4)


def test_scores_of_images_do_not_depend_on_the_chunk(digits: ImageTask) -> None:
    states = jax.random.uniform(KEY, (3, 10, *digits.spec.obs_shape))
    pairs = states, jnp.broadcast_to(jnp.eye(10), (3, 10, 10)), jnp.asarray([0.1, 0.5, 1.0])
    scores = []
    for chunk in (1, 6):
        fitness = Fitness(digits, LEARNER, inits=2, episodes=16, chunk=chunk)
        networks = fitness.networks(KEY)
        scores.append(fitness.population(pairs, networks, identity_normaliser(digits.spec), KEY, digits.data).fitness)
    np.testing.assert_allclose(*scores, rtol=1e-4)
