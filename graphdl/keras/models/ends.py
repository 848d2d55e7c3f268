"""Where a model begins and ends: its inputs and outputs by name, and in the form the user gave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphdl.errors import GraphError, listed
from graphdl.ir.leaves import Placeholder
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors
from graphdl.ir.types import FLOATS
from graphdl.keras.calls import LayerOutput
from graphdl.keras.family import Family, open_family, unused
from graphdl.keras.layers.core import InputLayer

Ends = Node | Sequence[Node] | Mapping[str, Node]


def named(given: Ends, what: str) -> dict[str, Node]:
    """The nodes by name: those of a dict, or of the layers that made them."""
    if isinstance(given, Mapping):
        return {str(name): _checked(node, what) for name, node in given.items()}
    found: dict[str, Node] = {}
    for node in [given] if isinstance(given, Node) else list(given):
        _checked(node, what)
        name = node.call.layer.name if isinstance(node, LayerOutput) else node.name or node.op.name
        found[unused(name, found)] = node
    if not found:
        raise GraphError(f"a model has no {what}")
    return found


def placeholders(shapes: Any) -> Any:
    """What to feed for batches of these shapes, whose first size is None: one, a list, or a dict by name."""
    if isinstance(shapes, Mapping):
        return {name: _input(shape, str(name)) for name, shape in shapes.items()}
    if isinstance(shapes, list) and shapes and isinstance(shapes[0], list | tuple):
        return [_input(shape) for shape in shapes]
    return _input(shapes)


def _input(shape: Sequence[int | None], name: str | None = None) -> Node:
    return InputLayer(tuple(shape[1:]), name=name).placeholder(open_family(), None if name else "x")


def in_form(form: Any, values: Sequence[Any]) -> Any:
    """The values in the form in which the ends were given: one, a list or a dict."""
    if isinstance(form, Mapping):
        return dict(zip(form, values, strict=True))
    return values[0] if isinstance(form, Node) or len(values) == 1 else list(values)


def family_between(inputs: Sequence[Node], outputs: Sequence[Node]) -> Family:
    """The one family of everything between; placeholders that are not among the inputs are refused."""
    nodes = ancestors(outputs)
    for node in nodes:
        if isinstance(node.op, Placeholder) and node not in inputs:
            raise GraphError(f"the outputs depend on {node.label}, which is not among the inputs")
    for node in outputs:
        if node.dtype not in FLOATS and node not in inputs:
            raise GraphError(f"{node.label} is {node.type}, expected floats as the output of a model")
    families = [n.call.family for n in (*inputs, *nodes) if isinstance(n, LayerOutput)]
    first = families[0] if families else Family()
    for other in families[1:]:
        first.join(other)
    return first.head


def paired(name: str, names: Sequence[str], nodes: Sequence[Node], given: Any) -> Iterator[tuple[Node, Node]]:
    """Each input of the model `name` with the node it is called on: one, a list, or a dict by name."""
    if isinstance(given, Mapping):
        missing = [each for each in names if each not in given]
        if missing:
            raise GraphError(f"{name} is called on {listed(given)}, and lacks {listed(missing)}")
        given = [given[each] for each in names]
    found = [given] if isinstance(given, Node) else list(given)
    if len(found) != len(nodes):
        raise GraphError(f"{name} is called on {len(found)} nodes, expected {len(nodes)}: {listed(names)}")
    for node, other in zip(nodes, found, strict=True):
        if not _fits(node, other):
            raise GraphError(f"{name} is called on {other.label}: {other.type}, expected {node.label}: {node.type}")
        yield node, other


def only(nodes: Sequence[Node], what: str) -> Node:
    """The one node; GraphError where there are several."""
    if len(nodes) != 1:
        raise GraphError(f"the model has {len(nodes)} {what}: {listed(n.label for n in nodes)}; see model.{what}")
    return nodes[0]


def _fits(node: Node, other: Node) -> bool:
    same = node.ndim == other.ndim and node.dtype == other.dtype
    return same and all(a == b for a, b in zip(node.shape, other.shape, strict=True) if isinstance(a, int))


def _checked(node: Any, what: str) -> Node:
    if not isinstance(node, Node):
        raise GraphError(f"{what} of a model are nodes, found {node!r:.60}, a {type(node).__name__}")
    if what == "inputs" and not isinstance(node.op, Placeholder):
        raise GraphError(f"{node.label} is a {node.op.name}; a model begins at keras.Input(...)")
    return node
