"""Blocks that repeat, shown as one: "×3 same parameters" for one layer applied again and again, "+9 more like dense_1"
for layers of the same structure with parameters of their own.

Two blocks are alike when node by node their ops, types and wiring are; what differs in a formula keeps them apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from graphdl.draw.grouping import Block
from graphdl.draw.model import Trace, TraceNode

# So many cards are read one by one; beyond, repeats are folded.
MOST_CARDS = 24
# A run of fewer periods stays as it is.
_SHORTEST_RUN = 3
_LONGEST_PERIOD = 4

# A symbol of a formula, such as dense_1.kernel or t₁.
_WORD = re.compile(r"[\w.]+")

Signature = tuple[object, ...]


def folded(trace: Trace, blocks: Sequence[Block], most: int = MOST_CARDS) -> list[Block]:
    """The blocks, where there are more than `most` with each run of likes as one card behind the first of them."""
    if len(blocks) <= most:
        return list(blocks)
    shapes = _Shapes(trace, blocks)
    made: list[Block] = []
    at = 0
    while at < len(blocks):
        period, count = shapes.run(at)
        made += shapes.fold(at, period, count) if count >= _SHORTEST_RUN else blocks[at : at + 1]
        at += period * count if count >= _SHORTEST_RUN else 1
    return [_with_inputs(trace, block) if block.parts else block for block in made]


def _with_inputs(trace: Trace, block: Block) -> Block:
    """With the inputs of a sequence: of each repetition one placeholder, that nothing else reads, in the same place."""
    starts = range(0, len(block.parts), block.period)
    periods = [[n for part in block.parts[i : i + block.period] for n in part.nodes] for i in starts]
    place = {node.id: k for nodes in periods for k, node in enumerate(nodes)}
    readers: dict[str, list[int]] = {}
    for edge in trace.edges:
        if edge.direction == "forward":
            readers.setdefault(edge.source, []).append(place.get(edge.target, -1))
    alike: dict[tuple[str, tuple[int, ...]], list[TraceNode]] = {}
    for node in trace.forward:
        if node.kind == "placeholder" and -1 not in readers.get(node.id, [-1]):
            alike.setdefault((node.type, tuple(readers[node.id])), []).append(node)
    inputs = [node for nodes in alike.values() if len(nodes) == len(periods) for node in nodes]
    return replace(block, nodes=[*inputs, *block.nodes])


@dataclass
class _Shapes:
    """What the blocks are like."""

    trace: Trace
    blocks: Sequence[Block]

    @cached_property
    def signatures(self) -> list[Signature]:
        """Equal for blocks that are alike."""
        return [_signature(self.trace, block) for block in self.blocks]

    def run(self, at: int) -> tuple[int, int]:
        """The period and the number of periods of the longest run of likes from block number `at`."""
        best = (1, 1)
        for period in range(1, _LONGEST_PERIOD + 1):
            count = 1
            while self._is_like(at, at + period * count, period):
                count += 1
            if period * count > best[0] * best[1] and count > 1:
                best = (period, count)
        return best

    def _is_like(self, one: int, other: int, period: int) -> bool:
        found = self.signatures
        return found[one : one + period] == found[other : other + period] and other + period <= len(found)

    def fold(self, at: int, period: int, count: int) -> list[Block]:
        """One card for all, where they share their parameters; else the first period, and one for the rest."""
        first, all_ = list(self.blocks[at : at + period]), list(self.blocks[at : at + period * count])
        if _shares(self.trace, all_, period):
            return [_card(all_, period, f"×{count} same parameters")]
        names = ", ".join(block.title for block in first)
        return [*first, _card(all_[period:], period, f"+{count - 1} more like {names}")]


def _card(parts: Sequence[Block], period: int, note: str) -> Block:
    nodes = [node for part in parts for node in part.nodes]
    title = f"{parts[0].title} … {parts[-1].title}"
    return Block(parts[0].id, title, nodes, note=note, parts=tuple(parts), period=period)


def _shares(trace: Trace, blocks: Sequence[Block], period: int) -> bool:
    """Whether every period reads the same variables, none of them its own."""
    if any(block.variables for block in blocks):
        return False
    read = []
    for i in range(0, len(blocks), period):
        nodes = [node for block in blocks[i : i + period] for node in block.nodes]
        read.append({s for node in nodes for s in node.inputs if trace.by_id[s].kind == "variable"})
    return bool(read[0]) and all(found == read[0] for found in read)


def _signature(trace: Trace, block: Block) -> Signature:
    """Ops, types and wiring, node by node; what comes from outside is numbered in the order it is read."""
    if not block.scope:
        return (block.id,)
    place = {node.id: i for i, node in enumerate(block.nodes)}
    outside: dict[str, int] = {}
    return tuple(_line(trace, node, place, outside) for node in block.nodes)


def _line(trace: Trace, node: TraceNode, place: dict[str, int], outside: dict[str, int]) -> Signature:
    wires = []
    for source in node.inputs:
        if source in place:
            wires.append(("in", place[source], ""))
        else:
            wires.append(("out", outside.setdefault(source, len(outside)), trace.by_id[source].type))
    written = node.symbol if node.kind == "constant" and not node.name else _pattern(trace, node)
    return node.kind, node.op, node.type, written, node.requires_grad, tuple(wires)


def _pattern(trace: Trace, node: TraceNode) -> str:
    """The formula with its operands counted through: what is left are attributes."""
    order = {trace.by_id[source].symbol: f"\0{i}" for i, source in reversed(list(enumerate(node.inputs)))}
    return _WORD.sub(lambda match: order.get(match[0], match[0]), node.formula)
