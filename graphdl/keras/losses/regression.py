"""Losses of numbers: how far predictions are from targets."""

from __future__ import annotations

import math
from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.checks import number
from graphdl.keras.losses.loss import EPSILON, BuiltinLoss, ElementLoss
from graphdl.ops.arithmetic import abs, less_equal, maximum, sqrt, square, where
from graphdl.ops.reduce import sum
from graphdl.ops.transcendental import log, softplus


class MeanSquaredError(ElementLoss):
    """``mean((y - t)^2)``"""

    name = "mean_squared_error"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Squares of the errors."""
        return square(y_pred - y_true)


class MeanAbsoluteError(ElementLoss):
    """``mean(|y - t|)``"""

    name = "mean_absolute_error"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Sizes of the errors."""
        return abs(y_pred - y_true)


class MeanAbsolutePercentageError(ElementLoss):
    """``100 mean(|t - y| / max(|t|, epsilon))``"""

    name = "mean_absolute_percentage_error"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Errors in percent of the targets."""
        return 100 * abs((y_true - y_pred) / maximum(abs(y_true), EPSILON))


class MeanSquaredLogarithmicError(ElementLoss):
    """``mean((log(1 + y) - log(1 + t))^2)``, with both kept from `epsilon` up."""

    name = "mean_squared_logarithmic_error"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Squares of the errors of logarithms."""
        return square(log(1 + maximum(y_pred, EPSILON)) - log(1 + maximum(y_true, EPSILON)))


class Huber(ElementLoss):
    """``(y - t)^2 / 2`` up to errors of `delta`, beyond it ``delta |y - t| - delta^2 / 2`` (Huber 1964)."""

    name = "huber_loss"

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        number(f"{self.name}: delta", delta, above=True)
        self.delta = delta

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """A parabola with straight ends."""
        error = y_pred - y_true
        size, d = abs(error), self.delta
        return where(less_equal(size, d), 0.5 * square(error), d * size - 0.5 * d**2)


class LogCosh(ElementLoss):
    """``mean(log(cosh(y - t)))``: half a square for small errors, nearly their size for large ones."""

    name = "log_cosh"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """``x + softplus(-2 x) - log 2``, which does not overflow."""
        x = y_pred - y_true
        return x + softplus(-2 * x) - math.log(2)


class CosineSimilarity(BuiltinLoss):
    """Minus the cosine of the angle between target and prediction: -1 for one direction, 1 for opposite ones."""

    name = "cosine_similarity"

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.axis = axis

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """Minus the product of unit vectors."""
        return -cosine(y_true, y_pred, self.axis)


def cosine(y_true: Node, y_pred: Node, axis: int = -1) -> Node:
    """The cosine of the angle between rows; 0 where one of them is 0."""
    return sum(unit(y_true, axis) * unit(y_pred, axis), axis=axis)


def unit(x: Node, axis: int) -> Node:
    """`x` divided by its norm along `axis`, or by epsilon where that is larger."""
    return x / sqrt(maximum(sum(square(x), axis=axis, keepdims=True), EPSILON**2))
