"""Small scalar graphs as one formula: the closed form for the textbook, and how much longer than the graph it is."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple, TypeVar

import sympy

from graphdl.errors import GraphError
from graphdl.ir.dim import Dim, SymDim
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.leaves import Constant, Size
from graphdl.ir.node import Node
from graphdl.ir.origin import written_at
from graphdl.ir.text import plain
from graphdl.ir.traverse import ancestors
from graphdl.ir.types import INTS, TupleType
from graphdl.symbolic.algebra import ALGEBRA, Expression
from graphdl.symbolic.grammar import is_variable
from graphdl.symbolic.growth import GROWTH, LENGTHS, MOST_OPERATIONS, Growth, GrowthError, Length
from graphdl.symbolic.reading import PRIMITIVES, Reading

T = TypeVar("T")

# On a single element these give the element.
_REDUCTIONS = ("sum", "mean", "prod", "max", "min", "logsumexp")
_SAME_VALUE = ("broadcast_to", "reshape", "sum_to", "stop_gradient", "transpose", *_REDUCTIONS)


class Swell(NamedTuple):
    """A graph of `nodes` ops, and the `operations` of its closed form, where nothing is shared."""

    nodes: int
    operations: int


def to_sympy(what: Any) -> Any:
    """The closed form of a scalar node as a SymPy expression; a list of nodes gives a list over the same symbols.

    What is fed, trained or drawn becomes a symbol, called as the node where that is a plain identifier and
    ``x1``, ``x2``, ... where not (`symbol_labels` says which is which). A symbolic size is understood too.

    >>> import graphdl as gd
    >>> x = gd.placeholder(name="x")
    >>> y, s = gd.to_sympy([x * x + 1, x])
    >>> y.diff(s)
    2*x

    Raises GraphError for arrays, ops that are no formula, and closed forms above 20,000 operations.
    """
    if isinstance(what, int | SymDim):
        return _size(what)
    nodes = [what] if isinstance(what, Node) else list(what)
    order = _checked(nodes)
    found = _meanings(order, ALGEBRA, _symbols(order))
    return found[what] if isinstance(what, Node) else [found[node] for node in nodes]


def symbol_labels(what: Node | Sequence[Node]) -> dict[str, str]:
    """The symbols of `to_sympy(what)`: the name of each and the label of the node it stands for."""
    order = _checked([what] if isinstance(what, Node) else list(what))
    return {symbol.name: node.label for node, symbol in _symbols(order).items() if symbol.is_Symbol}


def expression_swell(what: Node | Sequence[Node]) -> Swell:
    """How many ops the graph below `what` has, and how many operations its closed form."""
    nodes = [what] if isinstance(what, Node) else list(what)
    operations = sum(int(sympy.count_ops(value)) for value in to_sympy(nodes))
    return Swell(sum(bool(node.inputs) for node in ancestors(nodes)), operations)


def _checked(nodes: list[Node]) -> list[Node]:
    """Everything `nodes` depend on; GraphError where there is no closed form, or none of a length to be read."""
    order = ancestors(nodes)
    for node in order:
        _check_scalar(node)
    leaves = [node for node in order if not node.inputs]
    lengths = _meanings(order, LENGTHS, dict.fromkeys(leaves, Length(1, 1)))
    longest = max(nodes, key=lambda node: lengths[node].value)
    if sum(lengths[node].value for node in nodes) > MOST_OPERATIONS:
        ops = sum(bool(node.inputs) for node in order)
        raise GraphError(
            f"to_sympy: the closed form of {plain(longest.label)} has about {lengths[longest].value:.3g} operations, "
            f"expected at most {MOST_OPERATIONS}; the graph shares them and has {ops} nodes"
        )
    _meanings(order, GROWTH, dict.fromkeys(leaves, Growth()))
    return order


def _check_scalar(node: Node) -> None:
    if isinstance(node.type, TupleType) or node.tensor.size != 1:
        why = f"is {node.type}, expected a scalar; closed forms are for small scalar graphs"
    elif node.inputs and not _is_formula(node):
        why = f"has the op {node.op.name}, which is no formula of scalars"
    else:
        return
    raise GraphError(f"to_sympy: {plain(node.label)} {why}\n  {written_at(node)}".rstrip())


def _is_formula(node: Node) -> bool:
    op = node.op
    if op.name == "cast":
        return node.tensor.is_float
    if isinstance(op, Elementwise):
        return op.name in PRIMITIVES or op.formula is not None
    return op.name in _SAME_VALUE or op.name == "add_n"


def _meanings(order: Iterable[Node], reading: Reading[T], leaves: dict[Node, T]) -> dict[Node, T]:
    """What each node means in the language `reading`, from what the leaves mean."""
    found: dict[Node, T] = {}
    for node in order:
        try:
            found[node] = _meaning(node, reading, leaves, [found[source] for source in node.inputs])
        except GrowthError as error:
            raise GraphError(f"to_sympy: {plain(node.label)} {error}\n  {written_at(node)}".rstrip()) from None
        except (ArithmeticError, ValueError):
            raise GraphError(f"to_sympy: {plain(node.label)} has no finite value") from None
    return found


def _meaning(node: Node, reading: Reading[T], leaves: dict[Node, T], parts: list[T]) -> T:
    if isinstance(node.op, Constant):
        return _constant(node, reading)
    if not node.inputs:
        return leaves[node]
    if node.op.name == "add_n":
        return reduce(lambda a, b: reading.apply("add", [a, b]), parts)
    if node.op.name == "cast" and node.inputs[0].dtype == "bool":
        return reading.apply("where", [*parts, reading.number(1), reading.number(0)])
    return parts[0] if node.op.name in (*_SAME_VALUE, "cast") else reading.apply(node.op.name, parts)


def _constant(node: Node, reading: Reading[T]) -> T:
    """The number as it was typed: 0.1 in float32 is one tenth too."""
    assert isinstance(node.op, Constant)
    value = node.op.value.ravel()[0]
    if node.dtype == "bool":
        kind = "equal" if value else "not_equal"
        return reading.apply(kind, [reading.number(0), reading.number(0)])
    return reading.number(float(str(value)) if node.tensor.is_float else int(value))


def _symbols(order: list[Node]) -> dict[Node, Expression]:
    """A symbol for each leaf that is no constant."""
    leaves = [node for node in order if not node.inputs and not isinstance(node.op, Constant)]
    own = {node.label for node in leaves if _is_safe(node.label)}
    invented = (name for i in range(1, 2 * len(order) + 2) if (name := f"x{i}") not in own)
    free = set(own)
    symbols = {}
    for node in leaves:
        is_own = node.label in free
        free.discard(node.label)
        symbols[node] = _symbol(node, node.label if is_own else next(invented))
    return symbols


def _is_safe(name: str) -> bool:
    return is_variable(name) and not keyword.iskeyword(name)


def _symbol(node: Node, name: str) -> Expression:
    if isinstance(node.op, Size):
        return _size(node.op.dim)
    facts = {} if node.dtype == "bool" else {"integer": True} if node.dtype in INTS else {"real": True}
    return sympy.Symbol(name, **facts)


def _size(dim: Dim) -> Expression:
    """A symbolic size as a polynomial in positive integers."""
    if isinstance(dim, int):
        return sympy.Integer(dim)
    terms = [(f, [sympy.Symbol(name, integer=True, positive=True) for name in m]) for m, f in dim.terms]
    return sympy.Add(*[sympy.Mul(sympy.Integer(f), *names) for f, names in terms])
