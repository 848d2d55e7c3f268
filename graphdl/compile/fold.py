"""Constant folding: what depends on constants alone is computed while compiling."""

from __future__ import annotations

import numpy as np

from graphdl.compile.evaluate import evaluate
from graphdl.compile.lower import instruction
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant
from graphdl.ir.node import Node, place_of
from graphdl.ir.origin import Rewrite
from graphdl.ir.traverse import carried
from graphdl.ir.types import TensorType
from graphdl.ops.shape import BroadcastTo
from graphdl.rewrite.engine import Firing

# A constant larger than this is not worth the memory and the lines in the program.
_MOST_ELEMENTS = 4096


def fold_constants(graph: Graph, log: list[Firing]) -> Graph:
    """Nodes over constants alone become constants; copies of a constant stay copies."""
    became: dict[Node, Node] = {}
    for node in graph.nodes:
        new = carried(node, became)
        new = _folded(new, log) if _is_foldable(new) else new
        if new is not node:
            became[node] = new
    return graph.replaced(became) if became else graph


def _is_foldable(node: Node) -> bool:
    for source in node.inputs:
        if not isinstance(source.op, Constant):
            return False
    if not node.inputs or not isinstance(node.type, TensorType) or isinstance(node.op, BroadcastTo):
        return False
    size = node.type.size
    return isinstance(size, int) and size <= _MOST_ELEMENTS


def _folded(node: Node, log: list[Firing]) -> Node:
    instr = instruction(node, Graph(node), dict.fromkeys(node.inputs, True))
    values = [source.op.value for source in node.inputs if isinstance(source.op, Constant)]
    value = np.array(evaluate(instr, values, {}), node.dtype, order="C")
    value.flags.writeable = False
    origin = Rewrite("fold_constants", node)
    after = Node(Constant(value), (), node.type, node.name, node.scope, origin, place_of(node))
    log.append(Firing(len(log) + 1, "clean", "fold_constants", "exact-bits", node, after, "computed while compiling"))
    return after
