"""Reverse accumulation over numbers: which lie on the way, what arrives at each, and how it adds up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from graphdl.draw.digits import equals, inner, number, parsed
from graphdl.draw.formula import formulas
from graphdl.ir.leaves import scalar_of
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors
from graphdl.sheet.model import Formula
from graphdl.sheet.scalars import Equation, Link, Scalars

# A negative number behind an operator.
_BEHIND = re.compile(r"(?<=[+−×/] )(−[\d.]+(?:e−?\d+)?)")


class Wire(NamedTuple):
    """One way for a gradient to arrive: from the equation of `target` back to what it reads by `link`."""

    target: Node
    link: Link


@dataclass(frozen=True)
class Reverse:
    """The derivation of the gradients for `wrt`, over the equations of `made`."""

    made: Scalars
    wrt: tuple[Node, ...]

    @property
    def loss(self) -> str:
        """What the loss is called."""
        return self.made.symbols[self.made.loss]

    @cached_property
    def way(self) -> list[Equation]:
        """The equations between `wrt` and the loss, in order."""
        below = []
        depends = set(self.wrt)
        for equation in self.made.equations:
            if any(link.source in depends for link in equation.links):
                depends.add(equation.target)
                below.append(equation)
        return _reaching(self.made.loss, below)

    @cached_property
    def wires(self) -> dict[Node, list[Wire]]:
        """For each number on the way, the ways on which its gradient arrives."""
        inside = {*self.wrt, *(equation.target for equation in self.way)}
        found: dict[Node, list[Wire]] = {}
        for equation in self.way:
            for link in equation.links:
                if link.source in inside:
                    found.setdefault(link.source, []).append(Wire(equation.target, link))
        return found

    @cached_property
    def order(self) -> list[Node]:
        """The numbers that get a gradient, the loss first; the elements of one array in their own order."""
        arrays = [list(group) for _, group in groupby(self.way, key=lambda equation: equation.of)]
        between = [equation.target for array in reversed(arrays) for equation in array]
        return list(dict.fromkeys([*between, *self.wrt]))

    @cached_property
    def slopes(self) -> dict[Node, Any]:
        """What the local derivatives are worth."""
        return self.made.evaluate(wire.link.slope for wires in self.wires.values() for wire in wires)

    @cached_property
    def gradients(self) -> dict[Node, float]:
        """The gradient of each number on the way; nothing without values."""
        if not self.made.values:
            return {}
        found = {self.made.loss: 1.0}
        for node in self.order:
            if node not in found:
                found[node] = sum(found[w.target] * self.slopes[w.link.slope] for w in self.wires.get(node, ()))
        return found

    def partial(self, node: Node) -> str:
        """``∂L/∂w₁₁``"""
        return f"∂{self.loss}/∂{self.made.symbols[node]}"

    def local(self, wire: Wire) -> str:
        """``∂z/∂w₁₁``; ``∂(t + u)/∂u`` where ∂L/∂u means the derivative along all ways, of which this is one."""
        target, source = wire.target, wire.link.source
        if target is self.made.loss and len(self.wires[source]) > 1:
            formula = self.made.by_target[target].formula
            return f"∂({formulas([formula], self.made.symbols)[formula]})/∂{self.made.symbols[source]}"
        return f"∂{self.made.symbols[target]}/∂{self.made.symbols[source]}"

    def derivative(self, slope: Node) -> str:
        """The local derivative in symbols."""
        return formulas([slope], self.made.symbols)[slope]

    def value(self, slope: Node) -> str:
        """The local derivative as it is displayed."""
        return number(self.slopes[slope]) if slope in self.slopes else ""

    def lines(self, node: Node) -> tuple[Formula, ...]:
        """The chain rule at one number: in symbols, each local derivative, and with the numbers put in."""
        wires = self.wires.get(node, [])
        direct = all(wire.target is self.made.loss for wire in wires)
        found = [] if direct and len(wires) == 1 else [Formula(self._chain(node, wires), "chain")]
        found += [Formula(self.local_line(wire), "local") for wire in _distinct(wires, self.local_line)]
        if node in self.gradients and len(found) > 1:
            found.append(Formula(f"{self.partial(node)} = {self._product(node, wires)}", "numbers"))
        return tuple(found)

    def _chain(self, node: Node, wires: Sequence[Wire]) -> str:
        terms = [f"{self.partial(wire.target)} · {self.local(wire)}" for wire in wires]
        return f"{self.partial(node)} = {' + '.join(terms)}"

    def _product(self, node: Node, wires: Sequence[Wire]) -> str:
        pairs = [(self.gradients[wire.target], self.slopes[wire.link.slope]) for wire in wires]
        return inner(pairs, self.gradients[node])

    def local_line(self, wire: Wire) -> str:
        """``∂a/∂z = a · (1 − a) = 0.6 × (1 − 0.6) = 0.24``"""
        slope = wire.link.slope
        return " = ".join((self.local(wire), *worked(self.made, slope, self.slopes.get(slope))))


def worked(made: Scalars, expression: Node, value: Any = None) -> tuple[str, ...]:
    """``w · x`` and ``0.5 × 2 = 1``: in symbols, and with the numbers put in where there is a value."""
    symbolic = formulas([expression], made.symbols)[expression]
    if value is None or scalar_of(expression) is not None:
        return (symbolic,)
    shown = number(value)
    if expression in made.symbols:
        return symbolic, shown
    leaves = [node for node in ancestors([expression], stop=made.symbols) if node in made.symbols]
    digits = {node: number(made.values[node]) for node in leaves}
    put_in = _BEHIND.sub(r"(\1)", formulas([expression], digits)[expression].replace("·", "×"))
    rounded = {node: _as_shown(made.values[node]) for node in leaves}
    sign = "=" if isinstance(value, bool) else equals(float(made.at([expression], rounded)[expression]), shown)
    return symbolic, (f"{put_in} {sign} {shown}" if put_in != shown else shown)


def _as_shown(value: Any) -> Any:
    return value if isinstance(value, bool | int) else parsed(number(value))


def _reaching(loss: Node, equations: Sequence[Equation]) -> list[Equation]:
    """Those of `equations` that the loss depends on."""
    needed = {loss}
    kept = []
    for equation in reversed(equations):
        if equation.target in needed:
            needed.update(link.source for link in equation.links)
            kept.append(equation)
    return kept[::-1]


def _distinct(wires: Iterable[Wire], text: Callable[[Wire], str]) -> list[Wire]:
    """Without repetitions: both factors of x · x have the local derivative x."""
    return list({(wire.target, text(wire)): wire for wire in wires}.values())
