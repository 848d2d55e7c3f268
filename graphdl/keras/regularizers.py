"""Regularisers: terms of a weight that are added to the loss, as graph nodes; Keras 3's names and formulas."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.errors import ShapeError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.keras.checks import number
from graphdl.keras.lookup import Configured, Kind, by_name, serialize
from graphdl.ops.arithmetic import abs, maximum, sqrt, square
from graphdl.ops.linalg import matmul
from graphdl.ops.reduce import sum
from graphdl.ops.shape import transpose

EPSILON = 1e-7


class Regularizer(Configured):
    """A price on a weight. Subclasses write it in `__call__`."""

    def __call__(self, w: Node) -> Node:
        """The term for the loss, a scalar."""
        raise NotImplementedError


class L1L2(Regularizer):
    """``l1 sum(|w|) + l2 sum(w^2)``"""

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1, self.l2 = _price("l1", l1 or 0.0), _price("l2", l2 or 0.0)

    def __call__(self, w: Node) -> Node:
        """The term for the loss, a scalar."""
        terms = [self.l1 * sum(abs(w))] if self.l1 else []
        terms += [self.l2 * sum(square(w))] if self.l2 else []
        return terms[0] + terms[1] if len(terms) == 2 else terms[0] if terms else constant(0.0, w.dtype)


class L1(Regularizer):
    """``l1 sum(|w|)``, which draws weights to 0."""

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _price("l1", 0.01 if l1 is None else l1)

    def __call__(self, w: Node) -> Node:
        """The term for the loss, a scalar."""
        return self.l1 * sum(abs(w))


class L2(Regularizer):
    """``l2 sum(w^2)``, which keeps weights small."""

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _price("l2", 0.01 if l2 is None else l2)

    def __call__(self, w: Node) -> Node:
        """The term for the loss, a scalar."""
        return self.l2 * sum(square(w))


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean size of the cosines between different rows (or columns) of a matrix."""

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _price("factor", factor)
        self.mode: str = by_name("mode", mode, {"rows": "rows", "columns": "columns"})

    def __call__(self, w: Node) -> Node:
        """The term for the loss, a scalar."""
        if w.ndim != 2:
            raise ShapeError(f"OrthogonalRegularizer: found {w.label}: {w.type}, expected a matrix")
        rows = w if self.mode == "rows" else transpose(w)
        unit = rows / sqrt(maximum(sum(square(rows), axis=1, keepdims=True), EPSILON**2))
        count = int(rows.shape[0])
        others = constant(1 - np.eye(count), w.dtype)
        pairs = count * (count - 1) / 2.0
        cosines = matmul(unit, transpose(unit)) * others
        return sum(abs(cosines)) * (self.factor * 0.5 / pairs)


_KNOWN: dict[str, type[Regularizer]] = {
    "l1": L1,
    "l2": L2,
    "l1_l2": L1L2,
    "l1l2": L1L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
    "orthogonalregularizer": OrthogonalRegularizer,
}
l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer


_KIND: Kind[Any] = Kind("a regularizer", Regularizer, _KNOWN, "a name such as 'l2', or an object")
deserialize = _KIND.deserialize


def get(identifier: Any) -> Any:
    """The regulariser of that name, or the one given: a callable from a weight to a scalar node; None for None."""
    return None if identifier is None else _KIND.get(identifier, lambda function: function)


def _price(word: str, value: Any) -> float:
    return float(number(word, value, below=True))


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]
