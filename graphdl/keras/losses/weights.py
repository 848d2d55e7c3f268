"""Weights of examples from weights of classes, as graph nodes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graphdl.errors import GraphError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.ir.types import FLOATS
from graphdl.ops.arithmetic import floor
from graphdl.ops.indexing import take
from graphdl.ops.reduce import argmax
from graphdl.ops.shape import cast, squeeze


def class_weights(y_true: Node, weights: Mapping[int, float], y_pred: Node) -> Node:
    """The weight of each example's class, in the dtype of `y_pred`; 1 for classes that `weights` leaves out.

    y_true   class numbers, one-hot rows (the largest counts), or single numbers 0 and 1
    """
    classes = y_pred.shape[-1] if isinstance(y_pred.shape[-1], int) else 1
    numbers = _numbers(y_true, classes)
    for key, weight in weights.items():
        if isinstance(key, bool) or not isinstance(key, int | np.integer) or not 0 <= key < max(classes, 2):
            raise GraphError(
                f"class_weight names class {key!r:.40}, expected an integer from 0 to {max(classes, 2) - 1}"
            )
        if not isinstance(weight, int | float | np.number) or not 0 <= weight < np.inf:
            raise GraphError(f"class_weight of class {key} is {weight!r:.40}, expected a number from 0")
    table = [float(weights.get(place, 1.0)) for place in range(max(classes, 2))]
    return take(constant(table, y_pred.dtype), numbers)


def _numbers(y_true: Node, classes: int) -> Node:
    """Class numbers of whatever targets."""
    if y_true.dtype not in FLOATS:
        return squeeze(y_true, -1) if y_true.ndim > 1 and y_true.shape[-1] == 1 else y_true
    if classes > 1 and y_true.ndim > 1:
        return argmax(y_true)
    flat = squeeze(y_true, -1) if y_true.ndim > 1 else y_true
    return cast(floor(flat + 0.5), "int64")
