"""Metrics, with Keras 3's names and formulas, as graph nodes that are never trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphdl.errors import GraphError, did_you_mean, listed
from graphdl.ir.node import Node
from graphdl.ir.types import INTS
from graphdl.keras import losses
from graphdl.keras.lookup import Kind, serialize, snake_case
from graphdl.keras.losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from graphdl.keras.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from graphdl.keras.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from graphdl.keras.metrics.curves import (
    AUC,
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from graphdl.keras.metrics.fscore import F1Score, FBetaScore
from graphdl.keras.metrics.functions import (
    binary_accuracy,
    categorical_accuracy,
    concordance_correlation,
    pearson_correlation,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from graphdl.keras.metrics.metric import Accumulated, FunctionMetric, LossMetric, Metric
from graphdl.keras.metrics.of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from graphdl.keras.metrics.overlap import BinaryIoU, ConfusionMatrix, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from graphdl.keras.metrics.reductions import Mean, Sum
from graphdl.keras.metrics.regression import (
    ConcordanceCorrelation,
    CosineSimilarity,
    PearsonCorrelation,
    R2Score,
    RootMeanSquaredError,
)

CLASSES: tuple[type[Metric], ...] = (
    AUC,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    BinaryIoU,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    ConcordanceCorrelation,
    ConfusionMatrix,
    CosineSimilarity,
    F1Score,
    FBetaScore,
    FalseNegatives,
    FalsePositives,
    Hinge,
    IoU,
    KLDivergence,
    LogCoshError,
    Mean,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanIoU,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    OneHotIoU,
    OneHotMeanIoU,
    PearsonCorrelation,
    Poisson,
    Precision,
    PrecisionAtRecall,
    R2Score,
    Recall,
    RecallAtPrecision,
    RootMeanSquaredError,
    SensitivityAtSpecificity,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity,
    SquaredHinge,
    Sum,
    TopKCategoricalAccuracy,
    TrueNegatives,
    TruePositives,
)
# As Keras calls a function of targets and predictions that is averaged.
MeanMetricWrapper = FunctionMetric
KNOWN: dict[str, type[Metric]] = {made.__name__: made for made in CLASSES}
# Those that need no argument and fit a model's targets and predictions go by a name as well.
_NAMED = {
    word: made
    for made in CLASSES
    if made not in (Accuracy, Mean, Sum, ConfusionMatrix, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU)
    and not made.__name__.count("At")
    for word in (made.__name__, snake_case(made.__name__), made.name)
} | {"rmse": RootMeanSquaredError, "f1": F1Score, "r2": R2Score, "kld": KLDivergence}

_KIND: Kind[Metric] = Kind("a metric", Metric, KNOWN, "a name such as 'accuracy', or an object")
deserialize = _KIND.deserialize


def get(identifier: Any, y_true: Node | None = None, y_pred: Node | None = None) -> Metric:
    """The metric of that name or description, the one given, or a function of (targets, predictions) as a metric.

    "accuracy" is the binary, categorical or sparse one, whichever fits the targets and predictions, where they are
    given, and so is "crossentropy".
    """
    if isinstance(identifier, str):
        return _by_name(identifier, y_true, y_pred)
    return _KIND.get(identifier, _of_function)


def _of_function(function: Any) -> Metric:
    """A loss, or a function of (targets, predictions), as a metric."""
    found = losses.get(function)
    return FunctionMetric(function) if isinstance(found, losses.FunctionLoss) else LossMetric(found)


def _by_name(name: str, y_true: Node | None, y_pred: Node | None) -> Metric:
    lower = name.lower()
    if y_true is not None and y_pred is not None:
        if lower in ("accuracy", "acc"):
            return accuracy_for(y_true, y_pred)(name)
        if lower in ("crossentropy", "ce"):
            return crossentropy_for(y_true, y_pred)(name)
    for known in (_NAMED, {"accuracy": Accuracy, "acc": Accuracy}, losses.KNOWN):
        found = {key.lower(): made for key, made in known.items()}.get(lower)
        if found is not None:
            made = found()
            metric = made if isinstance(made, Metric) else LossMetric(made)
            metric.name = name
            return metric
    known_names = ["accuracy", *_NAMED, *losses.KNOWN]
    raise GraphError(f"there is no metric {name!r}.{did_you_mean(name, known_names)} There is {listed(known_names)}")


def accuracy_for(y_true: Node, y_pred: Node) -> Callable[[str], Metric]:
    """The accuracy that Keras chooses: binary for one output, sparse for class numbers, else categorical."""
    return _fitting(y_true, y_pred, BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)


def crossentropy_for(y_true: Node, y_pred: Node) -> Callable[[str], Metric]:
    """The cross-entropy that Keras chooses, in the same way."""
    return _fitting(y_true, y_pred, BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)


def _fitting(y_true: Node, y_pred: Node, binary: Any, sparse: Any, categorical: Any) -> Callable[[str], Metric]:
    if not y_pred.ndim or y_pred.shape[-1] == 1 or y_pred.ndim == 1:
        return binary  # type: ignore[no-any-return]
    is_sparse = y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1 or y_true.dtype in INTS
    return sparse if is_sparse else categorical  # type: ignore[no-any-return]


__all__ = [
    "AUC",
    "CLASSES",
    "KNOWN",
    "Accumulated",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "ConfusionMatrix",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "FunctionMetric",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "LossMetric",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "accuracy_for",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "crossentropy_for",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pearson_correlation",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]
