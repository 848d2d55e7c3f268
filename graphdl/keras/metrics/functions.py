"""Metrics as functions of nodes, or of arrays, which are constants: a node with a value for each example."""

from __future__ import annotations

from typing import Any

from graphdl.ir.elementwise import as_node
from graphdl.ir.node import Node
from graphdl.keras.metrics.accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from graphdl.keras.metrics.metric import Metric
from graphdl.keras.metrics.regression import ConcordanceCorrelation, PearsonCorrelation


def _of(metric: Metric, y_true: Any, y_pred: Any) -> Node:
    return metric.floats(as_node(y_true), as_node(y_pred))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Node:
    """Whether each probability lies on the same side of `threshold` as its label: 1 or 0."""
    return _of(BinaryAccuracy(threshold=threshold), y_true, y_pred)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Node:
    """Whether the most probable class of each example is the largest of its target row."""
    return _of(CategoricalAccuracy(), y_true, y_pred)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Node:
    """Whether the most probable class of each example is its target."""
    return _of(SparseCategoricalAccuracy(), y_true, y_pred)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Node:
    """Whether the largest of each target row is among the `k` most probable classes."""
    return _of(TopKCategoricalAccuracy(k), y_true, y_pred)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Node:
    """Whether the target of each example is among the `k` most probable classes."""
    return _of(SparseTopKCategoricalAccuracy(k, from_sorted_ids=from_sorted_ids), y_true, y_pred)


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Node:
    """The correlation of target and prediction of each example."""
    return _of(PearsonCorrelation(axis=axis), y_true, y_pred)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Node:
    """Lin's concordance of target and prediction of each example."""
    return _of(ConcordanceCorrelation(axis=axis), y_true, y_pred)
