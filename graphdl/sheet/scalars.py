"""A graph of arrays as equations between numbers: ``z₁ = w₁₁ · x₁ + w₁₂ · x₂ + b₁``, with every local derivative.

Each number is a placeholder of its own; equations and local derivatives are small graphs over them, so the
formulas, their values and their closed forms come from where they come from everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, constant, placeholder
from graphdl.ir.node import Node
from graphdl.ir.traverse import substitute
from graphdl.runtime.stepper import Stepper
from graphdl.sheet.naming import element_name
from graphdl.sheet.point import Run

Index = tuple[int, ...]
# An array of elements.
Array = Any


class Link(NamedTuple):
    """A number that an equation reads, and the local derivative for it, over numbers."""

    source: Node
    slope: Node


class Element(NamedTuple):
    """One element of an array: an expression over numbers, and its local derivatives."""

    node: Node
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Equation:
    """``target = formula``; `links` has one entry for each time that the formula reads a number that varies.

    `of` is the node of the graph that the number is an element of.
    """

    target: Node
    formula: Node
    links: tuple[Link, ...]
    of: Node


@dataclass
class Scalars:
    """Every number of a graph: `equations` in order, `given` the leaves, `symbols` and `values` by number.

    `elements` has the numbers of each node of the graph, `of` the node that each number belongs to.
    """

    run: Run
    equations: list[Equation] = field(default_factory=list)
    given: list[Node] = field(default_factory=list)
    elements: dict[Node, Array] = field(default_factory=dict)
    symbols: dict[Node, str] = field(default_factory=dict)
    values: dict[Node, Any] = field(default_factory=dict)
    of: dict[Node, Node] = field(default_factory=dict)

    @cached_property
    def by_target(self) -> dict[Node, Equation]:
        """The equation that defines each number that is computed."""
        return {equation.target: equation for equation in self.equations}

    @property
    def loss(self) -> Node:
        """The number that the loss is."""
        return self.number(self.run.loss, ())

    def number(self, node: Node, index: Index) -> Node:
        """The number that the element `index` of `node` is."""
        found: Element = self.elements[node][index]
        return found.node

    def named(self, of: Node, name: str, value: Any) -> Array:
        """Numbers for the elements of a leaf called `name`, worth what `value` says if anything."""
        shape = self.run.shape(of)
        made = filled(shape, lambda index: self._new(of, element_name(name, shape, index), index, value))
        self.given += [element.node for element in made.ravel()]
        return filled(shape, lambda index: Element(made[index].node)) if isinstance(of.op, Constant) else made

    def _new(self, of: Node, symbol: str, index: Index, value: Any) -> Element:
        number = placeholder((), of.dtype, name=symbol)
        self.symbols[number] = symbol
        self.of[number] = of
        if value is not None:
            self.values[number] = value[index].item()
        return Element(number, (Link(number, one()),))

    def defined(self, of: Node, name: str, written: Array, value: Any) -> Array:
        """Numbers called `name` for the elements of an array, each with the equation that is `written` for it.

        What is a number already stays as it is. Local derivatives speak of the new numbers where they can.
        """
        fresh = [i for i in np.ndindex(*written.shape) if self._is_fresh(of, written[i].node)]
        made = {i: self._new(of, element_name(name, written.shape, i), i, value) for i in fresh}
        became = {written[i].node: element.node for i, element in made.items()}
        for i, element in made.items():
            slopes = substitute([link.slope for link in written[i].links], became)
            links = tuple(Link(link.source, slope) for link, slope in zip(written[i].links, slopes, strict=True))
            self.equations.append(Equation(element.node, written[i].node, links, of))
        return filled(written.shape, lambda i: _varying(made[i], written[i]) if i in made else written[i])

    def _is_fresh(self, of: Node, node: Node) -> bool:
        """Whether an expression wants a symbol of its own; the loss always has one."""
        return of is self.run.found.loss or (node not in self.symbols and not isinstance(node.op, Constant))

    def evaluate(self, nodes: Iterable[Node]) -> dict[Node, Any]:
        """What expressions over numbers are worth; nothing without values."""
        wanted = list(dict.fromkeys(nodes))
        return self.at(wanted, self.values) if self.values and wanted else {}

    def at(self, nodes: Sequence[Node], values: Mapping[Node, Any]) -> dict[Node, Any]:
        """What expressions are worth where numbers have these `values`."""
        graph = Graph(nodes)
        known = Stepper(graph, {node: values[node] for node in graph.placeholders}).values()
        return {node: np.asarray(known[node]).item() for node in nodes}


def _varying(made: Element, written: Element) -> Element:
    """A number that depends on none has no derivatives."""
    return made if written.links else Element(made.node)


def filled(shape: Index, element: Callable[[Index], Element]) -> Array:
    """An array of elements."""
    found = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        found[index] = element(index)
    return found


def numbers(value: Any, dtype: str) -> Array:
    """Elements that are plain numbers."""
    return filled(np.shape(value), lambda index: Element(constant(value[index], dtype)))


def one() -> Node:
    """The derivative of a number for itself."""
    return constant(1.0, "float64")
