"""Passes that are more than patterns: common subexpressions, running totals. Each returns a new graph."""

from __future__ import annotations

from collections.abc import Hashable

from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, Size
from graphdl.ir.node import Node
from graphdl.ir.origin import Rewriting
from graphdl.ir.traverse import carried, in_order, renamed
from graphdl.ops.arithmetic import AddN, add
from graphdl.rewrite.engine import Firing


def merge_equal(graph: Graph, log: list[Firing]) -> Graph:
    """The same op over the same inputs is computed once (common subexpressions; Cocke 1970)."""
    known: dict[Hashable, Node] = {}
    became: dict[Node, Node] = {}
    for node in graph.nodes:
        new = carried(node, became)
        key = _key(new)
        first = new if key is None else known.setdefault(key, new)
        if first is not new and node.inputs:
            log.append(_firing(len(log) + 1, new, first))
        if first is not node:
            became[node] = first
    return graph.replaced(became) if became else graph


def accumulate(graph: Graph, log: list[Firing]) -> Graph:
    """An n-ary sum becomes a running total, added to as soon as each part is there: the parts need not all live."""
    became: dict[Node, Node] = {}
    for node in graph.nodes:
        new = carried(node, became)
        if isinstance(new.op, AddN) and len(new.inputs) > 2:
            before, new = new, _running_total(new)
            log.append(Firing(len(log) + 1, "specialise", "accumulate", "exact-bits", before, new, _RUNNING))
        if new is not node:
            became[node] = new
    return graph.replaced(became) if became else graph


_RUNNING = "a + b + c = (a + b) + c, each part added as soon as it is there"


def _running_total(node: Node) -> Node:
    total, *parts = node.inputs
    for part in parts:
        later = max(total, part, key=in_order)
        with Rewriting("accumulate", later):
            total = add(total, part)
    return renamed(total, node.name, node.scope)


def _key(node: Node) -> Hashable:
    """Nodes with equal keys have equal values; None for a leaf that is like no other."""
    if node.inputs:
        return (node.op, *map(id, node.inputs))
    if isinstance(node.op, Constant) and node.op.value.size <= 16:
        return ("constant", node.type, node.op.value.tobytes())
    return ("size", node.type, node.op.dim) if isinstance(node.op, Size) else None


def _firing(number: int, before: Node, after: Node) -> Firing:
    why = "the same op over the same inputs is computed once"
    return Firing(number, "clean", "merge_equal", "exact-bits", before, after, why)
