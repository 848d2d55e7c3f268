"""What is differentiated for, as one types it: ``W``, ``W[0, 0]``, ``w11``, or what a sheet itself calls it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from graphdl.errors import GradientError, did_you_mean, listed
from graphdl.ir.dim import Dim
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import TensorType
from graphdl.sheet.derivation import Target

_ELEMENT = re.compile(r"(.+)\[([\d\s,]+)\]")
# w11 of W, w1_12 of W1; subscripts as a sheet prints them.
_INDEXED = re.compile(r"(.+?)_?([1-9]+)")
_LAYERED = re.compile(r"([^\W\d_])⁽([⁰¹²³⁴-⁹]+)⁾(.*)")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "0123456789" * 2)


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


def _index(digits: str, text: str) -> tuple[int, ...]:
    parts = digits.replace(" ", "").split(",")
    if not all(parts):
        raise GradientError(f"{text!r} is no element, expected indices with commas between them, such as W[0, 0]")
    return tuple(map(int, parts))


def _counted_from_one(text: str, named: Mapping[str, Node]) -> Target | None:
    """``w12``: one digit for each axis longer than 1."""
    layered = _LAYERED.fullmatch(text)
    plain_text = f"{layered[1]}{layered[2].translate(_DIGITS)}_{layered[3]}" if layered else text
    found = _INDEXED.fullmatch(plain_text.translate(_DIGITS))
    # The shorter name may be the right one: b12 is an element of b, or of b1.
    for cut in range(len(found[2])) if found else ():
        name = (found[1] + found[2][:cut]) if found else ""
        digits = found[2][cut:] if found else ""
        for node in _called(name, named):
            index = _from_digits(node, digits)
            if index is not None:
                return Target(node, index)
    return _of_any_layer(found[1], found[2], named) if found else None


def _of_any_layer(letter: str, digits: str, named: Mapping[str, Node]) -> Target | None:
    """``w12`` where there is no W, but one array among W1, W2, … that has two axes."""
    layer = re.compile(re.escape(letter) + r"\d+", re.IGNORECASE)
    found = {node: _from_digits(node, digits) for name, node in named.items() if layer.fullmatch(name)}
    fitting = [Target(node, index) for node, index in found.items() if index is not None]
    return fitting[0] if len(fitting) == 1 else None


def _called(name: str, named: Mapping[str, Node]) -> list[Node]:
    """Arrays of that name, in capitals or not."""
    wanted = [known for known in named if known == name] or [known for known in named if known.lower() == name.lower()]
    return [named[known] for known in wanted if isinstance(named[known].type, TensorType)]


def _from_digits(node: Node, digits: str) -> tuple[int, ...] | None:
    if not isinstance(node.type, TensorType):
        return None
    long = [axis for axis, d in enumerate(node.shape) if d != 1]
    if not node.shape or len(long) != len(digits):
        return None
    index = [0] * node.ndim
    for axis, digit in zip(long, digits, strict=True):
        if not _fits(int(digit) - 1, node.shape[axis]):
            return None
        index[axis] = int(digit) - 1
    return tuple(index)


def _fits(i: int, size: Dim) -> bool:
    return i >= 0 and (not isinstance(size, int) or i < size)
