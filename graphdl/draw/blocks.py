"""The blocks: one card for each name scope, with its parameters, their gradients, and the shapes between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphdl.draw.bounds import bounds
from graphdl.draw.cards import Card, Row, card_marks
from graphdl.draw.digits import NOT_REQUIRED
from graphdl.draw.grouping import Block, grouped
from graphdl.draw.labels import gradient_text, value_text
from graphdl.draw.layout import Cell, Link, Placed, place
from graphdl.draw.legend import with_legend
from graphdl.draw.model import Frame, Trace, TraceNode
from graphdl.draw.paths import beside, heading, joined
from graphdl.draw.scene import Curve, Group, Label, Mark, Point, Scene, arrowhead
from graphdl.draw.style import SMALL_SIZE, Theme, text_width

_MOST_PARAMETERS = 6
_MOST_READERS = 5
_LANE = 5.0
_TAG_HEIGHT = 46.0
_LEAST_TAG = 48.0
_SPINE = 20


def blocks(trace: Trace, frame: Frame, theme: Theme, backward: bool, time_limit: float, note: str = "") -> Scene:
    """The picture of `frame` in blocks."""
    plan = _Plan(trace, backward and trace.has_backward)
    placed = plan.placed(time_limit)
    extent = bounds(plan.groups(placed, plan.last, theme))
    loss = f" of {trace.by_id[trace.loss].symbol}" if trace.loss else ""
    title = f"Computation graph{loss} in blocks: {trace.ops} operations in {len(plan.blocks)} blocks"
    kinds = [block.kind for block in plan.blocks]
    shown = plan.groups(placed, frame, theme)
    return with_legend(title, shown, extent, kinds, theme, plan.backward, note=note, local=False)


@dataclass(frozen=True)
class Wire:
    """What flows from one block to another: `nodes` of the first that the second reads."""

    id: str
    source: str
    target: str
    nodes: tuple[TraceNode, ...]

    def above(self) -> str:
        """The shape of the first value, and how many there are besides."""
        more = f" +{len(self.nodes) - 1}" if len(self.nodes) > 1 else ""
        return self.nodes[0].shape + more

    def below(self, frame: Frame) -> str:
        """The norm of the gradient, where there is one value and it has one."""
        if not self.needs_gradient:
            return NOT_REQUIRED
        found = frame.gradients.get(self.nodes[0].id)
        return gradient_text(found) if found and len(self.nodes) == 1 else ""

    @property
    def needs_gradient(self) -> bool:
        """Whether a gradient comes back along it."""
        return any(node.requires_grad for node in self.nodes)


class _Plan:
    """What is drawn, before it has places."""

    def __init__(self, trace: Trace, backward: bool) -> None:
        self.trace, self.backward = trace, backward
        self.last = trace.frame()
        self.blocks = grouped(trace)
        wires = _wires(trace, self.blocks)
        self.everywhere = _everywhere(self.blocks, wires)
        self.wires = [wire for wire in wires if wire.source not in self.everywhere]
        self.reads: dict[str, list[str]] = {block.id: [] for block in self.blocks}
        for wire in wires:
            if wire.source in self.everywhere:
                self.reads[wire.target].append(wire.nodes[0].symbol)
        self.cards = {block.id: self._card(block, self.last) for block in self.blocks}

    def placed(self, time_limit: float) -> Placed:
        """Blocks in a line where they follow one another; the wires of leaves bend around."""
        spine = {block.id for block in self.blocks if block.kind == "block"}
        cells = [Cell(card.id, card.width, card.height) for card in self.cards.values()]
        cells += [Cell(wire.id, self._tag_width(wire), _TAG_HEIGHT) for wire in self.wires]
        links = []
        for wire in self.wires:
            weight = _SPINE if wire.source in spine else 1
            links += [Link(wire.source, wire.id, weight), Link(wire.id, wire.target, weight)]
        return place(cells, links, time_limit)

    def groups(self, placed: Placed, frame: Frame, theme: Theme) -> list[Group]:
        """Wires first, so that cards lie on top."""
        wires = [self._wire(wire, placed, 2 * i, frame, theme) for i, wire in enumerate(self.wires)]
        return wires + [self._block(block, placed.at[block.id], frame, theme) for block in self.blocks]

    def _tag_width(self, wire: Wire) -> float:
        widest = max(text_width(text, SMALL_SIZE) for text in (wire.above(), wire.below(self.last)))
        return max(_LEAST_TAG, widest + 12)

    def _card(self, block: Block, frame: Frame) -> Card:
        """How many ops, the parameters with their shapes and the norms of their gradients, and the loss."""
        if block.kind != "block":
            return self._leaf(block, frame)
        ops = block.ops
        rows = [Row(f"{len(ops)} operation{'s' if len(ops) != 1 else ''}: {_names(ops)}")] if ops else []
        rows += self._parameters(block, frame)
        rows += [Row(f"reads {', '.join(self.reads[block.id])}")] if self.reads[block.id] else []
        loss = self.trace.loss
        if loss in self.last.values and any(node.id == loss for node in ops):
            value = frame.values.get(loss)
            before = f"{self.trace.by_id[loss].symbol} = "
            rows.append(Row(f"{before}{value_text(value)}" if value else "", slot=f"v:{loss}", before=before))
        return Card(block.id, "block", block.title, tuple(rows))

    def _leaf(self, block: Block, frame: Frame) -> Card:
        """Its type; where no wire shows its gradient, the norm of that."""
        node = block.nodes[0]
        slope = self._slope(node, frame) if block.id in self.everywhere else ""
        return Card(block.id, block.kind, block.title, (Row(node.type, slope, f"d:{node.id}", "∂ "),))

    def _parameters(self, block: Block, frame: Frame) -> list[Row]:
        variables = [node for node in block.nodes if node.kind == "variable"]
        rows = [
            Row(f"{n.name or n.symbol} {n.shape}", self._slope(n, frame), f"d:{n.id}", "∂ ")
            for n in variables[:_MOST_PARAMETERS]
        ]
        more = len(variables) - _MOST_PARAMETERS
        return [*rows, Row(f"and {more} more")] if more > 0 else rows

    def _slope(self, node: TraceNode, frame: Frame) -> str:
        """The norm of the gradient of a parameter."""
        if not (self.backward and node.requires_grad):
            return ""
        found = frame.gradients.get(node.id)
        return f"∂ {gradient_text(found)}" if found else "∂ "

    def _wire(self, wire: Wire, placed: Placed, first: int, frame: Frame, theme: Theme) -> Group:
        path = joined(placed.paths[first : first + 2])
        x, y = placed.at[wire.id]
        marks: list[Mark] = [Curve(path, theme.wire), arrowhead(path[-1], heading(path), theme.wire)]
        marks.append(Label(x, y - 5, wire.above(), SMALL_SIZE, theme.value, part="value"))
        if self.backward and wire.needs_gradient:
            lane = beside(path, _LANE, _LANE)
            marks.append(Curve(lane, theme.gradient, dashed=True, part="lane"))
            marks.append(arrowhead(lane[0], (-1, 0), theme.gradient))
            slot = f"d:{wire.nodes[0].id}" if len(wire.nodes) == 1 else ""
            marks.append(Label(x, y + 17, wire.below(frame), SMALL_SIZE, theme.gradient, part="gradient", slot=slot))
        elif self.backward:
            marks.append(Label(x, y + 17, NOT_REQUIRED, SMALL_SIZE, theme.muted, part="no-gradient"))
        title = f"wire with {', '.join(f'{node.symbol}: {node.type}' for node in wire.nodes[:4])}"
        return Group(wire.id, "edge", title, tuple(mark for mark in marks if not _is_blank(mark)))

    def _block(self, block: Block, at: Point, frame: Frame, theme: Theme) -> Group:
        card = replace(self._card(block, frame), least_width=self.cards[block.id].width)
        is_active = any(node.id in frame.active_nodes for node in block.nodes)
        title = f"block {block.title}: {', '.join(row.left for row in card.rows)}"
        return Group(block.id, "block", title, tuple(card_marks(card, at, theme, is_active)))


def _wires(trace: Trace, found: Sequence[Block]) -> list[Wire]:
    """One wire for each pair of blocks, with all that flows along it."""
    home = {node.id: block.id for block in found for node in block.nodes}
    flows: dict[tuple[str, str], dict[str, TraceNode]] = {}
    for node in trace.forward:
        for source in node.inputs:
            pair = (home[source], home[node.id])
            if pair[0] != pair[1]:
                flows.setdefault(pair, {})[source] = trace.by_id[source]
    return [Wire(f"w{i}", *pair, tuple(nodes.values())) for i, (pair, nodes) in enumerate(flows.items(), start=1)]


def _everywhere(found: Sequence[Block], wires: Sequence[Wire]) -> set[str]:
    """Leaves that so many blocks read that their wires would bury the picture; the cards name them instead."""
    readers: dict[str, int] = {}
    for wire in wires:
        readers[wire.source] = readers.get(wire.source, 0) + 1
    return {block.id for block in found if block.kind != "block" and readers.get(block.id, 0) > _MOST_READERS}


def _names(ops: Sequence[TraceNode]) -> str:
    """The ops by name, the most frequent first."""
    counts: dict[str, int] = {}
    for node in ops:
        counts[node.op] = counts.get(node.op, 0) + 1
    names = [name if count == 1 else f"{count} {name}" for name, count in sorted(counts.items(), key=lambda c: -c[1])]
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _is_blank(mark: Mark) -> bool:
    return isinstance(mark, Label) and not mark.text
