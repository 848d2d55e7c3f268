"""Which buffer holds which value: liveness, reuse, writing in place. Sizes stay symbolic: one plan for all batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphdl.compile.lower import Instr
from graphdl.ir.dim import Dim
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.types import TensorType, TupleType


@dataclass(frozen=True, slots=True)
class Buffer:
    """Memory for one value after another: number, dtype and number of elements."""

    number: int
    dtype: str
    size: Dim


@dataclass
class Plan:
    """Where every computed value lives.

    `buffer` has the workspace buffer of a node; `variable` the variable whose memory a node's value takes over;
    a node in neither makes its own array, or may be a view of its first input (then `base` has whose memory it is).
    """

    buffers: list[Buffer] = field(default_factory=list)
    buffer: dict[Node, Buffer] = field(default_factory=dict)
    variable: dict[Node, Node] = field(default_factory=dict)
    base: dict[Node, Node] = field(default_factory=dict)

    def root(self, node: Node) -> Node:
        """The node whose memory `node` shares: itself, unless it is a view."""
        return self.base.get(node, node)


def plan(graph: Graph, instrs: list[Instr]) -> Plan:
    """Buffers for the schedule. A buffer is free once its last reader has run; results of `run` are never reused."""
    made = Plan()
    for instr in instrs:
        if instr.may_share:
            made.base[instr.node] = made.root(instr.node.inputs[0])
    last = _last_reads(graph, instrs, made)
    _take_over_variables(graph, instrs, made, last)
    free: dict[tuple[str, Dim], list[Buffer]] = {}
    for time, instr in enumerate(instrs):
        dying = [r for r in dict.fromkeys(map(made.root, instr.reads)) if last.get(r) == time and r in made.buffer]
        in_place = [r for r in dying if _may_overwrite(instr, r)]
        _release(in_place, made, free)
        if _wants_buffer(instr, made):
            made.buffer[instr.node] = _buffer_for(instr.node.tensor, made, free)
        _release([r for r in dying if r not in in_place], made, free)
        if instr.node in made.buffer and last.get(instr.node, -1) <= time:
            _release([instr.node], made, free)
    return made


def _last_reads(graph: Graph, instrs: list[Instr], made: Plan) -> dict[Node, int]:
    """For each node that owns memory, the time of its last reader; fetches and updates are read at the end."""
    last: dict[Node, int] = {}
    for time, instr in enumerate(instrs):
        for source in instr.reads:
            last[made.root(source)] = time
    for root in graph.roots:
        last[made.root(root)] = len(instrs)
    return last


def _take_over_variables(graph: Graph, instrs: list[Instr], made: Plan, last: dict[Node, int]) -> None:
    """Let a variable's new value be written straight into the variable where nobody reads the old one later."""
    when = {instr.node: time for time, instr in enumerate(instrs)}
    fetched = {made.root(node) for node in graph.outputs.values()}
    counts: dict[Node, int] = {}
    for _, value in graph.updates:
        counts[value] = counts.get(value, 0) + 1
    for variable, value in graph.updates:
        time = when.get(value)
        if time is None or variable in fetched or counts[value] > 1 or value in made.base:
            continue
        instr = instrs[time]
        old_is_done = last.get(variable, -1) < time or (last[variable] == time and _may_overwrite(instr, variable))
        if old_is_done and instr.template.writes_out and not instr.is_static:
            made.variable[value] = variable


def _may_overwrite(instr: Instr, root: Node) -> bool:
    """Whether the result of `instr` may be written over its operand `root` while that is being read."""
    if isinstance(instr.node.type, TupleType) or root.type != instr.node.type:
        return False
    slots = [i for i, operand in enumerate(instr.operands) if operand is root]
    others = [o for o in instr.reads if o is not root]
    return bool(slots) and all(i in instr.template.safe_in_place for i in slots) and not _views_of(root, others)


def _views_of(root: Node, operands: Iterable[Node]) -> bool:
    """Whether some operand may be a view of `root`, which must not change under it."""
    for operand in operands:
        while operand.op.is_view and operand.inputs:
            operand = operand.inputs[0]
            if operand is root:
                return True
    return False


def _wants_buffer(instr: Instr, made: Plan) -> bool:
    if instr.may_share or instr.is_static or isinstance(instr.node.type, TupleType) or instr.node in made.variable:
        return False
    return instr.template.writes_out


def _buffer_for(tensor: TensorType, made: Plan, free: dict[tuple[str, Dim], list[Buffer]]) -> Buffer:
    waiting = free.get((tensor.dtype, tensor.size))
    if waiting:
        return waiting.pop()
    made.buffers.append(Buffer(len(made.buffers), tensor.dtype, tensor.size))
    return made.buffers[-1]


def _release(nodes: Iterable[Node], made: Plan, free: dict[tuple[str, Dim], list[Buffer]]) -> None:
    for node in nodes:
        buffer = made.buffer[node]
        free.setdefault((buffer.dtype, buffer.size), []).append(buffer)
