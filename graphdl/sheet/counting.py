"""How many ways lead from each element of an array to the loss: counted on whole arrays, with integers of any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphdl.draw.subject import Subject
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.leaves import scalar_of
from graphdl.ir.node import Node
from graphdl.ir.traverse import dependents
from graphdl.ir.types import TensorType
from graphdl.sheet.point import shape_at

# Counts of so many elements are still found in a moment.
_MOST_ELEMENTS = 3_000_000
Count = Callable[[Any, Node, int, Mapping[str, int]], Any]


def count_ways(found: Subject, w: Node, sizes: Mapping[str, int]) -> int | None:
    """Ways from the first element of `w` to the loss, op by op; None where an op's way of reading is not known.

    A number that an op reads twice starts two ways. A softmax reads its whole row for each of its elements.
    """
    way = [node for node in found.forward if node in dependents(found.forward, [w])]
    if any(not isinstance(node.type, TensorType) for node in way) or _elements(way, sizes) > _MOST_ELEMENTS:
        return None
    counts = {node: np.zeros(shape_at(node, sizes), dtype=object) for node in way}
    assert found.loss is not None
    counts[found.loss] = np.ones((), dtype=object)
    for node in reversed(way):
        for slot, source in enumerate(node.inputs):
            if source in counts and node is not w:
                count = _rule(node)
                if count is None:
                    return None
                counts[source] = np.asarray(counts[source] + count(counts[node], node, slot, sizes), dtype=object)
    return int(counts[w].flat[0])


def _elements(nodes: list[Node], sizes: Mapping[str, int]) -> int:
    return sum(int(np.prod(shape_at(node, sizes), dtype=object)) for node in nodes)


def _rule(node: Node) -> Count | None:
    if isinstance(node.op, Elementwise):
        return _same
    return _COUNTS.get(node.op.name)


def _same(counts: Any, node: Node, slot: int, sizes: Mapping[str, int]) -> Any:
    """Element by element; a number beside an array is read by all of its elements."""
    source = node.inputs[slot]
    return counts if source.shape or not node.shape or scalar_of(source) is not None else np.asarray(counts.sum())


def _factor(counts: Any, node: Node, slot: int, sizes: Mapping[str, int]) -> Any:
    """A row is read for every column of the product, and the other way round."""
    shape = shape_at(node.inputs[slot], sizes)
    return np.broadcast_to(counts.sum(axis=-1 if slot == 0 else -2, keepdims=True), shape)


def _reduced(counts: Any, node: Node, slot: int, sizes: Mapping[str, int]) -> Any:
    shape = shape_at(node.inputs[0], sizes)
    axes = node.op.attributes()["axis"]
    kept = tuple(1 if i in axes else d for i, d in enumerate(shape))
    return np.broadcast_to(counts.reshape(kept), shape)


def _over_row(counts: Any, node: Node, slot: int, sizes: Mapping[str, int]) -> Any:
    axis = node.op.attributes()["axis"]
    return np.broadcast_to(counts.sum(axis=axis, keepdims=True), counts.shape)


def _loss_of_row(counts: Any, node: Node, slot: int, sizes: Mapping[str, int]) -> Any:
    return np.broadcast_to(counts[..., None], shape_at(node.inputs[slot], sizes))


def _moved(counts: Any, node: Node, slot: int, sizes: Mapping[str, int]) -> Any:
    """Where each element came from, its ways come back to."""
    from graphdl.sheet.expansion import places_of

    places = places_of(node, slot, sizes)
    shape = shape_at(node.inputs[slot], sizes)
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
