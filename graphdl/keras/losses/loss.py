"""What losses have in common: a value for each example, weights and masks, and one number for the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphdl.config import floatx
from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import numel
from graphdl.ir.elementwise import as_node
from graphdl.ir.leaves import size
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import FLOATS, TensorType, as_dtype
from graphdl.keras.lookup import Configured, by_name
from graphdl.ops.arithmetic import maximum, where
from graphdl.ops.reduce import mean, sum
from graphdl.ops.shape import broadcast_to, cast, expand_dims, reshape, squeeze

EPSILON = 1e-7
# What Keras calls the reductions, and what they are: "mean" divides by the number of values.
_REDUCTIONS = {
    "sum_over_batch_size": "mean",
    "mean": "mean",
    "sum": "sum",
    "mean_with_sample_weight": "weighted",
    "none": "none",
}


class Loss(Configured):
    """A number to make small. Subclasses write in `call` what each example adds to it.

    reduction   "sum_over_batch_size": the mean over the examples (the weighted sum divided by their number);
                "sum"; "mean_with_sample_weight": divided by the sum of the weights; "none": a value for each example

    `takes_classes` says that targets are class numbers, one for each row of predictions; `ignore_class` is the one
    that marks what does not count.
    """

    name = "loss"
    takes_classes = False
    is_probability = False
    ignore_class: int | None = None

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.reduction: str = by_name("reduction", reduction or "none", {word: word for word in _REDUCTIONS})
        self.name = name or self.name
        self.dtype = None if dtype is None else as_dtype(dtype)

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """A value for each example."""
        raise NotImplementedError

    @property
    def leaves_out(self) -> bool:
        """Whether some examples may not count by themselves."""
        return False

    def mask(self, y_true: Node, values: Node | None = None) -> Node | None:
        """Which examples count, where not all do; `values` are those of `call`, once they are known."""
        return None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Node | None = None) -> Node:
        """The loss over the batch, a scalar node (but with reduction "none"); arrays are constants.

        sample_weight   one for each example, or for each value that `call` gives; plain numbers count as well
        mask            bools of the same shapes: what is False does not count, not even as one of the number
        """
        y_true, y_pred = self.fitted(as_node(y_true), as_node(y_pred))
        if sample_weight is None and mask is None and not self.leaves_out:
            return self.reduced(y_true, y_pred)
        values = self.call(y_true, y_pred)
        own = self.mask(y_true, values)
        weight = None if sample_weight is None else in_dtype(as_node(sample_weight), values.dtype)
        masks = [weight_like(m, values) for m in (mask, own) if m is not None]
        return _weighted(values, weight, masks, _REDUCTIONS[self.reduction])

    def reduced(self, y_true: Node, y_pred: Node) -> Node:
        """The loss where every example counts alike."""
        values = self.call(y_true, y_pred)
        if not values.ndim or self.reduction == "none":
            return values
        return sum(values) if self.reduction == "sum" else mean(values)

    def fitted(self, y_true: Node, y_pred: Node) -> tuple[Node, Node]:
        """Targets and predictions in the dtype and the rank that `call` takes."""
        y_pred = in_dtype(y_pred, self.dtype)
        if self.takes_classes:
            return class_numbers(y_true, y_pred), y_pred
        return alike(y_true, y_pred)

    def target_type(self, y_pred: Node) -> TensorType:
        """The type of the targets that go with such predictions."""
        if not self.takes_classes:
            return y_pred.tensor
        if y_pred.ndim < 2:
            raise ShapeError(f"{self.name}: found predictions {y_pred.type}, expected a row of classes an example")
        return TensorType("int64", y_pred.shape[:-1])


class BuiltinLoss(Loss):
    """A loss of Keras' own: how it is reduced comes first, and its name is known."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name, reduction, dtype)


class ElementLoss(BuiltinLoss):
    """A loss that is the mean, along the last axis, of what `values` says of each element."""

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """What each element adds."""
        raise NotImplementedError

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """The mean over the elements of each example; where examples are single numbers, those."""
        values = self.values(y_true, y_pred)
        return mean(values, axis=-1) if values.ndim > 1 else values

    def reduced(self, y_true: Node, y_pred: Node) -> Node:
        """The mean of all elements at once: examples have as many elements each."""
        values = self.values(y_true, y_pred)
        if _REDUCTIONS[self.reduction] in ("mean", "weighted"):
            return mean(values) if values.ndim else values
        return super().reduced(y_true, y_pred)


class FunctionLoss(Loss):
    """A loss of the user's own: a function of nodes (targets, predictions), averaged if it is no scalar."""

    def __init__(self, function: Callable[[Node, Node], Node]) -> None:
        super().__init__(name=getattr(function, "__name__", "loss"))
        self.function = function

    def fitted(self, y_true: Node, y_pred: Node) -> tuple[Node, Node]:
        """As they are."""
        return y_true, y_pred

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """What the function gives."""
        found = self.function(y_true, y_pred)
        if not isinstance(found, Node):
            raise GraphError(f"loss {plain(self.name)} returns a {type(found).__name__}, expected a node")
        return found


def _weighted(values: Node, given: Node | None, masks: list[Node], reduction: str) -> Node:
    """The reduction of values that do not all count alike; what is masked counts nowhere."""
    weight = _product([*([] if given is None else [weight_like(given, values)]), *masks])
    if reduction == "none":
        return values * weight
    if not values.ndim:
        # One value for all examples, each of which has it with its weight.
        return (
            values * sum(weight) if reduction == "sum" else values if reduction == "weighted" else values * mean(weight)
        )
    total = sum(_chosen(values, masks) * weight)
    if reduction == "sum":
        return total
    if reduction == "weighted":
        # Weights that hold for several values count once, as in Keras.
        return _ratio(total, sum(weight if masks or given is None else given))
    if not masks:
        return total / size(numel(values.shape), values.dtype)
    return total / maximum(sum(_product(masks)), 1.0)


def _product(factors: list[Node]) -> Node:
    found = factors[0]
    for other in factors[1:]:
        found = found * other
    return found


def _chosen(values: Node, masks: list[Node]) -> Node:
    """`values` with 0 where a mask is 0, be they ever so infinite there."""
    for mask in masks:
        values = where(mask > 0, values, 0.0)
    return values


def _ratio(total: Node, count: Node) -> Node:
    """``total / count``, 0 where nothing counts."""
    return where(count > 0, total / where(count > 0, count, 1.0), 0.0)


def weight_like(weight: Node, values: Node) -> Node:
    """`weight` in the dtype of `values` and spread over their shape; a scalar value keeps all its weights."""
    weight = weight if weight.dtype == values.dtype else cast(weight, values.dtype)
    if not values.ndim:
        return weight
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = squeeze(weight, -1)
    if weight.ndim > values.ndim:
        raise ShapeError(f"weights {weight.type} are for more than the values {values.type}")
    if weight.shape == values.shape:
        return weight
    spread = reshape(weight, (*weight.shape, *(1,) * (values.ndim - weight.ndim)))
    return broadcast_to(spread, values.shape)


def in_dtype(node: Node, dtype: str | None) -> Node:
    """`node` in `dtype`, where one is asked for."""
    return node if dtype is None or node.dtype == dtype else cast(node, dtype)


def alike(y_true: Node, y_pred: Node) -> tuple[Node, Node]:
    """Targets and predictions, as floats of one rank: a last axis of 1 is added or taken away, as in Keras."""
    y_pred = y_pred if y_pred.dtype in FLOATS else cast(y_pred, floatx())
    y_true = in_dtype(y_true, y_pred.dtype)
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, expand_dims(y_pred, -1)) if y_pred.ndim == 1 else (squeeze(y_true, -1), y_pred)
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return (expand_dims(y_true, -1), y_pred) if y_true.ndim == 1 else (y_true, squeeze(y_pred, -1))
    return y_true, y_pred


def class_numbers(y_true: Node, y_pred: Node) -> Node:
    """Class numbers as integers, one for each row of predictions."""
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = squeeze(y_true, -1)
    return cast(y_true, "int64") if y_true.dtype in FLOATS else y_true
