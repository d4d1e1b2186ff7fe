"""Environments as pure functions of a key, and many of them at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import jax

from hades import runtime
from hades.aliases import PyTree
from hades.dataset import Spec
from hades.tasks.scenes import Scene
from hades.units import Units


class Step(NamedTuple):
    """What a step of one environment gives."""

    state: PyTree
    obs: jax.Array
    reward: jax.Array
    terminated: jax.Array
    truncated: jax.Array


class Environment(Protocol):
    """One environment as pure functions of a key; the suites' adapters make them.

    A discrete action is an int32 index; a continuous one is ``[act]`` in [-1, 1], scaled by the adapter.
    ``truncated`` is the environment's own step limit, ``terminated`` every other end. No auto-reset.
    """

    @property
    def spec(self) -> Spec:
        """The interface to a policy."""
        ...

    @property
    def max_steps(self) -> int:
        """The environment's own limit."""
        ...

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """A state and its observation."""
        ...

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """One step."""
        ...


@dataclass(frozen=True, eq=False)
class Later:
    """An environment that is made when it is first asked for anything, for making it starts JAX.

    Attributes:
        make: gives it.
    """

    make: Callable[[], Environment]

    @cached_property
    @runtime.in_32_bits
    def made(self) -> Environment:
        """The environment itself, with arrays of its own also where a program is being traced that needs it."""
        with jax.ensure_compile_time_eval():
            return self.make()

    @property
    def spec(self) -> Spec:
        """As `Environment`."""
        return self.made.spec

    @property
    def max_steps(self) -> int:
        """As `Environment`."""
        return self.made.max_steps

    @property
    def pace(self) -> float | None:
        """Steps in a second, where it says so."""
        return getattr(self.made, "pace", None)

    @property
    def viewer(self) -> Callable[[PyTree], str] | None:
        """Makes a page of an episode's states, where it can."""
        return getattr(self.made, "viewer", None)

    @property
    def units(self) -> Units:
        """What it says of its observations and actions, if anything."""
        return getattr(self.made, "units", Units())

    @property
    def scene(self) -> Scene | None:
        """How it draws its observations, if it does."""
        return getattr(self.made, "scene", None)

    def reset(self, key: jax.Array) -> tuple[PyTree, jax.Array]:
        """As `Environment`."""
        return self.made.reset(key)

    def step(self, key: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """As `Environment`."""
        return self.made.step(key, state, action)


@dataclass(frozen=True, eq=False)
class Batch:
    """Many of one environment, stepped together: leaves ``[n, ...]``.

    Attributes:
        vmap: batches the environment's step over the leading axis; `jax.vmap`, or `lanes.vmap` for rigid bodies.
    """

    environment: Environment
    vmap: Callable[..., Callable[..., Step]] = jax.vmap

    @property
    def spec(self) -> Spec:
        """The interface to a policy."""
        return self.environment.spec

    @property
    def max_steps(self) -> int:
        """Of an episode, which ends there whatever the environment says."""
        return self.environment.max_steps

    def reset(self, keys: jax.Array) -> tuple[PyTree, jax.Array]:
        """States and their observations, by keys ``[n]``."""
        return jax.vmap(self.environment.reset)(keys)

    def step(self, keys: jax.Array, state: PyTree, action: jax.Array) -> Step:
        """One step of each."""
        return self.vmap(self.environment.step)(keys, state, action)
