"""Which results have no line of their own on paper: the products in a weighted sum, the difference in a square.

Written out, ``z₁ = w₁₁ · x₁ + w₁₂ · x₂ + b₁`` is one line. What the user named, what is used twice, and what holds
a value twice (as ``x · x + x`` does) stays a line of its own, since there the chain rule has something to show.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from graphdl.draw.symbols import own_name
from graphdl.ir.leaves import Constant, Size
from graphdl.ir.node import Node
from graphdl.ir.traverse import consumers
from graphdl.ir.types import TensorType
from graphdl.sheet.point import Run

# They hand elements on as they are.
MOVES = frozenset(
    ("reshape", "transpose", "broadcast_to", "slice", "concat", "pad", "pick", "split", "cast", "take", "take_along")
)
_REDUCTIONS = frozenset(("sum", "sum_to", "mean"))
_SUMS = _REDUCTIONS | {"add", "add_n", "subtract"}
# What is written inside a sum; sums are written inside sums alone, for the output of a network is one.
_TERMS = frozenset(("multiply", "negative"))
_TOTALS = frozenset(("matmul", "add", "add_n"))
# A sum of so many squares or products still is one line.
_MOST_TERMS = 6


def folded(run: Run) -> set[Node]:
    """The nodes whose elements are written inside the line that uses them; never the loss and what is asked for."""
    forward, keep = run.found.forward, {run.loss, *run.found.wrt}
    users = consumers(forward)
    inner: set[Node] = set()
    reads: dict[Node, list[Node]] = {}
    for node in forward:
        operands = [_origin(source, users, keep) for source in node.inputs]
        inside = {o for o in operands if o in reads and o not in keep and _fits(o, node, users, run)}
        found = _read(operands, inside, reads)
        if len(set(found)) < len(found):
            inside, found = set(), _read(operands, set(), reads)
        inner |= inside
        if node.inputs and node.op.name not in MOVES:
            reads[node] = found
    return inner | {node for node in forward if _only_moves(node, inner, users, keep)}


def _origin(node: Node, users: Mapping[Node, list[Node]], keep: Collection[Node]) -> Node:
    """The node that computes what `node` only hands on."""
    while _hands_on(node, keep) and len(users[node.inputs[0]]) == 1:
        node = node.inputs[0]
    return node


def _hands_on(node: Node, keep: Collection[Node]) -> bool:
    return node.op.name in MOVES and len(node.inputs) == 1 and own_name(node) is None and node not in keep


def _only_moves(node: Node, inner: set[Node], users: Mapping[Node, list[Node]], keep: Collection[Node]) -> bool:
    return _hands_on(node, keep) and _origin(node, users, keep) in inner


def _read(operands: Sequence[Node], inside: Collection[Node], reads: Mapping[Node, list[Node]]) -> list[Node]:
    """What a line reads that has the nodes `inside` written into it; numbers do not count."""
    found = [node for operand in operands for node in (reads[operand] if operand in inside else [operand])]
    return [node for node in found if not isinstance(node.op, Constant | Size)]


def _fits(node: Node, user: Node, users: Mapping[Node, list[Node]], run: Run) -> bool:
    """Whether the line of `user` has room for `node`, whose only user it is."""
    if own_name(node) is not None or len(users[node]) != 1 or not isinstance(user.type, TensorType):
        return False
    if user.op.name in _REDUCTIONS:
        size = run.size(node)
        if size == 1 or size > _MOST_TERMS:
            return size == 1
    name = node.op.name
    if (name in _TERMS and user.op.name in _SUMS) or (name in _TOTALS and user.op.name in ("add", "add_n")):
        return True
    if name == "subtract":
        return user.op.name == "square"
    is_scaled = user.op.name in ("multiply", "divide") and any(isinstance(s.op, Constant) for s in user.inputs)
    return name in ("square", "sum", "mean") and (user.op.name in _SUMS or is_scaled)
