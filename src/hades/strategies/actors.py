"""What actors' strategies share: what they are, a mean of networks' gradients, critics, and the returns of what was
played."""

import copy
import math
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import jax
import jax.numpy as jnp
import optax

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.learner.networks import Params, init_network, make_network
from hades.learner.recipe import Learner, Recipe
from hades.learner.recipes import CONTINUOUS
from hades.normalisers import Moments
from hades.options import check_names
from hades.scoring import Scores, ranked
from hades.strategies import ROLLOUTS, Oracle, Settings, Solution
from hades.strategies.replay import Transition
from hades.tasks.rollouts import Trajectory

LEARNING_RATE = 0.01
"""Of the pairs, where nobody says another."""
WIDE = Learner(width=256, depth=1, activation="tanh", optimiser="momentum", epochs=64)
"""One wide layer depends less on how it began, and what is learnt for it holds for other networks. The derivative of
few and gentle steps is smooth, and that of momentum's is cheap."""
SQUARED: dict[str, Any] = {
    "size": 16, "start": "sample", "greedy": True, "validate_every": 50, "validate_inits": 32,
    "learner": WIDE | Learner(loss="mse", learning_rate=0.01, clip=0.0),
}  # fmt: skip
"""Where actions are continuous. Means are trained by squared errors, in steps that are small enough for tanh networks
of this width not to swing, and play without noise in the end."""


class Solved(Protocol):
    """A state that has the solution in it."""

    @property
    def solution(self) -> Solution:
        """Where the strategy is."""
        ...


class Actor:
    """A strategy of one solution, the parameters of the networks that act; so of no population."""

    needs: ClassVar = ROLLOUTS
    ignores: ClassVar = ("population", "std", "episodes", "curriculum")

    options: Any
    """Its own; ``rollout`` steps of each environment are a generation's."""

    def __init__(self, settings: Settings) -> None:
        self.solution, self.task = settings.solution, settings.task

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the constructor."""
        return cls(settings)

    @classmethod
    def words(cls, name: str, population: int, std: float) -> tuple[str, str]:
        """Its population and search, for a table."""
        del population, std
        return "1", name

    def step(self, ask_key: jax.Array, tell_key: jax.Array, state: Any, oracle: Oracle) -> tuple[Any, Scores]:
        """Rollouts of freshly trained networks, and what is learnt from them."""
        networks = self.train(oracle, state.solution)
        play, seen = oracle.rollouts(networks, state.play, self.options.rollout, ask_key)
        state = state._replace(play=play, returns=state.returns.after(seen))
        state = self.learn(tell_key, state, networks, seen.sound(), oracle)
        return state, Scores(state.returns.last[None], jnp.asarray(seen.reward.size, jnp.int32), seen.seen)

    def train(self, oracle: Oracle, solution: Solution) -> PyTree:
        """The generation's networks."""
        return oracle.trained(solution)

    def learn(self, key: jax.Array, state: Any, networks: PyTree, seen: Trajectory, oracle: Oracle) -> Any:
        """The state after updates by what was seen."""
        raise NotImplementedError

    def in_pieces(self) -> Self:
        """Training and learning are jitted by themselves, with rollouts on the host between them."""
        pieces = copy.copy(self)
        vars(pieces).update(train=jax.jit(self.train), learn=jax.jit(self.learn))
        return pieces

    def mean(self, state: Solved) -> Solution:
        """The solution itself."""
        return state.solution


def own_options(kind: type, settings: Settings) -> dict[str, Any]:
    """A strategy's own options, as they were given.

    Raises:
        InputError: for one that there is not.
    """
    check_names(kind, settings.options, settings.name)
    return {**settings.options}


def outer_adam(settings: Settings, decay: float) -> optax.GradientTransformation:
    """Of the pairs, with steps that shrink by a factor each."""
    return optax.adam(optax.exponential_decay(settings.learning_rate or LEARNING_RATE, 1, decay))


def mean_clipped(gradients: Solution, norm: float) -> tuple[Solution, jax.Array]:
    """The mean of networks' gradients, leaves ``[B, ...]``, and that of their norms.

    Each counts with some norm at most, or not at all where it is not finite: one that is near divergence has not the
    say alone.
    """
    norms = jax.vmap(optax.tree.norm)(gradients)
    finite = jnp.isfinite(norms)
    scale = jnp.where(finite, jnp.minimum(1, norm / jnp.maximum(norms, 1e-12)), 0)

    def mean(x: jax.Array) -> jax.Array:
        weights = scale.reshape(-1, *(1,) * (x.ndim - 1))
        return jnp.where(weights > 0, weights * x, 0).mean(0)

    return jax.tree.map(mean, gradients), mean_finite(norms)


def mean_finite(of_networks: jax.Array) -> jax.Array:
    """Without those of networks that have diverged."""
    return jnp.mean(of_networks, where=jnp.isfinite(of_networks))


class CriticState(NamedTuple):
    """A critic's parameters, its optimiser's state, and the targets that it has seen."""

    params: Params
    optimiser: PyTree
    targets: Moments


class Critic:
    """The value of observations, by a network of a recipe's kind, in units of the targets that it has seen."""

    def __init__(self, recipe: Recipe, spec: Spec, learning_rate: float) -> None:
        self.recipe, self.spec = recipe.patched(Learner(log_std=0.0)), Spec(spec.obs_shape, 1, discrete=True)
        self.network = make_network(self.recipe, self.spec)
        self.optimiser = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(learning_rate))

    def init(self, key: jax.Array) -> CriticState:
        """One that knows nothing."""
        params = init_network(self.recipe, self.spec, key)
        return CriticState(params, self.optimiser.init(params), Moments.zero(()))

    def value(self, state: CriticState, obs: jax.Array) -> jax.Array:
        """Of normalised observations ``[..., *obs]``: ``[...]``."""
        mean, std = state.targets.normaliser()
        return mean + std * self._normalised(state.params, obs)

    def see(self, state: CriticState, target: jax.Array) -> CriticState:
        """Targets that it has to tell apart from now on."""
        number = jnp.asarray(target.size, jnp.float32)
        moments = Moments(number, target.mean(), number * target.var())
        return state._replace(targets=state.targets.merge(moments))

    def learn(self, state: CriticState, obs: jax.Array, target: jax.Array) -> CriticState:
        """One step towards targets ``[...]``."""
        goal = state.targets.normaliser()(target)

        def loss(params: Params) -> jax.Array:
            return ((self._normalised(params, obs) - goal) ** 2).mean()

        updates, optimiser = self.optimiser.update(jax.grad(loss)(state.params), state.optimiser)
        return state._replace(params=optax.apply_updates(state.params, updates), optimiser=optimiser)

    def _normalised(self, params: Params, obs: jax.Array) -> jax.Array:
        out: Any = self.network.apply(params, obs)
        return out[..., 0]


class Returns(NamedTuple):
    """Of the episodes that rollouts play."""

    going: jax.Array
    """Rewards of those that go on, ``[B, E]``."""
    last: jax.Array
    """Mean of those that ended last, the worst where that is not a finite number; not a number before any has."""
    any: jax.Array
    """Whether one has ended."""

    @classmethod
    def zero(cls, actors: tuple[int, int]) -> "Returns":
        """Before the first step."""
        return cls(jnp.zeros(actors), jnp.full((), jnp.nan), jnp.zeros((), bool))

    def after(self, seen: Trajectory) -> "Returns":
        """With some more steps."""

        def step(
            carry: tuple[jax.Array, ...], step: tuple[jax.Array, jax.Array]
        ) -> tuple[tuple[jax.Array, ...], None]:
            going, total, number = carry
            reward, over = step
            going = going + reward
            total = total + jnp.sum(going, where=over)
            return (jnp.where(over, 0, going), total, number + over.sum()), None

        start = self.going, jnp.zeros(()), jnp.zeros((), jnp.int32)
        (going, total, number), _ = jax.lax.scan(step, start, (seen.reward, seen.terminated | seen.truncated))
        ended = self.any | (number > 0)
        unended = jnp.where(jnp.isfinite(going).all(), jnp.nan, -jnp.inf)  # of what is not finite there is no more
        last = jnp.where(number > 0, ranked(total / jnp.maximum(number, 1)), jnp.where(ended, self.last, unended))
        return Returns(going, last, ended)


class TwinsState(NamedTuple):
    """Of two critics, parameters ``[2, ...]``: theirs, and those that follow them slowly; their optimiser's state."""

    params: Params
    target: Params
    optimiser: PyTree


class Twins:
    """The value of actions, by two networks of their own, of which the lesser counts (Fujimoto et al. 2018).

    With layer norms, which hold back values of actions that nobody took (Ball et al. 2023).
    """

    def __init__(self, spec: Spec, width: int, learning_rate: float, tau: float) -> None:
        self.recipe = CONTINUOUS.patched(Learner(width=width, activation="relu", norm="layer"))
        self.spec = Spec((math.prod(spec.obs_shape) + spec.num_actions,), 1, discrete=True)
        self.network, self.tau = make_network(self.recipe, self.spec), tau
        self.optimiser = optax.adam(learning_rate)

    def init(self, key: jax.Array) -> TwinsState:
        """Two that know nothing."""
        params = jax.vmap(partial(init_network, self.recipe, self.spec))(jax.random.split(key))
        return TwinsState(params, params, self.optimiser.init(params))

    def both(self, params: Params, obs: jax.Array, action: jax.Array) -> jax.Array:
        """Of normalised observations ``[M, *obs]`` and actions ``[M, A]``: ``[2, M]``."""
        seen = jnp.concatenate([obs.reshape(len(obs), -1), action], -1)
        out: Any = jax.vmap(self.network.apply, (0, None))(params, seen)
        return out[..., 0]

    def learn(self, state: TwinsState, seen: Transition, next_action: jax.Array) -> tuple[TwinsState, jax.Array]:
        """One step by transitions ``[M, ...]`` of normalised observations; and the loss before it.

        What follows by a network that has diverged is no number, and nothing is learnt from it.
        """
        after = self.both(state.target, seen.next_obs, next_action).min(0)
        goal = seen.reward + seen.discount * after
        known = jnp.isfinite(goal)

        def loss(params: Params) -> jax.Array:
            error = self.both(params, seen.obs, seen.action) - jnp.where(known, goal, 0)
            return jnp.where(known, error**2, 0).mean()

        error, gradient = jax.value_and_grad(loss)(state.params)
        updates, optimiser = self.optimiser.update(gradient, state.optimiser)
        params = optax.apply_updates(state.params, updates)
        return TwinsState(params, optax.incremental_update(params, state.target, self.tau), optimiser), error
