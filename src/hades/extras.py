"""Optional packages: whether they are there, and how one installs them."""

import importlib.metadata
import importlib.util

from hades.errors import InputError

PACKAGE = "hades-rl"
IN_A_CLONE = "in a clone: pip install '.[EXTRA]'"


class MissingExtra(InputError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed; install it with: {both_ways(extra)}")


def install(extra: str) -> str:
    """What one types for an extra of the published package."""
    return f"pip install '{PACKAGE}[{extra}]'"


def both_ways(extra: str) -> str:
    """What one types for an extra, and in a clone."""
    return f"{install(extra)} ({IN_A_CLONE.replace('EXTRA', extra)})"


def installed(module: str) -> bool:
    """Whether a package can be imported, without doing so.

    A folder of its name in the working directory is none, though Python takes it for one: it has no code of its own,
    and nothing that was installed put it there.
    """
    try:
        spec = importlib.util.find_spec(module)
    except ValueError:  # it is loaded, and says of no file
        return True
    return spec is not None and (spec.origin is not None or module in importlib.metadata.packages_distributions())


def need(module: str, extra: str) -> None:
    """Raise `MissingExtra` where a package is not installed."""
    if not installed(module):
        raise MissingExtra(module, extra)
