"""The rails: the forward graph above, and below it, mirrored, every node that the chain rule built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

from graphdl.draw.bounds import Extent, bounds
from graphdl.draw.cards import Card, Row, card_marks
from graphdl.draw.gates import glyph_text, spoken
from graphdl.draw.grouping import shared_depth
from graphdl.draw.labels import gradient_text, value_text
from graphdl.draw.layered import place_in_layers
from graphdl.draw.layout import ROW_GAP, Cell, Link, Placed, Task, place
from graphdl.draw.legend import with_legend
from graphdl.draw.model import Frame, Trace, TraceEdge, TraceNode
from graphdl.draw.paths import Path, heading, with_corners
from graphdl.draw.regions import scope_boxes, with_headroom
from graphdl.draw.scene import Curve, Group, Mark, Point, Scene, arrowhead
from graphdl.draw.style import LIGHT, Theme, one_line
from graphdl.draw.wrap import PAGE, Wrap, wrap

_GAP = 36.0
_BETWEEN = 20.0
_LONGEST_NAME = 26
# What gradients are taken for: a card that is the gradient of several nodes names these besides the first.
_ASKED_FOR = ("variable", "placeholder")

Spans = list[tuple[float, float]]


def rail_frames(trace: Trace, theme: Theme, time_limit: float, width: float | None = PAGE) -> Callable[[Frame], Scene]:
    """What makes the picture of any frame: gradients stand below the values they belong to, and flow to the left."""
    plan = Rails(trace)
    placed = place(*plan.task, time_limit)
    return lambda frame: plan.scene(placed, frame, theme, width)


class Rails:
    """What is drawn; `task` is the layout of its forward half, from which all places follow."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        last = trace.frame()
        self.numbered = {node.id for node in trace.nodes if _number_row(node, last)}
        self.cards = {node.id: self.card(node, last) for node in trace.nodes}

    @property
    def task(self) -> Task:
        """The cells and links of the forward graph."""
        cells = [Cell(n.id, self.cards[n.id].width, self.cards[n.id].height) for n in self.trace.forward]
        edges = (edge for edge in self.trace.edges if edge.direction == "forward")
        return cells, [Link(e.source, e.target, 1 if self.trace.by_id[e.source].is_leaf else 20) for e in edges]

    def scene(self, placed: Placed, frame: Frame, theme: Theme, width: float | None = PAGE) -> Scene:
        """The picture of one moment, cut into rows where it is much wider than `width`."""
        trace, places = self.trace, _Places(self.trace, self.cards, placed)
        complete = self._groups(places, Frame.complete(trace), LIGHT)
        fold = wrap(complete, width, self._spans(places), self._solid(places))
        boxes = self._boxes(places, fold, theme)
        extent = bounds([*boxes, *fold.groups(complete)])
        loss = f" of {trace.by_id[trace.loss].symbol}" if trace.loss else ""
        count = f"{trace.ops} operations forward, {len(trace.backward)} nodes backward"
        title = f"Graph{loss} with its gradient graph: {count}"
        shown = [*boxes, *fold.groups(self._groups(places, frame, theme))]
        kinds, across = [node.kind for node in trace.nodes], bool(trace.backward)
        return with_legend(title, shown, extent, kinds, theme, backward=False, numbers=False, across=across)

    def _groups(self, places: _Places, frame: Frame, theme: Theme) -> list[Group]:
        wires = [_wire(self.trace, edge, path, frame, theme) for edge, path in places.paths.items()]
        return wires + [self._card_group(node, places.at[node.id], frame, theme) for node in self.trace.nodes]

    def _boxes(self, places: _Places, fold: Wrap, theme: Theme) -> list[Group]:
        """Around the forward nodes of each scope."""
        cells = {name: fold.moved(self._rectangle(name, at)) for name, at in places.at.items()}
        row = {name: fold.row(x) for name, (x, _) in places.at.items()}
        return scope_boxes(self.scopes, cells, row, theme)

    def _solid(self, places: _Places) -> list[Extent]:
        """The cards in scopes, with room for boxes around them."""
        above = shared_depth(self.trace) - 1
        return [
            with_headroom(self._rectangle(name, places.at[name]), max(scope.count("/") - above, 1))
            for name, scope in self.scopes.items()
            if scope
        ]

    def _rectangle(self, name: str, at: Point) -> Extent:
        width, height = self.cards[name].width, self.cards[name].height
        return at[0] - width / 2, at[1] - height / 2, at[0] + width / 2, at[1] + height / 2

    @property
    def scopes(self) -> dict[str, str]:
        """The scope of each forward node."""
        return {node.id: "" if node.kind == "placeholder" else node.scope for node in self.trace.forward}

    def _spans(self, places: _Places) -> list[tuple[float, float]]:
        """From where to where each scope reaches, before the picture is cut."""
        depth = shared_depth(self.trace) + 1
        found: dict[str, list[float]] = {}
        for name, scope in self.scopes.items():
            if scope:
                found.setdefault("/".join(scope.split("/")[:depth]), []).append(places.at[name][0])
        return [(min(xs), max(xs)) for xs in found.values()]

    def _card_group(self, node: TraceNode, at: Point, frame: Frame, theme: Theme) -> Group:
        shown = replace(self.card(node, frame), least_width=self.cards[node.id].width)
        marks = card_marks(shown, at, theme, node.id in frame.active_nodes)
        title = spoken(node, frame, has_backward=not node.is_backward)
        return Group(node.id, f"node {node.kind.replace(' ', '-')}", title, tuple(marks), nodes=(node.id,))

    def card(self, node: TraceNode, frame: Frame) -> Card:
        """Glyph and name, the type, whose gradient it is besides, and room for the number it has in the end."""
        rows = [Row(node.type)] if node.shape != "()" else []
        others = [self.trace.by_id[i] for i in node.gradient_for[1:]]
        rows += [Row(f"= ∂{_loss(self.trace)}/∂{other.symbol}") for other in others if other.kind in _ASKED_FOR][:3]
        rows += [Row(_number_row(node, frame), slot=_slot(node))] if node.id in self.numbered else []
        kind = "constant" if node.is_backward and node.is_leaf and not node.gradient_for else node.kind
        return Card(node.id, kind, one_line(_card_title(node), _LONGEST_NAME), tuple(rows))


class _Places:
    """Where everything goes. Columns hold forward nodes and the gradients that belong to them."""

    def __init__(self, trace: Trace, cards: Mapping[str, Card], forward: Placed) -> None:
        self.trace, self.cards = trace, cards
        column = _columns(trace, forward)
        spans = _spans(column, cards)
        self.at: dict[str, Point] = {}
        self.paths: dict[TraceEdge, Path] = {}
        self._put_forward(forward, column, spans)
        self.bottom = max(y + cards[i].height / 2 for i, (_, y) in self.at.items())
        self.lanes = min(max(len(self._edges("across")), 1), 24)
        self._put_backward(column, spans)
        self._put_across(column, spans)

    def _edges(self, direction: str) -> list[TraceEdge]:
        return [edge for edge in self.trace.edges if edge.direction == direction]

    def _put_forward(self, placed: Placed, column: Mapping[str, int], spans: Spans) -> None:
        """Rows as they were placed, columns moved apart to make room for the gradients below."""
        new = {n.id: (spans[column[n.id]][0] + spans[column[n.id]][1]) / 2 for n in self.trace.forward}
        old = sorted({(placed.at[i][0], x) for i, x in new.items()})
        self.at.update((i, (x, placed.at[i][1])) for i, x in new.items())
        for edge, path in zip(self._edges("forward"), placed.paths, strict=True):
            moved = [(_stretched(x, old), y) for x, y in path]
            moved[0] = (self.at[edge.source][0] + self.cards[edge.source].width / 2, moved[0][1])
            moved[-1] = (self.at[edge.target][0] - self.cards[edge.target].width / 2, moved[-1][1])
            self.paths[edge] = tuple(moved)

    def _put_backward(self, column: Mapping[str, int], spans: Spans) -> None:
        """Layers from right to left, so that the mirrored graph flows the other way."""
        nodes, last = self.trace.backward, len(spans) - 1
        if not nodes:
            return
        edges = self._edges("backward")
        at, paths = place_in_layers(
            {n.id: (self.cards[n.id].width, self.cards[n.id].height) for n in nodes},
            [(edge.source, edge.target) for edge in edges],
            _GAP,
            ROW_GAP,
            {n.id: last - column[n.id] for n in nodes},
            [(-right, -left) for left, right in reversed(spans)],
        )
        top = min(y - self.cards[i].height / 2 for i, (_, y) in at.items())
        down = self.bottom + _BETWEEN + 4 * self.lanes - top
        self.at.update((i, (-x, y + down)) for i, (x, y) in at.items())
        for edge, path in zip(edges, paths, strict=True):
            self.paths[edge] = tuple((-x, y + down) for x, y in path)

    def _put_across(self, column: Mapping[str, int], spans: Spans) -> None:
        """Level and upright only: through the gap right of the value, the space between the rails, the gap right of
        the reader, so that no line runs behind a card."""
        used: dict[int, int] = {}
        for i, edge in enumerate(self._edges("across")):
            (x, y), (u, v) = self.at[edge.source], self.at[edge.target]
            start = (x + self.cards[edge.source].width / 2, y + 6)
            end = (u + self.cards[edge.target].width / 2, v - 6)
            down, into = (self._gap(k, spans, used) for k in (column[edge.source], column[edge.target]))
            level = self.bottom + 8 + 4 * (i % self.lanes)
            if column[edge.source] == column[edge.target]:
                corners = [start, (down, start[1]), (down, end[1]), end]
            else:
                corners = [start, (down, start[1]), (down, level), (into, level), (into, end[1]), end]
            self.paths[edge] = with_corners(corners)

    def _gap(self, column: int, spans: Spans, used: dict[int, int]) -> float:
        """Somewhere in the gap right of a column where no upright line is yet."""
        used[column] = used.get(column, 0) + 1
        return spans[column][1] + 5 + 4 * (used[column] % 5)


def _card_title(node: TraceNode) -> str:
    if node.is_leaf or node.gradient_for:
        return node.symbol
    return glyph_text(node) if node.is_backward else f"{glyph_text(node)}  {node.symbol}"


def _loss(trace: Trace) -> str:
    return trace.by_id[trace.loss].symbol if trace.loss else "L"


def _number_row(node: TraceNode, frame: Frame) -> str:
    """The value; of a gradient, once it is known for the node it belongs to."""
    value = frame.values.get(node.id)
    text = (gradient_text if node.is_backward else value_text)(value) if value else ""
    if not node.is_backward or text == node.symbol:
        return "" if text == node.symbol else text
    for forward in node.gradient_for:
        if forward in frame.gradients:
            return gradient_text(frame.gradients[forward])
    return text


def _slot(node: TraceNode) -> str:
    """Where the number of a card comes from: a whole gradient is that of the first node it belongs to."""
    return f"d:{node.gradient_for[0]}" if node.is_backward and node.gradient_for else f"v:{node.id}"


def _columns(trace: Trace, placed: Placed) -> dict[str, int]:
    """A column for every node: a gradient has that of its value, what lies between two gradients lies between them."""
    places = sorted({round(placed.at[n.id][0], 1) for n in trace.forward})
    position = {n.id: float(places.index(round(placed.at[n.id][0], 1))) for n in trace.forward}
    anchor = {n.id: position[n.gradient_for[0]] for n in trace.backward if n.gradient_for}
    nearest, steps = _ahead(trace, anchor, position)
    for node in trace.backward:
        if node.id in anchor:
            position[node.id] = anchor[node.id]
            continue
        behind = [position[i] for i in node.inputs if trace.by_id[i].is_backward]
        high = min(behind or [position.get(node.grad_of or "", nearest[node.id] + 1)])
        position[node.id] = high - (high - nearest[node.id]) / (steps[node.id] + 1)
    found = sorted({round(p, 4) for p in position.values()})
    return {i: found.index(round(p, 4)) for i, p in position.items()}


def _ahead(
    trace: Trace, anchor: Mapping[str, float], position: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, int]]:
    """For each node between gradients: the column of the next gradient it flows into, and the steps up to there."""
    nearest: dict[str, float] = {}
    steps: dict[str, int] = {}
    readers: dict[str, list[TraceNode]] = {}
    for node in reversed(trace.backward):
        found = readers.get(node.id, [])
        ends = [anchor[r.id] if r.id in anchor else nearest[r.id] for r in found]
        own = position.get(node.grad_of or "", 0.0) - 1
        nearest[node.id] = max(ends) if ends else own
        steps[node.id] = 1 + max([0 if r.id in anchor else steps[r.id] for r in found], default=0)
        for source in node.inputs:
            readers.setdefault(source, []).append(node)
    return nearest, steps


def _spans(column: Mapping[str, int], cards: Mapping[str, Card]) -> Spans:
    width = [0.0] * (max(column.values(), default=-1) + 1)
    for name, k in column.items():
        width[k] = max(width[k], cards[name].width)
    spans, left = [], 0.0
    for each in width:
        spans.append((left, left + each))
        left += each + _GAP
    return spans


def _stretched(x: float, known: list[tuple[float, float]]) -> float:
    """Where `x` goes when known places move and what lies between them moves in proportion."""
    if x <= known[0][0]:
        return x - known[0][0] + known[0][1]
    for (a, b), (c, d) in pairwise(known):
        if a <= x <= c:
            return b + (d - b) * (x - a) / (c - a)
    return x - known[-1][0] + known[-1][1]


def _wire(trace: Trace, edge: TraceEdge, path: Path, frame: Frame, theme: Theme) -> Group:
    colour = {"forward": theme.wire, "backward": theme.lane, "across": theme.muted}[edge.direction]
    is_across = edge.direction == "across"
    marks: list[Mark] = [Curve(path, theme.active, 7, part="active")] if edge.id in frame.active_edges else []
    marks += [
        Curve(path, colour, 0.7 if is_across else 1.2, dashed=edge.direction != "forward"),
        arrowhead(path[-1], heading(path), colour, 4.5 if is_across else 6.0),
    ]
    source, target = (trace.by_id[i] for i in (edge.source, edge.target))
    title = f"wire from {source.symbol} to {target.symbol}"
    return Group(edge.id, f"edge {edge.direction}", title, tuple(marks), edges=(edge.id,))
