"""IDX files, as MNIST and its kin are published: a header of sizes, then bytes or numbers, often gzipped."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from typing import Any, BinaryIO, cast

import numpy as np

from graphdl.errors import DataError

Array = np.ndarray[Any, Any]

# The third byte of the file (LeCun, "The MNIST database", on its page).
_DTYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
_MOST_BYTES = 8 << 30


def read(path: str | os.PathLike[str]) -> Array:
    """The array in an IDX file; one that is gzipped, by its content and not its name, is unpacked on the way."""
    try:
        with open(path, "rb") as file:
            is_packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if is_packed else open(path, "rb") as file:
            return _array(str(path), cast(BinaryIO, file))
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {str(path)!r}: {reason}") from None


def load(images: str | os.PathLike[str], labels: str | os.PathLike[str]) -> tuple[Array, Array]:
    """Images and their labels, from two IDX files.

    images  uint8 (n, height, width)  brightness from 0 to 255, to be scaled by the caller
    labels  int64 (n,)

    DataError for files that are damaged, or do not belong together.
    """
    x, y = read(images), read(labels)
    if y.ndim != 1 or x.ndim < 2:
        raise DataError(f"{str(images)!r} is {list(x.shape)} and {str(labels)!r} {list(y.shape)}; are they swapped?")
    if len(x) != len(y):
        raise DataError(f"{str(images)!r} has {len(x)} images and {str(labels)!r} {len(y)} labels")
    return x, y.astype("int64")


def write(path: str | os.PathLike[str], array: Any) -> None:
    """Write `array` as an IDX file, gzipped where the name ends in .gz."""
    from graphdl.files import write_atomically

    found = np.asarray(array)
    codes = {name: code for code, name in _DTYPES.items()}
    if found.dtype.name not in codes:
        raise DataError(f"IDX files hold {', '.join(codes)}, found {found.dtype}")
    sizes = np.array(found.shape, ">u4").tobytes()
    head = bytes([0, 0, codes[found.dtype.name], found.ndim])
    content = head + sizes + found.astype(found.dtype.newbyteorder(">")).tobytes()
    write_atomically(path, gzip.compress(content, mtime=0) if str(path).endswith(".gz") else content)


def _array(name: str, file: BinaryIO) -> Array:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _DTYPES or head[3] == 0:
        raise DataError(f"{name!r} begins with {head.hex() or 'nothing'}, expected an IDX file")
    kind, rank = np.dtype(_DTYPES[head[2]]), head[3]
    sizes = file.read(4 * rank)
    shape = tuple(int(size) for size in np.frombuffer(sizes[: len(sizes) // 4 * 4], ">u4"))
    if len(shape) < rank:
        raise DataError(f"{name!r} ends within its header of {rank} sizes")
    wanted = math.prod(shape) * kind.itemsize
    if wanted > _MOST_BYTES:
        raise DataError(f"{name!r} claims {list(shape)} of {kind}, more than {_MOST_BYTES} bytes")
    # A gzipped file may unpack to more than it says: no more is read than that.
    body = file.read(wanted + 1)
    if len(body) != wanted:
        what = f"ends after {len(body)} of" if len(body) < wanted else "goes on after the"
        raise DataError(f"{name!r} is {list(shape)} of {kind} and {what} {wanted} bytes")
    return np.frombuffer(body, kind.newbyteorder(">")).astype(kind).reshape(shape)
