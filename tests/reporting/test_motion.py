"""Moving pictures are of the very episodes that are scored, small, and of a kind that is told beforehand."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from tests.helpers import control, hosted, run

import hades
from hades.errors import InputError, Notice
from hades.evaluation import normaliser_of, recipe
from hades.merging import parts
from hades.reporting import films
from hades.reporting.films import gif
from hades.reporting.frames import MOST, SECONDS, _canvas, _pixels, fps, frames, shown_steps
from hades.reporting.motion import record, render
from hades.tasks.base import Acting
from hades.tasks.recordings import Recording

NARROW = {"width": 8, "epochs": 8}


def played(name: str, dataset: hades.Dataset, greedy: bool = False, **options: Any) -> tuple[Recording, Any]:
    """An episode as it is recorded, and as it is scored."""
    task = hades.make(name, **options)
    assert isinstance(task, Acting)
    learner, key, normaliser = recipe(dataset, NARROW), jax.random.key(3), normaliser_of(dataset)
    params = hades.train(dataset, 0, NARROW)
    one = jax.tree.map(lambda x: x[None], params)
    scored = task.score(learner, one, normaliser, key[None, None], greedy, limit=jnp.int32(60))
    return task.record(learner, params, normaliser, key, greedy, limit=60), scored


def online(dataset: hades.Dataset) -> hades.Dataset:
    """As of one whose observations are normalised while they are seen."""
    return hades.Dataset(states=dataset.states, labels=dataset.labels, online=True, task=dataset.task)


CASES = [
    pytest.param("cartpole", "cartpole-2", False, id="gymnax"),
    pytest.param("cartpole", "cartpole-2", True, id="greedy"),
    pytest.param("pendulum", "pendulum", False, id="continuous"),
    pytest.param("gymnasium/CartPole-v1", "cartpole-2", False, id="outside JAX"),
]


@pytest.mark.parametrize(("name", "dataset", "greedy"), CASES)
def test_a_recording_is_the_episode_that_is_scored(name: str, dataset: str, greedy: bool) -> None:
    seen, scored = played(name, hades.load(dataset), greedy)
    assert seen.ret == float(scored.ret[0, 0]) and seen.steps == int(scored.length[0, 0])
    assert seen.terminated == bool(scored.terminated[0, 0]) != seen.truncated
    assert len(seen.observations) == len(seen.actions) == seen.steps
    if greedy and seen.probabilities is not None:
        np.testing.assert_array_equal(seen.probabilities.argmax(1), seen.actions)


@pytest.mark.parametrize("name", ["cartpole", "gymnasium/CartPole-v1"])
def test_statistics_that_are_gathered_on_the_way_are_recorded_as_they_go(name: str) -> None:
    seen, scored = played(name, online(hades.load("cartpole-2")), greedy=True)
    assert seen.ret == float(scored.ret[0, 0]) and seen.probabilities is not None
    np.testing.assert_array_equal(seen.probabilities.argmax(1), seen.actions)


def test_a_traced_recording_has_the_environments_states() -> None:
    seen, _ = played("cartpole", hades.load("cartpole-2"))
    np.testing.assert_allclose(seen.states.x, seen.observations[:, 0])
    assert seen.states.time.tolist() == list(range(seen.steps))


def test_episodes_are_those_of_evaluate() -> None:
    how: Any = {"inits": 3, "learner": NARROW, "seed": 5}
    _, recordings = record("cartpole-2", **how)
    scores = hades.evaluate("cartpole-2", episodes=1, **how)
    np.testing.assert_allclose([each.ret for each in recordings], scores.returns[:, 0])


def test_an_episode_seen_by_an_agent_of_several_tasks_is_shown_as_its_environment_has_it() -> None:
    both = hades.merge([hades.load("cartpole-2"), hades.load("acrobot")], identity=True)
    task, (seen,) = record(both, "cartpole", learner=NARROW)
    assert task.bare.spec == hades.make("cartpole").spec != task.spec
    assert seen.observations.shape[1:] == (4,) and seen.probabilities is not None
    np.testing.assert_allclose(seen.probabilities.sum(1), 1, rtol=1e-5)
    assert seen.probabilities.shape[1] == 2 and seen.actions.max() < 2
    np.testing.assert_allclose(seen.states.x, seen.observations[:, 0], atol=1e-5)
    assert parts(both)["Acrobot-v1"].bare.scene is not None


def shots(data: bytes) -> list[np.ndarray]:
    """A GIF's pictures."""
    with Image.open(io.BytesIO(data)) as film:
        every = range(film.n_frames)  # type: ignore[attr-defined]
        return [np.asarray((film.seek(i), film.convert("RGB"))[1]) for i in every]


def test_networks_play_side_by_side_and_the_picture_ends_with_the_last() -> None:
    task, recordings = record("cartpole-2", inits=2, learner=NARROW)
    alone, together = frames(task, recordings[:1]), frames(task, recordings)
    assert together[0].shape[1] > 1.5 * alone[0].shape[1]
    assert len(together) == len(shown_steps(max(each.steps for each in recordings), task.pace))
    assert not any(side % 2 for side in together[0].shape[:2])
    assert len(shots(gif(together, fps(task, recordings)))) == len(together)


def test_an_environment_that_renders_shows_itself() -> None:
    task, recordings = record("cartpole-2", hades.make("gymnasium/CartPole-v1"), learner=NARROW)
    drawn = frames(task, recordings)
    brown = np.asarray([202, 152, 101])  # of Gymnasium's pole
    assert (abs(drawn[0].astype(int) - brown).max(-1) < 8).sum() > 100
    assert (drawn[0] != drawn[-1]).any()


BLIND = """
import os
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

class Blind(CartPoleEnv):
    def render(self):
        {fault}
"""


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("raise RuntimeError('no display')", "its render fails: RuntimeError: no display; it is drawn from"),
        ("os.abort()", "its process ended in render \\(signal 6\\); it is drawn from"),  # as MuJoCo without OpenGL
    ],
)
def test_an_environment_that_cannot_render_is_drawn_from_its_observations(
    fault: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "blind.py").write_text(BLIND.format(fault=fault))
    task = hosted(f"{tmp_path}/blind.py:Blind", max_steps=5)
    _, (recording,) = record("cartpole-2", task, learner=NARROW)
    with pytest.warns(Notice, match=says):
        assert task.pictures(recording, [0]) == []
    assert len(frames(task, [recording])) == 5


def test_films_have_the_style_of_all_figures_and_captions_are_no_mathematics(
    target: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure, (ax,) = _canvas(1, 1.6)
    assert ax.spines["top"].get_visible() is False and not any(side % 2 for side in _pixels(figure).shape[:2])
    monkeypatch.setattr("hades.reporting.frames._caption", lambda *_: "push $a^$")
    assert frames(target, [Recording(np.zeros((3, 1)), np.zeros((3, 1)), np.ones(3), terminated=False)])


def test_what_nobody_draws_is_shown_as_numbers_over_time(target: Acting) -> None:
    pairs = hades.Dataset(states=np.asarray([[-1.0], [1.0]]), actions=np.asarray([[1.0], [-1.0]]))
    task, recordings = record(pairs, target, learner=NARROW)
    drawn = frames(task, recordings)
    assert len(drawn) == 10 and (drawn[0] != drawn[5]).any()


@pytest.mark.parametrize(("steps", "pace"), [(1, 30), (10, 30), (500, 50), (27_000, 60)])
def test_an_episode_of_any_length_is_played_in_seconds(steps: int, pace: float) -> None:
    shown = shown_steps(steps, pace)
    assert shown[0] == 0 and shown[-1] == steps - 1 and len(shown) <= MOST
    task = control("cartpole")
    seconds = len(shown_steps(steps, task.pace)) / fps(task, [_still(steps)])
    assert 1 <= seconds <= SECONDS


def _still(steps: int) -> Recording:
    return Recording(np.zeros((steps, 4)), np.zeros(steps, int), np.ones(steps), terminated=False)


def test_a_film_of_noise_is_thinned_out_until_it_is_small() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (120, 200, 3), np.uint8) for _ in range(100)]
    data = gif(noise, 20)
    shown = shots(data)
    assert len(data) < films.BYTES and 2 <= len(shown) < 100
    assert abs(shown[-1].astype(int) - noise[-1]).mean() < 40  # the end is there


def test_images_have_no_episodes() -> None:
    with pytest.raises(InputError, match="nobody acts in digits"):
        record("digits-10")


def test_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["render", "cartpole-2", "--width", "8", "--epochs", "8"]
    code, out, _ = run(capsys, *line, "--inits", "2", "--json")
    found = json.loads(out)
    assert code == 0 and Path(found["picture"]) == Path("cartpole-2.gif") and len(found["returns"]) == 2
    assert found["bytes"] == Path("cartpole-2.gif").stat().st_size < films.BYTES and not found["needs_network"]
    code, _, err = run(capsys, *line)
    assert code == 2 and "--force" in err
    code, out, _ = run(capsys, *line, "--force")
    assert code == 0 and out.startswith("return ")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cartpole-2 --out episode.avi", "moving pictures are .gif, .mp4, .html, not '.avi'"),
        ("cartpole-2 --out episode", "not a name without an ending"),
        ("cartpole-2 --out episode.html", "the viewer (.html) is Brax's"),
        ("hopper-4 --out episode.html --inits 2", "shows one network, not 2"),
        ("digits-10", "nobody acts in digits"),
        ("cartpole-2 --inits 17", "inits must be at most 16"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_line_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "render", *line.split())
    assert code == 2 and out == "" and says in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_film_needs_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ = hades.make("cartpole").spec  # what it imports may look for programs, too
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    monkeypatch.setattr(films, "installed", lambda _: False)
    with pytest.raises(InputError, match="pip install imageio-ffmpeg"):
        render("cartpole-2", tmp_path / "episode.mp4")


@pytest.mark.slow
def test_a_rigid_body_in_braxs_viewer(tmp_path: Path) -> None:
    path, (seen,) = render("hopper-4", tmp_path / "hopper.html")
    assert "<html" in path.read_text()[:2000] and path.stat().st_size < 5e6 and seen.ret > 1000
