"""The chain rule along a wire: in symbols, the local derivative, and with the numbers put in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphdl.draw.digits import equals, inner, number, parsed, product, total
from graphdl.draw.formula import applied
from graphdl.draw.model import LaneRule, Value
from graphdl.draw.subject import Lane, Subject
from graphdl.draw.wires import local_formula, sent
from graphdl.ir.node import Node
from graphdl.ir.types import shape_text

_MOST_TERMS = 4


@dataclass(frozen=True)
class Chain:
    """Writes the rules for lanes of `found`, with the numbers at hand."""

    found: Subject
    numbers: Mapping[Node, Value]

    def rule(self, lane: Lane, edge: str, arrival: str = "") -> LaneRule:
        """The rule for the wire `edge`, which `lane` goes back along."""
        down, up = self.partial(lane.source), self.partial(lane.target)
        if lane.local is None:
            derivative, numbers = sent(self.found, lane, up), self._worked(lane.term)
            return LaneRule(
                edge, down, up, derivative=derivative, numbers=numbers, shapes=_algebra(lane), arrival=arrival
            )
        return LaneRule(
            edge,
            down,
            up,
            times="⊙" if lane.target.shape else "·",
            local=f"∂{self.symbol(lane.target)}/∂{self.symbol(lane.source)}",
            derivative=local_formula(self.found, lane),
            value=self._local_value(lane),
            numbers=self._product(lane),
            arrival=arrival,
        )

    def forward(self, node: Node) -> str:
        """``t₁ = −2 + 5 = 3``, for an op on numbers."""
        operands = [self._number(source) for source in node.inputs]
        result = self._number(node)
        if result is None or any(operand is None for operand in operands):
            return ""
        shown = {source: number(value) for source, value in zip(node.inputs, operands, strict=True)}
        exact = all(_is_exact(value) for value in (*operands, result))
        return f"{self.symbol(node)} = {applied(node, shown)} {'=' if exact else '≈'} {number(result)}"

    def addition(self, source: Node, lanes: Iterable[Lane]) -> str:
        """``3 + 3 + 1 = 7``: how the gradients of a value used several times add up, for numbers."""
        terms = [self._number(lane.term) for lane in lanes]
        if not terms or any(term is None for term in terms):
            return ""
        whole = self.found.gradient.get(source)
        result = None if whole is None or isinstance(whole, tuple) else self._number(whole)
        if result is None:
            return ""
        return total(terms, result) if len(terms) <= _MOST_TERMS else f"{len(terms)} terms = {number(result)}"

    def symbol(self, node: Node) -> str:
        """The short name of a forward node."""
        return self.found.symbols[node]

    def partial(self, node: Node) -> str:
        """``∂L/∂x``; L also where the gradients are there and their loss is not."""
        loss = self.found.loss
        return f"∂{'L' if loss is None else self.symbol(loss)}/∂{self.symbol(node)}"

    def _local_value(self, lane: Lane) -> str:
        """``= −4``, unless the formula says as much."""
        value = self._number(lane.local) if lane.local is not None else None
        if value is None or local_formula(self.found, lane) == number(value):
            return ""
        return f"{'=' if _is_exact(value) else '≈'} {number(value)}"

    def _product(self, lane: Lane) -> str:
        """Numbers for symbols; for arrays those of the first element."""
        assert lane.local is not None
        found = [self.numbers.get(node) for node in (lane.upstream, lane.local, lane.term)]
        if isinstance(lane.upstream, tuple) or any(value is None or value.data is None for value in found):
            return ""
        shapes = [value.shape for value in found if value is not None and value.shape]
        if any(shape != shapes[0] for shape in shapes):
            return ""
        upstream, local, term = (_first(value.data) for value in found if value is not None)
        if any(part is None for part in (upstream, local, term)):
            return ""
        place = f"[{', '.join('0' for _ in shapes[0])}]: " if shapes else ""
        return f"{place}{product([upstream, local], term)}"

    def _worked(self, term: Node) -> str:
        """The first element of a matrix product or of a sum, worked out."""
        worker = _WORKERS.get(term.op.name)
        whole = [self._array(node) for node in (*term.inputs, term)] if worker else []
        if worker is None or any(array is None or not array.size for array in whole):
            return ""
        *operands, result = whole
        line = worker(operands, result)
        place = ", ".join("0" for _ in result.shape)
        return f"[{place}]: {line}" if line and result.shape else line

    def _array(self, node: Node) -> Any:
        """The value of `node` where it is kept whole."""
        value = self.numbers.get(node)
        return None if value is None or value.data is None else np.reshape(value.data, value.shape)

    def _number(self, node: Node | None) -> Any:
        """The value of `node` when it is one number."""
        value = self.numbers.get(node) if node is not None else None
        return value.data if value is not None and not value.shape else None


def _algebra(lane: Lane) -> str:
    """How shapes multiply: ``(784, N) · (N, 128) → (784, 128)``."""
    if lane.term.op.name != "matmul":
        return ""
    left, right = (shape_text(source.shape) for source in lane.term.inputs)
    return f"{left} · {right} → {shape_text(lane.term.shape)}"


def _element_of_product(operands: list[Any], result: Any) -> str:
    left, right = operands
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] > _MOST_TERMS:
        return ""
    return inner(zip(left[0], right[:, 0], strict=True), result[0, 0])


def _element_of_sum(operands: list[Any], result: Any) -> str:
    """The elements that copies of the first one had made."""
    (terms,) = operands
    copies = np.broadcast_to(np.arange(result.size).reshape(result.shape), terms.shape) == 0
    if copies.sum() > _MOST_TERMS:
        return ""
    return total(terms[copies], result.flat[0])


_WORKERS = {"matmul": _element_of_product, "sum_to": _element_of_sum}


def _first(data: Any) -> Any:
    while isinstance(data, list):
        if not data:
            return None
        data = data[0]
    return data


def _is_exact(value: Any) -> bool:
    """Whether what is displayed is the number itself, but for the last bits of its arithmetic."""
    shown = number(value)
    if shown in ("true", "false", "NaN"):
        return True
    return equals(float(value), shown) == "=" and abs(parsed(shown) - float(value)) <= 1e-6 * abs(float(value))
