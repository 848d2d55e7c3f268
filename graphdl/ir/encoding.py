"""Types, sizes, arrays and attributes as JSON values, and back: read strictly, each against what it must be."""

from __future__ import annotations

import base64
import binascii
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from graphdl.errors import FormatError, ShapeError, did_you_mean, listed
from graphdl.ir.dim import Dim, Shape, SymDim, symbol
from graphdl.ir.text import plain
from graphdl.ir.types import ITEMSIZE, SHORT, TensorType, TupleType, Type

# No honest shape comes near these; a hostile one could ask for polynomials that fill the memory.
MAX_AXES = 32
MAX_TERMS = 4096
MAX_SIZE = 2**63 - 1

Readers = Mapping[Any, Callable[[Any], Any]]

_LONG = {short: name for name, short in SHORT.items()}
_TYPE = re.compile(r"([a-z]\d*|bool)(?:\[([^\[\]]+)\])?\Z")
_WORD = re.compile(r"[A-Za-z0-9_]{1,30}\Z")
_INFINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def encoded(value: Any) -> Any:
    """An attribute as JSON has it: tuples as lists, symbolic sizes as text, infinities too."""
    if isinstance(value, tuple):
        return [encoded(part) for part in value]
    if isinstance(value, SymDim):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def decoded(hint: Any, data: Any) -> Any:
    """The attribute that `data` stands for when its field is declared as `hint`."""
    kind = typing.get_origin(hint)
    if kind in (typing.Union, types.UnionType):
        return as_dim(data)
    if kind is tuple:
        return _tuple(typing.get_args(hint), data)
    if hint is float:
        return _float(data)
    if type(data) is not hint:
        raise FormatError(f"found {shown(data)}, expected {hint.__name__}")
    if hint is str and not _WORD.match(data):
        raise FormatError(f"found {shown(data)}, expected a word")
    return data


def attributes_of(cls: type, data: Any, readers: Readers = types.MappingProxyType({})) -> dict[str, Any]:
    """The fields of the op class `cls` from the JSON object `data`: each of them, and nothing else.

    `readers` read fields of types that are made of nodes.
    """
    hints = _hints(cls)
    if not isinstance(data, dict):
        raise FormatError(f"attributes are {shown(data)}, expected an object")
    for key in data:
        if key not in hints:
            raise FormatError(f"there is no attribute {shown(key)}.{did_you_mean(key, hints)} It has {listed(hints)}")
    missing = [key for key in hints if key not in data]
    if missing:
        raise FormatError(f"attribute {missing[0]!r} is missing; found {listed(data)}")
    return {
        key: readers[hint](data[key]) if hint in readers else _attribute(key, hint, data[key])
        for key, hint in hints.items()
    }


@cache
def _hints(cls: type) -> dict[str, Any]:
    """The declared types of the fields of an op class, in order."""
    fields = getattr(cls, "__dataclass_fields__", {})
    hints = typing.get_type_hints(cls) if fields else {}
    return {name: hints[name] for name in fields}


def _attribute(key: str, hint: Any, data: Any) -> Any:
    try:
        value = decoded(hint, data)
    except FormatError as error:
        raise FormatError(f"attribute {key!r}: {error}") from None
    if key == "axis" and any(axis < 0 for axis in (value if isinstance(value, tuple) else (value,))):
        raise FormatError(f"attribute 'axis': found {shown(data)}, expected axes counted from 0")
    if key == "dtype" and value not in SHORT:
        raise FormatError(f"attribute 'dtype': found {shown(value)}, expected one of {', '.join(SHORT)}")
    if isinstance(value, tuple) and all(isinstance(part, int | SymDim) for part in value):
        _check_terms(value)
    return value


def _tuple(hints: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise FormatError(f"found {shown(data)}, expected a list")
    if hints[-1] is Ellipsis:
        return tuple(decoded(hints[0], part) for part in data)
    if len(data) != len(hints):
        raise FormatError(f"found a list of {len(data)}, expected {len(hints)}")
    return tuple(decoded(hint, part) for hint, part in zip(hints, data, strict=True))


def _float(data: Any) -> float:
    if isinstance(data, str) and data in _INFINITE:
        return _INFINITE[data]
    if type(data) not in (float, int) or not abs(data) <= float(np.finfo(float).max):
        raise FormatError(f"found {shown(data)}, expected a number")
    return float(data)


def as_dim(data: Any) -> Dim:
    """A size: an integer, or the text of a polynomial in named sizes, exactly as it is printed."""
    if type(data) is int and abs(data) <= MAX_SIZE:
        return data
    if not isinstance(data, str) or len(data) > 200:
        raise FormatError(f"found {shown(data)}, expected a size such as 32 or '2*N + 1'")
    total: Dim = 0
    try:
        for term in data.replace(" - ", " + -").split(" + "):
            total = total + _term(term)
    except (ShapeError, ValueError):
        total = 0
    if str(total) != data or isinstance(total, int):
        raise FormatError(f"found {shown(data)}, expected a size such as 32 or '2*N + 1'")
    return total


def _term(text: str) -> Dim:
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text)
    factor: Dim = sign
    for part in body.split("*"):
        factor = factor * (int(part) if part.isdecimal() and len(part) < 19 else symbol(part))
    return factor


def as_type(text: Any) -> TensorType:
    """The type that prints as `text`, such as ``f32[N, 784]``."""
    found = _TYPE.match(text) if isinstance(text, str) and len(text) < 1000 else None
    if found is None or found[1] not in _LONG:
        raise FormatError(f"a type is {shown(text)}, expected one such as 'f32[N, 784]'")
    sizes = found[2].split(", ") if found[2] else []
    shape = tuple(int(d) if d.isdecimal() and len(d) < 19 else as_dim(d) for d in sizes)
    made = TensorType(_LONG[found[1]], shape)
    if str(made) != text:
        raise FormatError(f"a type is {shown(text)}, expected {str(made)!r}")
    check_type(made)
    return made


def check_type(found: Type) -> None:
    """FormatError for a type whose sizes no honest graph has."""
    for tensor in found.items if isinstance(found, TupleType) else (found,):
        _check_terms(tensor.shape)
        if any(isinstance(d, int) and not 0 <= d <= MAX_SIZE for d in tensor.shape):
            raise FormatError(f"the sizes of {plain(str(found))} are out of bounds")


def _check_terms(shape: Shape) -> None:
    terms = math.prod(len(d.terms) for d in shape if isinstance(d, SymDim))
    if len(shape) > MAX_AXES or terms > MAX_TERMS:
        raise FormatError(f"a shape has {len(shape)} axes and sizes of {terms} terms, more than graphdl takes")


def encoded_array(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    """An array as its dtype, its shape and its bytes, the lowest first, in base64."""
    low_first = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    data = base64.b64encode(low_first.tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "base64": data}


def decoded_array(data: Any) -> np.ndarray[Any, Any]:
    """The array that `encoded_array` wrote, read-only; the bytes must be as many as the shape says."""
    if not isinstance(data, dict) or set(data) != {"dtype", "shape", "base64"} or not isinstance(data["base64"], str):
        raise FormatError(f"an array is {shown(data)}, expected an object of dtype, shape and base64")
    dtype, shape = data["dtype"], data["shape"]
    if not isinstance(dtype, str) or dtype not in SHORT:
        raise FormatError(f"an array has dtype {shown(dtype)}, expected one of {', '.join(SHORT)}")
    if not isinstance(shape, list) or len(shape) > MAX_AXES or not all(type(d) is int and d >= 0 for d in shape):
        raise FormatError(f"an array has shape {shown(shape)}, expected at most {MAX_AXES} sizes")
    return _array(_bytes(data["base64"], math.prod(shape) * ITEMSIZE[dtype]), dtype, tuple(shape))


def _bytes(text: str, count: int) -> bytes:
    """`count` bytes from base64; the length is checked before anything is allocated."""
    if len(text) != (count + 2) // 3 * 4:
        raise FormatError(f"an array has {len(text)} characters of base64, expected {(count + 2) // 3 * 4}")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"an array is not in base64: {error}") from None
    if len(raw) != count:
        raise FormatError(f"an array has {len(raw)} bytes, expected {count}")
    return raw


def _array(raw: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    if dtype == "bool" and not set(raw) <= {0, 1}:
        raise FormatError("an array of truth values has bytes other than 0 and 1")
    array = np.frombuffer(raw, np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(shape)
    array.flags.writeable = False
    return array


def shown(data: Any) -> str:
    """What was found, short enough for a message."""
    return plain(repr(data)[:200])
