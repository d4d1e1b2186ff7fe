"""Tasks by name, and what names and options are refused."""

from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import pytest
from brax import envs
from brax.envs.fast import Fast
from tests.helpers import Target, control
from tests.walk import Walk

import hades
from hades import tasks
from hades.errors import InputError, Notice
from hades.tasks.environment import Later
from hades.tasks.suites import SUITES


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("cartpole", "CartPole-v1"),
        ("CartPole-v1", "CartPole-v1"),
        ("cart_pole", "CartPole-v1"),
        ("breakout", "Breakout-MinAtar"),
        ("space-invaders", "SpaceInvaders-MinAtar"),
        ("mountaincar-continuous", "MountainCarContinuous-v0"),
        ("mountaincar", "MountainCar-v0"),
        ("hopper", "brax/hopper"),
        ("brax/hopper", "brax/hopper"),
        ("inverted double pendulum", "brax/inverted_double_pendulum"),
        ("reacher", "brax/reacher"),
        ("Reacher-misc", "Reacher-misc"),
        ("catch", "Catch-bsuite"),
    ],
)
def test_names_are_forgiving(name: str, full: str) -> None:
    assert tasks.resolve(name) == full


def test_every_name_resolves_to_itself() -> None:
    names = tasks.names()
    assert len(names) == len(set(names)) and [tasks.resolve(name) for name in names] == names
    assert [name for suite in SUITES for name in tasks.names(suite)] == names
    assert set(tasks.BRAX.values()) <= set(names)
    assert "Seaquest-MinAtar" in names and "brax/humanoid" in names


@pytest.mark.parametrize(("name", "nearest"), [("cartpol", "CartPole-v1"), ("hoper", "brax/hopper")])
def test_an_unknown_name_is_answered_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"did you mean {nearest}"):
        control(name)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("ALE4/Pong-v5", "Pong-misc"),
        ("dm/cheetah-run", "brax/halfcheetah"),
        ("pick-place-v2", None),
        ("data/mine", None),
    ],
)
def test_a_name_from_elsewhere_is_told_what_there_is(name: str, nearest: str | None) -> None:
    with pytest.raises(InputError) as told:
        control(name)
    message = str(told.value)
    assert "`hades envs` lists what has a name" in message and "FILE.py:CLASS" in message and "\n" not in message
    assert (f"did you mean {nearest}? " in message) if nearest else ("did you mean" not in message)
    assert ("no file or folder is there" in message) == ("/" in name)


@pytest.mark.parametrize("name", ["swimmer", "brax/swimmer"])
def test_what_brax_has_but_cannot_run_is_no_other_task(name: str) -> None:
    with pytest.raises(InputError, match=r"swimmer runs on no pipeline with this JAX; .* Swimmer-misc"):
        control(name)


def test_an_environment_registered_with_brax_is_made_by_its_name() -> None:
    """And is somebody's own; under a name of Brax's it is not Brax's."""
    envs.register_environment("mine", Mine)
    envs.register_environment("fast", Mine)
    try:
        for name in ("brax/mine", "mine", "brax/fast"):
            task = control(name)
            assert task.own == "Mine" and task.environment.spec.obs_shape == (2,)
        with pytest.raises(InputError, match=r"brax/mine cannot be made with .* 'mjx': ValueError: not that"):
            control("mine", backend="mjx")
    finally:
        envs.register_environment("fast", Fast)
        del envs._envs["mine"]
    assert control("brax/fast").own == ""


class Mine(Fast):
    """As a user's."""

    def __init__(self, backend: str, **options: Any) -> None:
        if backend == "mjx":
            raise ValueError("not that one")
        super().__init__(backend=backend, **options)


class Plain(gymnasium.Env):
    """Of Gymnasium's API."""

    observation_space, action_space = gymnasium.spaces.Box(-1, 1, (2,)), gymnasium.spaces.Discrete(2)


class Body(Fast):
    """Of Brax's API."""


@pytest.mark.parametrize("kind", [Walk, Plain, Body])
def test_an_environment_of_ones_own_names_its_dimensions(kind: type) -> None:
    """As many as there are; others are left out, and that is said."""
    limit = {} if kind is Walk else {"max_steps": 5}
    spec = hades.make(kind(), **limit).spec
    names = {"observation_names": ["height", "speed"], "action_names": list("abc")[: spec.num_actions]}
    named = type("Named", (kind,), names)
    for env in (named, named()):
        units = hades.make(env, **limit).units
        assert units.observations == ("height", "speed") and list(units.actions) == names["action_names"]
    with pytest.warns(Notice, match="observation_names must be a list of 2 names; it is left out"):
        units = hades.make(type("Odd", (named,), {"observation_names": ["height"]})(), **limit).units
    assert units.observations == () and list(units.actions) == names["action_names"]


def test_what_is_made_when_it_is_needed_can_be_needed_in_a_program() -> None:
    """Its arrays are no part of the program that asks for it first."""
    later = Later(Lazy)
    keys = jax.random.split(jax.random.key(0))
    first, second = (jax.jit(later.reset)(key)[1] for key in keys)
    assert first == second == 3


class Lazy(Target):
    """Made of an array."""

    def __init__(self) -> None:
        self.start = jnp.full(1, 3.0)

    def reset(self, key: jax.Array) -> Any:
        return super().reset(key)[0], self.start


def test_bad_options_are_refused() -> None:
    with pytest.raises(InputError, match="unknown Brax backend 'bullet'"):
        control("hopper", backend="bullet")
    with pytest.raises(InputError, match="no option 'gravitas'"):
        _ = control("pendulum", gravitas=3).spec  # told now, or when it is made where that had to wait
    with pytest.raises(InputError, match="object is no environment: give an environment with the API of"):
        control(object())
    with pytest.raises(InputError, match="speed"):
        control("hopper", speed=3)


def test_an_option_reaches_the_environment() -> None:
    assert control("cartpole", max_steps_in_episode=7).environment.max_steps == 7


def test_making_a_task_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    control("halfcheetah")
    assert capfd.readouterr() == ("", "")
