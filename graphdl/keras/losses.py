"""Losses, with Keras 3's names and formulas, as graph nodes averaged over the batch.

A loss of probabilities that come straight from softmax or sigmoid is the plain logarithm: the stabiliser turns it
into the form over logits, exact at any size. Other probabilities are kept `EPSILON` away from 0 and 1, as in Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import TensorType
from graphdl.keras.lookup import by_name
from graphdl.ops.arithmetic import abs, clip, square
from graphdl.ops.indexing import take_along
from graphdl.ops.nn import Softmax, log_softmax
from graphdl.ops.reduce import mean, sum
from graphdl.ops.transcendental import log, sigmoid

EPSILON = 1e-7


class Loss:
    """A number to make small. Subclasses say what each element, or each example, adds to it in `values`.

    `takes_classes` says that targets are class numbers, one for each row of predictions.
    """

    name = "loss"
    takes_classes = False
    is_probability = False

    def __init__(self, reduction: str = "sum_over_batch_size", name: str | None = None) -> None:
        self.reduction = by_name("reduction", reduction, {"sum_over_batch_size": mean, "mean": mean, "sum": sum})
        self.name = name or self.name

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """What to average."""
        raise NotImplementedError

    def __call__(self, y_true: Node, y_pred: Node) -> Node:
        """The loss over the batch, a scalar."""
        values = self.values(y_true, y_pred)
        return self.reduction(values) if values.ndim else values

    def target_type(self, y_pred: Node) -> TensorType:
        """The type of the targets that go with such predictions."""
        if not self.takes_classes:
            return y_pred.tensor
        if y_pred.ndim < 2:
            raise ShapeError(f"{self.name}: found predictions {y_pred.type}, expected a row of classes an example")
        return TensorType("int64", y_pred.shape[:-1])


class MeanSquaredError(Loss):
    """``mean((y - t)^2)``"""

    name = "mean_squared_error"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Squares of the errors."""
        return square(y_pred - y_true)


class MeanAbsoluteError(Loss):
    """``mean(|y - t|)``"""

    name = "mean_absolute_error"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Sizes of the errors."""
        return abs(y_pred - y_true)


class _CrossEntropy(Loss):
    """What the three cross-entropies share: logits or probabilities, and smoothed targets."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        if axis != -1:
            raise GraphError(f"{self.name}: axis is {axis}, expected -1: classes lie along the last axis")
        if not 0 <= label_smoothing < 1:
            raise GraphError(f"{self.name}: label_smoothing is {label_smoothing}, expected at least 0 and below 1")
        self.from_logits, self.label_smoothing = from_logits, label_smoothing

    def smoothed(self, y_true: Node, share: float) -> Node:
        """Targets drawn towards `share`, the probability of each class when nothing is known."""
        s = self.label_smoothing
        return y_true * (1 - s) + s * share if s else y_true

    def log_probabilities(self, y_pred: Node) -> Node:
        """Logarithms of the class probabilities, along the last axis."""
        if self.from_logits:
            return log_softmax(y_pred)
        if isinstance(y_pred.op, Softmax):
            return log(y_pred)
        return log(_clipped(y_pred / sum(y_pred, axis=-1, keepdims=True)))


class BinaryCrossentropy(_CrossEntropy):
    """``-mean(t log p + (1 - t) log(1 - p))``"""

    name = "binary_crossentropy"
    is_probability = True

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each element."""
        t = self.smoothed(y_true, 0.5)
        p = sigmoid(y_pred) if self.from_logits else y_pred
        p = p if p.op is sigmoid else _clipped(p)
        return -(t * log(p) + (1 - t) * log(1 - p))


class CategoricalCrossentropy(_CrossEntropy):
    """``-mean(sum_c t_c log p_c)`` for targets that give every class a probability, such as one-hot rows."""

    name = "categorical_crossentropy"
    is_probability = True

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each example."""
        t = self.smoothed(y_true, 1 / y_pred.shape[-1]) if self.label_smoothing else y_true
        return -sum(t * self.log_probabilities(y_pred), axis=-1)


class SparseCategoricalCrossentropy(_CrossEntropy):
    """``-mean(log p[t])`` for targets that are class numbers from 0."""

    name = "sparse_categorical_crossentropy"
    takes_classes = True

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(from_logits, reduction=reduction, name=name)

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each example."""
        return -take_along(self.log_probabilities(y_pred), y_true)


class FunctionLoss(Loss):
    """A loss of the user's own: a function of nodes (targets, predictions), averaged if it is no scalar."""

    def __init__(self, function: Callable[[Node, Node], Node]) -> None:
        super().__init__(name=getattr(function, "__name__", "loss"))
        self.function = function

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """What the function gives."""
        found = self.function(y_true, y_pred)
        if not isinstance(found, Node):
            raise GraphError(f"loss {plain(self.name)} returns a {type(found).__name__}, expected a node")
        return found


def mean_squared_error(y_true: Node, y_pred: Node) -> Node:
    """The mean of the squared errors of each example."""
    return mean(MeanSquaredError().values(y_true, y_pred), axis=-1)


def mean_absolute_error(y_true: Node, y_pred: Node) -> Node:
    """The mean of the sizes of the errors of each example."""
    return mean(MeanAbsoluteError().values(y_true, y_pred), axis=-1)


def binary_crossentropy(y_true: Node, y_pred: Node, from_logits: bool = False, label_smoothing: float = 0.0) -> Node:
    """Binary cross-entropy of each example, in nats."""
    return mean(BinaryCrossentropy(from_logits, label_smoothing).values(y_true, y_pred), axis=-1)


def categorical_crossentropy(
    y_true: Node, y_pred: Node, from_logits: bool = False, label_smoothing: float = 0.0
) -> Node:
    """Cross-entropy of each example under rows of class probabilities, in nats."""
    return CategoricalCrossentropy(from_logits, label_smoothing).values(y_true, y_pred)


def sparse_categorical_crossentropy(y_true: Node, y_pred: Node, from_logits: bool = False) -> Node:
    """Cross-entropy of each example for its class number, in nats."""
    return SparseCategoricalCrossentropy(from_logits).values(y_true, y_pred)


CLASSES: tuple[type[Loss], ...] = (
    MeanSquaredError,
    MeanAbsoluteError,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
_KNOWN: dict[str, type[Loss]] = {key: made for made in CLASSES for key in (made.name, made.__name__)}
_KNOWN |= {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "bce": BinaryCrossentropy}
_FUNCTIONS: dict[Any, type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}
mse, mae = mean_squared_error, mean_absolute_error


def get(identifier: Any) -> Loss:
    """The loss of that name, the one given, or a function of (targets, predictions) as a loss."""
    if isinstance(identifier, str):
        return by_name("loss", identifier, _KNOWN)()
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if identifier in _FUNCTIONS:
        return _FUNCTIONS[identifier]()
    if callable(identifier):
        return FunctionLoss(identifier)
    raise GraphError(f"a loss is {identifier!r:.60}, expected a name such as 'mse', a loss object or a function")


def _clipped(p: Node) -> Node:
    return clip(p, EPSILON, 1 - EPSILON)
