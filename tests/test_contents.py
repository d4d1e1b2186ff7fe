"""What a dataset may be made of, and what is refused in one line."""

from typing import Any

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hades
from hades.contents import as_float32, as_info
from hades.errors import InputError
from tests.test_files import JSON

STATES = np.ones((2, 3))


class Tensor:
    """Another library's, as numpy sees it."""

    def __init__(self, values: Any, grad: bool = False) -> None:
        self.values, self.grad = np.asarray(values), grad

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.grad:
            raise RuntimeError("this tensor requires grad")
        return self.values.astype(dtype or self.values.dtype)


@pytest.mark.parametrize(
    "states",
    [STATES.tolist(), Tensor(STATES), jnp.ones((2, 3)), STATES.astype(ml_dtypes.bfloat16), STATES.astype(int)],
)
def test_whatever_is_an_array_makes_a_dataset(states: Any) -> None:
    dataset = hades.Dataset(states=states, labels=np.eye(2))
    assert dataset.states.dtype == np.float32 and (dataset.states == 1).all()


@pytest.mark.parametrize("labels", [[2, 0], np.asarray([2, 0], np.uint8), Tensor([2, 0]), (2, 0)])
def test_labels_may_be_classes(labels: Any) -> None:
    dataset = hades.Dataset(states=STATES, labels=labels)
    np.testing.assert_array_equal(dataset.targets, np.eye(3)[[2, 0]])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("labels", [-1, 0], "class numbers go from 0 to 65535"),
        ("labels", [10**9, 0], "class numbers go from 0 to 65535"),
        ("states", [["1", "2"]], r"array of numbers, not a value of type list \(its numbers are <U1\)"),
        ("states", np.ones((1, 2), complex), "its numbers are complex64|its numbers are complex128"),
        ("states", [[1, 2], [3]], "array of numbers.*inhomogeneous"),
        ("states", Tensor(STATES, grad=True), "array of numbers.*this tensor requires grad"),
        ("states", 1e39 * STATES, "6 values that are not finite"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(name: str, value: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        as_float32(name, value)


def test_info_is_what_a_file_has() -> None:
    info = {"score": np.float32(0.5), 3: np.arange(2), "bad": float("nan"), "kept": {"a": (1, None)}}
    assert as_info(info) == {"score": 0.5, "3": [0, 1], "bad": None, "kept": {"a": [1, None]}}


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"task": 3}, "task must be a name, not 3"),
        ({"online": "yes"}, "online must be true or false, not 'yes'"),
        ({"learner": "foo"}, "learner must be values by their names, not 'foo'"),
        ({"learner": {"width": object()}}, "learner must be JSON: Object of type object"),
        ({"info": [1]}, "info must be values by their names"),
        ({"info": {"task_options": 3}}, "info: task_options must be values by their names, not 3"),
        ({"info": {"init_key": ["a", 0]}}, "info: init_key must be a whole number, not 'a'"),
        ({"info": {"metric": []}}, "info: metric must be a name"),
        ({"info": {"parts": 5}}, "info: parts must be several values, not 5"),
        ({"info": {"parts": [{"task": "a"}]}}, "a part has no task_options"),
    ],
)
def test_what_is_said_of_a_dataset_is_checked(about: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        hades.Dataset(states=STATES, labels=[0, 1], **about)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["online", "task", "learner", "info"]), JSON, min_size=1))
def test_whatever_a_header_has_is_a_dataset_or_one_line(about: dict[str, Any]) -> None:
    try:
        dataset = hades.Dataset(states=STATES, labels=[0, 1], **about)  # type: ignore[arg-type]
    except InputError as error:
        assert str(error).isprintable()
    else:
        assert all(line.isprintable() for line in dataset.describe().split("\n"))
