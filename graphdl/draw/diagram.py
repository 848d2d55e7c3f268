"""A forward graph as gates and cards: what is drawn, before it has places, and then with them.

Nodes stand alone as gates or together in cards. Values leave a gate through its stub, a card through a port: one for
each value, or for several that go the same way. From there wires run to what reads them, past a pill with the local
derivative where that is one gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphdl.draw.cards import Card
from graphdl.draw.digits import NOT_REQUIRED
from graphdl.draw.gates import Gate, Widths, gate
from graphdl.draw.grouping import Block, homes, is_number, shared_depth
from graphdl.draw.labels import gradient_text, lane_text
from graphdl.draw.layout import Cell, Link
from graphdl.draw.model import Frame, Trace, TraceEdge, TraceNode
from graphdl.draw.style import SMALL_SIZE, text_width
from graphdl.draw.summaries import Summaries, decades

PILL_SIZE = 11.5
PILL_HEIGHT = 17.0
# Below its wire a pill hangs so deep that the wire stays in sight.
HANG = 13.5
_PORT_HEIGHT = 46.0
_LEAST_PORT = 48.0
_SPINE = 20
# A leaf that more cards read is named on them instead of wired to them.
_MOST_READERS = 5
# Beyond so many, parameters stand where they like.
_MOST_ORDERS = 400
# Room before a shape for each wire into it beyond the third, so that they can turn.
_TURN = 3.0
_MOST_TURN = 40.0


@dataclass(frozen=True)
class Port:
    """Where `nodes` leave the card `source`; they all go to the same readers."""

    id: str
    source: str
    nodes: tuple[TraceNode, ...]

    def above(self) -> str:
        """The shape of the first value, and how many there are besides."""
        more = f" +{len(self.nodes) - 1}" if len(self.nodes) > 1 else ""
        return self.nodes[0].shape + more

    def below(self, frame: Frame) -> str:
        """The gradient, where there is one value and it has one."""
        if not self.needs_gradient:
            return NOT_REQUIRED
        found = frame.gradients.get(self.nodes[0].id)
        return gradient_text(found) if found and len(self.nodes) == 1 else ""

    @property
    def needs_gradient(self) -> bool:
        """Whether a gradient comes back through it."""
        return any(node.requires_grad for node in self.nodes)


@dataclass(frozen=True)
class Wire:
    """From the gate or port `source` into the gate or card `target`; a wire into a card stands for several `edges`."""

    source: str
    target: str
    edges: tuple[TraceEdge, ...]

    @property
    def id(self) -> str:
        """That of the first."""
        return self.edges[0].id

    @property
    def has_lane(self) -> bool:
        """Whether a gradient is sent back along it."""
        return any(edge.rule for edge in self.edges)


class Diagram:
    """What is drawn of `trace`, with `blocks` as cards and all other nodes as gates."""

    def __init__(self, trace: Trace, backward: bool, blocks: Sequence[Block] = (), last: Frame | None = None) -> None:
        self.trace, self.backward, self.blocks = trace, backward and trace.has_backward, tuple(blocks)
        self.last = last or trace.frame()
        self.home = homes(blocks)
        self.depth = shared_depth(trace) + 1
        self.everywhere = self._everywhere()
        edges = [edge for edge in trace.edges if self._is_shown(edge)]
        self.ports = self._ports(edges)
        self.wires = self._wires(edges)
        self.into: dict[str, list[Wire]] = {}
        self.out: dict[str, list[Wire]] = {}
        for wire in self.wires:
            self.into.setdefault(wire.target, []).append(wire)
            self.out.setdefault(wire.source, []).append(wire)
        self.scale = decades(trace, self.last) if blocks and self.backward else None
        self.summaries = Summaries(trace, self.last, self.backward, self.scale)
        self.gates = self._gates()
        self.cards = {block.id: self.card(block, self.last) for block in blocks}
        lanes = {name: sum(wire.has_lane for wire in wires) for name, wires in self.out.items()}
        self.forks = {name for name, count in lanes.items() if self.backward and count > 1}
        self.pills = {w.id: self._pill(w) for w in self.wires if self.backward and self._has_pill(w)}

    def _everywhere(self) -> dict[str, set[str]]:
        """Leaves that so many cards read that their wires would bury the picture: for each the cards."""
        readers: dict[str, set[str]] = {}
        for edge in self.trace.edges:
            if self.trace.by_id[edge.source].is_leaf and edge.source not in self.home and edge.target in self.home:
                readers.setdefault(edge.source, set()).add(self.home[edge.target])
        return {leaf: cards for leaf, cards in readers.items() if len(cards) > _MOST_READERS}

    def _is_shown(self, edge: TraceEdge) -> bool:
        """Wires of the user's graph, except inside a card, from what is everywhere, and of numbers out of a card."""
        if edge.direction != "forward":
            return False
        source, target = self.home.get(edge.source), self.home.get(edge.target)
        if source is None:
            return target is None or edge.source not in self.everywhere
        return source != target and not is_number(self.trace.by_id[edge.source])

    def _ports(self, edges: Sequence[TraceEdge]) -> dict[str, Port]:
        """For each node that leaves a card its port."""
        readers: dict[str, dict[str, bool]] = {}
        for edge in edges:
            if edge.source in self.home:
                target = self.home.get(edge.target)
                readers.setdefault(edge.source, {})[target or edge.target] = target is None
        together: dict[object, list[TraceNode]] = {}
        for name, found in readers.items():
            alone = name if any(found.values()) else ""
            together.setdefault((self.home[name], frozenset(found), alone), []).append(self.trace.by_id[name])
        ports = [Port(f"t{nodes[0].id}", self.home[nodes[0].id], tuple(nodes)) for nodes in together.values()]
        return {node.id: port for port in ports for node in port.nodes}

    def _wires(self, edges: Sequence[TraceEdge]) -> list[Wire]:
        """One for each edge into a gate, one from each port or gate into a card."""
        together: dict[tuple[str, ...], list[TraceEdge]] = {}
        for edge in edges:
            source = self.ports[edge.source].id if edge.source in self.ports else edge.source
            target = self.home.get(edge.target)
            key = (source, edge.target, edge.id) if target is None else (source, target)
            together.setdefault(key, []).append(edge)
        return [Wire(key[0], key[1], tuple(found)) for key, found in together.items()]

    def _gates(self) -> dict[str, Gate]:
        alone = [node for node in self.trace.forward if node.id not in self.home]
        widths = Widths(self.trace, self.last, {node.id for node in alone})
        return {n.id: gate(n, widths, self.backward, len(self.into.get(n.id, ()))) for n in alone}

    def card(self, block: Block, frame: Frame) -> Card:
        """The card of a block at one moment."""
        by_id = self.trace.by_id
        reads = [by_id[leaf].symbol for leaf, cards in self.everywhere.items() if block.id in cards]
        return self.summaries.card(block, frame, reads, len(self.into.get(block.id, ())))

    def _has_pill(self, wire: Wire) -> bool:
        return wire.target in self.gates and wire.has_lane

    def _pill(self, wire: Wire) -> float:
        return text_width(self.pill_text(wire, self.last), PILL_SIZE, bold=True) + 12

    def pill_text(self, wire: Wire, frame: Frame) -> str:
        """The local derivative; with the product, where several gradients meet. Nothing before a story comes to it."""
        edge = wire.edges[0]
        if edge.id in self.last.terms and edge.id not in frame.terms and edge.id not in frame.locals:
            return ""
        return lane_text(edge, frame, frame.gradients.get(edge.target), wire.source in self.forks)

    def cells(self) -> list[Cell]:
        """Gates, cards, ports and pills."""
        cells = [Cell(g.node.id, g.cell_width, g.cell_height) for g in self.gates.values()]
        cells += [Cell(card.id, card.width, card.height) for card in self.cards.values()]
        cells += [Cell(port.id, self._port_width(port), _PORT_HEIGHT) for port in self._all_ports()]
        wide = {wire.id: self.pills[wire.id] + self._turn(wire) for wire in self.wires if wire.id in self.pills}
        return cells + [Cell(f"p{name}", width, 2 * (HANG + PILL_HEIGHT / 2)) for name, width in wide.items()]

    def _turn(self, wire: Wire) -> float:
        return min(_TURN * max(len(self.into[wire.target]) - 3, 0), _MOST_TURN)

    def _all_ports(self) -> list[Port]:
        return list({port.id: port for port in self.ports.values()}.values())

    def _port_width(self, port: Port) -> float:
        widest = max(text_width(text, SMALL_SIZE) for text in (port.above(), port.below(self.last)))
        return max(_LEAST_PORT, widest + 12)

    def links(self) -> list[Link]:
        """From cards to their ports, then along the wires: one link each, or two around a pill."""
        links = [Link(port.source, port.id, _SPINE) for port in self._all_ports()]
        for wire in self.wires:
            stops = self.stops(wire)
            spine = 1 if self._is_leaf(wire.source) else _SPINE
            weights = [spine] if len(stops) == 2 else [1 if wire.source in self.forks else 2 * _SPINE, spine]
            links += [Link(a, b, w) for a, b, w in zip(stops, stops[1:], weights, strict=False)]
        return links + self._orders()

    def _orders(self) -> list[Link]:
        """What a scope reads from outside stands left of its parameters, so that scopes lie side by side."""
        place = {node.id: i for i, node in enumerate(self.trace.forward)}
        scope = {name: g.node.scope.split("/") for name, g in self.gates.items() if g.node.kind != "placeholder"}
        pairs: dict[tuple[str, str], None] = {}
        for leaf, own in scope.items():
            if own != [""] and self._is_leaf(leaf):
                first = min((place[edge.target] for w in self.out.get(leaf, ()) for edge in w.edges), default=0)
                pairs.update({(wire.source, leaf): None for wire in self._into(own[: self.depth], scope, first, place)})
        return [Link(source, leaf, 0) for source, leaf in pairs] if len(pairs) <= _MOST_ORDERS else []

    def _into(
        self, own: list[str], scope: Mapping[str, list[str]], first: int, place: Mapping[str, int]
    ) -> Iterator[Wire]:
        """The wires into gates of a scope from outside, whose values are there before op number `first`."""

        def is_inside(name: str) -> bool:
            return scope.get(name, [""])[: len(own)] == own

        for wire in self.wires:
            if is_inside(wire.target) and not is_inside(wire.source):
                port = self.ports.get(wire.edges[0].source)
                names = [node.id for node in port.nodes] if port else [wire.source]
                if all(place[name] < first for name in names):
                    yield wire

    def stops(self, wire: Wire) -> list[str]:
        """The cells that a wire touches."""
        return [wire.source, *([f"p{wire.id}"] if wire.id in self.pills else []), wire.target]

    def _is_leaf(self, name: str) -> bool:
        return name in self.gates and self.gates[name].node.is_leaf

    def members(self) -> dict[str, tuple[str, ...]]:
        """The nodes that each gate and card stands for."""
        found = {name: (name,) for name in self.gates}
        return {**found, **{block.id: tuple(node.id for node in block.nodes) for block in self.blocks}}

    @property
    def kinds(self) -> list[str]:
        """The kinds of shapes that are there."""
        return [g.node.kind for g in self.gates.values() if not g.is_inline] + ["block"] * bool(self.cards)


def first_links(diagram: Diagram) -> Mapping[str, int]:
    """The place of the first link of each port and wire among all links."""
    found, at = {}, 0
    for port in {port.id: port for port in diagram.ports.values()}.values():
        found[port.id], at = at, at + 1
    for wire in diagram.wires:
        found[wire.id], at = at, at + len(diagram.stops(wire)) - 1
    return found
