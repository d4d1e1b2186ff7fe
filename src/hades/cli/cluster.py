"""One of several processes: joining them, and one clear line when one of them is lost."""

import os
import signal
import sys
from typing import NoReturn

from hades.streams import patient, plainly

LOST = "another process of this run ended; go on from the last checkpoint with: hades resume RUN"
LOST_SIGN = b"JAX distributed service"
"""In what JAX's runtime writes as it aborts for a lost process."""


def quiet_collectives(debug: bool) -> None:
    """Leave stdout to results and stderr to our own lines, which C++ below JAX does not.

    Gloo tells on stdout whom it is connected to; when a process is lost, JAX's runtime aborts the others with a stack
    trace on stderr. What comes from there goes through a pipe to a reader, which outlives this process. Before JAX
    is imported, for it does not like to be forked.
    """
    sys.stdout.flush()
    results = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = os.fdopen(results, "w")
    plainly(sys.stdout)
    if debug:
        return
    read, write = os.pipe()
    if os.fork() == 0:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            text = pipe.read()
        os.write(2, f"hades: {LOST}\n".encode() if LOST_SIGN in text else text)
        os._exit(0)
    os.close(read)
    errors = os.dup(2)
    os.dup2(write, 2)
    os.close(write)
    sys.stderr = patient(os.fdopen(errors, "w", buffering=1))


def lost() -> NoReturn:
    """End, with a sign for `quiet_collectives`' reader, which says it once; a proper end would wait for the others."""
    os.write(2, LOST_SIGN)
    os._exit(1)
