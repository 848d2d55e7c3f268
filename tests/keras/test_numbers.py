"""Scalers and splits, against NumPy written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphdl import keras
from graphdl.errors import DataError, GraphError
from graphdl.keras.preprocessing.numbers import (
    MinMaxScaler,
    StandardScaler,
    min_max,
    one_hot,
    standardize,
    train_test_split,
)

X = np.random.default_rng(3).normal([5, -2, 0], [2, 0.1, 30], (50, 3))
NEW = np.random.default_rng(4).normal(0, 10, (7, 3))


def test_training_examples_get_mean_0_and_deviation_1_and_others_their_scale():
    scaled, other = standardize(X, NEW)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1)
    np.testing.assert_allclose(other, (NEW - X.mean(axis=0)) / X.std(axis=0))


def test_training_examples_lie_from_0_to_1_and_others_may_not():
    scaled, other = min_max(X, NEW)
    assert (scaled.min(), scaled.max()) == (0, 1)
    np.testing.assert_allclose(other, (NEW - X.min(axis=0)) / (X.max(axis=0) - X.min(axis=0)))
    wide = MinMaxScaler(-1, 3).fit_transform(X)
    np.testing.assert_allclose([wide.min(axis=0), wide.max(axis=0)], [[-1] * 3, [3] * 3])


@pytest.mark.parametrize("kind", [StandardScaler, MinMaxScaler])
def test_scaling_can_be_undone(kind):
    scaler = kind().fit(X)
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(NEW)), NEW)


@pytest.mark.parametrize("kind", [StandardScaler, MinMaxScaler])
def test_scikit_learn_scales_alike(kind):
    theirs = getattr(pytest.importorskip("sklearn.preprocessing"), kind.__name__)().fit(X)
    np.testing.assert_allclose(kind().fit(X).transform(NEW), theirs.transform(NEW))


@pytest.mark.parametrize("kind", [StandardScaler, MinMaxScaler])
def test_a_feature_that_never_changes_becomes_0(kind):
    flat = np.column_stack([X[:, 0], np.full(len(X), 7.0)])
    assert (kind().fit_transform(flat)[:, 1] == 0).all()


@pytest.mark.parametrize("kind", [StandardScaler, MinMaxScaler])
def test_the_scale_can_be_the_first_layer_of_a_model(kind):
    scaler = kind().fit(X)
    model = keras.Sequential([keras.Input((3,)), scaler.layer()])
    np.testing.assert_allclose(model.predict(NEW, verbose=0), scaler.transform(NEW), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: StandardScaler().transform(X), GraphError, "StandardScaler has seen no examples"),
        (lambda: StandardScaler().fit(X).transform(X[:, :2]), DataError, "found 2 features, it was fitted to 3"),
        (lambda: StandardScaler().fit([1.0, 2.0]), DataError, r"found float64\[2\], expected numbers, a row"),
        (lambda: StandardScaler().fit([["a"]]), DataError, "expected numbers"),
        (lambda: MinMaxScaler().fit([[1.0], [np.nan]]), DataError, "found nan at row 1, column 0"),
        (lambda: MinMaxScaler(2, 1), GraphError, "expected low below high"),
        (lambda: train_test_split(X, X[1:]), DataError, r"arrays of lengths \[50, 49\], expected one length"),
        (lambda: train_test_split(X, test_size=1.0), DataError, "test_size=1.0 of 50 examples leaves 50 to test on"),
        (lambda: train_test_split(X, test_size=0), DataError, "leaves 0 to test on"),
        (lambda: train_test_split(X, stratify=[1]), DataError, "stratify has shape"),
    ],
)
def test_what_cannot_be_done_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@given(st.integers(2, 60), st.floats(0.05, 0.9), st.integers(0, 2**32), st.booleans())
def test_a_split_keeps_every_example_once_and_rows_together(n, share, seed, shuffle):
    x, y = np.arange(2 * n).reshape(n, 2), np.arange(n)
    if not 0 < np.ceil(n * share) < n:
        return
    parts = train_test_split(x, y, test_size=share, seed=seed, shuffle=shuffle)
    x_train, x_test, y_train, y_test = parts
    assert len(y_test) == np.ceil(n * share)
    assert sorted([*y_train, *y_test]) == list(range(n))
    assert (x_train[:, 0] == 2 * y_train).all()
    assert (x_test[:, 1] == 2 * y_test + 1).all()
    again = train_test_split(x, y, test_size=share, seed=seed, shuffle=shuffle)
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))


def test_another_seed_is_another_split_and_none_keeps_the_order():
    y = np.arange(100)
    assert (train_test_split(y, seed=1)[1] != train_test_split(y, seed=2)[1]).any()
    assert train_test_split(y, test_size=10, shuffle=False)[1].tolist() == list(range(90, 100))


def test_a_stratified_split_has_every_class_in_its_share():
    y = np.array([0] * 70 + [1] * 20 + [2] * 10)
    train, test = train_test_split(y, test_size=0.3, stratify=y)
    assert np.bincount(test).tolist() == [21, 6, 3]
    assert np.bincount(train).tolist() == [49, 14, 7]


def test_classes_become_rows():
    assert one_hot([2, 0], 4).tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
