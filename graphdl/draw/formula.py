"""Nodes as formulas in plain text, over the symbols of a graph: ``y · (1 − y)``, ``∂L/∂z · Wᵀ``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from graphdl.draw.digits import MINUS, number
from graphdl.ir.leaves import Size, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors

_NUMBER = re.compile(f"{MINUS}?[0-9.]+(e{MINUS}?[0-9]+)?")
# How tightly operators bind; operands that bind less tightly get brackets.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(1, 6)


class Text(NamedTuple):
    """A formula and how tightly its outermost operator binds; a `given` one is never left out."""

    text: str
    binds: int = _ATOM
    given: bool = False

    def inside(self, binds: int) -> str:
        """The formula as an operand of an operator that binds as tightly as `binds`."""
        return self.text if self.binds >= binds else f"({self.text})"

    def behind(self, binds: int) -> str:
        """Likewise behind an operator, where a sign wants brackets too."""
        return f"({self.text})" if self.binds == _SIGN else self.inside(binds)

    def is_just(self, number: str) -> bool:
        """Whether it is a `number` that may be left out."""
        return self.text == number and not self.given


def formulas(nodes: Iterable[Node], symbols: Mapping[Node, str]) -> dict[Node, str]:
    """Each of `nodes` as a formula over nodes that have symbols; ones, copies and casts are left out."""
    asked = list(nodes)
    texts: dict[Node, Text] = {}
    for node in ancestors(asked, stop=symbols):
        texts[node] = _symbol(symbols[node]) if node in symbols else _text(node, texts)
    return {node: texts[node].text for node in asked}


def applied(node: Node, symbols: Mapping[Node, str]) -> str:
    """The op of `node` over the symbols of its inputs, nothing left out."""
    operands = [_symbol(symbols[source]) for source in node.inputs]
    write = _call if _WRITERS.get(node.op.name) is _same else _WRITERS.get(node.op.name, _call)
    return write(node, operands).text


def _symbol(text: str) -> Text:
    return Text(text, _SIGN if text.startswith(MINUS) else _ATOM, given=True)


def _text(node: Node, texts: Mapping[Node, Text]) -> Text:
    scalar = scalar_of(node)
    if scalar is not None:
        shown = number(scalar)
        return Text(shown, _SIGN if shown.startswith(MINUS) else _ATOM)
    if isinstance(node.op, Size):
        return _size(str(node.op.dim))
    if not node.inputs:
        return Text(node.name or node.op.name)
    operands = [texts[source] for source in node.inputs]
    write = _WRITERS.get(node.op.name)
    return write(node, operands) if write else _call(node, operands)


def _size(polynomial: str) -> Text:
    """``4 · N``, which a division by it puts in brackets."""
    binds = _SUM if " " in polynomial else _PRODUCT if "*" in polynomial else _ATOM
    return Text(polynomial.replace("*", " · ").replace("-", MINUS), binds)


def _call(node: Node, operands: list[Text]) -> Text:
    name = node.op.name.removesuffix("_to")
    return Text(f"{name}({', '.join(operand.text for operand in operands)})")


def _sum(node: Node, operands: list[Text]) -> Text:
    kept = [operand for operand in operands if not operand.is_just("0")]
    if len(kept) < 2:
        return kept[0] if kept else Text("0")
    return Text(" + ".join([kept[0].inside(_SUM), *(operand.behind(_SUM) for operand in kept[1:])]), _SUM)


def _difference(node: Node, operands: list[Text]) -> Text:
    left, right = operands
    return Text(f"{left.inside(_SUM)} {MINUS} {right.behind(_PRODUCT)}", _SUM)


def _product(node: Node, operands: list[Text]) -> Text:
    kept = [operand for operand in operands if not operand.is_just("1")]
    if len(kept) < 2:
        return kept[0] if kept else Text("1")
    left, right = kept
    if left.is_just(f"{MINUS}1"):
        return Text(f"{MINUS}{right.behind(_PRODUCT)}", _SIGN)
    return Text(f"{left.inside(_PRODUCT)} {_times(node, left, right)} {right.behind(_PRODUCT)}", _PRODUCT)


def _times(node: Node, *operands: Text) -> str:
    """A product with a number, or of arrays element by element."""
    arrays = all(source.shape for source in node.inputs)
    return "·" if not arrays or any(_is_number(operand.text) for operand in operands) else "⊙"


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _negative(node: Node, operands: list[Text]) -> Text:
    (a,) = operands
    if a.binds == _SIGN and not a.given:
        return Text(a.text.removeprefix(MINUS), _PRODUCT)
    return Text(f"{MINUS}{a.behind(_PRODUCT)}", _SIGN)


def _quotient(node: Node, operands: list[Text]) -> Text:
    left, right = operands
    if right.is_just("1"):
        return left
    return Text(f"{left.inside(_PRODUCT)} / {right.behind(_POWER)}", _PRODUCT)


def _power(node: Node, operands: list[Text]) -> Text:
    return Text(f"{operands[0].inside(_ATOM)}^{operands[1].inside(_ATOM)}", _POWER)


def _matmul(node: Node, operands: list[Text]) -> Text:
    left, right = (operand.inside(_PRODUCT) for operand in operands)
    return Text(f"{left} · {right}", _PRODUCT)


def _affine(node: Node, operands: list[Text]) -> Text:
    x, W, b = operands
    return Text(f"{x.inside(_PRODUCT)} · {W.inside(_PRODUCT)} + {b.inside(_SIGN)}", _SUM)


def _mask(node: Node, operands: list[Text]) -> Text:
    dy, y = operands
    chosen = Text(f"[{y.text} > 0]")
    return chosen if dy.is_just("1") else Text(f"{dy.inside(_PRODUCT)} {_times(node, dy, y)} {chosen.text}", _PRODUCT)


def _einsum(node: Node, operands: list[Text]) -> Text:
    """``einsum(ab, cb → ac: q, K)``"""
    axes = node.op.equation().replace(",", ", ").replace("->", " → ")  # type: ignore[attr-defined]
    return Text(f"einsum({axes}: {', '.join(operand.text for operand in operands)})")


def _slice(node: Node, operands: list[Text]) -> Text:
    """``x[1:3, :]``, as the program has it."""
    (x,), (source,) = operands, node.inputs
    return _part(x, ", ".join(map(_bounds, node.op.attributes()["bounds"], source.shape)))


def _bounds(bounds: tuple[Any, Any, int], size: Any) -> str:
    start, stop, step = bounds
    if (start, stop, step) == (0, size, 1):
        return ":"
    return f"{start}:{stop}" + (f":{step}" if step != 1 else "")


def _pick(node: Node, operands: list[Text]) -> Text:
    return _part(operands[0], node.op.attributes()["index"])


def _part(whole: Text, which: Any) -> Text:
    """``x[0]``; a derivative stands in brackets, since ∂L/∂x[0] would be that for the part."""
    return Text(f"({whole.text})[{which}]" if "∂" in whole.text else f"{whole.inside(_ATOM)}[{which}]")


def _same(node: Node, operands: list[Text]) -> Text:
    return operands[0]


def _wrapped(before: str, after: str) -> Callable[[Node, list[Text]], Text]:
    return lambda node, operands: Text(f"{before}{operands[0].text}{after}")


def _behind(mark: str) -> Callable[[Node, list[Text]], Text]:
    return lambda node, operands: Text(f"{operands[0].inside(_ATOM)}{mark}", _POWER)


def _compared(sign: str) -> Callable[[Node, list[Text]], Text]:
    return lambda node, operands: Text(f"[{operands[0].text} {sign} {operands[1].text}]")


def _reciprocal(node: Node, operands: list[Text]) -> Text:
    return Text(f"1 / {operands[0].inside(_POWER)}", _PRODUCT)


_WRITERS: dict[str, Callable[[Node, list[Text]], Text]] = {
    "add": _sum,
    "add_n": _sum,
    "subtract": _difference,
    "multiply": _product,
    "divide": _quotient,
    "negative": _negative,
    "power": _power,
    "square": _behind("²"),
    "transpose": _behind("ᵀ"),
    "sqrt": _wrapped("√(", ")"),
    "reciprocal": _reciprocal,
    "abs": _wrapped("|", "|"),
    "sigmoid": _wrapped("σ(", ")"),
    "sum": _wrapped("Σ(", ")"),
    "sum_to": _wrapped("Σ(", ")"),
    "matmul": _matmul,
    "einsum": _einsum,
    "slice": _slice,
    "pick": _pick,
    "affine": _affine,
    "mask_positive": _mask,
    "broadcast_to": _same,
    "reshape": _same,
    "cast": _same,
    "stop_gradient": _same,
    "equal": _compared("="),
    "not_equal": _compared("≠"),
    "less": _compared("<"),
    "less_equal": _compared("≤"),
    "greater": _compared(">"),
    "greater_equal": _compared("≥"),
}
