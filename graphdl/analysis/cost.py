"""What a graph costs: operations, bytes and memory, as polynomials in the symbolic sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import NamedTuple, Protocol

from graphdl.errors import GraphError, listed
from graphdl.ir.dim import Dim, evaluate, symbols_of
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.types import ITEMSIZE, TupleType, Type


class Cost(NamedTuple):
    """Floating-point operations, and bytes read from and written to arrays."""

    flops: Dim
    read: Dim
    written: Dim

    def plus(self, other: Cost) -> Cost:
        """The cost of both."""
        return Cost(self.flops + other.flops, self.read + other.read, self.written + other.written)

    def at(self, sizes: Mapping[str, int]) -> Cost:
        """The cost in plain numbers when each symbolic size has the value given.

        >>> from graphdl.ir.dim import symbol
        >>> Cost(2 * symbol("N"), 8, 4).at({"N": 32})
        Cost(flops=64, read=8, written=4)
        """
        return Cost(*(_at(part, sizes) for part in self))


NOTHING = Cost(0, 0, 0)


@dataclass(frozen=True)
class GraphCost:
    """The cost of each node that is computed, of each scope, and of all."""

    nodes: dict[Node, Cost]
    scopes: dict[str, Cost]
    total: Cost


class Sized(Protocol):
    """A buffer of the memory plan: so many elements of a dtype."""

    @property
    def dtype(self) -> str:
        """NumPy's name."""

    @property
    def size(self) -> Dim:
        """Number of elements."""


class Memory(NamedTuple):
    """Bytes that are held: variables, constants, what is fed, and the workspace of the program."""

    variables: Dim
    constants: Dim
    feeds: Dim
    workspace: Dim

    @property
    def total(self) -> Dim:
        """All of it."""
        return reduce(add, self)

    def at(self, sizes: Mapping[str, int]) -> Memory:
        """Plain numbers when each symbolic size has the value given."""
        return Memory(*(_at(part, sizes) for part in self))


def cost(graph: Graph) -> GraphCost:
    """What one run of `graph` costs, node by node in the order of the listing.

    Every array an op reads and writes counts in full, a view counts nothing; caches are not thought of.
    """
    nodes = {node: cost_of(node) for node in graph.nodes if node.inputs}
    scopes: dict[str, Cost] = {}
    for node, found in nodes.items():
        scopes[node.scope] = scopes.get(node.scope, NOTHING).plus(found)
    return GraphCost(nodes, scopes, _sum(nodes.values()))


def cost_of(node: Node) -> Cost:
    """What it costs to compute `node` from its inputs."""
    types = [source.type for source in node.inputs]
    # The types of tuples go only to ops that take or make them, which cost nothing.
    flops = node.op.flops(node.type, *types)  # type: ignore[arg-type]
    if node.op.is_view:
        return Cost(flops, 0, 0)
    read = reduce(add, (nbytes(source.type) for source in dict.fromkeys(node.inputs)), 0)
    return Cost(flops, read, nbytes(node.type))


def memory(graph: Graph, buffers: Iterable[Sized]) -> Memory:
    """Bytes that running `graph` holds at its peak, when its program has these workspace buffers.

    Fetched results and what NumPy allocates inside a call come on top.
    """
    workspace: Dim = reduce(add, (buffer.size * ITEMSIZE[buffer.dtype] for buffer in buffers), 0)
    # A packed leaf is several variables side by side, which are then no longer in the graph themselves.
    variables = _bytes([*graph.variables, *graph.packs])
    return Memory(variables, _bytes(graph.constants), _bytes(graph.placeholders), workspace)


def nbytes(type: Type) -> Dim:
    """Bytes of an array of this type, or of all the arrays of a tuple."""
    if isinstance(type, TupleType):
        return reduce(add, (item.nbytes for item in type.items), 0)
    return type.nbytes


def _bytes(nodes: Iterable[Node]) -> Dim:
    return reduce(add, (nbytes(node.type) for node in nodes), 0)


def _sum(costs: Iterable[Cost]) -> Cost:
    return reduce(Cost.plus, costs, NOTHING)


def _at(dim: Dim, sizes: Mapping[str, int]) -> int:
    missing = sorted(symbols_of([dim]) - set(sizes))
    if missing:
        raise GraphError(f"the cost depends on size {missing[0]!r}, which has no value; there is {listed(sizes)}")
    return evaluate(dim, sizes)
