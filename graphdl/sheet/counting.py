"""How many ways lead from each element of an array to the loss: counted on whole arrays, with integers of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphdl.ir.elementwise import Elementwise
from graphdl.ir.leaves import scalar_of
from graphdl.ir.node import Node
from graphdl.ir.traverse import dependents
from graphdl.ir.types import TensorType
from graphdl.sheet.expansion import places_of
from graphdl.sheet.point import Run

# Counts of so many elements are still found in a moment.
_MOST_ELEMENTS = 3_000_000
# What reaches the operand in a slot of a node, of the ways that leave its elements.
Count = Callable[[Any, Node, int, Run], Any]


def count_ways(run: Run, w: Node) -> int | None:
    """Ways from the first element of `w` to the loss, op by op; None where an op's way of reading is not known.

    A number that an op reads twice starts two ways. A softmax reads its whole row for each of its elements.
    """
    way = dependents(run.found.forward, [w])
    order = [node for node in run.found.forward if node in way]
    if any(not isinstance(node.type, TensorType) for node in order) or sum(map(run.size, order)) > _MOST_ELEMENTS:
        return None
    counts = {node: np.zeros(run.shape(node), dtype=object) for node in order}
    counts[run.loss] = np.ones((), dtype=object)
    for node in reversed(order):
        for slot, source in enumerate(node.inputs):
            if source in counts and node is not w:
                count = _same if isinstance(node.op, Elementwise) else _COUNTS.get(node.op.name)
                if count is None:
                    return None
                counts[source] = np.asarray(counts[source] + count(counts[node], node, slot, run), dtype=object)
    return int(counts[w].flat[0])


def _same(counts: Any, node: Node, slot: int, run: Run) -> Any:
    """Element by element; a number beside an array is read by all of its elements."""
    source = node.inputs[slot]
    return counts if source.shape or not node.shape or scalar_of(source) is not None else np.asarray(counts.sum())


def _factor(counts: Any, node: Node, slot: int, run: Run) -> Any:
    """A row is read for every column of the product, and the other way round."""
    shape = run.shape(node.inputs[slot])
    return np.broadcast_to(counts.sum(axis=-1 if slot == 0 else -2, keepdims=True), shape)


def _reduced(counts: Any, node: Node, slot: int, run: Run) -> Any:
    shape = run.shape(node.inputs[0])
    axes = node.op.attributes()["axis"]
    kept = tuple(1 if i in axes else d for i, d in enumerate(shape))
    return np.broadcast_to(counts.reshape(kept), shape)


def _over_row(counts: Any, node: Node, slot: int, run: Run) -> Any:
    axis = node.op.attributes()["axis"]
    return np.broadcast_to(counts.sum(axis=axis, keepdims=True), counts.shape)


def _loss_of_row(counts: Any, node: Node, slot: int, run: Run) -> Any:
    return np.broadcast_to(counts[..., None], run.shape(node.inputs[slot]))


def _moved(counts: Any, node: Node, slot: int, run: Run) -> Any:
    """Where each element came from, its ways come back to."""
    places = places_of(node, slot, run)
    shape = run.shape(node.inputs[slot])
    found = np.zeros(int(np.prod(shape)) + 1, dtype=object)
    np.add.at(found, places.ravel(), counts.ravel())
    return found[1:].reshape(shape)


_COUNTS: dict[str, Count] = {
    **dict.fromkeys(("reshape", "transpose", "broadcast_to", "slice", "concat", "pad", "cast"), _moved),
    **dict.fromkeys(("sum", "mean", "max", "min", "prod", "logsumexp"), _reduced),
    **dict.fromkeys(("softmax", "log_softmax"), _over_row),
    **dict.fromkeys(("softmax_cross_entropy", "sparse_softmax_cross_entropy"), _loss_of_row),
    "add_n": _same,
    "matmul": _factor,
}
