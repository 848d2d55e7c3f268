"""The blocks: one card for each name scope, with its parameters, their gradients, and the shapes between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from graphdl.draw.cards import Card, Row, card_marks
from graphdl.draw.labels import gradient_text, value_text
from graphdl.draw.layout import Cell, Link, Placed, place
from graphdl.draw.legend import with_legend
from graphdl.draw.model import Frame, Trace, TraceNode, Value
from graphdl.draw.paths import beside, heading, joined
from graphdl.draw.scene import Curve, Group, Label, Mark, Point, Scene, arrowhead
from graphdl.draw.style import SMALL_SIZE, Theme, one_line, text_width

# Ops without a scope are cut into at most so many runs, none shorter than this.
_MOST_RUNS = 24
_SHORTEST_RUN = 25
_MOST_PARAMETERS = 6
_LANE = 5.0
_TAG_HEIGHT = 46.0


@dataclass
class Block:
    """Nodes shown as one card."""

    id: str
    title: str
    kind: str = "block"
    nodes: list[TraceNode] = field(default_factory=list)

    @property
    def ops(self) -> list[TraceNode]:
        """Its nodes that compute something."""
        return [node for node in self.nodes if node.inputs]


@dataclass(frozen=True)
class Wire:
    """What flows from one block to another: `nodes` of the first that the second reads."""

    id: str
    source: str
    target: str
    nodes: tuple[TraceNode, ...]


def blocks(trace: Trace, frame: Frame, theme: Theme, backward: bool, time_limit: float, note: str = "") -> Scene:
    """The picture of `frame` in blocks."""
    backward = backward and trace.has_backward
    last = trace.frame()
    found = grouped(trace)
    wires = _wires(trace, found)
    cards = {block.id: _card(block, trace, last) for block in found}
    tags = {wire.id: max(48.0, *(text_width(t, SMALL_SIZE) + 12 for t in _tag(wire, last))) for wire in wires}
    spine = {block.id for block in found if block.kind == "block"}
    placed = _placed(cards, wires, tags, spine, time_limit)
    groups = [_wire_group(i, wire, placed, tags, frame, theme, backward) for i, wire in enumerate(wires)]
    groups += [_block_group(block, cards[block.id], trace, placed.at[block.id], frame, theme) for block in found]
    loss = f" of {trace.by_id[trace.loss].symbol}" if trace.loss else ""
    title = f"Computation graph{loss} in blocks: {trace.ops} operations in {len(found)} blocks"
    return with_legend(title, groups, [block.kind for block in found], theme, backward, note=note, local=False)


def grouped(trace: Trace) -> list[Block]:
    """The forward nodes in blocks: by scope, or in runs; placeholders alone, other leaves with their readers."""
    depth = _shared_depth(node.scope for node in trace.forward if node.scope)
    loose = [node for node in trace.forward if node.inputs and not node.scope]
    size = max(_SHORTEST_RUN, -(-len(loose) // _MOST_RUNS))
    run = {node.id: i // size for i, node in enumerate(loose)}
    reader: dict[str, TraceNode] = {}
    for node in trace.forward:
        for source in node.inputs:
            reader.setdefault(source, node)
    found: dict[str, Block] = {}
    for node in trace.forward:
        home = node
        while home.is_leaf and not home.scope and home.kind not in ("placeholder", "noise") and home.id in reader:
            home = reader[home.id]
        key, title, kind = _home(home, depth, run)
        block = found.setdefault(key, Block(f"b{len(found) + 1}", title, kind))
        block.nodes.append(node)
    _name_runs(found, size)
    return list(found.values())


def _home(node: TraceNode, depth: int, run: dict[str, int]) -> tuple[str, str, str]:
    """Key, title and kind of the block in which `node` is shown."""
    if node.kind == "placeholder" or (node.kind == "noise" and not node.scope):
        return f"leaf {node.id}", node.symbol, "placeholder"
    if node.scope:
        scope = "/".join(node.scope.split("/")[: depth + 1])
        return f"scope {scope}", one_line(scope, 32), "block"
    if node.id in run:
        return f"run {run[node.id]}", "operations", "block"
    return f"leaf {node.id}", node.symbol, node.kind


def _shared_depth(scopes: Iterable[str]) -> int:
    """How many names at the front all scopes share; at least one name must be left to tell them apart."""
    paths = [scope.split("/") for scope in set(scopes)]
    if not paths:
        return 0
    shortest = min(map(len, paths))
    depth = 0
    while depth < shortest - 1 and len({path[depth] for path in paths}) == 1:
        depth += 1
    return depth


def _name_runs(found: dict[str, Block], size: int) -> None:
    """A run is called by its place among the ops without a scope, or by its one op."""
    for key, block in found.items():
        if key.startswith("run "):
            first = int(key.removeprefix("run ")) * size + 1
            count = len(block.ops)
            block.title = block.ops[0].symbol if count == 1 else f"operations {first} to {first + count - 1}"


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


def _placed(
    cards: dict[str, Card], wires: Sequence[Wire], tags: dict[str, float], spine: set[str], time_limit: float
) -> Placed:
    """Blocks in a line where they follow one another; the wires of leaves bend around."""
    cells = [Cell(card.id, card.width, card.height) for card in cards.values()]
    cells += [Cell(wire.id, tags[wire.id], _TAG_HEIGHT) for wire in wires]
    weights = [20 if wire.source in spine else 1 for wire in wires]
    pairs = zip(wires, weights, strict=True)
    links = [link for wire, w in pairs for link in (Link(wire.source, wire.id, w), Link(wire.id, wire.target, w))]
    return place(cells, links, time_limit)


def _card(block: Block, trace: Trace, frame: Frame) -> Card:
    """What is in a block: how many ops, its parameters with their shapes and the norms of their gradients."""
    if block.kind != "block":
        node = block.nodes[0]
        return Card(block.id, block.kind, block.title, (Row(node.type),))
    ops = block.ops
    rows = [Row(f"{len(ops)} operation{'s' if len(ops) != 1 else ''}: {_names(ops)}")] if ops else []
    rows += _parameters(block, trace, frame)
    if trace.loss in [node.id for node in ops] and trace.loss in frame.values:
        rows.append(Row(f"{trace.by_id[trace.loss].symbol} = {value_text(frame.values[trace.loss])}"))
    return Card(block.id, "block", block.title, tuple(rows))


def _names(ops: Sequence[TraceNode]) -> str:
    """The ops by name, the most frequent first."""
    counts: dict[str, int] = {}
    for node in ops:
        counts[node.op] = counts.get(node.op, 0) + 1
    names = [name if count == 1 else f"{count} {name}" for name, count in sorted(counts.items(), key=lambda c: -c[1])]
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _parameters(block: Block, trace: Trace, frame: Frame) -> list[Row]:
    variables = [node for node in block.nodes if node.kind == "variable"]
    rows = [
        Row(f"{node.name or node.symbol} {node.shape}", _slope(node, frame)) for node in variables[:_MOST_PARAMETERS]
    ]
    more = len(variables) - _MOST_PARAMETERS
    return [*rows, Row(f"and {more} more")] if more > 0 else rows


def _slope(node: TraceNode, frame: Frame) -> str:
    if not node.requires_grad:
        return ""
    found = frame.gradients.get(node.id)
    return f"∂ {gradient_text(found)}" if found else "∂"


def _tag(wire: Wire, frame: Frame) -> tuple[str, str]:
    """The shape above the wire, the norm of the gradient below it."""
    shapes = list(dict.fromkeys(node.shape for node in wire.nodes))
    above = shapes[0] + (f" +{len(wire.nodes) - 1}" if len(wire.nodes) > 1 else "")
    norms = [frame.gradients[n.id] for n in wire.nodes if n.id in frame.gradients]
    if not any(node.requires_grad for node in wire.nodes):
        return above, "—"
    return above, _norm(norms) if norms else ""


def _norm(values: Sequence[Value]) -> str:
    return gradient_text(values[0]) if len(values) == 1 else ""


def _wire_group(
    number: int, wire: Wire, placed: Placed, tags: dict[str, float], frame: Frame, theme: Theme, backward: bool
) -> Group:
    before, after = placed.paths[2 * number : 2 * number + 2]
    path = joined((before, after))
    marks: list[Mark] = [Curve(path, theme.wire), arrowhead(path[-1], heading(path), theme.wire)]
    x, y = placed.at[wire.id]
    above, below = _tag(wire, frame)
    marks.append(Label(x, y - 5, above, SMALL_SIZE, theme.value, part="value"))
    has_lane = backward and any(node.requires_grad for node in wire.nodes)
    if has_lane:
        lane = beside(path, _LANE, _LANE)
        marks += [Curve(lane, theme.gradient, dashed=True, part="lane"), arrowhead(lane[0], (-1, 0), theme.gradient)]
    if backward and below:
        colour = theme.gradient if has_lane else theme.muted
        marks.append(
            Label(x, y + _LANE + 12, below, SMALL_SIZE, colour, part="gradient" if has_lane else "no-gradient")
        )
    title = f"wire with {', '.join(f'{node.symbol}: {node.type}' for node in wire.nodes[:4])}"
    return Group(wire.id, "edge", title, tuple(marks))


def _block_group(block: Block, card: Card, trace: Trace, at: Point, frame: Frame, theme: Theme) -> Group:
    shown = Card(card.id, card.kind, card.title, _card(block, trace, frame).rows, card.width)
    is_active = any(node.id in frame.active_nodes for node in block.nodes)
    title = f"block {block.title}: {', '.join(row.left for row in card.rows)}"
    return Group(block.id, "block", title, tuple(card_marks(shown, at, theme, is_active)))
