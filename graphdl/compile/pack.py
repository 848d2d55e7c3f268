"""Variables that are updated alike lie side by side, so that one call updates them all.

An optimizer makes the same dozen calls for every parameter. For small parameters the calls cost more than the
arithmetic; packed into one flat array they are made once. All ops concerned act on elements, so the bits stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from graphdl.ir.elementwise import Elementwise
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Packed, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.origin import Rewriting
from graphdl.ir.traverse import carried, in_order
from graphdl.ops.parts import Concat, Slice
from graphdl.ops.shape import reshape
from graphdl.rewrite.engine import Firing

# Elements up to which a call costs more than its arithmetic; larger arrays gain nothing from being packed.
_MOST_ELEMENTS = 16_384
_WHY = "variables updated by the same formula lie side by side; one call updates them all"


@dataclass
class _Lane:
    """Updates that hang together: one parameter, its slots, and the nodes on elements that make their new values.

    `formula` says what is computed, with variables and inputs by position, so that lanes can be compared.
    """

    variables: list[Node]
    values: list[Node]
    inputs: list[Node] = field(default_factory=list)
    inner: list[Node] = field(default_factory=list)
    formula: list[Any] = field(default_factory=list)


def pack_updates(graph: Graph, log: list[Firing]) -> Graph:
    """`graph` with small variables that are updated by the same formula packed into one."""
    groups: dict[Any, list[_Lane]] = {}
    for lane in _lanes(graph):
        if _read(lane, graph):
            key = (lane.variables[0].dtype, tuple(lane.formula))
            groups.setdefault(key, []).append(lane)
    packs = [lanes for lanes in groups.values() if len(lanes) > 1]
    return _packed(graph, packs, log) if packs else graph


def _lanes(graph: Graph) -> list[_Lane]:
    """Updates of small variables, together when one's new value is made from the other's variable or new value."""
    values = dict(graph.updates)
    leader: dict[Node, Node] = {v: v for v in values}

    def find(v: Node) -> Node:
        while leader[v] is not v:
            v = leader[v]
        return v

    owner = {value: variable for variable, value in graph.updates}
    for variable, value in graph.updates:
        for node in _cone(value, variable.shape):
            other = node if node in values else owner.get(node)
            if other is not None and other.shape == variable.shape:
                leader[find(other)] = find(variable)
    together: dict[Node, _Lane] = {}
    for variable, value in graph.updates:
        lane = together.setdefault(find(variable), _Lane([], []))
        lane.variables.append(variable)
        lane.values.append(value)
    return [lane for lane in together.values() if _is_small(lane)]


def _is_small(lane: _Lane) -> bool:
    first = lane.variables[0].tensor
    alike = all(v.type == first for v in lane.variables)
    return alike and first.rank > 0 and isinstance(first.size, int) and first.size <= _MOST_ELEMENTS


def _cone(value: Node, shape: tuple[Any, ...]) -> list[Node]:
    """`value` and the nodes it is made from by ops on elements of this shape, down to where that ends; inputs first."""
    seen = {value}
    stack = [value]
    while stack:
        node = stack.pop()
        if not isinstance(node.op, Elementwise) or node.shape != shape:
            continue
        for source in node.inputs:
            if source not in seen:
                seen.add(source)
                stack.append(source)
    return sorted(seen, key=in_order)


def _read(lane: _Lane, graph: Graph) -> bool:
    """Write down the lane's formula; False when it is more than ops on elements, or is read by others half-way."""
    shape = lane.variables[0].shape
    place: dict[Node, Any] = {v: ("variable", i) for i, v in enumerate(lane.variables)}
    cone = sorted({node for value in lane.values for node in _cone(value, shape)}, key=in_order)
    for node in cone:
        if node in place:
            continue
        if isinstance(node.op, Elementwise) and node.shape == shape:
            place[node] = ("inner", len(lane.inner))
            lane.inner.append(node)
            lane.formula.append((node.op, *[place[source] for source in node.inputs]))
        elif not node.shape:
            place[node] = ("shared", scalar_of(node) if scalar_of(node) is not None else id(node))
        elif node.shape == shape:
            place[node] = ("input", len(lane.inputs))
            lane.inputs.append(node)
        else:
            return False
    lane.formula += [place[value] for value in lane.values]
    return bool(lane.inner) and _keeps_to_itself(lane, graph)


def _keeps_to_itself(lane: _Lane, graph: Graph) -> bool:
    inner = set(lane.inner)
    if inner & set(graph.outputs.values()) or not inner.issuperset(lane.values):
        return False
    return all(user in inner for node in inner for user in graph.consumers[node])


def _packed(graph: Graph, groups: list[list[_Lane]], log: list[Firing]) -> Graph:
    """The graph in which each group's variables are views of a packed one."""
    became: dict[Node, Node] = {}
    wholes = [_pack_variables(lanes, became) for lanes in groups]
    inner = {node for lanes in groups for lane in lanes for node in lane.inner}
    for node in graph.nodes:
        if node not in became and node not in inner:
            new = carried(node, became)
            if new is not node:
                became[node] = new
    updates: list[tuple[Node, Node]] = []
    for lanes, variables in zip(groups, wholes, strict=True):
        values = _computed_together(lanes, variables, became)
        updates += zip(variables, values, strict=True)
        before = lanes[0].values[-1]
        log.append(Firing(len(log) + 1, "specialise", "pack_updates", "exact-bits", before, values[-1], _WHY))
    gone = {variable for lanes in groups for lane in lanes for variable in lane.variables}
    kept = [(v, became.get(value, value)) for v, value in graph.updates if v not in gone]
    outputs = {name: became.get(node, node) for name, node in graph.outputs.items()}
    return Graph(outputs, kept + updates, graph.sized_by)


def _pack_variables(lanes: list[_Lane], became: dict[Node, Node]) -> list[Node]:
    """A packed variable for each position in the lanes; the variables become views of it."""
    wholes = []
    for position in range(len(lanes[0].variables)):
        parts = [lane.variables[position] for lane in lanes]
        first = min(parts, key=in_order)
        with Rewriting("pack_updates", first):
            whole = build(Packed(tuple(parts)), name=f"packed_{first.name or 'variables'}")
        wholes.append(whole)
        for part, (start, stop) in zip(parts, _bounds(parts), strict=True):
            with Rewriting("pack_updates", part):
                view = reshape(build(Slice(((start, stop, 1),)), whole), part.shape)
            became[part] = Node(view.op, view.inputs, view.type, part.name, part.scope, view.origin, view.place)
    return wholes


def _computed_together(lanes: list[_Lane], variables: list[Node], became: dict[Node, Node]) -> list[Node]:
    """New values of the packed variables, by the formula of the first lane."""
    first = lanes[0]
    last = max((node for lane in lanes for node in lane.inner), key=in_order)
    done: dict[Node, Node] = dict(zip(first.variables, variables, strict=True))
    with Rewriting("pack_updates", last):
        for position, node in enumerate(first.inputs):
            parts = [lane.inputs[position] for lane in lanes]
            flat = [reshape(became.get(part, part), (part.tensor.size,)) for part in parts]
            done[node] = build(Concat(0), *flat)
        for node in first.inner:
            inputs = [done[s] if s in done else became.get(s, s) for s in node.inputs]
            done[node] = build(node.op, *inputs, name=node.name)
    return [done[value] for value in first.values]


def _bounds(parts: Iterable[Node]) -> list[tuple[int, int]]:
    bounds, start = [], 0
    for part in parts:
        size = part.tensor.size
        assert isinstance(size, int)
        bounds.append((start, start + size))
        start += size
    return bounds
