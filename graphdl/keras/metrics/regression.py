"""Metrics of numbers that are more than a loss averaged: roots, directions, shares of the variance."""

from __future__ import annotations

from typing import Any

from graphdl.errors import ShapeError
from graphdl.ir.dim import numel
from graphdl.ir.leaves import constant, size
from graphdl.ir.node import Node
from graphdl.keras.checks import integer
from graphdl.keras.lookup import by_name
from graphdl.keras.losses.loss import EPSILON, alike, weight_like
from graphdl.keras.losses.regression import cosine
from graphdl.keras.metrics.metric import Accumulated, Metric, Sums, mean_parts, ratio
from graphdl.ops.arithmetic import equal, greater, isfinite, logical_and, logical_not, sqrt, square, where
from graphdl.ops.reduce import mean, sum, var
from graphdl.ops.shape import broadcast_to

_AGGREGATIONS = {word: word for word in ("uniform_average", "variance_weighted_average", "none")}


class RootMeanSquaredError(Accumulated):
    """``sqrt(mean((y - t)^2))``, the root of the mean over all examples."""

    name = "root_mean_squared_error"

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """Squares, and how many."""
        y_true, y_pred = alike(y_true, y_pred)
        return mean_parts(square(y_pred - y_true), sample_weight)

    def of_sums(self, sums: Sums) -> Node:
        """The root of the mean."""
        return sqrt(ratio(sums["total"], sums["count"]))


class CosineSimilarity(Metric):
    """The mean cosine of the angle between target and prediction."""

    name = "cosine_similarity"

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = axis

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """The cosine of each example."""
        return cosine(*alike(y_true, y_pred), self.axis)


class PearsonCorrelation(Metric):
    """The mean over the examples of the correlation of target and prediction along `axis`."""

    name = "pearson_correlation"

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = axis

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """The correlation of each example."""
        t, y = (_standardised(x, self.axis) for x in alike(y_true, y_pred))
        return mean(t * y, axis=self.axis)


class ConcordanceCorrelation(Metric):
    """Lin's concordance (1989): correlation that also counts differences of mean and spread, as Keras 3 computes it."""

    name = "concordance_correlation"

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = axis

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """The concordance of each example."""
        t, y = alike(y_true, y_pred)
        t_mean, y_mean = (mean(x, axis=self.axis, keepdims=True) for x in (t, y))
        together = (t - y_mean) * (y - y_mean)
        apart = var(t, axis=self.axis, keepdims=True) + var(y, axis=self.axis, keepdims=True) + square(t_mean - y_mean)
        return mean(2 * together / (apart + EPSILON), axis=self.axis)


class R2Score(Accumulated):
    """The share of the targets' variance that is explained, ``1 - sum((t - y)^2) / sum((t - mean t)^2)``.

    class_aggregation   of several outputs: "uniform_average", "variance_weighted_average", or None for each
    num_regressors      for the adjusted score: how many inputs were fitted
    """

    name = "r2_score"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        by_name("class_aggregation", class_aggregation or "none", _AGGREGATIONS)
        self.class_aggregation = class_aggregation
        self.num_regressors = integer("R2Score: num_regressors", num_regressors, 0)

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """Of each output: targets, their squares, squared errors, weights; and how many elements there were."""
        t, y = alike(y_true, y_pred)
        if y.ndim != 2:
            raise ShapeError(f"R2Score: found predictions {y.type}, expected a row for each example")
        one = constant(1.0, y.dtype)
        weight = broadcast_to(one, y.shape) if sample_weight is None else weight_like(sample_weight, y)
        return {
            "sum": sum(t * weight, axis=0),
            "squared_sum": sum(t * t * weight, axis=0),
            "residual": sum(square(t - y) * weight, axis=0),
            "count": sum(weight, axis=0),
            "num_samples": size(numel(y.shape), y.dtype),
        }

    def of_sums(self, sums: Sums) -> Node:
        """One minus the share that is left."""
        total = sums["squared_sum"] - square(sums["sum"]) / sums["count"]
        raw = 1 - sums["residual"] / total
        raw = where(logical_and(logical_not(isfinite(raw)), equal(raw, raw)), 0.0, raw)
        if self.class_aggregation == "uniform_average":
            raw = mean(raw)
        elif self.class_aggregation == "variance_weighted_average":
            raw = sum(total * raw) / sum(total)
        return self._adjusted(raw, sums["num_samples"]) if self.num_regressors else raw

    def _adjusted(self, score: Node, n: Node) -> Node:
        """Less what as many regressors explain by chance; as it is where there are not enough examples."""
        free = n - self.num_regressors - 1
        has_room = greater(free, 0.0)
        return where(has_room, 1 - (1 - score) * (n - 1) / where(has_room, free, 1.0), score)


def _standardised(x: Node, axis: int) -> Node:
    return (x - mean(x, axis=axis, keepdims=True)) / sqrt(var(x, axis=axis, keepdims=True))
