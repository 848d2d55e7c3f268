"""Elements chosen by index, and their gradients, which add up where an index repeats."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.config import floatx
from graphdl.errors import DTypeError, ShapeError
from graphdl.ir.dim import Dim, Shape
from graphdl.ir.elementwise import as_node
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, op, refusing
from graphdl.ir.types import INTS, SHORT, TensorType, as_dtype, as_shape, normalise_axis, shape_text
from graphdl.ops.shape import expand_dims

INDICES = "an index has no derivative: between two integers there is nothing"


@op
class Take(Op):
    """Entries of `x` along `axis`, in the order of `indices`: rows of an embedding, for one."""

    name = "take"
    axis: int
    role = "route"
    samples = (
        Sample(((5, 3), (4,)), dtypes=("float", "int64"), low=(-2, 0), high=(2, 4), attributes={"axis": 0}),
        Sample(((2, 5), (2, 2)), dtypes=("float", "int64"), low=(-2, 0), high=(2, 4), attributes={"axis": 1}),
    )
    why_flat = INDICES

    def infer(self, x: TensorType, indices: TensorType) -> TensorType:
        normalise_axis(self.axis, x.rank)
        _check_indices(indices)
        return x.with_shape(x.shape[: self.axis] + indices.shape + x.shape[self.axis + 1 :])

    def vjp(self, dy: Node, y: Node, x: Node, indices: Node) -> tuple[Gradient, ...]:
        return (build(ScatterAdd(x.shape, self.axis), dy, indices), None)

    def lower(self, x: Operand, indices: Operand) -> str:
        return f"xp.take({x}, {indices}, axis={self.axis})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@op
class ScatterAdd(Op):
    """Zeros of `shape`, with each of `values` added at its index along `axis`: the gradient of `take`."""

    name = "scatter_add"
    shape: Shape
    axis: int
    role = "sum"
    samples = (
        Sample(
            ((4, 3), (4,)), dtypes=("float", "int64"), low=(-2, 0), high=(2, 4), attributes={"shape": (5, 3), "axis": 0}
        ),
        Sample(
            ((2, 3, 2), (3, 2)),
            dtypes=("float", "int64"),
            low=(-2, 0),
            high=(2, 4),
            attributes={"shape": (2, 5), "axis": 1},
        ),
    )
    why_flat = INDICES

    def infer(self, values: TensorType, indices: TensorType) -> TensorType:
        normalise_axis(self.axis, len(self.shape))
        _check_indices(indices)
        expected = self.shape[: self.axis] + indices.shape + self.shape[self.axis + 1 :]
        if values.shape != expected:
            raise ShapeError(f"values have shape {shape_text(values.shape)}, expected {shape_text(expected)}")
        return values.with_shape(self.shape)

    def vjp(self, dy: Node, y: Node, values: Node, indices: Node) -> tuple[Gradient, ...]:
        return (build(Take(self.axis), dy, indices), None)

    def lower(self, values: Operand, indices: Operand) -> str:
        return f"scatter_add({values}, {indices}, {shape_text(self.shape)}, axis={self.axis})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return inputs[0].size


@op
class TakeAlong(Op):
    """One entry of each row of `x`: ``y[n] = x[n, indices[n]]``, in the last axis."""

    name = "take_along"
    role = "route"
    samples = (Sample(((3, 4), (3,)), dtypes=("float", "int64"), low=(-2, 0), high=(2, 3)),)
    why_flat = INDICES

    def infer(self, x: TensorType, indices: TensorType) -> TensorType:
        _check_indices(indices)
        if not x.rank or indices.shape != x.shape[:-1]:
            raise ShapeError(f"found {x} and indices {indices}, expected one index for each row")
        return x.with_shape(indices.shape)

    def vjp(self, dy: Node, y: Node, x: Node, indices: Node) -> tuple[Gradient, ...]:
        return (one_hot(indices, x.shape[-1], x.dtype) * expand_dims(dy, -1), None)

    def lower(self, x: Operand, indices: Operand) -> str:
        return f"take_along({x}, {indices})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@op
class OneHot(Op):
    """A row of zeros with a one at the index; an index outside gives a row of zeros."""

    name = "one_hot"
    depth: Dim
    dtype: str
    samples = (
        Sample(((3,),), dtypes=("int64",), low=0, high=3, attributes={"depth": 4, "dtype": "float32"}, smooth=False),
    )
    why_flat = INDICES

    def infer(self, indices: TensorType) -> TensorType:
        _check_indices(indices)
        return TensorType(self.dtype, (*indices.shape, self.depth))

    def lower(self, indices: Operand) -> str:
        return f'one_hot({indices}, {self.depth}, "{self.dtype}")'


def take(x: Any, indices: Any, axis: int = 0, name: str | None = None) -> Node:
    """Entries of `x` along `axis` at `indices` (integers from 0); TensorFlow's `gather`."""
    x, indices = as_node(x), _index_node(indices)
    with refusing("take", x, indices):
        place = normalise_axis(axis, x.ndim)
    return build(Take(place), x, indices, name=name)


gather = take


def take_along(x: Any, indices: Any, name: str | None = None) -> Node:
    """One entry of each row of `x`, in its last axis: ``y[n] = x[n, indices[n]]``."""
    return build(TakeAlong(), as_node(x), _index_node(indices), name=name)


def scatter_add(values: Any, indices: Any, shape: Any, axis: int = 0, name: str | None = None) -> Node:
    """Zeros of `shape`, with each of `values` added at its index along `axis`."""
    return build(ScatterAdd(as_shape(shape), axis), as_node(values), _index_node(indices), name=name)


def one_hot(indices: Any, depth: Dim, dtype: Any = None, name: str | None = None) -> Node:
    """Rows of `depth` zeros with a one at each of `indices`."""
    return build(OneHot(depth, as_dtype(dtype or floatx())), _index_node(indices), name=name)


def _index_node(indices: Any) -> Node:
    return indices if isinstance(indices, Node) else constant(np.asarray(indices))


def _check_indices(indices: TensorType) -> None:
    if indices.dtype not in INTS:
        raise DTypeError(
            f"indices are {SHORT[indices.dtype]}, expected integers; cast them first, as in gd.cast(i, 'int64')"
        )
