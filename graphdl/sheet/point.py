"""Where a derivative is taken: the loss in float64, what is fed, and what the variables are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphdl.draw.subject import Subject, subject, values
from graphdl.ir.dim import evaluate
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Noise, VariableLeaf, constant
from graphdl.ir.node import Node
from graphdl.ir.traverse import renamed, substitute
from graphdl.ir.types import TensorType
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

    def subject(self) -> Subject:
        """The chain rule from the loss, stabilised as every session does."""
        return subject(self.loss, self.wrt, None, stabilise=True)

    def values(self, found: Subject) -> dict[Node, Any]:
        """The value of every node of `found`; nothing where there are no numbers."""
        return {} if self.feeds is None else values(found, self.feeds, self.session)[0]


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
    return Point(mine[loss], tuple(mine[w] for w in wrt), fed, wide, mine)


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


def sizes_of(found: Subject, known: Mapping[Node, Any]) -> dict[str, int]:
    """Every symbolic size as the values settle it; 1 without them, which is a batch of one example."""
    sizes: dict[str, int] = {}
    for node in found.forward:
        for d in node.shape if isinstance(node.type, TensorType) else ():
            if not isinstance(d, int):
                sizes.update(dict.fromkeys((name for m, _ in d.terms for name in m), 1))
    for node in found.forward:
        if node in known and isinstance(node.type, TensorType):
            plain = {str(d): size for d, size in zip(node.shape, np.shape(known[node]), strict=True) if str(d) in sizes}
            sizes.update(plain)
    return sizes


def shape_at(node: Node, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of `node` in integers."""
    return tuple(evaluate(d, sizes) for d in node.shape)
