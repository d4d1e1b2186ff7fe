"""What tests share: tasks that are over in milliseconds, and options that make a distillation of them as short."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades.cli import main
from hades.dataset import Spec
from hades.learner.recipe import Learner
from hades.learner.recipes import IMAGES
from hades.tasks.control import ControlTask
from hades.tasks.environment import Step
from hades.tasks.host import HostTask
from hades.tasks.images import ImageTask

TINY: dict[str, Any] = {
    "population": 8, "inits": 1, "validate_inits": 2, "validate_every": 3, "generations": 7,
    "learner": Learner(width=8, epochs=20), "progress": False,
}  # fmt: skip
"""Of `hades.distill`, for control."""
RECIPE = IMAGES.patched(Learner(network="mlp", width=8, depth=1, learning_rate=1.0, epochs=20))
TINY_IMAGES: dict[str, Any] = {
    "inits": 2, "episodes": 64, "generations": 8, "validate_every": 4, "validate_inits": 2, "learner": RECIPE,
    "progress": False,
}  # fmt: skip
"""Of `hades.distill`, for images."""
TINY_LINE = ["--population", "8", "--inits", "1", "--width", "8", "--epochs", "16", "--validate-every", "4"]
"""Of the command line, for control."""


class Target:
    """Walk on a line for ten steps; the reward is minus the distance to the origin, the action a step."""

    spec = Spec((1,), 1, discrete=False)
    max_steps = 10

    def reset(self, key: jax.Array) -> tuple[Any, jax.Array]:
        """Somewhere on the line."""
        x = jax.random.uniform(key, (1,), minval=-1, maxval=1)
        return (x, 0), x

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step:
        """At most half a unit further."""
        del key
        x, time = state
        x, time = x + 0.5 * action, time + 1
        return Step((x, time), x, -jnp.abs(x[0]), jnp.asarray(False), time >= self.max_steps)


def control(name: Any, **options: Any) -> ControlTask:
    """An environment, known to be one."""
    task = hades.make(name, **options)
    assert isinstance(task, ControlTask)
    return task


def hosted(name: Any, **options: Any) -> HostTask:
    """A task outside JAX, as such."""
    task = hades.make(name, **options)
    assert isinstance(task, HostTask)
    return task


def image_task(task: object) -> ImageTask:
    """Labelled images, known to be such."""
    assert isinstance(task, ImageTask)
    return task


def labelled(train: int = 30, test: int = 6, classes: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of images of noise, as a ``.npz`` file has them."""
    rng = np.random.default_rng(seed)
    return {
        "train_images": rng.integers(0, 256, (train, 6, 5), np.uint8),
        "train_labels": np.arange(train) % classes,
        "test_images": rng.integers(0, 256, (test, 6, 5), np.uint8),
        "test_labels": np.arange(test) % classes,
    }


def save_labelled(folder: Path, **changes: np.ndarray | None) -> str:
    """``mine.npz``, some of its arrays changed or left out."""
    arrays = {name: array for name, array in (labelled() | changes).items() if array is not None}
    np.savez(folder / "mine.npz", **arrays)  # type: ignore[arg-type]
    return str(folder / "mine.npz")


def metrics_row(generation: int, **more: float | None) -> dict[str, float | None]:
    """A generation's metrics."""
    score = {"mean": 1.0, "best": 2.0, "validated": None}
    return {"generation": generation, "env_steps_total": 80 * generation, "seconds": 0.5 * generation, **score, **more}


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """A command's exit code, and what it wrote to stdout and stderr."""
    capsys.readouterr()
    code = main(list(args))
    captured = capsys.readouterr()
    return code, captured.out, captured.err
