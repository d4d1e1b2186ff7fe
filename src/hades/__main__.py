"""`python -m hades`: the command line."""

import sys

from hades.cli import entry

sys.exit(entry())
