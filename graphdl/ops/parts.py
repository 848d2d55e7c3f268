"""Parts of a value: slices, cuts, values put together, padding, and what ``x[...]`` means."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphdl.errors import DTypeError, GraphError, ShapeError
from graphdl.ir.dim import Dim, Shape, exact_div
from graphdl.ir.elementwise import as_node
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, builder, op, refusing
from graphdl.ir.types import TensorType, TupleType, as_shape, normalise_axis, shape_text
from graphdl.ops.indexing import take
from graphdl.ops.shape import expand_dims, reshape

Bounds = tuple[Dim, Dim, int]


@op
class Concat(Op):
    """Values one behind the other along `axis`."""

    name = "concat"
    axis: int
    samples = (
        Sample(((2, 3), (2, 2)), attributes={"axis": 1}),
        Sample(((2, 3), (1, 3), (2, 3)), attributes={"axis": 0}),
    )

    def infer(self, *inputs: TensorType) -> TensorType:
        first = inputs[0]
        axis = normalise_axis(self.axis, first.rank)
        for other in inputs[1:]:
            if other.dtype != first.dtype:
                raise DTypeError(f"mixes {first} and {other}")
            if _without(other.shape, axis) != _without(first.shape, axis):
                raise ShapeError(f"{first} and {other} differ beside axis {self.axis}")
        total: Dim = 0
        for x in inputs:
            total = total + x.shape[axis]
        return first.with_shape((*first.shape[:axis], total, *first.shape[axis + 1 :]))

    def vjp(self, dy: Node, y: Node, *inputs: Node) -> tuple[Gradient, ...]:
        parts: list[Node] = []
        start: Dim = 0
        for x in inputs:
            stop = start + x.shape[self.axis]
            parts.append(_slice_axis(dy, self.axis, start, stop))
            start = stop
        return tuple(parts)

    def lower(self, *inputs: Operand) -> str:
        return f"xp.concatenate(({', '.join(inputs)},), axis={self.axis})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@op
class Split(Op):
    """Parts of the given `sizes` along `axis`, as one tuple; `pick` takes them out."""

    name = "split"
    axis: int
    sizes: tuple[Dim, ...]
    is_view = True
    samples = (
        Sample(((2, 6),), attributes={"axis": 1, "sizes": (2, 4)}),
        Sample(((4, 2),), attributes={"axis": 0, "sizes": (1, 1, 2)}),
    )

    def infer(self, x: TensorType) -> TupleType:
        axis = normalise_axis(self.axis, x.rank)
        total: Dim = 0
        for d in self.sizes:
            total = total + d
        if total != x.shape[axis]:
            raise ShapeError(f"parts of {shape_text(self.sizes)} do not make up size {x.shape[axis]} of axis {axis}")
        return TupleType(tuple(x.with_shape((*x.shape[:axis], d, *x.shape[axis + 1 :])) for d in self.sizes))

    def vjp(self, dy: tuple[Node, ...], y: Node, x: Node) -> tuple[Gradient, ...]:
        return (concat(list(dy), axis=self.axis),)

    def lower(self, x: Operand) -> str:
        """Slices, which NumPy takes at a fifth of the cost of its split."""
        parts: list[str] = []
        start: Dim = 0
        for d in self.sizes:
            bounds = [(start, start + d, 1) if i == self.axis else (0, n, 1) for i, n in enumerate(x.type.shape)]
            parts.append(f"{x}[{_slices(tuple(bounds), x.type.shape)}]")
            start = start + d
        return f"({', '.join(parts)},)"

    def flops(self, result: Any, *inputs: TensorType) -> Dim:
        return 0


@op
class Pick(Op):
    """Result number `index` of a node with several."""

    name = "pick"
    index: int
    is_view = True

    def infer(self, x: TupleType) -> TensorType:
        return x.items[self.index]

    def lower(self, x: Operand) -> str:
        return f"{x}[{self.index}]"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@op
class Slice(Op):
    """Elements from first to last by step along each axis; `bounds` has one triple an axis."""

    name = "slice"
    bounds: tuple[Bounds, ...]
    is_view = True
    samples = (
        Sample(((4, 5),), attributes={"bounds": ((1, 3, 1), (0, 5, 2))}),
        Sample(((4, 5),), attributes={"bounds": ((0, 4, 1), (2, 3, 1))}),
    )

    def infer(self, x: TensorType) -> TensorType:
        if len(self.bounds) != x.rank:
            raise ShapeError(f"{len(self.bounds)} bounds for {x.rank} axes")
        _check_bounds(self.bounds, x.shape)
        return x.with_shape(tuple(_length(*b) for b in self.bounds))

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (build(Place(x.shape, self.bounds), dy),)

    def lower(self, x: Operand) -> str:
        return f"{x}[{_slices(self.bounds, x.type.shape)}]"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@op
class Place(Op):
    """Zeros of `shape` with the input put where `bounds` says: the gradient of `slice`."""

    name = "place"
    shape: Shape
    bounds: tuple[Bounds, ...]
    samples = (Sample(((2, 3),), attributes={"shape": (4, 5), "bounds": ((1, 3, 1), (0, 5, 2))}),)

    def infer(self, x: TensorType) -> TensorType:
        if tuple(_length(*b) for b in self.bounds) != x.shape:
            raise ShapeError(f"{shape_text(x.shape)} does not fill the bounds {self.bounds}")
        _check_bounds(self.bounds, self.shape)
        return x.with_shape(self.shape)

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (build(Slice(self.bounds), dy),)

    def lower(self, x: Operand) -> str:
        where = ", ".join(f"slice({a}, {b}, {step})" for a, b, step in self.bounds)
        return f"place({x}, {shape_text(self.shape)}, ({where},))"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


@op
class Pad(Op):
    """`value` put around: `widths` says how many before and behind, for each axis."""

    name = "pad"
    widths: tuple[tuple[int, int], ...]
    value: float = 0.0
    samples = (
        Sample(((2, 3),), attributes={"widths": ((1, 2), (0, 1))}),
        Sample(((2, 3),), attributes={"widths": ((1, 0), (2, 2)), "value": 1.5}),
    )

    def infer(self, x: TensorType) -> TensorType:
        if len(self.widths) != x.rank or builtins.any(a < 0 or b < 0 for a, b in self.widths):
            raise ShapeError(f"widths are {self.widths}, expected a pair of counts for each of {x.rank} axes")
        return x.with_shape(tuple(d + (a + b) for d, (a, b) in zip(x.shape, self.widths, strict=True)))

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        bounds = tuple((a, d + a, 1) for d, (a, _) in zip(x.shape, self.widths, strict=True))
        return (build(Slice(bounds), dy),)

    def lower(self, x: Operand) -> str:
        return f"xp.pad({x}, {self.widths}, constant_values={self.value!r})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


def concat(xs: Sequence[Any], axis: int = -1, name: str | None = None) -> Node:
    """The values `xs` one behind the other along `axis`."""
    nodes = [as_node(x) for x in xs]
    if not nodes:
        raise GraphError("concat: nothing to put together")
    with refusing("concat", *nodes):
        place = normalise_axis(axis, nodes[0].ndim)
    return build(Concat(place), *nodes, name=name)


def stack(xs: Sequence[Any], axis: int = 0, name: str | None = None) -> Node:
    """The values `xs`, all of one shape, side by side along a new axis."""
    return concat([expand_dims(x, axis) for x in xs], axis=axis, name=name)


def split(x: Any, parts: int | Sequence[Dim], axis: int = 0, name: str | None = None) -> list[Node]:
    """`x` cut along `axis` into so many equal parts, or into parts of the given sizes."""
    x = as_node(x)
    with refusing("split", x):
        place = normalise_axis(axis, x.ndim)
        sizes = _part_sizes(x.shape[place], parts)
    whole = build(Split(place, sizes), x, name=name)
    return [pick(whole, i) for i in range(len(sizes))]


def pick(node: Node, index: int, name: str | None = None) -> Node:
    """Result number `index` of a node with several."""
    if not isinstance(node.type, TupleType):
        raise GraphError(f"pick: {node.label} has one result, {node.type}")
    if not 0 <= index < len(node.type.items):
        raise GraphError(f"pick: {node.label} has {len(node.type.items)} results, there is no number {index}")
    return build(Pick(index), node, name=name)


def pad(x: Any, widths: Sequence[Sequence[int]], value: float = 0.0, name: str | None = None) -> Node:
    """`x` with so many elements `value` before and behind along each axis."""
    return build(Pad(tuple((int(a), int(b)) for a, b in widths), float(value)), as_node(x), name=name)


@builder("getitem")
def getitem(x: Node, key: Any) -> Node:
    """``x[key]`` with integers, slices, None, ... and one integer list, array or node."""
    keys = list(key) if isinstance(key, tuple) else [key]
    fancy = [k for k in keys if isinstance(k, Node | list | np.ndarray) and not isinstance(k, int)]
    if fancy:
        return _take_item(x, keys, fancy)
    with refusing("slice", x):
        bounds, shape = _read_key(x, _without_ellipsis(x, keys))
    whole = all(b == (0, d, 1) for b, d in zip(bounds, x.shape, strict=True))
    part = x if whole else build(Slice(bounds), x)
    return part if part.shape == shape else reshape(part, shape)


def _take_item(x: Node, keys: list[Any], fancy: list[Any]) -> Node:
    """An index of many positions along one axis; the other axes are taken whole."""
    rest = [k for k in keys if k is not fancy[0]]
    if len(fancy) > 1 or any(k != slice(None) for k in rest):
        raise GraphError(f"{x.label}[...]: one list or node of indices, and ':' elsewhere; use gd.take for more")
    axis = next(i for i, k in enumerate(keys) if k is fancy[0])
    return take(x, fancy[0], axis=axis)


def _without_ellipsis(x: Node, keys: list[Any]) -> list[Any]:
    count = builtins.sum(k is not None and k is not Ellipsis for k in keys)
    if count > x.ndim:
        raise ShapeError(f"{count} indices for {x.ndim} axes")
    if Ellipsis not in keys:
        return keys + [slice(None)] * (x.ndim - count)
    at = keys.index(Ellipsis)
    return keys[:at] + [slice(None)] * (x.ndim - count) + keys[at + 1 :]


def _read_key(x: Node, keys: list[Any]) -> tuple[tuple[Bounds, ...], tuple[Dim, ...]]:
    """Bounds for each axis of `x`, and the shape of the result, without the axes that an integer picks from."""
    bounds: list[Bounds] = []
    shape: list[Dim] = []
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        axis = len(bounds)
        if isinstance(k, slice):
            bounds.append(_slice_bounds(k, x.shape[axis], axis))
            shape.append(_length(*bounds[-1]))
        else:
            bounds.append(_index_bounds(k, x.shape[axis], axis))
    return tuple(bounds), tuple(shape)


def _index_bounds(k: Any, size: Dim, axis: int) -> Bounds:
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise GraphError(f"an index is {k!r}, expected an integer, a slice, None or ...")
    if isinstance(size, int) and not -size <= k < size:
        raise ShapeError(f"index {k} on axis {axis} of size {size}")
    first = size + int(k) if k < 0 else int(k)
    return (first, first + 1, 1)


def _slice_bounds(k: slice, size: Dim, axis: int) -> Bounds:
    step = 1 if k.step is None else k.step
    if not isinstance(step, int) or step < 1:
        raise ShapeError(f"step {step} on axis {axis}; steps go forward, use gd.take for another order")
    if isinstance(size, int):
        start, stop, _ = k.indices(size)
        return (start, builtins.max(start, stop), step)
    if step != 1:
        raise ShapeError(f"step {step} on axis {axis}, whose size {size} is only known at run time")
    first: Dim = k.start or 0
    last: Dim = size if k.stop is None else k.stop
    if isinstance(last, int) and last >= 0:
        raise ShapeError(
            f"the end {last} on axis {axis}, whose size {size} is only known at run time; count from the end"
        )
    return (
        size + first if isinstance(first, int) and first < 0 else first,
        size + last if isinstance(last, int) else last,
        1,
    )


def _check_bounds(bounds: tuple[Bounds, ...], shape: Shape) -> None:
    """ShapeError where bounds leave an axis of known size."""
    for axis, ((start, stop, step), size) in enumerate(zip(bounds, shape, strict=True)):
        known = [n for n in (0, start, stop, size) if isinstance(n, int)]
        if known != sorted(known) or step < 1:
            raise ShapeError(f"bounds {start}:{stop}:{step} on axis {axis} of size {size}")


def _length(start: Dim, stop: Dim, step: int) -> Dim:
    span = stop - start
    return builtins.max(0, -(-span // step)) if isinstance(span, int) else span


def _slices(bounds: tuple[Bounds, ...], shape: Shape) -> str:
    return ", ".join(
        ":" if (a, b, s) == (0, d, 1) else f"{a}:{b}" + (f":{s}" if s != 1 else "")
        for (a, b, s), d in zip(bounds, shape, strict=True)
    )


def _slice_axis(x: Node, axis: int, start: Dim, stop: Dim) -> Node:
    bounds = tuple((start, stop, 1) if i == axis else (0, d, 1) for i, d in enumerate(x.shape))
    return build(Slice(bounds), x)


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def _part_sizes(size: Dim, parts: int | Sequence[Dim]) -> tuple[Dim, ...]:
    if not isinstance(parts, int):
        return as_shape(parts)
    each = exact_div(size, parts)
    if each is None or parts < 1:
        raise ShapeError(f"size {size} cannot be cut into {parts} equal parts")
    return (each,) * parts
