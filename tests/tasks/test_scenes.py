"""Environments draw their observations; what is beyond what they can show is drawn at its edge, and said."""

import dataclasses
from pathlib import Path
from typing import Any

import gymnasium
import jax
import numpy as np
import pytest
from tests.helpers import control

import hades
from hades.reporting.pictures import pairs, picture
from hades.reporting.style import png, subplots
from hades.tasks.scenes import Scene, scene_of
from hades.units import Units

CLASSIC = ["cartpole", "pendulum", "acrobot", "mountaincar", "mountaincar-continuous"]


def scene_by_name(name: str) -> Scene:
    dataset = hades.load(name)
    scene = scene_of(dataset.task, dataset.spec, dataset.units)
    assert scene is not None
    return scene


def drawn(scene: Scene, observation: Any, action: Any = None) -> tuple[Any, bool]:
    """The axes, and whether it said that it is beyond."""
    figure, (ax,) = subplots(1, 1, (2 * scene.ratio, 2))
    beyond = scene.draw(ax, np.asarray(observation, float), None if action is None else np.asarray(action, float))
    assert png(figure).startswith(b"\x89PNG")
    return ax, beyond


def arrows(ax: Any) -> list[np.ndarray]:
    """From their tails to their heads."""
    return [np.subtract(text.xy, text.xyann) for text in ax.texts if getattr(text, "arrow_patch", None)]


@pytest.mark.parametrize("name", CLASSIC)
def test_what_an_environment_shows_is_within_what_it_can_show(name: str) -> None:
    task = control(name)
    scene, action = task.scene, np.full(task.spec.num_actions, 1 / task.spec.num_actions)
    assert scene is not None and scene == scene_of(task.name, task.spec, task.units)
    state, shown = task.environment.reset(jax.random.key(0))
    for i in range(3):
        assert not drawn(scene, shown, action)[1]
        push = jax.numpy.zeros((), "int32") if task.spec.discrete else jax.numpy.asarray(action)
        out = task.environment.step(jax.random.key(i), state, push)
        state, shown = out.state, out.obs
    assert drawn(scene, np.full(task.spec.obs_shape, 30.0), action)[1]


def test_the_landers_engines_push_away_from_their_flames() -> None:
    pytest.importorskip("Box2D")
    scene, env = scene_by_name("lunarlander-8"), gymnasium.make("LunarLander-v3")

    def outlines(shown: np.ndarray, action: np.ndarray) -> dict[bytes, float]:
        """And where the middle of each is."""
        patches = [patch.get_xy() for patch in drawn(scene, shown, action)[0].patches]
        return {xy.tobytes(): float(xy[:, 0].mean()) for xy in patches}

    for engine in (1, 3):
        before, _ = env.reset(seed=0)
        after = [env.step(engine)[0] for _ in range(5)][-1]
        upright = np.r_[before[:2], np.zeros(6)]
        still, fired = (outlines(upright, np.eye(4)[i]) for i in (0, engine))
        (flame,) = (x for outline, x in fired.items() if outline not in still)
        assert np.sign(flame - 10 * before[0]) == -np.sign(after[2] - before[2])
        assert not drawn(scene, after)[1]
    assert drawn(scene, [3, 0, 0, 0, 0, 0, 0, 0])[1]


@pytest.mark.parametrize("name", ["cartpole-2", "lunarlander-8", "mountaincar"])
def test_another_suites_version_looks_the_same(name: str) -> None:
    dataset = hades.load(name)
    names = [dataset.task, dataset.task.rpartition("/")[2], "gymnasium/" + dataset.task.rpartition("/")[2]]
    kinds = {type(scene_of(one, dataset.spec, dataset.units)) for one in names}
    assert len(kinds) == 1 and type(None) not in kinds


def test_actions_point_where_they_push_and_are_named() -> None:
    scene = scene_by_name("cartpole-2")
    left, right, both = (drawn(scene, np.zeros(4), action)[0] for action in ([1, 0], [0.1, 0.9], [0.5, 0.5]))
    assert [np.sign(x) for x, _ in arrows(left) + arrows(right)] == [-1, 1] and arrows(both) == []
    assert left.get_title("right") == "push left" and right.get_title("right") == "push right 90%"


def test_torques_beyond_an_environments_bounds_are_told() -> None:
    scene = scene_by_name("pendulum")
    assert drawn(scene, [1, 0, 0], [1.5])[0].get_title("right") == "torque +1.50"
    assert drawn(scene, [1, 0, 0], [-17.0])[0].get_title("right") == "torque -17.00 (at most 2)"


@pytest.mark.parametrize("name", ["breakout-16", "freeway-16", "asterix-16", "space-invaders-16"])
def test_grids_say_what_is_where_and_what_is_less_than_nothing(name: str) -> None:
    dataset, scene = hades.load(name), scene_by_name(name)
    grid = np.zeros(dataset.spec.obs_shape)
    nothing = np.asarray(drawn(scene, grid)[0].images[0].get_array())
    grid[0, 1, 2], grid[3, 4, 0], grid[5, 5, 1], grid[7, 7, 1] = 1, -1, 0.5, -0.2
    ax, beyond = drawn(scene, grid, np.eye(dataset.spec.num_actions)[1])
    assert not beyond and ax.get_title("right") == dataset.units.actions[1]
    pixels = np.asarray(ax.images[0].get_array())
    cells = (np.abs(pixels - nothing).sum(-1) > 0).reshape(10, pixels.shape[0] // 10, 10, -1).sum((1, 3))
    assert {tuple(cell) for cell in np.argwhere(cells)} == {(0, 1), (3, 4), (5, 5)}
    assert cells[3, 4] < cells[5, 5] < cells[0, 1]  # hollow, small, whole
    names, colours = zip(*scene.legend()[:-1], strict=True)
    assert names == dataset.units.observations and len(set(colours)) == len(colours)
    assert drawn(scene, 15 * grid)[1]


def test_pictures_are_shown_as_they_are_and_what_nobody_knows_as_numbers() -> None:
    pixels = hades.Dataset(states=np.zeros((1, 84, 84, 4)), labels=np.eye(2)[:1], task="gymnasium/ALE/Pong-v5")
    scene = scene_of(pixels.task, pixels.spec, pixels.units)
    assert scene is not None
    ax, beyond = drawn(scene, np.zeros((84, 84, 4)))
    assert np.asarray(ax.images[0].get_array()).shape == (84, 84) and not beyond
    mine = hades.Dataset(states=np.zeros((1, 5)), labels=np.eye(2)[:1], task="mine")
    assert scene_of(mine.task, mine.spec, mine.units) is None
    assert scene_of("CartPole-v1", mine.spec, mine.units) is None  # of another shape than that has


@pytest.mark.parametrize("name", ["Hopper-v5", "HalfCheetah-v4", "Reacher-v5", "InvertedDoublePendulum-v5", "Ant-v5"])
def test_a_body_is_where_its_environment_has_it(name: str) -> None:
    pytest.importorskip("mujoco")
    task = hades.make(f"gymnasium/{name}")
    scene: Any = task.scene
    env: Any = gymnasium.make(name).unwrapped
    shown, _ = env.reset(seed=3)
    data, pose = scene.pose(shown)
    real = np.array(env.data.xpos)
    real[1:, :2] += data.xpos[1, :2] - real[1, :2]  # where it is along the ground, it does not show
    target = env.model.nbody if "Reacher" not in name else 3
    np.testing.assert_allclose(data.xpos[1:target], real[1:target], atol=1e-6)
    assert not pose.beyond and not drawn(scene, shown, env.action_space.sample())[1]
    assert drawn(scene, np.full(task.spec.obs_shape, 30.0))[1]


def test_torques_are_within_the_picture() -> None:
    pytest.importorskip("mujoco")
    scene: Any = hades.make("gymnasium/Hopper-v5").scene
    for state, action in zip(*hades.load("hopper-4").raw(), strict=True):  # of Brax's, which is built alike
        ax, _ = drawn(scene, state, action)
        arcs = [np.asarray(line.get_xydata()) for line in ax.lines if len(line.get_xdata()) > 10]
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        assert arcs and all(left < x < right and low < y < high for arc in arcs for x, y in arc)


def test_a_body_of_brax_is_where_its_environment_has_it() -> None:
    from brax import kinematics

    task = hades.make("brax/inverted_pendulum")
    scene: Any = task.scene
    sys = task.environment.made.env.sys  # type: ignore[attr-defined]
    joints = np.asarray([0.3, -0.2])
    placed, _ = kinematics.forward(sys, jax.numpy.asarray(joints), jax.numpy.zeros(2))
    data, _ = scene.pose(np.r_[joints, 1.0, 0.5])
    np.testing.assert_allclose(data.xpos[1:], placed.pos, atol=1e-6)
    ax, beyond = drawn(scene, np.r_[joints, 1.0, 0.5], [-3.0])
    assert not beyond and min(x for x, _ in arrows(ax)) < 0 < max(x for x, _ in arrows(ax))  # force, velocity


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hopper", "walker2d", "halfcheetah", "ant", "reacher"])
def test_bodies_of_brax_are_where_their_environments_have_them(name: str) -> None:
    task = hades.make(f"brax/{name}")
    scene: Any = task.scene
    (state, _), shown = jax.jit(task.environment.reset)(jax.random.key(0))  # type: ignore[attr-defined]
    data, pose = scene.pose(np.asarray(shown))
    real = np.asarray(state.pipeline_state.x.pos)
    real = real + (data.xpos[1] - real[0]) * (1, 1, 0)
    rough = name == "ant"  # which Brax begins turned by a quaternion longer than 1, that is, larger
    np.testing.assert_allclose(data.xpos[1:], real, atol=0.03 if rough else 1e-5)
    assert not pose.beyond and not drawn(scene, shown, np.zeros(task.spec.num_actions))[1]


def test_a_dataset_is_drawn_pair_by_pair_and_says_what_is_beyond() -> None:
    figure = pairs(hades.load("mountaincar"))
    titles = [(ax.get_title("left"), ax.get_title("right")) for ax in figure.axes[:3]]
    assert titles == [("pair 1", "push left"), ("pair 2", "no push"), ("pair 3", "push right")]
    assert [any("beyond" in text.get_text() for text in ax.texts) for ax in figure.axes[:3]] == [True, True, False]


def test_what_is_not_drawn_is_numbers_in_the_environments_units() -> None:
    dataset = hades.load("hopper-4")
    figure = pairs(dataset)  # by its name alone
    numbers = [text.get_text() for text in figure.axes[0].texts]
    assert numbers[0] == f"{dataset.raw().observations[0, 0]:.2f}"
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == list(dataset.units.observations)


def test_a_task_that_cannot_be_made_is_told_and_a_name_of_somebodys_own_means_nothing(tmp_path: Path) -> None:
    lost = dataclasses.replace(hades.load("hopper-4"), task="playground/$NoSuch$<b>")
    figure: Any = pairs(lost, make=True)
    assert "not drawn" in figure.get_suptitle() and png(figure).startswith(b"\x89PNG")
    cartpole = hades.load("cartpole-2")
    mine = dataclasses.replace(cartpole, info={**cartpole.info, "own": "mine"}, units=Units(("$a^", "b$", "c", "d")))
    assert not pairs(mine, make=True).axes[0].get_title("left") and picture(mine).startswith(b"\x89PNG")


def test_a_merged_dataset_and_one_without_units_keep_their_numbers() -> None:
    merged = hades.merge([hades.load("cartpole-2"), hades.load("mountaincar")])
    assert len(pairs(merged, make=True).axes) == len(pairs(hades.load("hopper-64"), make=True).axes) == 2
