"""An environment of one's own, in a file: point_mass.py."""

import gymnasium
import numpy as np


class PointMass(gymnasium.Env):
    """Drive to the origin."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float64)
    action_space = gymnasium.spaces.Box(-2.0, 2.0, (2,), np.float32)

    def __init__(self, friction: float = 0.1):
        self.friction = friction

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.v = self.np_random.uniform(-1, 1, 2), np.zeros(2)
        return np.concatenate([self.x, self.v]), {}

    def step(self, action):
        self.v = (1 - self.friction) * self.v + 0.1 * action
        self.x = self.x + 0.1 * self.v
        return np.concatenate([self.x, self.v]), -float((self.x**2).sum()), False, False, {}
