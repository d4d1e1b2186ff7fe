"""Time, with compilation told apart: JAX says of each piece of it when it is over and how long it took."""

import time

import jax

COMPILING = {
    f"/jax/core/compile/{piece}_duration" for piece in ("jaxpr_trace", "jaxpr_to_mlir_module", "backend_compile")
}


class _Compiler:
    """Listens. Functions are traced while others are: what lies within an interval counts once."""

    def __init__(self) -> None:
        self.intervals: list[tuple[float, float]] = []
        self.before = 0.0
        jax.monitoring.register_event_duration_secs_listener(self._hear)

    def _hear(self, event: str, duration_secs: float, **kwargs: str | int) -> None:
        del kwargs
        if event not in COMPILING:
            return
        end = time.monotonic()
        start = end - duration_secs
        while self.intervals and self.intervals[-1][0] >= start:
            self.intervals.pop()
        self.intervals.append((max([start, *(last for _, last in self.intervals[-1:])]), end))

    def seconds(self) -> float:
        """So far; asked where nothing is being compiled."""
        self.before += sum(end - start for start, end in self.intervals)
        self.intervals.clear()
        return self.before


_compiler = _Compiler()


class Stopwatch:
    """Seconds since the last look, those of compilation apart."""

    def __init__(self) -> None:
        self.last, self.compiled = time.monotonic(), _compiler.seconds()

    def lap(self) -> tuple[float, float]:
        """Of work and of compilation, since it was made or last asked."""
        last, compiled = self.last, self.compiled
        self.last, self.compiled = time.monotonic(), _compiler.seconds()
        spent = self.compiled - compiled
        return max(self.last - last - spent, 1e-6), spent
