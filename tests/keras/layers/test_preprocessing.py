"""Preparation of numbers within a model."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import DataError, GraphError, ShapeError
from graphdl.keras import layers

from .calls import named, normal, outputs_of

X = normal(50, 4) * np.array([1, 2, 3, 4], "float32") + 5


def test_rescaling_makes_pixels_floats():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 4), dtype="int32")
    _, y = outputs_of(layers.Rescaling(1 / 127.5, offset=-1), pixels)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, pixels / 127.5 - 1, rtol=1e-5, atol=1e-6)
    _, y = outputs_of(layers.Rescaling([1.0, 2.0, 3.0, 4.0]), X)
    np.testing.assert_allclose(y, X * [1, 2, 3, 4], rtol=1e-6)


def test_an_adapted_layer_brings_its_data_to_mean_zero_and_variance_one():
    layer = layers.Normalization()
    layer.adapt(X)
    model, y = outputs_of(layer, X)
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(0), 1, rtol=1e-4)
    mean, variance, _ = model.get_weights()
    np.testing.assert_allclose(mean, X.mean(0), rtol=1e-6)
    np.testing.assert_allclose(variance, X.var(0), rtol=1e-5)
    assert named(layer) == [("mean", (4,)), ("variance", (4,)), ("count", ())]
    assert model.trainable_variables == []


def test_a_layer_can_be_adapted_after_it_was_built_and_from_batches():
    layer = layers.Normalization()
    model, y = outputs_of(layer, X)
    np.testing.assert_allclose(y, X, rtol=1e-6)
    layer.adapt([X[:20], X[20:25], X[25:]])
    np.testing.assert_allclose(model.predict(X, verbose=0), (X - X.mean(0)) / X.std(0), rtol=1e-3, atol=1e-4)


def test_one_mean_for_all_places():
    layer = layers.Normalization(axis=None)
    layer.adapt(X)
    _, y = outputs_of(layer, X)
    np.testing.assert_allclose(y, (X - X.mean()) / X.std(), rtol=1e-4, atol=1e-5)


def test_given_statistics_are_constants_and_can_be_undone():
    mean, variance = [1.0, 2, 3, 4], [4.0, 1, 9, 16]
    model, y = outputs_of(layers.Normalization(mean=mean, variance=variance), X)
    np.testing.assert_allclose(y, (X - mean) / np.sqrt(variance), rtol=1e-5, atol=1e-6)
    assert model.variables == []
    _, back = outputs_of(layers.Normalization(mean=mean, variance=variance, invert=True), y)
    np.testing.assert_allclose(back, X, rtol=1e-5)


def test_the_statistics_are_in_the_exported_script(tmp_path):
    import subprocess
    import sys

    from graphdl import export

    layer = layers.Normalization()
    layer.adapt(X)
    model = keras.Sequential([keras.Input((4,)), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], epochs=2, verbose=0)
    path = export.write_script(tmp_path / "net.py", model, (X, X[:, :1]))
    done = subprocess.run([sys.executable, path, "--digest"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == model.digest()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("multi_hot", [[1, 1, 0, 0], [0, 0, 1, 1]]), ("count", [[2, 1, 0, 0], [0, 0, 1, 2]])],
)
def test_class_numbers_become_rows(mode, expected):
    _, y = outputs_of(layers.CategoryEncoding(4, output_mode=mode), np.array([[0, 1, 0], [3, 2, 3]], "int32"))
    assert y.tolist() == expected


def test_a_class_number_becomes_one_hot():
    _, y = outputs_of(layers.CategoryEncoding(3, output_mode="one_hot"), np.array([2, 0], "int32"))
    assert y.tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Normalization(mean=[1.0]), "mean and variance are given together, or learnt with adapt(...)"),
        (lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2]), "mean has shape (1,) and variance (2,)"),
        (lambda: layers.Normalization(mean=[1.0], variance=[2.0]).adapt(X), "mean and variance were given"),
        (lambda: layers.Normalization().adapt(np.zeros((0, 4))), "the data hold no examples"),
        (lambda: layers.Normalization().adapt(3), "adapt takes an array of examples, or batches of them; found a int"),
        (lambda: layers.CategoryEncoding(3, "two_hot"), "CategoryEncoding: output_mode is 'two_hot'"),
        (lambda: layers.CategoryEncoding(3, sparse=True), "there are no sparse arrays here"),
        (lambda: layers.CategoryEncoding(), "CategoryEncoding: num_tokens is None, expected an integer from 1"),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError, DataError)) as caught:
        make()
    assert message in str(caught.value)
