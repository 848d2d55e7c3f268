"""Hinge losses: nothing to learn from an example that is right by a margin of 1."""

from __future__ import annotations

from graphdl.ir.node import Node
from graphdl.keras.losses.loss import BuiltinLoss, ElementLoss
from graphdl.ops.arithmetic import equal, logical_or, maximum, square, where
from graphdl.ops.reduce import max, min, sum
from graphdl.ops.shape import cast


class Hinge(ElementLoss):
    """``mean(max(1 - t y, 0))`` for targets -1 and 1; where all of a batch are 0 or 1, 0 is taken for -1."""

    name = "hinge"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """What is missing to the margin."""
        return maximum(1 - signs(y_true) * y_pred, 0.0)


class SquaredHinge(ElementLoss):
    """``mean(max(1 - t y, 0)^2)``, with targets as for `Hinge`."""

    name = "squared_hinge"

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Squares of what is missing to the margin."""
        return square(maximum(1 - signs(y_true) * y_pred, 0.0))


class CategoricalHinge(BuiltinLoss):
    """``mean(max(1 + largest wrong score - right score, 0))`` for one-hot targets."""

    name = "categorical_hinge"

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """What is missing to the margin, for each example."""
        right = sum(y_true * y_pred, axis=-1)
        wrong = max((1 - y_true) * y_pred, axis=-1)
        return maximum(wrong - right + 1, 0.0)


def signs(t: Node) -> Node:
    """Targets of a batch of 0 and 1 alone as -1 and 1; others as they are."""
    are_bits = min(cast(logical_or(equal(t, 0), equal(t, 1)), t.dtype)) > 0
    return where(are_bits, 2 * t - 1, t)
