"""Losses, with Keras 3's names and formulas, as graph nodes averaged over the batch."""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError
from graphdl.keras.lookup import Kind, serialize, snake_case
from graphdl.keras.losses import functions
from graphdl.keras.losses.alignment import CTC
from graphdl.keras.losses.circle import Circle
from graphdl.keras.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from graphdl.keras.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from graphdl.keras.losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    circle,
    cosine_similarity,
    ctc,
    dice,
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
    tversky,
)
from graphdl.keras.losses.hinge import CategoricalHinge, Hinge, SquaredHinge
from graphdl.keras.losses.loss import EPSILON, ElementLoss, FunctionLoss, Loss
from graphdl.keras.losses.overlap import Dice, Tversky
from graphdl.keras.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from graphdl.keras.losses.weights import class_weights

CLASSES: tuple[type[Loss], ...] = (
    MeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Huber,
    LogCosh,
    CosineSimilarity,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    Dice,
    Tversky,
    CTC,
    Circle,
)
# What notes write for short, or wrote for Keras 2.
SHORT: dict[str, type[Loss]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
    "kullback_leibler_divergence": KLDivergence,
    "logcosh": LogCosh,
    "huber": Huber,
    "cosine_proximity": CosineSimilarity,
}
KNOWN: dict[str, type[Loss]] = {key: made for made in CLASSES for key in (made.name, made.__name__)} | SHORT
_FUNCTIONS = {getattr(functions, snake_case(made.__name__)): made for made in CLASSES}
mse, mae, bce, kld = mean_squared_error, mean_absolute_error, binary_crossentropy, kl_divergence
mape, msle, logcosh = mean_absolute_percentage_error, mean_squared_logarithmic_error, log_cosh


_KIND: Kind[Loss] = Kind("a loss", Loss, KNOWN, "a name such as 'mse', a loss object or a function")
deserialize = _KIND.deserialize


def get(identifier: Any) -> Loss:
    """The loss of that name or description, the one given, or a function of (targets, predictions) as a loss."""
    if isinstance(identifier, str) and identifier.lower() in ("acc", "accuracy"):
        raise GraphError(
            f"{identifier} is no loss: it jumps or stays, so no gradient says which way is better; "
            f"train on a cross-entropy, and watch it with metrics=[{identifier!r}]"
        )
    return _KIND.get(identifier, _of_function)


def _of_function(function: Any) -> Loss:
    ours = [made for known, made in _FUNCTIONS.items() if known is function]
    return ours[0]() if ours else FunctionLoss(function)


__all__ = [
    "CLASSES",
    "CTC",
    "EPSILON",
    "KNOWN",
    "SHORT",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "ElementLoss",
    "FunctionLoss",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "bce",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "class_weights",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
