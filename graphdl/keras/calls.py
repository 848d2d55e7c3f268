"""Calls of layers: what a layer was called on, and what it gave, a node that remembers the call."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from graphdl.errors import GraphError
from graphdl.ir.graph import Updates
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.traverse import ancestors
from graphdl.keras.family import Family
from graphdl.ops.shape import Reshape

if TYPE_CHECKING:
    from graphdl.keras.layer import Layer


class Arguments(NamedTuple):
    """What a layer was called with: nodes, lists and dicts of nodes, and plain values."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes among them, in order."""
        return tuple(nodes_in([self.args, self.kwargs]))

    def map(self, function: Callable[[Node], Node]) -> Arguments:
        """The same arguments with each node exchanged."""
        args, kwargs = mapped(function, [self.args, self.kwargs])
        return Arguments(args, kwargs)


@dataclass(eq=False)
class Call:
    """One use of a layer: on which nodes, whose family the results belong to, and the terms it adds to the loss.

    `arguments` are all that ``call`` was given, masks included. `training` is what the user wrote; None follows the
    program that the call is part of. `updates` are what it changes in every program, not in training alone.
    """

    layer: Layer
    inputs: tuple[Node, ...]
    family: Family
    arguments: Arguments = field(default_factory=lambda: Arguments((), {}))
    training: bool | None = None
    losses: tuple[Node, ...] = ()
    updates: dict[Node, Node] = field(default_factory=dict)

    @property
    def differs_in_training(self) -> bool:
        """Whether the training graph has other nodes in place of these."""
        return self.training is not False and self.layer.differs_in_training


class Masked(Node):
    """A node that knows which steps of its sequences are there: `mask` is bool [N, T], or None."""

    __slots__ = ("mask",)
    mask: Node | None

    @classmethod
    def with_mask(cls, node: Node, mask: Node | None) -> Node:
        """`node` with a mask; itself where there is none, or it has that mask already."""
        if mask is None or getattr(node, "mask", None) is mask:
            return node
        if isinstance(node, LayerOutput):
            # A copy would forget the layer: what one layer only passes on stays the result of the other.
            node = build(Reshape(node.shape), node, name="identity")
        made = cls(node.op, node.inputs, node.type, node.name, node.scope, node.origin, node.place)
        object.__setattr__(made, "mask", mask)
        return made


class LayerOutput(Masked):
    """A node that is result number `index` of a layer, and remembers which."""

    __slots__ = ("call", "index")
    call: Call
    index: int

    @classmethod
    def of(cls, node: Node, call: Call, index: int = 0, mask: Node | None = None) -> LayerOutput:
        """`node` with the layer that made it; a node that the layer did not build is passed on by a reshape."""
        if node in call.inputs or isinstance(node, LayerOutput) or (call.inputs and node.op.is_leaf):
            node = build(Reshape(node.shape), node, name="identity")
        made = cls(node.op, node.inputs, node.type, node.name, node.scope, node.origin, node.place)
        for slot, value in (("call", call), ("index", index), ("mask", mask)):
            object.__setattr__(made, slot, value)
        return made


def mask_of(structure: Any) -> Any:
    """The mask of a node, or None; for lists of nodes, lists of masks."""
    return mapped(lambda node: getattr(node, "mask", None), structure)


def masked(result: Any, masks: Any) -> Any:
    """What a layer gave with its masks: one for the first result, or a list for all."""
    given = iter(masks if isinstance(masks, list | tuple) else [masks])
    return mapped(lambda node: Masked.with_mask(node, next(given, None)), result)


def nodes_in(structure: Any) -> Iterator[Node]:
    """The nodes in a node, or in lists, tuples and dicts of them."""
    if isinstance(structure, Node):
        yield structure
    elif isinstance(structure, list | tuple | Mapping):
        for part in structure.values() if isinstance(structure, Mapping) else structure:
            yield from nodes_in(part)


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with `function` of each node in place of it."""
    if isinstance(structure, Node):
        return function(structure)
    if isinstance(structure, Mapping):
        return {key: mapped(function, part) for key, part in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure)([mapped(function, part) for part in structure])
    return structure


def added_losses(outputs: Sequence[Node]) -> tuple[Node, ...]:
    """The terms that the layers under `outputs` add to the loss in inference."""
    return tuple(loss for call in calls_of(outputs) for loss in call.losses)


def added_updates(outputs: Sequence[Node]) -> Updates:
    """What the layers under `outputs` change in every program, such as the state that a recurrent layer keeps."""
    found: dict[Node, Node] = {}
    for call in calls_of(outputs):
        for variable, value in call.updates.items():
            once(call.layer, variable, found)
            found[variable] = value
    return Updates(found.items(), "state")


def once(layer: Layer, variable: Node, changed: Container[Node]) -> None:
    """GraphError where a layer changes, in every program, what a call of it has changed already."""
    if variable in changed:
        raise GraphError(
            f"{layer.name} is called twice in one model, and each call changes {variable.label}; call it once, or make "
            "a layer for each call"
        )


def calls_of(outputs: Sequence[Node]) -> list[Call]:
    """The calls of layers that `outputs` depend on, in order."""
    return list(dict.fromkeys(node.call for node in ancestors(outputs) if isinstance(node, LayerOutput)))
