"""Sums of products over named axes, as Einstein wrote them."""

from __future__ import annotations

import string
from typing import Any

from graphdl.errors import DTypeError, GraphError, ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.elementwise import as_node
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, op, refusing
from graphdl.ir.types import SHORT, TensorType
from graphdl.ops.shape import broadcast_to, expand_dims

Axes = tuple[int, ...]

_LETTERS = string.ascii_letters


@op
class Einsum(Op):
    """The products of the operands' elements, summed over every axis that the result lacks; axes are numbers."""

    name = "einsum"
    glyph = "Σ×"
    role = "swap"
    axes: tuple[Axes, ...]
    result: Axes
    samples = (
        Sample(((2, 3), (3, 4)), attributes={"axes": ((0, 1), (1, 2)), "result": (0, 2)}),
        Sample(((2, 3, 2, 4), (2, 5, 2, 4)), attributes={"axes": ((0, 1, 2, 3), (0, 4, 2, 3)), "result": (0, 2, 1, 4)}),
        Sample(((2, 3), (3, 4, 2), (2, 4)), attributes={"axes": ((0, 1), (1, 2, 3), (0, 2)), "result": (3, 0)}),
        Sample(((3, 4),), attributes={"axes": ((0, 1),), "result": (1,)}),
        Sample(((3,), (3,)), attributes={"axes": ((0,), (0,)), "result": ()}),
    )

    def infer(self, *operands: TensorType) -> TensorType:
        if len(operands) != len(self.axes):
            raise ShapeError(f"found {len(operands)} operands, expected {len(self.axes)} for {self.equation()}")
        sizes: dict[int, Dim] = {}
        for x, axes in zip(operands, self.axes, strict=True):
            self._check(x, axes, operands[0])
            for axis, d in zip(axes, x.shape, strict=True):
                if sizes.setdefault(axis, d) != d:
                    raise ShapeError(f"axis {_LETTERS[axis]!r} of {self.equation()} has sizes {sizes[axis]} and {d}")
        if missing := [axis for axis in self.result if axis not in sizes]:
            raise ShapeError(f"axis {_LETTERS[missing[0]]!r} of the result of {self.equation()} is no operand's")
        return operands[0].with_shape(tuple(sizes[axis] for axis in self.result))

    def vjp(self, dy: Node, y: Node, *operands: Node) -> tuple[Gradient, ...]:
        return tuple(self._for_operand(k, dy, operands) for k in range(len(operands)))

    def lower(self, *operands: Operand) -> str:
        text = f'xp.einsum("{self.equation()}", {", ".join(operands)}, optimize=True)'
        # NumPy gives a view of one operand, and elements out of order for several.
        if len(operands) == 1:
            return f"{text}.copy()"
        return f"xp.ascontiguousarray({text})" if self.result else text

    def latex(self, *operands: str) -> str:
        summed = sorted({axis for axes in self.axes for axis in axes} - set(self.result))
        below = "".join(_LETTERS[axis] for axis in summed)
        factors = zip(operands, self.axes, strict=True)
        product = r" \, ".join(f"{x}_{{{''.join(_LETTERS[a] for a in axes)}}}" for x, axes in factors)
        return rf"\sum_{{{below}}} {product}" if summed else product

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        sizes = {
            axis: d for x, axes in zip(inputs, self.axes, strict=True) for axis, d in zip(axes, x.shape, strict=True)
        }
        total: Dim = len(inputs)
        for d in sizes.values():
            total = total * d
        return total

    def equation(self) -> str:
        """``ij,jk->ik``, the letters from a on."""
        terms = ("".join(_LETTERS[axis] for axis in axes) for axes in (*self.axes, self.result))
        *operands, result = terms
        return f"{','.join(operands)}->{result}"

    def _check(self, x: TensorType, axes: Axes, first: TensorType) -> None:
        if x.dtype != first.dtype or not x.is_float:
            raise DTypeError(f"found {SHORT[x.dtype]} beside {SHORT[first.dtype]}, expected floats of one kind")
        if len(set(axes)) != len(axes) or len(axes) != x.rank:
            raise ShapeError(f"{x} has {x.rank} axes, {self.equation()} names {len(axes)}, each once at most")

    def _for_operand(self, k: int, dy: Node, operands: tuple[Node, ...]) -> Gradient:
        """The sum over everything that operand `k` lacks; copied along axes that it alone has."""
        x, wanted = operands[k], self.axes[k]
        others = [(n, axes) for i, (n, axes) in enumerate(zip(operands, self.axes, strict=True)) if i != k]

        def gradient() -> Node:
            known = {axis for axes in (self.result, *(axes for _, axes in others)) for axis in axes}
            kept = tuple(axis for axis in wanted if axis in known)
            product = build(Einsum((self.result, *(axes for _, axes in others)), kept), dy, *(n for n, _ in others))
            lost = [i for i, axis in enumerate(wanted) if axis not in known]
            return broadcast_to(expand_dims(product, lost), x.shape) if lost else product

        return gradient


def einsum(equation: str, *operands: Any, name: str | None = None) -> Node:
    """Sums of products over named axes, in NumPy's notation: ``einsum("nqhd,nkhd->nhqk", q, k)``.

    Each letter names an axis; those the result lacks are summed. Without ``->`` the result has the letters that occur
    once, in the order of the alphabet. ``...`` stands for axes in front that operands share.

    Raises GraphError for an equation that cannot be read, ShapeError where sizes or axes do not fit.
    """
    nodes = [as_node(x) for x in operands]
    terms, result = _read(equation, nodes)
    number = {letter: i for i, letter in enumerate(dict.fromkeys("".join([*terms, result])))}
    axes = tuple(tuple(number[letter] for letter in term) for term in terms)
    with refusing("einsum", *nodes):
        if len(number) > len(_LETTERS):
            raise ShapeError(f"{equation!r} has {len(number)} axes, expected at most {len(_LETTERS)}")
    return build(Einsum(axes, tuple(number[letter] for letter in result)), *nodes, name=name)


def _read(equation: Any, nodes: list[Node]) -> tuple[list[str], str]:
    """The terms and the result, with characters for the axes that an ellipsis stands for."""
    text = equation.replace(" ", "") if isinstance(equation, str) else ""
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    letters = text.replace("->", "").replace(",", "").replace("...", "")
    if (
        not text
        or not nodes
        or len(terms) != len(nodes)
        or not letters.isascii()
        or not (letters.isalpha() or not letters)
    ):
        raise GraphError(
            f"einsum: the equation is {equation!r}, expected letters for {len(nodes)} operands, as in 'ij,jk->ik'"
        )
    spread = max(
        [n.ndim - len(t.replace("...", "")) for n, t in zip(nodes, terms, strict=True) if "..." in t], default=0
    )
    shared = "".join(chr(0x100 + i) for i in range(max(spread, 0)))
    whole = [t.replace("...", shared[len(shared) - (n.ndim - len(t) + 3) :]) for n, t in zip(nodes, terms, strict=True)]
    if arrow:
        return whole, right.replace("...", shared)
    once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
    return whole, shared + "".join(once)
