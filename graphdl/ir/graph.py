"""A graph: named outputs and updates, and all they depend on. Made anew by every pass, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphdl.errors import GraphError, did_you_mean, listed
from graphdl.ir import registry
from graphdl.ir.dim import SymDim, linear, symbols_of
from graphdl.ir.leaves import Constant, Noise, Packed, Placeholder, Size, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.origin import forward_of
from graphdl.ir.traverse import ancestors, consumers, in_order
from graphdl.ir.types import TensorType

if TYPE_CHECKING:
    import networkx


class Updates:
    """What variables become, all together, after every read of a run: pairs (variable, new value)."""

    def __init__(self, pairs: Iterable[tuple[Node, Node]], name: str = "updates") -> None:
        self.pairs = tuple(pairs)
        self.name = name
        seen: set[Node] = set()
        for variable, value in self.pairs:
            _check_update(variable, value, seen)
            seen.add(variable)

    def __add__(self, other: Updates) -> Updates:
        return Updates(self.pairs + other.pairs, self.name)

    def __repr__(self) -> str:
        return f"Updates({', '.join(variable.label for variable, _ in self.pairs)})"


def _check_update(variable: Node, value: Node, seen: set[Node]) -> None:
    if not isinstance(variable.op, VariableLeaf):
        raise GraphError(f"{variable.label} is a {variable.op.name}; only variables can be updated")
    if variable in seen:
        raise GraphError(f"{variable.label} is updated twice in one run; add the changes up first")
    if value.type != variable.type:
        raise GraphError(f"{variable.label} is {variable.type} and cannot become {value.label}, which is {value.type}")


def assign(variable: Node, value: Any) -> Updates:
    """An update for `Session.run`: `variable` becomes `value` after everything has been read.

    Numbers and arrays are broadcast to the variable's shape. Raises GraphError where `variable` is none, or a node
    has another type than it, and ShapeError for an array that does not fit.
    """
    if not isinstance(value, Node):
        value = registry.builder("broadcast_like")(value, variable)
    return Updates([(variable, value)])


def group(*updates: Updates) -> Updates:
    """Several updates as one, applied together."""
    return Updates([pair for update in updates for pair in update.pairs])


class Graph:
    """Named outputs and updates of variables; `nodes` are all they reach, inputs first.

    `fed` are placeholders that settle a symbolic size where nothing that is reached does.
    """

    def __init__(
        self,
        outputs: Mapping[str, Node] | Iterable[Node] | Node,
        updates: Iterable[tuple[Node, Node]] = (),
        sized_by: tuple[Node, ...] | None = None,
        fed: Iterable[Node] = (),
    ) -> None:
        self.outputs = _named(outputs)
        self.updates = tuple(updates)
        self._sized_by = sized_by
        self._fed = tuple(fed)

    @cached_property
    def roots(self) -> tuple[Node, ...]:
        """Everything that must be computed: outputs, then new values of variables."""
        return (*self.outputs.values(), *(value for _, value in self.updates))

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        reached = ancestors([*self.roots, *(variable for variable, _ in self.updates), *(self._sized_by or ())])
        if self._sized_by is None:
            self._sized_by = placeholders_that_settle(reached, self._fed)
            reached = sorted({*reached, *self._sized_by}, key=in_order) if self._sized_by else reached
        return tuple(reached)

    @property
    def sized_by(self) -> tuple[Node, ...]:
        """A placeholder for each symbolic size: an input of the program even where only its length counts."""
        return tuple((self.nodes and self._sized_by) or ())

    @cached_property
    def consumers(self) -> dict[Node, list[Node]]:
        return consumers(self.nodes)

    @cached_property
    def names(self) -> dict[Node, str]:
        """A name for each node: its label, numbered where several nodes share it (dense, dense_1)."""
        taken: dict[str, int] = {}
        names = {}
        for node in self.nodes:
            label = node.label
            count = taken.get(label, 0)
            while count and f"{label}_{count}" in taken:
                count += 1
            taken[label] = count + 1
            names[node] = f"{label}_{count}" if count else label
            taken.setdefault(names[node], 1)
        return names

    @cached_property
    def named(self) -> dict[str, Node]:
        return {name: node for node, name in self.names.items()}

    def __getitem__(self, name: str) -> Node:
        """The output or node called `name`."""
        found = self.outputs.get(name) or self.named.get(name)
        if found is None:
            known = dict.fromkeys([*self.outputs, *self.named])
            raise GraphError(f"the graph has no node {name!r}.{did_you_mean(name, known)} It has {listed(known)}")
        return found

    def leaves(self, kind: type) -> tuple[Node, ...]:
        """The leaves whose op is of class `kind`, in order."""
        return tuple(node for node in self.nodes if isinstance(node.op, kind))

    @cached_property
    def placeholders(self) -> tuple[Node, ...]:
        return self.leaves(Placeholder)

    @cached_property
    def variables(self) -> tuple[Node, ...]:
        return self.leaves(VariableLeaf)

    @cached_property
    def packs(self) -> tuple[Node, ...]:
        return self.leaves(Packed)

    @cached_property
    def constants(self) -> tuple[Node, ...]:
        return self.leaves(Constant)

    @cached_property
    def noise(self) -> tuple[Node, ...]:
        return self.leaves(Noise)

    @cached_property
    def sizes(self) -> tuple[Node, ...]:
        return self.leaves(Size)

    def replaced(self, became: Mapping[Node, Node]) -> Graph:
        """The same outputs and updates after a pass; `became` maps old nodes to new ones."""
        outputs = {name: became.get(node, node) for name, node in self.outputs.items()}
        updates = [(variable, became.get(value, value)) for variable, value in self.updates]
        return Graph(outputs, updates, self.sized_by)

    def to_networkx(self) -> networkx.MultiDiGraph[Any]:
        """A networkx view: nodes by name with their facts, an edge for each input slot."""
        from graphdl.ir.nxview import to_networkx

        return to_networkx(self)

    def __len__(self) -> int:
        return len(self.nodes)

    def __str__(self) -> str:
        from graphdl.ir.text import listing

        return listing(self)

    def __repr__(self) -> str:
        return f"Graph({', '.join(self.outputs)}; {len(self)} nodes)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: tuple[dict[str, Any], dict[str, Any]] = registry.builder("mimebundle")(self, include, exclude)
        return bundle


def placeholders_that_settle(nodes: list[Node], fed: Iterable[Node] = ()) -> tuple[Node, ...]:
    """For each symbolic size in the types of `nodes` a placeholder whose shape tells it; one of `fed` if need be.

    The gradient of ``sum(x)`` is ones of the shape of `x` and reads nothing of `x`; what it is the gradient of does.
    """
    wanted = _sizes(nodes)
    settled = _first_with(wanted, nodes)
    if wanted - settled.keys():
        forward = [of for of in map(forward_of, nodes) if of is not None]
        settled = {**_first_with(wanted, fed), **_first_with(wanted, ancestors(forward)), **settled}
    return tuple(dict.fromkeys(settled[name] for name in sorted(settled)))


def _sizes(nodes: Iterable[Node]) -> set[str]:
    shapes = {node.type.shape for node in nodes if isinstance(node.type, TensorType)}
    return symbols_of(d for shape in shapes for d in shape)


def _first_with(sizes: set[str], nodes: Iterable[Node]) -> dict[str, Node]:
    """The first placeholder whose shape settles each of `sizes`, plain sizes before polynomials in them."""
    plain: dict[str, Node] = {}
    solved: dict[str, Node] = {}
    for node in nodes if sizes else ():
        for d in node.shape if isinstance(node.op, Placeholder) else ():
            found = linear(d) if isinstance(d, SymDim) else None
            if found is not None:
                (plain if str(d) == found[0] else solved).setdefault(found[0], node)
    return {name: node for name, node in {**solved, **plain}.items() if name in sizes}


def _named(outputs: Mapping[str, Node] | Iterable[Node] | Node) -> dict[str, Node]:
    if isinstance(outputs, Mapping):
        return dict(outputs)
    nodes = [outputs] if isinstance(outputs, Node) else list(outputs)
    named: dict[str, Node] = {}
    for node in nodes:
        if not isinstance(node, Node):
            raise GraphError(f"an output of a graph is a {type(node).__name__}, expected a node")
        name, count = node.label, 1
        while name in named and named[name] is not node:
            name, count = f"{node.label}_{count}", count + 1
        named[name] = node
    return named
