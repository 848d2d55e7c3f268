"""The fast style: a workspace made once for each batch size, and a step that writes into it.

The step updates the variables in place. It makes the same calls in the same order as the readable style: same bits.
"""

from __future__ import annotations

from collections.abc import Callable

from graphdl.compile.emitter import Emitter
from graphdl.compile.loops import Loop
from graphdl.compile.lower import Instr
from graphdl.compile.memory import Buffer
from graphdl.compile.names import Namer
from graphdl.compile.page import Page, Style
from graphdl.compile.program import Program
from graphdl.compile.template import Argument, Literal, Out, Slot, call_text, functions_of, template
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import TupleType, shape_text


class FastEmitter(Emitter):
    """`bind` makes the workspace for one batch size, `step` runs in it."""

    style: Style = "fast"

    def __init__(self, program: Program, header: str = "import numpy as xp", function: str = "step") -> None:
        super().__init__(program, header, function)
        self.plan = program.plan
        self.bound = Page()
        self.steps = Page()
        self.functions: dict[str, None] = {}
        self.literals: dict[tuple[str, str], str] = {}
        self.buffers: dict[tuple[int, str], str] = {}
        self.first_names: dict[int, str] = {}
        self.globals: list[str] = []
        self.temps = [self.namer.fresh(f"t{i}") for i in range(_most_temps(program))]
        self.fixed: set[Node] = {*program.graph.variables, *program.graph.packs, *program.constants}

    def _namer(self) -> Namer:
        return self.program.namer(self.program.functions)

    def _functions(self) -> None:
        for instr in self.program.instrs:
            self._instr(instr)
        self._finish()
        put = self.page.put
        if self.program.loops:
            put()
            put()
        for function in sorted(self.functions):
            base = function.removesuffix("_reduce")
            put(f"{function} = xp.{base}" + (".reduce" if base != function else ""))
        self._put_bind()
        put()
        put()
        put(f"def {self.function}(key{self._feeds()}):")
        self.page.append(self.steps)

    def _put_bind(self) -> None:
        """`bind` sets module globals: Python compiles them in linear time, closures over thousands in quadratic."""
        put = self.page.put
        put()
        put()
        put("def bind(variables, sizes):")
        state = [self.names[node] for node in (*self.program.graph.packs, *self.program.graph.variables)]
        names = [*self.program.sizes, *state, *self.globals]
        for start in range(0, len(names), 8):
            put(f"    global {', '.join(names[start : start + 8])}")
        for size in self.program.sizes:
            put(f'    {size} = sizes["{size}"]')
        self._state()
        self.page.append(self.bound)
        if not names and not self.bound.lines:
            put("    pass")

    def _instr(self, instr: Instr) -> None:
        if instr.is_static or (instr.is_view and self._is_fixed(instr)):
            self._bind(instr)
            return
        if instr.loop:
            self._call_loop(instr, instr.loop)
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
            self.steps.put(f"    {text}", instr.node, self._comment(instr.node) if i == last else "")
        self.names[instr.node] = name

    def _call_loop(self, instr: Instr, loop: Loop) -> None:
        """A loop writes its stacks into memory that stays, so that views of them can be made once."""
        name = self.names[instr.node] = self._global(self.program.graph.names[instr.node])
        self.bound.put(f"    {name} = {loop.memory()}")
        call = self._whole(instr, instr.template.source)
        self.steps.put(f"    {call[:-1]}, out={name})", instr.node, self._comment(instr.node))
        self.fixed.add(instr.node)

    def _bind(self, instr: Instr) -> None:
        """A view of memory that never moves, or a value that never changes, is made once."""
        name = self.names[instr.node] = self._global(self.program.graph.names[instr.node])
        text = self._whole(instr, instr.template.source)
        self.bound.put(f"    {name} = {text}", instr.node, self._comment(instr.node))
        self.fixed.add(instr.node)

    def _global(self, label: str) -> str:
        """A name that `bind` sets."""
        self.globals.append(self.namer.fresh(label))
        return self.globals[-1]

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
            name = self.buffers[buffer.number, shape] = self._global(f"b{buffer.number}")
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
            if isinstance(argument, Literal):
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
            name = self.literals[text, dtype] = self._global(f"c_{text}".replace("-", "minus_").replace(".", "p"))
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
        put(f"    fetches = ({''.join(f'{text}, ' for text in fetches)})")
        waiting = [(v, value) for v, value in graph.updates if value not in self.plan.variable]
        roots = {variable for variable, _ in graph.updates}
        texts = {}
        for variable, value in waiting:
            texts[variable] = self.names[value]
            if self.plan.root(value) in roots:
                texts[variable] = self.namer.fresh("saved")
                put(f"    {texts[variable]} = {self.names[value]}.copy()", value)
        for variable, value in waiting:
            put(
                f"    {self.names[variable]}[...] = {texts[variable]}",
                value,
                f"{plain(variable.label)} <- its new value",
            )
        put("    return fetches")

    def _fetch(self, node: Node) -> str:
        root = self.plan.root(node)
        own = root.inputs and root not in self.fixed
        return self.names[node] if own else f"{self.names[node]}.copy()"


def _literal_dtype(instr: Instr) -> str:
    """The dtype of numbers that stand in a template: that of the operands they meet."""
    first = instr.node.inputs[0].type
    return "float32" if isinstance(first, TupleType) else first.dtype


def _most_temps(program: Program) -> int:
    return max((len(instr.template.calls) for instr in program.instrs), default=0)
