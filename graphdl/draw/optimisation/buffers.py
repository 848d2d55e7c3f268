"""Which buffer holds which value while the lines of a program run: bars over lines, writing in place, the peak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from graphdl.compile.emit import Module, emit
from graphdl.compile.lower import Instr
from graphdl.compile.memory import Buffer
from graphdl.compile.program import Program
from graphdl.compile.template import Out
from graphdl.ir.dim import Dim, evaluate
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Packed
from graphdl.ir.node import Node
from graphdl.ir.types import ITEMSIZE
from graphdl.runtime.state import State

# Every symbolic size is taken to be so long where nobody says otherwise.
USUAL_SIZE = 32


@dataclass(frozen=True)
class Bar:
    """One value: from the line where it is first written to the line where it is last read, both counted from 1.

    `over` is the value that was in the buffer and is read by the very op that writes this one: written in place.
    """

    row: int
    node: Node
    first: int
    last: int
    over: Node | None = None


@dataclass(frozen=True)
class Row:
    """One buffer, or one variable that its new value is written straight into; `bytes` in symbolic sizes."""

    name: str
    bytes: Dim
    is_variable: bool
    what: str


@dataclass(frozen=True)
class BufferMap:
    """The memory of a program's step. `live` are the bytes of workspace that hold something, line for line.

    Lines are those of `module`; the step has the lines from `first` to `last`. `sizes` are what bytes are counted at.
    """

    module: Module
    first: int
    last: int
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    sizes: dict[str, int]
    live: dict[int, int]
    lines: dict[Node, tuple[int, int]]

    @cached_property
    def ends(self) -> dict[Node, int]:
        """For each value the last line at which it holds its buffer."""
        return _ends(self.bars)

    @property
    def peak(self) -> tuple[int, int]:
        """The first line at which most bytes are held, and how many."""
        line = max(self.live, key=lambda n: (self.live[n], -n), default=self.first)
        return line, self.live.get(line, 0)

    @property
    def workspace(self) -> Dim:
        """Bytes of all buffers."""
        total: Dim = 0
        for row in self.rows:
            total = total + (0 if row.is_variable else row.bytes)
        return total

    @property
    def unshared(self) -> Dim:
        """Bytes it would take if every value had a buffer of its own."""
        total: Dim = 0
        for bar in self.bars:
            total = total + (0 if self.rows[bar.row].is_variable else self.rows[bar.row].bytes)
        return total

    def at(self, dim: Dim) -> int:
        """`dim` in plain numbers."""
        return evaluate(dim, self.sizes)


def program_of(graph: Graph) -> Program:
    """The program of an optimised graph, as a new session would name its variables."""
    state = State()
    packed = [part for pack in graph.packs if isinstance(pack.op, Packed) for part in pack.op.parts]
    state.name_variables([*graph.variables, *packed, *(v for v, _ in graph.updates)])
    state.number_streams(graph.noise)
    return Program(graph, state.names, state.streams)


def buffer_map(program: Program, sizes: Mapping[str, int] | None = None) -> BufferMap:
    """The buffers of `program` in the fast style; `sizes` give the symbolic sizes numbers, each 32 by default."""
    module = emit(program, "fast")
    text = module.text.splitlines()
    first = next(n for n, line in enumerate(text, start=1) if line.startswith("def step("))
    known = {name: (sizes or {}).get(name, USUAL_SIZE) for name in program.sizes}
    times = _lines_of_instrs(program, module, first, len(text))
    rows, bars = _laid_out(program, times, len(text))
    live = _live(rows, bars, range(first + 1, len(text) + 1), known)
    lines = {instr.node: times[t] for t, instr in enumerate(program.instrs)}
    return BufferMap(module, first, len(text), tuple(rows), tuple(bars), known, live, lines)


def _lines_of_instrs(program: Program, module: Module, first: int, last: int) -> list[tuple[int, int]]:
    """First and last line of each instruction; one that runs before the step stands where the one before it ends."""
    lines: dict[Node, list[int]] = {}
    for number, node in module.nodes.items():
        if number > first:
            lines.setdefault(node, []).append(number)
    times = []
    at = first + 1
    for instr in program.instrs:
        # A node that is fetched or written to its variable has a line at the end, too; its own come first.
        own = lines.get(instr.node, [])[: len(instr.template.calls)]
        at = own[-1] if own else at
        times.append((own[0] if own else at, at))
    return times


def _written(instr: Instr, lines: tuple[int, int]) -> int:
    """The line of the first call that writes to the buffer; the calls before it make arrays of their own."""
    before = next(i for i, call in enumerate(instr.template.calls) if call.target == Out())
    return min(lines[0] + before, lines[1])


def _laid_out(program: Program, times: list[tuple[int, int]], end: int) -> tuple[list[Row], list[Bar]]:
    """Rows for buffers, then for variables; the bars of each in the order they are written."""
    plan = program.plan
    last = _last_readers(program)
    rows = [_buffer_row(buffer) for buffer in plan.buffers]
    bars: list[Bar] = []
    holder: dict[int, Bar] = {}
    for time, instr in enumerate(program.instrs):
        buffer = plan.buffer.get(instr.node)
        variable = plan.variable.get(instr.node)
        if buffer is not None:
            until = last.get(instr.node, time)
            stop = end if until >= len(times) else times[until][1]
            before = holder.get(buffer.number)
            over = before.node if before and before.node in map(plan.root, instr.reads) else None
            bar = holder[buffer.number] = Bar(buffer.number, instr.node, _written(instr, times[time]), stop, over)
            bars.append(bar)
        elif variable is not None:
            reads_old = variable in map(plan.root, instr.reads)
            bars.append(Bar(len(rows), instr.node, _written(instr, times[time]), end, variable if reads_old else None))
            rows.append(Row(program.state_name(variable), variable.tensor.nbytes, True, str(variable.type)))
    return rows, bars


def _last_readers(program: Program) -> dict[Node, int]:
    """For each node that owns memory, the time of its last reader; what is handed out is read at the end."""
    plan = program.plan
    last: dict[Node, int] = {}
    for time, instr in enumerate(program.instrs):
        for source in instr.reads:
            last[plan.root(source)] = time
    for root in program.graph.roots:
        last[plan.root(root)] = len(program.instrs)
    return last


def _buffer_row(buffer: Buffer) -> Row:
    elements = f"{buffer.size} × {buffer.dtype}"
    return Row(f"b{buffer.number}", buffer.size * ITEMSIZE[buffer.dtype], False, elements)


def _live(rows: list[Row], bars: list[Bar], lines: range, sizes: Mapping[str, int]) -> dict[int, int]:
    """Bytes held at each line. A value written in place counts once, at the line where it takes the other's place."""
    change = dict.fromkeys(range(lines.start, lines.stop + 1), 0)
    ends = _ends(bars)
    for bar in bars:
        if not rows[bar.row].is_variable:
            size = evaluate(rows[bar.row].bytes, sizes)
            change[bar.first] += size
            change[ends[bar.node] + 1] -= size
    live, held = {}, 0
    for line in lines:
        held += change[line]
        live[line] = held
    return live


def _ends(bars: Iterable[Bar]) -> dict[Node, int]:
    """For each value the last line at which it holds its buffer: before the line that writes over it."""
    ends: dict[Node, int] = {}
    for bar in bars:
        if bar.over is not None and bar.over in ends:
            ends[bar.over] = bar.first - 1
        ends[bar.node] = bar.last
    return ends
