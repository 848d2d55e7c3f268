"""A lock that belongs to a running process: gone with it, however it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from graphdl.errors import WriteError


class Lock:
    """Holds the file at `path` locked until `release`; WriteError where another process holds it.

    The operating system keeps the lock, so one that a killed process left behind is no obstacle.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self._handle: int | None = None
        while self._handle is None:
            self._handle = self._take(what)

    def _take(self, what: str) -> int | None:
        """The open file; None when it was removed between opening and locking it, so that it locks nothing."""
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise WriteError(f"cannot write {str(self.path)!r}: {error.strerror}") from error
        if not _locked(handle):
            os.close(handle)
            raise WriteError(f"{what} is in use by another process that trains with it; wait for it, or stop it")
        if _is_same(handle, self.path):
            return handle
        os.close(handle)
        return None

    def release(self) -> None:
        """Unlock, and remove the file."""
        if self._handle is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _locked(handle: int) -> bool:
    """Whether the lock could be taken; within one process, too, only one may hold it."""
    system: Any
    try:
        if os.name == "nt":
            import msvcrt as system

            system.locking(handle, system.LK_NBLCK, 1)
        else:
            import fcntl as system

            system.flock(handle, system.LOCK_EX | system.LOCK_NB)
    except OSError:
        return False
    return True
