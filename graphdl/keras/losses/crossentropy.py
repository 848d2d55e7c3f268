"""Losses of probabilities.

A loss of probabilities that come straight from softmax or sigmoid is the plain logarithm: the stabiliser turns it
into the form over logits, exact at any size. Other probabilities are kept `EPSILON` away from 0 and 1, as in Keras.
"""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.ir.types import normalise_axis
from graphdl.keras.checks import number, share
from graphdl.keras.losses.loss import EPSILON, BuiltinLoss, ElementLoss
from graphdl.ops.arithmetic import clip, not_equal, where
from graphdl.ops.indexing import take_along
from graphdl.ops.nn import Softmax, log_softmax
from graphdl.ops.reduce import sum
from graphdl.ops.shape import transpose
from graphdl.ops.transcendental import log, power, sigmoid


def smoothed(y_true: Node, share: float, uniform: Any) -> Node:
    """Targets drawn to `uniform`, the probability of each class when nothing is known."""
    return y_true * (1 - share) + share * uniform if share else y_true


def clipped(p: Node) -> Node:
    """Probabilities kept off 0 and 1."""
    return clip(p, EPSILON, 1 - EPSILON)


def last_axis(x: Node, axis: int) -> Node:
    """`x` with `axis` as the last one."""
    place = normalise_axis(axis, x.ndim)
    if place == x.ndim - 1:
        return x
    return transpose(x, [i for i in range(x.ndim) if i != place] + [place])


def log_probabilities(y_pred: Node, from_logits: bool) -> Node:
    """Logarithms of the class probabilities, along the last axis."""
    if from_logits:
        return log_softmax(y_pred)
    if isinstance(y_pred.op, Softmax) and y_pred.op.axis == y_pred.ndim - 1:
        return log(y_pred)
    return log(clipped(y_pred / sum(y_pred, axis=-1, keepdims=True)))


class BinaryCrossentropy(ElementLoss):
    """``-mean(t log p + (1 - t) log(1 - p))``"""

    name = "binary_crossentropy"
    is_probability = True

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits, self.axis = from_logits, axis
        self.label_smoothing = share(f"{self.name}: label_smoothing", label_smoothing)

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each element."""
        y_true, y_pred = last_axis(y_true, self.axis), last_axis(y_pred, self.axis)
        p = sigmoid(y_pred) if self.from_logits else y_pred
        return binary_nats(smoothed(y_true, self.label_smoothing, 0.5), p)


def binary_nats(t: Node, p: Node) -> Node:
    """``-(t log p + (1 - t) log(1 - p))``"""
    p = p if p.op is sigmoid else clipped(p)
    return -(t * log(p) + (1 - t) * log(1 - p))


class CategoricalCrossentropy(BuiltinLoss):
    """``-mean(sum_c t_c log p_c)`` for targets that give every class a probability, such as one-hot rows."""

    name = "categorical_crossentropy"
    is_probability = True

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits, self.axis = from_logits, axis
        self.label_smoothing = share(f"{self.name}: label_smoothing", label_smoothing)

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each example."""
        t, y = last_axis(y_true, self.axis), last_axis(y_pred, self.axis)
        t = smoothed(t, self.label_smoothing, 1 / y.shape[-1]) if self.label_smoothing else t
        return -sum(t * log_probabilities(y, self.from_logits), axis=-1)


class SparseCategoricalCrossentropy(BuiltinLoss):
    """``-mean(log p[t])`` for targets that are class numbers from 0; those equal to `ignore_class` do not count."""

    name = "sparse_categorical_crossentropy"
    takes_classes = True

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        if ignore_class is not None and (isinstance(ignore_class, bool) or not isinstance(ignore_class, int)):
            raise GraphError(f"{self.name}: ignore_class is {ignore_class!r:.40}, expected a class number")
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    @property
    def leaves_out(self) -> bool:
        """Where a class is ignored."""
        return self.ignore_class is not None

    def mask(self, y_true: Node, values: Node | None = None) -> Node | None:
        """What is not of the ignored class."""
        return None if self.ignore_class is None else not_equal(y_true, self.ignore_class)

    def fitted(self, y_true: Node, y_pred: Node) -> tuple[Node, Node]:
        """Class numbers, and rows of classes."""
        return super().fitted(y_true, last_axis(y_pred, self.axis))

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each example; 0 for the ignored class."""
        counts = self.mask(y_true)
        if counts is None:
            return -take_along(log_probabilities(y_pred, self.from_logits), y_true)
        nats = -take_along(log_probabilities(y_pred, self.from_logits), where(counts, y_true, 0))
        return where(counts, nats, 0.0)


class CategoricalGeneralizedCrossEntropy(BuiltinLoss):
    """``mean((1 - p[t]^q) / q)``: cross-entropy for q near 0, less hard on wrong labels (Zhang & Sabuncu 2018)."""

    name = "categorical_generalized_cross_entropy"
    takes_classes = True

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        number(f"{self.name}: q", q, 0, 1, above=True, below=True)
        self.q = q

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """A value for each example."""
        return (1 - power(take_along(y_pred, y_true), self.q)) / self.q


class KLDivergence(BuiltinLoss):
    """``mean(sum(t log(t / p)))``, the nats lost by taking p for t; both are kept from `epsilon` to 1."""

    name = "kl_divergence"

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each example."""
        t, p = clip(y_true, EPSILON, 1.0), clip(y_pred, EPSILON, 1.0)
        return sum(t * log(t / p), axis=-1)


class Poisson(ElementLoss):
    """``mean(y - t log(y + epsilon))`` for predicted rates y and counts t."""

    name = "poisson"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Minus the log-likelihood of each element, but for what the target alone adds."""
        return y_pred - y_true * log(y_pred + EPSILON)
