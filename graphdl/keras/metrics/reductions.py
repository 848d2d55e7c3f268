"""Means and sums of plain values, for loops of one's own."""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.keras.losses.loss import in_dtype, weight_like
from graphdl.keras.metrics.metric import Accumulated, Sums, float_of, mean_parts, ratio
from graphdl.ops.reduce import sum


class _OfValues(Accumulated):
    """A number of values that are handed over: ``metric.update_state(values)``."""

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch of values."""
        self._batches.add(values, sample_weight)

    def parts(self, y_true: Node, y_pred: Node | None = None, sample_weight: Node | None = None) -> dict[str, Node]:
        """What the values (the first) and their weights (the second) add to the sums."""
        if sample_weight is not None:
            raise GraphError(f"{self.name} is of values alone; watch a metric of targets and predictions")
        return self.weighted(in_dtype(y_true, self.dtype or float_of(y_true)), y_pred)

    def weighted(self, values: Node, weight: Node | None) -> dict[str, Node]:
        """The sum of the values, each times its weight, and how many there are."""
        return mean_parts(values, weight)


class Mean(_OfValues):
    """The mean of values."""

    name = "mean"

    def of_sums(self, sums: Sums) -> Node:
        """The mean."""
        return ratio(sums["total"], sums["count"])


class Sum(_OfValues):
    """The sum of values."""

    name = "sum"

    def weighted(self, values: Node, weight: Node | None) -> dict[str, Node]:
        """The sum of the values, each times its weight."""
        if weight is None:
            return {"total": sum(values)}
        spread = tuple(range(weight.ndim, values.ndim))
        values = sum(values, axis=spread) if spread else values
        return {"total": sum(values * weight_like(weight, values))}

    def of_sums(self, sums: Sums) -> Node:
        """The sum."""
        return sums["total"]
