"""What values a node can take, told from its ops alone: bounds, and whether training or saturation can reach them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from graphdl.ir.leaves import Constant, Noise, VariableLeaf, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors
from graphdl.ir.types import TensorType
from graphdl.ops.reduce import Sum
from graphdl.ops.shape import BroadcastTo, Reshape


class Range(NamedTuple):
    """Bounds of every element, both included.

    `moves` says that values come near the bounds for a reason the graph shows: what it is computed from is
    trained, or saturates. What hangs on fed numbers alone does not move: those are the user's to know.
    """

    low: float
    high: float
    moves: bool = False

    @property
    def is_bounded(self) -> bool:
        """Whether neither bound is infinite."""
        return math.isfinite(self.low) and math.isfinite(self.high)


ANYTHING = Range(-math.inf, math.inf)


def ranges(outputs: Iterable[Node]) -> dict[Node, Range]:
    """The range of every node that `outputs` depend on.

    >>> import graphdl as gd
    >>> y = 1 + gd.square(gd.placeholder((3,), name="x"))
    >>> ranges([y])[y]
    Range(low=1.0, high=inf, moves=False)
    """
    found: dict[Node, Range] = {}
    for node in ancestors(outputs):
        made = _computed(node, [found[source] for source in node.inputs]) if node.inputs else _leaf(node)
        # Infinity less infinity is no bound.
        found[node] = made if made.low <= made.high else ANYTHING._replace(moves=made.moves)
    return found


def _leaf(node: Node) -> Range:
    op = node.op
    if isinstance(op, Constant):
        return _constant(op)
    if isinstance(op, Noise):
        return Range(0.0, 1.0) if op.kind == "uniform" else ANYTHING
    if op.name == "size":
        return Range(1.0, math.inf)
    return Range(-math.inf, math.inf, moves=isinstance(op, VariableLeaf) and op.trainable)


def _constant(op: Constant) -> Range:
    if not op.value.size or not np.isfinite(op.value).all():
        return ANYTHING
    return Range(float(op.value.min()), float(op.value.max()))


def _computed(node: Node, inputs: list[Range]) -> Range:
    if not isinstance(node.type, TensorType) or not inputs:
        return ANYTHING
    special = _SPECIAL.get(node.op.name)
    if special is not None:
        return special(node, inputs)
    if node.op.name in _PASSING:
        return _union(inputs)
    fixed = _FIXED.get(node.op.name)
    moves = any(r.moves for r in inputs)
    if fixed is not None:
        return Range(*fixed, moves=moves or node.op.name in _SATURATING)
    return Range(-math.inf, math.inf, moves)


def _union(inputs: list[Range]) -> Range:
    return Range(min(r.low for r in inputs), max(r.high for r in inputs), any(r.moves for r in inputs))


# Values of these are values of their inputs.
_PASSING = {
    "reshape",
    "transpose",
    "broadcast_to",
    "slice",
    "take",
    "concat",
    "max",
    "min",
    "mean",
    "stop_gradient",
    "cast",
    "pick",
    "split",
}
_FIXED = {
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "log_softmax": (-math.inf, 0.0),
    "tanh": (-1.0, 1.0),
    "erf": (-1.0, 1.0),
    "sin": (-1.0, 1.0),
    "cos": (-1.0, 1.0),
    "one_hot": (0.0, 1.0),
    "var": (0.0, math.inf),
    "argmax": (0.0, math.inf),
    "equal": (0.0, 1.0),
    "greater": (0.0, 1.0),
    "less": (0.0, 1.0),
}
# In float32 a sigmoid or softmax is 0 where its input is about 100 below; a relu is 0 on half of its inputs.
_SATURATING = {"sigmoid", "softmax", "relu"}


def _relu(node: Node, inputs: list[Range]) -> Range:
    (x,) = inputs
    return Range(max(x.low, 0.0), max(x.high, 0.0), moves=x.low <= 0)


def _exp(node: Node, inputs: list[Range]) -> Range:
    """Above 0, however small: that it underflows is no reason to warn of each exp."""
    (x,) = inputs
    return Range(_exp_of(x.low), _exp_of(x.high))


def _exp_of(bound: float) -> float:
    return math.exp(bound) if bound < 700 else math.inf


def _square(node: Node, inputs: list[Range]) -> Range:
    (x,) = inputs
    ends = (x.low * x.low, x.high * x.high)
    return Range(0.0 if x.low <= 0 <= x.high else min(ends), max(ends), x.moves)


def _abs(node: Node, inputs: list[Range]) -> Range:
    (x,) = inputs
    ends = (abs(x.low), abs(x.high))
    return Range(0.0 if x.low <= 0 <= x.high else min(ends), max(ends), x.moves)


def _sqrt(node: Node, inputs: list[Range]) -> Range:
    (x,) = inputs
    return Range(math.sqrt(max(x.low, 0.0)), math.sqrt(max(x.high, 0.0)), x.moves)


def _add(node: Node, inputs: list[Range]) -> Range:
    return Range(sum(r.low for r in inputs), sum(r.high for r in inputs), any(r.moves for r in inputs))


def _subtract(node: Node, inputs: list[Range]) -> Range:
    a, b = inputs
    return Range(a.low - b.high, a.high - b.low, a.moves or b.moves)


def _negative(node: Node, inputs: list[Range]) -> Range:
    (x,) = inputs
    return Range(-x.high, -x.low, x.moves)


def _multiply(node: Node, inputs: list[Range]) -> Range:
    a, b = inputs
    if node.inputs[0] is node.inputs[1]:
        return _square(node, [a])
    return _product(a, b)


def _product(a: Range, b: Range) -> Range:
    ends = [_times(p, q) for p in (a.low, a.high) for q in (b.low, b.high)]
    return Range(min(ends), max(ends), a.moves or b.moves)


def _times(p: float, q: float) -> float:
    """p q, where 0 times infinity is 0: a bound that is never passed."""
    return 0.0 if p == 0 or q == 0 else p * q


def _divide(node: Node, inputs: list[Range]) -> Range:
    a, b = inputs
    if a.low >= 0 and is_total_of(node.inputs[1], node.inputs[0]):
        return Range(0.0, 1.0, a.moves)
    if b.low <= 0 <= b.high:
        return Range(-math.inf, math.inf, a.moves or b.moves)
    low, high = sorted((_inverse(b.low), _inverse(b.high)))
    inverse = Range(low, high, b.moves)
    return _product(a, inverse)


def _inverse(bound: float) -> float:
    return 0.0 if math.isinf(bound) else 1 / bound


def is_total_of(total: Node, part: Node) -> bool:
    """Whether `total` is the sum of `part` along an axis, copied back: what probabilities are divided by."""
    while isinstance(total.op, BroadcastTo | Reshape):
        (total,) = total.inputs
    return isinstance(total.op, Sum) and total.inputs[0] is part


def _sum(node: Node, inputs: list[Range]) -> Range:
    """Of one or more terms: what is true of each sign by itself."""
    (x,) = inputs
    return Range(x.low if x.low >= 0 else -math.inf, x.high if x.high <= 0 else math.inf, x.moves)


def _clip(node: Node, inputs: list[Range]) -> Range:
    x, low, high = inputs
    ends = max(x.low, low.low), min(x.high, high.high)
    return Range(min(ends[0], high.high), max(ends[1], low.low), x.moves)


def _maximum(node: Node, inputs: list[Range]) -> Range:
    """As relu is, at its floor wherever one side can lie below the other."""
    a, b = inputs
    low = max(a.low, b.low)
    return Range(low, max(a.high, b.high), any(r.moves or r.low < low for r in inputs))


def _minimum(node: Node, inputs: list[Range]) -> Range:
    a, b = inputs
    return Range(min(a.low, b.low), min(a.high, b.high), a.moves or b.moves)


def _matmul(node: Node, inputs: list[Range]) -> Range:
    moves = any(r.moves for r in inputs)
    signed = inputs[0].low < 0 or inputs[1].low < 0
    return Range(-math.inf if signed else 0.0, math.inf, moves)


def _where(node: Node, inputs: list[Range]) -> Range:
    return _union(inputs[1:])


def _leaky(node: Node, inputs: list[Range]) -> Range:
    x = inputs[0]
    return Range(min(x.low, 0.0), max(x.high, 0.0), x.moves)


def _softplus(node: Node, inputs: list[Range]) -> Range:
    return Range(0.0, math.inf)


def _taken(node: Node, inputs: list[Range]) -> Range:
    return inputs[0]


_SPECIAL: dict[str, Callable[[Node, list[Range]], Range]] = {
    "relu": _relu,
    "exp": _exp,
    "square": _square,
    "abs": _abs,
    "sqrt": _sqrt,
    "add": _add,
    "add_n": _add,
    "subtract": _subtract,
    "negative": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "sum": _sum,
    "clip": _clip,
    "maximum": _maximum,
    "minimum": _minimum,
    "matmul": _matmul,
    "where": _where,
    "leaky_relu": _leaky,
    "softplus": _softplus,
    "take": _taken,
    "take_along": _taken,
}


def number_of(node: Node) -> float | int | bool | None:
    """The number that `node` is, or holds in every element; None for anything else."""
    return scalar_of(node.inputs[0] if isinstance(node.op, BroadcastTo) else node)
