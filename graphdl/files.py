"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
import zlib
from pathlib import Path

from graphdl.errors import WriteError


def write_atomically(path: str | os.PathLike[str], data: bytes | str) -> Path:
    """Put `data` (a text as UTF-8) in the file at `path`: whoever reads it sees the old content or the new, never half.

    Written beside it, flushed to the disk and renamed over it. WriteError when that cannot be done; then the old
    file is as it was and nothing is left behind.
    """
    target = Path(path)
    content = data.encode() if isinstance(data, str) else data
    try:
        _replace(target, content)
    except OSError as error:
        raise WriteError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    return target


def check_place(path: str | os.PathLike[str]) -> None:
    """WriteError when no file can be written at `path`: for those who have much to do before they write it."""
    folder = Path(path).parent
    if not folder.is_dir():
        reason = errno.ENOTDIR if folder.exists() else errno.ENOENT
        raise WriteError(f"cannot write {str(path)!r}: {os.strerror(reason)}")


def sweep(path: str | os.PathLike[str]) -> None:
    """Remove what a writer of `path` that was killed has left beside it; for one who knows that no other is writing."""
    target = Path(path)
    for left in target.resolve().parent.glob(f"{_prefix(target)}*"):
        left.unlink(missing_ok=True)


def _prefix(target: Path) -> str:
    """How the names of unfinished files begin: as told by the name, which itself may be as long as names can be."""
    return f".graphdl-{zlib.crc32(os.fsencode(target.name)):08x}-"


def _replace(target: Path, content: bytes) -> None:
    if target.is_dir():
        raise IsADirectoryError(0, "it is a directory")
    if target.exists() and not target.is_file():
        # A device or a pipe, such as /dev/stdout, is written to; a file put in its place would be the end of it.
        target.write_bytes(content)
        return
    handle, beside = tempfile.mkstemp(prefix=_prefix(target), dir=target.resolve().parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, _mode(target))
        os.replace(beside, target.resolve())
        _sync_directory(target.resolve().parent)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """Permissions of the file that is replaced, or those a new file gets."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_directory(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
