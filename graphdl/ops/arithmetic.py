"""Arithmetic, comparison and choice, element by element."""

from __future__ import annotations

from typing import Any

from graphdl.errors import ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.elementwise import Elementwise, as_node, elementwise
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, op
from graphdl.ir.types import TensorType

UNARY = Sample(((2, 3),))
BINARY = Sample(((2, 3), (2, 3)))
POSITIVE = Sample(((2, 3),), low=0.1, high=3)
APART = Sample(((2, 3), (2, 3)), low=(-2, 0.5), high=(2, 2))
INTEGERS = Sample(((2, 3), (2, 3)), dtypes=("int64", "int64"), low=-5, high=5, smooth=False)
HUGE = Sample(((2, 3),), low=-1e3, high=1e3, smooth=False)

STEP = "a comparison is a step: flat everywhere, with jumps"

add = elementwise(
    "add",
    formula="a + b",
    lower="a + b",
    vjp=(lambda dy, y, a, b: dy, lambda dy, y, a, b: dy),
    samples=[BINARY, INTEGERS],
    takes=("number", "number"),
    commutes=True,
    tex="$a + $b",
    glyph="+",
    role="distribute",
)

subtract = elementwise(
    "subtract",
    formula="a - b",
    lower="a - b",
    vjp=(lambda dy, y, a, b: dy, lambda dy, y, a, b: -dy),
    samples=[BINARY, INTEGERS],
    takes=("number", "number"),
    tex="$a - $b",
    glyph="−",
    role="distribute",
)

multiply = elementwise(
    "multiply",
    formula="a * b",
    lower="a * b",
    vjp=(lambda dy, y, a, b: dy * b, lambda dy, y, a, b: dy * a),
    samples=[BINARY, INTEGERS],
    takes=("number", "number"),
    commutes=True,
    tex=r"$a \cdot $b",
    glyph="×",
    role="swap",
)

divide = elementwise(
    "divide",
    formula="a / b",
    lower="a / b",
    vjp=(lambda dy, y, a, b: dy / b, lambda dy, y, a, b: -(dy * y) / b),
    samples=[APART],
    tex=r"\frac{$a}{$b}",
    glyph="÷",
)

negative = elementwise(
    "negative",
    formula="-a",
    lower="-a",
    vjp=lambda dy, y, a: -dy,
    samples=[UNARY, Sample(((2, 3),), dtypes=("int64",), low=-5, high=5, smooth=False)],
    takes=("number",),
    tex="-$a",
    glyph="−",
)

square = elementwise(
    "square",
    formula="a ** 2",
    lower="xp.square(a)",
    vjp=lambda dy, y, a: dy * 2 * a,
    samples=[UNARY],
    takes=("number",),
    tex="$a^{2}",
    glyph="²",
)

sqrt = elementwise(
    "sqrt",
    formula="sqrt(a)",
    lower="xp.sqrt(a)",
    vjp=lambda dy, y, a: dy * 0.5 / y,
    samples=[POSITIVE],
    tex=r"\sqrt{$a}",
    glyph="√",
    convention="sqrt'(0) = inf, NaN below 0",
)

reciprocal = elementwise(
    "reciprocal",
    formula="1 / a",
    lower="1 / a",
    vjp=lambda dy, y, a: -dy * square(y),
    samples=[Sample(((2, 3),), low=0.3, high=3)],
    tex=r"\frac{1}{$a}",
    glyph="1/x",
)

abs = elementwise(
    "abs",
    formula="abs(a)",
    lower="xp.abs(a)",
    vjp=lambda dy, y, a: dy * sign(a),
    samples=[Sample(((2, 3),), low=0.1), Sample(((2, 3),), low=-2, high=-0.1)],
    takes=("number",),
    tex=r"\left|$a\right|",
    glyph="|x|",
    convention="abs'(0) = 0",
)

sign: Elementwise = elementwise(
    "sign",
    formula="sign(a)",
    lower="xp.sign(a)",
    vjp=None,
    samples=[UNARY],
    takes=("number",),
    why_flat="sign is a step: flat everywhere, with a jump at 0",
    convention="sign(0) = 0",
)

floor = elementwise(
    "floor",
    formula="floor(a)",
    lower="xp.floor(a)",
    vjp=None,
    samples=[UNARY],
    why_flat="floor is a staircase: flat everywhere, with jumps",
    tex=r"\lfloor $a \rfloor",
)


def _comparison(name: str, symbol: str, tex: str) -> Elementwise:
    return elementwise(
        name,
        formula=f"a {symbol} b",
        lower=f"a {symbol} b",
        vjp=(None, None),
        samples=[BINARY, INTEGERS],
        takes=("any", "any") if symbol in ("==", "!=") else ("number", "number"),
        gives="bool",
        tex=f"$a {tex} $b",
        glyph=symbol,
        why_flat=STEP,
    )


equal: Elementwise = _comparison("equal", "==", "=")
not_equal = _comparison("not_equal", "!=", r"\neq")
less = _comparison("less", "<", "<")
less_equal = _comparison("less_equal", "<=", r"\leq")
greater = _comparison("greater", ">", ">")
greater_equal = _comparison("greater_equal", ">=", r"\geq")


def _logical(name: str, arity: int, tex: str) -> Elementwise:
    return elementwise(
        name,
        lower=f"xp.{name}({', '.join('abc'[:arity])})",
        vjp=(None,) * arity,
        samples=[Sample(((2, 3),) * arity, dtypes=("bool",) * arity, smooth=False)],
        takes=("any",) * arity,
        gives="bool",
        tex=tex,
        why_flat="a truth value is a step: flat everywhere, with jumps",
    )


logical_and = _logical("logical_and", 2, r"$a \wedge $b")
logical_or = _logical("logical_or", 2, r"$a \vee $b")
logical_not = _logical("logical_not", 1, r"\neg $a")
isfinite = elementwise(
    "isfinite",
    lower="xp.isfinite(a)",
    vjp=None,
    samples=[UNARY],
    gives="bool",
    why_flat="isfinite is a truth value",
)

where: Elementwise = elementwise(
    "where",
    formula="where(a, b, c)",
    lower="xp.where(a, b, c)",
    vjp=(
        None,
        lambda dy, y, a, b, c: where(a, dy, 0),
        lambda dy, y, a, b, c: where(a, 0, dy),
    ),
    samples=[Sample(((2, 3), (2, 3), (2, 3)), dtypes=("bool", "float", "float"))],
    takes=("bool", "any", "any"),
    tex=r"\begin{cases} $b & $a \\ $c & \text{else} \end{cases}",
    glyph="?:",
    role="route",
    convention="the branch that is not chosen gets gradient 0, even where its own derivative is NaN",
    why_flat="the condition of where only chooses",
)

maximum = elementwise(
    "maximum",
    formula="maximum(a, b)",
    lower="xp.maximum(a, b)",
    vjp=(
        lambda dy, y, a, b: _to_winner(dy, greater(a, b), equal(a, b)),
        lambda dy, y, a, b: _to_winner(dy, greater(b, a), equal(a, b)),
    ),
    samples=[BINARY, INTEGERS],
    takes=("number", "number"),
    commutes=True,
    tex=r"\max($a, $b)",
    glyph="max",
    role="route",
    convention="a tie gives each side half of the gradient",
)

minimum = elementwise(
    "minimum",
    formula="minimum(a, b)",
    lower="xp.minimum(a, b)",
    vjp=(
        lambda dy, y, a, b: _to_winner(dy, less(a, b), equal(a, b)),
        lambda dy, y, a, b: _to_winner(dy, less(b, a), equal(a, b)),
    ),
    samples=[BINARY, INTEGERS],
    takes=("number", "number"),
    commutes=True,
    tex=r"\min($a, $b)",
    glyph="min",
    role="route",
    convention="a tie gives each side half of the gradient",
)

clip = elementwise(
    "clip",
    formula="minimum(maximum(a, b), c)",
    lower="xp.minimum(xp.maximum(a, b), c)",
    vjp=(
        lambda dy, y, a, b, c: where(logical_and(greater_equal(a, b), less_equal(a, c)), dy, 0),
        lambda dy, y, a, b, c: where(less(a, b), dy, 0),
        lambda dy, y, a, b, c: where(greater(a, c), dy, 0),
    ),
    samples=[Sample(((2, 3), (2, 3), (2, 3)), low=(-2, -1, 0.6), high=(2, -0.5, 1))],
    takes=("number", "number", "number"),
    convention="the gradient passes at both bounds; the lower bound is not above the upper one",
)


def _to_winner(dy: Node, wins: Node, ties: Node) -> Node:
    return where(wins, dy, where(ties, dy * 0.5, 0))


@op
class AddN(Op):
    """The sum of any number of values of one type: how gradients of a value used twice meet."""

    name = "add_n"
    glyph = "+"
    role = "distribute"
    samples = (Sample(((2, 3),) * 3),)

    def infer(self, *inputs: TensorType) -> TensorType:
        for other in inputs[1:]:
            if other != inputs[0]:
                raise ShapeError(f"adds {inputs[0]} and {other}, expected one type")
        return inputs[0]

    def vjp(self, dy: Node, y: Node, *inputs: Node) -> tuple[Gradient, ...]:
        return (dy,) * len(inputs)

    def lower(self, *inputs: Operand) -> str:
        """A chain of additions; a long one is a call, since Python compiles nested expressions by recursion."""
        return " + ".join(inputs) if len(inputs) <= 16 else f"add_n({', '.join(inputs)})"

    def latex(self, *inputs: str) -> str:
        return " + ".join(inputs)

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return result.size * (len(inputs) - 1)


def add_n(*nodes: Any, name: str | None = None) -> Node:
    """The sum of `nodes`, which all have one type."""
    return build(AddN(), *map(as_node, nodes), name=name)
