"""How long somebody's own code may take."""

import contextlib
import signal
import threading
from collections.abc import Iterator

from hades.errors import InputError

TIMEOUT = 60.0
"""Seconds that an environment may take to be made, to reset or to step."""


def late(name: str, what: str, seconds: float) -> InputError:
    """What did not come back, and how to give it longer."""
    return InputError(
        f"{name}: its {what} has not come back after {seconds:g} s; timeout= (--env-arg timeout=SECONDS) gives it "
        "longer"
    )


@contextlib.contextmanager
def within(name: str, what: str, seconds: float) -> Iterator[None]:
    """Raise `late` where code of this process takes longer: in its main thread, where signals reach Python."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise late(name, what, seconds)

    before = signal.signal(signal.SIGALRM, ring)
    other = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *other)
