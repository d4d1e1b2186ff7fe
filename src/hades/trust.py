"""Whose a run's folder is: where code lies is believed of folders that this user's own runs wrote.

A folder that somebody sends looks like one's own, and could name any file of this machine as its environment. So what
a run says of its task has a signature by a key that stays with the user, as Jupyter's notebooks do.
"""

import contextlib
import hmac
import os
import secrets
from pathlib import Path

from hades.aliases import Json, Options
from hades.files import dumps

SIGNED = ("task", "task_options", "own", "fingerprint")
"""What names code."""
BYTES = 32
"""Of a key."""


def signed(about: Options) -> Json:
    """What a run's folder says of itself, with this user's signature; without, where no key can be kept."""
    return {**about, "signature": _signature(about)}


def is_ours(about: Options) -> bool:
    """Whether a folder is by a run of this user's."""
    mine, found = _signature(about), about.get("signature")
    return bool(mine) and isinstance(found, str) and hmac.compare_digest(mine, found)


def _signature(about: Options) -> str:
    try:
        key = _key()
    except OSError:
        key = b""
    words = dumps({name: about.get(name) for name in SIGNED})
    return hmac.new(key, words.encode(), "sha256").hexdigest() if len(key) == BYTES else ""


def _key() -> bytes:
    """The user's, made where there is none yet."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    path = Path(home, "hades", "key")
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError), open(path, "xb", opener=_private) as new:
        new.write(secrets.token_bytes(BYTES))
    return path.read_bytes()


def _private(path: str, flags: int) -> int:
    """Open a file that nobody else may read."""
    return os.open(path, flags, 0o600)
