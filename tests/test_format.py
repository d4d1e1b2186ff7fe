"""docs/format.md is true: its reader reads, its PyTorch trains, and every framework's networks score alike."""

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import hades
from hades.finding import zoo
from hades.units import Units
from tests.frameworks import Arrays, Trained, in_flax, in_numpy

PAGE = Path(__file__).parents[1] / "docs" / "format.md"
READER, TORCH, PLAY = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
NEEDS_TORCH = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")


def documented(*blocks: str) -> dict[str, Any]:
    """What the page's code defines."""
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    return names


@pytest.mark.parametrize("name", ["cartpole-2", "hopper-4", "pendulum", "breakout-16", "digits-10", "hopper-64"])
def test_the_reader_has_all_that_is_in_the_file(name: str) -> None:
    arrays, about = documented(READER)["read"](zoo()[name])
    dataset = hades.load(name)
    for column in ("states", "actions", "labels", "obs_mean", "obs_std"):
        np.testing.assert_array_equal(arrays.get(column), getattr(dataset, column), strict=True)
    assert about["task"] == dataset.task and about["learner"] == dataset.learner and about["info"] == dataset.info
    assert Units.read(about.get("units", {}), *_sizes(dataset)) == dataset.units
    header = PAGE.read_text().partition("| of the JSON document |")[2]
    assert {*about, "units", "digest"} == set(re.findall(r"^\| `(\w+)` \|", header, re.MULTILINE))


def _sizes(dataset: hades.Dataset) -> tuple[int, int]:
    return dataset.spec.obs_shape[-1], dataset.spec.num_actions


def test_its_code_has_as_few_lines_as_it_says() -> None:
    assert len(re.findall(r"\n", READER.partition("def read")[2])) <= 10


@NEEDS_TORCH
def test_its_network_balances_the_pole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert documented(READER, TORCH, PLAY)["total"] == 500


def with_numpys(train: Callable[[Arrays, Any, int], Trained]) -> Callable[..., Any]:
    """A policy that draws its actions with NumPy, of a framework's last layer."""

    def made(arrays: Arrays, about: Any, seed: int) -> Callable[[np.ndarray], Any]:
        layer, log_std = train(arrays, about["learner"], seed)
        rng = np.random.default_rng(seed)
        units = Units.read(about.get("units", {}), arrays["states"].shape[-1], len(layer(arrays["obs_mean"])))

        def act(observation: np.ndarray) -> Any:
            out = layer(((observation - arrays["obs_mean"]) / arrays["obs_std"]).reshape(-1))
            noise = 0 if about["info"].get("greedy") else 1
            if log_std is None:
                return int(np.argmax(out + noise * rng.gumbel(size=out.shape)))
            action = np.clip(out + noise * np.exp(log_std) * rng.normal(size=out.shape), -1, 1)
            return units.raw(action[None])[0]

        return act

    return made


def in_torch(arrays: Arrays, about: Any, seed: int) -> Callable[[np.ndarray], Any]:
    """As the page has it."""
    import torch  # pyright: ignore[reportMissingImports]

    torch.manual_seed(seed)
    names = documented(READER, TORCH)
    trained = names["train"](arrays, about)
    return lambda observation: names["act"](*trained, arrays, about, observation)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "environment", "least"),
    [
        ("cartpole-2", "CartPole-v1", 480),
        ("hopper-v5-16", "Hopper-v5", 1700),
        ("lunarlander-8", "LunarLander-v3", 120),
        ("pendulum-16", "Pendulum-v1", -260),
    ],
)
@pytest.mark.parametrize(
    "policy", [with_numpys(in_numpy), with_numpys(in_flax), pytest.param(in_torch, marks=NEEDS_TORCH)],
    ids=["numpy", "flax", "torch"],
)  # fmt: skip
def test_every_frameworks_networks_score_alike(
    name: str, environment: str, least: float, policy: Callable[..., Any]
) -> None:
    arrays, about = documented(READER)["read"](zoo()[name])
    number, episodes = 10, 3
    env = gymnasium.make(environment)
    means = [
        np.mean([_played(env, policy(arrays, about, i), 100 * i + j) for j in range(episodes)]) for i in range(number)
    ]
    ours = hades.evaluate(name, inits=number, episodes=episodes).returns.mean(1)
    apart = float(np.hypot(np.std(means), np.std(ours))) / number**0.5
    assert np.mean(means) > least and abs(np.mean(means) - np.mean(ours)) <= 3 * apart + 0.01 * abs(np.mean(ours))


def _played(env: Any, act: Callable[[np.ndarray], Any], seed: int) -> float:
    observation, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(act(observation))
        total, over = total + float(reward), terminated or truncated
    return total
