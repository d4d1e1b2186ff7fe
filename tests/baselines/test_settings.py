"""PPO's settings, by task."""

from typing import Any

import pytest
from tests.helpers import Target

import hades
from hades import tasks
from hades.baselines.settings import CONTINUOUS, TASKS, complete
from hades.tasks.control import ControlTask


def test_a_tasks_own_replace_the_usual_ones_and_arguments_replace_those(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, "target", CONTINUOUS | {"learning_rate": 0.5, "gamma": 0.9})
    task = ControlTask("target", Target())
    assert complete(task) == CONTINUOUS | {"learning_rate": 0.5, "gamma": 0.9}
    assert complete(task, {"gamma": 0.8}) == {**complete(task), "gamma": 0.8}
    assert complete(ControlTask("other", Target())) == CONTINUOUS


def test_every_tuned_task_is_a_task_and_every_setting_one_that_there_is() -> None:
    for name, own in TASKS.items():
        assert tasks.resolve(name) == name and own.keys() == CONTINUOUS.keys()
        assert complete(name) == own and own["num_envs"] * own["num_steps"] % own["num_minibatches"] == 0


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"lr": 1.0}, "unknown option 'lr'; PPO has num_envs"),
        ({"num_minibatches": 0}, "num_minibatches must be at least 1, not 0"),
        ({"gamma": 1.5}, "gamma must be at most 1, not 1.5"),
        ({"anneal": 1}, "anneal must be true or false, not 1"),
        ({"num_envs": 3, "num_steps": 5}, "15 steps an iteration cannot be split into 16 minibatches"),
    ],
)
def test_bad_settings_are_one_line(own: dict[str, Any], says: str) -> None:
    with pytest.raises(hades.InputError, match=says):
        complete(ControlTask("target", Target()), own)
