"""Activation layers against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers

from .calls import check_gradients, named, normal, outputs_of, with_weights

X = normal(3, 4, 5)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.LeakyReLU(), np.where(X > 0, X, 0.3 * X)),
        (layers.LeakyReLU(0.1), np.where(X > 0, X, 0.1 * X)),
        (layers.LeakyReLU(alpha=0.5), np.where(X > 0, X, 0.5 * X)),
        (layers.ELU(), np.where(X > 0, X, np.exp(X) - 1)),
        (layers.ELU(alpha=0.5), np.where(X > 0, X, 0.5 * (np.exp(X) - 1))),
        (layers.ReLU(max_value=1.0), np.clip(X, 0, 1)),
        (layers.Softmax(), np.exp(X) / np.exp(X).sum(-1, keepdims=True)),
        (layers.Softmax(axis=1), np.exp(X) / np.exp(X).sum(1, keepdims=True)),
        (layers.Softmax(axis=(1, 2)), np.exp(X) / np.exp(X).sum((1, 2), keepdims=True)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_an_activation_layer_is_its_formula(layer, expected):
    _, y = outputs_of(layer, X)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("shared", "shape"), [(None, (4, 5)), (1, (1, 5)), ([1, 2], (1, 1))])
def test_prelu_learns_a_slope_for_each_place_or_along_shared_axes(shared, shape):
    layer = layers.PReLU(shared_axes=shared)
    (alpha,), y = with_weights(layer, X)
    assert alpha.shape == shape
    np.testing.assert_allclose(y, np.where(X > 0, X, alpha * X), rtol=1e-5, atol=1e-6)
    assert named(layer) == [("alpha", shape)]


def test_prelu_starts_as_relu():
    _, y = outputs_of(layers.PReLU(), X)
    assert (y == np.maximum(X, 0)).all()


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_maxout_is_the_largest_of_linear_functions(pieces):
    layer = layers.Maxout(6, pieces)
    (kernel, bias), y = with_weights(layer, X)
    lines = [X @ kernel[:, i::pieces] + bias[i::pieces] for i in range(pieces)]
    np.testing.assert_allclose(y, np.max(lines, axis=0), rtol=1e-4, atol=1e-5)
    assert named(layer) == [("kernel", (5, 6 * pieces)), ("bias", (6 * pieces,))]


def test_two_pieces_of_maxout_make_the_absolute_value():
    layer = layers.Maxout(1, use_bias=False)
    model, _ = outputs_of(layer, X[:, :, :1])
    model.set_weights([np.array([[1.0, -1.0]])])
    np.testing.assert_allclose(model.predict(X[:, :, :1], verbose=0), np.abs(X[:, :, :1]), rtol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.PReLU(alpha_initializer=keras.initializers.Constant(0.3)),
        layers.Maxout(3),
        layers.Maxout(2, pieces=3),
        layers.ELU(0.7),
        layers.Softmax(axis=(1, 2)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_gradients_agree_with_differences(layer):
    check_gradients(layer, (4, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.LeakyReLU(-0.1), "LeakyReLU: negative_slope is -0.1, expected 0 or more"),
        (lambda: layers.Maxout(3, pieces=0), "Maxout: pieces is 0, expected an integer from 1"),
        (
            lambda: layers.PReLU(shared_axes=[3])(keras.Input((4, 5))),
            "shared_axes is [3], expected axes of (None, 4, 5)",
        ),
        (lambda: layers.PReLU()(keras.Input((None, 5))), "axis 1 of the inputs, (None, None, 5), has no known size"),
        (
            lambda: layers.Softmax(axis=(1, 2))(keras.Input((4, 5, 6))),
            "expected one axis, or the last axes of f32[N, 4, 5, 6]",
        ),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make()
    assert message in str(caught.value)


def test_a_shared_maxout_refuses_another_width():
    layer = layers.Maxout(3)
    layer(keras.Input((4,), name="a"))
    with pytest.raises(ShapeError, match=r"maxout: found f32\[N, 5\], expected width 4"):
        layer(keras.Input((5,), name="b"))
