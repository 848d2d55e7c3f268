"""Loops written out step by step, for pictures and sheets: the same values from plain ops."""

from __future__ import annotations

from graphdl.ir.graph import Graph
from graphdl.ir.node import Node, next_place
from graphdl.ir.origin import at_scope, origin
from graphdl.ir.traverse import ancestors, substitute
from graphdl.ops.parts import Pick, Slice, stack
from graphdl.ops.scan import Scan
from graphdl.ops.shape import Reshape

# Loops beyond so many steps stay loops.
MOST_STEPS = 8


def unrolled(graph: Graph, most: int = MOST_STEPS) -> tuple[Graph, dict[Node, Node]]:
    """`graph` with loops of at most `most` steps written out, and what became of the nodes that were replaced.

    Step t is in the scope ``step_t``, counted from 1 in the order of the stack.
    """
    became: dict[Node, Node] = {}
    while waiting := [n for n in graph.nodes if isinstance(n.op, Scan) and _is_short(n.op, most)]:
        found = _written_out(graph, waiting[0])
        became.update(found)
        roots = graph.roots
        graph = graph.replaced(dict(zip(roots, substitute(roots, found), strict=True)))
    return graph, became


def _is_short(op: Scan, most: int) -> bool:
    return isinstance(op.length, int) and op.length <= most


def _written_out(graph: Graph, loop: Node) -> dict[Node, Node]:
    """What the results of `loop` become: stacks of the steps' values, and a step's value where one alone is read."""
    steps = _steps(loop)
    became: dict[Node, Node] = {}
    for pick in graph.consumers[loop]:
        assert isinstance(pick.op, Pick)
        values = [step[pick.op.index] for step in steps]
        readers = graph.consumers[pick]
        single = {reader: _entry(reader, graph) for reader in readers}
        for entry in single.values():
            if entry is not None:
                became[entry[0]] = values[entry[1]]
        if pick in graph.roots or any(entry is None for entry in single.values()):
            with at_scope(pick.scope), origin(pick.origin):
                became[pick] = stack(values)
    return became


def _steps(loop: Node) -> list[tuple[Node, ...]]:
    """The outputs of the body at each step, in the order of the stack."""
    assert isinstance(loop.op, Scan)
    assert isinstance(loop.op.length, int)
    body, length = loop.op.body, loop.op.length
    outer = dict(zip(body.inputs, loop.inputs, strict=True))
    carries = [outer[c] for c in body.carries]
    found: dict[int, tuple[Node, ...]] = {}
    for t in range(length - 1, -1, -1) if loop.op.reverse else range(length):
        scope = f"{loop.scope}/step_{t + 1}" if loop.scope else f"step_{t + 1}"
        with at_scope(scope), origin(loop.origin):
            slices = {x: outer[x][t] for x in body.slices}
        given = {**{k: outer[k] for k in body.constants}, **dict(zip(body.carries, carries, strict=True)), **slices}
        found[t] = _copied(body.outputs, given, scope)
        carries = list(found[t][: len(carries)])
    return [found[t] for t in range(length)]


def _copied(outputs: tuple[Node, ...], given: dict[Node, Node], scope: str) -> tuple[Node, ...]:
    """`outputs` over `given` in place of the placeholders, every node new."""
    made = dict(given)
    for node in ancestors(outputs, stop=given):
        if node not in made:
            inputs = tuple(made[source] for source in node.inputs)
            made[node] = Node(node.op, inputs, node.type, node.name, scope, node.origin, next_place())
    return tuple(made[node] for node in outputs)


def _entry(reader: Node, graph: Graph) -> tuple[Node, int] | None:
    """The node that is one entry of the stack that `reader` reads, ``h[-1]``, and which; None where it reads more."""
    if not isinstance(reader.op, Slice) or reader in graph.roots:
        return None
    (first, last, step), *rest = reader.op.bounds
    whole = all(b == (0, d, 1) for b, d in zip(rest, reader.inputs[0].shape[1:], strict=True))
    users = graph.consumers[reader]
    if not whole or step != 1 or not isinstance(first, int) or last != first + 1 or len(users) != 1:
        return None
    (user,) = users
    return (user, first) if isinstance(user.op, Reshape) and user.shape == reader.shape[1:] else None
