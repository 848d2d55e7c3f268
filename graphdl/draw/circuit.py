"""The circuit: the user's graph, values above the wires, gradients below, local derivatives on the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphdl.draw.bounds import bounds
from graphdl.draw.gates import LANE, Gate, gate, gate_group
from graphdl.draw.labels import lane_text
from graphdl.draw.layout import Cell, Link, Placed, place
from graphdl.draw.legend import with_legend
from graphdl.draw.model import Frame, Trace, TraceEdge
from graphdl.draw.paths import Path, beside, heading, joined
from graphdl.draw.scene import Box, Curve, Group, Label, Mark, Scene, arrowhead
from graphdl.draw.style import Theme, text_width

PILL_SIZE = 11.5
_PILL_HEIGHT = 17.0
# Below its wire a pill hangs so deep that the wire stays in sight.
_HANG = 13.5
_SPINE = 20


@dataclass(frozen=True)
class Pill:
    """The local derivative of one wire and the room it takes."""

    edge: TraceEdge
    text: str

    @property
    def id(self) -> str:
        """Its name as a cell of the layout."""
        return f"p{self.edge.id}"

    @property
    def width(self) -> float:
        """Room for the text."""
        return text_width(self.text, PILL_SIZE, bold=True) + 12


def circuit(trace: Trace, frame: Frame, theme: Theme, backward: bool, time_limit: float) -> Scene:
    """The picture of `frame`; geometry depends on the whole trace alone, so frames of one story fit on each other."""
    plan = _Plan(trace, backward and trace.has_backward)
    placed = plan.placed(time_limit)
    extent = bounds(plan.groups(placed, plan.last, theme))
    kinds = [node.kind for node in trace.forward if not plan.gates[node.id].is_inline]
    title = _title(trace, plan.backward)
    return with_legend(title, plan.groups(placed, frame, theme), extent, kinds, theme, plan.backward)


def _title(trace: Trace, backward: bool) -> str:
    loss = trace.by_id[trace.loss].symbol if trace.loss else ""
    of = f" of {loss}" if loss else ""
    return f"Computation graph{of}, {'forward and backward' if backward else 'forward'}: {trace.ops} operations"


class _Plan:
    """What is drawn, before it has places."""

    def __init__(self, trace: Trace, backward: bool) -> None:
        self.trace, self.backward = trace, backward
        self.last = trace.frame()
        self.gates: dict[str, Gate] = {n.id: gate(n, self.last, backward) for n in trace.forward}
        self.edges = [edge for edge in trace.edges if edge.target in self.gates and edge.source in self.gates]
        self.readers: dict[str, int] = {}
        self.into: dict[str, list[TraceEdge]] = {}
        lanes: dict[str, int] = {}
        for edge in self.edges:
            self.readers[edge.source] = self.readers.get(edge.source, 0) + 1
            self.into.setdefault(edge.target, []).append(edge)
            lanes[edge.source] = lanes.get(edge.source, 0) + bool(edge.rule)
        self.pills = {e.id: self._pill(e, lanes[e.source] > 1) for e in self.edges if backward and e.rule}
        self.first_link: dict[str, int] = {}
        self.forks = {source for source, count in lanes.items() if count > 1}

    def _pill(self, edge: TraceEdge, is_forked: bool) -> Pill:
        return Pill(edge, lane_text(edge, self.last, self.last.gradients.get(edge.target), is_forked))

    def placed(self, time_limit: float) -> Placed:
        """Cells for gates and pills, in columns; a wire with a pill is two links."""
        cells = [Cell(g.node.id, g.cell_width, g.cell_height) for g in self.gates.values()]
        cells += [Cell(p.id, p.width, 2 * (_HANG + _PILL_HEIGHT / 2)) for p in self.pills.values()]
        return place(cells, self._links(), time_limit)

    def _links(self) -> list[Link]:
        links: list[Link] = []
        for edge in self.edges:
            self.first_link[edge.id] = len(links)
            stops = [edge.source, edge.target]
            if edge.id in self.pills:
                stops.insert(1, self.pills[edge.id].id)
            spine = 1 if self.gates[edge.source].node.is_leaf else _SPINE
            weights = [spine] if len(stops) == 2 else [1 if edge.source in self.forks else 2 * _SPINE, spine]
            links += [Link(a, b, w) for a, b, w in zip(stops, stops[1:], weights, strict=False)]
        return links

    def groups(self, placed: Placed, frame: Frame, theme: Theme) -> list[Group]:
        """Wires first, so that shapes lie on top."""
        wires = [self.wire(edge, placed, frame, theme) for edge in self.edges]
        gates = [
            gate_group(g, placed.at[g.node.id], frame, theme, self.backward, self.readers.get(g.node.id, 0))
            for g in self.gates.values()
        ]
        return wires + gates

    def wire(self, edge: TraceEdge, placed: Placed, frame: Frame, theme: Theme) -> Group:
        """The wire with its arrow, and beside it the lane back with its pill."""
        pieces = self._pieces(edge, placed)
        path = joined(pieces)
        marks: list[Mark] = []
        if edge.id in frame.active_edges:
            marks.append(Curve(path, theme.active, 7, part="active"))
        marks += [Curve(path, theme.wire), arrowhead(path[-1], heading(path), theme.wire)]
        if edge.id in self.pills:
            marks += self._lane(edge, pieces, placed, frame, theme)
        source, target = (self.trace.by_id[i] for i in (edge.source, edge.target))
        title = f"wire from {source.symbol} to {target.symbol}"
        if edge.local_rule:
            title += f", local derivative {edge.local_rule}"
        return Group(edge.id, "edge", title, tuple(marks))

    def _pieces(self, edge: TraceEdge, placed: Placed) -> list[Path]:
        """The links of a wire, the last of which ends on the outline of the shape it goes into."""
        first = self.first_link[edge.id]
        pieces = placed.paths[first : first + 1 + (edge.id in self.pills)]
        shift = self._entry(edge, placed)
        (x, y) = pieces[-1][-1]
        end = (x + _indent(self.gates[edge.target], shift), y + shift)
        before = pieces[-1][-2]
        return [*pieces[:-1], (*pieces[-1][:-2], (before[0], before[1] + shift), end)]

    def _entry(self, edge: TraceEdge, placed: Placed) -> float:
        """How far from the middle the wire goes in: those that come from above above, those from below below."""
        into = self.into[edge.target]
        if len(into) == 1:
            return 0.0
        order = sorted(
            into, key=lambda e: (placed.at[self.pills[e.id].id if e.id in self.pills else e.source][1], e.slot)
        )
        lift = LANE / 2 if self.backward else 0.0
        reach = self.gates[edge.target].height / 2 - 7 - lift
        return -reach + 2 * reach * order.index(edge) / (len(into) - 1) - lift

    def _lane(self, edge: TraceEdge, pieces: Sequence[Path], placed: Placed, frame: Frame, theme: Theme) -> list[Mark]:
        """Dashed from the shape through the pill to the source, beside the wire, with an arrow where lanes meet."""
        pill, is_forked = self.pills[edge.id], edge.source in self.forks
        x, y = placed.at[pill.id][0], placed.at[pill.id][1] + _HANG
        before, after = beside(pieces[0], LANE, _HANG), beside(pieces[1], _HANG, LANE)
        into, (left, centre), low = (
            self.gates[edge.target],
            placed.paths[self.first_link[edge.id] + 1][-1],
            after[-1][1],
        )
        lanes = [before, (*after[:-1], (left + _indent(into, low - centre), low))]
        marks: list[Mark] = [Curve(lane, theme.gradient, 1.2, dashed=True, part="lane") for lane in lanes]
        if is_forked:
            marks.append(arrowhead((before[0][0] + 3, before[0][1]), (-1, 0), theme.gradient))
        text = lane_text(edge, frame, frame.gradients.get(edge.target), is_forked)
        marks.append(Box(x, y, pill.width, _PILL_HEIGHT, theme.pill, theme.muted, 0.8, _PILL_HEIGHT / 2, part="pill"))
        number = Label(
            x, y + PILL_SIZE * 0.36, text, PILL_SIZE, theme.local, bold=True, part="local", slot=f"l:{edge.id}"
        )
        return [*marks, number]


def _indent(into: Gate, shift: float) -> float:
    """How far right of its cell's left side the outline of a shape is, `shift` below the middle."""
    if into.is_inline or into.node.kind != "op":
        return 0.0
    radius = into.height / 2
    inside = min(abs(shift), radius)
    return float(radius - (radius**2 - inside**2) ** 0.5)
