"""Environments that begin anew where they end, as actors' losses and PPO see them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from tests.helpers import Target

from hades.baselines.ppo import AutoReset
from hades.learner.networks import init_network
from hades.learner.recipe import Learner
from hades.normalisers import identity_normaliser
from hades.tasks.control import ControlTask
from hades.tasks.environment import Step


def test_episodes_begin_anew_where_they_end(target: ControlTask) -> None:
    env = AutoReset(target)
    keys = jax.random.split(jax.random.key(0), 3)
    obs, state = env.reset_many(keys)
    before = obs
    for step in range(target.environment.max_steps):
        obs, state, _, done, _ = env.step_many(keys, state, jnp.zeros((3, 1)))
        assert bool(done.all()) == (step == 9) and (int(state.state[1][0]) == 0) == (step == 9)
    assert obs.shape == (3, 1) and (obs != before).all()


class Endless(Target):
    """That leaves its limit to whoever plays it."""

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Step:
        """As it is, but never over."""
        return super().step(key, state, action)._replace(truncated=jnp.asarray(False))


def test_an_episode_ends_at_its_limit_also_where_the_environment_does_not() -> None:
    env, keys = AutoReset(ControlTask("endless", Endless())), jax.random.split(jax.random.key(0), 2)
    _, state = env.reset_many(keys)
    ends = []
    for _ in range(25):
        _, state, _, done, _ = env.step_many(keys, state, jnp.zeros((2, 1)))
        ends.append(bool(done.all()))
    assert [i + 1 for i, end in enumerate(ends) if end] == [10, 20]


def test_steps_are_collected_across_episodes(target: ControlTask) -> None:
    recipe = target.reference.patched(Learner(width=8))
    params = jax.vmap(lambda key: init_network(recipe, target.spec, key))(jax.random.split(jax.random.key(0), 2))
    play = target.begin(jax.random.split(jax.random.key(1), (2, 3)))
    collect = jax.jit(
        lambda play, key: target.collect(recipe, params, identity_normaliser(target.spec), play, 25, key)
    )
    play, seen = collect(play, jax.random.key(2))
    assert seen.obs.shape == seen.action.shape == seen.next_obs.shape == (25, 2, 3, 1)
    ends = np.asarray(seen.truncated)
    assert ends[[9, 19]].all() and ends.sum() == 2 * 6 and not seen.terminated.any()
    np.testing.assert_allclose(seen.next_obs, seen.obs + 0.5 * np.clip(seen.action, -1, 1), atol=1e-6)
    np.testing.assert_allclose(seen.reward, -np.abs(seen.next_obs[..., 0]), atol=1e-6)
    goes_on = ~ends[:-1]
    np.testing.assert_array_equal(np.asarray(seen.obs)[1:][goes_on], np.asarray(seen.next_obs)[:-1][goes_on])
    assert (np.asarray(seen.obs)[1:][~goes_on] != np.asarray(seen.next_obs)[:-1][~goes_on]).all()
    np.testing.assert_array_equal(play.obs.reshape(2, 3, 1), seen.next_obs[-1])
