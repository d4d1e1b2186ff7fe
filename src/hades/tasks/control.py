"""Control: a trained policy is scored by its return over whole episodes of a JAX environment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hades import runtime
from hades.aliases import Options, PyTree
from hades.errors import InputError
from hades.learner.cloning import Policy, make_policy
from hades.learner.networks import Params
from hades.learner.recipe import Recipe
from hades.normalisers import (
    Normaliser,
    OnlineNormaliser,
    identity_normaliser,
)
from hades.seeds import untyped
from hades.tasks import faults, rollouts
from hades.tasks.base import Acting, Episode
from hades.tasks.environment import Batch, Environment
from hades.tasks.episodes import Episodes, Moment, Playing
from hades.tasks.recordings import Recording, distributions
from hades.tasks.rollouts import Play, Trajectory
from hades.tasks.views import View, Viewed, bared


@dataclass(frozen=True, eq=False)
class ControlTask(Acting):
    """An environment as a task: `rollout` scores policies by whole episodes.

    Args:
        name: what `hades.make` takes.
        environment: the dynamics.
        options: what `hades.make` was given beside the name; they travel with runs and datasets.
        versions: of the libraries that the dynamics come from.
        registered: `hades.make` gives it again by name and options.
        vmap: batches the environment's step over the leading axis; `jax.vmap`, or `lanes.vmap` for rigid bodies.
        where, fingerprint, source: as of every task.
    """

    name: str
    environment: Environment
    options: Options = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    registered: bool = False
    vmap: Callable[..., Any] = jax.vmap
    where: Options = field(default_factory=dict)
    fingerprint: str = ""
    source: str = ""

    stepped = True

    @property
    def batch(self) -> Batch:
        """Many of its environments."""
        return Batch(self.environment, self.vmap)

    @cached_property
    def faults(self) -> Sequence[str]:
        """By their shapes; an environment of somebody's own also by what it gives."""
        return faults.traced(self.environment, played=not self.registered or bool(self.source))

    def score(
        self,
        recipe: Recipe,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        keys: jax.Array,
        greedy: bool = False,
        watch: bool = False,
        data: PyTree = (),
        limit: jax.Array | None = None,
    ) -> Episode:
        """The return of B networks over episodes, by keys ``[B, E]``: `rollout` with the recipe's policy."""
        del data
        return self.rollout(make_policy(recipe, self.spec, greedy), params, normaliser, keys, watch, limit)

    def episode_bytes(self) -> int:
        """Of an episode's states and intermediate values."""
        state = jax.eval_shape(self.environment.reset, jax.random.key(0))
        return 16 * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))

    @runtime.in_32_bits
    def rollout(
        self,
        policy: Policy,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        keys: jax.Array,
        watch: bool = False,
        limit: jax.Array | None = None,
    ) -> Episode:
        """Play whole episodes, each network its own; stops within `CHUNK` steps of the last episode's end.

        Args:
            policy: of one network and one observation.
            params: of B trained networks, leaves ``[B, ...]``.
            normaliser: applied to every observation before the policy sees it.
            keys: ``[B, E]``, one an episode: the reset, the environment's noise, the sampled actions.
            watch: gather the moments of the observations.
            limit: cut episodes off after so many steps.

        Returns:
            Leaves ``[B, E]``; moments ``[B, E]`` and ``[B, E, *obs]``.
        """
        return Episodes(self.batch, policy, params, keys, watch, limit).play(normaliser)

    @runtime.in_32_bits
    def record(
        self,
        recipe: Recipe,
        params: Params,
        normaliser: Normaliser | OnlineNormaliser,
        key: jax.Array,
        greedy: bool = False,
        limit: int | None = None,
    ) -> Recording:
        """An episode of one network, step by step: the one that `score` plays."""
        played = (
            self,
            recipe,
            greedy,
            jax.tree.map(lambda x: x[None], params),
            key[None, None],
            limit or self.max_steps,
        )
        playing, chunks = _begun(*played, normaliser), []
        while playing.alive.any():
            playing, moments = _gone_on(*played, jnp.asarray(len(chunks), jnp.int32), playing)
            chunks.append(jax.device_get(moments))
        length, terminated = int(playing.episode.length[0, 0]), bool(playing.episode.terminated[0, 0])
        state, *rest = jax.tree.map(lambda *x: np.concatenate(x)[:length, 0], *chunks)
        obs, action, reward = (x[:, 0] for x in rest)
        probabilities = distributions(recipe, self.spec, params, normaliser, obs)
        return bared(self.environment, Recording(obs, action, reward, terminated, probabilities, state))

    def seen_through(self, view: View) -> "ControlTask":
        """The task as an agent of several tasks sees it."""
        return replace(self, environment=Viewed(self.environment, view))

    def begin(self, keys: jax.Array) -> Play:
        """Environments that begin, one a key."""
        return rollouts.begin(self.batch, keys)

    def collect(
        self, recipe: Recipe, params: Params, normaliser: Normaliser, play: Play, steps: int, key: jax.Array
    ) -> tuple[Play, Trajectory]:
        """So many steps of B networks in the environments that are being played."""
        return rollouts.collect(self.batch, recipe, params, normaliser, play, steps, key)

    def start(self, kind: str, size: int, normaliser: Normaliser, key: jax.Array) -> jax.Array:
        """States ``[size, *obs]`` to start from: a ``"sample"`` of observations, as the normaliser leaves them."""
        assert kind == "sample"
        return normaliser(jax.jit(self._observations, static_argnums=1)(key, size))

    def _observations(self, key: jax.Array, number: int) -> jax.Array:
        """Of random actions, each from an episode of its own, at any of its steps alike."""
        reset_key, loop_key = jax.random.split(key)
        state, obs = self.batch.reset(jax.random.split(reset_key, number))

        def step(carry: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
            i, state, obs, alive, kept = carry
            keep_key, action_key, step_key = jax.random.split(jax.random.fold_in(loop_key, i), 3)
            # Reservoir sampling (Vitter 1985), of one.
            keep = alive & (jax.random.uniform(keep_key, (number,)) * (i + 1) < 1)
            kept = jnp.where(keep.reshape(-1, *(1,) * (obs.ndim - 1)), obs, kept)
            actions = jax.vmap(self._random_action)(jax.random.split(action_key, number))
            out = self.batch.step(jax.random.split(step_key, number), state, actions)
            return i + 1, out.state, out.obs, alive & ~out.terminated & ~out.truncated, kept

        carry = jnp.zeros((), jnp.int32), state, obs, jnp.ones(number, bool), obs
        last = self.batch.max_steps
        return jax.lax.while_loop(lambda carry: carry[3].any() & (carry[0] < last), step, carry)[-1]

    def _random_action(self, key: jax.Array) -> jax.Array:
        if self.spec.discrete:
            return jax.random.randint(key, (), 0, self.spec.num_actions)
        return jax.random.uniform(key, (self.spec.num_actions,), minval=-1, maxval=1)

    def play_randomly(self, key: jax.Array, episodes: int) -> Episode:
        """Episodes ``[1, E]`` of uniformly random actions, with the moments of their observations."""

        def random_policy(_: Params, obs: jax.Array, key: jax.Array) -> jax.Array:
            del obs
            return self._random_action(key)

        @jax.jit
        def run(keys: jax.Array) -> Episode:
            return self.rollout(random_policy, None, identity_normaliser(self.spec), keys, watch=True)

        return run(jax.random.split(key, (1, episodes)))


def _episode(
    task: ControlTask, recipe: Recipe, greedy: bool, params: Params, keys: jax.Array, limit: jax.Array
) -> Episodes:
    policy = make_policy(recipe, task.spec, greedy)
    return Episodes(task.batch, policy, params, keys, False, limit)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _begun(*played: Any) -> Playing:
    *episode, normaliser = played
    return _episode(*episode).begin(normaliser)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _gone_on(*played: Any) -> tuple[Playing, Moment]:
    """A chunk of steps further."""
    *episode, number, playing = played
    playing, moments = _episode(*episode).go_on(number, playing)
    return playing, untyped(moments)


UNBOUNDED = 1e30
"""Bounds of actions from here on are none: infinite, or the largest float that Gymnasium writes for it."""
ENORMOUS = 1e6
"""Bounds from here on are neither what a policy should span nor none."""


def bounds(name: str, low: Any, high: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """What [-1, 1] is scaled to in a box of actions: its bounds ``[act]``; where it has none, [-1, 1] itself.

    Args:
        name: whose box it is.
        low, high: its bounds, of its shape or broadcast to it.
        shape: of an action.

    Raises:
        InputError: for a dimension that is bounded on one side only or by enormous numbers: nobody can say what
            part of it a policy should span.
    """
    low, high = (np.broadcast_to(np.asarray(bound, np.float64), shape) for bound in (low, high))
    free = (low <= -UNBOUNDED) & (high >= UNBOUNDED)
    scaled = (np.abs(low) <= ENORMOUS) & (np.abs(high) <= ENORMOUS) & (low <= high)
    if not (free | scaled).all():
        first = np.flatnonzero(~(free | scaled))[0]
        raise InputError(
            f"{name} bounds its action {first} by {low[first]:g} and {high[first]:g}; give what a policy should span, "
            f"both sides finite and within ±{ENORMOUS:g}, or both infinite for actions that are passed as they are"
        )
    return np.where(free, -1, low).astype(np.float32), np.where(free, 1, high).astype(np.float32)


def scale_action(action: jax.Array, low: np.ndarray, high: np.ndarray) -> jax.Array:
    """From [-1, 1] to bounds ``[act]``, as `bounds` gives them: unbounded actions are passed as they are."""
    return jnp.asarray(low + (high - low) * (action + 1) / 2)
