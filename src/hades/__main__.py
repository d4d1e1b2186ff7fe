"""`python -m hades`: the command line."""

import sys

from hades.cli import main

sys.exit(main())
