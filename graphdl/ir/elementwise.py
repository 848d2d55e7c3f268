"""Ops that act on each element: a formula for the meaning, a template for the safe way to compute it."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any, cast

from graphdl.config import floatx
from graphdl.errors import DTypeError
from graphdl.ir import registry
from graphdl.ir.dim import Dim
from graphdl.ir.leaves import as_array, constant, constant_like, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, refusing
from graphdl.ir.pattern import Pattern
from graphdl.ir.types import FLOATS, INTS, SHORT, TensorType, broadcast_shapes

Partial = Callable[..., Node | None]

TAKES = {
    "float": FLOATS,
    "number": FLOATS + INTS,
    "any": (*FLOATS, *INTS, "bool"),
    "bool": ("bool",),
}


class Elementwise(Op):
    """An op on each element; calling it builds a node. Inputs are called a, b, c in `formula` and `template`.

    `takes` says per input what dtypes it may have; inputs that are not conditions ("bool") must agree.
    `gives` is "same" for their dtype, or "bool". `partials` give the gradient of each input.
    """

    def __init__(
        self, name: str, formula: str | None, template: str, partials: tuple[Partial | None, ...], **facts: Any
    ) -> None:
        self.name = name  # type: ignore[misc]
        self.formula = formula  # type: ignore[misc]
        self.template = template
        self.partials = partials
        self.takes: tuple[str, ...] = facts.pop("takes", ("float",) * len(partials))
        self.gives: str = facts.pop("gives", "same")
        self.cost: int = facts.pop("cost", 1)
        self.tex: str = facts.pop("tex", "")
        for fact, value in facts.items():
            assert hasattr(Op, fact), f"{name}: an op has no {fact}"
            setattr(self, fact, value)

    @property
    def arity(self) -> int:
        return len(self.partials)

    def __call__(self, *args: Any, name: str | None = None) -> Node:
        """A node of this op over nodes, numbers and arrays, broadcast as NumPy does."""
        if len(args) != self.arity:
            raise TypeError(f"{self.name} takes {self.arity} operands, found {len(args)}")
        for arg in args:
            if isinstance(arg, Pattern):
                return cast(Node, Pattern(self, args))
        nodes = self._agreed(args)
        shape = nodes[0].shape
        if any(node.shape != shape for node in nodes):
            nodes = self._broadcast(nodes)
        return build(self, *nodes, name=name)

    def infer(self, *inputs: TensorType) -> TensorType:
        value = ""
        shape = inputs[0].shape
        for found, takes in zip(inputs, self.takes, strict=True):
            if found.dtype not in TAKES[takes]:
                raise DTypeError(_refusal(found.dtype, takes))
            if takes != "bool" or self.gives == "bool":
                if value and found.dtype != value:
                    raise DTypeError(_mixture(value, found.dtype))
                value = found.dtype
            if found.shape != shape and found.shape:
                shape = broadcast_shapes(*[t.shape for t in inputs]) if shape else found.shape
        return TensorType("bool" if self.gives == "bool" else value, shape)

    def vjp(self, dy: Node, y: Node, *inputs: Node) -> tuple[Gradient, ...]:
        return tuple(p and _later(p, dy, y, inputs) for p in self.partials)

    def lower(self, *inputs: Operand) -> str:
        return self.template

    def latex(self, *inputs: str) -> str:
        if not self.tex:
            return super().latex(*inputs)
        return string.Template(self.tex).substitute(dict(zip("abc", inputs, strict=False)))

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return result.size * self.cost

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def _agreed(self, args: tuple[Any, ...]) -> list[Node]:
        """Nodes for all operands; plain numbers take the dtype of the first node they are combined with."""
        dtype = self._common_dtype(args)
        return [
            arg if isinstance(arg, Node) else constant_like(self.name, arg, "bool" if takes == "bool" else dtype)
            for arg, takes in zip(args, self.takes, strict=True)
        ]

    def _common_dtype(self, args: tuple[Any, ...]) -> str:
        values = [a for a, takes in zip(args, self.takes, strict=True) if takes != "bool" or self.gives == "bool"]
        for arg in values:
            if isinstance(arg, Node):
                return arg.dtype
        if all(isinstance(arg, Node) for arg in args):
            return floatx()
        found = {as_array(arg).dtype.name for arg in values}
        return found.pop() if len(found) == 1 else floatx()

    def _broadcast(self, nodes: list[Node]) -> list[Node]:
        """Explicit broadcasts, so that pictures show them; a plain number needs none."""
        # Types that do not go together are refused here, where the operands are still those of the user.
        with refusing(self.name, *nodes):
            shape = self.infer(*[n.tensor for n in nodes]).shape
        to = registry.builder("broadcast_to")
        return [n if n.shape == shape or scalar_of(n) is not None else to(n, shape) for n in nodes]


def elementwise(
    name: str,
    formula: str | None = None,
    *,
    lower: str,
    vjp: Partial | tuple[Partial | None, ...] | None,
    samples: list[Sample],
    **facts: Any,
) -> Elementwise:
    """Register an op on elements; `vjp` is one function ``(dy, y, a, ...) -> da``, or one for each input."""
    partials = vjp if isinstance(vjp, tuple) else (vjp,)
    op = Elementwise(name, formula, lower, partials, samples=tuple(samples), **facts)
    registry.register_op(name, op)
    registry.register_builder(name, op)
    return op


def as_node(value: Any) -> Node:
    """`value` if it is a node, else a constant."""
    return value if isinstance(value, Node) else constant(value)


def _later(partial: Partial, dy: Node, y: Node, inputs: tuple[Node, ...]) -> Callable[[], Node | None]:
    return lambda: partial(dy, y, *inputs)


def _refusal(dtype: str, takes: str) -> str:
    wanted = {"float": "floats", "number": "numbers", "bool": "bool"}[takes]
    hint = "compare first, as in x > 0" if takes == "bool" else "cast it first, as in gd.cast(x, 'float32')"
    return f"an operand is {SHORT[dtype]}, expected {wanted}; {hint}"


def _mixture(left: str, right: str) -> str:
    return f"mixes {SHORT[left]} and {SHORT[right]}; cast one of them, as in gd.cast(x, '{left}')"
