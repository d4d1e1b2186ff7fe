"""Suites that are installed beside HaDES: `pip install 'hades-rl[suites]'`; what is not there is not tried."""

from typing import Any

import jax
import numpy as np
import pytest

import hades
from hades.errors import InputError
from hades.extras import MissingExtra
from hades.tasks import suites
from hades.tasks.base import Acting
from hades.tasks.suites import LATER, SUITES

TASKS = [
    ("envpool/CartPole-v1", (4,), 2, True), ("envpool/Hopper-v4", (11,), 3, False),
    ("playground/CartpoleBalance", (5,), 1, False), ("navix/Navix-Empty-5x5-v0", (75,), 7, True),
    ("craftax/Craftax-Classic-Symbolic-v1", (1345,), 17, True), ("jumanji/Game2048-v1", (20,), 4, True),
]  # fmt: skip


def made(name: str, **options: Any) -> Acting:
    """A task, where its suite is installed."""
    suite = name.split("/")[0]
    if not SUITES[suite].installed:
        pytest.skip(f"{suite} is not installed")
    task = hades.make(name, **options)
    assert isinstance(task, Acting)
    return task


@pytest.mark.slow
@pytest.mark.parametrize(("name", "obs_shape", "actions", "discrete"), TASKS)
def test_a_task_is_what_it_says(name: str, obs_shape: tuple[int, ...], actions: int, discrete: bool) -> None:
    task = made(name, max_steps=12)
    assert task.spec == hades.dataset.Spec(obs_shape, actions, discrete) and task.max_steps == 12
    assert task.registered and task.options == {"max_steps": 12} and task.versions
    hades.check(task)
    first, again = (task.play_randomly(jax.random.key(3), 4) for _ in range(2))
    np.testing.assert_array_equal(first.ret, again.ret)
    assert np.isfinite(first.ret).all() and (np.asarray(first.length) <= 12).all()


@pytest.mark.parametrize("suite", [name for name in LATER if name != "gymnasium"])
def test_what_is_not_there_is_told(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUITES, suite, SUITES[suite]._replace(module="not_installed"))
    with pytest.raises(MissingExtra, match=rf"pip install 'hades-rl\[{suite}\]'"):
        hades.make(f"{suite}/Anything-v0")
    assert hades.tasks.names(suite) == []


@pytest.mark.parametrize("name", ["envpool/Hoper-v4", "navix/Navix-Empty-5x5", "jumanji/Snake-v9"])
def test_the_nearest_names_are_told(name: str) -> None:
    with pytest.raises(InputError, match=f"there is no {name}; did you mean {name.split('/')[0]}/"):
        made(name)


def test_a_short_name_of_several_suites_is_answered_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from hades.tasks import lookup

    known = {"gymnasium": ["gymnasium/Lander-v3"], "envpool": ["envpool/Lander-v3", "envpool/Solo-v1"]}
    monkeypatch.setattr(lookup, "_listed", lambda suite: known.get(suite, []))
    with pytest.raises(InputError, match=r"of several suites; take one of gymnasium/Lander-v3, envpool/Lander-v3"):
        lookup.find("Lander-v3")
    assert lookup.find("solo") == ("envpool", "envpool/Solo-v1")
    assert lookup.find("hopper") == ("brax", "brax/hopper")
    assert suites.FIRST == ("images", "gymnax", "brax")
