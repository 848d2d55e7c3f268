"""Losses as metrics: the same formulas, averaged over all examples."""

from __future__ import annotations

from typing import Any

from graphdl.ir.node import Node
from graphdl.keras import losses
from graphdl.keras.losses.loss import class_numbers, weight_like
from graphdl.keras.metrics.metric import LossMetric
from graphdl.ops.shape import cast


class _OfLoss(LossMetric):
    """A loss without arguments, watched."""

    of: type[losses.Loss]

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(self.of(), name or type(self).name, dtype)


class MeanSquaredError(_OfLoss):
    """``mean((y - t)^2)``"""

    name, of = "mean_squared_error", losses.MeanSquaredError


class MeanAbsoluteError(_OfLoss):
    """``mean(|y - t|)``"""

    name, of = "mean_absolute_error", losses.MeanAbsoluteError


class MeanAbsolutePercentageError(_OfLoss):
    """``100 mean(|t - y| / max(|t|, epsilon))``"""

    name, of = "mean_absolute_percentage_error", losses.MeanAbsolutePercentageError


class MeanSquaredLogarithmicError(_OfLoss):
    """``mean((log(1 + y) - log(1 + t))^2)``"""

    name, of = "mean_squared_logarithmic_error", losses.MeanSquaredLogarithmicError


class LogCoshError(_OfLoss):
    """``mean(log(cosh(y - t)))``"""

    name, of = "logcosh", losses.LogCosh


class Hinge(_OfLoss):
    """``mean(max(1 - t y, 0))``"""

    name, of = "hinge", losses.Hinge


class SquaredHinge(_OfLoss):
    """``mean(max(1 - t y, 0)^2)``"""

    name, of = "squared_hinge", losses.SquaredHinge


class CategoricalHinge(_OfLoss):
    """``mean(max(1 + largest wrong score - right score, 0))``"""

    name, of = "categorical_hinge", losses.CategoricalHinge


class KLDivergence(_OfLoss):
    """``mean(sum(t log(t / p)))``"""

    name, of = "kl_divergence", losses.KLDivergence


class Poisson(_OfLoss):
    """``mean(y - t log(y + epsilon))``"""

    name, of = "poisson", losses.Poisson


class BinaryCrossentropy(LossMetric):
    """``-mean(t log p + (1 - t) log(1 - p))``"""

    name = "binary_crossentropy"

    def __init__(
        self, name: str | None = None, dtype: Any = None, from_logits: bool = False, label_smoothing: float = 0
    ) -> None:
        super().__init__(losses.BinaryCrossentropy(from_logits, label_smoothing), name, dtype)
        self.from_logits, self.label_smoothing = from_logits, label_smoothing


class CategoricalCrossentropy(LossMetric):
    """``-mean(sum_c t_c log p_c)``"""

    name = "categorical_crossentropy"

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(losses.CategoricalCrossentropy(from_logits, label_smoothing, axis), name, dtype)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


class SparseCategoricalCrossentropy(LossMetric):
    """``-mean(log p[t])``; as in Keras, examples of `ignore_class` count as 0, and with weights not at all."""

    name = "sparse_categorical_crossentropy"

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(losses.SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis), name, dtype)
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    def parts(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """Values and weights, without those of the ignored class."""
        mask = self.loss.mask(class_numbers(y_true, y_pred))
        if sample_weight is None or mask is None:
            return super().parts(y_true, y_pred, sample_weight)
        weight = weight_like(sample_weight, cast(mask, y_pred.dtype))
        return super().parts(y_true, y_pred, weight * cast(mask, y_pred.dtype))
