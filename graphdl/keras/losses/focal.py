"""Focal losses: cross-entropy that counts what is already right for little (Lin et al. 2017)."""

from __future__ import annotations

from typing import Any

from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.keras.checks import share
from graphdl.keras.losses.crossentropy import (
    binary_nats,
    clipped,
    last_axis,
    log_probabilities,
    smoothed,
)
from graphdl.keras.losses.loss import BuiltinLoss, ElementLoss
from graphdl.ops.nn import Softmax, softmax
from graphdl.ops.reduce import sum
from graphdl.ops.transcendental import pow, sigmoid


class BinaryFocalCrossentropy(ElementLoss):
    """Binary cross-entropy times ``(1 - p_t)^gamma``, where p_t is the probability given to what is true.

    With `apply_class_balancing` class 1 counts `alpha` times, class 0 ``1 - alpha`` times.
    """

    name = "binary_focal_crossentropy"
    is_probability = True

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.apply_class_balancing, self.alpha, self.gamma = apply_class_balancing, alpha, gamma
        self.from_logits, self.axis = from_logits, axis
        self.label_smoothing = share(f"{self.name}: label_smoothing", label_smoothing)

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each element, made light."""
        y_true, y_pred = last_axis(y_true, self.axis), last_axis(y_pred, self.axis)
        t, p = smoothed(y_true, self.label_smoothing, 0.5), sigmoid(y_pred) if self.from_logits else y_pred
        true = t * p + (1 - t) * (1 - p)
        found = pow(1 - true, self.gamma) * binary_nats(t, p)
        return (t * self.alpha + (1 - t) * (1 - self.alpha)) * found if self.apply_class_balancing else found


class CategoricalFocalCrossentropy(BuiltinLoss):
    """``mean(sum_c -alpha t_c (1 - p_c)^gamma log p_c)``; `alpha` is a number or one for each class."""

    name = "categorical_focal_crossentropy"
    is_probability = True

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.alpha, self.gamma, self.from_logits, self.axis = alpha, gamma, from_logits, axis
        self.label_smoothing = share(f"{self.name}: label_smoothing", label_smoothing)

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each example, made light class by class."""
        t, y = last_axis(y_true, self.axis), last_axis(y_pred, self.axis)
        t = smoothed(t, self.label_smoothing, 1 / y.shape[-1]) if self.label_smoothing else t
        p = softmax(y) if self.from_logits else y
        if not isinstance(p.op, Softmax):
            p = clipped(p / sum(p, axis=-1, keepdims=True))
        alpha = self.alpha if isinstance(self.alpha, int | float) else constant(self.alpha, y.dtype)
        return sum(alpha * pow(1 - p, self.gamma) * (-t * log_probabilities(y, self.from_logits)), axis=-1)
