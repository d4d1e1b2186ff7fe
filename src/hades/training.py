"""The networks of a population: as they begin, and each one as it is trained on its candidate."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from hades.dataset import Spec
from hades.learner.cloning import Learned, Window, behaviour_cloning
from hades.learner.networks import Params, init_network
from hades.learner.recipe import Recipe
from hades.learner.span import Trained

Pairs = tuple[jax.Array, jax.Array, Learned]
"""``(states [N, *obs], targets [N, num_actions], what of the recipe is searched for)``; with a leading axis: a
population of them."""


def fresh_networks(recipe: Recipe, spec: Spec, number: int, key: jax.Array) -> Params:
    """Initialisations, stacked: ``[number, ...]``."""
    return jax.vmap(partial(init_network, recipe, spec))(jax.random.split(key, number))


jitted_networks = jax.jit(fresh_networks, static_argnums=(0, 1, 2))


@dataclass(frozen=True)
class Train:
    """``(job, *shared) -> params``: a job's network, trained; equal where it is the same program.

    Job number ``candidate * inits + network`` is of one network and one candidate. Of one number, networks of all
    candidates begin alike, and draw the same batches.

    Attributes:
        rate_spread, window: as `hades.scoring.Fitness` has them.
    """

    recipe: Recipe
    spec: Spec
    inits: int
    rate_spread: float | None
    window: int | None

    def __call__(self, job: jax.Array, *shared: Any) -> Params:
        return self.cloned(job, *shared).params

    def cloned(self, job: jax.Array, population: Pairs, networks: Params, key: jax.Array, last: Any) -> Trained:
        """As it is trained, of which `__call__` gives the parameters."""
        states, targets, learned = jax.tree.map(lambda x: x[job // self.inits], population)
        params = jax.tree.map(lambda x: x[job % self.inits], networks)
        key = jax.random.fold_in(key, job % self.inits)
        window: Window | None = None if self.window is None else (self.window, last)
        if self.rate_spread:
            rate = learned.get("learning_rate", jnp.asarray(self.recipe.learning_rate))
            factor = self.rate_spread ** jax.random.uniform(jax.random.fold_in(key, 2**31 - 1), minval=-1, maxval=1)
            learned = {**learned, "learning_rate": rate * factor}
        return behaviour_cloning(self.recipe, self.spec, params, states, targets, learned, key, window)
