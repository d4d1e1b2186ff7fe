"""Brax (Freeman et al. 2021): rigid-body locomotion and manipulation."""

from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
from brax import envs

from hades.aliases import PyTree
from hades.dataset import Spec
from hades.errors import InputError, in_a_line
from hades.tasks import lanes
from hades.tasks.control import ControlTask
from hades.tasks.copies import quiet
from hades.tasks.dimensions import declared, named
from hades.tasks.environment import Environment, Later, Step
from hades.tasks.scenes import scene_of
from hades.tasks.suites import remembered
from hades.units import Units

PREFIX = "brax/"
VERSIONS = {"brax": version("brax")}
BACKENDS = ("positional", "spring", "generalized", "mjx")
BROKEN = ("swimmer",)
"""What Brax has and no pipeline of it can run: it calls what JAX no longer has."""


def names() -> list[str]:
    """Every registered environment, with the suite's prefix; those that the process has registered itself, too."""
    return [PREFIX + name for name in envs._envs if name not in BROKEN]


def make(name: str, backend: str = "positional", max_steps: int = 1000) -> ControlTask:
    """A Brax environment on one of its physics pipelines; the paper uses ``positional``."""
    if backend not in BACKENDS:
        raise InputError(f"unknown Brax backend '{backend}'; choose one of {', '.join(BACKENDS)}")
    kind = envs._envs[name.removeprefix(PREFIX)]
    if not kind.__module__.startswith("brax."):  # that of this process, which may register another by the name
        return _task(name, BraxEnvironment(_found(name, backend), max_steps), backend, max_steps, registered=False)
    return _brax(name, backend=backend, max_steps=max_steps)


def from_environment(env: Any, name: str | None = None, max_steps: int = 1000) -> ControlTask:
    """Wrap an environment with Brax's API, which has its physics by then.

    Args:
        env: the environment, without wrappers of Brax's training.
        name: what to call it.
        max_steps: of an episode.
    """
    name, backend = name or type(env).__name__, str(getattr(env, "backend", None) or "")
    try:
        environment = BraxEnvironment(env, max_steps)
    except Exception as error:  # of whoever wrote it
        raise InputError(f"{name} is none of Brax's environments: {in_a_line(error)}") from error
    return ControlTask(name, environment, {"max_steps": max_steps}, VERSIONS, vmap=_vmap(backend))


@remembered
def _brax(name: str, backend: str, max_steps: int) -> ControlTask:
    later = Later(lambda: BraxEnvironment(_found(name, backend), max_steps))
    return _task(name, later, backend, max_steps, registered=True)


def _task(name: str, environment: Environment, backend: str, max_steps: int, registered: bool) -> ControlTask:
    options = {"backend": backend, "max_steps": max_steps}
    return ControlTask(name, environment, options, VERSIONS, registered, _vmap(backend))


def _vmap(backend: str) -> Any:
    # The pipelines that solve no linear systems are plain arithmetic on a few hundred numbers.
    return lanes.vmap if backend in ("positional", "spring") else jax.vmap


def _found(name: str, backend: str) -> Any:
    try:
        with quiet():
            return envs.get_environment(name.removeprefix(PREFIX), backend=backend)
    except Exception as error:  # such as a pipeline that it does not have
        raise InputError(f"{name} cannot be made with the backend '{backend}': {in_a_line(error)}") from error


class BraxEnvironment:
    """Brax's step, with the usual limit of 1,000 steps an episode."""

    def __init__(self, env: Any, max_steps: int) -> None:
        self.env = env
        self.description = type(self.env).__name__
        obs = jax.eval_shape(self.env.reset, jax.random.PRNGKey(0)).obs
        self.spec = Spec(tuple(obs.shape), self.env.action_size, discrete=False)
        own = type(env).__module__.startswith("brax.")
        name = self.description
        self.units = named("", self.spec, Units(), env.sys) if own else declared(name, self.spec, Units(), env)
        self.scene = scene_of(name, self.spec, self.units, env.sys) if own else None
        self.max_steps = max_steps
        self.pace = 1 / float(getattr(env, "dt", 0) or 1 / 30)

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """As `hades.tasks.environment.Environment`."""
        state = self.env.reset(jax.random.key_data(key))
        return (state, jnp.zeros((), jnp.int32)), state.obs

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """As `hades.tasks.environment.Environment`."""
        del key  # deterministic dynamics
        inner, time = state
        inner, time = self.env.step(inner, action), time + 1
        terminated = inner.done > 0
        return Step((inner, time), inner.obs, inner.reward, terminated, (time >= self.max_steps) & ~terminated)

    def viewer(self, states: PyTree) -> str:
        """Brax's page of an episode's states ``[T, ...]``, in 3-D, to be turned and played; it loads its scripts."""
        from brax.io import html

        inner = states[0].pipeline_state
        every = [jax.tree.map(lambda x, t=t: x[t], inner) for t in range(len(states[1]))]
        return html.render(
            self.env.sys.tree_replace({"opt.timestep": self.env.dt}), every, height="100vh", colab=False
        )
