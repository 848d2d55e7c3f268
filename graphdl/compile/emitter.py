"""What both styles of source share: names of leaves, the header, kernels, constants, comments."""

from __future__ import annotations

from typing import Any

from graphdl.compile.kernels import kernel_text
from graphdl.compile.lower import INLINE_ELEMENTS, number_text
from graphdl.compile.names import Namer
from graphdl.compile.page import Module, Page, Style, chain_rule_term
from graphdl.compile.program import Program
from graphdl.ir.dim import SymDim, linear
from graphdl.ir.leaves import Constant, Packed
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import shape_text


class Emitter:
    """What both styles share: names of leaves and values, the header, comments."""

    style: Style

    def __init__(self, program: Program, header: str = "import numpy as xp", function: str = "step") -> None:
        self.program = program
        self.header = header
        self.function = function
        self.namer = self._namer()
        self.names: dict[Node, str] = {}
        self.page = Page()
        self.handed: dict[str, Node] = {}
        graph_names = program.graph.names
        for node in (*program.graph.placeholders, *program.graph.variables, *program.graph.packs, *program.constants):
            self.names[node] = self.namer.fresh("constant" if isinstance(node.op, Constant) else graph_names[node])

    def module(self) -> Module:
        """The whole text: header, kernels, constants, functions."""
        self.page.lines += self.header.splitlines()
        kernels = self._kernels()
        body = len(self.page.lines)
        if self.function == "step":
            self._constants()
        self._loops()
        self._functions()
        return Module("\n".join(self.page.lines) + "\n", self.page.nodes, self.style, self.handed, kernels, body)

    def _namer(self) -> Namer:
        return self.program.namer()

    def _functions(self) -> None:
        raise NotImplementedError

    def _kernels(self) -> frozenset[str]:
        """Put the kernels that are called; returns their names."""
        for text in kernel_text(self.program.called):
            self.page.lines += ["", "", *text.splitlines()]
        return frozenset(self.program.called)

    def _loops(self) -> None:
        for loop in self.program.loops:
            self.page.lines += ["", ""]
            self.page.append(loop.page())

    def _constants(self, indent: str = "") -> None:
        """Constants of the module; of any other function than the step, its own."""
        if self.program.constants and not indent:
            self.page.lines += ["", ""]
        for node in self.program.constants:
            text = f"{indent}{self.names[node]} = {self._constant(node)}"
            self.page.put(text, node, self._comment(node, self.names[node]))

    def _constant(self, node: Node) -> str:
        assert isinstance(node.op, Constant)
        value = node.op.value
        if value.size <= INLINE_ELEMENTS:
            return f'xp.array({_array_text(value)}, "{value.dtype}")'
        name = self.names[node] if self.function == "step" else f"{self.function} {self.names[node]}"
        self.handed[name] = node
        return f"constants[{name!r}]"

    def _state(self) -> None:
        """Read the variables by name. Packed ones come first, since packing moves the variables they hold."""
        for node in self.program.graph.packs:
            assert isinstance(node.op, Packed)
            parts = "".join(f"({self.program.state[part]!r}, {shape_text(part.shape)}), " for part in node.op.parts)
            text = f"packed(variables, {self.program.state_name(node)!r}, ({parts.rstrip()}))"
            self.page.put(f"    {self.names[node]} = {text}", node, str(node.type))
        for node in self.program.graph.variables:
            self.page.put(f"    {self.names[node]} = variables[{self.program.state[node]!r}]", node, str(node.type))

    def _comment(self, node: Node, name: str = "") -> str:
        """Label and type of a node, and its term of the chain rule."""
        label = plain(self.program.graph.names[node])
        kind = str(node.type) if label == name else f"{label}: {node.type}"
        return kind + chain_rule_term(node)

    def _feeds(self) -> str:
        return "".join(f", {self.names[node]}" for node in self.program.graph.placeholders)

    def _sizes(self, indent: str) -> None:
        """Read the symbolic sizes off the shapes of what is fed."""
        for size in self.program.sizes:
            node, axis, factor, rest = where_size_is_read(self.program, size)
            length = f"{self.names[node]}.shape[{axis}]"
            self.page.put(
                f"{indent}{size} = {length if (factor, rest) == (1, 0) else f'({length} - {rest}) // {factor}'}"
            )


def where_size_is_read(program: Program, size: str) -> tuple[Node, int, int, int]:
    """A placeholder, an axis of it, and the factor and rest for which its length is ``factor*size + rest``."""
    found = []
    for node in program.graph.placeholders:
        for axis, d in enumerate(node.shape):
            solved = linear(d) if isinstance(d, SymDim) else None
            if solved and solved[0] == size:
                found.append((node, axis, *solved[1:]))
    assert found, f"size {size} is not an axis of any placeholder"
    return next((f for f in found if f[2:] == (1, 0)), found[0])


def _array_text(value: Any) -> str:
    if not value.ndim:
        return number_text(value)
    inside = ", ".join(_array_text(row) if row.ndim else number_text(row) for row in value)
    return f"[{inside}]"
