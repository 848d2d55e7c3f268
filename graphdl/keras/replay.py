"""Outputs built again, layer by layer: for training, or over other inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from graphdl.ir.graph import Updates
from graphdl.ir.node import Node
from graphdl.ir.origin import Rewriting, at_scope, current_scope
from graphdl.ir.traverse import ancestors, carried, moved, renamed
from graphdl.keras.calls import Call, LayerOutput, Masked, added_losses, added_updates, calls_of, mask_of, nodes_in
from graphdl.keras.family import Family
from graphdl.keras.tracing import Tracing


class TrainingGraph(NamedTuple):
    """The outputs in training, the terms that layers add to the loss, and the new values of their statistics."""

    outputs: tuple[Node, ...]
    losses: tuple[Node, ...]
    updates: Updates


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
        # A layer that was called again has made its mask again too.
        known = found is node or mask_of(found) is not None
        return found if known else Masked.with_mask(found, became.get(mask, mask))

    # What takes the place of an input may have a mask where the input had none.
    arguments = call.layer.with_masks(call.arguments.map(new))
    mode = training if call.training is None else call.training
    return tuple(dict.fromkeys(nodes_in(call.layer.trace(arguments, mode, tracing))))
