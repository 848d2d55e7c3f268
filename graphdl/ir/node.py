"""Nodes: immutable, typed, compared by identity."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NoReturn, cast

from graphdl.errors import GraphError
from graphdl.ir import registry
from graphdl.ir.expression import Expression
from graphdl.ir.origin import Origin, current_standing
from graphdl.ir.types import TensorType, TupleType, Type, shape_text

if TYPE_CHECKING:
    from graphdl.ir.op import Op

# A node's place in listings is (number of what it stands for, serial): what a pass builds in place of
# a node sorts where that node stood, and after its own inputs. Packed into one integer, for speed.
_SERIAL_BITS = 44
_serial = itertools.count(1)


def next_place() -> int:
    """The place of a node that is being built: behind every other, or where the replaced node stands."""
    standing = current_standing()
    if standing is not None:
        return place_of(standing)
    serial = next(_serial)
    return serial << _SERIAL_BITS | serial


def place_of(node: Node) -> int:
    """A new place where `node` stands, behind everything built there before."""
    return node.place >> _SERIAL_BITS << _SERIAL_BITS | next(_serial)


def stands_for(node: Node) -> int:
    """A number that a node shares with the node whose place it took; what a user built has one of its own."""
    return node.place >> _SERIAL_BITS


class Node(Expression):
    """One value of the graph: what computes it (`op`), from what (`inputs`), of what `type`."""

    __slots__ = ("__weakref__", "inputs", "name", "op", "origin", "place", "scope", "type")

    op: Op
    inputs: tuple[Node, ...]
    type: Type
    name: str | None
    scope: str
    origin: Origin
    place: int

    def __init__(
        self,
        op: Op,
        inputs: tuple[Node, ...],
        type: Type,
        name: str | None,
        scope: str,
        origin: Origin,
        place: int,
    ) -> None:
        put = object.__setattr__
        put(self, "op", op)
        put(self, "inputs", inputs)
        put(self, "type", type)
        put(self, "name", name)
        put(self, "scope", scope)
        put(self, "origin", origin)
        put(self, "place", place)

    def __setattr__(self, attribute: str, value: object) -> NoReturn:
        raise GraphError(f"{self.label}: nodes are immutable; build a new one instead of setting .{attribute}")

    @property
    def tensor(self) -> TensorType:
        """The type, for a node that has one result."""
        if isinstance(self.type, TupleType):
            raise GraphError(f"{self.label} has {len(self.type.items)} results; take one with pick(node, i)")
        return self.type

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.tensor.shape

    @property
    def dtype(self) -> str:
        return self.tensor.dtype

    @property
    def ndim(self) -> int:
        return self.tensor.rank

    @property
    def label(self) -> str:
        """Name for messages and pictures: scope/name, or scope/op where nobody gave a name."""
        own = self.name or self.op.name
        return f"{self.scope}/{own}" if self.scope else own

    def __repr__(self) -> str:
        if isinstance(self.type, TupleType):
            return f'Node("{self.label}", {self.type})'
        return f'Node("{self.label}", shape={shape_text(self.type.shape)}, dtype={self.type.dtype})'

    def __bool__(self) -> NoReturn:
        raise GraphError(
            f"{self.label} has no truth value while the graph is being built; "
            "choose with gd.where(condition, a, b), or run a session to get a number"
        )

    def __iter__(self) -> NoReturn:
        raise GraphError(f"{self.label} cannot be iterated over while the graph is being built; use gd.split")

    def __len__(self) -> int:
        if not self.tensor.rank or not isinstance(self.shape[0], int):
            raise GraphError(f"len({self.label}) of {self.type} is not known while the graph is being built")
        return self.shape[0]

    def __float__(self) -> NoReturn:
        raise GraphError(f"{self.label} has no number yet; Session().run({self.label!r}) computes it")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        return cast("tuple[dict[str, Any], dict[str, Any]]", registry.builder("mimebundle")(self, include, exclude))

    def __getitem__(self, key: Any) -> Node:
        return registry.call("getitem", self, key)

    @property
    def T(self) -> Node:
        """The value with its axes in reverse order."""
        return registry.call("transpose", self)
