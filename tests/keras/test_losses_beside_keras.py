"""Losses and their gradients beside those of Keras itself, in single precision.

Differences that are meant: probabilities that come straight from softmax or sigmoid are not cut at 1e-7, for their
logarithm is taken from the logits; a label that is no class is refused, where Keras gives a number or NaN; CTC of
labels that do not fit in the steps is infinite with a gradient of 0, where Keras has a large number (jax) or a gradient
of NaN (torch); `circle` takes no embeddings beside those of the batch.
"""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.keras import losses
from tests.keras.beside import close, host, original, tensor, value_and_slope
from tests.keras.drawn import (
    C,
    bit_logits,
    bits,
    class_logits,
    classes,
    embeddings,
    hot,
    hot_logits,
    numbers,
    positive,
    rows,
    sequences,
    softmax,
)

LOSSES = [
    *((name, {}, numbers) for name in ("MeanSquaredError", "MeanAbsoluteError", "LogCosh", "CosineSimilarity")),
    ("MeanAbsolutePercentageError", {}, numbers),
    ("MeanSquaredLogarithmicError", {}, positive),
    ("Huber", {"delta": 0.3}, numbers),
    ("Poisson", {}, positive),
    ("KLDivergence", {}, rows),
    ("Hinge", {}, bit_logits),
    ("SquaredHinge", {}, bit_logits),
    ("CategoricalHinge", {}, hot_logits),
    ("Dice", {"axis": (1,)}, bits),
    ("Tversky", {"alpha": 0.3, "beta": 0.8, "axis": (1,)}, bits),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.2}, classes),
    ("SparseCategoricalCrossentropy", {}, classes),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}, class_logits),
    ("CTC", {}, sequences),
    ("Circle", {"gamma": 2.0}, embeddings),
    ("Circle", {"gamma": 5.0, "margin": 0.2, "remove_diagonal": False}, embeddings),
]
for smoothing in (0.0, 0.2):
    for from_logits in (False, True):
        given = {"from_logits": from_logits, "label_smoothing": smoothing}
        LOSSES += [
            ("BinaryCrossentropy", given, bit_logits if from_logits else bits),
            ("BinaryFocalCrossentropy", {**given, "apply_class_balancing": True}, bit_logits if from_logits else bits),
            ("CategoricalCrossentropy", given, hot_logits if from_logits else hot),
            ("CategoricalFocalCrossentropy", {**given, "gamma": 1.5}, hot_logits if from_logits else hot),
        ]


def tried(name, arguments, data, reduction, weight):
    """The loss and its gradient, ours and Keras'."""
    ours = getattr(losses, name)(reduction=reduction, **arguments)
    theirs = getattr(original.losses, name)(reduction=reduction, **arguments)
    targets, predictions = data
    t, p = gd.placeholder(targets.shape, targets.dtype), gd.placeholder(predictions.shape)
    made = ours(t, p, weight)
    found = gd.Session().run([made, gd.gradients(gd.sum(made) if made.ndim else made, p)], {t: targets, p: predictions})
    weighed = None if weight is None else tensor(weight)
    return found, value_and_slope(lambda y: theirs(tensor(targets), y, weighed), predictions)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"])
@pytest.mark.parametrize(("name", "arguments", "data"), LOSSES)
def test_losses_and_their_gradients(name, arguments, data, reduction):
    rng = np.random.default_rng(0)
    for weight in (None, rng.uniform(0, 2, size=7).astype("f")):
        (value, slope), (expected, expected_slope) = tried(name, arguments, data(rng, 7), reduction, weight)
        close(value, expected, 1e-5)
        if expected_slope is not None:
            close(slope, expected_slope, 1e-5)


@pytest.mark.parametrize("shape", [(1,), (6, 1), (6, 3)])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy", "SparseCategoricalCrossentropy"])
def test_weights_of_examples_and_of_their_elements(name, reduction, shape):
    rng = np.random.default_rng(0)
    predictions = softmax(rng.normal(size=(6, 3, C))).astype("f")
    targets = rng.integers(0, C, (6, 3)) if name.startswith("Sparse") else rng.uniform(size=(6, 3, C)).astype("f")
    weight = rng.uniform(0, 2, size=shape).astype("f")
    (value, slope), (expected, expected_slope) = tried(name, {}, (targets, predictions), reduction, weight)
    close(value, expected, 1e-5)
    if expected_slope is not None:
        close(slope, expected_slope, 1e-5)


FUNCTIONS = [name for name in dir(original.losses) if name.islower() and not name.startswith("_")]
FUNCTIONS = [name for name in FUNCTIONS if name not in ("get", "serialize", "deserialize")]


def test_every_loss_of_keras_is_here():
    assert [name for name in dir(original.losses) if not name.startswith("_") and not hasattr(losses, name)] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_losses_as_functions_give_a_value_an_example(name):
    takes = {"sparse_categorical_crossentropy": classes, "ctc": sequences, "circle": embeddings}
    takes |= {"categorical_generalized_cross_entropy": classes}
    rng, more = np.random.default_rng(0), {"q": 0.3} if "generalized" in name else {}
    targets, predictions = takes.get(name, rows)(rng, 5)
    expected = getattr(original.losses, name)(tensor(targets), tensor(predictions), **more)
    close(gd.Session().run(getattr(losses, name)(targets, predictions, **more)), host(expected), 1e-5)


def test_labels_that_do_not_fit_in_the_steps_cost_infinitely_much():
    logits = gd.placeholder((1, 2, C))
    loss = losses.CTC()(np.array([[1, 1]]), logits)
    value, slope = gd.Session().run([loss, gd.gradients(loss, logits)], {logits: np.ones((1, 2, C))})
    assert value == np.inf
    assert (slope == 0).all()
