"""Metrics over batches beside those of Keras itself.

Differences that are meant: sums are kept in double precision on arrays; a metric's name does not depend on how many of
its kind were made before, where Keras numbers them ("auc_1"); of scores that tie, all count as among the top k in top-k
accuracies, the first ones in Precision and Recall.
"""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.keras import metrics
from tests.keras.beside import close, host, original, tensor
from tests.keras.drawn import C, bit_logits, bits, classes, hot, numbers, pixels, ranked

METRICS = [
    *((name, {}, numbers) for name in ("MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError", "R2Score")),
    *((name, {}, numbers) for name in ("CosineSimilarity", "LogCoshError", "PearsonCorrelation", "Hinge")),
    ("ConcordanceCorrelation", {}, numbers),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, numbers),
    ("BinaryAccuracy", {"threshold": 0.7}, bits),
    ("CategoricalAccuracy", {}, hot),
    ("SparseCategoricalAccuracy", {}, classes),
    ("TopKCategoricalAccuracy", {"k": 2}, hot),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, classes),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, ranked),
    ("BinaryCrossentropy", {}, bits),
    ("CategoricalCrossentropy", {}, hot),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, classes),
    ("SparseCategoricalCrossentropy", {"ignore_class": 255}, pixels),
    *((name, {}, bits) for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")),
    *((name, {"thresholds": [0.2, 0.5]}, bits) for name in ("Precision", "Recall")),
    *((name, {"top_k": 2, "class_id": 1}, hot) for name in ("Precision", "Recall")),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, bits),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5}, bits),
    ("PrecisionAtRecall", {"recall": 0.5}, bits),
    ("RecallAtPrecision", {"precision": 0.5}, bits),
    *(("F1Score", {"average": average}, hot) for average in (None, "micro", "macro", "weighted")),
    ("FBetaScore", {"beta": 2.0, "threshold": 0.5}, bits),
]
for curve in ("ROC", "PR", "PRGAIN"):
    for method in ("interpolation", "majoring", "minoring"):
        METRICS.append(("AUC", {"curve": curve, "summation_method": method}, bits))
METRICS += [
    ("AUC", {"multi_label": True, "label_weights": [1.0, 2.0, 3.0, 0.0]}, bits),
    ("AUC", {"thresholds": [0.1, 0.33, 0.9]}, bits),
    ("AUC", {"from_logits": True}, bit_logits),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "arguments", "data"), METRICS)
def test_metrics_over_ragged_batches(name, arguments, data, weighted):
    ours, theirs = getattr(metrics, name)(**arguments), getattr(original.metrics, name)(**arguments)
    rng = np.random.default_rng(0)
    for _ in range(2):
        for n in (5, 1, 8, 3):
            targets, predictions = data(rng, n)
            shape = targets.shape if predictions.ndim == 3 else (n,)
            weight = rng.uniform(0.1, 2, size=shape).astype("f") if weighted else None
            ours.update_state(targets, predictions, weight)
            theirs.update_state(targets, predictions, weight)
        close(ours.result(), host(theirs.result()))
        ours.reset_state()
        theirs.reset_state()
        close(ours.result(), host(theirs.result()))


@pytest.mark.parametrize(("name", "data"), [("MeanIoU", classes), ("OneHotMeanIoU", hot)])
def test_overlaps_without_weights(name, data):
    ours, theirs = getattr(metrics, name)(C), getattr(original.metrics, name)(C)
    rng = np.random.default_rng(0)
    for n in (5, 8):
        targets, predictions = data(rng, n)
        predictions = predictions if name.startswith("OneHot") else rng.integers(0, C, n)
        ours.update_state(targets, predictions)
        theirs.update_state(targets, predictions)
    close(ours.result(), host(theirs.result()))


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize("weight", [None, (4,), (4, 3)])
@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 3, 2)])
def test_means_and_sums_of_values(name, shape, weight):
    if weight is not None and len(weight) > len(shape):
        return
    ours, theirs = getattr(metrics, name)(), getattr(original.metrics, name)()
    rng = np.random.default_rng(0)
    for _ in range(2):
        values = rng.normal(size=shape).astype("f")
        weights = None if weight is None else rng.uniform(size=weight).astype("f")
        found, expected = ours(values, sample_weight=weights), theirs(values, sample_weight=weights)
        close(found, host(expected))


def test_every_metric_of_keras_is_here():
    assert [name for name in dir(original.metrics) if not name.startswith("_") and not hasattr(metrics, name)] == []


@pytest.mark.parametrize(
    ("name", "data", "arguments"),
    [
        ("binary_accuracy", bits, {"threshold": 0.4}),
        ("categorical_accuracy", hot, {}),
        ("sparse_categorical_accuracy", classes, {}),
        ("top_k_categorical_accuracy", hot, {"k": 2}),
        ("sparse_top_k_categorical_accuracy", classes, {"k": 2}),
        ("pearson_correlation", numbers, {}),
        ("concordance_correlation", numbers, {}),
    ],
)
def test_metrics_as_functions_give_a_value_an_example(name, data, arguments):
    targets, predictions = data(np.random.default_rng(0), 6)
    expected = getattr(original.metrics, name)(tensor(targets), tensor(predictions), **arguments)
    close(gd.Session().run(getattr(metrics, name)(targets, predictions, **arguments)), host(expected))
