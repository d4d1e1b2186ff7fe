"""Plain gradient descent where observations are longer than a dataset: the first layer moves in the span of its pairs.

A step of gradient descent, with momentum or without, adds to a dense first layer's kernel ``[D, H]`` a sum of outer
products ``states.T @ delta``, of N pairs. So its change is ``states.T @ c``, ``c`` is ``[N, H]``, and all that a step
needs of the states is what the first layer made of them at first and their products with each other. For Breakout's
sixteen grids of 400 numbers that is a twenty-fifth of the layer's work, and of what a derivative has to keep.
"""

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.learner.bodies import NETWORKS
from hades.learner.heads import Output
from hades.learner.networks import Network, Params, make_network
from hades.learner.recipe import Recipe

LINEAR = ("sgd", "momentum")
"""Optimisers whose steps are sums of gradients."""
FIRST = "params", "Dense_0", "kernel"


def spans(recipe: Recipe, spec: Spec, pairs: int, truncated: bool = False) -> bool:
    """Whether a recipe moves the first layer in the span of all pairs, and that is less than the layer.

    Args:
        truncated: the derivative is of the last steps alone; by the pairs, the first layer's is of all of them.
    """
    linear = NETWORKS[recipe.network].dense and recipe.optimiser in LINEAR and not recipe.clip
    whole = recipe.augment == "none" and (not recipe.batch or recipe.batch >= pairs)
    return not truncated and linear and whole and pairs < math.prod(spec.obs_shape)


def trained_spec(recipe: Recipe, spec: Spec, pairs: int, truncated: bool = False) -> Spec:
    """What the network that is trained observes: in the span, a number for each pair."""
    return Spec((pairs,), spec.num_actions, spec.discrete) if spans(recipe, spec, pairs, truncated) else spec


def way_of(recipe: Recipe, spec: Spec, pairs: int, truncated: bool = False) -> "type[Whole]":
    """How a network is trained on so many pairs, and applied as it is differentiated."""
    return Span if spans(recipe, spec, pairs, truncated) else Whole


class Whole:
    """A network as it is.

    Attributes:
        network: to apply.
        start: what is trained.
        seen: what a step needs of the states.
    """

    def __init__(self, recipe: Recipe, spec: Spec, params: Params, states: jax.Array) -> None:
        self.network: Network = make_network(recipe, spec)
        self.start, self.seen = params, states

    def at(self, trained: Params, seen: PyTree) -> tuple[Params, jax.Array]:
        """The parameters and inputs to apply the network to."""
        return trained, seen

    def end(self, trained: Params) -> Params:
        """The parameters of the recipe's network."""
        return trained

    @staticmethod
    def inputs(params: Params, obs: jax.Array) -> PyTree:
        """What `outputs` takes for observations ``[M, *obs]``, leaves ``[M, ...]``, by a network as it began."""
        del params
        return obs

    def outputs(self, trained: Params, inputs: PyTree) -> Output:
        """Of the trained network."""
        return self.network.apply(trained, inputs)


class Span(Whole):
    """A network whose first kernel is ``kernel + states.T @ c``, trained as one that is fed the pairs' numbers."""

    def __init__(self, recipe: Recipe, spec: Spec, params: Params, states: jax.Array) -> None:
        pairs = len(states)
        super().__init__(recipe, trained_spec(recipe, spec, pairs), params, states)
        self.states, self.kernel = states.reshape(pairs, -1), _first(params)
        self.start = _with_first(params, jnp.zeros((pairs, self.kernel.shape[1])))
        self.seen = self.states @ self.kernel, self.states @ self.states.T

    def at(self, trained: Params, seen: PyTree) -> tuple[Params, jax.Array]:
        """What the first layer makes of each pair is its row; by it, the loss's derivative is that by ``c``'s step."""
        at_first, products = seen
        return _with_first(trained, at_first + products @ _first(trained)), jnp.eye(len(products))

    def end(self, trained: Params) -> Params:
        """The parameters of the recipe's network."""
        return _with_first(trained, self.kernel + self.states.T @ _first(trained))

    @staticmethod
    def inputs(params: Params, obs: jax.Array) -> PyTree:
        """Observations, and what the first layer made of them at first, of which no derivative is asked."""
        return obs, obs.reshape(len(obs), -1) @ _first(params)

    def outputs(self, trained: Params, inputs: PyTree) -> Output:
        """Of the trained network: the first layer adds products with states to what it made of observations."""
        obs, at_first = inputs

        def moved(layer: Any, args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
            out = layer(*args, **kwargs)
            return at_first + out if context.module.name == FIRST[1] else out

        with nn.intercept_methods(moved):
            return self.network.apply(trained, obs.reshape(len(obs), -1) @ self.states.T)


@dataclass(frozen=True, eq=False)
class Trained:
    """A network, trained.

    Attributes:
        way: that it was trained.
        learnt: what it has learnt in that way.
    """

    way: Whole
    learnt: Params

    @property
    def params(self) -> Params:
        """Of the recipe's network."""
        return self.way.end(self.learnt)

    def outputs(self, inputs: PyTree) -> Output:
        """For what the way's `inputs` made of observations."""
        return self.way.outputs(self.learnt, inputs)


def _first(params: Params) -> jax.Array:
    top, layer, name = FIRST
    return params[top][layer][name]


def _with_first(params: Params, kernel: jax.Array) -> Params:
    top, layer, name = FIRST
    return {**params, top: {**params[top], layer: {**params[top][layer], name: kernel}}}
