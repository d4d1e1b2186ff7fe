"""Steps of environments that begin anew where they end: what actor's losses and PPO learn from."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.learner.heads import head_of
from hades.learner.networks import Params, make_network
from hades.learner.recipe import Recipe
from hades.normalisers import Moments, Normaliser, merge_all
from hades.tasks.environment import Batch, Step


class Play(NamedTuple):
    """Environments that are being played: leaves ``[B * E, ...]``."""

    state: PyTree
    obs: jax.Array


class Stage(NamedTuple):
    """Environments in the middle of their episodes: leaves ``[n, ...]``."""

    state: PyTree
    length: jax.Array
    """Steps so far."""


class Trajectory(NamedTuple):
    """Steps ``[T, B, E, ...]`` of B networks in E environments each."""

    obs: jax.Array
    """Normalised, as the policy saw it."""
    action: jax.Array
    """As it was drawn: not yet clipped to what the environment takes."""
    log_prob: jax.Array
    """Of the action, by the policy that drew it."""
    reward: jax.Array
    terminated: jax.Array
    truncated: jax.Array
    next_obs: jax.Array
    """Normalised; of the episode's own last observation where one ended."""
    seen: Moments | None
    """Of all observations, as the environment gave them; these have no leading axes."""

    @jax.jit
    def sound(self) -> "Trajectory":
        """Of environments that left the finite numbers, what another one saw, of the same network if there is one.

        What a network that has diverged did would else be in what all learn from, a critic above all, for good. Where
        there is no other, nothing. Without `seen`.
        """
        steps = self._replace(seen=None)
        finite = jnp.stack([jnp.isfinite(x).all((0, *range(3, x.ndim))) for x in jax.tree.leaves(steps)]).all(0)
        some = finite.any(1)
        network = jnp.where(some, jnp.arange(len(some)), jnp.argmax(some))[:, None]
        environment = jnp.where(finite, jnp.arange(finite.shape[1]), jnp.argmax(finite, 1)[network])

        def others() -> Trajectory:
            return jax.tree.map(lambda x: jnp.where(some.any(), x[:, network, environment], jnp.zeros_like(x)), steps)

        return jax.lax.cond(finite.all(), lambda: steps, others)


def begin(environments: Batch, keys: jax.Array) -> Play:
    """Environments that begin, one a key."""
    state, obs = environments.reset(keys.reshape(-1))
    return Play(Stage(state, jnp.zeros(len(obs), jnp.int32)), obs)


def step(environments: Batch, stage: Stage, action: jax.Array, keys: jax.Array) -> tuple[Play, Step]:
    """One step of every environment, which begins anew if that was its last.

    Returns:
        What is being played after it, and the outcome of the step itself; what has left the finite numbers is over.
    """
    step_keys, reset_keys = jax.vmap(jax.random.split, out_axes=1)(keys)
    out, length = environments.step(step_keys, stage.state, action), stage.length + 1
    terminated = out.terminated | ~(_finite(out.obs, 1) & jnp.isfinite(out.reward))
    truncated = (out.truncated | (length >= environments.max_steps)) & ~terminated
    out = out._replace(terminated=terminated, truncated=truncated)
    fresh = begin(environments, reset_keys)
    done = out.terminated | out.truncated

    def where_done(fresh: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(done.reshape(done.shape + (1,) * (old.ndim - 1)), fresh, old)

    return jax.tree.map(where_done, fresh, Play(Stage(out.state, length), out.obs)), out


def collect(
    environments: Batch,
    recipe: Recipe,
    params: Params,
    normaliser: Normaliser,
    play: Play,
    steps: int,
    key: jax.Array,
) -> tuple[Play, Trajectory]:
    """So many steps of B networks, leaves ``[B, ...]``, in the environments that are being played."""
    split = partial(per_network, jax.tree.leaves(params)[0].shape[0])

    def one(play: Play, key: jax.Array) -> tuple[Play, tuple[jax.Array, Trajectory]]:
        act_key, step_key = jax.random.split(key)
        raw = play.obs
        obs = normaliser(split(raw))
        action, log_prob, flat = drawn(recipe, environments.spec, params, obs, act_key)
        play, out = step(environments, play.state, flat, jax.random.split(step_key, len(flat)))
        reward, terminated, truncated, after = map(split, (out.reward, out.terminated, out.truncated, out.obs))
        steps = Trajectory(obs, action, log_prob, reward, terminated, truncated, normaliser(after), None)
        return play, (raw, steps)

    play, (raw, trajectory) = jax.lax.scan(one, play, jax.random.split(key, steps))
    return play, trajectory._replace(seen=moments_of(raw))


def drawn(
    recipe: Recipe, spec: Spec, params: Params, obs: jax.Array, key: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Actions of B networks for normalised observations ``[B, E, *obs]``.

    Returns:
        As they are drawn, and their log-probabilities, ``[B, E, ...]``; as they are taken, ``[B * E, ...]``.
    """
    network, head = make_network(recipe, spec), head_of(spec)

    def draw(params: Params, obs: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        out: Any = network.apply(params, obs)
        action = jax.vmap(head.sample)(out, jax.random.split(key, len(obs)))
        return action, head.log_prob(out, action)

    action, log_prob = jax.vmap(draw)(params, obs, jax.random.split(key, len(obs)))
    return action, log_prob, jax.vmap(head.bounded)(action.reshape(-1, *action.shape[2:]))


def per_network(networks: int, x: jax.Array) -> jax.Array:
    """From ``[B * E, ...]`` to ``[B, E, ...]``."""
    return x.reshape(networks, -1, *x.shape[1:])


def moments_of(obs: jax.Array) -> Moments:
    """Of observations ``[T, n, *obs]``, all together that are finite numbers."""
    finite = _finite(obs, 2)
    kept = jnp.where(finite.reshape(*finite.shape, *(1,) * (obs.ndim - 2)), obs, 0)
    return merge_all(Moments(finite.astype(jnp.float32), kept, jnp.zeros_like(kept)))


def _finite(x: jax.Array, axes: int) -> jax.Array:
    """Whether all numbers are, behind so many leading axes."""
    return jnp.isfinite(x).all(tuple(range(axes, x.ndim)))
