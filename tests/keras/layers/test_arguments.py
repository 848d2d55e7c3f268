"""What holds for every layer: its configuration makes it again, its result keeps the precision of its inputs."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers

from .calls import outputs_of

ROW, SERIES, IMAGE = (5,), (6, 4), (8, 7, 4)
RNG = np.random.default_rng(4)

# Layer, arguments, shapes of the inputs.
LAYERS = [
    ("Dense", {"units": 3, "activation": "relu", "kernel_regularizer": "l2"}, [ROW]),
    ("Activation", {"activation": "tanh"}, [ROW]),
    ("ReLU", {"max_value": 2.0, "negative_slope": 0.1, "threshold": 0.5}, [ROW]),
    ("LeakyReLU", {"negative_slope": 0.1}, [ROW]),
    ("PReLU", {"shared_axes": [1, 2]}, [IMAGE]),
    ("ELU", {"alpha": 0.5}, [ROW]),
    ("Softmax", {"axis": 1}, [SERIES]),
    ("Maxout", {"units": 3}, [ROW]),
    ("Flatten", {}, [IMAGE]),
    ("Reshape", {"target_shape": (-1, 2)}, [SERIES]),
    ("Permute", {"dims": (2, 1)}, [SERIES]),
    ("RepeatVector", {"n": 3}, [ROW]),
    ("Dropout", {"rate": 0.5, "noise_shape": (None, 1, 4), "seed": 1}, [SERIES]),
    ("SpatialDropout1D", {"rate": 0.5}, [SERIES]),
    ("SpatialDropout2D", {"rate": 0.5}, [IMAGE]),
    ("GaussianNoise", {"stddev": 0.5}, [ROW]),
    ("GaussianDropout", {"rate": 0.5}, [ROW]),
    ("AlphaDropout", {"rate": 0.5}, [ROW]),
    ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, [ROW]),
    ("Identity", {}, [ROW]),
    ("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2, "groups": 2}, [SERIES]),
    ("Conv2D", {"filters": 3, "kernel_size": (3, 2), "strides": 2, "padding": "same"}, [IMAGE]),
    ("Conv1DTranspose", {"filters": 3, "kernel_size": 2, "strides": 2}, [SERIES]),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1}, [IMAGE]),
    ("DepthwiseConv1D", {"kernel_size": 2, "depth_multiplier": 2}, [SERIES]),
    ("DepthwiseConv2D", {"kernel_size": 2, "strides": 2}, [IMAGE]),
    ("SeparableConv1D", {"filters": 3, "kernel_size": 2}, [SERIES]),
    ("SeparableConv2D", {"filters": 3, "kernel_size": 2}, [IMAGE]),
    ("MaxPooling1D", {}, [SERIES]),
    ("MaxPooling2D", {"pool_size": (2, 3), "strides": (1, 2), "padding": "same"}, [IMAGE]),
    ("AveragePooling1D", {"pool_size": 2}, [SERIES]),
    ("AveragePooling2D", {"pool_size": 2}, [IMAGE]),
    ("GlobalMaxPooling1D", {}, [SERIES]),
    ("GlobalMaxPooling2D", {"keepdims": True}, [IMAGE]),
    ("GlobalAveragePooling1D", {}, [SERIES]),
    ("GlobalAveragePooling2D", {}, [IMAGE]),
    ("ZeroPadding1D", {"padding": (1, 2)}, [SERIES]),
    ("ZeroPadding2D", {"padding": ((1, 2), (3, 0))}, [IMAGE]),
    ("Cropping1D", {}, [SERIES]),
    ("Cropping2D", {"cropping": ((1, 2), (1, 0))}, [IMAGE]),
    ("UpSampling1D", {}, [SERIES]),
    ("UpSampling2D", {"size": (2, 1), "interpolation": "bicubic"}, [IMAGE]),
    ("BatchNormalization", {"axis": 1, "center": False, "momentum": 0.9}, [IMAGE]),
    ("LayerNormalization", {"axis": (1, 2), "scale": False}, [SERIES]),
    ("GroupNormalization", {"groups": 2}, [IMAGE]),
    ("UnitNormalization", {}, [ROW]),
    *((kind, {}, [ROW, ROW]) for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")),
    ("Concatenate", {"axis": 1}, [SERIES, SERIES]),
    ("Dot", {"axes": 2, "normalize": True}, [SERIES, SERIES]),
    ("SimpleRNN", {"units": 3, "activation": "relu", "dropout": 0.1, "seed": 3}, [SERIES]),
    ("LSTM", {"units": 3, "unit_forget_bias": False, "go_backwards": True, "unroll": True}, [SERIES]),
    ("GRU", {"units": 3, "reset_after": False, "return_sequences": True}, [SERIES]),
    ("RNN", {"cell": [layers.GRUCell(3), layers.LSTMCell(2)]}, [SERIES]),
    ("Bidirectional", {"layer": layers.LSTM(3), "merge_mode": "sum"}, [SERIES]),
    ("TimeDistributed", {"layer": layers.Dense(3)}, [SERIES]),
    ("Masking", {"mask_value": 2.0}, [SERIES]),
    ("Rescaling", {"scale": 2.0, "offset": 1.0}, [ROW]),
    ("Normalization", {"axis": None, "mean": 1.0, "variance": 2.0}, [ROW]),
    ("Attention", {"use_scale": True, "score_mode": "concat"}, [SERIES, SERIES]),
    ("AdditiveAttention", {}, [SERIES, SERIES]),
]
IDS = [kind for kind, _, _ in LAYERS]


def fresh(kind, arguments, **others):
    """A layer of its own: none of the layers in the table is called itself."""
    return getattr(layers, kind).from_config(getattr(layers, kind)(**arguments).get_config() | others)


def called(layer, shapes, dtype="float32"):
    inputs = [keras.Input(shape, dtype=dtype) for shape in shapes]
    return keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))


@pytest.mark.parametrize(("kind", "arguments", "shapes"), LAYERS, ids=IDS)
def test_a_configuration_makes_the_same_layer(kind, arguments, shapes):
    first = fresh(kind, arguments)
    second = type(first).from_config(first.get_config())
    xs = [RNG.normal(size=(3, *shape)).astype("float32") for shape in shapes]
    one, other = called(first, shapes), called(second, shapes)
    other.set_weights(one.get_weights())
    found = [model.predict(xs if len(xs) > 1 else xs[0], verbose=0) for model in (one, other)]
    assert (found[0] == found[1]).all()
    assert first.get_config().keys() == second.get_config().keys()
    missing = [name for name in inspect.signature(type(first)).parameters if name not in first.get_config()]
    assert set(missing) <= {"arguments", "others", "activity_regularizer", "weights"}, "defaults are said as well"


@pytest.mark.parametrize(("kind", "arguments", "shapes"), LAYERS, ids=IDS)
def test_a_result_has_the_precision_of_the_inputs_and_the_shape_foretold(kind, arguments, shapes):
    layer = fresh(kind, arguments, dtype="float64")
    batch = [(None, *shape) for shape in shapes]
    foretold = layer.compute_output_shape(batch if len(batch) > 1 else batch[0])
    (y,) = called(layer, shapes, "float64").outputs
    assert y.dtype == "float64"
    assert tuple(d if isinstance(d, int) else None for d in y.shape) == tuple(foretold)


def test_arguments_given_in_order_are_in_the_configuration_by_name():
    config = layers.LSTM(4, "relu", "tanh", False).get_config()
    assert (config["units"], config["activation"], config["recurrent_activation"]) == (4, "relu", "tanh")
    assert config["use_bias"] is False
    assert config["unit_forget_bias"] is True
    again = layers.LSTM.from_config(config)
    assert again.cell.use_bias is False
    assert again.units == 4
    assert layers.GRUCell.from_config(layers.GRUCell(3).get_config()).units == 3
    assert layers.Conv2D(3, 2).get_config()["strides"] == (1, 1)


def test_a_recurrent_layer_answers_for_its_cell():
    layer = layers.GRU(3, dropout=0.2, reset_after=False)
    assert (layer.units, layer.dropout, layer.reset_after) == (3, 0.2, False)
    with pytest.raises(AttributeError, match="'GRU' object has no attribute 'rate'"):
        layer.rate


def test_help_shows_the_arguments():
    assert str(inspect.signature(layers.RepeatVector)).startswith("(n: 'int'")


def test_a_function_that_ignores_its_input_gives_a_row_for_each_example():
    constants = layers.Lambda(lambda x: gd.full((x.shape[0], 3), 2.0))
    model, y = outputs_of(constants, np.ones((5, 4), "float32"))
    assert y.tolist() == [[2.0] * 3] * 5
    model.compile("sgd", "mse")
    assert model.evaluate(np.ones((5, 4), "float32"), np.ones((5, 3), "float32"), verbose=0) == 1


def test_weights_may_begin_as_given_arrays():
    kernel, bias = RNG.normal(size=(4, 3)).astype("float32"), RNG.normal(size=3).astype("float32")
    _, y = outputs_of(layers.Dense(3, weights=[kernel, bias]), np.ones((2, 4), "float32"))
    np.testing.assert_allclose(y, np.ones((2, 4)) @ kernel + bias, rtol=1e-5)
    source, _ = outputs_of(layers.Bidirectional(layers.LSTM(3)), np.ones((2, 5, 4), "float32"))
    given = [RNG.normal(size=w.shape).astype("float32") for w in source.weights]
    copy, _ = outputs_of(layers.Bidirectional(layers.LSTM(3), weights=given), np.ones((2, 5, 4), "float32"))
    assert all((a == b).all() for a, b in zip(copy.get_weights(), given, strict=True))


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear", "lanczos3"])
def test_interpolation_keeps_a_straight_line_straight_inside(interpolation):
    line = np.arange(12.0, dtype="float32").reshape(1, 12, 1, 1)
    _, y = outputs_of(layers.UpSampling2D((2, 1), interpolation=interpolation), line)
    inside = y[0, 8:16, 0, 0]
    np.testing.assert_allclose(inside, np.arange(3.75, 7.5, 0.5), atol=0.03 if interpolation == "lanczos3" else 1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.BatchNormalization(renorm=True), "BatchNormalization: renorm=True is not here"),
        (
            lambda: layers.MultiHeadAttention(2, 3, attention_axes=3)(*[keras.Input((4, 5))] * 2),
            "attention_axes is (3,), expected axes of f32[N, 4, 5], neither the first nor the last",
        ),
        (lambda: layers.MultiHeadAttention(2, 0), "MultiHeadAttention: key_dim is 0, expected an integer from 1"),
        (
            lambda: layers.MultiHeadAttention(2, 3, sliding_window=0),
            "MultiHeadAttention: sliding_window is 0, expected an integer from 1",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 3)(*map(keras.Input, [(4, 5), (4, 5), (3, 5)])),
            "value is f32[N, 4, 5] and key f32[N, 3, 5], expected the same steps",
        ),
        (
            lambda: layers.UpSampling2D(interpolation="area"),
            "UpSampling2D: interpolation is 'area'",
        ),
        (lambda: layers.Dense(3, weights=[np.ones((4, 3))])(keras.Input((4,))), "weights has no array for bias"),
        (
            lambda: layers.Dense(3, weights=[np.ones((4, 3))] * 2)(keras.Input((4,))),
            "an initial value has shape (4, 3), expected that of the variable, (3,)",
        ),
        (
            lambda: layers.Flatten(weights=[np.ones(3)])(keras.Input((4, 2))),
            "flatten: weights has 1 arrays more than the layer has weights",
        ),
        (lambda: keras.Input((3,), sparse=True), "keras.Input: sparse is True; inputs here are whole arrays"),
        (lambda: keras.Input((3,), batch_shape=(None, 3)), "found two, (3,) and (3,)"),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make()
    assert message in str(caught.value)
