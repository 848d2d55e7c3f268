"""Where a derivative is taken: the loss in float64, what is fed, and what the variables are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from graphdl.compile.fold import fold_constants
from graphdl.draw.subject import Subject, subject, values
from graphdl.ir.dim import evaluate
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Noise, VariableLeaf, constant
from graphdl.ir.node import Node
from graphdl.ir.origin import forward_of
from graphdl.ir.traverse import renamed, substitute
from graphdl.ir.types import TensorType
from graphdl.rewrite.engine import rewrite
from graphdl.rewrite.passes import merge_equal
from graphdl.rewrite.rules.algebra import ALGEBRA
from graphdl.rewrite.rules.shapes import SHAPES
from graphdl.runtime.check import in_float64
from graphdl.runtime.session import Session
from graphdl.runtime.stepper import Stepper

Feeds = Mapping[Any, Any]


@dataclass(frozen=True)
class Point:
    """`loss` and `wrt` in float64, with what is fed and a session of their own; `mine` maps the user's nodes to them.

    Without numbers `feeds` is None. Random leaves are constants: what the run at this point drew.
    """

    loss: Node
    wrt: tuple[Node, ...]
    feeds: dict[Any, Any] | None
    session: Session
    mine: dict[Node, Node]

    def run(self) -> Run:
        """The chain rule from the loss, stabilised as every session does, with the value of each node."""
        found = subject(self.loss, self.wrt, None, stabilise=True)
        return Run(found, {} if self.feeds is None else values(found, self.feeds, self.session)[0])


@dataclass(frozen=True)
class Run:
    """The graph `found` with the value of every node; `values` is empty where there are no numbers."""

    found: Subject
    values: Mapping[Node, Any]

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Every symbolic size as the values settle it; 1 without them, which is a batch of one example."""
        tensors = [node for node in self.found.forward if isinstance(node.type, TensorType)]
        symbolic = [d for node in tensors for d in node.shape if not isinstance(d, int)]
        sizes = dict.fromkeys((name for d in symbolic for factors, _ in d.terms for name in factors), 1)
        for node in tensors:
            if node in self.values:
                pairs = zip(node.shape, np.shape(self.values[node]), strict=True)
                sizes.update((str(d), size) for d, size in pairs if str(d) in sizes)
        return sizes

    @property
    def loss(self) -> Node:
        """The loss in the graph."""
        assert self.found.loss is not None
        return self.found.loss

    def shape(self, node: Node) -> tuple[int, ...]:
        """The shape of `node` in integers."""
        return tuple(evaluate(d, self.sizes) for d in node.shape)

    def size(self, node: Node) -> int:
        """How many elements `node` has."""
        return math.prod(self.shape(node))


def point(loss: Node, wrt: Sequence[Node], feeds: Feeds | None, session: Session) -> Point:
    """The point at which `session` stands when it is fed `feeds`, in float64."""
    has_numbers = feeds is not None or not Graph(loss).placeholders
    became = in_float64([loss, *wrt])
    drawn = _drawn(loss, feeds or {}, session, became) if has_numbers else {}
    order = list(became)
    mine = dict(zip(order, substitute([became[node] for node in order], drawn), strict=True))
    wide = Session(seed=session.seed)
    for node, new in mine.items():
        if isinstance(node.op, VariableLeaf):
            wide.assign(new, session.value(node))
    wide.state.step = session.state.step
    fed = _by_node(loss, feeds or {}, mine) if has_numbers else None
    mine.update(_without_plumbing({node: mine[node] for node in (loss, *wrt)}))
    return Point(mine[loss], tuple(mine[w] for w in wrt), fed, wide, mine)


def _without_plumbing(mine: Mapping[Node, Node]) -> dict[Node, Node]:
    """`mine`; where a chain rule built some of it, for a second derivative, without its ones and repetitions."""
    graph = Graph({str(i): node for i, node in enumerate(mine.values())})
    if any(forward_of(node) is not None for node in graph.nodes):
        folded = fold_constants(graph, [])
        cleaned, _ = rewrite(folded, (*ALGEBRA, *SHAPES), "clean", protected=folded.outputs.values())
        graph = merge_equal(cleaned, [])
    return dict(zip(mine, graph.outputs.values(), strict=True))


def _drawn(loss: Node, feeds: Feeds, session: Session, became: Mapping[Node, Node]) -> dict[Node, Node]:
    """For each random leaf a constant with what it draws at this point."""
    graph = Graph(loss)
    if not graph.noise:
        return {}
    known = Stepper(graph, feeds, session).values()
    return {
        became[node]: renamed(constant(np.asarray(known[node], "float64")), node.name or node.op.name, node.scope)
        for node in graph.leaves(Noise)
    }


def _by_node(loss: Node, feeds: Feeds, mine: Mapping[Node, Node]) -> dict[Any, Any]:
    """`feeds` by nodes in float64; what the loss does not need is left out, unknown names stay to be refused."""
    fed = Graph(loss).placeholders
    named = {node.label: node for node in fed} | {node.name: node for node in fed if node.name}
    found: dict[Any, Any] = {}
    for key, value in feeds.items():
        node = key if isinstance(key, Node) else named.get(key)
        if node is None:
            found[key] = value
        elif node in mine:
            found[mine[node]] = value
    return found
