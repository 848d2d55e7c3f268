"""Short names for formulas: the user's own, numbers for constants, t₁, t₂ for results that nobody named."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphdl.draw.digits import lowered, number
from graphdl.draw.style import one_line
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, Size, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.origin import forward_of

_LONGEST_SYMBOL = 24


def symbols_of(
    forward: Sequence[Node],
    backward: Iterable[Node],
    gradient: Mapping[Node, Any],
    loss: Node | None,
    outputs: Sequence[Node],
) -> dict[Node, str]:
    """A short name for each node, as formulas use it; gradients are called ∂L/∂x."""
    symbols = _forward_symbols(forward, loss, Graph({str(i): node for i, node in enumerate(outputs)}).names)
    for node, total in gradient.items():
        for part in total if isinstance(total, tuple) else (total,):
            symbols.setdefault(part, _partial(loss, symbols, node))
    for node in backward:
        literal = _literal(node)
        if literal is not None:
            symbols.setdefault(node, literal)
    return symbols


def _forward_symbols(forward: Sequence[Node], loss: Node | None, names: Mapping[Node, str]) -> dict[Node, str]:
    own = _own_names(forward)
    if loss is not None and "L" not in own.values():
        own.setdefault(loss, "L")
    symbols: dict[Node, str] = {}
    taken: set[str] = set()
    results = (lowered(f"t{count}") for count in itertools.count(1))
    for node in forward:
        unique = _dotted(names.get(node, node.label))
        wanted = [own.get(node), unique if own_name(node) or not node.inputs else None]
        free = (text for text in itertools.chain(wanted, results) if text and text.strip() and text not in taken)
        symbols[node] = _literal(node) or next(free)
        taken.add(symbols[node])
    return symbols


def _partial(loss: Node | None, symbols: Mapping[Node, str], node: Node) -> str:
    top = symbols.get(loss, "L") if loss is not None else "L"
    return f"∂{top}/∂{symbols.get(node, one_line(node.label))}"


def _literal(node: Node) -> str | None:
    """What a constant without a name prints as."""
    if isinstance(node.op, Size):
        return str(node.op.dim)
    scalar = scalar_of(node)
    if scalar is not None and own_name(node) is None:
        return number(scalar)
    return None


def own_name(node: Node) -> str | None:
    """The name that the user gave; those that the chain rule gives to gradients would hide what they are."""
    return node.name if forward_of(node) is None else None


def _dotted(label: str) -> str:
    """``dense.kernel``: a slash would read as a division."""
    return one_line(label.replace("/", "."), _LONGEST_SYMBOL)


def _own_names(nodes: Iterable[Node]) -> dict[Node, str]:
    """The name the user gave, with its scope where another node has the same."""
    is_array = {node: isinstance(node.op, Constant) and bool(node.shape) for node in nodes}
    named = {node: own_name(node) or "c" for node in is_array if own_name(node) or is_array[node]}
    times = Counter(named.values())
    return {node: _dotted(name if times[name] == 1 else node.label) for node, name in named.items()}
