"""Ops that rearrange: same numbers, other shape, order or dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphdl.errors import DTypeError, ShapeError
from graphdl.ir.dim import Dim, Shape, SymDim, exact_div, numel
from graphdl.ir.elementwise import as_node
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, builder, op, refusing
from graphdl.ir.types import TensorType, as_dtype, as_shape, broadcast_shapes, normalise_axis, shape_text


# (first, behind the last, step) along one axis, as a Python slice has them.
@op
class Transpose(Op):
    """Axes in another order: axis i of the result is axis `perm[i]` of the input."""

    name = "transpose"
    perm: tuple[int, ...]
    glyph = "ᵀ"
    is_view = True
    samples = (
        Sample(((2, 3),), attributes={"perm": (1, 0)}),
        Sample(((2, 3, 4),), attributes={"perm": (2, 0, 1)}),
    )

    def infer(self, x: TensorType) -> TensorType:
        if sorted(self.perm) != list(range(x.rank)):
            raise ShapeError(f"perm is {self.perm}, expected an order of the {x.rank} axes")
        return x.with_shape(tuple(x.shape[i] for i in self.perm))

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (transpose(dy, tuple(int(i) for i in np.argsort(self.perm))),)

    def lower(self, x: Operand) -> str:
        return f"{x}.T" if self.perm == (1, 0) else f"{x}.transpose({', '.join(map(str, self.perm))})"

    def latex(self, x: str) -> str:
        return rf"{x}^{{\mathsf T}}"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@op
class Reshape(Op):
    """The same elements in the same order, in another shape."""

    name = "reshape"
    shape: Shape
    is_view = True
    samples = (Sample(((2, 6),), attributes={"shape": (3, 4)}), Sample(((2, 3),), attributes={"shape": (6,)}))

    def infer(self, x: TensorType) -> TensorType:
        if numel(self.shape) != x.size:
            raise ShapeError(f"{x.size} elements do not fit shape {shape_text(self.shape)}")
        return x.with_shape(self.shape)

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (reshape(dy, x.shape),)

    def lower(self, x: Operand) -> str:
        return f"{x}.reshape({shape_text(self.shape)})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@op
class BroadcastTo(Op):
    """Copies along new axes and along axes of size 1; the copies' gradients come back added up."""

    name = "broadcast_to"
    shape: Shape
    glyph = "⇱"
    role = "sum"
    is_view = True
    samples = (
        Sample(((3,),), attributes={"shape": (2, 3)}),
        Sample(((2, 1),), attributes={"shape": (2, 3)}),
        Sample(((),), attributes={"shape": (2, 3)}),
    )

    def infer(self, x: TensorType) -> TensorType:
        if x.rank > len(self.shape) or broadcast_shapes(x.shape, self.shape) != self.shape:
            raise ShapeError(f"{shape_text(x.shape)} does not broadcast to {shape_text(self.shape)}")
        return x.with_shape(self.shape)

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (sum_to(dy, x.shape),)

    def lower(self, x: Operand) -> str:
        return f"xp.broadcast_to({x}, {shape_text(self.shape)})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@op
class SumTo(Op):
    """Sums over the axes that broadcasting from `shape` would have copied along."""

    name = "sum_to"
    shape: Shape
    glyph = "Σ"
    role = "broadcast"
    samples = (
        Sample(((2, 3),), attributes={"shape": (3,)}),
        Sample(((2, 3),), attributes={"shape": (2, 1)}),
        Sample(((2, 3),), attributes={"shape": ()}),
        Sample(((4, 2, 3),), attributes={"shape": (1, 3)}),
        Sample(((2, 3),), dtypes=("int32",), attributes={"shape": (3,)}, smooth=False),
    )

    def infer(self, x: TensorType) -> TensorType:
        if x.dtype == "bool":
            raise DTypeError("an operand is bool, expected numbers; cast it first, as in gd.cast(x, 'float32')")
        if len(self.shape) > x.rank or broadcast_shapes(x.shape, self.shape) != x.shape:
            raise ShapeError(f"{shape_text(self.shape)} does not broadcast to {shape_text(x.shape)}")
        return x.with_shape(self.shape)

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (broadcast_to(dy, x.shape),)

    def lower(self, x: Operand) -> str:
        """One reduction; axes of size 1 that stay are put back by a reshape."""
        axes, kept = self.axes(x.type.shape)
        axis = axes[0] if len(axes) == 1 else axes
        # NumPy sums small integers in int64.
        dtype = f', dtype="{x.type.dtype}"' if x.type.dtype in ("int32", "uint8") else ""
        total = f"xp.sum({x}, axis={axis}{dtype})" if axes else f"{x} + 0"
        return total if kept == self.shape else f"{total}.reshape({shape_text(self.shape)})"

    def axes(self, shape: Shape) -> tuple[tuple[int, ...], Shape]:
        """Axes of `shape` that are summed, and the shape that summing them leaves."""
        lead = len(shape) - len(self.shape)
        added = [i for i in range(len(shape)) if i < lead or (self.shape[i - lead] == 1 and shape[i] != 1)]
        return tuple(added), tuple(d for i, d in enumerate(shape) if i not in added)

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return inputs[0].size


@op
class Cast(Op):
    """The same values in another dtype; the gradient is cast back, and is none from integers."""

    name = "cast"
    dtype: str
    samples = (
        Sample(((2, 3),), attributes={"dtype": "float64"}),
        Sample(((2, 3),), dtypes=("bool",), attributes={"dtype": "float32"}, smooth=False),
        Sample(((2, 3),), dtypes=("int64",), attributes={"dtype": "float32"}, smooth=False),
    )
    why_flat = "a cast to integers or truth values is a step: flat everywhere, with jumps"

    def infer(self, x: TensorType) -> TensorType:
        return x.with_dtype(self.dtype)

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        both = y.tensor.is_float and x.tensor.is_float
        return (cast(dy, x.dtype) if both else None,)

    def lower(self, x: Operand) -> str:
        return f'{x}.astype("{self.dtype}")'


@op
class StopGradient(Op):
    """The value itself; gradients do not pass."""

    name = "stop_gradient"
    is_view = True
    samples = (Sample(((2, 3),), smooth=False),)
    why_flat = "stop_gradient holds every gradient back"

    def infer(self, x: TensorType) -> TensorType:
        return x

    def lower(self, x: Operand) -> str:
        return f"{x}.view()" if x.type.shape else f"xp.asarray({x})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@builder("transpose")
def transpose(x: Any, perm: Sequence[int] | None = None, name: str | None = None) -> Node:
    """`x` with its axes in the order `perm`, by default reversed."""
    x = as_node(x)
    with refusing("transpose", x):
        order = tuple(normalise_axis(i, x.ndim) for i in perm) if perm is not None else tuple(range(x.ndim))[::-1]
    return build(Transpose(order), x, name=name)


@builder("reshape")
def reshape(x: Any, shape: Any, name: str | None = None) -> Node:
    """`x` in another shape; one size may be -1, which is whatever the others leave."""
    x = as_node(x)
    sizes = (shape,) if isinstance(shape, int | SymDim | str) or shape is None else tuple(shape)
    with refusing("reshape", x):
        return build(Reshape(_with_inferred(sizes, x.tensor)), x, name=name)


@builder("broadcast_to")
def broadcast_to(x: Any, shape: Any, name: str | None = None) -> Node:
    """Copies of `x` along new axes and axes of size 1, as NumPy broadcasts."""
    x = as_node(x)
    shape = as_shape(shape)
    return x if x.shape == shape else build(BroadcastTo(shape), x, name=name)


def full(shape: Any, value: Any, dtype: Any = None, name: str | None = None) -> Node:
    """`value` everywhere: a constant, or copies of one where a size is symbolic."""
    sizes = as_shape(shape)
    if all(isinstance(d, int) for d in sizes):
        return constant(value, dtype, sizes, name)
    return broadcast_to(constant(value, dtype), sizes, name)


@builder("broadcast_like")
def broadcast_like(value: Any, like: Node) -> Node:
    """`value` as a node of the type of `like`."""
    node = value if isinstance(value, Node) else constant(value, like.dtype)
    return broadcast_to(node, like.shape)


def sum_to(x: Any, shape: Any, name: str | None = None) -> Node:
    """`x` summed over the axes that broadcasting from `shape` copies along: the opposite of `broadcast_to`."""
    x = as_node(x)
    shape = as_shape(shape)
    return x if x.shape == shape else build(SumTo(shape), x, name=name)


@builder("cast")
def cast(x: Any, dtype: Any, name: str | None = None) -> Node:
    """`x` in another dtype; itself when it has that dtype already."""
    x = as_node(x)
    found = as_dtype(dtype)
    return x if x.dtype == found else build(Cast(found), x, name=name)


def stop_gradient(x: Any, name: str | None = None) -> Node:
    """`x`, as if it were a constant to the chain rule."""
    return build(StopGradient(), as_node(x), name=name)


def squeeze(x: Any, axis: int | Sequence[int] | None = None, name: str | None = None) -> Node:
    """`x` without the given axes, or without all axes, of size 1."""
    x = as_node(x)
    with refusing("squeeze", x):
        axes = _axes(axis, x.ndim) if axis is not None else [i for i, d in enumerate(x.shape) if d == 1]
        for i in axes:
            if x.shape[i] != 1:
                raise ShapeError(f"axis {i} has size {x.shape[i]}, expected 1")
    return reshape(x, tuple(d for i, d in enumerate(x.shape) if i not in axes), name=name)


@builder("expand_dims")
def expand_dims(x: Any, axis: int | Sequence[int], name: str | None = None) -> Node:
    """`x` with new axes of size 1 at the positions `axis` of the result."""
    x = as_node(x)
    wanted = [axis] if isinstance(axis, int) else list(axis)
    with refusing("expand_dims", x):
        places = _axes(wanted, x.ndim + len(wanted))
    old = iter(x.shape)
    shape = tuple(1 if i in places else next(old) for i in range(x.ndim + len(places)))
    return reshape(x, shape, name=name)


def _axes(axis: int | Sequence[int], rank: int) -> list[int]:
    return [normalise_axis(i, rank) for i in ([axis] if isinstance(axis, int) else axis)]


def _with_inferred(sizes: tuple[Any, ...], x: TensorType) -> Shape:
    """The shape with -1 (once) exchanged for what the other sizes leave, and None for the batch size."""
    unknown = [i for i, d in enumerate(sizes) if isinstance(d, int | np.integer) and d == -1]
    if len(unknown) > 1:
        raise ShapeError("more than one size is -1")
    known = as_shape(tuple(1 if i in unknown else d for i, d in enumerate(sizes)))
    if not unknown:
        return known
    rest = exact_div(x.size, numel(known))
    if rest is None:
        raise ShapeError(f"{x.size} elements do not divide by {numel(known)} to fill the -1 of {sizes}")
    return (*known[: unknown[0]], rest, *known[unknown[0] + 1 :])
