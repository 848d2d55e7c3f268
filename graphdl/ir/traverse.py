"""Walks over graphs: iterative, deterministic, one copy. Nothing else in graphdl walks."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from operator import attrgetter

from graphdl.ir.node import Node, place_of

in_order = attrgetter("place")


def ancestors(outputs: Iterable[Node], stop: Container[Node] = ()) -> list[Node]:
    """`outputs` and everything they depend on, inputs first; the walk does not go past nodes in `stop`."""
    seen = set(outputs)
    stack = [node for node in seen if node not in stop]
    while stack:
        for source in stack.pop().inputs:
            if source not in seen:
                seen.add(source)
                if source not in stop:
                    stack.append(source)
    return sorted(seen, key=in_order)


def dependents(nodes: Iterable[Node], of: Iterable[Node]) -> set[Node]:
    """Those of `nodes` (inputs first) that depend on a node in `of`, and the nodes in `of` themselves."""
    found = set(of)
    for node in nodes:
        if node not in found and any(source in found for source in node.inputs):
            found.add(node)
    return found


def consumers(nodes: Iterable[Node]) -> dict[Node, list[Node]]:
    """For each of `nodes` those that take it as an input, once for each slot."""
    users: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in users:
        for source in node.inputs:
            if source in users:
                users[source].append(node)
    return users


def carried(node: Node, became: Mapping[Node, Node]) -> Node:
    """`node` over what its inputs became; itself when none of them changed."""
    for source in node.inputs:
        if source in became:
            return with_inputs(node, moved(node.inputs, became))
    return node


def with_inputs(node: Node, inputs: tuple[Node, ...]) -> Node:
    """`node` over other inputs of the same types; keeps name, scope, origin and place in listings."""
    if inputs == node.inputs:
        return node
    # Where an input comes from elsewhere it may have been built later; what reads it stands behind it.
    last = max((node, *inputs), key=in_order)
    return Node(node.op, inputs, node.type, node.name, node.scope, node.origin, place_of(last))


def renamed(node: Node, name: str | None, scope: str) -> Node:
    """`node` under another name and scope, in the same place of listings."""
    return Node(node.op, node.inputs, node.type, name, scope, node.origin, place_of(node))


def moved(nodes: Iterable[Node], became: Mapping[Node, Node]) -> tuple[Node, ...]:
    """`nodes`, each replaced by what it became."""
    return tuple([became.get(node, node) for node in nodes])


def substitute(outputs: Iterable[Node], replacement: Mapping[Node, Node]) -> tuple[Node, ...]:
    """`outputs` with each key of `replacement` exchanged for its value, which is left as it is."""
    roots = tuple(outputs)
    became: dict[Node, Node] = {}
    for node in ancestors(roots, stop=replacement):
        new = replacement[node] if node in replacement else carried(node, became)
        if new is not node:
            became[node] = new
    return moved(roots, became)


def leaves(outputs: Iterable[Node]) -> Iterator[Node]:
    """The leaves that `outputs` depend on, in order."""
    return (node for node in ancestors(outputs) if not node.inputs)
