"""Names for what has no type of its own in Python."""

from collections.abc import Mapping
from typing import Any

PyTree = Any
"""A pytree of arrays, whose structure its owner knows."""
Options = Mapping[str, Any]
"""Options by their names."""
Json = dict[str, Any]
"""A JSON object."""
