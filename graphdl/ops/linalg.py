"""Products of matrices."""

from __future__ import annotations

from typing import Any

from graphdl.errors import DTypeError, ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.elementwise import as_node
from graphdl.ir.leaves import constant_like
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, builder, op, refusing
from graphdl.ir.types import SHORT, TensorType, broadcast_shapes
from graphdl.ops.shape import broadcast_to, expand_dims, reshape, squeeze, sum_to, transpose


@op
class MatMul(Op):
    """The product of matrices, in the last two axes; leading axes are a batch and agree."""

    name = "matmul"
    glyph = "@"
    role = "swap"
    samples = (
        Sample(((2, 3), (3, 4))),
        Sample(((5, 2, 3), (5, 3, 4))),
    )

    def infer(self, a: TensorType, b: TensorType) -> TensorType:
        _check_product(a, b)
        if a.shape[:-2] != b.shape[:-2]:
            raise ShapeError(f"batches differ, {a} and {b}")
        return a.with_shape((*a.shape[:-1], b.shape[-1]))

    def vjp(self, dy: Node, y: Node, a: Node, b: Node) -> tuple[Gradient, ...]:
        return (lambda: build(MatMul(), dy, swap_last(b)), lambda: build(MatMul(), swap_last(a), dy))

    def lower(self, a: Operand, b: Operand) -> str:
        return f"xp.dot({a}, {b})" if a.type.rank == 2 else f"xp.matmul({a}, {b})"

    def latex(self, a: str, b: str) -> str:
        return f"{a} {b}"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return result.size * inputs[0].shape[-1] * 2


@op
class Affine(Op):
    """``x @ W + b`` in one step, for matrices `x` and `W` and a row `b`."""

    name = "affine"
    glyph = "@+"
    samples = (Sample(((2, 3), (3, 4), (4,))),)

    def infer(self, x: TensorType, W: TensorType, b: TensorType) -> TensorType:
        _check_product(x, W)
        if b != x.with_shape((W.shape[-1],)) or x.rank != 2 or W.rank != 2:
            raise ShapeError(f"found {x}, {W} and {b}, expected matrices and a row as long as the product is wide")
        return x.with_shape((x.shape[0], W.shape[1]))

    def vjp(self, dy: Node, y: Node, x: Node, W: Node, b: Node) -> tuple[Gradient, ...]:
        return (
            lambda: build(MatMul(), dy, transpose(W)),
            lambda: build(MatMul(), transpose(x), dy),
            lambda: sum_to(dy, b.shape),
        )

    def lower(self, x: Operand, W: Operand, b: Operand) -> str:
        return f"xp.dot({x}, {W}) + {b}"

    def latex(self, x: str, W: str, b: str) -> str:
        return f"{x} {W} + {b}"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return result.size * (inputs[0].shape[-1] * 2 + 1)

    def decompose(self, x: Node, W: Node, b: Node) -> Node:
        product = build(MatMul(), x, W)
        return product + broadcast_to(b, product.shape)


@builder("matmul")
def matmul(a: Any, b: Any, name: str | None = None) -> Node:
    """The product of `a` and `b` as NumPy's ``@``: vectors are a row or a column, leading axes a batch."""
    a, b = _both(a, b)
    if not a.ndim or not b.ndim:
        with refusing("matmul", a, b):
            raise ShapeError("a scalar has no matrix product; use * instead")
    if a.ndim == 1:
        return squeeze(matmul(expand_dims(a, 0), b), axis=-1 if b.ndim == 1 else -2)
    if b.ndim == 1:
        return squeeze(matmul(a, expand_dims(b, 1)), axis=-1)
    if a.ndim == b.ndim and a.shape[:-2] == b.shape[:-2]:
        return build(MatMul(), a, b, name=name)
    with refusing("matmul", a, b):
        _check_product(a.tensor, b.tensor)
        return _batched(a, b, name)


def _batched(a: Node, b: Node, name: str | None) -> Node:
    """Batches that differ: one large product where `b` is a single matrix, copies of batches otherwise."""
    if b.ndim == 2:
        rows = build(MatMul(), reshape(a, (-1, a.shape[-1])), b, name=name)
        return reshape(rows, (*a.shape[:-1], b.shape[-1]))
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return build(MatMul(), broadcast_to(a, batch + a.shape[-2:]), broadcast_to(b, batch + b.shape[-2:]), name=name)


def swap_last(x: Node) -> Node:
    """`x` with its last two axes exchanged."""
    order = list(range(x.ndim))
    order[-1], order[-2] = order[-2], order[-1]
    return transpose(x, order)


def _both(a: Any, b: Any) -> tuple[Node, Node]:
    if isinstance(a, Node) and not isinstance(b, Node):
        return a, constant_like("matmul", b, a.dtype)
    if isinstance(b, Node) and not isinstance(a, Node):
        return constant_like("matmul", a, b.dtype), b
    return as_node(a), as_node(b)


def _check_product(a: TensorType, b: TensorType) -> None:
    if a.dtype != b.dtype:
        raise DTypeError(f"mixes {SHORT[a.dtype]} and {SHORT[b.dtype]}; cast one of them, as in gd.cast(x, 'float32')")
    if not a.is_float:
        raise DTypeError(
            f"operands are {SHORT[a.dtype]}, expected floats; cast them first, as in gd.cast(x, 'float32')"
        )
    if a.rank < 2 or b.rank < 2:
        raise ShapeError(f"found {a} and {b}, expected matrices")
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"inner dimensions differ, {a.shape[-1]} and {b.shape[-2]}")
