"""A graph of arrays as equations between numbers: ``z₁ = w₁₁ · x₁ + w₁₂ · x₂ + b₁``, with every local derivative.

Each number is a placeholder of its own; equations and local derivatives are small graphs over them, so the
formulas, their values and their closed forms come from where they come from everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from graphdl.draw.subject import Subject
from graphdl.errors import DrawError
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, Size, constant, placeholder
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.traverse import substitute
from graphdl.ir.types import TensorType
from graphdl.runtime.stepper import Stepper
from graphdl.sheet.folding import folded
from graphdl.sheet.naming import element_name, letters
from graphdl.sheet.point import shape_at, sizes_of

# Equations beyond which nobody writes a derivation number by number.
MOST_EQUATIONS = 2000


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

    `of` is the node of the graph, `index` the element of it.
    """

    target: Node
    formula: Node
    links: tuple[Link, ...]
    of: Node
    index: tuple[int, ...]


@dataclass
class Scalars:
    """Every number of a graph: `equations` in order, `given` the leaves, `symbols` and `values` by number.

    `places` says which element of which node a number is.
    """

    found: Subject
    equations: list[Equation] = field(default_factory=list)
    given: list[Node] = field(default_factory=list)
    elements: dict[Node, Any] = field(default_factory=dict)
    symbols: dict[Node, str] = field(default_factory=dict)
    values: dict[Node, Any] = field(default_factory=dict)
    places: dict[Node, tuple[Node, tuple[int, ...]]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @cached_property
    def by_target(self) -> dict[Node, Equation]:
        """The equation that defines each number that is computed."""
        return {equation.target: equation for equation in self.equations}

    @property
    def loss(self) -> Node:
        """The number that the loss is."""
        assert self.found.loss is not None
        return self.number(self.found.loss, ())

    def number(self, node: Node, index: tuple[int, ...]) -> Node:
        """The number that the element `index` of `node` is."""
        found: Element = self.elements[node][index]
        return found.node

    def defined(self, of: Node, name: str, written: Any, value: Any) -> Any:
        """Numbers called `name` for the elements of an array, each with the equation that is `written` for it.

        What is a number already stays as it is. Local derivatives speak of the new numbers where they can.
        """
        fresh = {i for i in np.ndindex(*written.shape) if self._is_fresh(of, written[i].node)}
        made = {i: _symbol(self, of, name, written.shape, i, value) for i in np.ndindex(*written.shape) if i in fresh}
        became = {written[i].node: element.node for i, element in made.items()}
        for i, element in made.items():
            links = written[i].links
            slopes = substitute([link.slope for link in links], became)
            renewed = tuple(Link(link.source, slope) for link, slope in zip(links, slopes, strict=True))
            self.equations.append(Equation(element.node, written[i].node, renewed, of, i))
        return filled(written.shape, lambda i: _varying(made[i], written[i]) if i in made else written[i])

    def _is_fresh(self, of: Node, node: Node) -> bool:
        """Whether an expression wants a symbol of its own; the loss always has one."""
        return of is self.found.loss or (node not in self.symbols and not isinstance(node.op, Constant))

    def text(self, node: Node) -> str:
        """The symbol of a number, or what a constant prints as."""
        return self.symbols[node]

    def evaluate(self, nodes: Iterable[Node]) -> dict[Node, Any]:
        """What expressions over numbers are worth; nothing without values."""
        wanted = list(dict.fromkeys(nodes))
        if not self.values or not wanted:
            return {}
        return self.at(wanted, self.values)

    def at(self, nodes: Sequence[Node], values: Mapping[Node, Any]) -> dict[Node, Any]:
        """What expressions are worth where numbers have these `values`."""
        graph = Graph({str(i): node for i, node in enumerate(nodes)})
        known = Stepper(graph, {node: values[node] for node in graph.placeholders}).values()
        return {node: np.asarray(known[node]).item() for node in nodes}


def scalars(found: Subject, known: Mapping[Node, Any]) -> Scalars:
    """The numbers of the forward graph of `found`; `known` are the values of its nodes, or nothing.

    DrawError where an op cannot be written number by number, or where there would be too many of them.
    """
    from graphdl.sheet.expansion import expanded

    sizes = sizes_of(found, known)
    made = Scalars(found, sizes=sizes)
    _check_count(found, sizes)
    names = letters(found.forward, found.symbols)
    inner = folded(found.forward, {found.loss, *found.wrt}, sizes)
    for node in found.forward:
        if not isinstance(node.type, TensorType):
            made.elements[node] = expanded(made, node, known)
        elif not node.inputs:
            made.elements[node] = _leaf(made, node, names[node], known)
        else:
            written = expanded(made, node, known)
            made.elements[node] = written if node in inner else _named(made, node, names[node], written, known)
    return made


def size_of(found: Subject, known: Mapping[Node, Any]) -> int:
    """About how many equations there would be, products of matrices counted by their factors."""
    sizes = sizes_of(found, known)
    return sum(_work(node, sizes) for node in found.forward if node.inputs and isinstance(node.type, TensorType))


def _work(node: Node, sizes: Mapping[str, int]) -> int:
    count = int(np.prod(shape_at(node, sizes), dtype=object))
    return count * shape_at(node.inputs[0], sizes)[-1] if node.op.name == "matmul" else count


def _check_count(found: Subject, sizes: Mapping[str, int]) -> None:
    tensors = [node for node in found.forward if isinstance(node.type, TensorType)]
    count = sum(_work(node, sizes) for node in tensors if node.inputs)
    count = max([count, *(int(np.prod(shape_at(node, sizes), dtype=object)) for node in tensors)])
    if count > MOST_EQUATIONS:
        raise DrawError(
            f"number by number this graph has about {count:,} equations, expected at most {MOST_EQUATIONS:,}; "
            "derive it with matrices, --level matrix"
        )


def _leaf(made: Scalars, node: Node, name: str, known: Mapping[Node, Any]) -> Any:
    """What is given: unnamed constants, sizes and everything that is no float are plain numbers, the rest symbols."""
    shape = shape_at(node, made.sizes)
    value = _given_value(node, made, known)
    written = node.name is None and isinstance(node.op, Constant | Size)
    if written or not node.tensor.is_float:
        return _numbers(node, shape, value)
    return filled(shape, lambda index: _symbol(made, node, name, shape, index, value))


def _given_value(node: Node, made: Scalars, known: Mapping[Node, Any]) -> Any:
    if isinstance(node.op, Constant):
        return node.op.value
    if isinstance(node.op, Size):
        return np.asarray(shape_at_dim(node, made.sizes), node.dtype)
    return np.asarray(known[node]) if node in known else None


def shape_at_dim(node: Node, sizes: Mapping[str, int]) -> int:
    """The number that a size is."""
    from graphdl.ir.dim import evaluate

    assert isinstance(node.op, Size)
    return evaluate(node.op.dim, sizes)


def _numbers(node: Node, shape: tuple[int, ...], value: Any) -> Any:
    """Elements that are plain numbers; DrawError where they are fed and nobody has."""
    if value is None:
        raise DrawError(
            f"{plain(node.label)} is {node.type}, which the equations need as numbers; give values, --feed FILE.npz"
        )
    return filled(shape, lambda index: Element(constant(value[index], node.dtype)))


def _symbol(
    made: Scalars, node: Node, name: str, shape: tuple[int, ...], index: tuple[int, ...], value: Any
) -> Element:
    """A new number, called after the element it is."""
    symbol = element_name(name, shape, index)
    number = placeholder((), node.dtype, name=symbol)
    made.symbols[number] = symbol
    made.places[number] = (node, index)
    if value is not None:
        made.values[number] = value[index].item()
    if not node.inputs:
        made.given.append(number)
    varies = node.tensor.is_float and (bool(node.inputs) or not isinstance(node.op, Constant))
    return Element(number, (Link(number, one()),) if varies else ())


def _named(made: Scalars, node: Node, name: str, written: Any, known: Mapping[Node, Any]) -> Any:
    """Numbers for the elements of `node`, each defined by what is `written`; what is only passed on stays."""
    value = np.asarray(known[node]) if node in known else None
    return made.defined(node, name, written, value)


def _varying(made: Element, written: Element) -> Element:
    """A number that depends on none has no derivatives."""
    return made if written.links else Element(made.node)


def filled(shape: tuple[int, ...], element: Any) -> Any:
    """An array of elements."""
    found = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        found[index] = element(index)
    return found


def one() -> Node:
    """The derivative of a number for itself."""
    return constant(1.0, "float64")
