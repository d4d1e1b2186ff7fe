"""What is written: JSON as its standard has it."""

import json
import math
from collections.abc import Mapping
from typing import Any


def dumps(value: Any, **layout: Any) -> str:
    """JSON of a value: `plain`, in the layout of `json.dumps`' options."""
    return json.dumps(plain(value), allow_nan=False, **layout)


def plain(value: Any) -> Any:
    """A value as JSON has it: not finite numbers are null, arrays and their scalars are lists and numbers."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):  # NumPy's, JAX's and PyTorch's
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
