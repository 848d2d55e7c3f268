"""Named arrays in the layout of safetensors: the length of a JSON header, the header, the bytes one after the other.

The layout is public (https://github.com/huggingface/safetensors#format); nothing in it can be executed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphdl.errors import FormatError
from graphdl.ir.encoding import shown

Array = np.ndarray[Any, Any]

DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "F16": "float16",
    "U32": "uint32",
    "I32": "int32",
    "F32": "float32",
    "U64": "uint64",
    "I64": "int64",
    "F64": "float64",
}
_WORDS = {name: word for word, name in DTYPES.items()}
# The limit of the format's own readers.
MAX_HEADER = 100_000_000
_MAX_AXES = 64


def packed(tensors: Mapping[str, Any]) -> bytes:
    """The bytes of a safetensors file that holds `tensors`."""
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    end = 0
    for name, tensor in tensors.items():
        array = np.asarray(tensor)
        content = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        start, end = end, end + len(content)
        header[name] = {"dtype": _WORDS[array.dtype.name], "shape": list(array.shape), "data_offsets": [start, end]}
        parts.append(content)
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def unpacked(data: bytes) -> dict[str, Array]:
    """The arrays in a safetensors file; FormatError where it is damaged, or declares what it does not hold."""
    header, body = _header(data)
    found: dict[str, Array] = {}
    covered = 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        kind, shape, start, end = _entry(name, entry)
        if start != covered or end > len(body):
            raise FormatError(f"tensor {name!r:.80} lies at {start} to {end}, expected {covered} to {len(body)}")
        covered = end
        found[name] = np.frombuffer(body[start:end], kind.newbyteorder("<")).astype(kind).reshape(shape)
    if covered != len(body):
        raise FormatError(f"{len(body) - covered} bytes behind the last tensor belong to none")
    return found


def _header(data: bytes) -> tuple[dict[str, Any], memoryview]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, MAX_HEADER):
        raise FormatError(f"a safetensors header of {length} bytes does not fit in {len(data)}")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the safetensors header is no JSON: {str(error)[:100]}") from None
    if not isinstance(header, dict):
        raise FormatError(f"the safetensors header is {shown(header)}, expected an object")
    return header, memoryview(data)[8 + length :]


def _entry(name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """Dtype, shape and place of a tensor, which must agree."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise FormatError(f"tensor {name!r:.80} is {shown(entry)}, expected dtype, shape and data_offsets")
    word, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(word, str) or word not in DTYPES:
        raise FormatError(f"tensor {name!r:.80} is of {shown(word)}, expected one of {', '.join(DTYPES)}")
    if not _counts(shape) or len(shape) > _MAX_AXES or not _counts(offsets) or len(offsets) != 2:
        raise FormatError(f"tensor {name!r:.80} has shape {shown(shape)} at {shown(offsets)}, expected sizes from 0")
    kind = np.dtype(DTYPES[word])
    wanted = math.prod(shape) * kind.itemsize
    if offsets[1] - offsets[0] != wanted:
        raise FormatError(f"tensor {name!r:.80} takes {wanted} bytes, the file has {offsets[1] - offsets[0]}")
    return kind, tuple(shape), offsets[0], offsets[1]


def _counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 2**63 for v in values)
