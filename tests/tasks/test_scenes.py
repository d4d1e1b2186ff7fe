"""Environments draw their observations; what is beyond what they can show is drawn at its edge, and said."""

import jax
import numpy as np
import pytest
from tests.helpers import control

import hades
from hades.reporting.style import png, subplots
from hades.tasks.scenes import scene_of

CLASSIC = ["cartpole", "pendulum", "acrobot", "mountaincar", "mountaincar-continuous"]


@pytest.mark.parametrize("name", CLASSIC)
def test_what_an_environment_shows_is_within_what_it_can_show(name: str) -> None:
    task = control(name)
    scene = scene_of(task.name, task.spec, task.units)
    assert scene is not None
    _, shown = task.environment.reset(jax.random.key(0))
    action = np.full(task.spec.num_actions, 1 / task.spec.num_actions)
    figure, axes = subplots(1, 2, (4, 2))
    assert not scene.draw(axes[0], np.asarray(shown), action)
    assert scene.draw(axes[1], np.full(task.spec.obs_shape, 30.0), action)
    assert png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["cartpole", "lunarlander-8", "mountaincar"])
def test_another_suites_version_looks_the_same(name: str) -> None:
    dataset = hades.load({"cartpole": "cartpole-2"}.get(name, name))
    names = [dataset.task, dataset.task.rpartition("/")[2], "gymnasium/" + dataset.task.rpartition("/")[2]]
    kinds = {type(scene_of(one, dataset.spec, dataset.units)) for one in names}
    assert len(kinds) == 1 and type(None) not in kinds


def test_actions_point_where_they_push() -> None:
    scene = scene_of("CartPole-v1", hades.load("cartpole-2").spec, hades.load("cartpole-2").units)
    assert scene is not None

    def arrows(action: list[float]) -> list[float]:
        _, (ax,) = subplots(1, 1, (2, 1))
        scene.draw(ax, np.zeros(4), np.asarray(action))
        return [text.xy[0] - text.xyann[0] for text in ax.texts]  # type: ignore[attr-defined]

    assert [np.sign(x) for x in arrows([1, 0]) + arrows([0, 1])] == [-1, 1] and arrows([0.5, 0.5]) == []


@pytest.mark.parametrize("name", ["breakout-16", "freeway-16", "asterix-16", "space-invaders-16"])
def test_grids_say_what_is_where_and_what_is_less_than_nothing(name: str) -> None:
    dataset = hades.load(name)
    scene = scene_of(dataset.task, dataset.spec, dataset.units)
    height, width, channels = dataset.spec.obs_shape
    _, (ax,) = subplots(1, 1, (2, 2))
    grid = np.zeros((height, width, channels))
    grid[0, 1, 2], grid[3, 4, 0] = 1, -1
    assert scene is not None and not scene.draw(ax, grid)
    assert [name for name, _ in scene.legend()] == list(dataset.units.observations)  # type: ignore[attr-defined]
    colours = np.asarray(ax.images[0].get_array())
    assert (colours[..., 3] > 0).sum() == 1 and colours[0, 1, 3] == 1
    assert [tuple(np.asarray(line.get_ydata())) for line in ax.lines] == [(3.5, 3.5)]


def test_pictures_are_shown_as_they_are_and_what_nobody_knows_as_numbers() -> None:
    pixels = hades.Dataset(states=np.zeros((1, 84, 84, 4)), labels=np.eye(2)[:1], task="gymnasium/ALE/Pong-v5")
    _, (ax,) = subplots(1, 1, (2, 2))
    scene = scene_of(pixels.task, pixels.spec, pixels.units)
    assert scene is not None and not scene.draw(ax, np.zeros((84, 84, 4)))
    assert np.asarray(ax.images[0].get_array()).shape == (84, 84)
    mine = hades.Dataset(states=np.zeros((1, 5)), labels=np.eye(2)[:1], task="mine")
    assert scene_of(mine.task, mine.spec, mine.units) is None
