"""Metrics, with Keras 3's names and formulas: the mean over a batch, as a graph node that is never trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphdl.config import floatx
from graphdl.errors import GraphError, did_you_mean, listed
from graphdl.ir.node import Node
from graphdl.ir.types import FLOATS, INTS
from graphdl.keras import losses
from graphdl.ops.arithmetic import equal, greater
from graphdl.ops.reduce import argmax, mean
from graphdl.ops.shape import cast, squeeze


class Metric:
    """A number to watch. Subclasses say in `values` what is averaged over the examples."""

    name = "metric"

    def __init__(self, name: str | None = None) -> None:
        self.name = name or self.name

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """What to average."""
        raise NotImplementedError

    def __call__(self, y_true: Node, y_pred: Node) -> Node:
        """The mean over the batch, a scalar."""
        values = self.values(y_true, y_pred)
        if values.dtype not in FLOATS:
            values = cast(values, y_pred.dtype if y_pred.dtype in FLOATS else floatx())
        return mean(values) if values.ndim else values


class BinaryAccuracy(Metric):
    """How often a probability lies on the same side of `threshold` as its label."""

    name = "binary_accuracy"

    def __init__(self, name: str | None = None, threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = threshold

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Whether each element is right."""
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
        labels = squeeze(y_true, -1) if y_true.ndim == y_pred.ndim else y_true
        return equal(argmax(y_pred), cast(labels, "int64"))


class Accuracy(Metric):
    """How often predictions equal targets."""

    name = "accuracy"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Whether each element is right."""
        return equal(y_pred, cast(y_true, y_pred.dtype))


class FunctionMetric(Metric):
    """A metric of the user's own, or a loss that is watched: a function of nodes (targets, predictions)."""

    def __init__(self, function: Callable[[Node, Node], Node], name: str | None = None) -> None:
        super().__init__(name or getattr(function, "__name__", "metric"))
        self.function = function

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """What the function gives."""
        found = self.function(y_true, y_pred)
        if not isinstance(found, Node):
            raise GraphError(f"metric {self.name} returns a {type(found).__name__}, expected a node")
        return found


class MeanSquaredError(FunctionMetric):
    """``mean((y - t)^2)``"""

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(losses.MeanSquaredError().values, name)


class MeanAbsoluteError(FunctionMetric):
    """``mean(|y - t|)``"""

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(losses.MeanAbsoluteError().values, name)


_CLASSES = (BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy)
_KNOWN: dict[str, type[Metric]] = {key: made for made in _CLASSES for key in (made.name, made.__name__)}
_KNOWN |= {"MeanSquaredError": MeanSquaredError, "MeanAbsoluteError": MeanAbsoluteError}
_LOSSES = ("mse", "mae", "bce", *(loss.name for loss in losses.CLASSES))


def get(identifier: Any, y_true: Node, y_pred: Node) -> Metric:
    """The metric of that name, the one given, or a function of (targets, predictions) as a metric.

    "accuracy" is the binary, categorical or sparse one, whichever fits the shapes.
    """
    if isinstance(identifier, str):
        return _by_name(identifier, y_true, y_pred)
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if callable(identifier):
        return FunctionMetric(identifier)
    raise GraphError(f"a metric is {identifier!r:.60}, expected a name such as 'accuracy', or an object")


def _by_name(name: str, y_true: Node, y_pred: Node) -> Metric:
    if name.lower() in ("accuracy", "acc"):
        return accuracy_for(y_true, y_pred)(name)
    if name in _KNOWN:
        return _KNOWN[name]()
    if name in _LOSSES:
        return FunctionMetric(losses.get(name), name)
    known = ["accuracy", *_KNOWN, *_LOSSES]
    raise GraphError(f"there is no metric {name!r}.{did_you_mean(name, known)} There is {listed(known)}")


def accuracy_for(y_true: Node, y_pred: Node) -> Callable[[str], Metric]:
    """The accuracy that Keras chooses: binary for one output, sparse for class numbers, else categorical."""
    if not y_pred.ndim or y_pred.shape[-1] == 1 or y_pred.ndim == 1:
        return BinaryAccuracy
    sparse = y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1 or y_true.dtype in INTS
    return SparseCategoricalAccuracy if sparse else CategoricalAccuracy
