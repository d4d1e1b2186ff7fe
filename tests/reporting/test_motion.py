"""Moving pictures are of the very episodes that are scored."""

import io
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from tests import helpers

import hades
from hades.errors import InputError
from hades.evaluation import normaliser_of, recipe
from hades.reporting.motion import gif, record
from hades.tasks.base import Acting

NARROW = {"width": 8, "epochs": 8}


@pytest.mark.parametrize("name", ["cartpole", "pendulum", "gymnasium/CartPole-v1"])
@pytest.mark.parametrize("greedy", [False, True])
def test_a_recording_is_the_episode_that_is_scored(name: str, greedy: bool) -> None:
    task = hades.make(name)
    assert isinstance(task, Acting)
    dataset = hades.load("pendulum" if name == "pendulum" else "cartpole-2")
    learner, key = recipe(dataset, NARROW), jax.random.key(3)
    params = jax.tree.map(lambda x: x[None], hades.train(dataset, 0, NARROW))
    normaliser = normaliser_of(dataset)
    scored = task.score(learner, params, normaliser, key[None, None], greedy, limit=jnp.int32(60))
    seen = task.record(learner, params, normaliser, key, greedy, limit=60)
    assert len(seen.rewards) == int(scored.length[0, 0]) == len(seen.observations) == len(seen.actions)
    np.testing.assert_allclose(seen.ret, float(scored.ret[0, 0]), rtol=1e-5)
    assert seen.observations.shape[1:] == task.spec.obs_shape


def test_networks_play_side_by_side_and_the_picture_ends_with_the_last() -> None:
    task, recordings = record("cartpole-2", inits=2, learner=NARROW)
    one = Image.open(io.BytesIO(gif(task, recordings[:1])))
    two = Image.open(io.BytesIO(gif(task, recordings)))
    assert two.width == 2 * one.width
    longest = max(len(each.rewards) for each in recordings)
    assert two.n_frames == min(120, longest)  # type: ignore[attr-defined]
    assert (
        len({each.rewards.shape for each in recordings}) == 2
        or recordings[0].actions.tolist() != recordings[1].actions.tolist()
    )


def test_what_nobody_draws_is_shown_as_numbers_over_time(target: Acting) -> None:
    pairs = hades.Dataset(states=np.asarray([[-1.0], [1.0]]), actions=np.asarray([[1.0], [-1.0]]))
    task, recordings = record(pairs, target, learner=NARROW)
    assert Image.open(io.BytesIO(gif(task, recordings))).n_frames == 10  # type: ignore[attr-defined]


def test_images_have_no_episodes() -> None:
    with pytest.raises(InputError, match="nobody acts in digits"):
        record("digits-10")


def test_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["render", "cartpole-2", "--width", "8", "--epochs", "8"]
    code, out, _ = helpers.run(capsys, *line)
    assert code == 0 and out == "cartpole-2.gif\n" and Path("cartpole-2.gif").stat().st_size < 1.5e6
    code, _, err = helpers.run(capsys, *line)
    assert code == 2 and "--force" in err
    code, _, err = helpers.run(capsys, *line, "--out", "episode.avi")
    assert code == 2 and ".gif, .mp4, .html" in err
    code, _, err = helpers.run(capsys, *line, "--out", "episode.html")
    assert code == 2 and "is Brax's" in err


@pytest.mark.slow
def test_a_rigid_body_in_braxs_viewer(tmp_path: Path) -> None:
    page = hades.render("hopper-4", tmp_path / "hopper.html")
    assert "<html" in page.read_text()[:2000]
