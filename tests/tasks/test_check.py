"""What is wrong with an environment of one's own is said before anything starts, all of it at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import TINY, Target
from tests.tasks.test_host import Line
from tests.walk import Walk

import hades
from hades.dataset import Spec
from hades.normalisers import identity_normaliser
from hades.tasks.base import Task
from hades.tasks.control import ControlTask
from hades.tasks.host import HostStep, HostTask

Change = Callable[[Any, Any], Any]

KEY = jax.random.key(0)


def _faults(task: Task) -> str:
    with pytest.raises(hades.InputError) as told:
        hades.check(task)
    return str(told.value)


def _walk(reset: Change = lambda env, out: out, step: Change = lambda env, out: out) -> Task:
    """A `Walk` whose answers are changed."""

    class Changed(Walk):
        def reset_env(self, key: jax.Array, params: Any) -> tuple[Any, Any]:
            return reset(self, super().reset_env(key, params))

        def step_env(self, key: jax.Array, state: Any, action: Any, params: Any) -> tuple[Any, ...]:
            return step(self, super().step_env(key, state, action, params))

    return hades.make(Changed())


def test_what_is_right_passes() -> None:
    hades.check("cartpole")
    hades.check(Walk(), max_steps_in_episode=3)
    hades.check(ControlTask("target", Target()))
    hades.check(HostTask("line", Line()))
    hades.check("digits")


@pytest.mark.parametrize(
    ("task", "faults"),
    [
        (_walk(lambda _, out: (out[0][:1], out[1])), ["reset's observations are [1], where [2] was to be"]),
        (_walk(step=lambda _, out: (out[0].sum(), *out[1:])), ["step's observations are [], where [2] was to be"]),
        (_walk(step=lambda _, out: (*out[:2], jnp.ones(1), *out[3:])), ["rewards are [1], where [] was to be"]),
        (_walk(step=lambda _, out: (*out[:3], jnp.ones(2, bool), {})), ["terminated are [2]", "truncated are [2]"]),
        (_walk(step=lambda _, out: (out[0], out[1].replace(x=jnp.int32(1)), *out[2:])),
         ["the state's .x is float32[] after reset, int32[] after step"]),
        (_walk(step=lambda _, out: (out[0], out[1].replace(x=None), *out[2:])), ["the state that step returns"]),
        (_walk(lambda _, out: (out[0] / 0, out[1])), ["reset's observations are not all finite"]),
        (_walk(step=lambda _, out: (*out[:2], jnp.nan, *out[3:])), ["rewards are not all finite"]),
        (_walk(lambda _, out: (out[0] + np.random.uniform(), out[1])), ["it is another program each time"]),
        (_walk(lambda _, out: (out[0] if out[0][0] > 0 else 0, out[1])), ["reset fails: TracerBoolConversionError"]),
        (_walk(step=lambda _, out: out[:4]), ["step fails: ValueError: not enough values to unpack"]),
        (_walk(lambda _, out: ({"x": out[0]}, out[1])), ["reset fails: TypeError"]),
        (_walk(lambda _, out: (out[0][:1], out[1]), lambda _, out: (*out[:2], jnp.ones(1), *out[3:])),
         ["reset's observations are [1]", "rewards are [1]"]),
        (_walk(lambda _, out: (out[0][:1], out[1]), lambda _, out: (out[0][:1], *out[1:])),
         ["is not what it says: observations are [1], where [2] was to be"]),
    ],
)  # fmt: skip
def test_faults_of_an_environment_with_gymnaxs_api(task: Task, faults: list[str]) -> None:
    told = _faults(task)
    assert told.startswith("Changed is not what it says:")
    assert all(fault in told for fault in faults) and told.count("\n") == (len(faults) if len(faults) > 1 else 0)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"max_steps": 0}, "max_steps must be a whole number of steps, 1 or more, not 0"),
        ({"max_steps": 2.5}, "max_steps must be a whole number of steps, 1 or more, not 2.5"),
        ({"spec": Spec((), 1, False)}, "observations must have one axis or more, not the shape []"),
        ({"spec": Spec((1,), 0, True)}, "there must be one action or more, not 0"),
        ({"spec": ((1,), 1, False)}, "spec must be a hades.dataset.Spec, not tuple"),
        ({"spec": Spec((2,), 1, False)}, "1], where "),
    ],
)
def test_faults_of_what_an_environment_says_of_itself(change: dict[str, Any], fault: str) -> None:
    for task in (ControlTask("x", Target()), HostTask("x", Line())):
        vars(task.environment).update(change)
        assert fault in _faults(task)


def test_faults_of_an_environment_with_our_own_protocol() -> None:
    class Whole(Target):
        def step(self, key: jax.Array, state: Any, action: jax.Array) -> Any:
            return super().step(key, state, action)._replace(terminated=jnp.int32(0), obs=jnp.zeros(1, jnp.int32))

    told = _faults(ControlTask("whole", Whole()))
    assert "terminated are int32, not true or false" in told and "observations are int32, not real numbers" in told


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda out: out._replace(obs=out.obs[:, 0]), "step's observations are [2], where [2, 1] was to be"),
        (lambda out: out._replace(reward=out.reward.sum()), "rewards are [], where [2] was to be"),
        (lambda out: out._replace(terminated=out.reward), "terminated are float32, not true or false"),
        (lambda out: out._replace(reward=out.reward * np.nan), "rewards are not all finite"),
        (lambda out: out[:3], "step of 2 copies fails: ValueError"),
    ],
)
def test_faults_of_an_environment_outside_jax(change: Callable[[HostStep], Any], fault: str) -> None:
    class Changed(Line):
        def step(self, actions: np.ndarray) -> HostStep:
            return change(super().step(actions))

    assert fault in _faults(HostTask("line", Changed()))


def test_episodes_outside_jax_are_their_seeds() -> None:
    class Random(Line):
        def reset(self, seeds: np.ndarray) -> np.ndarray:
            return super().reset(np.random.default_rng().integers(2**31, size=len(seeds)))

    assert "the same seeds begin other episodes" in _faults(HostTask("line", Random()))


def test_nothing_starts_with_an_environment_that_is_wrong(tmp_path: Path, continuous_pairs: hades.Dataset) -> None:
    task = _walk(step=lambda _, out: (*out[:2], jnp.ones(1), *out[3:]))
    with pytest.raises(hades.InputError, match=r"rewards are \[1\]"):
        hades.distill(task, size=2, out=tmp_path / "run", **TINY)
    assert not (tmp_path / "run").exists()
    with pytest.raises(hades.InputError, match=r"rewards are \[1\]"):
        hades.evaluate(continuous_pairs, task)


def test_an_environment_that_never_ends_is_ended_at_its_limit() -> None:
    class Endless(Walk):
        def is_truncated(self, state: Any, params: Any) -> Any:
            return jnp.asarray(False)

    task = hades.make(Endless())
    assert isinstance(task, ControlTask)
    assert task.play_randomly(KEY, 3).length.tolist() == [[5] * 3]
    assert task.start("sample", 2, identity_normaliser(task.spec), KEY).shape == (2, 2)
