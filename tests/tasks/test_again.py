"""A file remembers which task made it: that one is made again, or asked for, and never another."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnax.environments.classic_control.pendulum import Pendulum
from tests.helpers import labelled, save_labelled
from tests.walk import Walk

import hades
from hades import tasks
from hades.config import Config
from hades.errors import InputError
from hades.evaluation import task_of
from hades.keeping import about, dataset_of
from hades.learner.recipe import Learner
from hades.merging import merge, parts
from hades.reporting.subject import subject
from hades.runs import Run
from hades.search import Search
from hades.tasks import own
from hades.tasks.base import Task


class Windy(Pendulum):
    """Registered under the name, but another one."""


class Narrow(Windy):
    """And another."""


def _search(task: Task, size: int = 3) -> Search:
    learner = task.reference.patched(Learner(network="mlp", width=4, epochs=2))
    return Search(task, Config(size=size, normaliser="none", generations=1, learner=learner))


def _dataset(task: Task, folder: Path, size: int = 3) -> hades.Dataset:
    """Of a search that is about to begin, by its file."""
    search = _search(task, size)
    return hades.load(dataset_of(search, search.init()).save(folder / "dataset.safetensors"))


def _run(task: Task, folder: Path) -> Path:
    with Run.create(folder / "run", about(_search(task), "laptop")) as run:
        return run.path


def test_parameters_come_back(tmp_path: Path) -> None:
    """Given whole to an environment object or one of a name, they make what the file says."""
    params = Pendulum().default_params.replace(g=3.0, max_steps_in_episode=4)  # type: ignore[attr-defined]
    for task in (hades.make("pendulum", params=params), hades.make(Pendulum(), params=params)):
        again: Any = task_of(_dataset(task, tmp_path))
        assert again.environment.made.params == params and again.options == task.options and not again.own


@pytest.mark.parametrize("env", [Walk(), Windy()])
def test_an_environment_of_ones_own_is_asked_for(env: Any, tmp_path: Path) -> None:
    task = hades.make(env)
    dataset, name = _dataset(task, tmp_path), type(env).__name__
    with pytest.raises(InputError, match=rf"a task of your own, {task.name} \({name}\(.*give it: hades.evaluate\("):
        hades.evaluate(dataset)
    with pytest.raises(InputError, match=r"a task of your own, .* give it: hades.resume\(run, task\)"):
        hades.resume(_run(task, tmp_path))


def test_no_code_is_run_for_a_files_word_alone(cartpole_pairs: hades.Dataset, tmp_path: Path) -> None:
    """Neither of a module, nor of a file that the header says where to find, whatever its fingerprint."""
    told, library = {"cmd": f"touch {tmp_path / 'was-run'}"}, Path(subprocess.__file__)
    known = {"task_options": told | {"file": str(library)}, "fingerprint": own.fingerprint_of(library)}
    for name, says in (
        (
            "subprocess:getoutput",
            "is code, which is not run for a file's word alone; if it is yours, go on with: --task",
        ),
        (f"{library}:getoutput", "is code, which is not run"),
        ("subprocess.py:getoutput", "is code of a file that is not here; go on with: --task FILE.py:getoutput"),
        ("gymnasium/antigravity:Env-v0", "is code, which is not run"),
    ):
        evil = hades.load(replace(cartpole_pairs, task=name, info=known).save(tmp_path / "evil.safetensors"))
        with pytest.raises(InputError, match=says):
            hades.evaluate(evil, inits=1, episodes=1)
    assert not (tmp_path / "was-run").exists()


def test_a_given_task_is_taken_where_scores_are_asked_for(tmp_path: Path) -> None:
    """Its own, or another one: that is what was asked for."""
    task = hades.make(Walk())
    dataset = _dataset(task, tmp_path)
    assert hades.evaluate(dataset, task, inits=1, episodes=1).returns.shape == (1, 1)
    assert task_of(_dataset(hades.make(Windy()), tmp_path), "pendulum").own == ""


def test_a_run_goes_on_with_its_own_task_alone(tmp_path: Path) -> None:
    run = _run(hades.make(Windy(), g=3.0), tmp_path)
    for other, told in [
        (hades.make(Walk()), "not the task of the run, Pendulum-v1: its name is 'Walk', the run's 'Pendulum-v1'"),
        (hades.make(Windy(), g=4.0), "its options are {'g': 4.0}, the run's {'g': 3.0}"),
        (hades.make(Narrow(), g=3.0), r"its kind is 'Narrow\(.*, the run's 'Windy\("),
        (hades.make("pendulum", g=3.0), r"its kind is 'registered', the run's 'Windy\("),
    ]:
        with pytest.raises(InputError, match=told):
            hades.resume(run, other)
    about = Run.open(run).about
    tasks.check_same(hades.make(Windy(), g=3.0), about["task"], about)
    registered = Run.open(_run(hades.make("pendulum"), tmp_path / "other")).about
    with pytest.raises(InputError, match=r"its kind is 'Windy\(.*, the run's 'registered'"):
        tasks.check_same(hades.make(Windy()), registered["task"], registered)


def test_a_run_of_the_first_release_takes_its_task() -> None:
    """It says less of it."""
    about = Run.open(Path(__file__).parents[1] / "data" / "run-0.1").about
    assert tasks.again(about["task"], about, "").name == about["task"]
    tasks.check_same(tasks.again(about["task"], about, ""), about["task"], about)


def test_images_of_ones_own_are_asked_for_though_others_have_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "digits.npz", **labelled())  # type: ignore[arg-type]
    monkeypatch.chdir(tmp_path)
    task = hades.make("digits.npz")
    assert task.own == "images digits.npz" and task.spec != hades.make("digits").spec
    with pytest.raises(InputError, match=r"a task of your own, digits \(images digits.npz\); give it"):
        hades.evaluate(_dataset(task, tmp_path))
    run = _run(task, tmp_path)
    monkeypatch.chdir("/")
    about = Run.open(run).about
    assert tasks.again("digits", about, "").fingerprint == task.fingerprint  # a run knows where they lie
    np.savez(tmp_path / "digits.npz", **labelled(seed=1))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="digits has other data now than this was made on"):
        hades.resume(run)
    (tmp_path / "digits.npz").unlink()
    with pytest.raises(InputError, match=r"a task of your own, digits .*give it: hades.resume"):
        hades.resume(run)


def test_images_of_ones_own_are_found_beside_only_where_they_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = _dataset(hades.make(save_labelled(tmp_path)), tmp_path)
    with pytest.raises(InputError, match="a task of your own, mine"):
        task_of(dataset)
    monkeypatch.chdir(tmp_path)
    assert task_of(dataset).name == "mine"
    save_labelled(tmp_path, train_labels=(np.arange(30) + 1) % 3)
    with pytest.raises(InputError, match="mine has other data now"):
        task_of(dataset)


def test_a_folder_of_a_named_set_holds_the_same_images_or_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, seed in (("one", 0), ("two", 1)):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "mnist.npz", **labelled(seed=seed, classes=10))  # type: ignore[arg-type]
    dataset = _dataset(hades.make("mnist", data_dir=tmp_path / "one"), tmp_path, 10)
    monkeypatch.setenv("HADES_DATA_DIR", str(tmp_path / "one"))
    assert task_of(dataset).name == "mnist"
    monkeypatch.setenv("HADES_DATA_DIR", str(tmp_path / "two"))
    with pytest.raises(InputError, match="mnist has other data now"):
        task_of(dataset)


def test_a_runs_folder_knows_where_its_images_lay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, seed in (("one", 0), ("two", 1)):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "mnist.npz", **labelled(seed=seed, classes=10))  # type: ignore[arg-type]
    monkeypatch.setenv("HADES_DATA_DIR", str(tmp_path / "two"))
    task = hades.make("mnist", data_dir=tmp_path / "one")
    tiny: dict[str, Any] = {"generations": 1, "inits": 1, "validate_inits": 2}
    learner = {"network": "mlp", "width": 8, "epochs": 2}
    run = hades.distill(task, 10, out=tmp_path / "run", learner=learner, progress=False, **tiny).run
    assert run is not None
    dataset = hades.load(run)
    with pytest.raises(InputError, match="mnist has other data now"):
        hades.evaluate(dataset, inits=2)
    assert hades.evaluate(run, inits=2).mean == hades.evaluate(dataset, task, inits=2).mean


def test_where_code_lies_is_believed_of_ones_own_runs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that somebody sent could name any file of this machine, which is here byte for byte."""
    file = tmp_path / "code" / "mine.py"
    file.parent.mkdir()
    file.write_bytes((Path(__file__).parents[1] / "walk.py").read_bytes())
    tiny: dict[str, Any] = {"generations": 1, "population": 4, "inits": 1, "normaliser": "none", "validate_inits": 2}
    learner = {"width": 4, "epochs": 2}
    run = hades.distill(f"{file}:Walk", 3, out=tmp_path / "run", learner=learner, progress=False, **tiny).run
    assert run is not None
    monkeypatch.chdir(tmp_path)
    played = hades.evaluate(run, inits=2, episodes=1)
    assert subject(run).played() is not None
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of another"))
    for look in (lambda: hades.evaluate(run), lambda: hades.meaning(run), lambda: subject(run).played()):
        with pytest.raises(
            InputError, match=r"mine\.py:Walk is code of a file that is not here; go on with: --task FILE\.py:Walk"
        ):
            look()
    assert (hades.evaluate(run, hades.make(f"{file}:Walk"), inits=2, episodes=1).returns == played.returns).all()


def test_parts_of_a_union_are_asked_for_too(tmp_path: Path) -> None:
    task = hades.make(Windy())
    union = merge([_dataset(task, tmp_path), _dataset(hades.make(Walk()), tmp_path)])
    with pytest.raises(InputError, match=r"a task of your own, Pendulum-v1 .* given=\[task\]"):
        parts(union)
    known = parts(union, [task, hades.make(Walk())])
    assert set(known) == {"Pendulum-v1", "Walk"} and known["Walk"].environment.max_steps == 5
    with pytest.raises(InputError, match="has no part for CartPole-v1"):
        parts(union, [hades.make("cartpole")])
