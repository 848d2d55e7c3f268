"""Source text of a program, in two styles from one schedule, with the node behind each line.

*readable*: ``step(variables, key, x, ...)`` is a pure function, a line a node, and returns fetches and new values.
*fast*: ``bind(variables, N)`` allocates the workspace for one batch size and returns ``step(key, x, ...)``, which
writes into it and updates the variables in place. Both make the same calls in the same order: same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from graphdl.compile.kernels_text import kernel_text
from graphdl.compile.lower import INLINE_ELEMENTS, Instr, number_text
from graphdl.compile.memory import Buffer
from graphdl.compile.program import Program
from graphdl.compile.template import Argument, Out, Slot, call_text, functions_of, template
from graphdl.compile.template import Literal as LiteralText
from graphdl.ir.leaves import Constant, Placeholder, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import TupleType, shape_text

Style = Literal["readable", "fast"]
_COMMENT_COLUMN = 52


@dataclass(frozen=True)
class Module:
    """Generated source: the text, the node behind each line (by line number), and arrays it is handed."""

    text: str
    nodes: dict[int, Node]
    style: Style
    constants: dict[str, Node]

    def line(self, number: int) -> str:
        """Line `number`, counted from 1."""
        return self.text.splitlines()[number - 1]


@dataclass
class _Page:
    """Lines being written, with the node behind each."""

    lines: list[str] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)

    def put(self, text: str, node: Node | None = None, comment: str = "") -> None:
        if node is not None:
            self.nodes[len(self.lines) + 1] = node
        self.lines.append(f"{text:<{_COMMENT_COLUMN}}  # {comment}" if comment else text)


class Emitter:
    """What both styles share: names of leaves and values, the header, comments."""

    style: Style

    def __init__(self, program: Program, header: str = "import numpy as xp") -> None:
        self.program = program
        self.header = header
        self.namer = program.namer()
        self.names: dict[Node, str] = {}
        self.page = _Page()
        self.handed: dict[str, Node] = {}
        graph_names = program.graph.names
        for node in (*program.graph.placeholders, *program.graph.variables, *program.constants):
            self.names[node] = self.namer.fresh("constant" if isinstance(node.op, Constant) else graph_names[node])

    def module(self) -> Module:
        """The whole text: header, kernels, constants, functions."""
        self.page.lines += self.header.splitlines()
        self._kernels()
        self._constants()
        self._functions()
        return Module("\n".join(self.page.lines) + "\n", self.page.nodes, self.style, self.handed)

    def _functions(self) -> None:
        raise NotImplementedError

    def _kernels(self) -> None:
        called = {name for instr in self.program.instrs for name in instr.template.names}
        for text in kernel_text(called):
            self.page.lines += ["", "", *text.splitlines()]

    def _constants(self) -> None:
        if self.program.constants:
            self.page.lines += ["", ""]
        for node in self.program.constants:
            self.page.put(f"{self.names[node]} = {self._constant(node)}", node, self._comment(node, self.names[node]))

    def _constant(self, node: Node) -> str:
        assert isinstance(node.op, Constant)
        value = node.op.value
        if value.size <= INLINE_ELEMENTS:
            return f'xp.array({_array_text(value)}, "{value.dtype}")'
        self.handed[self.names[node]] = node
        return f"constants[{self.names[node]!r}]"

    def _comment(self, node: Node, name: str = "") -> str:
        label = plain(self.program.graph.names[node])
        return str(node.type) if label == name else f"{label}: {node.type}"

    def _feeds(self) -> str:
        return "".join(f", {self.names[node]}" for node in self.program.graph.placeholders)

    def _sizes(self, indent: str) -> None:
        """Read the symbolic sizes off the shapes of what is fed."""
        for size in self.program.sizes:
            node, axis = where_size_is_read(self.program, size)
            self.page.put(f"{indent}{size} = {self.names[node]}.shape[{axis}]")

    def _updated(self) -> list[tuple[Node, Node]]:
        return list(self.program.graph.updates)


class ReadableEmitter(Emitter):
    """One pure function, a line a node."""

    style: Style = "readable"

    def _functions(self) -> None:
        put = self.page.put
        put("")
        put("")
        put(f"def step(variables, key{self._feeds()}):")
        for node in self.program.graph.variables:
            put(f"    {self.names[node]} = variables[{self.program.state[node]!r}]", node, str(node.type))
        self._sizes("    ")
        for instr in self.program.instrs:
            self._instr(instr)
        self._return()

    def _instr(self, instr: Instr) -> None:
        expression = instr.template.readable(self._operands(instr))
        name = self.names[instr.node] = self.namer.fresh(self.program.graph.names[instr.node])
        self.page.put(f"    {name} = {expression}", instr.node, self._comment(instr.node, name))

    def _operands(self, instr: Instr) -> list[str]:
        return [t if o is None else self.names[o] for o, t in zip(instr.operands, instr.texts, strict=True)]

    def _return(self) -> None:
        graph, plan = self.program.graph, self.program.plan
        put = self.page.put
        put("    fetches = (")
        for node in graph.outputs.values():
            owned = plan.root(node).inputs or not isinstance(plan.root(node).op, VariableLeaf | Placeholder | Constant)
            put(f"        {self.names[node]}{'' if owned else '.copy()'},", node)
        put("    )")
        put("    updates = {")
        for variable, value in graph.updates:
            put(f"        {self.program.state[variable]!r}: {self.names[value]},", value)
        put("    }")
        put("    return fetches, updates")


class FastEmitter(Emitter):
    """A function that binds the workspace and returns the step."""

    style: Style = "fast"

    def __init__(self, program: Program, header: str = "import numpy as xp") -> None:
        super().__init__(program, header)
        self.plan = program.plan
        self.bound = _Page()
        self.steps = _Page()
        self.functions: dict[str, None] = {}
        self.literals: dict[tuple[str, str], str] = {}
        self.buffers: dict[tuple[int, str], str] = {}
        self.first_names: dict[int, str] = {}
        functions = {functions_of(c) for instr in program.instrs for c in instr.template.calls if not instr.is_static}
        for function in functions - {None}:
            self.namer.fresh(str(function))
        self.temps = [self.namer.fresh(f"t{i}") for i in range(_most_temps(program))]
        self.fixed: set[Node] = {*program.graph.variables, *program.constants}

    def _functions(self) -> None:
        for instr in self.program.instrs:
            self._instr(instr)
        self._finish()
        put = self.page.put
        for function in sorted(self.functions):
            base = function.removesuffix("_reduce")
            put(f"{function} = xp.{base}" + (".reduce" if base != function else ""))
        put("")
        put("")
        put(f"def bind(variables{''.join(f', {size}' for size in self.program.sizes)}):")
        for node in self.program.graph.variables:
            put(f"    {self.names[node]} = variables[{self.program.state[node]!r}]", node, str(node.type))
        self._copy(self.bound)
        put("")
        put(f"    def step(key{self._feeds()}):")
        self._copy(self.steps)
        put("")
        put("    return step")

    def _copy(self, page: _Page) -> None:
        for number, line in enumerate(page.lines, start=1):
            self.page.put(line, page.nodes.get(number))

    def _instr(self, instr: Instr) -> None:
        if instr.is_static or (instr.is_view and self._is_fixed(instr)):
            self._bind(instr)
            return
        out = self._out(instr.node)

        def whole(text: str) -> str:
            return self._whole(instr, text)

        name = self._value_name(instr, out)
        last = len(instr.template.calls) - 1
        for i, call in enumerate(instr.template.calls):
            function = functions_of(call)
            if function:
                self.functions[function] = None
            target = name if i == last else self.temps[i]
            text = call_text(call, self._namer_of(instr, out, target), whole)
            self.steps.put(f"        {text}", instr.node, self._comment(instr.node) if i == last else "")
        self.names[instr.node] = name

    def _bind(self, instr: Instr) -> None:
        """A view of memory that never moves, or a value that never changes, is made once."""
        name = self.names[instr.node] = self.namer.fresh(self.program.graph.names[instr.node])
        text = self._whole(instr, instr.template.source)
        self.bound.put(f"    {name} = {text}", instr.node, self._comment(instr.node))
        self.fixed.add(instr.node)

    def _is_fixed(self, instr: Instr) -> bool:
        return all(source in self.fixed for source in instr.reads)

    def _out(self, node: Node) -> str | None:
        """Text of the memory that `node` is to be written to, if it has some."""
        variable = self.plan.variable.get(node)
        if variable is not None:
            self.fixed.add(node)
            return self.names[variable]
        buffer = self.plan.buffer.get(node)
        if buffer is None:
            return None
        self.fixed.add(node)
        return self._buffer(buffer, node)

    def _buffer(self, buffer: Buffer, node: Node) -> str:
        shape = shape_text(node.shape)
        name = self.buffers.get((buffer.number, shape))
        if name is None:
            first = self.first_names.get(buffer.number)
            name = self.buffers[buffer.number, shape] = self.namer.fresh(f"b{buffer.number}")
            self.first_names.setdefault(buffer.number, name)
            made = f'xp.empty({shape}, "{buffer.dtype}")' if first is None else f"{first}.reshape({shape})"
            self.bound.put(f"    {name} = {made}")
        return name

    def _value_name(self, instr: Instr, out: str | None) -> str:
        return out or self.namer.fresh(self.program.graph.names[instr.node])

    def _namer_of(self, instr: Instr, out: str | None, own: str) -> Callable[[Argument], str]:
        def name(argument: Argument) -> str:
            if isinstance(argument, Slot):
                return self._operand(instr, argument.index)
            if isinstance(argument, LiteralText):
                return self._literal(argument.text, _literal_dtype(instr))
            if isinstance(argument, Out):
                return out or own
            return self.temps[argument.index] if argument.index < len(instr.template.calls) - 1 else own

        return name

    def _operand(self, instr: Instr, slot: int) -> str:
        source = instr.operands[slot]
        return (
            self.names[source]
            if source is not None
            else self._literal(instr.texts[slot], instr.node.inputs[slot].dtype)
        )

    def _literal(self, text: str, dtype: str) -> str:
        """A 0-d array for a number: NumPy takes it at half the cost of a Python number."""
        name = self.literals.get((text, dtype))
        if name is None:
            name = self.literals[text, dtype] = self.namer.fresh(f"c_{text}".replace("-", "minus_").replace(".", "p"))
            self.bound.put(f'    {name} = xp.array({text}, "{dtype}")')
        return name

    def _whole(self, instr: Instr, text: str) -> str:
        """`text` of a whole call with operands put in; numbers stay numbers there."""
        names = [t if o is None else self.names[o] for o, t in zip(instr.operands, instr.texts, strict=True)]
        return template(text).readable(names)

    def _finish(self) -> None:
        """Fetch, then write the new values that are not in their variables yet."""
        put = self.steps.put
        graph = self.program.graph
        fetches = [self._fetch(node) for node in graph.outputs.values()]
        put(f"        fetches = ({''.join(f'{text}, ' for text in fetches)})")
        waiting = [(v, value) for v, value in graph.updates if value not in self.plan.variable]
        roots = {variable for variable, _ in graph.updates}
        texts = {}
        for variable, value in waiting:
            texts[variable] = self.names[value]
            if self.plan.root(value) in roots:
                texts[variable] = self.namer.fresh("saved")
                put(f"        {texts[variable]} = {self.names[value]}.copy()", value)
        for variable, value in waiting:
            put(
                f"        {self.names[variable]}[...] = {texts[variable]}",
                value,
                f"{plain(variable.label)} <- its new value",
            )
        put("        return fetches")

    def _fetch(self, node: Node) -> str:
        root = self.plan.root(node)
        own = root.inputs and root not in self.fixed
        return self.names[node] if own else f"{self.names[node]}.copy()"


def emit(program: Program, style: Style = "fast", header: str = "import numpy as xp") -> Module:
    """The source of `program` in the given style; `header` imports ``xp``."""
    emitter = FastEmitter if style == "fast" else ReadableEmitter
    return emitter(program, header).module()


def where_size_is_read(program: Program, size: str) -> tuple[Node, int]:
    """A placeholder and an axis of it whose length is the symbolic size."""
    for node in program.graph.placeholders:
        for axis, d in enumerate(node.shape):
            if str(d) == size:
                return node, axis
    raise AssertionError(f"size {size} is not an axis of any placeholder")


def _literal_dtype(instr: Instr) -> str:
    """The dtype of numbers that stand in a template: that of the operands they meet."""
    first = instr.node.inputs[0].type
    return "float32" if isinstance(first, TupleType) else first.dtype


def _most_temps(program: Program) -> int:
    return max((len(instr.template.calls) for instr in program.instrs), default=0)


def _array_text(value) -> str:  # type: ignore[no-untyped-def]
    if not value.ndim:
        return number_text(value)
    inside = ", ".join(_array_text(row) if row.ndim else number_text(row) for row in value)
    return f"[{inside}]"
