"""Calls of layers: what a layer was called on, what it gave, and what it asks of training besides its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from graphdl.errors import GraphError
from graphdl.ir.graph import Updates
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.origin import Rewriting, at_scope, current_scope
from graphdl.ir.traverse import ancestors, carried, moved, renamed, substitute
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


class Tracing:
    """What layers leave behind while their nodes are built: terms of the loss, and new values of variables."""

    def __init__(self, training: bool, family: Family) -> None:
        self.training = training
        self.family = family
        self.inside: list[Layer] = []
        self.losses: list[Node] = []
        self.values: dict[Node, Node] = {}
        # Those of the variables that predictions change as well.
        self.lasting: set[Node] = set()
        # How often those who draw random numbers have drawn.
        self._draws: Counter[Any] = Counter()

    def count(self, drawer: Any) -> int:
        """Which of the draws of `drawer` in this graph comes now, from 0."""
        self._draws[drawer] += 1
        return self._draws[drawer] - 1

    @property
    def updates(self) -> dict[Node, Node]:
        """What is changed in every program."""
        return {variable: self.values[variable] for variable in self.values if variable in self.lasting}

    @contextmanager
    def of(self, layer: Layer) -> Iterator[None]:
        """Nodes built inside are those of `layer`."""
        token = _tracing.set(self)
        self.inside.append(layer)
        try:
            yield
        finally:
            self.inside.pop()
            _tracing.reset(token)


_tracing: ContextVar[Tracing | None] = ContextVar("tracing", default=None)


def current_tracing() -> Tracing | None:
    """Where the layer whose `call` is running leaves its losses and updates; None outside of all layers."""
    return _tracing.get()


def results_of(result: Any, call: Call, tracing: Tracing) -> Any:
    """What a layer gave, with each node remembering the call; losses and updates read these nodes too."""
    became: dict[Node, Node] = {}

    def remember(node: Node) -> Node:
        if node not in became:
            became[node] = LayerOutput.of(node, call, len(became), mask_of(node))
        return became[node]

    made = mapped(remember, result)
    own = {node: new for node, new in became.items() if node not in call.inputs}
    call.losses = substitute(tracing.losses, own) if tracing.losses else ()
    updates = tracing.updates
    call.updates = dict(zip(updates, substitute(updates.values(), own), strict=True))
    return made


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


class TrainingGraph(NamedTuple):
    """The outputs in training, the terms that layers add to the loss, and the new values of their statistics."""

    outputs: tuple[Node, ...]
    losses: tuple[Node, ...]
    updates: Updates


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


def in_training(outputs: Sequence[Node]) -> TrainingGraph:
    """`outputs` as they are in training, where a layer such as dropout does more; the variables are the same."""
    calls = calls_of(outputs)
    became: dict[Node, Node] = {}
    again: dict[Call, tuple[Node, ...]] = {}
    tracing = Tracing(True, Family())
    for node in ancestors([*outputs, *added_losses(outputs), *(value for _, value in added_updates(outputs).pairs)]):
        new = carried(node, became)
        if isinstance(node, LayerOutput) and node.call.differs_in_training:
            if node.call not in again:
                with Rewriting("training", node), at_scope(node.call.layer.name):
                    again[node.call] = _again(node.call, became, tracing, True)
            new = again[node.call][node.index]
        if new is not node:
            became[node] = new
    same = [call for call in calls if call not in again]
    kept = moved([loss for call in same for loss in call.losses], became)
    states = [(variable, became.get(value, value)) for call in same for variable, value in call.updates.items()]
    updates = Updates([*states, *tracing.values.items()])
    return TrainingGraph(moved(outputs, became), (*kept, *tracing.losses), updates)


def replayed(outputs: Sequence[Node], became: Mapping[Node, Node], tracing: Tracing) -> tuple[Node, ...]:
    """`outputs` over other inputs, for the call that is being traced: in its scope and its mode, layer by layer."""
    found, scope = dict(became), current_scope()
    again: dict[Call, tuple[Node, ...]] = {}
    for node in ancestors(outputs, stop=became):
        if node in found:
            continue
        if isinstance(node, LayerOutput):
            if node.call not in again:
                again[node.call] = _again(node.call, found, tracing, tracing.training)
            found[node] = again[node.call][node.index]
        elif any(source in found for source in node.inputs):
            found[node] = renamed(carried(node, found), node.name, f"{scope}/{node.scope}".rstrip("/"))
    return moved(outputs, found)


def _again(call: Call, became: Mapping[Node, Node], tracing: Tracing, training: bool) -> tuple[Node, ...]:
    """The results of the call on what its inputs became, in training unless the user said otherwise."""

    def new(node: Node) -> Node:
        found, mask = became.get(node, node), mask_of(node)
        return found if found is node else Masked.with_mask(found, became.get(mask, mask))

    arguments = call.arguments.map(new)
    mode = training if call.training is None else call.training
    return tuple(dict.fromkeys(nodes_in(call.layer.trace(arguments, mode, tracing))))
