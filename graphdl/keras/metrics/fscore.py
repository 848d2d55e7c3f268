"""Harmonic means of precision and recall, class by class."""

from __future__ import annotations

from typing import Any

from graphdl.errors import ShapeError
from graphdl.ir.node import Node
from graphdl.keras.checks import number
from graphdl.keras.lookup import by_name
from graphdl.keras.losses.loss import EPSILON, alike, weight_like
from graphdl.keras.metrics.metric import Accumulated, Sums
from graphdl.ops.arithmetic import abs, greater, greater_equal, logical_and
from graphdl.ops.reduce import max, mean, sum
from graphdl.ops.shape import cast

_AVERAGES = {word: word for word in ("none", "micro", "macro", "weighted")}


class FBetaScore(Accumulated):
    """``(1 + beta^2) precision recall / (beta^2 precision + recall)`` of each class.

    average     over the classes: None for one number each, "micro" counts all together, "macro" the mean, "weighted"
                by how often a class is the true one
    threshold   above which an element is taken for 1; None: the largest of each row is
    """

    name = "fbeta_score"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        by_name("average", average or "none", _AVERAGES)
        self.average, self.beta = average, number(f"{self.name}: beta", beta, above=True)
        self.threshold = None if threshold is None else number(f"{self.name}: threshold", threshold, 0, 1, above=True)

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """Decisions, right and wrong, of each class (of all together for "micro"), and how often it is true."""
        t, y = alike(y_true, y_pred)
        if y.ndim != 2:
            raise ShapeError(f"{self.name}: found predictions {y.type}, expected a row for each example")
        chosen = cast(self._chosen(y), y.dtype)
        axis = None if self.average == "micro" else 0
        found = {"tp": chosen * t, "fp": chosen * (1 - t), "fn": (1 - chosen) * t, "weight": t}
        if sample_weight is not None:
            weight = weight_like(sample_weight, y)
            found = {name: part * weight for name, part in found.items()}
        return {name: sum(part, axis=axis) for name, part in found.items()}

    def of_sums(self, sums: Sums) -> Node:
        """The score."""
        precision = sums["tp"] / (sums["tp"] + sums["fp"] + EPSILON)
        recall = sums["tp"] / (sums["tp"] + sums["fn"] + EPSILON)
        square = self.beta**2
        score = (1 + square) * (precision * recall / (square * precision + recall + EPSILON))
        if self.average == "weighted":
            return sum(score * (sums["weight"] / (sum(sums["weight"]) + EPSILON)))
        return mean(score) if self.average == "macro" else score

    def _chosen(self, y: Node) -> Node:
        if self.threshold is not None:
            return greater(y, self.threshold)
        return logical_and(greater_equal(y, max(y, axis=-1, keepdims=True)), greater(abs(y), 1e-9))


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall."""

    name = "f1_score"

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
