"""What the card of a block says: its ops, its parameters with their shapes, how large their gradients are, the loss."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from graphdl.draw.cards import Bar, Card, Row
from graphdl.draw.digits import number
from graphdl.draw.grouping import Block
from graphdl.draw.labels import gradient_text, value_text
from graphdl.draw.model import Frame, Trace, TraceNode, Value

_MOST_PARAMETERS = 6
# Ops that only move numbers; a card names them behind those that compute.
_MOVES = ("broadcast_to", "cast", "expand_dims", "pick", "reshape", "slice", "split", "squeeze", "transpose")
_MOST_COLUMNS = 60


@dataclass(frozen=True)
class Decades:
    """Powers of ten between which the norms of all gradients of parameters lie."""

    low: int
    high: int

    def fraction(self, norm: float | None) -> float:
        """How far up `norm` is, on a logarithmic scale; a sliver for the least, nothing for 0."""
        if norm is None or not math.isfinite(norm) or norm <= 0:
            return 0.0
        return min(max((math.log10(norm) - self.low) / (self.high - self.low), 0.04), 1.0)


def decades(trace: Trace, last: Frame) -> Decades | None:
    """The scale of the bars; None where no parameter has a gradient that is not 0."""
    norms = [_norm(last, node) for node in trace.forward if node.kind == "variable"]
    logs = [math.log10(norm) for norm in norms if norm and math.isfinite(norm)]
    if not logs:
        return None
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return Decades(low, max(high, low + 1))


def _norm(frame: Frame, node: TraceNode) -> float | None:
    found = frame.gradients.get(node.id)
    return found.norm if found else None


@dataclass(frozen=True)
class Summaries:
    """Makes the cards of blocks. `last` is the last frame, `reads` the leaves that a block is not wired to."""

    trace: Trace
    last: Frame
    backward: bool
    scale: Decades | None

    def card(self, block: Block, frame: Frame, reads: Sequence[str] = (), wires: int = 0) -> Card:
        """The card of `block`, which `wires` go into."""
        rows = [Row(block.note)] if block.note else []
        rows += self._ops(block)
        rows += self._repeated(block, frame) if block.parts else self._parameters(block, frame)
        rows += [Row(f"reads {', '.join(reads)}")] if reads else []
        rows += self._loss(block, frame)
        return Card(block.id, "block", block.title, tuple(rows), least_height=14.0 * wires + 10)

    def _ops(self, block: Block) -> list[Row]:
        each = " each" if block.parts else ""
        ops = [node for part in block.parts[: block.period] for node in part.ops] if block.parts else block.ops
        return [Row(f"{len(ops)} operation{'s' if len(ops) != 1 else ''}{each}: {_names(ops)}")] if ops else []

    def _loss(self, block: Block, frame: Frame) -> list[Row]:
        loss = self.trace.loss
        if loss not in self.last.values or all(node.id != loss for node in block.ops):
            return []
        value, before = frame.values.get(loss), f"{self.trace.by_id[loss].symbol} = "
        return [Row(f"{before}{value_text(value)}" if value else "", slot=f"v:{loss}", before=before)]

    def _parameters(self, block: Block, frame: Frame) -> list[Row]:
        seen = [node.name for node in block.variables]
        rows = [self._parameter(n, frame, seen.count(n.name) > 1) for n in block.variables[:_MOST_PARAMETERS]]
        more = len(block.variables) - _MOST_PARAMETERS
        return [*rows, Row(f"and {more} more")] if more > 0 else rows

    def _parameter(self, node: TraceNode, frame: Frame, namesake: bool) -> Row:
        """Its name, behind that of its scope where another one in the block is called the same; shape and gradient."""
        scope = f"{node.scope.rpartition('/')[2]}." if namesake else ""
        name = f"{scope}{node.name or node.symbol} {node.shape}"
        if not (self.backward and node.requires_grad):
            return Row(name)
        found = frame.gradients.get(node.id)
        slope = f"∂ {gradient_text(found)}" if found else "∂ "
        return Row(name, slope, f"d:{node.id}", "∂ ", self._bar(node, found))

    def _bar(self, node: TraceNode, found: Value | None) -> Bar | None:
        return Bar(self.scale.fraction(found.norm if found else None), f"b:{node.id}") if self.scale else None

    def _repeated(self, block: Block, frame: Frame) -> list[Row]:
        """For each parameter of one part, from the least to the greatest gradient of its likes in all parts."""
        rows: list[Row] = [self._inputs(found, frame)] if (found := block.inputs) else []
        starts = range(0, len(block.parts), block.period)
        kinds = zip(*(_variables(block.parts[i : i + block.period]) for i in starts), strict=True)
        for likes in list(kinds)[:_MOST_PARAMETERS]:
            rows.append(self._range(likes, frame))
            if self.scale and self.backward and likes[0].requires_grad and len(likes) <= _MOST_COLUMNS:
                bars = (self._bar(node, frame.gradients.get(node.id)) for node in likes)
                rows.append(Row("", columns=tuple(bar for bar in bars if bar)))
        return rows

    def _inputs(self, found: Sequence[TraceNode], frame: Frame) -> Row:
        """The inputs that only this card reads."""
        name = f"{len(found)} inputs {found[0].symbol} … {found[-1].symbol}"
        return replace(self._range(found, frame), left=name)

    def _range(self, likes: Sequence[TraceNode], frame: Frame) -> Row:
        name = f"{len(likes)} {likes[0].name or likes[0].op} {likes[0].shape}"
        if not (self.backward and likes[0].requires_grad):
            return Row(name)
        norms = [norm for node in likes if (norm := _norm(frame, node)) is not None]
        return Row(name, f"∂ {norm_range(norms)}", f"r:{' '.join(node.id for node in likes)}", "∂ ")


def norm_range(norms: Sequence[float]) -> str:
    """From the least norm to the greatest."""
    if not norms:
        return ""
    low, high = number(min(norms)), number(max(norms))
    return f"‖{low}‖" if low == high else f"‖{low}‖ … ‖{high}‖"


def _variables(parts: Iterable[Block]) -> list[TraceNode]:
    return [node for part in parts for node in part.variables]


def _names(ops: Sequence[TraceNode]) -> str:
    """The ops by name, those that compute first, and of these the most frequent."""
    counts = Counter(node.op for node in ops)
    order = sorted(counts.items(), key=lambda c: (c[0] in _MOVES, -c[1]))
    names = [name if count == 1 else f"{count} {name}" for name, count in order]
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
