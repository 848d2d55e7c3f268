"""One step of gradient descent: ``w ← w − η · ∂L/∂w``, where the updates of the graph are that."""

from __future__ import annotations

from collections.abc import Iterable

from graphdl.draw.digits import equals, in_brackets, number, parsed
from graphdl.ir.leaves import Constant, VariableLeaf
from graphdl.ir.node import Node
from graphdl.runtime.session import Session


def learning_rate(updates: Iterable[tuple[Node, Node]], session: Session) -> float | None:
    """The rate of updates ``w − rate · gradient``; None where one of them is of another kind, or there is none."""
    rates = {_rate(variable, value, session) for variable, value in updates}
    return rates.pop() if len(rates) == 1 else None


def _rate(variable: Node, value: Node, session: Session) -> float | None:
    if value.op.name != "subtract" or value.inputs[0] is not variable or value.inputs[1].op.name != "multiply":
        return None
    found = [rate for node in value.inputs[1].inputs if (rate := _number(node, session)) is not None]
    return found[0] if len(found) == 1 else None


def _number(node: Node, session: Session) -> float | None:
    """A constant, or a variable that is not trained, where it is one number."""
    while node.op.name in ("broadcast_to", "cast"):
        node = node.inputs[0]
    if isinstance(node.op, Constant) and not node.op.value.ndim:
        return float(node.op.value)
    is_setting = isinstance(node.op, VariableLeaf) and not node.op.trainable and not node.shape
    return float(session.value(node)) if is_setting else None


def put_in(value: float, rate: float, slope: float) -> str:
    """``0.5 − 0.1 × (−0.2) = 0.52``"""
    w, eta, g = number(value), number(rate), number(slope)
    new = number(value - rate * slope)
    sign = equals(parsed(w) - parsed(eta) * parsed(g), new)
    return f"{w} − {in_brackets(eta)} × {in_brackets(g)} {sign} {new}"
