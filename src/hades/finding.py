"""Where a dataset is that goes by a name: the zoo, and what is called nearly so."""

import contextlib
import itertools
import os
from pathlib import Path

from hades.errors import meant
from hades.remote import FILE

ZOO = Path(__file__).parent / "zoo"
LOOKED_AT = 1000
"""Names in a folder among which a misspelt one is looked for."""


def zoo() -> dict[str, Path]:
    """The datasets that come with the package, by name."""
    return {path.stem: path for path in sorted(ZOO.glob("*.safetensors"))}


def near(path: Path) -> str:
    """A question after what is called nearly so: in the zoo, and where it should be, as far as one looks."""
    known = {name: name for name in zoo()}
    with contextlib.suppress(OSError), os.scandir(path.parent) as beside:
        for one in itertools.islice(beside, LOOKED_AT):
            if one.name.endswith(".safetensors") or os.path.isfile(os.path.join(one.path, FILE)):
                known[one.name] = str(path.with_name(one.name))
    return meant(path.name, known, cutoff=0.7)
