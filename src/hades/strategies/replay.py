"""What an off-policy actor remembers: transitions of real environments, in a ring of arrays."""

from typing import NamedTuple, Self

import jax
import jax.numpy as jnp

from hades.dataset import Spec
from hades.learner.networks import tree_bytes
from hades.normalisers import Normaliser
from hades.tasks.rollouts import Trajectory


class Transition(NamedTuple):
    """Some steps of an environment as one; leaves ``[..., ]`` and what each has of its own."""

    obs: jax.Array
    """As the environment gave it: what normalises it may change."""
    action: jax.Array
    """As the environment took it."""
    reward: jax.Array
    """Of all the steps, discounted."""
    discount: jax.Array
    """Of the value after them: 0 where the episode was over, though not where its time was."""
    next_obs: jax.Array
    """After the last of them."""


class Replay(NamedTuple):
    """The last transitions, ``[C, ...]``."""

    kept: Transition
    number: jax.Array
    """That there are."""
    at: jax.Array
    """Where the next one goes."""

    @classmethod
    def empty(cls, spec: Spec, capacity: int) -> Self:
        """For so many transitions."""
        obs, scalar = jnp.zeros((capacity, *spec.obs_shape)), jnp.zeros(capacity)
        kept = Transition(obs, jnp.zeros((capacity, spec.num_actions)), scalar, scalar, obs)
        return cls(kept, jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))

    def add(self, new: Transition) -> Self:
        """With ``[M, ...]`` more, no more than it can hold, in place of the oldest."""
        capacity, number = len(self.kept.reward), len(new.reward)
        places = (self.at + jnp.arange(number)) % capacity
        kept = jax.tree.map(lambda old, new: old.at[places].set(new), self.kept, new)
        return self._replace(
            kept=kept, number=jnp.minimum(self.number + number, capacity), at=(self.at + number) % capacity
        )

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> Transition:
        """Drawn uniformly, with replacement."""
        places = jax.random.randint(key, shape, 0, self.number)
        return jax.tree.map(lambda x: x[places], self.kept)


def bytes_of(spec: Spec) -> int:
    """Of a transition."""
    return tree_bytes(jax.eval_shape(lambda: Replay.empty(spec, 1).kept))


def transitions(seen: Trajectory, normaliser: Normaliser, gamma: float, steps: int) -> Transition:
    """Of a trajectory ``[T, ...]``, ``[T, ...]``: each of so many steps, fewer where the episode or T ends.

    Args:
        normaliser: of its observations.
    """
    goes_on = ~(seen.terminated | seen.truncated)
    obs, after = normaliser.inverse(seen.obs), normaliser.inverse(seen.next_obs)
    one = Transition(obs, seen.action, seen.reward, gamma * ~seen.terminated, after)

    def longer(later: Transition) -> Transition:
        """By a step, before those that begin one later."""
        later = jax.tree.map(lambda x: x[1:], later)
        on = goes_on[:-1]
        first = jax.tree.map(lambda x: x[:-1], one)
        reward = first.reward + gamma * on * later.reward
        discount = jnp.where(on, gamma * later.discount, first.discount)
        wide = on.reshape(on.shape + (1,) * (after.ndim - on.ndim))
        next_obs = jnp.where(wide, later.next_obs, first.next_obs)
        body = first._replace(reward=reward, discount=discount, next_obs=next_obs)
        return jax.tree.map(lambda body, one: jnp.concatenate([body, one[-1:]]), body, one)

    return jax.lax.fori_loop(1, steps, lambda _, later: longer(later), one)
