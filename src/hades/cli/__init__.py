"""The command line: derived from the dataclasses that declare the options; parse, call one function, print.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failed, 2 bad input, 130 and 143 stopped
by ctrl-C or SIGTERM with a run that `hades resume` continues.
"""

import os
import re
import sys

from hades.cli.cluster import lost
from hades.cli.output import fail
from hades.errors import InputError


def main(args: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from hades.cli.parsing import parse

    args = sys.argv[1:] if args is None else args
    os.environ["JAX_ENABLE_X64"] = "0"  # whatever a command does is in 32 bits
    try:
        return parse(args)()
    except InputError as error:
        if "--debug" in args:
            raise
        return fail(str(error), 2)
    except BrokenPipeError:  # the reader, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return fail("interrupted", 130)
    except Exception as error:
        if "--debug" in args:
            raise
        if "--distributed" in args and re.search("Gloo|coordination", str(error), re.IGNORECASE):
            lost()
        first_line = (str(error).strip() or "no message").splitlines()[0]
        return fail(f"{type(error).__name__}: {first_line} (--debug shows where)", 1)
