"""The learner: a network, its head, its objective, and behaviour cloning on a dataset (the inner loop)."""

from hades.learner.recipe import Learner, Recipe

__all__ = ["Learner", "Recipe"]
