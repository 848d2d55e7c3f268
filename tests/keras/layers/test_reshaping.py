"""Layers that move elements, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers
from graphdl.keras.layers.reshaping import between

from .calls import check_gradients, normal, outputs_of

IMAGE = normal(2, 4, 5, 3)
SERIES = normal(2, 6, 3)


@pytest.mark.parametrize(
    ("layer", "x", "expected"),
    [
        (layers.Flatten(), IMAGE, IMAGE.reshape(2, 60)),
        (layers.Reshape((15, 4)), IMAGE, IMAGE.reshape(2, 15, 4)),
        (layers.Reshape((-1, 3)), IMAGE, IMAGE.reshape(2, 20, 3)),
        (layers.Reshape((2, -1, 3)), IMAGE, IMAGE.reshape(2, 2, 10, 3)),
        (layers.Permute((3, 1, 2)), IMAGE, IMAGE.transpose(0, 3, 1, 2)),
        (layers.RepeatVector(3), IMAGE[:, 0, 0], np.repeat(IMAGE[:, :1, 0], 3, axis=1)),
        (layers.ZeroPadding1D(1), SERIES, np.pad(SERIES, ((0, 0), (1, 1), (0, 0)))),
        (layers.ZeroPadding1D((2, 1)), SERIES, np.pad(SERIES, ((0, 0), (2, 1), (0, 0)))),
        (layers.ZeroPadding2D((1, 2)), IMAGE, np.pad(IMAGE, ((0, 0), (1, 1), (2, 2), (0, 0)))),
        (layers.ZeroPadding2D(((1, 0), (2, 3))), IMAGE, np.pad(IMAGE, ((0, 0), (1, 0), (2, 3), (0, 0)))),
        (layers.Cropping1D((1, 2)), SERIES, SERIES[:, 1:-2]),
        (layers.Cropping1D((0, 2)), SERIES, SERIES[:, :-2]),
        (layers.Cropping2D(1), IMAGE, IMAGE[:, 1:-1, 1:-1]),
        (layers.Cropping2D(((1, 0), (0, 2))), IMAGE, IMAGE[:, 1:, :-2]),
        (layers.UpSampling1D(3), SERIES, SERIES.repeat(3, axis=1)),
        (layers.UpSampling2D((2, 3)), IMAGE, IMAGE.repeat(2, axis=1).repeat(3, axis=2)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_elements_go_where_numpy_puts_them(layer, x, expected):
    model, y = outputs_of(layer, x)
    assert (y == expected).all()
    assert y.shape == expected.shape
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *expected.shape[1:])
    assert model.count_params() == 0


@pytest.mark.parametrize("factor", [2, 3])
def test_bilinear_enlargement_is_linear_between_the_middles_of_pixels(factor):
    x = normal(2, 4, 5, 3)
    _, y = outputs_of(layers.UpSampling2D(factor, interpolation="bilinear"), x)
    middles = [(np.arange(n * factor) + 0.5) / factor - 0.5 for n in (4, 5)]
    for n, c in np.ndindex(2, 3):
        rows = np.stack([np.interp(middles[0], np.arange(4), x[n, :, j, c]) for j in range(5)], 1)
        both = np.stack([np.interp(middles[1], np.arange(5), row) for row in rows])
        np.testing.assert_allclose(y[n, ..., c], both, rtol=1e-5, atol=1e-6)


def test_bilinear_enlargement_agrees_with_torch():
    torch = pytest.importorskip("torch")
    x = normal(2, 4, 5, 3)
    _, y = outputs_of(layers.UpSampling2D((2, 3), interpolation="bilinear"), x)
    theirs = torch.nn.functional.interpolate(
        torch.tensor(x.transpose(0, 3, 1, 2)), scale_factor=(2, 3), mode="bilinear"
    )
    np.testing.assert_allclose(y, theirs.numpy().transpose(0, 2, 3, 1), rtol=1e-5, atol=1e-6)


def test_weights_of_an_interpolation_add_up_to_one():
    assert np.allclose(between(7, 4).sum(axis=1), 1)


@pytest.mark.parametrize(
    "layer",
    [
        layers.ZeroPadding2D(((1, 0), (2, 1))),
        layers.Cropping2D(((1, 0), (0, 2))),
        layers.UpSampling2D((2, 3), interpolation="bilinear"),
        layers.UpSampling2D(2),
        layers.Permute((2, 3, 1)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_gradients_agree_with_differences(layer):
    check_gradients(layer, (3, 4, 2))


def test_images_of_another_size_are_enlarged_by_the_same_layer():
    layer = layers.UpSampling2D(2)
    assert layer(keras.Input((3, 3, 1), name="a")).shape[1:] == (6, 6, 1)
    assert layer(keras.Input((5, 4, 1), name="b")).shape[1:] == (10, 8, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Reshape(12), "Reshape: target_shape=12 is a number, expected a tuple; write (12,)"),
        (lambda: layers.Reshape((-1, -1)), "Reshape: target_shape is (-1, -1), expected -1 at most once"),
        (lambda: layers.Reshape((7,))(keras.Input((6,))), "reshape: 6 elements an example do not make (7,)"),
        (lambda: layers.Permute((0, 1)), "Permute: dims is (0, 1), expected the axes 1 to 2 in some order"),
        (lambda: layers.Permute((2, 1))(keras.Input((6,))), "expected examples of 2 axes"),
        (lambda: layers.RepeatVector(2)(keras.Input((6, 2))), "expected rows [N, D]"),
        (
            lambda: layers.ZeroPadding2D((1, -1)),
            "ZeroPadding2D: padding is (1, -1), expected a count from 0, or 2 counts",
        ),
        (lambda: layers.Cropping1D(3)(keras.Input((6, 2))), "cuts 3 and 3 of the 6 elements of axis 1"),
        (lambda: layers.UpSampling2D(interpolation="cubic"), "UpSampling2D: interpolation is 'cubic'"),
        (lambda: layers.Flatten(data_format="channels_first"), "Flatten: data_format is 'channels_first'"),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make()
    assert message in str(caught.value)
