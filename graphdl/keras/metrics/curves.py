"""Areas under curves of decisions, and points on them: AUC, sensitivity at a specificity, and the like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.keras.checks import integer, number
from graphdl.keras.lookup import by_name
from graphdl.keras.losses.loss import EPSILON, alike, in_dtype, weight_like
from graphdl.keras.metrics.confusion import Decisions, counted
from graphdl.keras.metrics.metric import Accumulated, Sums, float_of, ratio
from graphdl.ops.arithmetic import equal, greater, greater_equal, logical_and, maximum, minimum, where
from graphdl.ops.reduce import max, mean, sum
from graphdl.ops.transcendental import log, sigmoid

_CURVES = {word: word for word in ("ROC", "PR", "PRGAIN")}
_METHODS = {word: word for word in ("interpolation", "majoring", "minoring")}


def even_thresholds(count: int) -> list[float]:
    """`count` numbers from 0 to 1."""
    return [0.0, *((i + 1) / (count - 1) for i in range(count - 2)), 1.0] if count > 1 else [0.5]


class AUC(Accumulated):
    """The area under the curve of true over false positive rates ("ROC"), or of precision over recall ("PR").

    Decisions are counted at `num_thresholds` thresholds between 0 and 1, or at `thresholds`.

    summation_method   heights between two points: "interpolation" (for "PR" as Davis & Goadrich 2006 have it),
                       "majoring" the larger, "minoring" the smaller
    multi_label        an area for each column, averaged by `label_weights`
    """

    name = "auc"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name, dtype)
        if thresholds is None:
            integer("AUC: num_thresholds", num_thresholds, 2)
        if num_labels and not multi_label:
            raise GraphError("AUC: num_labels is for multi_label=True")
        inner = even_thresholds(num_thresholds)[1:-1] if thresholds is None else sorted(thresholds)
        self.levels = [-EPSILON, *inner, 1 + EPSILON]
        self.num_thresholds, self.thresholds = num_thresholds, thresholds
        self.curve: str = by_name("curve", curve, _CURVES)
        self.summation_method: str = by_name("summation method", summation_method, _METHODS)
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights, self.from_logits = label_weights, from_logits

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """The four counts at each threshold."""
        t, y = alike(y_true, in_dtype(y_pred, float_of(y_pred)))
        y = sigmoid(y) if self.from_logits else y
        weight = None if sample_weight is None else weight_like(sample_weight, y)
        if not self.multi_label and self.label_weights is not None:
            labels = weight_like_row(self.label_weights, y)
            weight = labels if weight is None else weight * labels
        if self.multi_label and y.ndim != 2:
            raise ShapeError(f"AUC: multi_label: found predictions {y.type}, expected a row of labels each")
        return counted(t, y, weight, self.levels, self.multi_label)

    def of_sums(self, sums: Sums) -> Node:
        """The sum of the strips between neighbouring thresholds."""
        strips = self._interpolated(sums) if self._is_interpolated_pr else self._strips(*self._points(sums))
        areas = sum(strips, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return mean(areas)
        weights = constant(np.array(self.label_weights), areas.dtype)
        return ratio(sum(areas * weights), sum(weights))

    @property
    def _is_interpolated_pr(self) -> bool:
        return self.curve == "PR" and self.summation_method == "interpolation"

    def _points(self, sums: Sums) -> tuple[Node, Node]:
        """The curve's points, from the lowest threshold to the highest."""
        tp, fp, tn, fn = (sums[key] for key in ("tp", "fp", "tn", "fn"))
        if self.curve == "ROC":
            return ratio(fp, fp + tn), ratio(tp, tp + fn)
        if self.curve == "PR":
            return ratio(tp, tp + fn), ratio(tp, tp + fp)
        # Flach & Kull 2015: recall and precision as gains over taking everything for class 1.
        prior = ratio(tp + fn, tn + fp)
        nothing = equal(tp, 0.0)
        recall = where(nothing, 0.0, 1 - prior * ratio(fn, tp))
        return maximum(recall, 0.0), where(nothing, 1.0, 1 - prior * ratio(fp, tp))

    def _strips(self, x: Node, y: Node) -> Node:
        low, high = y[:-1], y[1:]
        if self.summation_method == "interpolation":
            heights = (low + high) / 2
        else:
            heights = minimum(low, high) if self.summation_method == "minoring" else maximum(low, high)
        return (x[:-1] - x[1:]) * heights

    def _interpolated(self, sums: Sums) -> Node:
        """Strips under a curve whose true positives lie on straight lines between thresholds, not its precision."""
        tp, p = sums["tp"], sums["tp"] + sums["fp"]
        rise = tp[:-1] - tp[1:]
        slope = ratio(rise, maximum(p[:-1] - p[1:], 0.0))
        start = tp[1:] - slope * p[1:]
        both = logical_and(greater(p[:-1], 0.0), greater(p[1:], 0.0))
        grown = where(both, ratio(p[:-1], maximum(p[1:], 0.0)), 1.0)
        return ratio(slope * (rise + start * log(grown)), maximum(tp[1:] + sums["fn"][1:], 0.0))


def weight_like_row(row: Sequence[float], y: Node) -> Node:
    """`row` for each row of `y`."""
    return constant(np.array(row), y.dtype) + y * 0


class _AtPoint(Accumulated):
    """The best of one share among the thresholds at which another is at least `value`."""

    held: str
    wanted: str

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any) -> None:
        super().__init__(name, dtype)
        kind = type(self).__name__
        self.value, self.class_id = number(f"{kind}: {self.held}", value, 0, 1), class_id
        self.num_thresholds = integer(f"{kind}: num_thresholds", num_thresholds)
        self._decisions = Decisions(kind, even_thresholds(num_thresholds), None, class_id)

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """The four counts at each threshold."""
        return self._decisions.counts(y_true, y_pred, sample_weight)

    def of_sums(self, sums: Sums) -> Node:
        """The largest share allowed, 0 where none is."""
        held, wanted = _share(self.held, sums), _share(self.wanted, sums)
        return max(where(greater_equal(held, self.value), maximum(wanted, 0.0), 0.0))


class SensitivityAtSpecificity(_AtPoint):
    """The most that is found of class 1 where at least this share of class 0 is left alone."""

    name, held, wanted = "sensitivity_at_specificity", "specificity", "recall"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity


class SpecificityAtSensitivity(_AtPoint):
    """The most of class 0 that is left alone where at least this share of class 1 is found."""

    name, held, wanted = "specificity_at_sensitivity", "recall", "specificity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity


class PrecisionAtRecall(_AtPoint):
    """The best precision where at least this share of class 1 is found."""

    name, held, wanted = "precision_at_recall", "recall", "precision"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall


class RecallAtPrecision(_AtPoint):
    """The most that is found of class 1 where at least this share of what is taken for it is right."""

    name, held, wanted = "recall_at_precision", "precision", "recall"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision


def _share(word: str, sums: Sums) -> Node:
    if word == "recall":
        return ratio(sums["tp"], sums["tp"] + sums["fn"])
    if word == "precision":
        return ratio(sums["tp"], sums["tp"] + sums["fp"])
    return ratio(sums["tn"], sums["tn"] + sums["fp"])
