"""PPO (Schulman et al. 2017) by rejax, on our tasks and with our networks: training in the real environment.

rejax steps environments of gymnax's older API, with auto-reset; `AutoReset` gives it that. The actor is the very
network that a dataset would train; the critic is one like it. Step sizes and coefficients are arguments of what is
compiled, and the rest is made once (`_algorithm`): a second training on a task compiles nothing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn

from hades import runtime, tasks
from hades.aliases import Json, Options, PyTree
from hades.arguments import Comparing
from hades.baselines import Result, check_budget
from hades.baselines.settings import SHAPES, complete, per_iteration
from hades.clocks import Stopwatch
from hades.config import Config
from hades.dataset import Spec
from hades.extras import need
from hades.learner.heads import Head, head_of
from hades.learner.networks import make_network
from hades.learner.recipe import Learner, Recipe, Wishes
from hades.memory import Need, check_memory, of_training
from hades.normalisers import Normaliser, identity_normaliser
from hades.options import held_to
from hades.scores import Evaluation
from hades.seeds import key_of
from hades.tasks import rollouts
from hades.tasks.base import Task
from hades.tasks.control import ControlTask


@held_to(Config, Comparing)
@runtime.in_32_bits
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
        steps, minutes: the budget; one of them. Steps are the environment's. Scores on the way cost neither.
        evaluations: how often the policy is scored on the way.
        evaluation_episodes: fresh episodes of every score.
        settings: in place of the task's own (`hades.baselines.settings`).

    Raises:
        InputError: without a budget, for a task that is not control, for an unknown setting, or without rejax.
    """
    runtime.configure()
    budget = check_budget(steps=steps, minutes=minutes)
    need("rejax", "ppo")
    made = tasks.acting(task, "PPO is")
    chosen = complete(made, settings)
    recipe = made.reference.patched(Learner(width=64), learner)
    check_memory(_needs(chosen, recipe, made.spec))
    ppo = _make(made, recipe, chosen)
    init_key, score_key = jax.random.split(key_of(seed))

    def play(state: PyTree, number: int) -> np.ndarray:
        return np.asarray(_play(ppo, state, jax.random.fold_in(score_key, number), evaluation_episodes))

    metrics: list[Json] = []
    state: PyTree = None
    for state, spent, share in _train(ppo, chosen, budget, evaluations, init_key):
        if share >= min(1, (len(metrics) + 1) / evaluations):
            metrics.append({"mean": float(play(state, len(metrics)).mean()), **spent})
    params = {"params": state.actor_ts.params["params"]["network"]}
    return Result(params, _normaliser(ppo, state), Evaluation(play(state, 2**31 - 1)), metrics)


def _needs(settings: Options, recipe: Recipe, spec: Spec) -> Sequence[Need]:
    """Of an iteration: its steps, and actor and critic as they train on a minibatch."""
    steps = per_iteration(settings)
    rollout = Need(
        f"{steps:,} steps an iteration", 4 * steps * math.prod(spec.obs_shape), "make num_envs or num_steps smaller"
    )
    return [of_training(recipe, spec, steps // settings["num_minibatches"], 2), rollout]


def _train(
    ppo: Any, settings: Options, budget: Mapping[str, float], evaluations: int, key: jax.Array
) -> Iterator[tuple[PyTree, Json, float]]:
    """States on the way, the steps and seconds that they cost, and the share of the budget; what the caller does with
    them costs nothing."""
    each = per_iteration(settings)
    known = budget["steps"] < float("inf")
    every = max(1, round(budget["steps"] / each / evaluations)) if known else 1
    watch, env_steps, seconds, share = Stopwatch(), 0, 0.0, 0.0
    state = _begin(ppo, key)
    while share < 1:
        rate = settings["learning_rate"] * (1 - share if settings["anneal"] else 1)
        state = jax.block_until_ready(_iterate(ppo, state, rate, every))
        env_steps, seconds = env_steps + every * each, seconds + watch.lap()[0]
        share = max(env_steps / budget["steps"], seconds / 60 / budget["minutes"])
        yield state, {"env_steps_total": env_steps, "seconds": seconds}, share
        watch.lap()


@jax.jit
def _begin(ppo: Any, key: jax.Array) -> Any:
    """rejax's state, with one optimiser for all rates and types that an iteration keeps."""
    state, rms = ppo.init_state(key), ("rew_rms_state", "obs_rms_state")
    rates = {"learning_rate": jnp.float32(0), "max_grad_norm": jnp.float32(ppo.max_grad_norm)}

    def optimised(trained: Any) -> Any:
        fresh: Any = OPTIMISER.init(trained.params)
        return trained.replace(tx=OPTIMISER, opt_state=fresh._replace(hyperparams=rates))

    own = {name: jax.tree.map(jnp.float32, getattr(state, name)) for name in rms}  # rejax's begin as integers
    return state.replace(actor_ts=optimised(state.actor_ts), critic_ts=optimised(state.critic_ts), **own)


@jax.jit
def _iterate(ppo: Any, state: PyTree, rate: float, number: int) -> Any:
    """So many iterations at one step size."""

    def at_rate(trained: Any) -> Any:
        rates = trained.opt_state.hyperparams | {"learning_rate": jnp.float32(rate)}
        return trained.replace(opt_state=trained.opt_state._replace(hyperparams=rates))

    state = state.replace(actor_ts=at_rate(state.actor_ts), critic_ts=at_rate(state.critic_ts))
    return jax.lax.fori_loop(0, number, lambda _, state: ppo.train_iteration(state), state)


@partial(jax.jit, static_argnums=3)
def _play(ppo: Any, state: PyTree, key: jax.Array, episodes: int) -> jax.Array:
    """Returns ``[1, episodes]`` of the policy as it is."""

    def policy(params: Any, obs: jax.Array, key: jax.Array) -> Any:
        return ppo.actor.apply(params, obs[None], key, method="act")[0]

    params = jax.tree.map(lambda x: x[None], state.actor_ts.params)
    keys = jax.random.split(key, (1, episodes))
    return ppo.env.task.rollout(policy, params, _normaliser(ppo, state), keys).ret


def _normaliser(ppo: Any, state: PyTree) -> Normaliser:
    if not ppo.normalize_observations:
        return identity_normaliser(ppo.env.spec)
    seen = state.obs_rms_state
    return Normaliser(seen.mean, jnp.sqrt(seen.var + 1e-8))


def _adam(learning_rate: Any, max_grad_norm: Any) -> optax.GradientTransformation:
    return optax.chain(optax.clip(max_grad_norm), optax.adam(learning_rate))  # as rejax has it: number by number


OPTIMISER = optax.inject_hyperparams(_adam)(learning_rate=0.0, max_grad_norm=0.0)
"""Its rates are in its state."""


def _make(task: ControlTask, recipe: Recipe, settings: Mapping[str, Any]) -> Any:
    """rejax's algorithm on our task and network; of complete settings."""
    shapes = tuple((name, settings[name]) for name in SHAPES)
    return _algorithm(task, recipe, shapes).replace(
        **{name: float(value) for name, value in settings.items() if name not in (*SHAPES, "anneal")}
    )


@lru_cache(maxsize=4)
def _algorithm(task: ControlTask, recipe: Recipe, shapes: tuple[tuple[str, Any], ...]) -> Any:
    """All that a compiled program is made for."""
    spec = task.spec
    actor = Actor(make_network(recipe, spec), head_of(spec))
    critic = Critic(make_network(recipe, Spec(spec.obs_shape, 1, discrete=True)))
    known: Options = dict(shapes)
    return _on_task()(env=AutoReset(task), env_params=None, eval_callback=None, actor=actor, critic=critic, **known)


@cache
def _on_task() -> Any:
    """rejax's PPO, its environments stepped as the task does (`ControlTask.vmap`)."""
    from rejax import PPO

    class OnTask(PPO):
        @property
        def vmap_step(self) -> Any:
            env: Any = self.env  # an `AutoReset`
            return lambda keys, state, action, _: env.step_many(keys, state, action)

        @property
        def vmap_reset(self) -> Any:
            env: Any = self.env
            return lambda keys, _: env.reset_many(keys)

    return OnTask


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
