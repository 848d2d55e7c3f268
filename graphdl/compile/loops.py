"""Loops in programs: each becomes a function of its own, with a line for each node of its body.

The function is the same text in both styles. Its results are stacks, which it writes entry by entry; the fast
style hands it memory for them that stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.compile.kernels import KERNELS, kernels_among
from graphdl.compile.names import Namer
from graphdl.compile.page import Page
from graphdl.ir.dim import symbols_of
from graphdl.ir.leaves import Constant
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import TupleType, shape_text
from graphdl.ops.scan import Scan

if TYPE_CHECKING:
    from graphdl.compile.lower import Instr


@dataclass(frozen=True)
class Loop:
    """The function `name` for a scan: `instrs` are the steps of its body."""

    name: str
    node: Node
    instrs: tuple[Instr, ...]

    @property
    def op(self) -> Scan:
        """The scan itself."""
        assert isinstance(self.node.op, Scan)
        return self.node.op

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """Symbolic sizes that the text of the function names; it is handed them."""
        shapes = [node.shape for node in self.op.body.graph.nodes if not isinstance(node.type, TupleType)]
        return tuple(sorted(symbols_of([self.op.length, *(d for shape in shapes for d in shape)])))

    @property
    def inner(self) -> list[Loop]:
        """Loops that the body calls, innermost first, and this one."""
        found = [loop for instr in self.instrs if instr.loop for loop in instr.loop.inner]
        return [*found, self]

    @cached_property
    def called(self) -> set[str]:
        """Names of the kernels that the body calls."""
        names = {name for instr in self.instrs for name in instr.template.names}
        return set(kernels_among(names))

    def call(self) -> str:
        """The expression for the results, over the operands of the scan."""
        operands = [f"_{i}" for i in range(len(self.node.inputs))]
        return f"{self.name}({', '.join([*operands, *self.sizes])})"

    def memory(self) -> str:
        """The expression for fresh memory for the results."""
        assert isinstance(self.node.type, TupleType)
        stacks = [f'xp.empty({shape_text(item.shape)}, "{item.dtype}")' for item in self.node.type.items]
        return f"({', '.join(stacks)},)"

    def page(self) -> Page:
        """The function as text, with the node behind each line."""
        return _Writer(self).page

    @cached_property
    def function(self) -> Any:
        """The function itself, on NumPy."""
        namespace: dict[str, Any] = {**KERNELS, "xp": np}
        for loop in self.inner[:-1]:
            namespace[loop.name] = loop.function
        exec(compile("\n".join(self.page().lines), f"<graphdl {self.name}>", "exec"), namespace)  # our own text
        return namespace[self.name]


class _Writer:
    """Writes the function of a loop."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.body = loop, loop.op.body
        self.scope = loop.node.scope.removeprefix("d/")
        self.page = Page()
        kernels = [*loop.called, *(inner.name for inner in loop.inner)]
        self.namer = Namer([*kernels, "xp", "out", "range"])
        self.namer.reserve(loop.sizes)
        self.step = self.namer.fresh("t")
        self.names: dict[Node, str] = {}
        self._head()
        self._constants()
        self._memory()
        self._loop()
        self.page.put("    return out")

    def _head(self) -> None:
        body = self.body
        stacks = {x: self.namer.fresh(f"{self._label(x)}_stack") for x in body.slices}
        for node in (*body.carries, *body.slices, *body.constants):
            self.names[node] = self.namer.fresh(self._label(node))
        names = [*_of(body.carries, self.names), *_of(body.slices, stacks), *_of(body.constants, self.names)]
        self.stacks = stacks
        self.page.put(f"def {self.loop.name}({', '.join([*names, *self.loop.sizes, 'out=None'])}):")

    def _constants(self) -> None:
        """Plain numbers that must be arrays."""
        from graphdl.compile.lower import constants_in, number_text

        for node in constants_in(self.body.graph, list(self.loop.instrs)):
            assert isinstance(node.op, Constant)
            self.names[node] = self.namer.fresh("constant")
            self._put(f'    {self.names[node]} = xp.array({number_text(node.op.value)}, "{node.dtype}")', node)

    def _memory(self) -> None:
        self.results = [self.namer.fresh(f"{self._label(node)}_all") for node in self.body.outputs]
        self.page.put("    if out is None:")
        self.page.put(f"        out = {self.loop.memory()}")
        self.page.put(f"    ({', '.join(self.results)},) = out")

    def _loop(self) -> None:
        length = self.loop.op.length
        steps = f"range({length} - 1, -1, -1)" if self.loop.op.reverse else f"range({length})"
        self.page.put(f"    for {self.step} in {steps}:")
        for node in self.body.slices:
            self._put(f"        {self.names[node]} = {self.stacks[node]}[{self.step}]", node)
        for instr in self.loop.instrs:
            operands = [t if o is None else self.names[o] for o, t in zip(instr.operands, instr.texts, strict=True)]
            self.names[instr.node] = self.namer.fresh(self._label(instr.node))
            self._put(f"        {self.names[instr.node]} = {instr.template.readable(operands)}", instr.node)
        for result, node in zip(self.results, self.body.outputs, strict=True):
            self._put(f"        {result}[{self.step}] = {self.names[node]}", node)
        carries = _of(self.body.carries, self.names)
        if carries:
            new = _of(self.body.outputs[: len(carries)], self.names)
            self.page.put(f"        {', '.join(carries)} = {', '.join(new)}")

    def _label(self, node: Node) -> str:
        """The name of the node without the scope of the loop, which everything here is in: ``d/lstm/h`` is ``d/h``."""
        label = self.body.graph.names.get(node, node.label)
        order, scope, own = label.partition(f"{self.scope}/")
        return order + own if self.scope and scope and not order.replace("d/", "") else label

    def _put(self, text: str, node: Node) -> None:
        self.page.put(text, node, f"{plain(self.body.graph.names.get(node, node.label))}: {node.type}")


def _of(nodes: Iterable[Node], names: dict[Node, str]) -> list[str]:
    return [names[node] for node in nodes]


def all_loops(instrs: Iterable[Instr]) -> list[Loop]:
    """The loops that `instrs` call, each behind those that it calls itself."""
    return [loop for instr in instrs if instr.loop for loop in instr.loop.inner]
