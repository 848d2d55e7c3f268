"""Linting a graph: what the rules need to know is found out, values and gradients included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from graphdl.analysis.lint import Finding, findings_in
from graphdl.analysis.lint.facts import Array, Facts, loss_of
from graphdl.autodiff.gradients import derive
from graphdl.errors import GraphError
from graphdl.ir.graph import Graph, Updates
from graphdl.ir.leaves import Constant, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors
from graphdl.ir.types import TensorType
from graphdl.rewrite.stabilise import stabilise
from graphdl.runtime.session import Session
from graphdl.runtime.stepper import Stepper

Feeds = Mapping[Any, Any]


def lint_graph(
    what: Graph | Node | Updates | Iterable[Node], feeds: Feeds | None = None, session: Session | None = None
) -> list[Finding]:
    """What is to be said about a graph, a loss or a list of nodes; with `feeds`, about its values too.

    The graph is left as it is. `session` has the variables' values; without one they are their first values.
    """
    return findings_in(facts_of(as_graph(what), feeds, session))


def as_graph(what: Any) -> Graph:
    """What is linted, as a graph of its own."""
    if isinstance(what, Graph):
        return what
    if isinstance(what, Updates):
        return Graph((), what.pairs)
    if not isinstance(what, Node) and not isinstance(what, Iterable):
        raise GraphError(f"lint was asked about a {type(what).__name__}, expected a model, a graph, a node or a list")
    return Graph(what)


def facts_of(
    graph: Graph, feeds: Feeds | None = None, session: Session | None = None, is_masked: bool = False
) -> Facts:
    """What the rules look at: the graph before and after stabilising, why gradients are zero, and values."""
    settled, _ = stabilise(Graph(graph.outputs))
    loss = loss_of(graph)
    values = values_of(settled, feeds, session) if feeds is not None else {}
    return Facts(graph, settled, loss, values, _zero_gradients(loss), is_masked)


def values_of(graph: Graph, feeds: Feeds, session: Session | None = None) -> dict[Node, Array]:
    """The value of every node, constants aside and tuples, whose parts have nodes of their own, in causal order."""
    with np.errstate(all="ignore"):
        found = Stepper(graph, feeds, session).values()
    known = (node for node in found if isinstance(node.type, TensorType) and not isinstance(node.op, Constant))
    return {node: np.asarray(found[node]) for node in known}


def _zero_gradients(loss: Node | None) -> dict[Node, str]:
    trained = [] if loss is None else trained_in(loss)
    return derive(loss, trained).zero_because if loss is not None and trained else {}


def trained_in(loss: Node) -> list[Node]:
    """The variables below `loss` that training changes."""
    leaves = (node for node in ancestors([loss]) if isinstance(node.op, VariableLeaf))
    return [v for v in leaves if isinstance(v.op, VariableLeaf) and v.op.trainable and v.tensor.is_float]
