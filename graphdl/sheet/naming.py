"""What quantities are called on paper: W1 for the kernel of the first layer, w₁₁ for the first element of W."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence

from graphdl.draw.digits import lowered, on_the_line, raised
from graphdl.draw.subject import Subject
from graphdl.draw.symbols import own_name
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.leaves import VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import TensorType
from graphdl.sheet.folding import MOVES

# Beyond nine, digits of two indices run together; then elements are called as in Python, counted from 0.
_MOST = 9
_NOT_CURVED = frozenset(("negative", "square", "abs", "sqrt", "reciprocal", "log", "exp"))
INVENTED = re.compile(r"t[₀-₉]+")
_LETTER = re.compile(r"([^\W\d_])([0-9₀-₉]*)")


def textbook_symbols(found: Subject) -> dict[Node, str]:
    """The symbols of `found`, where layers have W1 and b1, unnamed weighted sums z1, and unnamed activations a1."""
    symbols = {node: symbol for node, symbol in found.symbols.items() if node in set(found.forward)}
    wanted = _wanted(found, symbols)
    taken = {symbol for node, symbol in symbols.items() if node not in wanted}
    for node, name in wanted.items():
        if name not in taken:
            symbols[node] = name
            taken.add(name)
    return symbols


def _wanted(found: Subject, symbols: Mapping[Node, str]) -> dict[Node, str]:
    """The names that layers ask for; without numbers where there is only one layer."""
    totals = layers(found.forward)
    wanted = {node: "x" for node in found.forward if node.op.name == "placeholder" and node.name == "input_layer"}
    for number, (scope, total) in enumerate(totals, start=1):
        suffix = str(number) if len(totals) > 1 else ""
        for leaf in found.forward:
            if isinstance(leaf.op, VariableLeaf) and leaf.scope and leaf.scope == scope:
                letter = {"kernel": "W", "bias": "b"}.get(leaf.name or "")
                if letter:
                    wanted.setdefault(leaf, f"{letter}{suffix}")
        if _is_invented(total, symbols, found.loss):
            wanted[total] = f"z{suffix}"
        for curved in _curved(found.forward, total):
            if _is_invented(curved, symbols, found.loss):
                wanted[curved] = f"a{suffix}"
    return wanted


def layers(forward: Sequence[Node]) -> list[tuple[str, Node]]:
    """For each sum that a product with weights ends in, the scope of that product, in order."""
    found: dict[Node, str] = {}
    for node in forward:
        if node.op.name == "matmul" and any(isinstance(_behind(s).op, VariableLeaf) for s in node.inputs):
            found.setdefault(_with_bias(node, forward), node.scope)
    return [(scope, total) for total, scope in found.items()]


def _behind(node: Node) -> Node:
    """What `node` only hands on."""
    while node.op.name in MOVES and len(node.inputs) == 1:
        node = node.inputs[0]
    return node


def _with_bias(product: Node, forward: Iterable[Node]) -> Node:
    """The sum of `product` and what is added to it: the product of another input, or a bias."""
    total = product
    for user in forward:
        terms = list(map(_behind, user.inputs)) if user.op.name == "add" else []
        if total in terms and (total is product or any(isinstance(term.op, VariableLeaf) for term in terms)):
            total = user
    return total


def _curved(forward: Iterable[Node], total: Node) -> list[Node]:
    """The activation of `total`."""
    return [
        user
        for user in forward
        if isinstance(user.op, Elementwise)
        and user.op.arity == 1
        and user.op.name not in _NOT_CURVED
        and _behind(user.inputs[0]) is _behind(total)
    ][:1]


def _is_invented(node: Node, symbols: Mapping[Node, str], loss: Node | None) -> bool:
    """Whether nobody named it."""
    return node is not loss and (own_name(node) is None or bool(INVENTED.fullmatch(symbols[node])))


def letters(forward: Iterable[Node], symbols: Mapping[Node, str]) -> dict[Node, str]:
    """What the elements of each node are called after: those of an array W1 are w⁽¹⁾, unless there is a w1, too."""
    names = {node: symbols[node] for node in forward}
    taken = set(names.values())
    arrays = [node for node in names if isinstance(node.type, TensorType) and node.ndim]
    return {**names, **{node: _layered(names[node], taken) for node in arrays}}


def _layered(name: str, taken: Container[str]) -> str:
    """The letter in lower case where that is free, the number of the layer above it."""
    found = _LETTER.fullmatch(name)
    if not found:
        return name
    letter, digits = found.groups()
    letter = letter if letter.lower() + digits in taken else letter.lower()
    return f"{letter}⁽{raised(on_the_line(digits))}⁾" if digits else letter


def element_name(name: str, shape: Sequence[int], index: Sequence[int]) -> str:
    """The element `index` (counted from 0) of an array called `name`; axes of size 1 are left out.

    >>> element_name("w", (4, 3), (0, 2)), element_name("z⁽²⁾", (1, 1), (0, 0)), element_name("w", (64, 3), (9, 2))
    ('w₁₃', 'z⁽²⁾', 'w[9, 2]')
    """
    if max(shape, default=1) > _MOST:
        return name + at(index)
    digits = "".join(str(i + 1) for i, size in zip(index, shape, strict=True) if size > 1)
    return name + lowered(digits)


def element_code(node: Node, index: Sequence[int]) -> str:
    """``W1[0, 0]``"""
    return f"{plain(node.label)}{at(index)}"


def at(index: Sequence[int]) -> str:
    """``[0, 0]``"""
    return f"[{', '.join(map(str, index))}]"
