"""Sequences whose length is known at run time only."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import FeedError
from graphdl.keras import layers

X = np.random.default_rng(0).normal(size=(6, 5, 2)).astype("float32")


def open_length(length, **options):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((length, 2), name="x")
    y = layers.GRU(3, return_sequences=True, go_backwards=True)(layers.Conv1D(2, 2)(inputs))
    model = keras.Model(inputs, layers.Dense(1)(y))
    model.compile("adam", "mse")
    return model


def test_results_go_backwards_over_any_length():
    models = [open_length(None), open_length(5)]
    first, second = (m.predict(X, verbose=0) for m in models)
    np.testing.assert_array_equal(first, second)
    histories = [m.fit(X, X[:, 1:, :1], epochs=2, verbose=0).history for m in models]
    assert histories[0] == histories[1]


def test_targets_of_another_length_than_the_results_are_refused():
    with pytest.raises(FeedError, match=r"D1 - 1 is 4 in 'x' .* and 5 in"):
        open_length(None).fit(X, X[:, :, :1], verbose=0)
