"""Reductions: many elements to one, along some axes."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from graphdl.errors import DTypeError, ShapeError
from graphdl.ir.dim import Dim, Shape, numel
from graphdl.ir.elementwise import as_node
from graphdl.ir.leaves import size
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, op, refusing
from graphdl.ir.types import SHORT, TensorType, normalise_axis, shape_text
from graphdl.ops.arithmetic import equal, where
from graphdl.ops.shape import broadcast_to, cast, reshape, stop_gradient
from graphdl.ops.transcendental import exp

Axis = int | Sequence[int] | None

SAMPLES = (
    Sample(((2, 3),), attributes={"axis": (0, 1)}),
    Sample(((2, 3),), attributes={"axis": (1,), "keepdims": True}),
    Sample(((2, 3, 4),), attributes={"axis": (0, 2)}),
)


class Reduction(Op):
    """What all reductions share: the axes (counted from the front), and whether they stay with size 1."""

    axis: tuple[int, ...]
    keepdims: bool

    def infer(self, x: TensorType) -> TensorType:
        for i in self.axis:
            normalise_axis(i, x.rank)
        return x.with_shape(self.shape_of(x.shape))

    def shape_of(self, shape: Shape) -> Shape:
        """Shape of the result."""
        if self.keepdims:
            return tuple(1 if i in self.axis else d for i, d in enumerate(shape))
        return tuple(d for i, d in enumerate(shape) if i not in self.axis)

    def count(self, shape: Shape) -> Dim:
        """How many elements become one."""
        return numel(shape[i] for i in self.axis)

    def spread(self, value: Node, x: Node) -> Node:
        """`value`, which has the shape of the result, copied back to the shape of `x`."""
        if not value.ndim:
            return broadcast_to(value, x.shape)
        kept = tuple(1 if i in self.axis else d for i, d in enumerate(x.shape))
        return broadcast_to(value if value.shape == kept else reshape(value, kept), x.shape)

    def lower(self, x: Operand) -> str:
        return f"xp.{self.name}({x}{self.keywords()})"

    def keywords(self) -> str:
        axis = self.axis[0] if len(self.axis) == 1 else self.axis
        return f", axis={axis}" + (", keepdims=True" if self.keepdims else "")

    def latex(self, x: str) -> str:
        return rf"\{self.name}_{{{','.join(map(str, self.axis))}}} {x}"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return inputs[0].size


@op
class Sum(Reduction):
    """The sum over `axis`; its gradient is the same for every summand."""

    name = "sum"
    axis: tuple[int, ...]
    keepdims: bool = False
    glyph = "Σ"
    role = "distribute"
    samples = (*SAMPLES, Sample(((2, 3),), dtypes=("int64",), attributes={"axis": (0,)}, smooth=False))

    def infer(self, x: TensorType) -> TensorType:
        if x.dtype == "bool":
            raise DTypeError("an operand is bool, expected numbers; cast it first, as in gd.cast(x, 'float32')")
        return super().infer(x)

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (self.spread(dy, x),)

    def lower(self, x: Operand) -> str:
        dtype = f', dtype="{x.type.dtype}"' if x.type.dtype in ("int32", "uint8") else ""
        return f"xp.sum({x}{self.keywords()}{dtype})"


@op
class Mean(Reduction):
    """The mean over `axis`, as the sum divided by the count."""

    name = "mean"
    axis: tuple[int, ...]
    keepdims: bool = False
    glyph = "mean"
    role = "distribute"
    samples = SAMPLES

    def infer(self, x: TensorType) -> TensorType:
        return super().infer(_float(x))

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (self.spread(dy / size(self.count(x.shape), x.dtype), x),)

    def lower(self, x: Operand) -> str:
        return f"xp.sum({x}{self.keywords()}) / ({self.count(x.type.shape)})"

    def decompose(self, x: Node) -> Node:
        return build(Sum(self.axis, self.keepdims), x) / size(self.count(x.shape), x.dtype)


@op
class Var(Reduction):
    """The variance over `axis`, divided by the count (not the count less one)."""

    name = "var"
    axis: tuple[int, ...]
    keepdims: bool = False
    samples = SAMPLES

    def infer(self, x: TensorType) -> TensorType:
        return super().infer(_float(x))

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        centred = x - self.spread(build(Mean(self.axis, self.keepdims), x), x)
        return (self.spread(dy * 2 / size(self.count(x.shape), x.dtype), x) * centred,)

    def lower(self, x: Operand) -> str:
        axis = self.axis[0] if len(self.axis) == 1 else self.axis
        return f"var({x}, axis={axis}, keepdims={self.keepdims})"

    def decompose(self, x: Node) -> Node:
        centred = x - self.spread(build(Mean(self.axis, self.keepdims), x), x)
        return build(Mean(self.axis, self.keepdims), centred * centred)

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return inputs[0].size * 4


class Extremum(Reduction):
    """The largest or smallest element; where several tie, each gets an equal share of the gradient."""

    axis: tuple[int, ...]
    keepdims: bool
    role = "route"
    convention = "elements that tie share the gradient evenly"

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        chosen = cast(equal(x, self.spread(y, x)), x.dtype)
        ties = build(Sum(self.axis, self.keepdims), chosen)
        return (self.spread(dy / ties, x) * chosen,)


@op
class Max(Extremum):
    """The largest element along `axis`."""

    name = "max"
    axis: tuple[int, ...]
    keepdims: bool = False
    glyph = "max"
    samples = SAMPLES


@op
class Min(Extremum):
    """The smallest element along `axis`."""

    name = "min"
    axis: tuple[int, ...]
    keepdims: bool = False
    glyph = "min"
    samples = SAMPLES


@op
class Prod(Reduction):
    """The product over `axis`. The gradient of an element is the product of the others, finite at zeros."""

    name = "prod"
    axis: tuple[int, ...]
    keepdims: bool = False
    glyph = "Π"
    role = "swap"
    samples = SAMPLES
    convention = "at zeros the first derivative is exact; the second is exact where no element is 0"

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        zero = equal(x, 0)
        zeros = self.spread(build(Sum(self.axis, self.keepdims), cast(zero, x.dtype)), x)
        filled = where(zero, 1, x)
        rest = self.spread(build(Prod(self.axis, self.keepdims), filled), x)
        others = where(zero, where(equal(zeros, 1), rest, 0), where(equal(zeros, 0), rest / filled, 0))
        return (self.spread(dy, x) * others,)

    def lower(self, x: Operand) -> str:
        dtype = f', dtype="{x.type.dtype}"' if x.type.dtype in ("int32", "uint8") else ""
        return f"xp.prod({x}{self.keywords()}{dtype})"


@op
class LogSumExp(Reduction):
    r"""``log(sum(exp(x)))`` over `axis`, shifted by the largest element so that nothing overflows."""

    name = "logsumexp"
    axis: tuple[int, ...]
    keepdims: bool = False
    samples = (*SAMPLES, Sample(((2, 3),), low=900, high=1e4, attributes={"axis": (1,)}, smooth=False))

    def infer(self, x: TensorType) -> TensorType:
        return super().infer(_float(x))

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        """The softmax of `x`; not ``exp(x - y)``, of which for large `x` the rounding of `y` would be a factor."""
        from graphdl.ops.nn import softmax

        if len(self.axis) == 1:
            return (self.spread(dy, x) * softmax(x, axis=self.axis[0]),)
        shifted = exp(x - self.spread(stop_gradient(build(Max(self.axis, self.keepdims), x)), x))
        total = build(Sum(self.axis, self.keepdims), shifted)
        return (self.spread(dy, x) * (shifted / self.spread(total, x)),)

    def lower(self, x: Operand) -> str:
        axis = self.axis[0] if len(self.axis) == 1 else self.axis
        return f"logsumexp({x}, axis={axis}, keepdims={self.keepdims})"

    def latex(self, x: str) -> str:
        return rf"\ln\sum e^{{{x}}}"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return inputs[0].size * 11


@op
class ArgMax(Op):
    """Index of the largest element along `axis`, the first where several tie."""

    name = "argmax"
    axis: int
    samples = (
        Sample(((2, 3),), attributes={"axis": 1}, smooth=False),
        Sample(((2, 3),), attributes={"axis": 0}, smooth=False),
    )
    why_flat = "argmax is an index: flat everywhere, with jumps"

    def infer(self, x: TensorType) -> TensorType:
        normalise_axis(self.axis, x.rank)
        return TensorType("int64", x.shape[: self.axis] + x.shape[self.axis + 1 :])

    def lower(self, x: Operand) -> str:
        return f"xp.argmax({x}, axis={self.axis})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return inputs[0].size


def sum(x: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None) -> Node:
    """The sum of `x` over `axis` (all axes by default)."""
    return _reduced(Sum, x, axis, keepdims, name)


def mean(x: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None) -> Node:
    """The mean of `x` over `axis` (all axes by default)."""
    return _reduced(Mean, x, axis, keepdims, name)


def var(x: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None) -> Node:
    """The variance of `x` over `axis` (all axes by default), divided by the count."""
    return _reduced(Var, x, axis, keepdims, name)


def max(x: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None) -> Node:
    """The largest element of `x` along `axis` (all axes by default)."""
    return _reduced(Max, x, axis, keepdims, name)


def min(x: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None) -> Node:
    """The smallest element of `x` along `axis` (all axes by default)."""
    return _reduced(Min, x, axis, keepdims, name)


def prod(x: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None) -> Node:
    """The product of `x` over `axis` (all axes by default)."""
    return _reduced(Prod, x, axis, keepdims, name)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None) -> Node:
    """``log(sum(exp(x)))`` over `axis` (all axes by default), without overflow."""
    return _reduced(LogSumExp, x, axis, keepdims, name)


def argmax(x: Any, axis: int = -1, name: str | None = None) -> Node:
    """Index of the largest element of `x` along `axis`, ``i64``."""
    x = as_node(x)
    with refusing("argmax", x):
        place = normalise_axis(axis, x.ndim)
    return build(ArgMax(place), x, name=name)


def _reduced(kind: Any, x: Any, axis: Axis, keepdims: bool, name: str | None) -> Node:
    x = as_node(x)
    with refusing(kind.name, x):
        return build(kind(all_axes(axis, x.ndim), bool(keepdims)), x, name=name)


def all_axes(axis: Axis, rank: int) -> tuple[int, ...]:
    """`axis` as a sorted tuple counted from the front; every axis for None."""
    if axis is None:
        return tuple(range(rank))
    axes = sorted(normalise_axis(i, rank) for i in ([axis] if isinstance(axis, int) else axis))
    if len(builtins.set(axes)) != len(axes):
        raise ShapeError(f"axis {shape_text(axes)} names an axis twice")
    return tuple(axes)


def _float(x: TensorType) -> TensorType:
    if not x.is_float:
        raise DTypeError(f"an operand is {SHORT[x.dtype]}, expected floats; cast it first, as in gd.cast(x, 'float32')")
    return x
