"""The losses as functions of nodes, or of arrays, which are constants: a node with a value for each example."""

from __future__ import annotations

from typing import Any

from graphdl.ir.elementwise import as_node
from graphdl.ir.node import Node
from graphdl.keras.losses.alignment import CTC
from graphdl.keras.losses.circle import Circle
from graphdl.keras.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from graphdl.keras.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from graphdl.keras.losses.hinge import CategoricalHinge, Hinge, SquaredHinge
from graphdl.keras.losses.loss import Loss
from graphdl.keras.losses.overlap import Dice, Tversky
from graphdl.keras.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)


def _of(loss: Loss, y_true: Any, y_pred: Any) -> Node:
    return loss.call(*loss.fitted(as_node(y_true), as_node(y_pred)))


def mean_squared_error(y_true: Any, y_pred: Any) -> Node:
    """The mean of the squared errors of each example."""
    return _of(MeanSquaredError(), y_true, y_pred)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Node:
    """The mean of the sizes of the errors of each example."""
    return _of(MeanAbsoluteError(), y_true, y_pred)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Node:
    """The mean error of each example in percent of the targets."""
    return _of(MeanAbsolutePercentageError(), y_true, y_pred)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Node:
    """The mean of the squared errors of ``log(1 + value)`` of each example."""
    return _of(MeanSquaredLogarithmicError(), y_true, y_pred)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Node:
    """Huber's loss of each example."""
    return _of(Huber(delta), y_true, y_pred)


def log_cosh(y_true: Any, y_pred: Any) -> Node:
    """The mean of ``log(cosh(error))`` of each example."""
    return _of(LogCosh(), y_true, y_pred)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Node:
    """Minus the cosine between target and prediction of each example."""
    return _of(CosineSimilarity(axis), y_true, y_pred)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Node:
    """Binary cross-entropy of each example, in nats."""
    return _of(BinaryCrossentropy(from_logits, label_smoothing, axis), y_true, y_pred)


def binary_focal_crossentropy(
    y_true: Node,
    y_pred: Node,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Node:
    """Binary focal cross-entropy of each example."""
    loss = BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis)
    return _of(loss, y_true, y_pred)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Node:
    """Cross-entropy of each example under rows of class probabilities, in nats."""
    return _of(CategoricalCrossentropy(from_logits, label_smoothing, axis), y_true, y_pred)


def categorical_focal_crossentropy(
    y_true: Node,
    y_pred: Node,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Node:
    """Focal cross-entropy of each example under rows of class probabilities."""
    return _of(CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing, axis), y_true, y_pred)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Node:
    """Cross-entropy of each example for its class number, in nats; 0 for the ignored class."""
    return _of(SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis), y_true, y_pred)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Node:
    """``(1 - p^q) / q`` of each example, p the probability of its class number."""
    return _of(CategoricalGeneralizedCrossEntropy(q), y_true, y_pred)


def kl_divergence(y_true: Any, y_pred: Any) -> Node:
    """Nats lost by taking the prediction for the target, for each example."""
    return _of(KLDivergence(), y_true, y_pred)


def poisson(y_true: Any, y_pred: Any) -> Node:
    """Minus the Poisson log-likelihood of each example, but for what its target alone adds."""
    return _of(Poisson(), y_true, y_pred)


def hinge(y_true: Any, y_pred: Any) -> Node:
    """What each example misses to the margin, on average."""
    return _of(Hinge(), y_true, y_pred)


def squared_hinge(y_true: Any, y_pred: Any) -> Node:
    """The mean square of what each example misses to the margin."""
    return _of(SquaredHinge(), y_true, y_pred)


def categorical_hinge(y_true: Any, y_pred: Any) -> Node:
    """What the right class of each example misses to a lead of 1."""
    return _of(CategoricalHinge(), y_true, y_pred)


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Node:
    """What is missing to a perfect overlap."""
    return _of(Dice(axis=axis), y_true, y_pred)


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Node:
    """What is missing to a perfect overlap, at different prices."""
    return _of(Tversky(alpha, beta, axis=axis), y_true, y_pred)


def ctc(y_true: Any, y_pred: Any) -> Node:
    """Nats of the labels of each example, in whatever way they lie over the steps; 0 is the blank."""
    return _of(CTC(), y_true, y_pred)


def circle(y_true: Any, y_pred: Any, remove_diagonal: bool = True, gamma: float = 80.0, margin: float = 0.4) -> Node:
    """How far each embedding is from those of its class, and how near to others."""
    return _of(Circle(gamma, margin, remove_diagonal), y_true, y_pred)
