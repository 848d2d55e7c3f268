"""Small graphs in which a rule fires, found by trying: built from the rule's own pattern, never drawn by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from graphdl.autodiff.scan import scan
from graphdl.errors import GraphdlError
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Variable, constant, placeholder
from graphdl.ir.node import Node
from graphdl.ir.op import Op, build
from graphdl.ir.pattern import Pattern
from graphdl.ops.arithmetic import add_n, multiply, subtract
from graphdl.ops.parts import Slice
from graphdl.ops.reduce import sum as summed
from graphdl.ops.shape import BroadcastTo, Reshape, SumTo, Transpose, broadcast_to
from graphdl.ops.transcendental import exp
from graphdl.rewrite.engine import Firing, Rule, rewrite

Bindings = dict[str, Node]
# One way to make the value of a wildcard, from its name and from the wildcards before it.
Maker = Callable[[str, Bindings], Node | None]

_SHAPES: tuple[tuple[int, ...], ...] = ((2, 3), (3, 4), (4,), (3,), (2, 1), (), (4, 2, 3), (2, 4, 4, 2), (2, 2, 2, 2))
# Shapes that ops are asked to make.
_MADE = ((2, 3), (3, 2), (6,), (2, 4), (3,), (2, 1), (), (4, 2, 3))
_PLUMBING = (Reshape, Transpose, BroadcastTo, SumTo, Slice)
_PERMS = ((1, 0), (0, 1), (0,), (1, 2, 0))


@dataclasses.dataclass(frozen=True)
class Fired:
    """A rewrite that happened: the graph before, the graph after, and the firing."""

    before: Graph
    after: Graph
    firing: Firing


def fired(rule: Rule) -> Fired | None:
    """The first graph made from the rule's patterns in which it fires; None where it never does.

    Graphs in which plumbing does nothing, such as a reshape to the same shape, come last.
    """
    late = None
    for pattern in rule.patterns:
        for node, _ in _made(pattern, {}):
            found = _fired(rule, Graph({"out": node}))
            if found is not None and not any(map(_does_nothing, found.before.nodes)):
                return found
            late = late or found
    return late


def _fired(rule: Rule, graph: Graph) -> Fired | None:
    log: list[Firing] = []
    after, _ = rewrite(graph, [rule], limit=1, log=log)
    return Fired(graph, after, log[0]) if log else None


def _does_nothing(node: Node) -> bool:
    return isinstance(node.op, _PLUMBING) and node.type == node.inputs[0].type


def _made(pattern: Any, bound: Bindings) -> Iterator[tuple[Node, Bindings]]:
    """Nodes that look like `pattern`, simplest first, with what its wildcards became. Patterns are small."""
    if not isinstance(pattern, Pattern):
        return
    if pattern.op is None:
        yield from _wildcard(pattern.name, bound)
        return
    for operands, found in _operands(pattern.inputs, bound):
        for op in _ops(pattern.op, operands):
            node = _tried(op, operands)
            if node is not None:
                yield node, found


def _operands(patterns: tuple[Any, ...], bound: Bindings) -> Iterator[tuple[list[Any], Bindings]]:
    """Values for all of `patterns`, one after the other; plain numbers stay numbers."""
    if not patterns:
        yield [], bound
        return
    first, rest = patterns[0], patterns[1:]
    heads = _made(first, bound) if isinstance(first, Pattern) else iter([(first, bound)])
    for value, found in heads:
        for others, more in _operands(rest, found):
            yield [value, *others], more


def _wildcard(name: str, bound: Bindings) -> Iterator[tuple[Node, Bindings]]:
    if name in bound:
        yield bound[name], bound
        return
    for make in _MAKERS:
        node = make(name, bound)
        if node is not None:
            yield node, {**bound, name: node}


def _float(shape: tuple[int, ...]) -> Maker:
    return lambda name, bound: placeholder(shape, "float32", name=name)


def _copies(shape: tuple[int, ...]) -> Maker:
    return lambda name, bound: broadcast_to(placeholder(shape, "float32", name=name), (2, 3))


def _total(name: str, bound: Bindings) -> Node | None:
    """The sum of exponentials that a quotient is divided by, where something is there to be summed."""
    terms = [node for node in bound.values() if node.shape == (2, 3) and node.dtype == "float32"]
    return summed(exp(terms[0]), axis=1, keepdims=True) if terms else None


def _zeros(name: str, bound: Bindings) -> Node:
    return constant(np.zeros((2, 3), "float32"), name="zeros")


_MAKERS: tuple[Maker, ...] = (
    *map(_float, _SHAPES),
    _copies((3,)),
    _copies(()),
    _zeros,
    _total,
    lambda name, bound: placeholder((2, 3), "bool", name=name),
    lambda name, bound: placeholder((2,), "int64", name=name),
    lambda name, bound: broadcast_to(placeholder((3,), "bool", name=name), (2, 3)),
    lambda name, bound: broadcast_to(placeholder((3,), "int64", name=name), (2, 3)),
)


def _ops(op: Op | type[Op], operands: list[Any]) -> Iterator[Op]:
    """`op` itself, or a class of ops with attributes: its own samples', then whatever fits such fields."""
    if not isinstance(op, type):
        yield op
        return
    names: list[str] = [field.name for field in dataclasses.fields(op)] if dataclasses.is_dataclass(op) else []
    own = [sample.attributes for sample in op.samples if set(sample.attributes) <= set(names)]
    usual = [dict(zip(names, values, strict=True)) for values in product(*(_values(n, operands) for n in names))]
    for attributes in (*usual, *own):
        try:
            yield op(**attributes)
        except (TypeError, GraphdlError):
            continue


def _values(field: str, operands: list[Any]) -> tuple[Any, ...]:
    """What an attribute of this name may be; an empty one leaves it to the op's samples."""
    rank = operands[0].ndim if operands and isinstance(operands[0], Node) else 0
    known: dict[str, tuple[Any, ...]] = {
        "shape": _MADE,
        "perm": _PERMS,
        "dtype": ("float64", "float32"),
        "axis": (max(rank - 1, 0), (rank - 1,), tuple(range(rank)), (0,), 0),
        "bounds": (((0, 2, 1),) * rank, ((0, 1, 1),) * rank),
        "keepdims": (False, True),
    }
    return known.get(field, ())


def _tried(op: Op, operands: list[Any]) -> Node | None:
    """The node, where these operands fit."""
    try:
        if isinstance(op, Elementwise):
            return op(*operands)
        if all(isinstance(value, Node) for value in operands):
            return build(op, *operands)
    except (GraphdlError, TypeError, ValueError, IndexError):
        return None
    return None


def foldable() -> Graph:
    """Arithmetic on numbers alone, beside some that is not."""
    x = placeholder((2, 3), "float32", name="x")
    halved = constant(0.5, name="half") * constant(4.0, name="four")
    return Graph({"out": multiply(x, halved)})


def repeated() -> Graph:
    """The same expression twice."""
    x = placeholder((2, 3), "float32", name="x")
    return Graph({"out": exp(x) * (exp(x) + 1)})


def many_summands() -> Graph:
    """A sum of more than two gradients."""
    a, b, c = (placeholder((2, 3), "float32", name=name) for name in "abc")
    return Graph({"out": add_n(a, exp(b), exp(c))})


def half_read_loop() -> Graph:
    """A loop of whose two results one is read by nobody."""
    x = placeholder((5, 3), "float32", name="x")
    start = placeholder((3,), "float32", name="h")
    last, _ = scan(lambda h, row: (h + row, exp(h)), start, x)
    return Graph({"out": last})


def two_updates() -> Graph:
    """Two small variables that are updated by the same formula."""
    W, b = Variable(np.zeros((2, 3), "float32"), name="W"), Variable(np.zeros(3, "float32"), name="b")
    slopes = [placeholder(v.shape, "float32", name=f"d/{v.name}") for v in (W, b)]
    return Graph((), [(v, subtract(v, 0.1 * slope)) for v, slope in zip((W, b), slopes, strict=True)])
