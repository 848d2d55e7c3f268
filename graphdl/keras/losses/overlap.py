"""Losses of regions: how little two masks overlap."""

from __future__ import annotations

from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.losses.loss import EPSILON, BuiltinLoss
from graphdl.ops.reduce import sum


class Dice(BuiltinLoss):
    """``1 - 2 sum(t y) / (sum(t) + sum(y))``, over all axes or over `axis` (Dice 1945)."""

    name = "dice"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.axis = axis

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """What is missing to a perfect overlap."""
        both = sum(y_true * y_pred, axis=self.axis)
        return 1 - 2 * both / (sum(y_true, axis=self.axis) + sum(y_pred, axis=self.axis) + EPSILON)


class Tversky(BuiltinLoss):
    """Dice with prices: ``1 - both / (both + alpha missed + beta false)`` (Tversky 1977).

    As in Keras `alpha` is for what is in the target alone, `beta` for what is predicted alone.
    """

    name = "tversky"

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.alpha, self.beta, self.axis = alpha, beta, axis

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """What is missing to a perfect overlap."""
        both = sum(y_true * y_pred, axis=self.axis)
        missed = sum((1 - y_pred) * y_true, axis=self.axis)
        wrong = sum(y_pred * (1 - y_true), axis=self.axis)
        return 1 - both / (both + self.alpha * missed + self.beta * wrong + EPSILON)
