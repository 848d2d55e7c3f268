"""Passes for loops: every pass also goes through the bodies, and results that nobody reads are dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from graphdl.ir.body import Body
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node, place_of
from graphdl.ir.origin import Rewrite
from graphdl.ir.traverse import ancestors, substitute
from graphdl.ir.types import TupleType
from graphdl.ops.parts import Pick
from graphdl.ops.scan import Scan
from graphdl.rewrite.engine import Firing

Run = Callable[[Graph, list[Firing]], Graph]

_WHY = "nobody reads these results of the loop"


def also_in_bodies(run: Run) -> Run:
    """The pass `run`, on a graph and on the bodies of its loops."""

    def run_everywhere(graph: Graph, log: list[Firing]) -> Graph:
        done = run(graph, log)
        became = {}
        for node in _loops(done):
            assert isinstance(node.op, Scan)
            body = node.op.body
            outputs = tuple(run_everywhere(body.graph, log).outputs.values())
            if outputs != body.outputs:
                became[node] = _with_op(node, replace(node.op, body=replace(body, outputs=outputs)), node.inputs)
        return _exchanged(done, became) if became else done

    return run_everywhere


def drop_unread(graph: Graph, log: list[Firing]) -> Graph:
    """Loops give only what is read, and are handed only what that needs: without gradients, no values for them."""
    done: set[Node] = set()
    while waiting := [node for node in _loops(graph) if node not in done]:
        # The last one first: what it no longer reads, those before it need not give.
        node = waiting[-1]
        became = _smaller(graph, node)
        if became:
            log.append(Firing(len(log) + 1, "clean", "drop_unread", "exact-bits", node, became[node], _WHY))
            graph = _exchanged(graph, became)
        done.add(became.get(node, node))
    return graph


def _loops(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if isinstance(node.op, Scan)]


def _smaller(graph: Graph, node: Node) -> dict[Node, Node]:
    """What the loop and those that take its results become; nothing where all of it is needed."""
    assert isinstance(node.op, Scan)
    body, picks = node.op.body, [user for user in graph.consumers[node] if isinstance(user.op, Pick)]
    first = {output: i for i, output in reversed(list(enumerate(body.outputs)))}
    read = {first[body.outputs[pick.op.index]] for pick in picks if isinstance(pick.op, Pick)}
    kept = sorted(read | set(range(len(body.carries))))
    if len(kept) == len(body.outputs):
        return {}
    outputs = tuple(body.outputs[i] for i in kept)
    reached = set(ancestors(outputs))
    small = Body(
        body.carries,
        tuple(x for x in body.slices if x in reached),
        tuple(k for k in body.constants if k in reached),
        outputs,
    )
    outer = dict(zip(body.inputs, node.inputs, strict=True))
    loop = _with_op(node, replace(node.op, body=small), tuple(outer[x] for x in small.inputs))
    became = {node: loop}
    for user in picks:
        assert isinstance(user.op, Pick)
        became[user] = _with_op(user, Pick(kept.index(first[body.outputs[user.op.index]])), (loop,))
    return became


def _with_op(node: Node, op: Scan | Pick, inputs: tuple[Node, ...]) -> Node:
    kind = op.infer(*[source.type for source in inputs])  # type: ignore[arg-type]
    assert isinstance(kind, TupleType) or kind == node.type
    return Node(op, inputs, kind, node.name, node.scope, Rewrite("loops", node), place_of(node))


def _exchanged(graph: Graph, became: Mapping[Node, Node]) -> Graph:
    roots = graph.roots
    return graph.replaced(dict(zip(roots, substitute(roots, became), strict=True)))
