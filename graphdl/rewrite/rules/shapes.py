"""Plumbing that cancels: reshapes, transposes, casts, copies and the sums that undo them."""

from __future__ import annotations

from graphdl.ir.dim import exact_div
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.leaves import scalar_of, size
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.pattern import P, wildcards
from graphdl.ops.arithmetic import add
from graphdl.ops.indexing import ScatterAdd, Take
from graphdl.ops.linalg import Affine, MatMul
from graphdl.ops.reduce import Sum
from graphdl.ops.shape import BroadcastTo, Cast, Reshape, SumTo, Transpose, broadcast_to, reshape, sum_to, transpose
from graphdl.rewrite.engine import Rule, rule

x, W, b, i = wildcards("x W b i")


@rule(P(Reshape, x), kind="exact-bits", when=lambda node: node.type == node.inputs[0].type)
def reshape_to_same(x: Node) -> Node:
    """A reshape to the shape it already has is nothing."""
    return x


@rule(P(Reshape, P(Reshape, x)), kind="exact-bits")
def reshape_of_reshape(x: Node, node: Node) -> Node:
    """Of two reshapes only the last counts."""
    return reshape(x, node.shape)


@rule(P(Transpose, P(Transpose, x)), kind="exact-bits")
def transpose_of_transpose(x: Node, node: Node) -> Node:
    """Two transposes are one, or none."""
    (inner,) = node.inputs
    assert isinstance(node.op, Transpose)
    assert isinstance(inner.op, Transpose)
    perm = tuple(inner.op.perm[i] for i in node.op.perm)
    return x if perm == tuple(range(len(perm))) else transpose(x, perm)


@rule(P(Transpose, x), kind="exact-bits")
def transpose_of_nothing(x: Node, node: Node) -> Node | None:
    """A transpose that leaves every axis in place is nothing."""
    assert isinstance(node.op, Transpose)
    return x if node.op.perm == tuple(range(x.ndim)) else None


@rule(P(BroadcastTo, P(BroadcastTo, x)), kind="exact-bits")
def copy_of_copy(x: Node, node: Node) -> Node:
    """Copies of copies are copies."""
    return broadcast_to(x, node.shape)


@rule(P(Reshape, P(BroadcastTo, x)), kind="exact-bits")
def reshape_of_copies(x: Node, node: Node) -> Node | None:
    """Copies of one number have any shape one likes."""
    return None if x.ndim else broadcast_to(x, node.shape)


@rule(P(SumTo, P(SumTo, x)))
def sum_of_sum(x: Node, node: Node) -> Node:
    """Two sums over axes are one."""
    return sum_to(x, node.shape)


@rule(P(SumTo, P(BroadcastTo, x)))
def sum_of_copies(x: Node, node: Node) -> Node | None:
    """The sum of n copies of x is n x; the copies are never made."""
    if x.shape != node.shape or not x.tensor.is_float:
        return None
    copies = exact_div(node.inputs[0].tensor.size, x.tensor.size)
    return None if copies is None else x * size(copies, x.dtype)


@rule(P(Cast, P(Cast, x)), kind="exact-bits")
def cast_there_and_back(x: Node, node: Node) -> Node | None:
    """A cast to a wider float and back is nothing."""
    wider = (x.dtype, node.inputs[0].dtype) == ("float32", "float64")
    return x if wider and node.dtype == x.dtype else None


@rule(P(Sum, P(BroadcastTo, x)))
def sum_over_copies(x: Node, node: Node) -> Node | None:
    """The sum over all axes of n copies of one number is n times that number."""
    total, copies = node.op, node.inputs[0].tensor
    assert isinstance(total, Sum)
    if x.ndim or node.ndim or not x.tensor.is_float:
        return None
    return x * size(copies.size, x.dtype)


@rule(P(Transpose, P(Take, x, i)), kind="exact-bits")
def transpose_of_rows(x: Node, i: Node, node: Node) -> Node | None:
    """Rows taken and put in another order are rows taken in that order: the indices are moved, which are smaller."""
    assert isinstance(node.op, Transpose)
    (rows,) = node.inputs
    assert isinstance(rows.op, Take)
    order = _of_rows(node.op.perm, i.ndim)
    return None if rows.op.axis or order is None else build(Take(0), x, transpose(i, order))


@rule(P(ScatterAdd, P(Transpose, x), i))
def rows_added_in_order(x: Node, i: Node, node: Node) -> Node | None:
    """Rows put in another order before they are added up: the indices are moved instead, which are smaller."""
    assert isinstance(node.op, ScatterAdd)
    (moved, _) = node.inputs
    assert isinstance(moved.op, Transpose)
    order = _of_rows(moved.op.perm, i.ndim)
    if node.op.axis or order is None:
        return None
    return build(node.op, x, transpose(i, tuple(order.index(axis) for axis in range(i.ndim))))


def _of_rows(perm: tuple[int, ...], count: int) -> tuple[int, ...] | None:
    """The order of the first `count` axes, where the others stay behind them as they are."""
    return perm[:count] if count > 1 and perm[count:] == tuple(range(count, len(perm))) else None


SHAPES = (
    reshape_to_same,
    reshape_of_reshape,
    transpose_of_transpose,
    transpose_of_nothing,
    copy_of_copy,
    reshape_of_copies,
    sum_of_sum,
    sum_of_copies,
    cast_there_and_back,
    sum_over_copies,
    transpose_of_rows,
    rows_added_in_order,
)


@rule(add(P(MatMul, x, W), P(BroadcastTo, b)), kind="exact-bits", fuses=True)
def affine(x: Node, W: Node, b: Node, node: Node) -> Node | None:
    """x W + b in one node: the row is added in place to the product."""
    fits = x.ndim == 2 and W.ndim == 2 and b.shape == W.shape[1:] and b.ndim == 1
    return build(Affine(), x, W, b) if fits else None


def has_copies(node: Node) -> bool:
    """Whether some operand of `node` is made of copies."""
    return any(isinstance(source.op, BroadcastTo) for source in node.inputs)


def _compute_before_copying(op: Elementwise) -> Rule:
    """f(copies of x) = copies of f(x), for f on elements over copies of equal shapes and numbers."""

    def elementwise_of_copies(node: Node) -> Node | None:
        """f(copies of x) = copies of f(x): computed once, before it is copied."""
        sources = [i.inputs[0] if isinstance(i.op, BroadcastTo) else i for i in node.inputs]
        shapes = {i.shape for i, whole in zip(sources, node.inputs, strict=True) if scalar_of(whole) is None}
        if len(shapes) != 1 or shapes == {node.shape}:
            return None
        return broadcast_to(build(node.op, *sources), node.shape)

    return rule(P(op, *wildcards("a b c")[: op.arity]), kind="exact-bits", when=has_copies)(elementwise_of_copies)


def _leave_copying_to_numpy(op: Elementwise) -> Rule:
    """f(copies of x, y) = f(x, y): NumPy copies while it computes."""

    def implicit_broadcast(node: Node) -> Node | None:
        """f(copies of x, y) = f(x, y): the copies are never made, NumPy reads x again and again."""
        whole = any(i.shape == node.shape and not isinstance(i.op, BroadcastTo) for i in node.inputs)
        sources = tuple(i.inputs[0] if isinstance(i.op, BroadcastTo) else i for i in node.inputs)
        return build(node.op, *sources) if whole and sources != node.inputs else None

    return rule(P(op, *wildcards("a b c")[: op.arity]), kind="exact-bits", when=has_copies)(implicit_broadcast)


def copying_rules(ops: list[Elementwise]) -> tuple[Rule, ...]:
    """The rules about copies, for each op on elements; with one operand there is none left to be copied for."""
    several = [op for op in ops if op.arity > 1]
    return (*map(_compute_before_copying, ops), *map(_leave_copying_to_numpy, several))


FUSE = (affine,)
