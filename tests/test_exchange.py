"""Datasets as other tools have them: in the environment's units, with names, and from recorded transitions."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import hades
from hades import exchange
from hades.errors import InputError
from hades.units import Units
from tests.helpers import TINY

NUMBERS = st.floats(-100, 100, width=32)


@given(st.data())
def test_what_an_environment_has_comes_back(data: st.DataObject) -> None:
    pairs, obs, act = (data.draw(st.integers(1, 5)) for _ in range(3))
    observations = data.draw(arrays.arrays(np.float32, (pairs, obs), elements=NUMBERS))
    actions = data.draw(arrays.arrays(np.float32, (pairs, act), elements=NUMBERS))
    low = data.draw(st.lists(st.floats(-9, -1), min_size=act, max_size=act))
    units = Units(low=tuple(low), high=tuple(-one * 2 for one in low))
    dataset = hades.Dataset.from_arrays(observations, actions, units=units)
    back = dataset.raw()
    np.testing.assert_allclose(back.observations, observations, atol=1e-3)
    np.testing.assert_allclose(back.actions, actions, atol=1e-3)


def test_bounds_and_names_are_the_tasks_and_stay_in_the_file(tmp_path: Path) -> None:
    dataset = hades.Dataset.from_arrays([[1.0, 0, 0], [0, 1, 3]], [[2.0], [-1]], "pendulum")
    assert dataset.actions is not None and dataset.actions.tolist() == [[1.0], [-0.5]]
    again = hades.load(dataset.save(tmp_path / "pairs.safetensors"))
    assert again.units == dataset.units == hades.make("pendulum").units
    assert again.units.observations == ("cos angle", "sin angle", "angular velocity")
    np.testing.assert_allclose(again.raw().actions, [[2.0], [-1.0]], atol=1e-6)


def test_files_from_before_there_were_units_ask_their_task() -> None:
    known = hades.load("pendulum")
    old = hades.Dataset(**{**vars(known), "units": Units()})
    np.testing.assert_array_equal(old.raw().actions, known.raw().actions)
    np.testing.assert_allclose(known.raw().actions, 2 * known.targets, rtol=1e-6)


def test_classes_are_counted_by_the_task() -> None:
    dataset = hades.Dataset.from_arrays([[-0.5, 0.0], [0.5, 0.1]], [0, 1], "mountaincar")
    assert dataset.labels is not None and dataset.labels.shape == (2, 3)
    with pytest.raises(InputError, match="actions go from 0 to 2 here, not from 0 to 3"):
        hades.Dataset.from_arrays([[-0.5, 0.0], [0.5, 0.1]], [0, 3], "mountaincar")
    with pytest.raises(InputError, match=r"actions are \[N, 1\] here, a row of 1 number a pair; these are \[2\]"):
        hades.Dataset.from_arrays([[1.0, 0, 0], [0, 1, 3]], [0, 1], "pendulum")
    with pytest.raises(InputError, match=r"these are pairs of observations \[3\] and 3 actions; MountainCar-v0 has"):
        hades.Dataset.from_arrays(np.zeros((2, 3)), [0, 1], "mountaincar")


@pytest.mark.parametrize(
    "units",
    [
        {"observations": ["x"]}, {"low": [-1.0, -1.0]}, {"low": [0, 0], "high": "ab"}, {"speed": [1]}, 3,
        {"actions": [1, 2]}, {"low": [float("nan")] * 2, "high": [1, 1]},
    ],
)  # fmt: skip
def test_units_that_do_not_fit_are_refused(units: Any) -> None:
    with pytest.raises(InputError, match="units"):
        hades.Dataset(states=np.zeros((1, 3)), actions=np.zeros((1, 2)), units=units)


@pytest.mark.parametrize(
    ("name", "observation", "action"),
    [
        ("cartpole", "pole angle", "push left"),
        ("breakout", "paddle", "left"),
        ("hopper", "thigh_joint velocity", "foot_joint"),
        ("gymnasium/Acrobot-v1", "cos angle 2", "no torque"),
    ],
)
def test_dimensions_have_names(name: str, observation: str, action: str) -> None:
    task = hades.make(name)
    assert observation in task.units.observations and action in task.units.actions
    assert len(task.units.observations) == task.spec.obs_shape[-1]


def test_a_body_is_named_as_gymnasium_says(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mujoco")
    units = hades.make("gymnasium/Ant-v5").units
    assert units.observations[0] == "root z" and units.observations[-1] == "cfrc_ext 77"
    assert len(units.observations) == 105 and units.actions[0] == "hip_4"
    assert hades.make("gymnasium/Reacher-v5").units.observations == ()  # what it shows is no plain part of its state


def test_what_is_distilled_has_its_tasks_units() -> None:
    result = hades.distill("pendulum", **{**TINY, "size": 2})
    assert result.dataset.units == hades.make("pendulum").units


def test_pandas_has_a_column_a_number() -> None:
    table = hades.load("cartpole-2").to_pandas()
    assert list(table.columns)[:2] == ["observation: cart position", "observation: cart velocity"]
    assert list(table.columns)[-1] == "action: push right" and table.shape == (2, 6)
    assert len(set(hades.load("breakout-16").to_pandas().columns)) == 403
    assert len(set(hades.load("hopper-4").to_pandas().columns)) == 14  # joints have observations and actions


@pytest.mark.slow
def test_torch_has_the_same_pairs() -> None:
    pytest.importorskip("torch")
    dataset = hades.load("cartpole-2")
    states, labels = dataset.to_torch().tensors
    np.testing.assert_array_equal(states.numpy(), dataset.states)
    np.testing.assert_array_equal(labels.numpy(), dataset.labels)


@pytest.mark.slow
def test_hugging_face_has_the_same_pairs() -> None:
    pytest.importorskip("datasets")
    dataset = hades.load("cartpole-2")
    table = dataset.to_hf()
    np.testing.assert_allclose(np.asarray(table["observations"]), dataset.raw().observations, rtol=1e-6)


@pytest.mark.parametrize("to", ["torch", "pandas", "datasets"])
def test_what_is_not_installed_is_told(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, to, None)
    with pytest.raises(InputError, match=f"{to} is not installed; install it with: pip install {to}"):
        getattr(hades.load("cartpole-2"), f"to_{to.replace('datasets', 'hf')}")()


def test_a_merged_dataset_has_no_units_of_its_own() -> None:
    union = hades.merge([hades.load("cartpole-2"), hades.load("acrobot")])
    with pytest.raises(InputError, match="take the datasets that it was made of"):
        union.raw()


class Recordings:
    """As Minari gives a dataset: episodes by number."""

    action_space = SimpleNamespace(start=0)
    episode_indices = np.arange(3)

    def __getitem__(self, i: int) -> Any:
        rng = np.random.default_rng(i)
        observations = rng.normal(3, 2, (9, 3)).astype(np.float32)
        return SimpleNamespace(observations=observations, actions=2 * np.tanh(observations[:-1, :1]))


def minari(found: Any) -> Any:
    """A stand-in for the package."""

    def load_dataset(name: str) -> Any:
        if name != "pendulum/expert-v0":
            raise FileNotFoundError(name)
        return found

    return SimpleNamespace(load_dataset=load_dataset, list_local_datasets=lambda: {"pendulum/expert-v0": {}})


def test_a_search_starts_from_recorded_transitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minari", minari(Recordings()))
    start, task = exchange.recorded("minari:pendulum/expert-v0", hades.make("pendulum"), 4, 0), hades.make("pendulum")
    pairs = start.raw()
    np.testing.assert_allclose(pairs.actions, 2 * np.tanh(pairs.observations[:, :1]), atol=1e-5)
    options = {**TINY, "size": 4, "normaliser": "fixed", "start": "minari:pendulum/expert-v0"}
    result = hades.distill(task, **options, out=tmp_path / "run")
    monkeypatch.setitem(sys.modules, "minari", None)  # a run has what it began from
    more = hades.resume(tmp_path / "run", generations=TINY["generations"] + 1, progress=False)
    assert len(more.metrics) == len(result.metrics) + 1


def test_recordings_that_are_not_there_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minari", minari(Recordings()))
    with pytest.raises(InputError, match=r"there is no dataset hopper of Minari's on this machine \(there: pendulum"):
        exchange.recorded("minari:hopper", hades.make("pendulum"), 4, 0)
    with pytest.raises(InputError, match="labels must be probabilities"):
        exchange.recorded("minari:pendulum/expert-v0", hades.make("cartpole"), 4, 0)
