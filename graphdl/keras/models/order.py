"""The order in which Keras lists the layers of a model: what is farthest from the outputs comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors, in_order
from graphdl.keras.calls import Call, LayerOutput

# A use of a layer, or an operation between layers.
Step = Call | Node


def results_in_order(inputs: Sequence[Node], outputs: Sequence[Node]) -> list[LayerOutput]:
    """The results of layers that `inputs` and `outputs` depend on; weights are listed in the same order.

    Layers come by how many steps they are from the outputs, the farthest first; those that are equally far in the
    order in which one meets them going back from the outputs, depth first.
    """
    met, done = _walked(outputs)
    depth = _depths(done)
    index = {_owner(step): i for i, step in reversed(list(enumerate(met)))}

    def place(node: LayerOutput) -> tuple[int, int, Any]:
        layer = node.call.layer
        return -depth.get(layer, 0), index.get(layer, -1), in_order(node)

    found = [node for node in ancestors([*inputs, *outputs]) if isinstance(node, LayerOutput)]
    return sorted(found, key=place)


def _walked(outputs: Sequence[Node]) -> tuple[list[Step], list[Step]]:
    """The steps in the order in which one meets them, going back depth first, and in that in which one leaves them."""
    met: dict[Step, None] = {}
    done: dict[Step, None] = {}
    waiting = [_step(node) for node in reversed(outputs)]
    while waiting:
        step = waiting[-1]
        if step in met:
            done.setdefault(waiting.pop())
            continue
        met[step] = None
        waiting += [_step(source) for source in reversed(step.inputs) if _step(source) not in met]
    return list(met), list(done)


def _depths(done: Sequence[Step]) -> dict[Any, int]:
    """How many steps each layer is from the outputs by the longest way, where it is used farthest from them."""
    at: dict[Step, int] = {}
    depth: dict[Any, int] = {}
    for step in reversed(done):
        own = depth[_owner(step)] = max(at.get(step, 0), depth.get(_owner(step), 0))
        for source in step.inputs:
            at[_step(source)] = max(at.get(_step(source), 0), own + 1)
    return depth


def _step(node: Node) -> Step:
    return node.call if isinstance(node, LayerOutput) else node


def _owner(step: Step) -> Any:
    return step.layer if isinstance(step, Call) else step
