"""A program: an optimised graph with its schedule, its names and its plan; two styles of source are printed from it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from graphdl.compile.kernels import kernels_among
from graphdl.compile.loops import Loop, all_loops
from graphdl.compile.lower import Instr, constants_in, lowered
from graphdl.compile.memory import Plan, plan
from graphdl.compile.names import SCRIPT_NAMES, Namer
from graphdl.compile.template import functions_of
from graphdl.errors import GraphError
from graphdl.ir.dim import symbols_of
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Packed
from graphdl.ir.node import Node
from graphdl.ir.origin import written_at
from graphdl.ir.text import plain
from graphdl.ir.types import TupleType


@dataclass(frozen=True)
class Program:
    """What is needed to print source: the graph, its state names, the streams of its random leaves.

    Functions for loops are called `loop_prefix` with a number behind it.
    """

    graph: Graph
    state: dict[Node, str]
    streams: dict[Node, int] = field(default_factory=dict)
    loop_prefix: str = "loop"

    def state_name(self, node: Node) -> str:
        """The key of a variable, or of a packed one, in the dictionary that programs are given."""
        if isinstance(node.op, Packed):
            names = ", ".join(self.state[part] for part in node.op.parts)
            return f"packed {zlib.crc32(names.encode()):08x}: {names:.40}"
        return self.state[node]

    @cached_property
    def instrs(self) -> list[Instr]:
        return lowered(self.graph, self.streams, self.loop_prefix)

    @cached_property
    def plan(self) -> Plan:
        return plan(self.graph, self.instrs)

    @cached_property
    def constants(self) -> list[Node]:
        """Constants that the program reads as arrays."""
        return constants_in(self.graph, self.instrs)

    @cached_property
    def sizes(self) -> list[str]:
        """Names of the symbolic sizes, in alphabetical order; GraphError where nothing that is fed settles one."""
        arrays = [node for node in self.graph.nodes if not isinstance(node.type, TupleType)]
        shapes = {node.shape: node for node in reversed(arrays)}
        names = sorted(symbols_of(d for shape in shapes for d in shape))
        fed = symbols_of(d for node in self.graph.placeholders for d in node.shape)
        for lost in [name for name in names if name not in fed]:
            node = next(node for shape, node in shapes.items() if lost in symbols_of(shape))
            raise GraphError(
                f"size {lost} of {plain(node.label)!r} ({node.type}) is settled by nothing that is fed; "
                f"give it a number, or feed a value that has it\n  {written_at(node)}".rstrip()
            )
        return names

    @cached_property
    def called(self) -> set[str]:
        """Names of the kernels that the program calls, directly or not."""
        names = {name for instr in self.instrs for name in instr.template.names}
        names |= {kernel for loop in self.loops for kernel in loop.called}
        return set(kernels_among({*names, "packed"} if self.graph.packs else names))

    @cached_property
    def loops(self) -> list[Loop]:
        """Functions for the loops of the program, each behind those that it calls."""
        return all_loops(self.instrs)

    @cached_property
    def functions(self) -> set[str]:
        """Names that the fast style gives to NumPy's functions."""
        calls = (call for instr in self.instrs if not instr.is_static for call in instr.template.calls)
        return {name for name in map(functions_of, calls) if name}

    def namer(self, functions: Iterable[str] = ()) -> Namer:
        """A namespace in which the sizes, `functions` and everything the program calls are taken."""
        own = ("key", "step", "bind", "variables", "sizes", "constants")
        namer = Namer([*self.called, *own, *SCRIPT_NAMES, *(loop.name for loop in self.loops)])
        for size in self.sizes:
            if namer.has(size) or size in self.functions:
                raise GraphError(f"a size is called {size!r}, a name that programs need; call it 'N' or 'T', say")
        namer.reserve((*self.sizes, *functions))
        return namer
