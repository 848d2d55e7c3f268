"""The state of a session as a file: an .npz of plain arrays, nothing that could run."""

from __future__ import annotations

import io
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from graphdl.errors import FormatError
from graphdl.files import write_atomically

# A damaged or hostile archive may claim any size; nothing we write comes near this.
MOST_BYTES = 8 << 30
_STEP = "graphdl:step"
# What a damaged zip file makes the standard library raise.
_BROKEN = (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, zlib.error)


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Write named arrays as an .npz, whole or not at all."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for number, (name, array) in enumerate(arrays.items()):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
            # Names become entries, never paths: the true name is in the comment.
            entry = zipfile.ZipInfo(f"{number}.npy" if _is_awkward(name) else f"{name}.npy")
            entry.comment = name.encode()
            archive.writestr(entry, content.getvalue())
    write_atomically(path, packed.getvalue())


def read_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """The named arrays of an .npz; pickled objects are never loaded. FormatError for anything else."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _read_entry(archive, entry, path, name) for name, entry in _named(archive, path).items()}
    except FormatError:
        raise
    except _BROKEN as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise FormatError(f"cannot read {str(path)!r} as .npz: {reason or 'damaged'}") from error


def save_state(path: str | os.PathLike[str], arrays: Mapping[str, Any], step: int) -> None:
    """Write a session's variables and its step."""
    write_arrays(path, {**arrays, _STEP: np.int64(step)})


def load_state(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray[Any, Any]], int]:
    """Variables and step as `save_state` wrote them."""
    arrays = read_arrays(path)
    if _STEP not in arrays:
        raise FormatError(f"{str(path)!r} holds arrays but no step; it was not written by Session.save")
    return arrays, int(arrays.pop(_STEP))


def _named(archive: zipfile.ZipFile, path: Any) -> dict[str, zipfile.ZipInfo]:
    """The entries by the names of their arrays, each of which is there once; together no more than MOST_BYTES."""
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.comment.decode() if entry.comment else entry.filename.removesuffix(".npy")
        if name in found:
            raise FormatError(f"{str(path)!r} has two arrays called {name!r:.80}")
        found[name] = entry
    claimed = sum(entry.file_size for entry in found.values())
    if claimed > MOST_BYTES:
        raise FormatError(f"{str(path)!r} claims {claimed} bytes, more than {MOST_BYTES}")
    return found


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Any, name: str) -> np.ndarray[Any, Any]:
    try:
        with archive.open(entry) as content:
            _check_claim(content, entry.file_size)
        with archive.open(entry) as content:
            found: np.ndarray[Any, Any] = np.lib.format.read_array(content, allow_pickle=False)
            return found
    except ValueError as error:
        what = (
            "holds pickled objects, which are never loaded" if "allow_pickle" in str(error) else f"is damaged: {error}"
        )
        raise FormatError(f"{str(path)!r}: {name!r:.80} {what}") from error


def _check_claim(content: IO[bytes], size: int) -> None:
    """ValueError where the header claims more than is there: memory is allocated by what it says."""
    major, _ = np.lib.format.read_magic(content)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, _, kind = read(content)
    wanted = math.prod(shape) * kind.itemsize
    if not kind.hasobject and content.tell() + wanted != size:
        raise ValueError(f"its header claims {wanted} bytes, and {size - content.tell()} are there")


def _is_awkward(name: str) -> bool:
    return (
        not name.isascii()
        or any(c in name for c in '\\:*?"<>|')
        or ".." in name
        or name.startswith("/")
        or len(name) > 100
    )
