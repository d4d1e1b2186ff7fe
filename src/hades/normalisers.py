"""Observation normalisers: what a network is fed is ``(obs - mean) / std``, by statistics of one kind or another."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hades.dataset import Dataset, Spec
from hades.errors import InputError

LEAST_STD = 1e-8
"""Of an observation that counts as one that varies."""
ROUNDING = 1e-6
"""Eight units in the last place: a spread of so little, beside the mean, is that of numbers in 32 bits."""


def varies(mean: Any, std: Any) -> Any:
    """Where numbers spread more than rounding does: of NumPy's arrays or JAX's, in kind."""
    return (std > LEAST_STD) & (std > ROUNDING * abs(mean))


class Moments(NamedTuple):
    """Number, mean and sum of squared deviations of observations (Chan et al. 1983)."""

    number: jax.Array
    mean: jax.Array
    m2: jax.Array

    @classmethod
    def zero(cls, obs_shape: tuple[int, ...]) -> "Moments":
        """Nothing seen yet."""
        return cls(jnp.zeros(()), jnp.zeros(obs_shape), jnp.zeros(obs_shape))

    def merge(self, other: "Moments") -> "Moments":
        """Of the observations of both."""
        count = self.number + other.number
        share = other.number / jnp.maximum(count, 1e-8)
        delta = other.mean - self.mean
        return Moments(count, self.mean + delta * share, self.m2 + other.m2 + delta**2 * self.number * share)

    def normaliser(self) -> "Normaliser":
        """What varied no more than rounding does is left unscaled; nothing seen yet is the identity."""
        std = jnp.sqrt(self.m2 / jnp.maximum(self.number, 1))
        return Normaliser(self.mean, jnp.where(varies(self.mean, std), std, 1.0))

    def by_channel(self) -> "Normaliser":
        """Each cell of a grid ``[H, W, C]`` about its mean, by two standard deviations of its channel's cells.

        By two, so that what is set or not has a spread of about one (Gelman 2008).

        Raises:
            InputError: if it is no grid.
        """
        if self.mean.ndim != 3:
            shape = list(self.mean.shape)
            raise InputError(f"normaliser channels is of grids [H, W, C], not of observations {shape}: take fixed")
        cells = self._replace(number=jnp.broadcast_to(self.number, self.mean.shape))
        std = 2 * jax.vmap(merge_all, -1)(cells).normaliser().std
        return Normaliser(self.mean, jnp.broadcast_to(std, self.mean.shape))


class Normaliser(NamedTuple):
    """``(obs - mean) / std``, each ``[*obs]``."""

    mean: jax.Array
    std: jax.Array

    def start(self, networks: int) -> "Normaliser":
        """For so many networks, before their first step."""
        del networks
        return self

    def update(self, obs: jax.Array, alive: jax.Array) -> "Normaliser":
        """It does not change."""
        del obs, alive
        return self

    def __call__(self, obs: jax.Array) -> jax.Array:
        return (obs - self.mean) / self.std

    def inverse(self, normalised: jax.Array) -> jax.Array:
        """Observations as the environment gave them."""
        return self.mean + self.std * normalised


class Kind(NamedTuple):
    """How a distillation comes by its normaliser."""

    measured: bool = False
    """Before it begins, or by the dataset that it goes on from."""
    running: bool = False
    """From all that its populations see."""
    of: Callable[[Moments], Normaliser] = Moments.normaliser
    """What was seen."""


NORMALISERS = {
    "none": Kind(),
    "fixed": Kind(measured=True),
    "channels": Kind(measured=True, of=Moments.by_channel),
    "running": Kind(running=True),
}
"""By name."""


class OnlineNormaliser(NamedTuple):
    """Normalises by what a network's episodes have seen of their observations so far: moments ``[B, *obs]``.

    How the published Brax runs without stored statistics played: every evaluation starts from nothing, so the first
    steps are scaled differently from the last.
    """

    seen: Moments

    def start(self, networks: int) -> "OnlineNormaliser":
        """For so many networks, before their first step."""
        return jax.tree.map(lambda x: jnp.broadcast_to(x, (networks, *x.shape)), self)

    def update(self, obs: jax.Array, alive: jax.Array) -> "OnlineNormaliser":
        """``obs`` is ``[B, E, *obs]``, ``alive`` ``[B, E]``; episodes that have ended add nothing."""

        def one_network(seen: Moments, obs: jax.Array, alive: jax.Array) -> Moments:
            batch = Moments(alive.astype(obs.dtype), obs, jnp.zeros_like(obs))
            return seen.merge(merge_all(batch))

        return OnlineNormaliser(jax.vmap(one_network)(self.seen, obs, alive))

    def __call__(self, obs: jax.Array) -> jax.Array:
        number, mean, m2 = (x[:, None] for x in self.seen)
        number = number.reshape(number.shape + (1,) * (mean.ndim - number.ndim))
        return (obs - mean) / jnp.sqrt(m2 / number + 1e-8)


def online_normaliser(spec: Spec) -> OnlineNormaliser:
    """Before the first observation: zero mean and unit variance, worth next to nothing."""
    return OnlineNormaliser(Moments(jnp.asarray(1e-4), jnp.zeros(spec.obs_shape), jnp.full(spec.obs_shape, 1e-4)))


def identity_normaliser(spec: Spec) -> Normaliser:
    """Observations as they are."""
    return Normaliser(jnp.zeros(spec.obs_shape), jnp.ones(spec.obs_shape))


def normaliser_of(dataset: Dataset) -> Normaliser | OnlineNormaliser:
    """That a dataset's states are expressed in."""
    if dataset.online:
        return online_normaliser(dataset.spec)
    return Normaliser(*map(jnp.asarray, dataset.normaliser))


def merge_all(moments: Moments) -> Moments:
    """Merge a batch of moments, stacked along any number of leading axes.

    Means are taken about the one that weighs most: an observation that never varies has no spread, whatever its size.
    """
    axes = moments.number.ndim
    number, mean, m2 = (x.reshape(-1, *x.shape[axes:]) for x in moments)
    weights = number.reshape(-1, *(1,) * (mean.ndim - 1))
    count, origin = number.sum(), mean[jnp.argmax(number)]
    deviation = jnp.where(weights > 0, mean - origin, 0)
    centre = (weights * deviation).sum(0) / jnp.maximum(count, 1)
    return Moments(count, origin + centre, (m2 + weights * (deviation - centre) ** 2).sum(0))


def add_deviations(sums: Moments, deviation: jax.Array, alive: jax.Array) -> Moments:
    """Sums of 1, x and x squared over the steps of episodes ``[B, E]``, x being the deviation from `moments_about`'s
    origin."""
    there = alive.reshape(alive.shape + (1,) * (deviation.ndim - alive.ndim))
    x = jnp.where(there, deviation, 0)
    return Moments(sums.number + alive, sums.mean + x, sums.m2 + x * x)


def moments_about(origin: jax.Array, sums: Moments) -> Moments:
    """From sums of deviations to moments.

    Args:
        origin: one of the observations summed over. About it a sum of squares is at most their number times the sum
            about the mean, so that little cancels, whatever the observations' size.
    """
    number = sums.number.reshape(sums.number.shape + (1,) * (sums.mean.ndim - sums.number.ndim))
    mean = sums.mean / jnp.maximum(number, 1)
    return Moments(sums.number, origin + mean, jnp.maximum(sums.m2 - number * mean**2, 0))
