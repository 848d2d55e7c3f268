"""What to differentiate for: nodes and elements, given as such or as one types them: ``W``, ``W[0, 0]``, ``w11``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphdl.draw.digits import on_the_line
from graphdl.errors import GradientError, did_you_mean, listed
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import TensorType, shape_text
from graphdl.sheet.naming import at
from graphdl.sheet.scalars import Index

_ELEMENT = re.compile(r"(.+)\[([\d\s,]+)\]")
# w11 of W, w1_12 of W1; subscripts as a sheet prints them.
_INDEXED = re.compile(r"(.+?)_?([1-9]+)")
_LAYERED = re.compile(r"([^\W\d_])⁽([⁰¹²³⁴-⁹]+)⁾(.*)")


@dataclass(frozen=True)
class Target:
    """What to differentiate for: a node, or one element of it."""

    node: Node
    index: Index | None = None


def targets_of(wrt: Any) -> tuple[Target, ...]:
    """The targets in `wrt`: a node, a pair (node, index), or a list of such; GradientError for what there is not."""
    is_pair = isinstance(wrt, tuple) and len(wrt) == 2 and _is_index(wrt[1])
    several = [wrt] if isinstance(wrt, Node | Target) or is_pair else wrt
    found = tuple(map(_target, several))
    if not found:
        raise GradientError("there is nothing to differentiate for, expected a node")
    return found


def _target(item: Any) -> Target:
    found = item if isinstance(item, Target) else Target(item) if isinstance(item, Node) else Target(*item)
    node, index = found.node, found.index
    if index is not None and isinstance(node.type, TensorType) and not _has_element(node, index):
        raise GradientError(
            f"{plain(node.label)} has no element {at(index)}: its shape is "
            f"{shape_text(node.shape)}, and indices count from 0"
        )
    return found


def _is_index(item: Any) -> bool:
    return item is None or (isinstance(item, tuple) and not any(isinstance(i, Node) for i in item))


def _has_element(node: Node, index: Index) -> bool:
    """Whether there may be one: a symbolic size says nothing against it."""
    pairs = zip(index, node.shape, strict=False)
    return len(index) == node.ndim and all(i >= 0 and (not isinstance(d, int) or i < d) for i, d in pairs)


def asked(loss: Node, text: str, symbols: Mapping[Node, str]) -> Target | None:
    """The node or element of the graph of `loss` that `text` names; None when it names none.

    ``W[0, 1]`` counts from 0, as Python does; ``w12`` is the same element counted from 1, as formulas do. A name in
    the graph comes first; `symbols` are what a sheet calls its nodes, which may be typed, too.
    """
    named = _names(loss, symbols)
    if text in named:
        return Target(named[text])
    element = _ELEMENT.fullmatch(text)
    if element and element[1].strip() in named:
        return Target(named[element[1].strip()], _index(element[2], text))
    return _counted_from_one(text, named)


def unknown(loss: Node, text: str, symbols: Mapping[Node, str]) -> GradientError:
    """The error for a name that the graph does not have."""
    known = list(_names(loss, symbols))
    hint = did_you_mean(_ELEMENT.sub(r"\1", text), known)
    return GradientError(
        f"the graph of {plain(loss.label)!r} has no node {text!r}.{hint} It has {listed(Graph(loss).named)}; "
        "an element is W[0, 0], or w11 counted from 1"
    )


def _names(loss: Node, symbols: Mapping[Node, str]) -> dict[str, Node]:
    """Nodes by name; those of the graph go before those of the sheet."""
    graph = Graph(loss)
    return {**{symbol: node for node, symbol in symbols.items()}, **graph.named, **graph.outputs}


def _index(digits: str, text: str) -> Index:
    parts = digits.replace(" ", "").split(",")
    if not all(parts):
        raise GradientError(f"{text!r} is no element, expected indices with commas between them, such as W[0, 0]")
    return tuple(map(int, parts))


def _counted_from_one(text: str, named: Mapping[str, Node]) -> Target | None:
    """``w12``: one digit for each axis longer than 1."""
    layered = _LAYERED.fullmatch(text)
    found = _INDEXED.fullmatch(on_the_line(f"{layered[1]}{layered[2]}_{layered[3]}" if layered else text))
    if not found:
        return None
    letters, digits = found.groups()
    # The shorter name may be the right one: b12 is an element of b, or of b1.
    called = [(node, digits[cut:]) for cut in range(len(digits)) for node in _called(letters + digits[:cut], named)]
    fitting = [target for node, rest in called if (target := _from_digits(node, rest))]
    return fitting[0] if fitting else _of_any_layer(letters, digits, named)


def _of_any_layer(letter: str, digits: str, named: Mapping[str, Node]) -> Target | None:
    """``w12`` where there is no W, but one array among W1, W2, … that has two axes."""
    layer = re.compile(re.escape(letter) + r"\d+", re.IGNORECASE)
    nodes = dict.fromkeys(node for name, node in named.items() if layer.fullmatch(name))
    fitting = [target for node in nodes if (target := _from_digits(node, digits))]
    return fitting[0] if len(fitting) == 1 else None


def _called(name: str, named: Mapping[str, Node]) -> list[Node]:
    """Nodes of that name, in capitals or not."""
    found = [name] if name in named else [known for known in named if known.lower() == name.lower()]
    return [named[known] for known in found]


def _from_digits(node: Node, digits: str) -> Target | None:
    """The element that `digits`, counted from 1, stand for; None where `node` has none such."""
    if not isinstance(node.type, TensorType) or not node.shape or sum(d != 1 for d in node.shape) != len(digits):
        return None
    counted = iter(digits)
    index = tuple(0 if d == 1 else int(next(counted)) - 1 for d in node.shape)
    return Target(node, index) if _has_element(node, index) else None
