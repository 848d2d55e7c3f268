"""Who was taken for whom: the confusion matrix, and overlaps of regions made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphdl.errors import GraphError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.ir.types import FLOATS
from graphdl.keras.checks import integer
from graphdl.keras.losses.loss import in_dtype
from graphdl.keras.metrics.metric import Accumulated, Sums, float_of, ratio
from graphdl.ops.arithmetic import floor, greater, greater_equal, not_equal, where
from graphdl.ops.indexing import one_hot
from graphdl.ops.linalg import matmul
from graphdl.ops.reduce import argmax, sum
from graphdl.ops.shape import cast, expand_dims, reshape, transpose


class ConfusionMatrix(Accumulated):
    """How often class i (a row) was taken for class j (a column).

    Targets are class numbers, or rows of which the largest counts; predictions are rows, or, of one column,
    probabilities of class 1.
    """

    name = "confusion_matrix"

    def __init__(self, num_classes: int, threshold: float = 0.5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.num_classes, self.threshold = integer(f"{self.name}: num_classes", num_classes, 2), threshold

    def classes(self, y_true: Node, y_pred: Node) -> tuple[Node, Node]:
        """Class numbers of targets and predictions."""
        if y_pred.ndim > 1 and y_pred.shape[-1] == self.num_classes:
            return _numbers(y_true, self.num_classes), argmax(y_pred)
        return _numbers(y_true, self.num_classes), cast(greater(y_pred, self.threshold), "int64")

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """The matrix of this batch."""
        t, y = self.classes(y_true, y_pred)
        return {"matrix": matrix(t, y, self.num_classes, sample_weight, float_of(y_pred))}

    def of_sums(self, sums: Sums) -> Node:
        """The matrix."""
        return sums["matrix"]


class IoU(Accumulated):
    """What two regions share of what either covers, as the mean over `target_class_ids`.

    sparse_y_true, sparse_y_pred   whether they are class numbers; else rows of which the largest counts
    ignore_class                   targets that do not count
    """

    name = "io_u"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        wrong = [place for place in self.target_class_ids if not 0 <= place < num_classes]
        if wrong:
            raise GraphError(f"{self.name}: class {wrong[0]} is none of the {num_classes} classes, from 0")

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """The matrix of this batch."""
        t = _whole(y_true) if self.sparse_y_true else argmax(y_true, axis=self.axis)
        y = _whole(y_pred) if self.sparse_y_pred else argmax(y_pred, axis=self.axis)
        if self.ignore_class is not None:
            t = where(not_equal(t, self.ignore_class), t, -1)
        return {"matrix": matrix(t, y, self.num_classes, sample_weight, float_of(y_pred))}

    def of_sums(self, sums: Sums) -> Node:
        """The mean over the classes that there are."""
        found = sums["matrix"]
        both = sum(found * constant(np.eye(self.num_classes), found.dtype), axis=0)
        either = sum(found, axis=0) + sum(found, axis=1) - both
        wanted = [float(place in self.target_class_ids) for place in range(self.num_classes)]
        chosen = constant(np.array(wanted), found.dtype) * cast(greater(either, 0.0), found.dtype)
        return ratio(sum(ratio(both, either) * chosen), sum(chosen))


class BinaryIoU(IoU):
    """`IoU` of probabilities, which are class 1 from `threshold` up."""

    name = "binary_io_u"

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """The matrix of this batch."""
        decided = cast(greater_equal(y_pred, self.threshold), "int64")
        found = super().sums(y_true, decided, sample_weight)
        return {name: in_dtype(node, float_of(y_pred)) for name, node in found.items()}


class MeanIoU(IoU):
    """`IoU` of all classes."""

    name = "mean_io_u"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """`IoU` of one-hot targets and rows of probabilities."""

    name = "one_hot_io_u"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot targets and rows of probabilities."""

    name = "one_hot_mean_io_u"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)


def matrix(t: Node, y: Node, classes: int, weight: Node | None, dtype: str) -> Node:
    """The confusion matrix of class numbers; those outside the classes do not count."""
    rows, columns = (one_hot(reshape(numbers, (-1,)), classes, dtype) for numbers in (t, y))
    if weight is not None:
        spread = in_dtype(weight, dtype)
        for axis in range(weight.ndim, t.ndim):
            spread = expand_dims(spread, axis)
        rows = rows * reshape(spread + cast(t, dtype) * 0, (-1, 1))
    return matmul(transpose(rows), columns)


def _numbers(y_true: Node, classes: int) -> Node:
    if y_true.ndim > 1 and y_true.shape[-1] == classes and y_true.dtype in FLOATS:
        return argmax(y_true)
    return _whole(y_true)


def _whole(numbers: Node) -> Node:
    return cast(floor(numbers) if numbers.dtype in FLOATS else numbers, "int64")
