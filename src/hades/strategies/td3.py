"""Off-policy policy gradients (TD3, Fujimoto et al. 2018) of the pairs, through the inner loop.

The pairs are the actor's parameters: networks that were trained on them act in many environments, twin critics learn
from all that was seen, and their value of what freshly trained networks would do is differentiated through that
training. As in PQL (Li et al. 2023) and FastTD3 (Seo et al. 2025), a generation is many steps, some large batches for
the critics, and few for the actor. The policy is stochastic as its networks' head makes it: that is exploration, TD3's
smoothing of the target, and the noise that the actor's gradient is averaged over.
"""

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
from hades.normalisers import Moments
from hades.options import check, option
from hades.scoring import staged
from hades.strategies import Oracle, Settings, Solution
from hades.strategies.actors import (
    SQUARED,
    Actor,
    Returns,
    Twins,
    TwinsState,
    mean_clipped,
    mean_finite,
    outer_adam,
    own_options,
)
from hades.strategies.replay import Replay, Transition, bytes_of, transitions
from hades.tasks.rollouts import Play, Trajectory

GROUP = "strategy td3"
CONTINUOUS: dict[str, Any] = {
    **SQUARED, "inits": 4, "start_actions": 0.1, "learn_std": False, "normaliser": "running",
    "strategy_options": {"environments": 8, "rollout": 64, "updates": 64, "actor_updates": 8, "critic_width": 256},
    "learner": SQUARED["learner"] | Learner(log_std=-1.0),
}  # fmt: skip
"""What pays where every step is dear (docs/laptop.md). Noise stays: searched for it vanishes, as no critic asks for
any."""
REPLAY_BYTES = 2**26
"""Of the transitions that are kept, where nobody says how many."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What ``strategy_options`` may be. A generation's networks are ``inits``."""

    environments: int = option(32, least=1, group=GROUP)
    """In which each network acts."""
    rollout: int = option(32, least=1, group=GROUP)
    """Steps of each environment in a generation."""
    updates: int = option(32, least=1, group=GROUP)
    """Of the critics, in a generation."""
    actor_updates: int = option(2, least=1, group=GROUP)
    """Of the pairs, after them."""
    batch: int = option(1024, least=1, group=GROUP)
    """Transitions of an update, over all networks."""
    replay: int = option(0, least=0, off=0, group=GROUP)
    """Transitions that are kept; 0 for what fits into 64 MB, a million at most."""
    warmup: int = option(20_000, least=0, group=GROUP)
    """Transitions that there are before the pairs change."""
    gamma: float = option(0.99, least=0, most=1, group=GROUP)
    """Discount."""
    n_step: int = option(3, least=1, group=GROUP)
    """Rewards of a transition, before the critics' value of what follows."""
    tau: float = option(0.05, above=0, most=1, group=GROUP)
    """Share by which the targets' critics follow, in an update."""
    entropy: float = option(0.0, least=0, group=GROUP)
    """Weight of the policy's entropy, in units of a reward."""
    excess: float = option(0.1, least=0, group=GROUP)
    """Weight of how far actions lie outside what the environment takes, squared."""
    critic_lr: float = option(1e-3, above=0, group=GROUP)
    """Step size of the critics."""
    critic_width: int = option(128, least=1, group=GROUP)
    """Of their two hidden layers."""
    max_norm: float = option(1.0, above=0, group=GROUP)
    """Largest norm of one network's gradient."""
    lr_decay: float = option(1.0, above=0, most=1, group=GROUP)
    """By which each outer step is smaller than the one before."""

    def __post_init__(self) -> None:
        check(self)


class TD3State(NamedTuple):
    """The solution and its optimiser, the critics, what was seen, the environments as they stand, what to watch."""

    solution: Solution
    optimiser: PyTree
    critics: TwinsState
    replay: Replay
    rewards: Moments
    """Whose size is the critics' unit."""
    play: Play
    returns: Returns
    watched: dict[str, jax.Array]


class TD3(Actor):
    """Ascent of the critics' value by the pairs, by Adam.

    Raises:
        InputError: for an option that there is not or cannot be, and for discrete actions.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.options = options = Options(**own_options(Options, settings))
        self.actors = inits, _ = settings.inits, options.environments
        if (spec := self.task.spec).discrete:
            raise InputError(f"td3 is for continuous actions; those of {self.task.name} are discrete: take ppo")
        if options.batch % inits:
            raise InputError(f"a batch of {options.batch} cannot be shared by {inits} networks")
        self.collects = new = inits * options.environments * options.rollout
        self.capacity = options.replay or max(new, min(10**6, REPLAY_BYTES // bytes_of(spec)))
        if self.capacity < max(new, options.warmup):
            raise InputError(f"replay must be at least {max(new, options.warmup)} (a generation, and the warmup)")
        self.critics = Twins(spec, options.critic_width, options.critic_lr, options.tau)
        self.optimiser = outer_adam(settings, options.lr_decay)

    @classmethod
    def implied(cls, spec: Spec) -> Mapping[str, Any]:
        """Several networks in each gradient, trained in steps that have a good one; of pictures, by what sees them."""
        needed = {"inits": 4, "searches": 1, "curriculum": None}
        return needed if spec.pixels or spec.discrete else needed | CONTINUOUS  # discrete ones are refused

    def init(self, key: jax.Array, solution: Solution | None = None) -> TD3State:
        """From the start, or another solution, with critics that know nothing."""
        start = self.solution if solution is None else solution
        critic_key, play_key = jax.random.split(jax.random.fold_in(key, 0))
        return TD3State(
            solution=start,
            optimiser=self.optimiser.init(start),
            critics=self.critics.init(critic_key),
            replay=Replay.empty(self.task.spec, self.capacity),
            rewards=Moments.zero(()),
            play=staged(self.task, self.task.begin)(jax.random.split(play_key, self.actors)),
            returns=Returns.zero(self.actors),
            watched={name: jnp.zeros(()) for name in ("critic", "value", "gradient", "entropy")},
        )

    def learn(self, key: jax.Array, state: TD3State, networks: PyTree, seen: Trajectory, oracle: Oracle) -> TD3State:
        """Steps of the critics, then of the pairs, on all that was seen by now."""
        keys = jax.random.split(key, 2)
        state = self.criticise(self.remember(state, seen, oracle), networks, oracle, keys[0])

        def improve(state: TD3State) -> TD3State:
            update = partial(self.update, oracle=oracle)
            return jax.lax.scan(update, state, jax.random.split(keys[1], self.options.actor_updates))[0]

        return jax.lax.cond(state.replay.number >= self.options.warmup, improve, lambda state: state, state)

    def remember(self, state: TD3State, seen: Trajectory, oracle: Oracle) -> TD3State:
        """A trajectory, as the environment gave it, and the size of its rewards."""
        new = transitions(seen, oracle.normaliser, self.options.gamma, self.options.n_step)
        new = new._replace(action=oracle.head.bounded(new.action))
        flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[3:]), new)
        reward, number = seen.reward, jnp.asarray(seen.reward.size, jnp.float32)
        rewards = state.rewards.merge(Moments(number, reward.mean(), number * reward.var()))
        return state._replace(replay=state.replay.add(flat), rewards=rewards)

    def criticise(self, state: TD3State, networks: PyTree, oracle: Oracle, key: jax.Array) -> TD3State:
        """Steps of the critics; what follows a transition is by one of the generation's networks."""
        options, (inits, _) = self.options, self.actors
        sample_key, act_key = jax.random.split(key)
        batch = self.sample(state, oracle, sample_key, (inits, options.updates * options.batch // inits))
        out = oracle.outputs(networks, batch.next_obs)
        action = jax.vmap(oracle.head.sample)(out, jax.random.split(act_key, inits))
        parts = jax.tree.map(self._split, (batch, oracle.head.bounded(action)))
        critics, error = jax.lax.scan(lambda state, part: self.critics.learn(state, *part), state.critics, parts)
        return state._replace(critics=critics, watched=state.watched | {"critic": error.mean()})

    def _split(self, x: jax.Array) -> jax.Array:
        """From each network's to each update's: ``[B, U * M, ...]`` to ``[U, B * M, ...]``."""
        x = jnp.moveaxis(x.reshape(len(x), self.options.updates, -1, *x.shape[2:]), 1, 0)
        return x.reshape(len(x), -1, *x.shape[3:])

    def update(self, state: TD3State, key: jax.Array, oracle: Oracle) -> tuple[TD3State, None]:
        """One step of the pairs."""
        inits, sample = self.actors[0], self.options.batch // self.actors[0]
        obs_key, act_key = jax.random.split(key)
        obs = self.sample(state, oracle, obs_key, (inits, sample)).obs
        loss = partial(self.loss, state.critics, oracle.head)
        gradients, about = oracle.surrogate(
            state.solution, loss, oracle.inputs(obs), (obs, jax.random.split(act_key, inits))
        )
        gradient, norm = mean_clipped(gradients, self.options.max_norm)
        updates, optimiser = self.optimiser.update(gradient, state.optimiser)
        watched = state.watched | jax.tree.map(mean_finite, about) | {"gradient": norm}
        solution = optax.apply_updates(state.solution, updates)
        return state._replace(solution=solution, optimiser=optimiser, watched=watched), None

    def loss(
        self, critics: TwinsState, head: Head, out: Output, data: tuple[jax.Array, jax.Array]
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Minus the value of what one network does, in units of a reward; that value, and its policy's entropy."""
        obs, key = data
        action = head.sample(out, key)
        taken, entropy = head.bounded(action), head.entropy(out).mean()
        value = self.critics.both(critics.params, obs, taken).mean()
        excess = ((action - jax.lax.stop_gradient(taken)) ** 2).sum(-1).mean()
        loss = -value - self.options.entropy * entropy + self.options.excess * excess
        return loss, {"value": value, "entropy": entropy}

    def sample(self, state: TD3State, oracle: Oracle, key: jax.Array, shape: tuple[int, ...]) -> Transition:
        """Of what was seen: observations as networks are given them now, rewards in the critics' unit."""
        drawn, rewards = state.replay.sample(key, shape), state.rewards
        unit = jnp.sqrt(rewards.mean**2 + rewards.m2 / jnp.maximum(rewards.number, 1)) + 1e-8
        obs, after = oracle.normaliser(drawn.obs), oracle.normaliser(drawn.next_obs)
        return drawn._replace(obs=obs, next_obs=after, reward=drawn.reward / unit)

    def metrics(self, state: TD3State) -> dict[str, Any]:
        """Of the last updates: the critics' error and their value of what networks do, both in units of a reward; the
        policies' entropy, in nats; the gradients' mean norm."""
        return state.watched
