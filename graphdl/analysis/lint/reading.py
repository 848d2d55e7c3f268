"""Networks as rules read them in a graph: weights, layers, what lies between two products with weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from graphdl.analysis.lint.facts import Facts
from graphdl.ir.leaves import Constant, Placeholder, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ops.arithmetic import add, multiply, subtract
from graphdl.ops.linalg import Affine, MatMul
from graphdl.ops.shape import BroadcastTo, Cast, Reshape, StopGradient, Transpose


class Product(NamedTuple):
    """A layer's product with its weights: ``y = x W`` at the node `y`."""

    y: Node
    x: Node
    W: Node


def products(facts: Facts) -> Iterator[Product]:
    """Every product of data with a trained matrix, inputs first."""
    for node in facts.nodes:
        if isinstance(node.op, MatMul | Affine):
            weight = variable_behind(node.inputs[1])
            if weight is not None and len(weight.shape) == 2:
                yield Product(node, node.inputs[0], weight)


def variable_behind(node: Node) -> Node | None:
    """The trained variable that `node` is, or is another view of."""
    node = behind(node, (Transpose, Cast, Reshape, BroadcastTo))
    return node if isinstance(node.op, VariableLeaf) and node.op.trainable else None


def behind(node: Node, views: tuple[type, ...] = (Reshape, Cast, BroadcastTo, StopGradient)) -> Node:
    """What `node` shows, past ops that change no value."""
    while isinstance(node.op, views):
        (node,) = node.inputs
    return node


def without_bias(node: Node) -> Node:
    """What is left of `node` after additions of, and products with, numbers and variables, and changes of shape."""
    while True:
        node = behind(node, (Reshape, Cast))
        rest = _rest(node)
        if rest is None:
            return node
        node = rest


def _rest(node: Node) -> Node | None:
    """The side of a sum, difference or product that is data, where the other is a bias or a scale."""
    if node.op not in (add, subtract, multiply):
        return None
    data = [source for source in node.inputs if not is_bias(source)]
    return data[0] if len(data) == 1 else None


def is_bias(node: Node) -> bool:
    """Whether `node` is one row, or one number, for all examples: a variable or a constant."""
    return isinstance(behind(node, (BroadcastTo, Reshape, Cast)).op, VariableLeaf | Constant)


def placeholder_behind(node: Node) -> Node | None:
    """The placeholder that `node` is, but for shape and dtype."""
    node = behind(node, (Reshape, Cast, BroadcastTo, Transpose, StopGradient))
    return node if isinstance(node.op, Placeholder) else None


def called(node: Node) -> str:
    """What a user calls `node`: its layer, or its own name."""
    return plain(node.scope if node.scope and node.name is None else node.label)


def width(node: Node) -> int | None:
    """Elements along the last axis, where that is known."""
    last = node.shape[-1] if node.ndim else 1
    return last if isinstance(last, int) else None
