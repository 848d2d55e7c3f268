"""The formulas of a step as small trees that a script can build elements from; equal parts are kept once."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from typing import Any

from graphdl.draw.labels import gradient_text, value_text
from graphdl.draw.mathml import chain_mathml, mathml
from graphdl.draw.model import Frame, LaneRule, Step, Trace, TraceEdge, TraceNode, Value

# What a formula may consist of; the script makes no other element and sets no other attribute.
TAGS = ("math", "mrow", "mi", "mn", "mo", "mtext", "msub", "msup", "msubsup", "munder", "mfrac", "msqrt")
ATTRIBUTES = ("class", "mathvariant", "stretchy", "form", "displaystyle")

# A step about the whole graph lists so many formulas or numbers.
_MOST_LISTED = 16

# A formula: a number in the table, or a text that stands for itself.
Line = list[Any]


class Formulas:
    """A table of elements, each ``[tag, attributes, child, …]``: a child is a text or the number of another element."""

    def __init__(self) -> None:
        self.table: list[list[Any]] = []
        self._numbers: dict[str, int] = {}
        self._known: dict[str, int] = {}

    def add(self, markup: str) -> int:
        """The number of the element that `markup` (from our own MathML writer) describes."""
        if markup not in self._known:
            self._known[markup] = self._element(ElementTree.fromstring(markup))
        return self._known[markup]

    def _element(self, element: ElementTree.Element) -> int:
        """Our formulas are nested a few levels deep, whatever the graph."""
        tag = element.tag.rpartition("}")[2]
        assert tag in TAGS, f"{tag} is no element of a formula"
        assert all(name in ATTRIBUTES for name in element.attrib), f"{element.attrib} of {tag}"
        children: list[Any] = [element.text] if element.text else []
        for child in element:
            children.append(self._element(child))
            children += [child.tail] if child.tail else []
        return self._number([tag, _attributes(element), *children])

    def _number(self, row: list[Any]) -> int:
        key = repr(row)
        if key not in self._numbers:
            self._numbers[key] = len(self.table)
            self.table.append(row)
        return self._numbers[key]

    def step(self, step: Step, edges: Mapping[str, TraceEdge]) -> list[Any]:
        """What the formula panel shows: for each wire, or for the op, its lines."""
        if step.lanes:
            return [self.lane(lane, edges[lane.edge].source, step) for lane in step.lanes]
        lines = [self._line("formula", step.formula), self._line("numbers", step.substituted)]
        return [{"lines": found}] if (found := [line for line in lines if line]) else []

    def overview(self, step: Step, trace: Trace, frame: Frame) -> list[Any]:
        """What a step about the whole graph says: every formula, what is given, or every gradient asked for."""
        if step.phase == "graph":
            lines = [self._part(f"{node.symbol} = {node.formula}") for node in trace.forward if node.formula]
        elif step.phase == "feed":
            given = (node for node in trace.forward if node.id in step.values and node.kind != "constant")
            lines = [self._number_of(node, node.symbol, step.values[node.id], value_text) for node in given]
        elif step.phase == "summary" and trace.loss:
            loss = trace.by_id[trace.loss].symbol
            asked = (trace.by_id[key] for key in trace.wrt if key in frame.gradients)
            lines = [self._number_of(n, f"∂{loss}/∂{n.symbol}", frame.gradients[n.id], gradient_text) for n in asked]
        else:
            return []
        more = len(lines) - _MOST_LISTED
        found = [{"lines": [line]} for line in lines[:_MOST_LISTED]]
        return [*found, {"lines": [["more", more]]}] if more > 0 else found

    def _number_of(self, node: TraceNode, left: str, value: Value, text: Callable[[Value], str]) -> Line:
        """``x = 1.5``; what sums up an array is no formula, and stands behind one."""
        if value.shape:
            return [*self._part(left), f" = {text(value)},  {node.shape}"]
        return self._part(f"{left} = {text(value)}")

    def _part(self, text: str) -> Line:
        return ["part", self.add(mathml(text))]

    def lane(self, lane: LaneRule, source: str, step: Step) -> dict[str, Any]:
        """The chain rule, the local rule, how shapes multiply, the numbers, and what becomes of several gradients."""
        element = lane.numbers.startswith("[")
        lines = [
            ["chain", self.add(chain_mathml(lane, "en"))],
            self._line("rule", lane.rule),
            self._line("shapes", lane.shapes),
            self._line("element" if element else "numbers", lane.numbers),
            *self._arrival(lane, step.sums.get(source, "")),
        ]
        return {"edge": lane.edge, "lines": [line for line in lines if line]}

    def _arrival(self, lane: LaneRule, total: str) -> list[Line]:
        """Which of several gradients this is, or their sum with the reason for it."""
        if not lane.arrival:
            return []
        k, of, n = lane.arrival.partition(" of ")
        if of and k != n:
            return [["arrival", int(k), int(n)]]
        terms = int(n) if of else lane.arrival.count(" + ") + 1
        if of:
            return [["sumOf", self.add(mathml(lane.downstream)), int(n)], ["why", terms]]
        return [self._line("sum", f"{lane.downstream} = {total or lane.arrival}"), ["why", terms]]

    def _line(self, kind: str, text: str) -> Line:
        """A line of a plain formula; nothing where there is nothing to say."""
        return [kind, self.add(mathml(text))] if text else []


def _attributes(element: ElementTree.Element) -> dict[str, str] | int:
    """An element without attributes says 0, which is shorter."""
    return dict(element.attrib) or 0
