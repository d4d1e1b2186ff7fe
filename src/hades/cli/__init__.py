"""The command line: derived from the dataclasses that declare the options; parse, call one function, print.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failed, 2 bad input; 130, 143 and 129:
stopped by ctrl-C, SIGTERM and SIGHUP, with a line that says what is kept.
"""

import contextlib
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator

from hades import streams
from hades.cli.cluster import lost
from hades.cli.output import fail
from hades.cli.watch import Watch
from hades.errors import InputError, Notice, in_a_line


def entry() -> int:
    """`main` for a process of its own."""
    try:
        code = main()
    except KeyboardInterrupt:  # a second one, while the first was answered
        code = 128 + signal.SIGINT
    if code >= 128 and "--distributed" not in sys.argv:  # there, others wait for a proper end
        os._exit(code)  # Python's own takes a second
    return code


def main(args: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    with streams.ready(), _notices(), Watch() as watch:
        return streams.end(_run(sys.argv[1:] if args is None else args, watch))


def _run(args: list[str], watch: Watch) -> int:
    from hades.cli.parsing import parse

    os.environ["JAX_ENABLE_X64"] = "0"  # whatever a command does is in 32 bits
    try:
        command = parse(args)
        watch.kept = getattr(command, "kept", watch.kept)
        return command()
    except InputError as error:
        if "--debug" in args:
            raise
        return fail(str(error), error.exit_code)
    except BrokenPipeError:  # the reader, such as `head`, has enough
        return 1
    except KeyboardInterrupt:
        return watch.answer()
    except Exception as error:
        if watch.interrupted:  # which came out as something else, as it does of an import
            return watch.answer()
        if "--debug" in args:
            raise
        if "--distributed" in args and re.search("Gloo|coordination", str(error), re.IGNORECASE):
            lost()
        return fail(f"{in_a_line(error)} (--debug shows where)", 1)


@contextlib.contextmanager
def _notices() -> Iterator[None]:
    """Each on a line of its own, and JAX's of its cache, one for each program, on one."""
    said = set()

    def show(message: Warning | str, category: type[Warning], *where: object, **more: object) -> None:
        text = str(message)
        if cache := re.match(r"Error \w+ persistent compilation cache entry .*?: (.*)", text):
            text = f"the compilation cache is of no use, all is compiled anew: {cache[1]}"
        elif not issubclass(category, Notice):
            otherwise(message, category, *where, **more)  # type: ignore[arg-type]
            return
        if text not in said:
            print(f"hades: {text}", file=sys.stderr, flush=True)
        said.add(text)

    with warnings.catch_warnings():
        warnings.simplefilter("always", Notice)
        otherwise, warnings.showwarning = warnings.showwarning, show
        yield
