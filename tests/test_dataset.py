import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save_file

import hades
from hades.errors import InputError

floats = st.floats(-1e6, 1e6, width=32)


@st.composite
def datasets(draw: st.DrawFn) -> hades.Dataset:
    size, actions = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    obs_shape = draw(st.sampled_from([(1,), (7,), (3, 2), (4, 4, 2)]))
    states = draw(hnp.arrays(np.float32, (size, *obs_shape), elements=floats))
    normaliser = {}
    if draw(st.booleans()):
        normaliser["obs_mean"] = draw(hnp.arrays(np.float32, obs_shape, elements=floats))
        normaliser["obs_std"] = draw(hnp.arrays(np.float32, obs_shape, elements=st.floats(0.125, 1e3, width=32)))
    if draw(st.booleans()):
        labels = draw(hnp.arrays(np.float32, (size, actions), elements=st.floats(0.125, 1, width=32)))
        return hades.Dataset(states=states, labels=labels / labels.sum(1, keepdims=True), **normaliser)
    return hades.Dataset(
        states=states,
        actions=draw(hnp.arrays(np.float32, (size, actions), elements=floats)),
        task=draw(st.text()),
        learner={"width": 3},
        info={"score": 1.5, "note": draw(st.text())},
        **normaliser,
    )


@given(datasets())
def test_a_file_gives_back_the_dataset(tmp_path_factory: pytest.TempPathFactory, dataset: hades.Dataset) -> None:
    path = tmp_path_factory.mktemp("dataset") / "d.safetensors"
    dataset.save(path)
    again = hades.load(path)
    for name in ("states", "actions", "labels", "obs_mean", "obs_std"):
        np.testing.assert_array_equal(getattr(again, name), getattr(dataset, name))
    assert (again.task, again.learner, again.info) == (dataset.task, dataset.learner, dataset.info)
    assert again.spec == dataset.spec


@given(datasets(), st.data())
def test_a_truncated_file_is_refused(
    tmp_path_factory: pytest.TempPathFactory, dataset: hades.Dataset, data: st.DataObject
) -> None:
    path = dataset.save(tmp_path_factory.mktemp("dataset") / "d.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(InputError, match=r"truncated|not a"):
        hades.load(path)


def test_the_same_dataset_gives_the_same_bytes(tmp_path, continuous_pairs: hades.Dataset) -> None:
    one = continuous_pairs.save(tmp_path / "a").read_bytes()
    assert one == continuous_pairs.save(tmp_path / "b").read_bytes()


def test_the_normaliser_defaults_to_the_identity(cartpole_pairs: hades.Dataset) -> None:
    mean, std = cartpole_pairs.normaliser
    assert (mean == 0).all() and (std == 1).all() and mean.shape == (4,)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"states": np.zeros((2, 3))}, "give actions"),
        ({"states": np.zeros((2, 3)), "actions": np.zeros((2, 1)), "labels": np.ones((2, 1))}, "not both"),
        ({"states": np.zeros(3), "actions": np.zeros((3, 1))}, "states must be"),
        ({"states": np.zeros((0, 3)), "actions": np.zeros((0, 1))}, "states must be"),
        ({"states": np.zeros((2, 3)), "actions": np.zeros((3, 1))}, "N = 2"),
        ({"states": np.full((2, 3), np.nan), "actions": np.zeros((2, 1))}, "6 values that are not finite"),
        ({"states": np.zeros((2, 3)), "actions": np.full((2, 1), np.inf)}, "actions holds 2 values"),
        ({"states": np.zeros((2, 3)), "labels": np.ones((2, 2))}, "sums to one"),
        ({"states": np.zeros((2, 3)), "actions": np.zeros((2, 1)), "obs_mean": np.zeros(4)}, "obs_mean must have"),
        ({"states": np.zeros((2, 3)), "actions": np.zeros((2, 1)), "obs_std": np.zeros(3)}, "positive"),
        ({"states": "words", "actions": np.zeros((2, 1))}, "array of numbers"),
    ],
)
def test_arrays_that_do_not_make_a_dataset_are_refused(arrays: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        hades.Dataset(**arrays)


def test_foreign_files_are_refused(tmp_path) -> None:
    save_file({"weights": np.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="not a HaDES dataset"):
        hades.load(tmp_path / "foreign.safetensors")
    about = {"hades": json.dumps({"version": 99})}
    save_file({"states": np.zeros((1, 1))}, tmp_path / "newer.safetensors", about)
    with pytest.raises(InputError, match="format version 99"):
        hades.load(tmp_path / "newer.safetensors")
    with pytest.raises(InputError, match="no dataset file"):
        hades.load(tmp_path / "absent.safetensors")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(InputError, match="not a readable"):
        hades.load(tmp_path / "text")


def test_a_file_of_numbers_that_numpy_lacks_is_refused(tmp_path) -> None:
    file, header = tmp_path / "model.safetensors", b'{"weights":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    file.write_bytes(len(header).to_bytes(8, "little") + header + b"00")
    with pytest.raises(InputError, match=r"is not a readable|not a HaDES dataset"):
        hades.load(file)


def test_a_file_with_nan_inside_is_refused(tmp_path, continuous_pairs: hades.Dataset) -> None:
    path = continuous_pairs.save(tmp_path / "d")
    content = path.read_bytes()
    path.write_bytes(content[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(InputError, match="not finite"):
        hades.load(path)


def test_a_dataset_describes_itself(cartpole_pairs: hades.Dataset) -> None:
    text = cartpole_pairs.describe()
    assert "2 pairs for CartPole-v1" in text and "width 32" in text


def test_a_dataset_is_found_by_its_runs_folder(tmp_path, continuous_pairs: hades.Dataset) -> None:
    with pytest.raises(InputError, match=r"is a folder without dataset\.safetensors"):
        hades.load(tmp_path)
    continuous_pairs.save(tmp_path / "dataset.safetensors")
    np.testing.assert_array_equal(hades.load(tmp_path).states, continuous_pairs.states)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (None, "a path is a string or a pathlib.Path, not None"),
        (3, "a path is"),
        ("a\0b", "a path is"),
        ("a" * 5_000, "no dataset file"),
        ("cartpole-3", "did you mean cartpole-"),
    ],
)
def test_what_is_no_dataset_is_refused(where: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        hades.load(where)  # type: ignore[arg-type]


def test_headers_of_foreign_files_are_refused_in_one_line(tmp_path, cartpole_pairs: hades.Dataset) -> None:
    file = tmp_path / "d.safetensors"
    known = {"version": 1, "online": False, "task": "", "learner": {}, "info": {}}
    arrays = {"states": cartpole_pairs.states, "labels": cartpole_pairs.targets}
    for change, says in (
        ({"learner": "foo"}, "learner must be values by their names, not 'foo'"),
        ({"version": "\x1b[31m"}, r"format version \\x1b\[31m"),
        ({"info": {"parts": [{}]}}, "a part has no task"),
        ({"task": {}}, "task must be a name"),
    ):
        save_file(arrays, file, {"hades": json.dumps(known | change)})
        with pytest.raises(InputError, match=says):
            hades.load(file)
    save_file(arrays, file, {"hades": "[" * 100_000})
    with pytest.raises(InputError, match="not a readable"):
        hades.load(file)
    save_file(arrays, file, {"hades": json.dumps(known | {"learner": {"foo": 1}})})
    with pytest.raises(InputError, match="unknown option 'foo'; a learner has network"):
        hades.train(file, 0)


def test_what_a_file_says_does_nothing_to_a_terminal(cartpole_pairs: hades.Dataset) -> None:
    text = dataclasses.replace(cartpole_pairs, task="\x1b[2J\n", info={"note": "\x07"}).describe()
    assert "\\x1b[2J\\n" in text and all(line.isprintable() for line in text.split("\n"))


def test_a_name_that_is_nearly_right_is_answered(tmp_path: Path) -> None:
    hades.load("cartpole-2").save(tmp_path / "first" / "dataset.safetensors")
    (tmp_path / "notes").mkdir()
    with pytest.raises(InputError, match=r"did you mean [^ ]*/first\?"):
        hades.load(tmp_path / "frist")
    with pytest.raises(InputError, match=r"in the zoo; `hades zoo`"):
        hades.load(tmp_path / "note")
    with pytest.raises(InputError, match=r"in the zoo; `hades zoo`"):
        hades.load("a" * 300 + "/b")
    with pytest.raises(InputError, match=r"did you mean cartpole-[28] or cartpole-[28]"):
        hades.load("cartpole-3")
