"""A program as a table: what is computed when, from what, and which memory it is written to."""

from __future__ import annotations

from graphdl.compile.lower import Instr
from graphdl.compile.program import Program
from graphdl.ir.text import plain
from graphdl_cli.columns import columns


def schedule(program: Program) -> str:
    """The instructions in order, then the buffers they share."""
    names = {node: plain(name) for node, name in program.graph.names.items()}

    def row(number: int, instr: Instr) -> tuple[str, ...]:
        operands = [text if o is None else names[o] for o, text in zip(instr.operands, instr.texts, strict=True)]
        return (
            str(number),
            names[instr.node],
            str(instr.node.type),
            instr.template.readable(operands),
            _where(program, instr),
        )

    rows = [row(number, instr) for number, instr in enumerate(program.instrs, start=1)]
    header = ("step", "value", "type", "computed as", "lives in")
    lines = [columns([header, *rows])]
    if program.plan.buffers:
        buffers = [
            (f"b{b.number}", b.dtype, f"{b.size} element{'' if b.size == 1 else 's'}") for b in program.plan.buffers
        ]
        lines += ["", f"{len(buffers)} buffers for {len(rows)} values:", columns(buffers, indent=2)]
    return "\n".join(lines)


def _where(program: Program, instr: Instr) -> str:
    plan, node = program.plan, instr.node
    if node in plan.base:
        return f"a view of {plain(plan.root(node).label)}"
    if node in plan.variable:
        return f"the variable {plain(plan.variable[node].label)}"
    if node in plan.buffer:
        return f"buffer b{plan.buffer[node].number}"
    return "computed once a size" if instr.is_static else "an array of its own"
