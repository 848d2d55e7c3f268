"""The largest element of a window is found first: what keeps the order of elements is computed behind it, on fewer."""

from __future__ import annotations

from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.pattern import P, wildcards
from graphdl.ops.arithmetic import add
from graphdl.ops.pool import MaxPool2D, MaxPoolPlace
from graphdl.ops.shape import BroadcastTo, SumTo, broadcast_to, sum_to
from graphdl.ops.transcendental import mask_positive, relu
from graphdl.rewrite.engine import rule

x, b, g = wildcards("x b g")


def _pooled(x: Node, pool: MaxPool2D | MaxPoolPlace) -> Node:
    """The largest elements of x, where those of `pool` are found."""
    return build(MaxPool2D(pool.window, pool.strides, pool.pads), x)


def _is_of_channels(b: Node) -> bool:
    """Whether b, copied to images, is the same at every place of an image."""
    return all(length == 1 for length in b.shape[-3:-1])


@rule(P(MaxPool2D, P(relu, x)), kind="exact-bits")
def relu_after_pool(x: Node, node: Node) -> Node:
    """max(relu x) = relu(max x) over a window: relu keeps the order, and there are fewer elements behind the pool."""
    assert isinstance(node.op, MaxPool2D)
    return relu(_pooled(x, node.op))


@rule(P(MaxPool2D, add(x, P(BroadcastTo, b))), kind="exact-bits")
def bias_after_pool(x: Node, b: Node, node: Node) -> Node | None:
    """max(x + b) = max(x) + b over a window in which b is one number: fewer elements are added to."""
    assert isinstance(node.op, MaxPool2D)
    return _pooled(x, node.op) + broadcast_to(b, node.shape) if _is_of_channels(b) else None


@rule(P(mask_positive, P(MaxPoolPlace, g, P(relu, x)), P(relu, x)), kind="exact-bits")
def mask_before_place(g: Node, x: Node, node: Node) -> Node:
    """A gradient through relu and pool: masked where it is small, then placed at the largest elements."""
    place = node.inputs[0].op
    assert isinstance(place, MaxPoolPlace)
    return build(place, mask_positive(g, relu(_pooled(x, place))), x)


@rule(P(MaxPoolPlace, g, add(x, P(BroadcastTo, b))))
def place_without_bias(g: Node, x: Node, b: Node, node: Node) -> Node | None:
    """Where x + b is largest in a window, x is, if b is one number there."""
    return build(node.op, g, x) if _is_of_channels(b) else None


@rule(P(SumTo, P(MaxPoolPlace, g, x)))
def sum_before_place(g: Node, x: Node, node: Node) -> Node | None:
    """The sum over places of what was placed is the sum of what there was to place."""
    return sum_to(g, node.shape) if _is_of_channels(node) else None


POOLING = (relu_after_pool, bias_after_pool, mask_before_place, place_without_bias, sum_before_place)
