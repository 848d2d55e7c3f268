"""Counts of right and wrong decisions at thresholds, and the shares made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphdl.errors import ShapeError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.keras.checks import number
from graphdl.keras.losses.loss import alike, in_dtype, weight_like
from graphdl.keras.metrics.metric import Accumulated, Sums, float_of, ratio
from graphdl.ops.arithmetic import equal, greater, less, logical_and, logical_or, not_equal, where
from graphdl.ops.linalg import matmul
from graphdl.ops.reduce import sum
from graphdl.ops.shape import broadcast_to, cast, expand_dims, reshape, squeeze

# Below every score: what is not among the top k is put there.
LOWEST = -1e10
Thresholds = float | Sequence[float] | None


class Decisions:
    """Which elements count, as `class_id` and `top_k` choose them, and the thresholds they are held against."""

    def __init__(self, owner: str, thresholds: Thresholds, top_k: int | None, class_id: int | None) -> None:
        given: Any = (0.5 if top_k is None else LOWEST) if thresholds is None else thresholds
        self.thresholds: list[float] = list(given) if isinstance(given, list | tuple | np.ndarray) else [given]
        for value in self.thresholds if thresholds is not None else ():
            number(f"{owner}: a threshold", value, 0, 1)
        self.top_k, self.class_id = top_k, class_id

    def counts(self, y_true: Node, y_pred: Node, sample_weight: Node | None) -> dict[str, Node]:
        """Weighted counts for each threshold: true and false positives, true and false negatives."""
        t, y = alike(y_true, in_dtype(y_pred, float_of(y_pred)))
        if self.top_k is not None:
            y = where(is_among_top(y, self.top_k), y, LOWEST)
        if self.class_id is not None:
            if y.ndim < 2:
                raise ShapeError(
                    f"class_id={self.class_id}: found predictions {y.type}, expected a row of classes each"
                )
            t, y = t[..., self.class_id], y[..., self.class_id]
        weight = None if sample_weight is None else weight_like(sample_weight, y)
        return counted(t, y, weight, self.thresholds)

    def one(self, found: Node) -> Node:
        """A scalar, where there is one threshold."""
        return squeeze(found, 0) if len(self.thresholds) == 1 else found


def counted(
    t: Node, y: Node, weight: Node | None, thresholds: Sequence[float], by_label: bool = False
) -> dict[str, Node]:
    """Counts over all elements, for each threshold (and, where asked for, for each label: each last place)."""
    wide = y.shape[-1] if by_label else 1
    is_true = cast(not_equal(t, 0), y.dtype)
    ones = broadcast_to(constant(1.0, y.dtype), y.shape) if weight is None else weight
    positive, negative = (_columns(part * ones, wide) for part in (is_true, 1 - is_true))
    levels = reshape(constant(np.array(thresholds), y.dtype), (-1, 1, 1))
    above = cast(greater(expand_dims(_columns(y, wide), 0), levels), y.dtype)
    tp, fp = (sum(above * part, axis=1) if by_label else _product(above, part) for part in (positive, negative))
    all_true, all_false = sum(positive, axis=0), sum(negative, axis=0)
    found = {"tp": tp, "fp": fp, "tn": all_false - fp, "fn": all_true - tp}
    return found if by_label else {name: reshape(node, (len(thresholds),)) for name, node in found.items()}


def _columns(x: Node, wide: Any) -> Node:
    return reshape(x, (-1, wide))


def _product(above: Node, part: Node) -> Node:
    return matmul(squeeze(above, 2), part)


def is_among_top(scores: Node, k: int) -> Node:
    """Whether each score is one of the `k` largest of its row; of those that tie the first ones are."""
    width = scores.shape[-1]
    mine, others = expand_dims(scores, -1), expand_dims(scores, -2)
    earlier = constant(np.tril(np.ones((width, width), bool), -1))
    is_before = logical_or(greater(others, mine), logical_and(equal(others, mine), earlier))
    return less(sum(cast(is_before, "int64"), axis=-1), k)


class _Count(Accumulated):
    """How often decisions were of one kind."""

    of: str

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.thresholds = thresholds
        self._decisions = Decisions(self.name, thresholds, None, None)

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """The count of this batch."""
        return {"accumulator": self._decisions.counts(y_true, y_pred, sample_weight)[self.of]}

    def of_sums(self, sums: Sums) -> Node:
        """The count."""
        return self._decisions.one(sums["accumulator"])


class TruePositives(_Count):
    """How many elements above the threshold are of class 1."""

    name, of = "true_positives", "tp"


class FalsePositives(_Count):
    """How many elements above the threshold are of class 0."""

    name, of = "false_positives", "fp"


class TrueNegatives(_Count):
    """How many elements not above the threshold are of class 0."""

    name, of = "true_negatives", "tn"


class FalseNegatives(_Count):
    """How many elements not above the threshold are of class 1."""

    name, of = "false_negatives", "fn"


class _Share(Accumulated):
    """True positives as a share of something."""

    others: str

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self._decisions = Decisions(self.name, thresholds, top_k, class_id)

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """True positives, and the others."""
        counts = self._decisions.counts(y_true, y_pred, sample_weight)
        return {"tp": counts["tp"], self.others: counts[self.others]}

    def of_sums(self, sums: Sums) -> Node:
        """The share; 0 of nothing."""
        return self._decisions.one(ratio(sums["tp"], sums["tp"] + sums[self.others]))


class Precision(_Share):
    """How much of what was taken for class 1 is of class 1."""

    name, others = "precision", "fp"


class Recall(_Share):
    """How much of class 1 was found."""

    name, others = "recall", "fn"
