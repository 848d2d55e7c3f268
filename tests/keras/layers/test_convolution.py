"""Convolutions against sums written out, their adjoints, torch, and Keras' weights."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers

from .calls import check_gradients, named, normal, outputs_of, with_weights


def convolved(x, kernel, strides, pads, dilation, groups=1):
    """The sum over the window for every place, filter by filter."""
    x = np.pad(x, ((0, 0), *pads, (0, 0)))
    h, w, depth, filters = kernel.shape
    rows = (x.shape[1] - (h - 1) * dilation[0] - 1) // strides[0] + 1
    columns = (x.shape[2] - (w - 1) * dilation[1] - 1) // strides[1] + 1
    y = np.zeros((len(x), rows, columns, filters))
    for i, j, f in np.ndindex(rows, columns, filters):
        group = f // (filters // groups)
        for a, b in np.ndindex(h, w):
            seen = x[:, i * strides[0] + a * dilation[0], j * strides[1] + b * dilation[1]]
            y[:, i, j, f] += seen[:, group * depth : (group + 1) * depth] @ kernel[a, b, :, f]
    return y


@pytest.mark.parametrize(
    ("arguments", "pads"),
    [
        ({"kernel_size": 3}, ((0, 0), (0, 0))),
        ({"kernel_size": (3, 2), "strides": (2, 1)}, ((0, 0), (0, 0))),
        ({"kernel_size": 3, "padding": "same"}, ((1, 1), (1, 1))),
        ({"kernel_size": (3, 2), "strides": 2, "padding": "SAME"}, ((1, 1), (0, 0))),
        ({"kernel_size": 2, "dilation_rate": (2, 3)}, ((0, 0), (0, 0))),
        ({"kernel_size": 2, "groups": 2}, ((0, 0), (0, 0))),
    ],
)
def test_conv2d_is_the_sum_over_each_window(arguments, pads):
    x = normal(3, 7, 6, 4)
    layer = layers.Conv2D(6, **arguments)
    (kernel, bias), y = with_weights(layer, x)
    expected = convolved(x, kernel, layer.strides, pads, layer.dilation_rate, layer.groups) + bias
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_a_convolution_goes_through_the_activation():
    x = normal(2, 5, 5, 1)
    (kernel, bias), y = with_weights(layers.Conv2D(2, 3, activation="relu"), x)
    plain = convolved(x, kernel, (1, 1), ((0, 0), (0, 0)), (1, 1)) + bias
    assert (plain < 0).any()
    np.testing.assert_allclose(y, np.maximum(plain, 0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dilation", [1, 2])
def test_a_causal_convolution_does_not_see_what_follows(dilation):
    x = normal(2, 9, 3)
    layer = layers.Conv1D(4, 3, padding="causal", dilation_rate=dilation)
    model, y = outputs_of(layer, x)
    assert y.shape == (2, 9, 4)
    later = x.copy()
    later[:, 5:] += 1
    changed = (model.predict(later, verbose=0) != y).any(axis=(0, 2))
    assert changed.tolist() == [False] * 5 + [True] * 4


def test_conv1d_is_a_sum_over_a_window_of_the_series():
    x = normal(2, 8, 3)
    (kernel, bias), y = with_weights(layers.Conv1D(5, 3, strides=2), x)
    expected = [np.tensordot(x[:, t : t + 3], kernel, axes=([1, 2], [0, 1])) + bias for t in (0, 2, 4)]
    np.testing.assert_allclose(y, np.stack(expected, axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
def test_a_transposed_convolution_is_the_adjoint_of_the_convolution(padding, strides):
    narrow = normal(2, 4, 5, 3)
    backward = layers.Conv2DTranspose(2, 3, strides=strides, padding=padding, use_bias=False)
    (kernel,), spread = with_weights(backward, narrow)
    wide = normal(*spread.shape)
    model, _ = outputs_of(layers.Conv2D(3, 3, strides=strides, padding=padding, use_bias=False), wide)
    model.set_weights([kernel])
    seen = model.predict(wide, verbose=0)
    np.testing.assert_allclose((seen * narrow).sum(), (wide * spread).sum(), rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ({"strides": 2, "padding": "same"}, 28),
        ({"strides": 2}, 29),
        ({"strides": 2, "padding": "same", "output_padding": 0}, 27),
        ({"strides": 2, "padding": "same", "output_padding": 1}, 28),
        ({"strides": 2, "output_padding": 1}, 30),
        ({"dilation_rate": 2}, 18),
    ],
)
def test_a_transposed_convolution_has_the_size_that_keras_gives_it(arguments, size):
    assert layers.Conv2DTranspose(1, 3, **arguments).compute_output_shape((None, 14, 14, 2)) == (None, size, size, 1)
    assert layers.Conv1DTranspose(1, 3, **arguments).compute_output_shape((None, 14, 2)) == (None, size, 1)


def test_a_depthwise_convolution_takes_each_channel_by_itself():
    x = normal(2, 6, 5, 3)
    (kernel, bias), y = with_weights(layers.DepthwiseConv2D((3, 2), depth_multiplier=2), x)
    for channel in range(3):
        alone = convolved(x[..., [channel]], kernel[:, :, [channel]], (1, 1), ((0, 0), (0, 0)), (1, 1))
        here = slice(2 * channel, 2 * channel + 2)
        np.testing.assert_allclose(y[..., here], alone + bias[here], rtol=1e-4, atol=1e-5)


def test_a_separable_convolution_is_a_depthwise_one_and_a_mixing_of_channels():
    x = normal(2, 6, 5, 3)
    (depthwise, pointwise, bias), y = with_weights(layers.SeparableConv2D(4, 2, depth_multiplier=2, strides=2), x)
    parts = [convolved(x[..., [c]], depthwise[:, :, [c]], (2, 2), ((0, 0), (0, 0)), (1, 1)) for c in range(3)]
    np.testing.assert_allclose(y, np.concatenate(parts, -1) @ pointwise[0, 0] + bias, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["DepthwiseConv1D", "SeparableConv1D"])
def test_a_series_is_an_image_of_one_row(kind):
    x = normal(2, 9, 3)
    first = {"SeparableConv1D": (4,)}.get(kind, ())
    narrow = getattr(layers, kind)(*first, 3, strides=2, padding="same")
    weights, y = with_weights(narrow, x)
    wide = getattr(layers, kind.replace("1D", "2D"))(*first, (1, 3), strides=(1, 2), padding="same")
    model, _ = outputs_of(wide, x[:, None])
    model.set_weights([w if w.ndim == 1 else w[None] for w in weights])
    assert (model.predict(x[:, None], verbose=0)[:, 0] == y).all()


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Conv2D(8, (3, 2)), (9, 9, 4), [("kernel", (3, 2, 4, 8)), ("bias", (8,))]),
        (layers.Conv2D(8, 3, groups=2, use_bias=False), (9, 9, 4), [("kernel", (3, 3, 2, 8))]),
        (layers.Conv1D(8, 3), (9, 4), [("kernel", (3, 4, 8)), ("bias", (8,))]),
        (layers.Conv2DTranspose(8, 3), (9, 9, 4), [("kernel", (3, 3, 8, 4)), ("bias", (8,))]),
        (layers.Conv1DTranspose(8, 3), (9, 4), [("kernel", (3, 8, 4)), ("bias", (8,))]),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (9, 9, 4), [("kernel", (3, 3, 4, 2)), ("bias", (8,))]),
        (layers.DepthwiseConv1D(3), (9, 4), [("kernel", (3, 4, 1)), ("bias", (4,))]),
        (
            layers.SeparableConv2D(8, 3, depth_multiplier=2),
            (9, 9, 4),
            [("depthwise_kernel", (3, 3, 4, 2)), ("pointwise_kernel", (1, 1, 8, 8)), ("bias", (8,))],
        ),
        (
            layers.SeparableConv1D(8, 3),
            (9, 4),
            [("depthwise_kernel", (3, 4, 1)), ("pointwise_kernel", (1, 4, 8)), ("bias", (8,))],
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_weights_have_the_names_shapes_and_order_of_keras(layer, shape, expected):
    layer(keras.Input(shape))
    assert named(layer) == expected
    assert layer.count_params() == sum(int(np.prod(s)) for _, s in expected)


def test_a_kernel_starts_as_glorot_says_and_a_bias_at_zero():
    layer = layers.Conv2D(64, 3)
    layer(keras.Input((8, 8, 32)))
    kernel, bias = layer.get_weights()
    limit = np.sqrt(6 / (9 * 32 + 9 * 64))
    assert np.abs(kernel).max() <= limit
    np.testing.assert_allclose(kernel.std(), limit / np.sqrt(3), rtol=0.02)
    assert (bias == 0).all()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv2D(4, 3, strides=2, padding="same", activation="tanh"), (5, 6, 2)),
        (layers.Conv1D(3, 2, padding="causal", dilation_rate=2), (6, 2)),
        (layers.Conv2DTranspose(2, 3, strides=2, padding="same"), (3, 4, 2)),
        (layers.DepthwiseConv2D(2, depth_multiplier=2), (4, 4, 2)),
        (layers.SeparableConv1D(3, 3, padding="same"), (5, 2)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_gradients_agree_with_differences(layer, shape):
    check_gradients(layer, shape)


def test_conv2d_and_its_gradients_agree_with_torch():
    torch = pytest.importorskip("torch")
    import graphdl as gd

    x, layer = normal(4, 9, 8, 3), layers.Conv2D(6, (3, 2), strides=(2, 1), groups=3)
    inputs = keras.Input(x.shape[1:])
    y = layer(inputs)
    model = keras.Model(inputs, y)
    kernel, bias = model.get_weights()
    slopes = gd.gradients(gd.sum(gd.square(y)), [inputs, *model.variables])
    found = model.session.run([y, *slopes], {inputs: x})
    leaves = [
        torch.tensor(v.copy(), requires_grad=True)
        for v in (x.transpose(0, 3, 1, 2), kernel.transpose(3, 2, 0, 1), bias)
    ]
    seen = torch.nn.functional.conv2d(*leaves, stride=(2, 1), groups=3)
    (seen**2).sum().backward()
    dx, dk, db = (leaf.grad.numpy() for leaf in leaves)
    expected = [seen.detach().numpy().transpose(0, 2, 3, 1), dx.transpose(0, 2, 3, 1), dk.transpose(2, 3, 1, 0), db]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_older_spellings_are_understood():
    old = layers.Convolution2D(
        nb_filter=4, kernel_size=3, border_mode="same", subsample=2, dim_ordering="tf", init="he_normal"
    )
    assert (old.filters, old.padding, old.strides, old.data_format) == (4, "same", (2, 2), "channels_last")
    assert isinstance(old.kernel_initializer, keras.initializers.HeNormal)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(0, 3), "Conv2D: filters is 0, expected an integer from 1"),
        (
            lambda: layers.Conv2D(4, (3, 3, 3)),
            "Conv2D: kernel_size is (3, 3, 3), expected an integer from 1 or 2 of them",
        ),
        (lambda: layers.Conv2D(4, 3, padding="sane"), "Conv2D: padding is 'sane'. Did you mean 'same'?"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), "Conv2D: padding is 'causal'"),
        (
            lambda: layers.Conv2D(4, 3, data_format="channels_first"),
            "expected 'channels_last': channels are the last axis",
        ),
        (lambda: layers.Conv2D(4, 3, groups=3), "Conv2D: 4 filters do not make 3 groups"),
        (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), "strides is (2, 2) and dilation_rate (2, 2)"),
        (
            lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2),
            "output_padding is 2, expected from 0 to below",
        ),
        (lambda: layers.Conv2D(4, 3)(keras.Input((8, 8))), "expected images [N, H, W, C]"),
        (lambda: layers.Conv1D(4, 3)(keras.Input((8,))), "expected series [N, T, C]"),
        (
            lambda: layers.Conv2D(4, 3, groups=2)(keras.Input((8, 8, 3))),
            "the 3 channels of (None, 8, 8, 3) do not make 2",
        ),
        (lambda: layers.Conv2D(4, 9)(keras.Input((8, 8, 3))), "a window of 9 does not fit in 8 elements"),
        (
            lambda: layers.Conv2D(4, 3, 2)(keras.Input((None, 8, 3))),
            "in steps of 2 over a length D1 that is known",
        ),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make()
    assert message in str(caught.value)


def test_a_shared_convolution_refuses_other_channels():
    layer = layers.Conv2D(4, 3)
    layer(keras.Input((8, 8, 3), name="a"))
    with pytest.raises(ShapeError, match=r"found b: f32\[N, 8, 8, 1\], expected 3 channels, for which its kernel"):
        layer(keras.Input((8, 8, 1), name="b"))
