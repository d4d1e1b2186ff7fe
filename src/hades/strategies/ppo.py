"""Proximal policy optimisation (Schulman et al. 2017) of the pairs: its loss differentiated through the inner loop.

The pairs are the actor's parameters: networks that were trained on them act, and the clipped loss of what they did is
differentiated through their training. One critic serves all networks.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp
import optax

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.heads import Output
from hades.learner.networks import Params, init_network, make_network
from hades.normalisers import Moments
from hades.scoring import Scores
from hades.strategies import ROLLOUTS, Oracle, Settings, Solution
from hades.tasks.rollouts import Play, Trajectory

LEARNING_RATE = 0.01
OPTIONS: dict[str, float] = {
    "rollout": 64, "passes": 4, "minibatches": 2, "clip": 0.2, "entropy": 0.01, "gamma": 0.99, "gae_lambda": 0.95,
    "critic_lr": 1e-3, "max_norm": 1.0, "kl": 0.05, "lr_decay": 1.0,
}  # fmt: skip
"""Steps of a rollout; passes over it, in minibatches; the ratio's clipping, the entropy's weight, discounts; the
critic's step size; the largest norm of a network's gradient; the divergence at which an iteration ends; the factor by
which each outer step is smaller than the one before."""
Batch = PyTree
"""What a loss is of: `Samples`, leaves ``[B, M, ...]``."""


class Samples(NamedTuple):
    """Steps of B networks, leaves ``[B, M, ...]``."""

    obs: jax.Array
    action: jax.Array
    log_prob: jax.Array
    advantage: jax.Array
    target: jax.Array
    """The critic's."""


class Critic(NamedTuple):
    """The value of observations, in units of the returns seen so far."""

    params: Params
    optimiser: PyTree
    returns: Moments


class ActorState(NamedTuple):
    """The solution and its optimiser, the critic, and the environments as they stand."""

    solution: Solution
    optimiser: PyTree
    critic: Critic
    play: Play
    going: jax.Array
    """Rewards of the episodes that go on, ``[B, E]``."""
    score: jax.Array
    """Mean return of the episodes that ended last."""


class PPO:
    """Ascent of PPO's objective by the pairs, by Adam.

    Raises:
        InputError: for an option that there is not.
    """

    needs: ClassVar = ROLLOUTS

    def __init__(self, settings: Settings) -> None:
        if unknown := set(settings.options) - set(OPTIONS):
            raise InputError(f"ppo has no option '{min(unknown)}'; it has {', '.join(OPTIONS)}")
        self.options = OPTIONS | dict(settings.options)
        self.solution, self.task, self.actors = settings.solution, settings.task, settings.actors
        self.steps, self.passes, self.minibatches = (
            int(self.options[name]) for name in ("rollout", "passes", "minibatches")
        )
        if self.steps * self.actors[1] % self.minibatches:
            raise InputError(
                f"{self.actors[1]} episodes of {self.steps} steps cannot be parted into {self.minibatches} minibatches"
            )
        self.recipe, self.value_spec = settings.recipe, Spec(self.task.spec.obs_shape, 1, discrete=True)
        rate = optax.exponential_decay(settings.learning_rate or LEARNING_RATE, 1, self.options["lr_decay"])
        self.optimiser = optax.adam(rate)
        self.critic_optimiser = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(self.options["critic_lr"]))

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the constructor."""
        return cls(settings)

    @classmethod
    def words(cls, name: str, population: int, std: float) -> tuple[str, str]:
        """Its population and search, for a table."""
        del population, std
        return "1", name

    def init(self, key: jax.Array, solution: Solution | None = None) -> ActorState:
        """From the start, or another solution, with a critic that knows nothing."""
        start = self.solution if solution is None else solution
        critic_key, play_key = jax.random.split(jax.random.fold_in(key, 0))
        params = init_network(self.recipe, self.value_spec, critic_key)
        critic = Critic(params, self.critic_optimiser.init(params), Moments.zero(()))
        play = jax.jit(self.task.begin)(jax.random.split(play_key, self.actors))
        going = jnp.zeros(self.actors)
        return ActorState(start, self.optimiser.init(start), critic, play, going, jnp.zeros(()))

    def step(
        self, ask_key: jax.Array, tell_key: jax.Array, state: ActorState, oracle: Oracle
    ) -> tuple[ActorState, Scores]:
        """Rollouts of freshly trained networks, and some passes of PPO over them."""
        play, seen = oracle.rollouts(state.solution, state.play, self.steps, ask_key)
        samples, returns = self.samples(state.critic, seen)
        critic = state.critic._replace(returns=returns)
        going, score = ended(state.going, state.score, seen)
        start = state.solution, state.optimiser, critic, jnp.zeros(())

        def one_pass(carry: PyTree, key: jax.Array) -> tuple[PyTree, None]:
            number = samples.obs.shape[1]
            order = jax.random.permutation(key, number).reshape(self.minibatches, -1)
            parts = jax.tree.map(lambda x: jnp.moveaxis(x[:, order], 1, 0), samples)
            return jax.lax.scan(lambda carry, part: (self.update(carry, part, oracle), None), carry, parts)

        keys = jax.random.split(tell_key, self.passes)
        (solution, optimiser, critic, _), _ = jax.lax.scan(one_pass, start, keys)
        scores = Scores(score[None], jnp.asarray(seen.reward.size, jnp.int32), seen.seen)
        return ActorState(solution, optimiser, critic, play, going, score), scores

    def update(self, carry: PyTree, part: Samples, oracle: Oracle) -> PyTree:
        """One step by one minibatch; none by a policy that has gone too far from the one that acted."""

        def go(carry: PyTree) -> PyTree:
            solution, optimiser, critic, _ = carry
            gradients, _, kl = oracle.surrogate(solution, partial(self.loss, oracle.head), part)
            gradient = mean_clipped(gradients, self.options["max_norm"])
            updates, optimiser = self.optimiser.update(gradient, optimiser)
            return optax.apply_updates(solution, updates), optimiser, self.learn(critic, part), kl.mean()

        return jax.lax.cond(carry[-1] <= self.options["kl"], go, lambda carry: carry, carry)

    def loss(self, head: Any, outputs: Callable[[jax.Array], Output], part: Samples) -> tuple[jax.Array, jax.Array]:
        """The clipped objective of one network, negative, and how far it is from the policy that acted."""
        out, clip = outputs(part.obs), self.options["clip"]
        log_ratio = head.log_prob(out, part.action) - part.log_prob
        ratio = jnp.exp(log_ratio)
        gain = jnp.minimum(ratio * part.advantage, jnp.clip(ratio, 1 - clip, 1 + clip) * part.advantage)
        divergence = (ratio - 1 - log_ratio).mean()  # http://joschu.net/blog/kl-approx.html
        return -(gain + self.options["entropy"] * head.entropy(out)).mean(), divergence

    def samples(self, critic: Critic, seen: Trajectory) -> tuple[Samples, Moments]:
        """Steps with their advantages (GAE, Schulman et al. 2016), and the returns' moments."""
        gamma, decay = self.options["gamma"], self.options["gae_lambda"]
        value, after = self.value(critic, seen.obs), self.value(critic, seen.next_obs)
        surprise = seen.reward + gamma * after * ~seen.terminated - value
        goes_on = ~(seen.terminated | seen.truncated)

        def back(advantage: jax.Array, step: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            surprise, goes_on = step
            advantage = surprise + gamma * decay * goes_on * advantage
            return advantage, advantage

        _, advantage = jax.lax.scan(back, jnp.zeros_like(value[0]), (surprise, goes_on), reverse=True)
        target = advantage + value
        number = jnp.asarray(target.size, jnp.float32)
        returns = critic.returns.merge(Moments(number, target.mean(), number * target.var()))
        normal = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        steps = Samples(seen.obs, seen.action, seen.log_prob, normal, target)
        return jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1).reshape(x.shape[1], -1, *x.shape[3:]), steps), returns

    def value(self, critic: Critic, obs: jax.Array) -> jax.Array:
        """Of observations ``[..., *obs]``: ``[...]``, in the rewards' units."""
        mean, std = critic.returns.normaliser()
        return mean + std * self._normal_value(critic.params, obs)

    def learn(self, critic: Critic, part: Samples) -> Critic:
        """One step of the critic towards the targets."""
        target = critic.returns.normaliser()(part.target)

        def loss(params: Params) -> jax.Array:
            return ((self._normal_value(params, part.obs) - target) ** 2).mean()

        updates, optimiser = self.critic_optimiser.update(jax.grad(loss)(critic.params), critic.optimiser)
        return critic._replace(params=optax.apply_updates(critic.params, updates), optimiser=optimiser)

    def _normal_value(self, params: Params, obs: jax.Array) -> jax.Array:
        out: Any = make_network(self.recipe, self.value_spec).apply(params, obs)
        return out[..., 0]

    def in_pieces(self) -> Self:
        """Rollouts are of environments inside the program."""
        raise NotImplementedError

    def mean(self, state: ActorState) -> Solution:
        """The solution itself."""
        return state.solution

    def std(self, state: ActorState) -> jax.Array:
        """There is none."""
        del state
        return jnp.asarray(jnp.nan)


def mean_clipped(gradients: Solution, norm: float) -> Solution:
    """The mean of networks' gradients, leaves ``[B, ...]``: each of some norm at most, or 0 where it is not finite.

    So one that is near divergence has not the say alone.
    """
    norms = jax.vmap(optax.tree.norm)(gradients)
    scale = jnp.where(jnp.isfinite(norms), jnp.minimum(1, norm / jnp.maximum(norms, 1e-12)), 0)

    def mean(x: jax.Array) -> jax.Array:
        weights = scale.reshape(-1, *(1,) * (x.ndim - 1))
        return jnp.where(weights > 0, weights * x, 0).mean(0)

    return jax.tree.map(mean, gradients)


def ended(going: jax.Array, score: jax.Array, seen: Trajectory) -> tuple[jax.Array, jax.Array]:
    """Rewards of episodes that go on ``[B, E]``, and the mean return of those that ended; the former score if none."""

    def step(carry: tuple[jax.Array, ...], step: tuple[jax.Array, jax.Array]) -> tuple[tuple[jax.Array, ...], None]:
        going, total, number = carry
        reward, over = step
        going = going + reward
        return (jnp.where(over, 0, going), total + (going * over).sum(), number + over.sum()), None

    start = going, jnp.zeros(()), jnp.zeros((), jnp.int32)
    (going, total, number), _ = jax.lax.scan(step, start, (seen.reward, seen.terminated | seen.truncated))
    return going, jnp.where(number > 0, total / jnp.maximum(number, 1), score)
