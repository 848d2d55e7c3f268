"""What the scripts of a page know: nodes, wires, program, texts, and the steps at each granularity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphdl.draw.granularity import at_granularity
from graphdl.draw.model import Trace, TraceNode
from graphdl.draw.page import LANGUAGES
from graphdl.draw.player.formulas import Formulas
from graphdl.draw.player.moves import Moves, Strings
from graphdl.draw.player.texts import by_language
from graphdl.draw.style import one_line
from graphdl.draw.words import KOREAN, PHRASES

_LONGEST_LINE = 400


class Payload:
    """The data of one page; `granularities` are those it can be stepped by."""

    def __init__(self, trace: Trace, granularities: Iterable[str]) -> None:
        self.trace = trace
        self.strings, self.formulas = Strings(), Formulas()
        self.moves = Moves(trace, self.strings, self.formulas)
        self.steps = {word: at_granularity(trace, word).steps for word in granularities}
        self.told = {word: self.moves.of(steps) for word, steps in self.steps.items()}

    def add_ranges(self, slots: Sequence[str]) -> list[str]:
        """Let the steps tell what changes in `slots`, which show the gradients of several nodes."""
        for word, steps in self.steps.items():
            for step, more in zip(self.told[word], self.moves.ranges(steps, slots), strict=True):
                if more:
                    step.setdefault("x", []).extend(more)
        return list(slots)

    def data(self) -> dict[str, Any]:
        """All of it as JSON can say it."""
        trace = self.trace
        return {
            "count": len(trace.steps),
            "texts": {language: by_language(language) for language in LANGUAGES},
            "korean": KOREAN,
            "phrases": PHRASES,
            "loss": trace.by_id[trace.loss].symbol if trace.loss else "",
            "hasBackward": trace.has_backward,
            "nodes": [self._node(node) for node in trace.nodes],
            "edges": [[e.id, e.source, e.target, one_line(e.local_rule or e.rule)] for e in trace.edges if e.rule],
            "code": [line[:_LONGEST_LINE] for line in trace.code],
            "executed": [line[:_LONGEST_LINE] for line in trace.executed],
            "steps": self.told,
            "strings": self.strings.texts,
            "formulas": self.formulas.table,
        }

    def _node(self, node: TraceNode) -> dict[str, Any]:
        """What the card of a node says; what is empty is left out."""
        number = self.strings.number
        made = {
            "id": node.id,
            "symbol": node.symbol,
            "op": node.op,
            "kind": node.kind,
            "shape": node.shape,
            "dtype": node.dtype,
            "formula": node.formula,
            "scope": number(node.scope),
            "origin": number(node.origin),
            "source": number(node.source),
            "rule": node.rule,
            "inputs": node.inputs,
            "gradientFor": node.gradient_for,
            "code": node.code,
            "needs": int(node.requires_grad),
        }
        return {key: value for key, value in made.items() if value}
