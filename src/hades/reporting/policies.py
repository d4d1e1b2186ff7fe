"""What trained networks do: over a slice of the observations, and in an episode without one pair or another."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hades.aliases import Json
from hades.dataset import Dataset, Spec
from hades.errors import InputError
from hades.learner.heads import head_of
from hades.learner.networks import Params, make_network
from hades.learner.recipe import Recipe
from hades.reporting.places import fed, names_of, thinned
from hades.units import named_or_numbered

Act = Callable[[np.ndarray], np.ndarray]
"""From observations as networks are fed them, flat ``[n, D]``, to actions as targets say them, ``[n, A]``."""
SIDE = 81
"""Of a slice, in points."""
LEAST = 0.05
"""Change of an action that counts: five percentage points of probability, a fortieth of what an action spans."""
TOLD = 3
"""Pairs that a sentence names."""


@partial(jax.jit, static_argnums=(0, 1))
def acts(recipe: Recipe, spec: Spec, params: Params, obs: jax.Array) -> jax.Array:
    """What B networks do, ``[B, n, A]``, given normalised observations ``[n, *obs]``."""
    network, head = make_network(recipe, spec), head_of(spec)

    def one(params: Params) -> jax.Array:
        out: Any = network.apply(params, obs)
        return jax.vmap(head.target)(out)

    return jax.vmap(one)(params)


def all_do(recipe: Recipe, spec: Spec, params: Params, flat: np.ndarray) -> np.ndarray:
    """As `acts`, of observations ``[n, D]``."""
    obs = jnp.asarray(flat.reshape(len(flat), *spec.obs_shape), jnp.float32)
    return np.asarray(acts(recipe, spec, params, obs))


class Field(NamedTuple):
    """What a policy does over two numbers of the observation, the others being at real states' median.

    All in the environment's units.
    """

    dimensions: tuple[int, int]
    names: tuple[str, str]
    x: np.ndarray
    """``[SIDE]``."""
    y: np.ndarray
    actions: np.ndarray
    """``[y, x, A]``."""
    real: np.ndarray
    """``[T, 2]``."""
    pairs: np.ndarray
    """``[N, 2]``."""

    def words(self, dataset: Dataset) -> str:
        """What one sees."""
        low, high = (self._at(dataset, part) for part in (slice(0, SIDE // 4), slice(-(SIDE // 4), None)))
        others = "" if dataset.spec.obs_shape == (2,) else ", with all else at its median"
        return (
            f"Over {self.names[0]} and {self.names[1]}{others}: at the lowest {self.names[0]} a trained network's "
            f"action is {low}, at the highest {high}."
        )

    def _at(self, dataset: Dataset, part: slice) -> str:
        mean = self.actions[:, part].mean((0, 1))
        names = named_or_numbered(dataset.units.actions, dataset.spec.num_actions)
        if dataset.spec.discrete:
            return f"mostly {names[int(mean.argmax())]} ({mean.max():.0%})"
        shown = varying(self.actions)
        return f"{_called(names[shown])} {dataset.units.raw(mean)[shown]:.2g} on average"

    def facts(self) -> Json:
        """For a file."""
        return {"names": list(self.names), "x": self.x[[0, -1]].tolist(), "y": self.y[[0, -1]].tolist()}


class Answers(NamedTuple):
    """Which pair answers for each step of an episode: the one whose removal changes most what networks do there."""

    pairs: np.ndarray
    """``[M]``, which pairs were left out, each by itself."""
    change: np.ndarray
    """``[T, M]``, half the summed change of probabilities, or of a continuous action; mean over networks."""

    @property
    def most(self) -> np.ndarray:
        """``[T]``, the pair that answers; -1 where the removal of none changes much."""
        return np.where(self.change.max(1) < LEAST, -1, self.pairs[self.change.argmax(1)])

    def words(self, dataset: Dataset) -> str:
        """What one sees."""
        del dataset
        shares = {pair: float((self.most == pair).mean()) for pair in self.pairs}
        first = sorted(shares, key=lambda pair: -shares[pair])[:TOLD]
        told = ", ".join(f"pair {pair + 1} {'for' if n else 'answers for'} {shares[pair]:.0%}"
                         for n, pair in enumerate(first) if shares[pair])  # fmt: skip
        none = float((self.most < 0).mean())
        steps = f"Of an episode's {len(self.change):,} steps"
        if not told:
            return f"{steps} no pair answers for any: without any one of them, networks do the same."
        rest = f" For {none:.0%} no pair does: without any one, networks do the same." if round(none, 2) else ""
        return f"{steps} {told}: there its removal changes most what networks do.{rest}"

    def facts(self) -> Json:
        """For a file."""
        return {
            "steps": len(self.change),
            "pairs": [
                {"pair": int(pair) + 1, "share": float((self.most == pair).mean()), "change": float(change)}
                for pair, change in zip(self.pairs, self.change.mean(0), strict=True)
            ],
        }


def field(dataset: Dataset, observations: np.ndarray, act: Act, dimensions: Sequence[int] | None = None) -> Field:
    """A policy over a slice of the observations.

    Args:
        observations: ``[T, *obs]`` of rollouts, as the environment gave them.
        act: the policy.
        dimensions: two numbers of an observation; None takes those that the policy depends on most.

    Raises:
        InputError: where observations are no vectors of two numbers or more.
    """
    shape = dataset.spec.obs_shape
    if len(shape) != 1 or shape[0] < 2:
        raise InputError(f"a slice is of vectors of two numbers or more, not of observations {list(shape)}")
    real = fed(dataset, observations)
    i, j = _two(shape[0], dimensions) if dimensions is not None else _two(shape[0], telling(act, real)[:2])
    span = np.concatenate([np.quantile(real[:, [i, j]], (0.005, 0.995), axis=0), dataset.states[:, [i, j]]])
    low, high = span.min(0), span.max(0)
    room = np.maximum(0.1 * (high - low), 1e-3)
    x, y = (np.linspace(low[k] - room[k], high[k] + room[k], SIDE) for k in (0, 1))
    points = np.tile(np.median(real, 0), (SIDE * SIDE, 1))
    points[:, i], points[:, j] = np.tile(x, SIDE), np.repeat(y, SIDE)
    mean, std = dataset.normaliser
    names = names_of(dataset)
    two, few = [i, j], thinned(len(real), shape[0])
    return Field(
        (i, j), (names[i], names[j]), mean[i] + std[i] * x, mean[j] + std[j] * y,
        act(points).reshape(SIDE, SIDE, -1), (mean + std * real[few])[:, two], (mean + std * dataset.states)[:, two],
    )  # fmt: skip


def telling(act: Act, real: np.ndarray) -> list[int]:
    """Numbers of an observation, first those that a policy depends on most: by how much else it does where one of them
    is taken from another real state (permutation importance, Breiman 2001)."""
    rng = np.random.default_rng(0)
    some = rng.permutation(len(real))[:256]
    points = np.tile(real[some], (real.shape[1], 1, 1))
    for number, each in enumerate(points):
        each[:, number] = rng.permutation(each[:, number])
    done = act(np.concatenate([real[some][None], points]).reshape(-1, real.shape[1]))
    done = done.reshape(len(points) + 1, len(some), -1)
    return np.argsort(-np.abs(done[1:] - done[0]).mean((1, 2)), kind="stable").tolist()


def answers(pairs: np.ndarray, whole: np.ndarray, without: np.ndarray) -> Answers:
    """Which pair answers for which step.

    Args:
        pairs: ``[M]``, which were left out.
        whole: ``[B, T, A]``, what networks do that were trained on all.
        without: ``[M, B, T, A]``, what they do without each.
    """
    return Answers(pairs, np.abs(without - whole).sum(-1).mean(1).T / 2)


def varying(actions: np.ndarray) -> int:
    """The dimension of actions ``[..., A]`` that varies most."""
    return int(actions.reshape(-1, actions.shape[-1]).std(0).argmax())


def _two(number: int, dimensions: Sequence[int]) -> tuple[int, int]:
    two = list(dimensions)
    if len(set(two)) != 2 or not all(0 <= one < number for one in two):
        raise InputError(f"dimensions are two different numbers from 0 to {number - 1}, not {two}")
    return two[0], two[1]


def _called(name: str) -> str:
    return f"action {name}" if name.isdigit() else name
