"""The digits that scikit-learn carries."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import ExtraMissing
from graphdl.keras import layers


def test_the_digits_are_split_once_and_for_all():
    pytest.importorskip("sklearn")
    (x, y), (x_test, y_test) = keras.datasets.digits.load_data()
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == ((1437, 64), (1437,), (360, 64), (360,))
    assert (x.dtype, y.dtype) == (np.float32, np.int64)
    assert (x.min(), x.max()) == (0, 16)
    assert set(y) == set(y_test) == set(range(10))
    again = keras.datasets.digits.load_data()
    assert (again[0][0] == x).all()
    whole = np.vstack([x, x_test])
    from sklearn.datasets import load_digits

    theirs = load_digits().data.astype("float32")
    assert (whole[np.lexsort(whole.T)] == theirs[np.lexsort(theirs.T)]).all()


def test_without_scikit_learn_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'graphdl\[data\]'"):
        keras.datasets.digits.load_data()


def test_a_small_network_reads_the_digits():
    pytest.importorskip("sklearn")
    (x, y), (x_test, y_test) = keras.datasets.digits.load_data()
    model = keras.Sequential(
        [keras.Input((64,)), layers.Dense(128, activation="relu"), layers.Dense(10, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x / 16, y, epochs=30, verbose=0)
    _, accuracy = model.evaluate(x_test / 16, y_test, verbose=0)
    assert accuracy >= 0.97
