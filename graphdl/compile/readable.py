"""The readable style: one pure function, a line a node."""

from __future__ import annotations

from graphdl.compile.emitter import Emitter
from graphdl.compile.lower import Instr
from graphdl.compile.page import Style


class ReadableEmitter(Emitter):
    """One pure function, a line a node."""

    style: Style = "readable"

    def _functions(self) -> None:
        put = self.page.put
        put("")
        put("")
        put(f"def {self.function}(variables, key{self._feeds()}):")
        if self.function != "step":
            self._constants("    ")
        self._state()
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
            owned = not plan.root(node).op.is_leaf
            put(f"        {self.names[node]}{'' if owned else '.copy()'},", node)
        put("    )")
        put("    updates = {")
        for variable, value in graph.updates:
            put(f"        {self.program.state_name(variable)!r}: {self.names[value]},", value)
        put("    }")
        put("    return fetches, updates")
