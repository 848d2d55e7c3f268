"""Means and sums of plain values, for loops of one's own."""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.keras.metrics.metric import Accumulated, Sums, mean_parts, ratio


class _OfValues(Accumulated):
    """A number of values that are handed over: ``metric.update_state(values)``."""

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch of values."""
        self._batches.add(values, sample_weight)

    def parts(self, y_true: Node, y_pred: Node | None = None, sample_weight: Node | None = None) -> dict[str, Node]:
        """The sum of the values (the first), each times its weight (the second), and how many there are."""
        if sample_weight is not None:
            raise GraphError(f"{self.name} is of values alone; watch a metric of targets and predictions")
        return mean_parts(y_true, y_pred)


class Mean(_OfValues):
    """The mean of values."""

    name = "mean"

    def of_sums(self, sums: Sums) -> Node:
        """The mean."""
        return ratio(sums["total"], sums["count"])


class Sum(_OfValues):
    """The sum of values."""

    name = "sum"

    def of_sums(self, sums: Sums) -> Node:
        """The sum."""
        return sums["total"]
