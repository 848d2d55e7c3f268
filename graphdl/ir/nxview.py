"""Graphs as networkx sees them: a view for questions, never the storage."""

from __future__ import annotations

from typing import Any

import networkx

from graphdl.ir.graph import Graph


def to_networkx(graph: Graph) -> networkx.MultiDiGraph[Any]:
    """A MultiDiGraph: nodes by name (op, type, scope, node), edges keyed by input slot.

    Good for cones of ancestors, simple paths, dominators, isomorphism; at 10,000 nodes it takes
    ten times the memory of the graph itself.
    """
    view: networkx.MultiDiGraph[Any] = networkx.MultiDiGraph()
    for node, name in graph.names.items():
        view.add_node(name, op=node.op.name, type=str(node.type), scope=node.scope, node=node)
        for slot, source in enumerate(node.inputs):
            view.add_edge(graph.names[source], name, key=slot)
    view.graph["outputs"] = {name: graph.names[node] for name, node in graph.outputs.items()}
    return view
