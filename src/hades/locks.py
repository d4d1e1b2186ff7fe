"""Who writes a folder: one process at a time, which the others are told of.

The owner holds a ``flock`` on the folder's file ``lock``, which the kernel takes from a dead process. Where another
machine's kernel does not know of it (some network file systems) or the file system has no such locks, the file tells:
its owner writes a new number into it every few seconds, so that whoever comes next can see that it lives.
"""

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from hades.aliases import Json
from hades.errors import InputError, WriteError, notice
from hades.files import TEMPORARY, reason

NAME = "lock"
BEAT = 4.0
"""Seconds between two signs of life."""
DEAD_AFTER = 15.0
"""Seconds without one, after which an owner on another machine counts as dead."""
_LENGTH = 256
"""Bytes of the file, whose owner writes it in one go."""


class Locked(InputError):
    """Another process writes the folder."""


class Lock:
    """A folder's, from here to `release`, the context's end or that of the process.

    Args:
        folder: is made if it is not there.

    Raises:
        Locked: if another process has it.
        WriteError: if the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._descriptor, known = self._open()
            try:
                self._claim(known)
            except BaseException:
                os.close(self._descriptor)
                raise
        except OSError as error:
            raise WriteError(f"cannot write in {folder}: {reason(error)}") from None
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def held(self) -> bool:
        """Whether the folder is still there, and nobody else's."""
        return _same(self._descriptor, self.file)

    def release(self) -> None:
        """Give it back; what was given back stays so."""
        self._over.set()
        self._beating.join()
        with contextlib.suppress(OSError):
            if self.held():
                self.file.unlink()
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> tuple[int, bool]:
        """The file, locked, and whether this file system has locks."""
        while True:
            descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                known = _flock(descriptor)
            except BlockingIOError:
                os.close(descriptor)
                raise _locked(self.file.parent, _owner(self.file)) from None
            if _same(descriptor, self.file):  # not one that its owner has just taken away
                return descriptor, known
            os.close(descriptor)

    def _claim(self, known: bool) -> None:
        owner = _owner(self.file)
        told = known and owner.get("machine") == _machine()  # by a kernel that knows of it
        if owner and not told and self._beats(owner):
            raise _locked(self.file.parent, owner)
        self._sign(0)

    def _beats(self, owner: Json) -> bool:
        """Whether an owner that no lock tells of gives a sign of life."""
        name, until = self.file.parent, time.monotonic() + DEAD_AFTER
        notice(f"{name} was written by {_words(owner)}; looking for {DEAD_AFTER:.0f} s whether it still is")
        while time.monotonic() < until:
            time.sleep(BEAT / 8)
            if _owner(self.file) != owner:
                return True
        return False

    def _beat(self) -> None:
        number = 0
        while not self._over.wait(BEAT):
            number += 1
            with contextlib.suppress(OSError):
                self._sign(number)

    def _sign(self, number: int) -> None:
        me = {"machine": _machine(), "host": socket.gethostname()[:64], "process": os.getpid(), "sign": number}
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, json.dumps(me).ljust(_LENGTH - 1).encode() + b"\n")
        os.fsync(self._descriptor)


def waited(folder: Path, seconds: float = 60.0) -> Lock:
    """A folder's lock, once another process has given it back.

    Raises:
        Locked: if none has within so many seconds.
        WriteError: if the folder cannot be written.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return Lock(folder)
        except Locked:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def is_free(folder: Path) -> bool:
    """Whether a folder holds nothing, but what is left of a process that was killed as it began.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        return not folder.exists() or all(p.name == NAME or p.suffix == TEMPORARY for p in folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot read {folder}: {reason(error)}") from None


def _flock(descriptor: int) -> bool:
    """Lock a file; False where that cannot be.

    Raises:
        BlockingIOError: if another process has.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # not on this file system
        return False
    return True


def _same(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(file))
    except OSError:
        return False


def _owner(file: Path) -> Json:
    """What the file says; nothing of one that is new or damaged."""
    try:
        known = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _machine() -> str:
    """This kernel: processes of one share their locks, also from containers."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return boot.read_text().strip() if boot.exists() else socket.gethostname()[:64]


def _words(owner: Json) -> str:
    return f"process {owner['process']} on {owner['host']}" if {"process", "host"} <= set(owner) else "another process"


def _locked(folder: Path, owner: Json) -> Locked:
    return Locked(f"{folder} is being written by {_words(owner)}: wait until it has ended, or end it")
