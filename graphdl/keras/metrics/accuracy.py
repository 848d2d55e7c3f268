"""Accuracies: how often a prediction is right."""

from __future__ import annotations

from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.checks import integer
from graphdl.keras.losses.loss import alike, class_numbers
from graphdl.keras.metrics.metric import Metric
from graphdl.ops.arithmetic import equal, greater, less
from graphdl.ops.indexing import take_along
from graphdl.ops.reduce import argmax, sum
from graphdl.ops.shape import cast, expand_dims


class Accuracy(Metric):
    """How often predictions equal targets."""

    name = "accuracy"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Whether each element is right."""
        y_true, y_pred = alike(y_true, y_pred)
        return equal(y_pred, y_true if y_true.dtype == y_pred.dtype else cast(y_true, y_pred.dtype))


class BinaryAccuracy(Metric):
    """How often a probability lies on the same side of `threshold` as its label."""

    name = "binary_accuracy"

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        self.threshold = threshold

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Whether each element is right."""
        y_true, y_pred = alike(y_true, y_pred)
        return equal(cast(greater(y_pred, self.threshold), y_true.dtype), y_true)


class CategoricalAccuracy(Metric):
    """How often the most probable class is the largest of the target row."""

    name = "categorical_accuracy"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Whether each example is right."""
        return equal(argmax(y_pred), argmax(y_true))


class SparseCategoricalAccuracy(Metric):
    """How often the most probable class is the target."""

    name = "sparse_categorical_accuracy"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Whether each example is right."""
        return equal(argmax(y_pred), cast(class_numbers(y_true, y_pred), "int64"))


class TopKCategoricalAccuracy(Metric):
    """How often the largest of the target row is among the `k` most probable classes."""

    name = "top_k_categorical_accuracy"

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.k = integer(f"{self.name}: k", k)

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Whether each example is right."""
        return is_in_top(argmax(y_true), y_pred, self.k)


class SparseTopKCategoricalAccuracy(Metric):
    """How often the target is among the `k` most probable classes.

    With `from_sorted_ids` predictions are class numbers, the most probable first, in place of scores.
    """

    name = "sparse_top_k_categorical_accuracy"

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None, from_sorted_ids: bool = False) -> None:
        super().__init__(name, dtype)
        self.k, self.from_sorted_ids = integer(f"{self.name}: k", k), from_sorted_ids

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Whether each example is right."""
        labels = class_numbers(y_true, y_pred)
        if not self.from_sorted_ids:
            return is_in_top(labels, y_pred, self.k)
        matches = equal(cast(expand_dims(labels, -1), y_pred.dtype), y_pred[..., : self.k])
        return greater(sum(cast(matches, "int64"), axis=-1), 0)


def is_in_top(labels: Node, scores: Node, k: int) -> Node:
    """Whether fewer than `k` scores are larger than the label's; where scores tie, all of them are in."""
    own = expand_dims(take_along(scores, cast(labels, "int64")), -1)
    return less(sum(cast(greater(scores, own), "int64"), axis=-1), k)
