"""Processes that step copies of an environment, each a share of them; `hades.tasks.copies` is what they run.

They are plain subprocesses with pipes, and arrays in a file that all map: nothing is pickled, and a script needs no
``if __name__ == "__main__"``.
"""

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hades.errors import InputError, in_a_line
from hades.tasks import copies
from hades.tasks.copies import Copies, Reference, filmed, quiet
from hades.tasks.patience import late, within

MEMORY = Path("/dev/shm")
"""Where files need no disk."""


class Engine(Protocol):
    """Steps copies of one environment; ``shared`` are the arrays that they read and write."""

    shared: dict[str, np.ndarray]

    def reset(self, seeds: np.ndarray) -> None:
        """Begin episodes, one a seed."""
        ...

    def step(self, actions: np.ndarray) -> None:
        """One step of those whose episodes go on."""
        ...

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Begin anew where ``which [n]`` says so, by seeds ``[n]``."""
        ...

    def render(self, seed: int, actions: np.ndarray, steps: Sequence[int]) -> list[np.ndarray]:
        """Pictures of these steps of an episode, played again, as `copies.filmed`."""
        ...


class Here:
    """Copies in this process, one after the other: of an object that no other process can make.

    Args:
        name: whose errors these are.
        stepped: the copies.
        timeout: seconds that a step or reset of all may take.
    """

    def __init__(self, name: str, stepped: Copies, timeout: float) -> None:
        self.name, self.copies, self.timeout = name, stepped, timeout
        self.shared: dict[str, np.ndarray] = {}

    def reset(self, seeds: np.ndarray) -> None:
        """Begin episodes, one a seed."""
        if len(self.shared.get("seeds", ())) != len(seeds):
            shape = (len(seeds), *self.copies.obs_shape)
            self.shared = {"obs": np.zeros(shape, np.float32), "reward": np.zeros(len(seeds)),
                           "ends": np.zeros((len(seeds), 2), bool), "seeds": seeds}  # fmt: skip
        with blamed(self.name, "reset", self.timeout):
            self.copies.reset(seeds, self.shared["obs"])

    def step(self, actions: np.ndarray) -> None:
        """One step of those whose episodes go on."""
        with blamed(self.name, "step", self.timeout):
            self.copies.step(actions, *(self.shared[name] for name in ("obs", "reward", "ends")))

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Begin anew where ``which [n]`` says so."""
        chosen = np.flatnonzero(which).tolist()
        with blamed(self.name, "reset", self.timeout):
            self.copies.begin(chosen, seeds[chosen], self.shared["obs"])

    def render(self, seed: int, actions: np.ndarray, steps: Sequence[int]) -> list[np.ndarray]:
        """Pictures of these steps of an episode, played again."""
        with quiet(), blamed(self.name, "render", self.timeout):
            return filmed(self.copies.make(), seed, actions, steps)


class Workers:
    """Copies in processes of their own.

    Args:
        reference: how they make the environment.
        obs_shape, act_shape: of one copy.
        most: processes, one a copy where there are fewer.
        timeout: seconds that they may take to answer.
    """

    def __init__(
        self, reference: Reference, obs_shape: Sequence[int], act_shape: Sequence[int], most: int, timeout: float
    ) -> None:
        self.reference, self.shapes, self.most, self.timeout = reference, (obs_shape, act_shape), most, timeout
        self.shared: dict[str, np.ndarray] = {}
        self.processes: list[subprocess.Popen[str]] = []

    def reset(self, seeds: np.ndarray) -> None:
        """Begin episodes, one a seed, in processes that are started where there are none.

        On Linux they end with the thread that started them.
        """
        ended = any(process.poll() is not None for process in self.processes)
        wanted = min(self.most, len(seeds))
        if ended or len(self.processes) < wanted:
            self.close()
            self._start(wanted)
        if len(self.shared.get("seeds", ())) != len(seeds):
            self._share(len(seeds))
        self.shared["seeds"][:] = seeds
        self._ask("reset")

    def step(self, actions: np.ndarray) -> None:
        """One step of those whose episodes go on."""
        self.shared["actions"][:] = actions
        self._ask("step")

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Begin anew where ``which [n]`` says so."""
        self.shared["begins"][:], self.shared["seeds"][:] = which, seeds
        self._ask("begin")

    def render(self, seed: int, actions: np.ndarray, steps: Sequence[int]) -> list[np.ndarray]:
        """As `copies.filmed`, by one process, which ends with it: OpenGL that is not there can end one."""
        self.close()
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "film.npy")
            np.save(file, actions)
            self._start(1)
            self._ask("render", file, seed, list(steps))
            self.close()
            return list(np.load(file))

    def close(self) -> None:
        """End them; the next reset starts others."""
        _end(self.processes)
        self.processes, self.shared = [], {}

    def _start(self, number: int) -> None:
        # In a session of their own, where no ctrl-C of the terminal reaches them: it is this process that ends them.
        command = [sys.executable, "-P", copies.__file__]
        how: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        environ = {"OMP_NUM_THREADS": "1", **os.environ}
        weakref.finalize(self, _end, self.processes)
        for _ in range(number):
            self.processes.append(subprocess.Popen(command, start_new_session=True, env=environ, **how))
        self._ask("make", self.reference, sys.path)

    def _share(self, number: int) -> None:
        needed = copies.room(number, *self.shapes)
        enough = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2 * needed
        handle, file = tempfile.mkstemp(prefix="hades-", dir=MEMORY if enough else None)
        try:
            os.truncate(handle, needed)
            os.close(handle)
            self.shared = copies.arrays(file, number, *self.shapes)
            every = len(self.processes)
            lines = [json.dumps(["share", file, number, *self.shapes, i, every]) for i in range(every)]
            self._tell(lines, "share")
        finally:
            os.unlink(file)

    def _ask(self, do: str, *about: Any) -> None:
        self._tell([json.dumps([do, *about])] * len(self.processes), do)

    def _tell(self, lines: Sequence[str], do: str) -> None:
        """One line to each, and an answer from each; if any fails, all end."""
        try:
            for process, line in zip(self.processes, lines, strict=True):
                assert process.stdin is not None
                with contextlib.suppress(BrokenPipeError):  # it has ended: its answer will say so
                    process.stdin.write(line + "\n")
            answers = [self._answer(process, do) for process in self.processes]
        except BaseException:  # such as ctrl-C: they would answer what nobody asks any more
            self.close()
            raise
        if failed := next(filter(None, answers), None):
            self.close()
            raise InputError(f"{self.reference.name}: its {do} fails: {failed}")

    def _answer(self, process: "subprocess.Popen[str]", do: str) -> str | None:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:  # select() ends at 1,024 files, two of which are each worker's
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(self.timeout):
                raise late(self.reference.name, do, self.timeout)
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise InputError(f"{self.reference.name}: its process ended in {do} ({how})")
        return json.loads(line)


def _end(processes: "list[subprocess.Popen[str]]") -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()


@contextlib.contextmanager
def blamed(name: str, what: str, timeout: float) -> Iterator[None]:
    """What an environment of somebody's own raises is told in a line, and that it does not come back."""
    try:
        with within(name, what, timeout):
            yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{name}: its {what} fails: {in_a_line(error)}") from error
