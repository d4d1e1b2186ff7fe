"""`python -m hades` and `hades`: the command line, in a process of its own."""

import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # before there is anything to say, ctrl-C ends it without more ado

from hades.cli import entry

if __name__ == "__main__":
    sys.exit(entry())
