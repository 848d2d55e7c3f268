"""Does a node match a pattern? Commutative ops in either order; a wildcard met twice must be the same value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphdl.ir.elementwise import Elementwise
from graphdl.ir.leaves import scalar_of
from graphdl.ir.node import Node
from graphdl.ir.pattern import Pattern
from graphdl.ops.shape import BroadcastTo

Bindings = dict[str, Node]

# Two values compared for equality may hang on so many nodes before we give up and call them different.
_MOST_PAIRS = 256


def matches(pattern: Any, node: Node, bound: Bindings) -> Iterator[tuple[Bindings, list[Node]]]:
    """Every way in which `node` matches, with the nodes of ops in the pattern (the root included)."""
    if isinstance(pattern, Pattern) and pattern.op is None:
        yield from _wildcard(pattern.name, node, bound)
    elif isinstance(pattern, Pattern):
        if node.op is pattern.op or node.op.__class__ is pattern.op:
            yield from _inputs(pattern, node, bound)
        elif isinstance(node.op, BroadcastTo) and isinstance(pattern.op, Elementwise):
            # An operand that broadcasting copied is found behind the copies; the engine copies the result.
            for found, inner in matches(pattern, node.inputs[0], bound):
                yield found, [node, *inner]
    elif _number(node) == pattern:
        yield bound, []


def _number(node: Node) -> float | int | bool | None:
    """The number that `node` is, or holds in every element."""
    return scalar_of(node.inputs[0] if isinstance(node.op, BroadcastTo) else node)


def same(a: Node, b: Node) -> bool:
    """Whether two nodes are the same value: the same ops over the same leaves."""
    waiting = [(a, b)]
    seen: set[tuple[Node, Node]] = set()
    while waiting:
        pair = waiting.pop()
        left, right = pair
        if left is right or pair in seen:
            continue
        if len(seen) > _MOST_PAIRS or not _alike(left, right):
            return False
        seen.add(pair)
        waiting += zip(left.inputs, right.inputs, strict=True)
    return True


def _alike(a: Node, b: Node) -> bool:
    if a.op.is_leaf or b.op.is_leaf:
        value = scalar_of(a)
        return value is not None and value == scalar_of(b) and a.type == b.type
    return a.op == b.op and len(a.inputs) == len(b.inputs) and a.type == b.type


def _wildcard(name: str, node: Node, bound: Bindings) -> Iterator[tuple[Bindings, list[Node]]]:
    known = bound.get(name)
    if known is None:
        yield {**bound, name: node}, []
    elif same(known, node):
        yield bound, []


def _inputs(pattern: Pattern, node: Node, bound: Bindings) -> Iterator[tuple[Bindings, list[Node]]]:
    if len(pattern.inputs) != len(node.inputs):
        return
    orders = [node.inputs]
    if node.op.commutes and len(node.inputs) == 2:
        orders.append(node.inputs[::-1])
    for order in orders:
        for found, inner in _in_turn(list(zip(pattern.inputs, order, strict=True)), bound):
            yield found, [node, *inner]


def _in_turn(pairs: list[tuple[Any, Node]], bound: Bindings) -> Iterator[tuple[Bindings, list[Node]]]:
    """Bindings under which every pattern matches its node."""
    if not pairs:
        yield bound, []
        return
    (pattern, node), rest = pairs[0], pairs[1:]
    for found, inner in matches(pattern, node, bound):
        for more, others in _in_turn(rest, found):
            yield more, inner + others
