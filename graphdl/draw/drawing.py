"""Diagrams with places: gates, cards, ports, wires and lanes as marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from graphdl.draw.bounds import Extent, bounds
from graphdl.draw.cards import card_marks
from graphdl.draw.diagram import HANG, PILL_HEIGHT, PILL_SIZE, Diagram, Port, Wire, first_links
from graphdl.draw.gates import LANE, fork_dot, gate_group, lane_marks
from graphdl.draw.grouping import Block
from graphdl.draw.layout import Placed
from graphdl.draw.legend import with_legend
from graphdl.draw.model import Frame
from graphdl.draw.paths import Path, beside, heading, joined, straight
from graphdl.draw.regions import scope_boxes, with_headroom
from graphdl.draw.scene import Box, Curve, Group, Label, Mark, Point, Scene, arrowhead
from graphdl.draw.style import LIGHT, SMALL_SIZE, Theme
from graphdl.draw.wrap import PAGE, Wrap, wrap

# Wires into a card keep so far from its corners.
_CORNER = 12.0


class Drawing:
    """A diagram whose cells have places; every frame of it has the same geometry."""

    def __init__(self, diagram: Diagram, placed: Placed, width: float | None = PAGE) -> None:
        self.diagram, self.placed = diagram, placed
        self.first = first_links(diagram)
        self.size = {cell.id: (cell.width, cell.height) for cell in diagram.cells()}
        nodes, edges = diagram.trace.nodes, diagram.trace.edges
        all_active = replace(
            diagram.last, active_nodes=tuple(n.id for n in nodes), active_edges=tuple(e.id for e in edges)
        )
        self.complete = self._groups(all_active, LIGHT)
        self.wrap: Wrap = wrap(self.complete, width, self._spans(), self._solid())

    def scene(self, title: str, frame: Frame, theme: Theme, note: str = "") -> Scene:
        """The picture of one moment with its key."""
        diagram, boxes = self.diagram, self._boxes(theme)
        extent = bounds([*boxes, *self._wrapped])
        shown = [*boxes, *self.wrap.groups(self._groups(frame, theme))]
        local, scale = bool(diagram.pills), diagram.scale
        return with_legend(
            title, shown, extent, diagram.kinds, theme, diagram.backward, local=local, note=note, scale=scale
        )

    @cached_property
    def _wrapped(self) -> list[Group]:
        """All there ever is, in rows: it says how large the picture is."""
        return self.wrap.groups(self.complete)

    def _groups(self, frame: Frame, theme: Theme) -> list[Group]:
        """Wires first, so that shapes lie on top."""
        diagram = self.diagram
        ports = [self._port(port, frame, theme) for port in dict.fromkeys(diagram.ports.values())]
        wires = [self._wire(wire, frame, theme) for wire in diagram.wires]
        gates = [
            gate_group(g, self.placed.at[name], frame, theme, diagram.backward, len(diagram.out.get(name, ())))
            for name, g in diagram.gates.items()
        ]
        return [*ports, *wires, *gates, *(self._card(block, frame, theme) for block in diagram.blocks)]

    def _boxes(self, theme: Theme) -> list[Group]:
        """Around the gates of each scope."""
        cells = {name: self.wrap.moved(self._rectangle(name)) for name in self.size}
        row = {name: self.wrap.row(self.placed.at[name][0]) for name in self.size}
        return scope_boxes(self.scopes, cells, row, theme)

    @cached_property
    def scopes(self) -> dict[str, str]:
        """The scope that each gate is in, and each pill: it belongs to the op whose local derivative it shows."""
        diagram = self.diagram
        found = {name: "" if g.node.kind == "placeholder" else g.node.scope for name, g in diagram.gates.items()}
        pills = {f"p{wire.id}": found[wire.target] for wire in diagram.wires if wire.id in diagram.pills}
        return {**found, **pills}

    def _spans(self) -> list[tuple[float, float]]:
        """From where to where each scope reaches, before the picture is cut."""
        found: dict[str, list[Extent]] = {}
        for name, scope in self.scopes.items():
            if scope:
                found.setdefault("/".join(scope.split("/")[: self.diagram.depth]), []).append(self._rectangle(name))
        return [(min(box[0] for box in boxes), max(box[2] for box in boxes)) for boxes in found.values()]

    def _solid(self) -> list[Extent]:
        """The cells, with room for boxes around those in scopes."""
        above = self.diagram.depth - 2
        found = self.scopes.items()
        return [
            with_headroom(self._rectangle(name), max(scope.count("/") - above, 1)) for name, scope in found if scope
        ]

    def _rectangle(self, name: str) -> Extent:
        (x, y), (width, height) = self.placed.at[name], self.size[name]
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2

    def _card(self, block: Block, frame: Frame, theme: Theme) -> Group:
        card = self.diagram.card(block, frame).as_large_as(self.diagram.cards[block.id])
        is_active = not {node.id for node in block.nodes}.isdisjoint(frame.active_nodes)
        title = f"block {block.title}: {', '.join(row.left for row in card.rows if row.left)}"
        marks = tuple(card_marks(card, self.placed.at[block.id], theme, is_active))
        return Group(block.id, "block", title, marks, nodes=tuple(node.id for node in block.nodes), scope=block.scope)

    def _port(self, port: Port, frame: Frame, theme: Theme) -> Group:
        """The wire out of a card with what flows along it, and the lane back into the card."""
        x, y = self.placed.at[port.id]
        end = (x + self.size[port.id][0] / 2, y)
        first = self.placed.paths[self.first[port.id]]
        path = joined([first, straight(first[-1], end)])
        marks: list[Mark] = [Curve(path, theme.wire)]
        if len(self.diagram.out.get(port.id, ())) > 1:
            marks.append(fork_dot(*end, theme))
        marks.append(Label(x, y - 5, port.above(), SMALL_SIZE, theme.muted, part="caption"))
        marks += self._back(port, path, (x, y), frame, theme) if self.diagram.backward else []
        title = f"wire with {', '.join(f'{node.symbol}: {node.type}' for node in port.nodes[:4])}"
        return Group(port.id, "port", title, tuple(marks), nodes=tuple(node.id for node in port.nodes))

    def _back(self, port: Port, path: Path, at: Point, frame: Frame, theme: Theme) -> list[Mark]:
        x, y = at[0], at[1] + 17
        text = port.below(frame)
        if not port.needs_gradient:
            return [Label(x, y, text, SMALL_SIZE, theme.muted, part="no-gradient")]
        lane = beside(path, LANE, LANE)
        slot = f"d:{port.nodes[0].id}" if len(port.nodes) == 1 else ""
        number = Label(x, y, text, SMALL_SIZE, theme.gradient, part="gradient", slot=slot)
        arrow = arrowhead(lane[0], (-1, 0), theme.lane, theme.lane_arrow)
        return [*lane_marks(lane, theme), arrow, *([number] if text else [])]

    def _wire(self, wire: Wire, frame: Frame, theme: Theme) -> Group:
        """The wire with its arrow, and beside it the lane back with its pill."""
        pieces = self._pieces(wire)
        path = joined(pieces)
        marks: list[Mark] = []
        if not {edge.id for edge in wire.edges}.isdisjoint(frame.active_edges):
            marks.append(Curve(path, theme.active, 7, part="active"))
        marks += [Curve(path, theme.wire), arrowhead(path[-1], heading(path), theme.wire)]
        if self.diagram.backward and wire.has_lane:
            marks += self._lane(wire, pieces, frame, theme)
        return Group(wire.id, "edge", self._title(wire), tuple(marks), edges=tuple(edge.id for edge in wire.edges))

    def _title(self, wire: Wire) -> str:
        by_id, edge = self.diagram.trace.by_id, wire.edges[0]
        title = f"wire from {by_id[edge.source].symbol} to {by_id[edge.target].symbol}"
        if len(wire.edges) > 1:
            return f"{title} and {len(wire.edges) - 1} more"
        return f"{title}, local derivative {edge.local_rule}" if edge.local_rule else title

    def _pieces(self, wire: Wire) -> list[Path]:
        """The links of a wire, the last of which ends on the outline of the shape it goes into."""
        first = self.first[wire.id]
        pieces = self.placed.paths[first : first + 1 + (wire.id in self.diagram.pills)]
        shift = self._entry(wire)
        x, y = pieces[-1][-1]
        before = pieces[-1][-2]
        end = (x + self._indent(wire.target, shift), y + shift)
        return [*pieces[:-1], (*pieces[-1][:-2], (before[0], before[1] + shift), end)]

    def _indent(self, target: str, shift: float) -> float:
        return self.diagram.gates[target].indent(shift) if target in self.diagram.gates else 0.0

    def _entry(self, wire: Wire) -> float:
        """How far from the middle the wire goes in: those that come from above above, those from below below."""
        into = self.entries[wire.target]
        if len(into) == 1:
            return 0.0
        lift = LANE / 2 if self.diagram.backward else 0.0
        gate = self.diagram.gates.get(wire.target)
        reach = gate.height / 2 - 7 - lift if gate else self.size[wire.target][1] / 2 - _CORNER
        return -reach + 2 * reach * into.index(wire.id) / (len(into) - 1) - lift

    @cached_property
    def entries(self) -> dict[str, list[str]]:
        """The wires into each gate and card from top to bottom."""
        at = self.placed.at

        def height(wire: Wire) -> tuple[float, int]:
            return at[self.diagram.stops(wire)[-2]][1], wire.edges[0].slot

        return {name: [w.id for w in sorted(wires, key=height)] for name, wires in self.diagram.into.items()}

    def _lane(self, wire: Wire, pieces: Sequence[Path], frame: Frame, theme: Theme) -> list[Mark]:
        """Dashed from the shape through the pill to the source, beside the wire, with an arrow where lanes meet."""
        if wire.id in self.diagram.pills:
            marks = self._lane_with_pill(wire, pieces, frame, theme)
        else:
            marks = lane_marks(self._ending(wire, beside(pieces[0], LANE, LANE)), theme)
        if wire.source in self.diagram.forks:
            x, y = pieces[0][0]
            marks.append(arrowhead((x + 3, y + LANE), (-1, 0), theme.lane, theme.lane_arrow))
        return marks

    def _lane_with_pill(self, wire: Wire, pieces: Sequence[Path], frame: Frame, theme: Theme) -> list[Mark]:
        """Up to the pill and on from it."""
        wide, low = self.diagram.pills[wire.id], pieces[0][-1][1] + HANG
        x = pieces[0][-1][0] + wide / 2
        back = beside(pieces[0], LANE, HANG)
        turn = self.size[f"p{wire.id}"][0] - wide
        onward = beside(pieces[1], HANG, LANE) if len(pieces[1]) > 4 else _below(pieces[1], HANG, LANE)
        lane = joined([straight((x + wide / 2, low), (x + wide / 2 + turn, low)), self._ending(wire, onward)])
        text = self.diagram.pill_text(wire, frame)
        return [
            *lane_marks(back, theme),
            *lane_marks(lane if turn else self._ending(wire, onward), theme),
            Box(x, low, wide, PILL_HEIGHT, theme.pill, theme.muted, 0.8, PILL_HEIGHT / 2, part="pill"),
            Label(x, low + PILL_SIZE * 0.36, text, PILL_SIZE, theme.local, True, part="local", slot=f"l:{wire.id}"),
        ]

    def _ending(self, wire: Wire, lane: Path) -> Path:
        """The lane up to the outline of the shape."""
        left = self.placed.at[wire.target][0] - self.size[wire.target][0] / 2
        low = lane[-1][1]
        return (*lane[:-1], (left + self._indent(wire.target, low - self.placed.at[wire.target][1]), low))


def _below(path: Path, first: float, last: float) -> Path:
    """A cubic that leaves `first` below another and arrives `last` below it; it never crosses it."""
    return tuple((x, y + offset) for (x, y), offset in zip(path, (first, first, last, last), strict=True))
