"""Metrics against NumPy, and the accuracy that fits the shapes."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.errors import GraphError
from graphdl.keras import metrics

RNG = np.random.default_rng(6)
P = RNG.uniform(size=(50, 4)).astype("float32")
LABELS = RNG.integers(0, 4, size=50)
BITS = (RNG.uniform(size=(50, 1)) > 0.5).astype("float32")


def value(identifier, targets, predictions):
    t = gd.placeholder((None, *targets.shape[1:]), targets.dtype, name="t")
    y = gd.placeholder((None, *predictions.shape[1:]), predictions.dtype, name="y")
    return gd.Session().run(metrics.get(identifier, t, y)(t, y), {t: targets, y: predictions})


def test_accuracies_are_shares_of_right_examples():
    right = (P.argmax(-1) == LABELS).mean()
    hot = np.eye(4, dtype="float32")[LABELS]
    np.testing.assert_allclose(value("sparse_categorical_accuracy", LABELS, P), right, rtol=1e-6)
    np.testing.assert_allclose(value("categorical_accuracy", hot, P), right, rtol=1e-6)
    np.testing.assert_allclose(value("binary_accuracy", BITS, P[:, :1]), ((P[:, :1] > 0.5) == BITS).mean(), rtol=1e-6)
    strict = metrics.BinaryAccuracy(threshold=0.9)
    np.testing.assert_allclose(value(strict, BITS, P[:, :1]), ((P[:, :1] > 0.9) == BITS).mean(), rtol=1e-6)
    np.testing.assert_allclose(value(metrics.Accuracy(), BITS, BITS), 1)


@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_is_the_one_that_fits(name):
    hot = np.eye(4, dtype="float32")[LABELS]
    right = (P.argmax(-1) == LABELS).mean()
    np.testing.assert_allclose(value(name, LABELS, P), right, rtol=1e-6)
    np.testing.assert_allclose(value(name, hot, P), right, rtol=1e-6)
    np.testing.assert_allclose(value(name, BITS, P[:, :1]), ((P[:, :1] > 0.5) == BITS).mean(), rtol=1e-6)
    t, y = gd.placeholder((None, 1)), gd.placeholder((None, 1))
    assert metrics.get(name, t, y).name == name


def test_errors_are_means():
    np.testing.assert_allclose(value("mse", P, P[::-1]), ((P - P[::-1]) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(value("mae", P, P[::-1]), np.abs(P - P[::-1]).mean(), rtol=1e-5)
    np.testing.assert_allclose(value(metrics.MeanSquaredError(), P, P[::-1]), ((P - P[::-1]) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(value(metrics.MeanAbsoluteError, P, P[::-1]), np.abs(P - P[::-1]).mean(), rtol=1e-5)


def test_a_function_of_nodes_is_a_metric():
    def largest_error(t, y):
        return gd.max(gd.abs(t - y))

    t, y = gd.placeholder((None, 4)), gd.placeholder((None, 4))
    assert metrics.get(largest_error, t, y).name == "largest_error"
    np.testing.assert_allclose(value(largest_error, P, P[::-1]), np.abs(P - P[::-1]).max(), rtol=1e-6)


@pytest.mark.parametrize(
    ("identifier", "message"),
    [("acuracy", "there is no metric 'acuracy'. Did you mean 'accuracy'?"), (3, "a metric is 3, expected a name")],
)
def test_a_wrong_metric_is_refused(identifier, message):
    with pytest.raises(GraphError) as caught:
        metrics.get(identifier, gd.placeholder((2,)), gd.placeholder((2,)))
    assert message in str(caught.value)
