"""Shared fixtures: a task that is over in milliseconds, images, and small datasets."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import hades
from hades import runtime
from hades.tasks.control import ControlTask
from hades.tasks.images import ImageTask
from tests.helpers import Target, image_task, save_labelled

runtime.configure()
settings.register_profile("untimed", deadline=None)  # a test is not a benchmark, and machines are busy
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """The default set runs for milliseconds what it compiles for seconds, also in commands that it starts."""
    if config.option.markexpr == "not slow":
        flags = ["--xla_backend_optimization_level=0", *os.environ.get("XLA_FLAGS", "").split()]
        os.environ["XLA_FLAGS"] = " ".join(dict.fromkeys(flags))


@pytest.fixture(scope="session", autouse=True)
def _heard() -> None:
    """Signals, which a shell's background or nohup ignores, also for the processes that tests start."""
    handlers = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    for number, handler in handlers.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(scope="session", autouse=True)
def _key(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Runs are signed by a key of the tests' own."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def target() -> ControlTask:
    """A task that is over in milliseconds."""
    return ControlTask("target", Target())


@pytest.fixture(scope="session")
def digits() -> ImageTask:
    """Labelled images that need no download."""
    return image_task(hades.make("digits"))


@pytest.fixture
def mine(tmp_path: Path) -> ImageTask:
    """Labelled images of one's own: noise of three classes."""
    return image_task(hades.make(save_labelled(tmp_path)))


@pytest.fixture
def cartpole_pairs() -> hades.Dataset:
    """Two pairs that solve CartPole: push towards where the pole falls."""
    state = np.asarray([[0, -0.5, -4, -4], [0, 0.5, 4, 4]], np.float32)
    return hades.Dataset(
        states=state, labels=np.eye(2), task="CartPole-v1", learner={"width": 32, "epochs": 64, "activation": "tanh"}
    )


@pytest.fixture
def continuous_pairs() -> hades.Dataset:
    """Five pairs of three numbers and two actions."""
    rng = np.random.default_rng(0)
    return hades.Dataset(states=rng.normal(size=(5, 3)), actions=rng.uniform(-0.9, 0.9, size=(5, 2)), task="mine")
