"""Passes that are more than patterns: common subexpressions. Each returns a new graph."""

from __future__ import annotations

from collections.abc import Hashable

from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, Size
from graphdl.ir.node import Node
from graphdl.ir.traverse import moved, with_inputs
from graphdl.rewrite.engine import Firing


def merge_equal(graph: Graph, log: list[Firing]) -> Graph:
    """The same op over the same inputs is computed once (common subexpressions; Cocke 1970)."""
    known: dict[Hashable, Node] = {}
    became: dict[Node, Node] = {}
    changed = False
    for node in graph.nodes:
        new = with_inputs(node, moved(node.inputs, became)) if node.inputs else node
        key = _key(new)
        first = new if key is None else known.setdefault(key, new)
        if first is not new and node.inputs:
            log.append(_firing(len(log) + 1, new, first))
        changed = changed or first is not node
        became[node] = first
    return graph.replaced(became) if changed else graph


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
