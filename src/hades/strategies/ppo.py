"""Proximal policy optimisation (Schulman et al. 2017) of the pairs: its loss differentiated through the inner loop.

The pairs are the actor's parameters: networks that were trained on them act, and the clipped loss of what they did is
differentiated through their training. One critic serves all networks.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError
from hades.learner.heads import Head, Output
from hades.learner.recipe import Learner
from hades.options import check, option
from hades.scoring import staged
from hades.strategies import Oracle, Settings, Solution
from hades.strategies.actors import (
    SQUARED,
    WIDE,
    Actor,
    Critic,
    CriticState,
    Returns,
    mean_clipped,
    mean_finite,
    outer_adam,
    own_options,
)
from hades.tasks.rollouts import Play, Trajectory

GROUP = "strategy ppo"
DISCRETE: dict[str, Any] = {
    "size": 16, "start": "sample", "labels": "soft", "inits": 4, "validate_every": 20, "validate_inits": 64,
    "learner": WIDE | Learner(learning_rate=0.3),
}  # fmt: skip
"""What pays where actions are discrete (docs/laptop.md)."""
CONTINUOUS: dict[str, Any] = {
    **SQUARED, "strategy_lr": 0.02, "inits": 8, "learn_std": True,
    "strategy_options": {
        "environments": 16, "passes": 8, "minibatches": 4, "gae_lambda": 0.9, "entropy": 0.001, "critic_lr": 0.003,
        "lr_decay": 0.9999,
    },
    "learner": SQUARED["learner"] | Learner(log_std=-0.7),
}  # fmt: skip
"""And where they are continuous: their noise is searched for with the pairs."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What ``strategy_options`` may be. A generation's networks are ``inits``."""

    environments: int = option(32, least=1, group=GROUP)
    """In which each network acts."""
    rollout: int = option(64, least=1, group=GROUP)
    """Steps of each environment in a generation."""
    passes: int = option(4, least=1, group=GROUP)
    """Over a generation's steps."""
    minibatches: int = option(2, least=1, group=GROUP)
    """Of each pass; one outer step each."""
    clip: float = option(0.2, above=0, group=GROUP)
    """Of the ratio of probabilities."""
    entropy: float = option(0.01, least=0, group=GROUP)
    """Weight of the policy's entropy."""
    gamma: float = option(0.99, least=0, most=1, group=GROUP)
    """Discount."""
    gae_lambda: float = option(0.95, least=0, most=1, group=GROUP)
    """Of generalised advantage estimation (Schulman et al. 2016)."""
    kl: float = option(0.05, above=0, group=GROUP)
    """A generation's policies stay once they are so far, in nats, from those that acted; its critic goes on."""
    critic_lr: float = option(1e-3, above=0, group=GROUP)
    """Step size of the critic."""
    critic_width: int = option(64, least=1, group=GROUP)
    """Of the critic's layers; for the rest its network is as the learner's."""
    critic_depth: int = option(0, least=0, off=0, group=GROUP)
    """Its hidden layers; off: as many as the learner's."""
    max_norm: float = option(1.0, above=0, group=GROUP)
    """Largest norm of one network's gradient."""
    lr_decay: float = option(1.0, above=0, most=1, group=GROUP)
    """By which each outer step is smaller than the one before."""
    std_decay: float = option(1.0, above=0, most=1, group=GROUP)
    """By which the noise of continuous actions, where it is searched for (`--learn-std`), shrinks in each generation,
    instead of by its gradient."""
    std_limit: float = option(0.1, above=0, group=GROUP)
    """At which that ends."""

    def __post_init__(self) -> None:
        check(self)


class Samples(NamedTuple):
    """Steps of B networks, leaves ``[B, M, ...]``."""

    obs: jax.Array
    action: jax.Array
    log_prob: jax.Array
    """By the policy that acted."""
    advantage: jax.Array
    target: jax.Array
    """The critic's."""


class PPOState(NamedTuple):
    """The solution and its optimiser, the critic, the environments as they stand, and what to watch."""

    solution: Solution
    optimiser: PyTree
    critic: CriticState
    play: Play
    returns: Returns
    watched: dict[str, jax.Array]


class PPO(Actor):
    """Ascent of PPO's objective by the pairs, by Adam.

    Raises:
        InputError: for an option that there is not or cannot be.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.options = options = Options(**own_options(Options, settings))
        self.actors = settings.inits, options.environments
        if (each := options.rollout * options.environments) % options.minibatches:
            raise InputError(f"{each} steps of each network cannot be split into {options.minibatches} minibatches")
        self.quietens = options.std_decay < 1
        if self.quietens and self.task.spec.discrete:
            raise InputError(f"std_decay is of continuous actions; those of {self.task.name} are discrete")
        if self.quietens and "log_std" not in self.solution:
            raise InputError("std_decay is of noise that is searched for: add --learn-std")
        self.collects = settings.inits * each
        critic = Learner(width=options.critic_width, depth=options.critic_depth or None)
        self.critic = Critic(settings.recipe.patched(critic), self.task.spec, options.critic_lr)
        self.optimiser = outer_adam(settings, options.lr_decay)

    @classmethod
    def implied(cls, spec: Spec) -> Mapping[str, Any]:
        """Several networks in each gradient, trained in steps that have a good one; of pictures, by what sees them."""
        needed = {"inits": 4, "searches": 1, "curriculum": None} | ({"labels": "soft"} if spec.discrete else {})
        if spec.pixels:
            return needed
        wanted = DISCRETE | {"size": max(16, 2 * spec.num_actions)} if spec.discrete else CONTINUOUS
        return needed | wanted | {"normaliser": "channels" if spec.grid else "fixed"}

    def init(self, key: jax.Array, solution: Solution | None = None) -> PPOState:
        """From the start, or another solution, with a critic that knows nothing."""
        start = self.solution if solution is None else solution
        critic_key, play_key = jax.random.split(jax.random.fold_in(key, 0))
        play = staged(self.task, self.task.begin)(jax.random.split(play_key, self.actors))
        watched: dict[str, jax.Array] = {name: jnp.zeros(()) for name in ("entropy", "kl", "gradient")}
        critic = self.critic.init(critic_key)
        return PPOState(start, self.optimiser.init(start), critic, play, Returns.zero(self.actors), watched)

    def learn(self, key: jax.Array, state: PPOState, networks: PyTree, seen: Trajectory, oracle: Oracle) -> PPOState:
        """Some passes over the rollouts of freshly trained networks."""
        del networks
        samples, critic = self.samples(state.critic, seen)
        every = oracle.inputs(samples.obs), samples
        # Nobody has gone anywhere yet.
        state = state._replace(critic=critic, watched=state.watched | {"kl": jnp.zeros(())})

        def one_pass(state: PPOState, key: jax.Array) -> tuple[PPOState, None]:
            order = jax.random.permutation(key, samples.obs.shape[1]).reshape(self.options.minibatches, -1)
            parts = jax.tree.map(lambda x: jnp.moveaxis(x[:, order], 1, 0), every)
            return jax.lax.scan(lambda state, part: (self.update(state, part, oracle), None), state, parts)

        state, _ = jax.lax.scan(one_pass, state, jax.random.split(key, self.options.passes))
        return state._replace(solution=self.quieter(state.solution))

    def update(self, state: PPOState, part: tuple[PyTree, Samples], oracle: Oracle) -> PPOState:
        """One step by one minibatch, of the critic alone once policies have gone too far from those that acted."""
        inputs, steps = part
        state = state._replace(critic=self.critic.learn(state.critic, steps.obs, steps.target))

        def go(state: PPOState) -> PPOState:
            gradients, about = oracle.surrogate(state.solution, partial(self.loss, oracle.head), inputs, steps)
            if self.quietens:
                gradients = {**gradients, "log_std": jnp.zeros_like(gradients["log_std"])}
            gradient, norm = mean_clipped(gradients, self.options.max_norm)
            updates, optimiser = self.optimiser.update(gradient, state.optimiser)
            return state._replace(
                solution=optax.apply_updates(state.solution, updates),
                optimiser=optimiser,
                watched=jax.tree.map(mean_finite, about) | {"gradient": norm},
            )

        return jax.lax.cond(state.watched["kl"] <= self.options.kl, go, lambda state: state, state)

    def quieter(self, solution: Solution) -> Solution:
        """With the next generation's noise."""
        if not self.quietens:
            return solution
        now = solution["log_std"]
        least = jnp.minimum(now, math.log(self.options.std_limit))
        return {**solution, "log_std": jnp.maximum(now + math.log(self.options.std_decay), least)}

    def loss(self, head: Head, out: Output, part: Samples) -> tuple[jax.Array, dict[str, jax.Array]]:
        """The clipped objective of one network, negative; its entropy, and how far it is from who acted."""
        log_ratio, clip = head.log_prob(out, part.action) - part.log_prob, self.options.clip
        ratio, entropy = jnp.exp(log_ratio), head.entropy(out).mean()
        gain = jnp.minimum(ratio * part.advantage, jnp.clip(ratio, 1 - clip, 1 + clip) * part.advantage)
        kl = (ratio - 1 - log_ratio).mean()  # http://joschu.net/blog/kl-approx.html
        return -(gain.mean() + self.options.entropy * entropy), {"entropy": entropy, "kl": kl}

    def samples(self, critic: CriticState, seen: Trajectory) -> tuple[Samples, CriticState]:
        """Steps with their advantages and the critic's targets, which it has seen then."""
        value, after = self.critic.value(critic, seen.obs), self.critic.value(critic, seen.next_obs)
        surprise = seen.reward + self.options.gamma * after * ~seen.terminated - value
        goes_on = ~(seen.terminated | seen.truncated)

        def back(advantage: jax.Array, step: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            surprise, goes_on = step
            advantage = surprise + self.options.gamma * self.options.gae_lambda * goes_on * advantage
            return advantage, advantage

        _, advantage = jax.lax.scan(back, jnp.zeros_like(value[0]), (surprise, goes_on), reverse=True)
        target = advantage + value
        normal = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        steps = Samples(seen.obs, seen.action, seen.log_prob, normal, target)
        each = jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1).reshape(x.shape[1], -1, *x.shape[3:]), steps)
        return each, self.critic.see(critic, target)

    def metrics(self, state: PPOState) -> dict[str, Any]:
        """Of the last update: the policies' entropy and how far they went, in nats; the gradients' mean norm."""
        return state.watched
