"""Pooling: the largest element or the sum of each window, and the ops their gradients are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.errors import ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.elementwise import as_node
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, op, refusing
from graphdl.ir.types import TensorType, shape_text
from graphdl.ops.arithmetic import multiply, reciprocal
from graphdl.ops.shape import broadcast_to, expand_dims, full, squeeze
from graphdl.ops.window import Lengths, Pads, Pair, images, lengths_of, pads_for, pair, slid

_OVERLAPPING: dict[str, Any] = {"window": (3, 2), "strides": (2, 1), "pads": ((1, 0), (0, 1))}
_SIDE_BY_SIDE: dict[str, Any] = {"window": (2, 2), "strides": (2, 2), "pads": ((0, 0), (0, 0))}
_FLAT = "between two elements of a window the choice of the largest does not change"


class _Pool(Op):
    """What pooling ops share: where the window goes."""

    window: Pair
    strides: Pair
    pads: Pads

    def pooled(self, x: TensorType) -> TensorType:
        """The type of what is left of images `x`; ShapeError where a window would see padding alone."""
        for size, around in zip(self.window, self.pads, strict=True):
            if max(around) >= size:
                raise ShapeError(f"{max(around)} elements of padding hide a window of {size}; expected fewer")
        return images(x, slid(x, self.window, self.strides, self.pads), x.shape[3])

    def arguments(self) -> str:
        """The fields as the kernels take them."""
        return f"{self.window}, {self.strides}, {self.pads}"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return result.size * (self.window[0] * self.window[1])


@op
class MaxPool2D(_Pool):
    """The largest element of each window; padding is never the largest."""

    name = "max_pool2d"
    glyph = "max"
    role = "route"
    convention = "where several are largest, the gradient goes to the first"
    window: Pair
    strides: Pair
    pads: Pads
    samples = (
        Sample(((2, 5, 4, 3),), attributes=_OVERLAPPING),
        Sample(((2, 4, 4, 2),), attributes=_SIDE_BY_SIDE),
    )

    def infer(self, x: TensorType) -> TensorType:
        return self.pooled(x)

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (build(MaxPoolPlace(self.window, self.strides, self.pads), dy, x),)

    def lower(self, x: Operand) -> str:
        return f"max_pool2d({x}, {self.arguments()})"


@op
class MaxPoolPlace(_Pool):
    """Each element of `g` at the place of the largest element of its window of `x`; sums where several meet."""

    name = "max_pool2d_place"
    role = "route"
    window: Pair
    strides: Pair
    pads: Pads
    why_flat = _FLAT
    samples = (
        Sample(((2, 2, 4, 3), (2, 5, 4, 3)), attributes=_OVERLAPPING),
        Sample(((2, 2, 2, 2), (2, 4, 4, 2)), attributes=_SIDE_BY_SIDE),
    )

    def infer(self, g: TensorType, x: TensorType) -> TensorType:
        if g != self.pooled(x):
            raise ShapeError(f"found {g}, expected {self.pooled(x)} for images {x}")
        return x

    def vjp(self, dy: Node, y: Node, g: Node, x: Node) -> tuple[Gradient, ...]:
        return (build(MaxPoolTake(self.window, self.strides, self.pads), dy, x), None)

    def lower(self, g: Operand, x: Operand) -> str:
        return f"max_pool2d_place({g}, {x}, {self.arguments()})"


@op
class MaxPoolTake(_Pool):
    """The element of `z` at the place of the largest element of each window of `x`."""

    name = "max_pool2d_take"
    role = "route"
    window: Pair
    strides: Pair
    pads: Pads
    why_flat = _FLAT
    samples = (
        Sample(((2, 5, 4, 3), (2, 5, 4, 3)), attributes=_OVERLAPPING),
        Sample(((2, 4, 4, 2), (2, 4, 4, 2)), attributes=_SIDE_BY_SIDE),
    )

    def infer(self, z: TensorType, x: TensorType) -> TensorType:
        if z != x:
            raise ShapeError(f"found {z} and {x}, expected images of one type")
        return self.pooled(x)

    def vjp(self, dy: Node, y: Node, z: Node, x: Node) -> tuple[Gradient, ...]:
        return (build(MaxPoolPlace(self.window, self.strides, self.pads), dy, x), None)

    def lower(self, z: Operand, x: Operand) -> str:
        return f"max_pool2d_take({z}, {x}, {self.arguments()})"


@op
class SumPool2D(_Pool):
    """The sum of each window; padding counts as 0."""

    name = "sum_pool2d"
    glyph = "Σ"
    role = "sum"
    window: Pair
    strides: Pair
    pads: Pads
    samples = (
        Sample(((2, 5, 4, 3),), attributes=_OVERLAPPING),
        Sample(((2, 4, 4, 2),), attributes=_SIDE_BY_SIDE),
    )

    def infer(self, x: TensorType) -> TensorType:
        return self.pooled(x)

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (build(SumPoolSpread(lengths_of(x.tensor), self.window, self.strides, self.pads), dy),)

    def lower(self, x: Operand) -> str:
        return f"sum_pool2d({x}, {self.arguments()})"


@op
class SumPoolSpread(_Pool):
    """Each element at every place of its window, summed where windows overlap: the gradient of `sum_pool2d`."""

    name = "sum_pool2d_spread"
    role = "distribute"
    lengths: Lengths
    window: Pair
    strides: Pair
    pads: Pads
    samples = (
        Sample(((2, 2, 4, 3),), attributes={"lengths": (5, 4), **_OVERLAPPING}),
        Sample(((2, 2, 2, 2),), attributes={"lengths": (4, 4), **_SIDE_BY_SIDE}),
    )

    def infer(self, g: TensorType) -> TensorType:
        lengths_of(g)
        result = images(g, self.lengths, g.shape[3])
        if g != self.pooled(result):
            raise ShapeError(f"found {g}, expected {self.pooled(result)} for images of {shape_text(self.lengths)}")
        return result

    def vjp(self, dy: Node, y: Node, g: Node) -> tuple[Gradient, ...]:
        return (build(SumPool2D(self.window, self.strides, self.pads), dy),)

    def lower(self, g: Operand) -> str:
        return f"sum_pool2d_spread({g}, {self.lengths}, {self.arguments()})"


def max_pool2d(
    x: Any, window: int | Pair = 2, strides: int | Pair | None = None, padding: str = "valid", name: str | None = None
) -> Node:
    """The largest element of each window of images f32[N, H, W, C]; windows lie side by side without `strides`."""
    x = as_node(x)
    with refusing("max_pool2d", x):
        size, steps, pads = _geometry(x, window, strides, padding)
    return build(MaxPool2D(size, steps, pads), x, name=name)


def average_pool2d(
    x: Any, window: int | Pair = 2, strides: int | Pair | None = None, padding: str = "valid", name: str | None = None
) -> Node:
    """The mean of each window of images f32[N, H, W, C], over the elements that are there: padding does not count."""
    x = as_node(x)
    with refusing("average_pool2d", x):
        size, steps, pads = _geometry(x, window, strides, padding)
    pool = SumPool2D(size, steps, pads)
    total = build(pool, x)
    height, width = lengths_of(x.tensor)
    if isinstance(height, int) and isinstance(width, int):
        down, right = (_counts(n, k, s, p) for n, k, s, p in zip((height, width), size, steps, pads, strict=True))
        share = constant(1 / (down[:, None, None] * right[None, :, None]), x.dtype)
    else:
        share = reciprocal(build(pool, full((1, height, width, 1), 1.0, x.dtype)))
    return multiply(total, broadcast_to(share, total.shape), name=name)


def max_pool1d(
    x: Any, window: int = 2, stride: int | None = None, padding: str = "valid", name: str | None = None
) -> Node:
    """The largest element of each window of f32[N, T, C]."""
    wide = max_pool2d(expand_dims(x, 1), (1, window), (1, stride or window), padding)
    return squeeze(wide, axis=1, name=name)


def average_pool1d(
    x: Any, window: int = 2, stride: int | None = None, padding: str = "valid", name: str | None = None
) -> Node:
    """The mean of each window of f32[N, T, C]."""
    wide = average_pool2d(expand_dims(x, 1), (1, window), (1, stride or window), padding)
    return squeeze(wide, axis=1, name=name)


def _geometry(x: Node, window: Any, strides: Any, padding: str) -> tuple[Pair, Pair, Pads]:
    size = pair(window, "window")
    steps = size if strides is None else pair(strides, "strides")
    return size, steps, pads_for(padding, lengths_of(x.tensor), size, steps)


def _counts(length: int, window: int, stride: int, pads: Pair) -> np.ndarray[Any, Any]:
    """How many elements of an axis each window has."""
    first = np.arange((length + sum(pads) - window) // stride + 1) * stride - pads[0]
    return np.minimum(first + window, length) - np.maximum(first, 0)
