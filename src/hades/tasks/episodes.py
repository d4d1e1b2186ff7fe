"""Whole episodes of many networks, side by side: the return J of the paper."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from hades.aliases import PyTree
from hades.learner.cloning import Policy
from hades.learner.networks import Params
from hades.normalisers import Moments, Normaliser, OnlineNormaliser, add_deviations, moments_about
from hades.tasks.base import Episode
from hades.tasks.environment import Batch

CHUNK = 32
"""Steps between two looks at whether every episode in the batch has ended."""


class Playing(NamedTuple):
    """Episodes as they are being played, ``[B, E, ...]``; environments' states ``[B * E, ...]``."""

    state: PyTree
    obs: jax.Array
    alive: jax.Array
    normaliser: Normaliser | OnlineNormaliser
    episode: Episode


class Moment(NamedTuple):
    """A step of every episode: what there was, what was done, and what came of it."""

    state: PyTree
    obs: jax.Array
    action: jax.Array
    reward: jax.Array


@dataclass(frozen=True)
class Episodes:
    """B networks that play E episodes each.

    Batched here and not by a vmap around the loops, which would batch their bodies several times over to trace.

    Attributes:
        environments: that they play in.
        policy: of one network and one observation.
        params: of B networks, leaves ``[B, ...]``.
        keys: ``[B, E]``, one an episode.
        watch: gather the moments of the observations.
        limit: cut episodes off after so many steps.
    """

    environments: Batch
    policy: Policy
    params: Params
    keys: jax.Array
    watch: bool
    limit: jax.Array | None

    def play(self, normaliser: Normaliser | OnlineNormaliser) -> Episode:
        """All episodes to their end; stops within `CHUNK` steps of the last one's."""
        reset_keys, step_keys = self._split()
        begun = self._begun(reset_keys, normaliser)

        def chunk(carry: tuple[jax.Array, Playing]) -> tuple[jax.Array, Playing]:
            i, playing = carry
            keys = _of_chunk(step_keys, i)
            return i + 1, jax.lax.scan(lambda *x: (self._step(begun.obs, *x)[0], None), playing, keys)[0]

        start = jnp.zeros((), jnp.int32), begun
        episode = jax.lax.while_loop(lambda carry: carry[1].alive.any(), chunk, start)[1].episode
        return episode._replace(seen=moments_about(begun.obs, episode.seen)) if episode.seen else episode

    def begin(self, normaliser: Normaliser | OnlineNormaliser) -> Playing:
        """Before the first step, as `play` begins."""
        return self._begun(self._split()[0], normaliser)

    def go_on(self, i: jax.Array, playing: Playing) -> tuple[Playing, Moment]:
        """Chunk number i of `play`, with all that it passes through: leaves ``[CHUNK, ...]``."""
        return jax.lax.scan(partial(self._step, playing.obs), playing, _of_chunk(self._split()[1], i))

    def _split(self) -> jax.Array:
        """The keys of the beginning and of the steps, ``[2, B * E]``."""
        return jax.vmap(jax.random.split, out_axes=1)(_flat(self.keys))

    def _begun(self, keys: jax.Array, normaliser: Normaliser | OnlineNormaliser) -> Playing:
        state, obs = self.environments.reset(keys)
        obs, zeros = self._per_network(obs), partial(jnp.zeros, self.keys.shape)
        seen = Moments(zeros(), jnp.zeros_like(obs), jnp.zeros_like(obs)) if self.watch else None
        episode = Episode(zeros(), zeros(jnp.int32), zeros(bool), seen)
        return Playing(state, obs, ~zeros(bool), normaliser.start(self.keys.shape[0]), episode)

    def _step(self, origin: jax.Array, playing: Playing, keys: jax.Array) -> tuple[Playing, Moment]:
        """One step of every episode, by keys ``[B * E, 2]``; one that has ended only seems to go on.

        Args:
            origin: the first observations, which moments are gathered about.
        """
        state, obs, alive, normaliser, episode = playing
        normaliser = normaliser.update(obs, alive)
        act = jax.vmap(jax.vmap(self.policy, in_axes=(None, 0, 0)))
        action = act(self.params, normaliser(obs), self._per_network(keys[:, 0]))
        seen = None if episode.seen is None else add_deviations(episode.seen, obs - origin, alive)
        state, *outcome = self.environments.step(keys[:, 1], state, _flat(action))
        obs, reward, terminated, truncated = map(self._per_network, outcome)
        episode = Episode(
            ret=episode.ret + jnp.where(alive, reward, 0),
            length=episode.length + alive,
            terminated=episode.terminated | (alive & terminated),
            seen=seen,
        )
        limit = self.environments.max_steps if self.limit is None else self.limit
        alive = alive & ~terminated & ~truncated & (episode.length < limit)
        return Playing(state, obs, alive, normaliser, episode), Moment(playing.state, playing.obs, action, reward)

    def _per_network(self, x: jax.Array) -> jax.Array:
        return x.reshape(*self.keys.shape, *x.shape[1:])


def _of_chunk(keys: jax.Array, i: jax.Array) -> jax.Array:
    """Keys ``[CHUNK, B * E, 2]`` of its steps, by those of episodes."""
    return jax.vmap(lambda key: jax.random.split(jax.random.fold_in(key, i), (CHUNK, 2)), out_axes=1)(keys)


def _flat(x: jax.Array) -> jax.Array:
    return x.reshape(-1, *x.shape[2:])
