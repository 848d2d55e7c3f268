"""What is fed: found by placeholder or name, converted, and checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from graphdl.errors import FeedError, did_you_mean, listed
from graphdl.ir.dim import Dim, SymDim, evaluate, linear, symbols_of
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Placeholder
from graphdl.ir.node import Node
from graphdl.ir.origin import written_at
from graphdl.ir.text import plain
from graphdl.ir.types import shape_text
from graphdl.ops.parts import Slice

Sizes = dict[str, int]


def read_feeds(graph: Graph, feed_dict: Mapping[Any, Any] | None, asked: str) -> tuple[list[Any], Sizes]:
    """Arrays for the placeholders of `graph`, in order, and the symbolic sizes that their shapes settle.

    FeedError for a placeholder that is missing, a name that is unknown, a dtype or shape that does not fit,
    sizes that contradict each other, and an empty batch. `asked` names what needs the feeds.
    """
    given = _by_placeholder(graph, feed_dict or {})
    arrays = []
    sizes: Sizes = {}
    seen: dict[str, Node] = {}
    for node in graph.placeholders:
        if node not in given:
            raise FeedError(_missing(node, given, asked))
        array = _converted(node, given[node])
        settle(node, array.shape, sizes, seen)
        arrays.append(array)
    _check_slices(graph, sizes)
    return arrays, sizes


def _by_placeholder(graph: Graph, feed_dict: Mapping[Any, Any]) -> dict[Node, Any]:
    names = {node.label: node for node in graph.placeholders} | {
        node.name: node for node in graph.placeholders if node.name
    }
    given = {}
    for key, value in feed_dict.items():
        if isinstance(key, Node):
            if not isinstance(key.op, Placeholder):
                raise FeedError(f"{plain(key.label)} is a {key.op.name}; only placeholders can be fed")
            given[key] = value
        elif key in names:
            given[names[key]] = value
        else:
            hint = did_you_mean(str(key), names)
            raise FeedError(f"there is no placeholder {key!r} here; there is {listed(names)}.{hint}")
    return given


def _missing(node: Node, given: Mapping[Node, Any], asked: str) -> str:
    labels = [n.label for n in given]
    return (
        f"{asked} needs placeholder {node.label!r} ({node.type}), which feed_dict does not give; "
        f"it gives {listed(labels)}.{did_you_mean(node.label, labels)}"
    )


def _converted(node: Node, value: Any) -> np.ndarray[Any, Any]:
    """`value` as a contiguous array of the placeholder's dtype; integers may become floats, not the reverse."""
    if isinstance(value, Node):
        raise FeedError(
            f"{node.label!r} is fed the node {value.label}; feed numbers, or build the graph from that node"
        )
    if type(value) is np.ndarray and value.dtype == node.dtype and value.flags.c_contiguous:
        return value
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise FeedError(f"{node.label!r} is fed a ragged list: {error}") from None
    wanted = np.dtype(node.dtype)
    if array.dtype != wanted and not _may_become(array, wanted):
        raise FeedError(
            f"{node.label!r} is {node.type}, found an array of {array.dtype}{_hint(array, wanted)}"
            f"\n  {written_at(node)}".rstrip()
        )
    return np.ascontiguousarray(array, dtype=wanted).reshape(array.shape)


def _may_become(array: np.ndarray[Any, Any], wanted: np.dtype[Any]) -> bool:
    if array.dtype.kind not in "biuf":
        return False
    if array.size == 0:
        return True
    if wanted.kind == "f":
        return True
    if wanted.kind == "b" or array.dtype.kind not in "iu":
        return bool(array.dtype == wanted)
    limits = np.iinfo(wanted)
    return int(array.min()) >= limits.min and int(array.max()) <= limits.max


def _hint(array: np.ndarray[Any, Any], wanted: np.dtype[Any]) -> str:
    if array.dtype.kind not in "biuf":
        return "; convert it to numbers first"
    if array.dtype.kind in "iu":
        return f" with values from {array.min()} to {array.max()}, which do not fit"
    return f"; if that is meant, pass x.astype({wanted.name!r})"


def settle(node: Node, shape: tuple[int, ...], sizes: Sizes, seen: dict[str, Node]) -> None:
    """Match a shape against the placeholder's type, learning symbolic sizes, and where each was seen, on the way."""
    if len(shape) != node.ndim or any(isinstance(d, int) and d != s for d, s in zip(node.shape, shape, strict=True)):
        raise FeedError(
            f"{node.label!r} is {node.type}, found shape {shape_text(shape)}{_reshape_hint(node, shape)}"
            f"\n  {written_at(node)}".rstrip()
        )
    for d, size in zip(node.shape, shape, strict=True):
        if isinstance(d, SymDim):
            _learn(node, d, size, sizes, seen)


def _learn(node: Node, d: SymDim, size: int, sizes: Sizes, seen: dict[str, Node]) -> None:
    if size == 0:
        raise FeedError(f"{node.label!r} is {node.type} and is fed an empty batch: {d} = 0")
    solved = linear(d)
    if solved and solved[0] not in sizes:
        name, factor, rest = solved
        sizes[name], seen[name] = (size - rest) // factor, node
    unknown = symbols_of([d]) - sizes.keys()
    if unknown:
        raise FeedError(f"{node.label!r} is {node.type}: feed a value of size {min(unknown)} before it, to settle {d}")
    _check_size(node, d, size, sizes, seen)


def _check_size(node: Node, d: SymDim, size: int, sizes: Sizes, seen: dict[str, Node]) -> None:
    expected = evaluate(d, sizes)
    if expected != size:
        other = seen[min(symbols_of([d]))]
        raise FeedError(
            f"{d} is {expected} in {other.label!r} ({other.type}) and {size} in {node.label!r} ({node.type})\n"
            f"  {other.label}: {written_at(other)}\n  {node.label}: {written_at(node)}".rstrip()
        )


def _reshape_hint(node: Node, shape: tuple[int, ...]) -> str:
    lacks_batch = len(shape) == node.ndim - 1 and node.ndim and isinstance(node.shape[0], SymDim)
    if lacks_batch and all(d == s for d, s in zip(node.shape[1:], shape, strict=True)):
        return "; one example needs a batch axis too: x[None]"
    return ""


# Slices along axes whose length is only known now, by graph; looked for once.
_slices: WeakKeyDictionary[Graph, list[tuple[Node, Dim, Dim, Dim]]] = WeakKeyDictionary()


def _check_slices(graph: Graph, sizes: Sizes) -> None:
    """A slice such as ``x[-2:]`` needs two rows; NumPy would give fewer without a word."""
    if graph not in _slices:
        _slices[graph] = _open_slices(graph)
    for node, start, stop, d in _slices[graph]:
        if not 0 <= evaluate(start, sizes) <= evaluate(stop, sizes) <= evaluate(d, sizes):
            raise FeedError(
                f"{plain(node.label)} takes {start} to {stop} of {plain(node.inputs[0].label)} "
                f"({node.inputs[0].type}), too few with {d} = {evaluate(d, sizes)}\n  {written_at(node)}".rstrip()
            )


def _open_slices(graph: Graph) -> list[tuple[Node, Dim, Dim, Dim]]:
    """The slices of parts of axes with symbolic sizes: node, start, stop, size of the axis."""
    return [
        (node, start, stop, d)
        for node in graph.nodes
        if isinstance(node.op, Slice)
        for (start, stop, _), d in zip(node.op.bounds, node.inputs[0].shape, strict=True)
        if symbols_of([start, stop, d]) and (start, stop) != (0, d)
    ]
