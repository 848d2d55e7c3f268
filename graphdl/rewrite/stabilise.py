"""The stage before the chain rule: formulas as typed become forms that are right everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.rewrite.engine import Firing, rewrite
from graphdl.rewrite.rules.stable import STABILISE, WHERE_SINK


def stabilise(
    graph: Graph, protected: Iterable[Node] = (), log: list[Firing] | None = None, limit: int | None = None
) -> tuple[Graph, dict[Node, Node]]:
    """`graph` with unstable formulas replaced, and what became of each node; nodes in `protected` stay."""
    return rewrite(graph, STABILISE, "stabilise", protected, limit, log)


def sink_where(
    graph: Graph, protected: Iterable[Node] = (), log: list[Firing] | None = None
) -> tuple[Graph, dict[Node, Node]]:
    """`graph` with products moved inside `where`, so that no branch multiplies 0 by infinity; needed at every level."""
    return rewrite(graph, WHERE_SINK, "stabilise", protected, None, log)
