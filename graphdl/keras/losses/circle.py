"""The loss of embeddings: those of one class shall lie close together, those of others far apart."""

from __future__ import annotations

from typing import Any

from graphdl.errors import ShapeError
from graphdl.ir.node import Node
from graphdl.ir.types import FLOATS, TensorType
from graphdl.keras.losses.loss import BuiltinLoss, in_dtype
from graphdl.ops.arithmetic import equal, greater, logical_and, logical_not, maximum, where
from graphdl.ops.parts import concat
from graphdl.ops.reduce import logsumexp
from graphdl.ops.shape import cast, expand_dims, full, reshape, squeeze, transpose
from graphdl.ops.transcendental import softplus

# The exponent of what is left out of a sum: finite, so that its gradient is.
_LEFT_OUT = -1e30


class Circle(BuiltinLoss):
    """``log(1 + sum_p exp(g (d_p - m)(d_p + m)) sum_n exp(g (1 + m - d_n)(1 - m - d_n)))``, per example.

    predictions   f32[N, D]   embeddings of unit length
    targets       i64[N]      the class of each

    d_p and d_n are the cosine distances to the examples of the batch of the same class and of others, g is `gamma` and
    m the `margin`; brackets count from 0 up. An example whose loss is 0 does not count in the mean (Sun et al. 2020,
    equation 4).
    """

    name = "circle"

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.gamma, self.margin, self.remove_diagonal = gamma, margin, remove_diagonal

    def target_type(self, y_pred: Node) -> TensorType:
        """A class number for each embedding."""
        _check_embeddings(y_pred)
        return TensorType("int64", y_pred.shape[:1])

    def fitted(self, y_true: Node, y_pred: Node) -> tuple[Node, Node]:
        """Class numbers, and embeddings."""
        _check_embeddings(y_pred)
        labels = squeeze(y_true, -1) if y_true.ndim == 2 and y_true.shape[-1] == 1 else y_true
        if labels.ndim != 1:
            raise ShapeError(f"circle: found targets {y_true.type}, expected one class number an example")
        return (cast(labels, "int64") if labels.dtype in FLOATS else labels), in_dtype(y_pred, self.dtype)

    @property
    def leaves_out(self) -> bool:
        """What is at its goal."""
        return True

    def mask(self, y_true: Node, values: Node | None = None) -> Node | None:
        """What is not at its goal."""
        return None if values is None else greater(values, 0.0)

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """A value for each example."""
        distance = maximum(1 - y_pred @ transpose(y_pred), 0.0)
        alike = equal(expand_dims(y_true, 1), expand_dims(y_true, 0))
        others = logical_not(alike)
        if self.remove_diagonal:
            alike = logical_and(alike, equal(_identity(distance), 0.0))
        near = self.gamma * (self.margin + distance) * (distance - self.margin)
        far = self.gamma * maximum(1 + self.margin - distance, 0.0) * (1 - self.margin - distance)
        return softplus(_log_sum(near, alike) + _log_sum(far, others))


def _check_embeddings(y_pred: Node) -> None:
    if y_pred.ndim != 2:
        raise ShapeError(f"circle: found predictions {y_pred.type}, expected an embedding an example")


def _log_sum(exponents: Node, chosen: Node) -> Node:
    """``log(sum(exp(exponents)))`` of each row, over what is chosen."""
    return logsumexp(where(chosen, exponents, _LEFT_OUT), axis=1)


def _identity(square: Node) -> Node:
    """Ones on the diagonal: rows of N + 1 that begin with a one, written one behind the other into rows of N."""
    n, _ = square.shape
    ones, zeros = full((n - 1, 1), 1.0, square.dtype), full((n - 1, n), 0.0, square.dtype)
    run = reshape(concat([ones, zeros], axis=1), ((n - 1) * (n + 1),))
    return reshape(concat([run, full((1,), 1.0, square.dtype)], axis=0), (n, n))
