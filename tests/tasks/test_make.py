"""Tasks by name, and what names and options are refused."""

import pytest
from tests.helpers import control

from hades import tasks
from hades.errors import InputError


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
    assert set(tasks.BRAX.values()) <= set(names)
    assert "Seaquest-MinAtar" in names and "brax/humanoid" in names


@pytest.mark.parametrize(("name", "nearest"), [("cartpol", "CartPole-v1"), ("hoper", "brax/hopper")])
def test_an_unknown_name_is_answered_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"did you mean {nearest}"):
        control(name)


def test_bad_options_are_refused() -> None:
    with pytest.raises(InputError, match="unknown Brax backend 'bullet'"):
        control("hopper", backend="bullet")
    with pytest.raises(InputError, match="no option 'gravitas'"):
        control("pendulum", gravitas=3)
    with pytest.raises(InputError, match="does not have gymnax's API"):
        control(object())
    with pytest.raises(InputError, match="speed"):
        control("hopper", speed=3)


def test_an_option_reaches_the_environment() -> None:
    assert control("cartpole", max_steps_in_episode=7).environment.max_steps == 7


def test_making_a_task_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    control("halfcheetah")
    assert capfd.readouterr() == ("", "")
