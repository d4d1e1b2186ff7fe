"""Environments that begin anew where they end, as actors' losses and PPO see them."""

import jax
import jax.numpy as jnp

from hades.baselines.ppo import AutoReset
from hades.tasks.control import ControlTask


def test_episodes_begin_anew_where_they_end(target: ControlTask) -> None:
    env = AutoReset(target)
    keys = jax.random.split(jax.random.key(0), 3)
    obs, state = env.reset_many(keys)
    before = obs
    for step in range(target.environment.max_steps):
        obs, state, _, done, _ = env.step_many(keys, state, jnp.zeros((3, 1)))
        assert bool(done.all()) == (step == 9) and (int(state[1][0]) == 0) == (step == 9)
    assert obs.shape == (3, 1) and (obs != before).all()
