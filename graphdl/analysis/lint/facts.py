"""What rules look at: the graph of a loss, and what floors above know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from graphdl.analysis.ranges import Range, ranges
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Facts:
    """A graph, its loss if it has one, and, where somebody has run it, values.

    graph         as it was written
    settled       as it is differentiated: formulas that overflow are rewritten; without rewriting, `graph`
    loss          the scalar that training makes small, in `graph`
    values        of the nodes of `settled`, on data, in causal order
    zero_because  why the gradient of a variable is zero everywhere
    is_masked     random masks are drawn in training that `graph` does not have
    """

    graph: Graph
    settled: Graph
    loss: Node | None = None
    values: Mapping[Node, Array] = field(default_factory=dict)
    zero_because: Mapping[Node, str] = field(default_factory=dict)
    is_masked: bool = False

    @classmethod
    def of(cls, graph: Graph) -> Facts:
        """What the graph alone says."""
        return cls(graph, graph, loss_of(graph))

    @cached_property
    def nodes(self) -> list[Node]:
        """The nodes that outputs depend on, after rewriting; updates are not looked at."""
        return ancestors(self.settled.outputs.values())

    @cached_property
    def consumers(self) -> dict[Node, list[Node]]:
        """Who reads each of `nodes`."""
        return Graph(self.settled.outputs).consumers

    @cached_property
    def ranges(self) -> dict[Node, Range]:
        """What values each of `nodes` can take."""
        return ranges(self.nodes)

    @cached_property
    def trained(self) -> list[Node]:
        """The variables that training changes."""
        return [n for n in self.nodes if isinstance(n.op, VariableLeaf) and n.op.trainable and n.tensor.is_float]


def loss_of(graph: Graph) -> Node | None:
    """The output, if there is one alone that is a float without axes."""
    nodes = tuple(graph.outputs.values())
    if len(nodes) != 1 or not hasattr(nodes[0].type, "dtype"):
        return None
    return nodes[0] if not nodes[0].ndim and nodes[0].tensor.is_float else None
