"""What an op answers: what type, what derivative, what code, what label, tried on what."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, dataclass_transform

from graphdl.errors import DTypeError, GraphError, ShapeError
from graphdl.ir import registry
from graphdl.ir.dim import Dim
from graphdl.ir.node import Node, next_place
from graphdl.ir.origin import current_origin, current_scope, user_of
from graphdl.ir.types import TensorType, TupleType, Type

# A gradient, none at all, or a gradient that is built only if somebody asks for it.
Gradient = Node | None | Callable[[], Node | None]


@dataclass(frozen=True)
class Sample:
    """Inputs on which the suite tries an op: shapes, ranges of the values, dtypes, attributes of the op.

    `low` and `high` bound the values of every input, or of each when they are tuples. `dtypes` are
    those of the inputs; "float" becomes float64 where derivatives are checked and float32 elsewhere.
    A sample that is not `smooth` sits on kinks or overflows, and is left out of derivative checks.
    """

    shapes: tuple[tuple[int, ...], ...]
    low: float | tuple[float, ...] = -2.0
    high: float | tuple[float, ...] = 2.0
    dtypes: tuple[str, ...] = ()
    smooth: bool = True
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)


class Operand(str):
    """An operand as it stands in generated code, with its `type`."""

    __slots__ = ("type",)
    type: TensorType

    def __new__(cls, text: str, type: TensorType) -> Operand:
        operand = super().__new__(cls, text)
        operand.type = type
        return operand


class Op:
    """An operation: attributes are fields, questions are methods. Instances are immutable."""

    name: ClassVar[str] = ""
    samples: ClassVar[tuple[Sample, ...]] = ()
    # One line for `graphdl ops`: the value, in the language of formulas where there is one.
    formula: ClassVar[str | None] = None
    # What stands in the circle of a picture, and the one-word role of the gate in the backward pass.
    glyph: ClassVar[str] = ""
    role: ClassVar[str] = ""
    # Conventions at kinks and poles, as `graphdl ops NAME` prints them.
    convention: ClassVar[str] = ""
    # Why the derivative is zero everywhere, for ops that have none.
    why_flat: ClassVar[str] = ""
    # The result shares the memory of the first input.
    is_view: ClassVar[bool] = False
    is_leaf: ClassVar[bool] = False
    commutes: ClassVar[bool] = False

    # Subclasses name their operands: ``infer(self, x)``, ``vjp(self, dy, y, x)``.
    def infer(self, *operands: Any, **none: Any) -> Type:
        """Type of the result; ShapeError or DTypeError (without the op's name) when there is none."""
        raise NotImplementedError(self.name)

    def vjp(self, *operands: Any, **none: Any) -> tuple[Gradient, ...]:
        """``vjp(dy, y, *inputs)``: from `dy`, the gradient of the result `y`, one for each input, built of nodes."""
        return (None,) * (len(operands) - 2)

    def lower(self, *operands: Any, **none: Any) -> str:
        """The value as a Python expression over `xp`, the kernels and the operands."""
        raise NotImplementedError(self.name)

    def latex(self, *operands: Any, **none: Any) -> str:
        """The value in LaTeX."""
        word = self.name.replace("_", r"\_")
        return rf"\operatorname{{{word}}}({', '.join(operands)})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        """Floating-point operations, as a polynomial in the symbolic sizes."""
        return result.size

    def decompose(self, *operands: Any, **none: Any) -> Node | None:
        """The same value from simpler ops, for a fused op; None for a primitive one."""
        return None

    def attributes(self) -> dict[str, Any]:
        """The fields by name."""
        if not dataclasses.is_dataclass(self):
            return {}
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def __str__(self) -> str:
        inside = ", ".join(f"{k}={v}" for k, v in self.attributes().items())
        return f"{self.name}[{inside}]" if inside else self.name


C = TypeVar("C", bound=type[Op])
F = TypeVar("F", bound=Callable[..., Any])


@dataclass_transform(frozen_default=True)
def op(cls: C) -> C:
    """Make a class with attributes an op: its fields become a frozen dataclass, its name is registered."""
    dataclass(frozen=True)(cls)
    registry.register_op(cls.name, cls)
    return cls


def builder(name: str) -> Callable[[F], F]:
    """Register the decorated function for `Node`'s operators and for formulas."""

    def register(function: F) -> F:
        registry.register_builder(name, function)
        return function

    return register


def build(op: Op, *inputs: Node, name: str | None = None) -> Node:
    """A node that applies `op`; errors name the operands and the line they were written at."""
    origin = current_origin()
    try:
        result = op.infer(*[node.type for node in inputs])
    except (ShapeError, DTypeError) as error:
        raise type(error)(_with_operands(op.name, error, inputs, origin)) from None
    except AttributeError as error:
        if not any(isinstance(node.type, TupleType) for node in inputs):
            raise
        raise GraphError(f"{op.name}: an operand has several results; take one with pick(node, i)") from error
    return Node(op, inputs, result, check_name(name), current_scope(), origin, next_place())


@contextmanager
def refusing(op: str, *inputs: Node) -> Iterator[None]:
    """Errors raised inside name `op`, its operands and the line they were written at."""
    try:
        yield
    except (ShapeError, DTypeError) as error:
        if str(error).startswith(f"{op}: "):  # `build` has said all this
            raise
        raise type(error)(_with_operands(op, error, inputs, current_origin())) from None


def check_name(name: str | None) -> str | None:
    """`name` itself; any text is allowed, since programs and pictures never print it unescaped."""
    if name is not None and (not isinstance(name, str) or not name):
        raise GraphError(f"a node's name is {name!r}, expected a text that is not empty")
    return name


def _with_operands(op: str, error: Exception, inputs: tuple[Node, ...], origin: Any) -> str:
    return "\n".join([f"{op}: {error}", *_operand_lines(inputs), *_written(origin)])


def _operand_lines(inputs: tuple[Node, ...]) -> list[str]:
    lines = []
    for node in inputs:
        user = user_of(node)
        where = f"  ({user})" if user else ""
        lines.append(f"    {node.label!s}: {node.type}{where}")
    return lines


def _written(origin: Any) -> list[str]:
    source = getattr(origin, "source", None)
    if source is None or not origin.line:
        return []
    return [f"  written at {origin}  {source()}".rstrip()]
