"""Types of values: dtype and shape, printed ``f32[N, 784]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from graphdl.errors import DTypeError, ShapeError
from graphdl.ir.dim import Dim, Shape, SymDim, numel, symbol

SHORT = {
    "float32": "f32",
    "float64": "f64",
    "int32": "i32",
    "int64": "i64",
    "uint8": "u8",
    "bool": "bool",
}
FLOATS = ("float32", "float64")
INTS = ("int32", "int64", "uint8")
ITEMSIZE = {"float32": 4, "float64": 8, "int32": 4, "int64": 8, "uint8": 1, "bool": 1}
BATCH = symbol("N")


class TensorType(NamedTuple):
    """Type of an array: its dtype (NumPy's name) and its shape (integers and symbolic sizes)."""

    dtype: str
    shape: Shape

    def __str__(self) -> str:
        inside = ", ".join(map(str, self.shape))
        return f"{SHORT[self.dtype]}[{inside}]" if self.shape else SHORT[self.dtype]

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Dim:
        """Number of elements."""
        return numel(self.shape)

    @property
    def nbytes(self) -> Dim:
        """Bytes of the elements."""
        return self.size * ITEMSIZE[self.dtype]

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS

    def with_shape(self, shape: Shape) -> TensorType:
        return TensorType(self.dtype, shape)

    def with_dtype(self, dtype: str) -> TensorType:
        return TensorType(dtype, self.shape)


class TupleType(NamedTuple):
    """Type of a node with several results; `pick(i)` takes one of them."""

    items: tuple[TensorType, ...]

    def __str__(self) -> str:
        return "(" + ", ".join(map(str, self.items)) + ")"


Type = TensorType | TupleType


def as_dtype(dtype: Any) -> str:
    """NumPy's name of `dtype`, which may be a name ("f32", "float32"), a NumPy dtype or a Python type."""
    for name, short in SHORT.items():
        if isinstance(dtype, str) and dtype in (name, short):
            return name
    if dtype is float:
        return "float64"
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = repr(dtype)
    if name not in SHORT:
        raise DTypeError(f"dtype {name} is not one graphdl computes with; it has {', '.join(SHORT)}")
    return name


def as_shape(shape: Any) -> Shape:
    """A shape from integers, None (the batch size N, first axis only) and names of symbolic sizes."""
    if isinstance(shape, int | np.integer | str | SymDim):
        shape = (shape,)
    return tuple(_as_dim(d, axis) for axis, d in enumerate(shape))


def _as_dim(d: Any, axis: int) -> Dim:
    if d is None:
        return BATCH if axis == 0 else symbol(f"D{axis}")
    if isinstance(d, str):
        return symbol(d)
    if isinstance(d, SymDim):
        return d
    if isinstance(d, bool) or not isinstance(d, int | np.integer):
        raise ShapeError(f"axis {axis} of a shape is {d!r}, expected an integer, None or a name such as 'N'")
    if d < 0:
        raise ShapeError(f"axis {axis} of a shape is {d}, expected 0 or more; use None for the batch size")
    return int(d)


def shape_text(shape: Sequence[Dim]) -> str:
    """Shape as Python prints a tuple: ``(N, 784)``, ``(128,)``, ``()``."""
    inside = ", ".join(map(str, shape))
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def normalise_axis(axis: int, rank: int) -> int:
    """`axis` counted from the front; ShapeError when there is no such axis."""
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} of a value with {rank} axes; expected {-rank} to {rank - 1}")
    return axis % rank


def broadcast_shapes(*shapes: Shape) -> Shape:
    """Shape that NumPy's broadcasting gives; symbolic sizes match only themselves and 1."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    return tuple(_broadcast_dim(column) for column in zip(*padded, strict=True))


def _broadcast_dim(column: tuple[Dim, ...]) -> Dim:
    sizes = [d for d in column if d != 1]
    for d in sizes[1:]:
        if d != sizes[0]:
            raise ShapeError(f"sizes {sizes[0]} and {d} do not broadcast")
    return sizes[0] if sizes else 1
