"""PPO (Schulman et al. 2017) by rejax, on our tasks and with our networks: training in the real environment.

rejax steps environments of gymnax's older API, with auto-reset; `AutoReset` gives it that. The actor is the very
network that a dataset would train; the critic is one like it.
"""

import time
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from hades import runtime, tasks
from hades.aliases import PyTree
from hades.arguments import Comparing
from hades.baselines import Result, check_budget
from hades.config import Config
from hades.dataset import Spec
from hades.errors import MissingExtra
from hades.evaluation import Evaluation
from hades.learner.heads import Head, head_of
from hades.learner.networks import make_network
from hades.learner.recipe import Learner, Recipe, Wishes
from hades.normalisers import Normaliser, identity_normaliser
from hades.options import held_to
from hades.seeds import key_of
from hades.tasks import rollouts
from hades.tasks.base import Task
from hades.tasks.control import ControlTask

SETTINGS: dict[str, Any] = {
    "num_envs": 64, "num_steps": 128, "num_epochs": 4, "num_minibatches": 16, "learning_rate": 3e-4, "gamma": 0.99,
    "gae_lambda": 0.95, "clip_eps": 0.2, "vf_coef": 0.5, "max_grad_norm": 0.5,
}  # fmt: skip
"""The usual ones (Huang et al. 2022, "The 37 implementation details of PPO")."""
CONTINUOUS = {"ent_coef": 0.0, "normalize_observations": True, "normalize_rewards": True}
DISCRETE = {"ent_coef": 0.01, "normalize_observations": False, "normalize_rewards": False}


@held_to(Config, Comparing)
def train_ppo(
    task: Task | str,
    learner: Wishes = None,
    *,
    seed: int = Config.seed,
    steps: int | None = None,
    minutes: float | None = None,
    evaluations: int = Comparing.evaluations,
    evaluation_episodes: int = Comparing.evaluation_episodes,
    **settings: Any,
) -> Result:
    """Train one network by PPO.

    Args:
        task: from `hades.make`, or a name for it.
        learner: whose network it is (``Learner(width=512)``); None: width 64. Its recipe is of no account.
        seed: of everything random.
        steps, minutes: the budget; one of them. Steps are the environment's.
        evaluations: how often the policy is scored on the way (for a budget of minutes: every 20 iterations).
        evaluation_episodes: fresh episodes of every score.
        settings: of rejax's PPO, in place of `SETTINGS` and of what the kind of action adds.

    Raises:
        InputError: without a budget, for a task that is not control, or without rejax.
    """
    runtime.configure()
    budget = check_budget(steps=steps, minutes=minutes)
    if find_spec("rejax") is None:
        raise MissingExtra("rejax", "ppo")
    made = tasks.acting(task, "PPO is")
    ppo = _make(made, made.reference.patched(Learner(width=64), learner), settings)
    per_iteration = ppo.num_envs * ppo.num_steps
    every = 20 if steps is None else max(1, round(steps / per_iteration / evaluations))

    @jax.jit
    def iterate(state: PyTree, number: int) -> Any:  # an argument: one compilation for every budget
        return jax.lax.fori_loop(0, number, lambda _, state: ppo.train_iteration(state), state)

    @partial(jax.jit, static_argnums=2)
    def play(state: PyTree, key: jax.Array, episodes: int) -> jax.Array:
        def policy(params: Any, obs: jax.Array, key: jax.Array) -> Any:
            return ppo.actor.apply(params, obs[None], key, method="act")[0]

        params = jax.tree.map(lambda x: x[None], state.actor_ts.params)
        keys = jax.random.split(key, (1, episodes))
        return made.rollout(policy, params, _normaliser(ppo, state, made.spec), keys).ret

    init_key, score_key = jax.random.split(key_of(seed))
    state, metrics, start = ppo.init_state(init_key), [], time.monotonic()
    spent = {"steps": 0.0, "minutes": 0.0}
    while all(spent[limit] < budget[limit] for limit in budget):
        state = iterate(state, every)
        score = float(play(state, jax.random.fold_in(score_key, len(metrics)), evaluation_episodes).mean())
        env_steps, seconds = int(spent["steps"]) + every * per_iteration, time.monotonic() - start
        metrics.append({"mean": score, "env_steps_total": env_steps, "seconds": seconds})
        spent = {"steps": env_steps, "minutes": seconds / 60}
    returns = np.asarray(play(state, jax.random.fold_in(score_key, 2**31 - 1), evaluation_episodes))
    normaliser = _normaliser(ppo, state, made.spec)
    params = {"params": state.actor_ts.params["params"]["network"]}
    return Result(params, normaliser, Evaluation(returns), metrics)


def _make(task: ControlTask, recipe: Recipe, settings: dict[str, Any]) -> Any:
    """rejax's algorithm on our task and network, its environments stepped as the task does (`ControlTask.vmap`)."""
    from rejax import PPO

    env: Any = AutoReset(task)

    class OnTask(PPO):
        @property
        def vmap_step(self) -> Any:
            return lambda keys, state, action, _: env.step_many(keys, state, action)

        @property
        def vmap_reset(self) -> Any:
            return lambda keys, _: env.reset_many(keys)

    spec = task.spec
    known = {**SETTINGS, **(DISCRETE if spec.discrete else CONTINUOUS), **settings}
    actor = Actor(make_network(recipe, spec), head_of(spec))
    critic = Critic(make_network(recipe, Spec(spec.obs_shape, 1, discrete=True)))
    return OnTask(env=env, env_params=None, eval_callback=lambda *_: None, actor=actor, critic=critic, **known)


def _normaliser(ppo: Any, state: PyTree, spec: Spec) -> Normaliser:
    if not ppo.normalize_observations:
        return identity_normaliser(spec)
    seen = state.obs_rms_state
    return Normaliser(seen.mean, jnp.sqrt(seen.var + 1e-8))


class Space(NamedTuple):
    """What rejax asks of an action or observation space."""

    shape: tuple[int, ...]
    low: float = -1.0
    high: float = 1.0


class AutoReset:
    """A task as rejax steps it: many at once, and begun anew where an episode has ended."""

    def __init__(self, task: ControlTask) -> None:
        self.task, self.spec = task, task.spec

    def __deepcopy__(self, memo: Any) -> "AutoReset":
        """rejax copies its settings, the environment among them; Brax's hold modules, which cannot be copied."""
        del memo
        return self

    def action_space(self, params: Any) -> Any:
        """As rejax asks for it."""
        del params
        if self.spec.discrete:
            from gymnax.environments.spaces import Discrete

            return Discrete(self.spec.num_actions)
        return Space((self.spec.num_actions,))

    def observation_space(self, params: Any) -> Space:
        """As rejax asks for it."""
        del params
        return Space(self.spec.obs_shape)

    def reset_many(self, keys: jax.Array) -> tuple[jax.Array, Any]:
        """Observations, states."""
        play = rollouts.begin(self.task.batch, keys)
        return play.obs, play.state

    def step_many(self, keys: jax.Array, state: PyTree, action: jax.Array) -> tuple[PyTree, ...]:
        """Observations, states, rewards, whether an episode ended, and nothing else to know."""
        play, out = rollouts.step(self.task.batch, state, action, keys)
        return play.obs, play.state, out.reward, out.terminated | out.truncated, {}


class Actor(nn.Module):
    """A policy network with the methods that rejax's PPO calls."""

    network: nn.Module
    head: Head

    def __call__(self, obs: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """As `action_log_prob`."""
        return self.action_log_prob(obs, key)

    def act(self, obs: jax.Array, key: jax.Array) -> jax.Array:
        """Actions as the environment takes them."""
        return self.head.bounded(self.action_log_prob(obs, key)[0])

    def action_log_prob(self, obs: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Drawn actions, and their log-probabilities."""
        out: Any = self.network(obs)
        action = self.head.sample(out, key)
        return action, self.head.log_prob(out, action)

    def log_prob_entropy(self, obs: jax.Array, action: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Log-probabilities of given actions, and the policy's entropy."""
        out: Any = self.network(obs)
        return self.head.log_prob(out, action), self.head.entropy(out)


class Critic(nn.Module):
    """The value of an observation, by a network of one output."""

    network: nn.Module

    def __call__(self, obs: jax.Array) -> jax.Array:
        """Values ``[...]``."""
        out: Any = self.network(obs)
        return out[..., 0]
