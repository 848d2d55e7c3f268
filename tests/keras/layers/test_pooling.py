"""Pooling against the largest and the mean of each window."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers

from .calls import check_gradients, normal, outputs_of


def pooled(x, window, strides, reduce):
    """`reduce` of each window that fits, or begins, in the images; what lies beyond does not count."""
    rows = [x[:, i : i + window[0]] for i in range(0, x.shape[1], strides[0])]
    return np.stack(
        [
            np.stack([reduce(r[:, :, j : j + window[1]], (1, 2)) for j in range(0, x.shape[2], strides[1])], 1)
            for r in rows
        ],
        1,
    )


@pytest.mark.parametrize(("layer", "reduce"), [(layers.MaxPooling2D, np.max), (layers.AveragePooling2D, np.mean)])
def test_a_window_becomes_one_number(layer, reduce):
    x = normal(2, 6, 8, 3)
    _, y = outputs_of(layer((3, 2)), x)
    np.testing.assert_allclose(y, pooled(x, (3, 2), (3, 2), reduce), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("layer", "reduce"), [(layers.MaxPooling2D, np.max), (layers.AveragePooling2D, np.mean)])
def test_with_padding_same_the_border_does_not_count(layer, reduce):
    x = normal(2, 5, 5, 3) - 5
    _, y = outputs_of(layer(2, padding="same"), x)
    np.testing.assert_allclose(y, pooled(x, (2, 2), (2, 2), reduce), rtol=1e-5, atol=1e-6)
    assert y.shape == (2, 3, 3, 3)


@pytest.mark.parametrize(("layer", "reduce"), [(layers.MaxPooling1D, np.max), (layers.AveragePooling1D, np.mean)])
def test_a_series_is_pooled_along_time(layer, reduce):
    x = normal(2, 9, 3)
    _, y = outputs_of(layer(3, strides=2), x)
    expected = np.stack([reduce(x[:, t : t + 3], 1) for t in (0, 2, 4, 6)], 1)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "reduce", "axes"),
    [
        (layers.GlobalMaxPooling1D, np.max, (1,)),
        (layers.GlobalAveragePooling1D, np.mean, (1,)),
        (layers.GlobalMaxPooling2D, np.max, (1, 2)),
        (layers.GlobalAveragePooling2D, np.mean, (1, 2)),
    ],
)
@pytest.mark.parametrize("keepdims", [False, True])
def test_pooling_over_all_places_leaves_the_channels(layer, reduce, axes, keepdims):
    x = normal(2, *(5, 4)[: len(axes)], 3)
    _, y = outputs_of(layer(keepdims=keepdims), x)
    np.testing.assert_allclose(y, reduce(x, axes, keepdims=keepdims), rtol=1e-5, atol=1e-6)


def test_the_mean_of_a_series_is_over_the_steps_that_count():
    x = normal(3, 5, 2)
    x[0, 3:] = x[1, 1:] = 0
    inputs = keras.Input((5, 2))
    y = layers.GlobalAveragePooling1D()(layers.Masking()(inputs))
    found = keras.Model(inputs, y).predict(x, verbose=0)
    expected = np.stack([x[0, :3].mean(0), x[1, 0], x[2].mean(0)])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.MaxPooling2D((2, 3), strides=1),
        layers.AveragePooling2D(2, padding="same"),
        layers.GlobalAveragePooling2D(),
        layers.GlobalMaxPooling2D(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_gradients_agree_with_differences(layer):
    check_gradients(layer, (5, 5, 2))


def test_short_names_are_the_same_layers():
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.AvgPool1D is layers.AveragePooling1D
    assert layers.GlobalAvgPool2D is layers.GlobalAveragePooling2D


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.MaxPool2D((2, 0)),
            "MaxPooling2D: pool_size is (2, 0), expected an integer from 1 or 2 of them",
        ),
        (lambda: layers.MaxPool2D(padding="causal"), "MaxPooling2D: padding is 'causal'. There is \"'valid'\""),
        (lambda: layers.MaxPool2D(data_format="channels_first"), "MaxPooling2D: data_format is 'channels_first'"),
        (lambda: layers.MaxPool2D()(keras.Input((4, 4))), "expected images [N, H, W, C]"),
        (lambda: layers.GlobalAvgPool1D()(keras.Input((4,))), "expected series [N, T, C]"),
        (lambda: layers.MaxPool2D(5)(keras.Input((4, 4, 1))), "a window of 5 does not fit in 4 elements"),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make()
    assert message in str(caught.value)
