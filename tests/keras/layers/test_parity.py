"""Layers against those of Keras, where it is installed: weights, results, gradients and shapes.

Known differences, both on the side of the torch backend of Keras 3.15 (its jax backend agrees with us): where an odd
number is to be padded, its AveragePooling2D repeats the border instead of leaving the padding out, and its
LayerNormalization knows the last axes only.
"""

from __future__ import annotations

import itertools
import os
from typing import Any

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.keras import layers

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
theirs = pytest.importorskip("keras")
if theirs.backend.backend() != "torch":
    pytest.skip("the gradients of Keras are compared on its torch backend", allow_module_level=True)

import torch  # noqa: E402

RNG = np.random.default_rng(0)
SERIES, IMAGE = [(9, 4)], [(8, 7, 4)]
PLACES: dict[str, list[Any]] = {"padding": ["valid", "same"]}
SCALED: dict[str, list[Any]] = {"center": [True, False], "scale": [True, False]}
ACTIVATIONS = "relu sigmoid tanh linear softmax softplus elu selu gelu silu leaky_relu exponential log_softmax"

# Layer, shapes of the inputs, and values of arguments that are combined with each other.
GRIDS: list[tuple[str, list[tuple[int, ...]], dict[str, list[Any]]]] = [
    (
        "Conv1D",
        SERIES,
        {
            "filters": [6],
            "kernel_size": [1, 3],
            "strides": [1, 2],
            "padding": ["valid", "same", "causal"],
            "activation": [None, "tanh"],
        },
    ),
    (
        "Conv1D",
        SERIES,
        {
            "filters": [6],
            "kernel_size": [3],
            "dilation_rate": [2, 3],
            "padding": ["valid", "same", "causal"],
            "groups": [1, 2],
            "use_bias": [False],
        },
    ),
    ("Conv2D", IMAGE, {"filters": [6], "kernel_size": [1, (3, 2), 3], "strides": [1, 2, (2, 1)], **PLACES}),
    (
        "Conv2D",
        IMAGE,
        {"filters": [4], "kernel_size": [(2, 3)], "dilation_rate": [2, (1, 2)], "groups": [1, 2, 4], **PLACES},
    ),
    ("Conv1DTranspose", SERIES, {"filters": [3], "kernel_size": [2, 3, 4], "strides": [1, 2, 3], **PLACES}),
    (
        "Conv2DTranspose",
        [(4, 5, 3)],
        {"filters": [2], "kernel_size": [2, (3, 4), 3], "strides": [1, 2, (2, 1)], **PLACES},
    ),
    (
        "Conv2DTranspose",
        [(4, 5, 3)],
        {"filters": [2], "kernel_size": [3], "strides": [2], "output_padding": [0, 1], **PLACES},
    ),
    ("DepthwiseConv1D", SERIES, {"kernel_size": [3], "strides": [1, 2], "depth_multiplier": [1, 2], **PLACES}),
    ("DepthwiseConv2D", IMAGE, {"kernel_size": [(3, 2)], "strides": [1, 2], "depth_multiplier": [1, 3], **PLACES}),
    ("DepthwiseConv2D", IMAGE, {"kernel_size": [2], "dilation_rate": [2], **PLACES}),
    (
        "SeparableConv1D",
        SERIES,
        {"filters": [5], "kernel_size": [3], "strides": [1, 2], "depth_multiplier": [1, 2], **PLACES},
    ),
    (
        "SeparableConv2D",
        IMAGE,
        {"filters": [5], "kernel_size": [(3, 2)], "strides": [1, 2], "depth_multiplier": [1, 2], **PLACES},
    ),
    *(
        (kind, SERIES, {"pool_size": [1, 2, 3], "strides": [None, 1, 2], **PLACES})
        for kind in ("MaxPooling1D", "AveragePooling1D")
    ),
    ("MaxPooling2D", IMAGE, {"pool_size": [2, (3, 2)], "strides": [None, 1, (1, 2)], **PLACES}),
    ("AveragePooling2D", IMAGE, {"pool_size": [2, (3, 2)], "strides": [None, 1, (1, 2)], "padding": ["valid"]}),
    ("AveragePooling2D", [(8, 8, 4)], {"pool_size": [2, 3], "strides": [1], "padding": ["same"]}),
    *((f"Global{kind}Pooling1D", SERIES, {"keepdims": [True, False]}) for kind in ("Max", "Average")),
    *((f"Global{kind}Pooling2D", IMAGE, {"keepdims": [True, False]}) for kind in ("Max", "Average")),
    ("ZeroPadding1D", SERIES, {"padding": [1, (2, 1)]}),
    ("ZeroPadding2D", IMAGE, {"padding": [1, (2, 1), ((1, 2), (0, 3))]}),
    ("Cropping1D", SERIES, {"cropping": [1, (2, 1)]}),
    ("Cropping2D", IMAGE, {"cropping": [1, (2, 1), ((1, 2), (0, 3))]}),
    ("UpSampling1D", SERIES, {"size": [1, 2, 3]}),
    ("UpSampling2D", IMAGE, {"size": [2, (3, 2)], "interpolation": ["nearest", "bilinear"]}),
    ("BatchNormalization", IMAGE, {"axis": [-1, 1, 2], "epsilon": [1e-3, 0.1], **SCALED}),
    ("BatchNormalization", [(5,)], {}),
    ("LayerNormalization", IMAGE, {"axis": [-1, (1, 2, 3)], **SCALED}),
    ("GroupNormalization", IMAGE, {"groups": [1, 2, 4, -1], **SCALED}),
    ("GroupNormalization", [(4, 3, 5)], {"groups": [2], "axis": [1]}),
    ("UnitNormalization", IMAGE, {"axis": [-1, 1]}),
    *(
        (kind, shapes, {})
        for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum")
        for shapes in ([(4, 5)] * 2, [(4, 5)] * 3, [(4, 5), (1, 5)], [(5,), (4, 5)])
    ),
    ("Subtract", [(4, 5)] * 2, {}),
    ("Concatenate", [(4, 5), (4, 3)], {"axis": [-1, 2]}),
    ("Concatenate", [(4, 5), (2, 5), (1, 5)], {"axis": [1]}),
    ("Dot", [(5,), (5,)], {"axes": [1, -1], "normalize": [True, False]}),
    ("Dot", [(4, 5), (3, 5)], {"axes": [2, -1], "normalize": [True, False]}),
    ("Dot", [(4, 5), (5, 3)], {"axes": [(2, 1)], "normalize": [True, False]}),
    ("Dot", [(4, 5), (4, 3)], {"axes": [1]}),
    ("Dot", [(4, 5), (5,)], {"axes": [(2, 1)]}),
    ("ReLU", IMAGE, {"max_value": [None, 0.5], "negative_slope": [0.0, 0.2], "threshold": [0.0, 0.3]}),
    ("LeakyReLU", IMAGE, {"negative_slope": [0.3, 0.1]}),
    ("PReLU", IMAGE, {"shared_axes": [None, [1, 2], 3]}),
    ("ELU", IMAGE, {"alpha": [1.0, 0.5]}),
    ("Softmax", IMAGE, {"axis": [-1, 1, (2, 3)]}),
    ("Dense", IMAGE, {"units": [3], "activation": [None, "relu", "softmax", "gelu"], "use_bias": [True, False]}),
    ("Dense", [(5,)], {"units": [3], "activation": ["sigmoid"]}),
    ("Activation", IMAGE, {"activation": ACTIVATIONS.split()}),
    ("Flatten", IMAGE, {}),
    ("Flatten", [()], {}),
    ("Reshape", IMAGE, {"target_shape": [(28, 8), (-1, 4), (7, -1, 2), (224,)]}),
    ("Permute", IMAGE, {"dims": [(2, 1, 3), (3, 1, 2)]}),
    ("RepeatVector", [(5,)], {"n": [1, 3]}),
    ("Rescaling", IMAGE, {"scale": [1 / 255], "offset": [0.0, -1.0]}),
    ("Normalization", [(5,)], {"mean": [[1.0, 2, 3, 4, 5]], "variance": [[1.0, 2, 3, 4, 5]], "invert": [False, True]}),
    ("Normalization", IMAGE, {"axis": [None], "mean": [0.5], "variance": [2.0]}),
    ("Normalization", [(5,)], {}),
    *((kind, SERIES, {"rate": [0.3]}) for kind in ("Dropout", "SpatialDropout1D", "GaussianDropout", "AlphaDropout")),
    ("SpatialDropout2D", IMAGE, {"rate": [0.2]}),
    ("GaussianNoise", SERIES, {"stddev": [0.3]}),
]


def cases():
    for kind, shapes, grid in GRIDS:
        for values in itertools.product(*grid.values()):
            yield kind, shapes, dict(zip(grid, values, strict=True))


ALL = list(cases())
KINDS = sorted({kind for kind, _, _ in ALL})


def test_three_hundred_configurations_are_compared():
    assert len(ALL) > 300


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_that_of_keras(kind):
    for shapes, arguments in [(s, a) for k, s, a in ALL if k == kind]:
        compare(kind, shapes, arguments)


@pytest.mark.parametrize("mode", ["multi_hot", "count", "one_hot"])
def test_category_encoding_is_that_of_keras(mode):
    numbers = RNG.integers(0, 6, (3, 1) if mode == "one_hot" else (3, 4)).astype("int32")
    inputs = keras.Input(numbers.shape[1:], dtype="int32")
    model = keras.Model(inputs, layers.CategoryEncoding(6, output_mode=mode)(inputs))
    expected = theirs.layers.CategoryEncoding(6, output_mode=mode)(numbers).numpy()
    assert (model.predict(numbers, verbose=0) == expected).all()


def compare(kind: str, shapes: list[tuple[int, ...]], arguments: dict[str, Any]) -> None:
    """Names and shapes of weights, results, shapes of results and all gradients, in float32."""
    what = f"{kind}({arguments}) on {shapes}"
    their_layer, our_layer = getattr(theirs.layers, kind)(**arguments), getattr(layers, kind)(**arguments)
    their_layer(one_or_all([theirs.Input(shape) for shape in shapes]))
    inputs = [keras.Input(shape, name=f"x{i}") for i, shape in enumerate(shapes)]
    y = our_layer(one_or_all(inputs))
    model = keras.Model(inputs, y)
    assert [(w.name, w.shape) for w in our_layer.weights] == [(w.name, tuple(w.shape)) for w in their_layer.weights], (
        what
    )
    weights = [weight(w.name, w.shape) for w in our_layer.weights]
    model.set_weights(weights)
    their_layer.set_weights(weights)
    batch = one_or_all([(None, *shape) for shape in shapes])
    assert our_layer.compute_output_shape(batch) == tuple(their_layer.compute_output_shape(batch)), what

    xs = [RNG.normal(size=(3, *shape)).astype("float32") for shape in shapes]
    leaves = [torch.tensor(x, requires_grad=True) for x in xs]
    expected = their_layer(one_or_all(leaves))
    found = model.predict(one_or_all(xs), verbose=0)
    assert_close(found, expected.detach().numpy(), what)

    g = RNG.normal(size=found.shape).astype("float32")
    trained = [w.value for w in their_layer.trainable_weights]
    slopes = torch.autograd.grad(expected, [*leaves, *trained], torch.tensor(g))
    upstream = gd.placeholder(y.shape, name="g")
    gradients = gd.gradients(gd.sum(y * upstream), [*inputs, *our_layer.trainable_weights])
    ours = model.session.run(gradients, {**dict(zip(inputs, xs, strict=True)), upstream: g})
    for ours_is, theirs_is in zip(ours, slopes, strict=True):
        assert_close(ours_is, theirs_is.numpy(), f"gradient of {what}")


def one_or_all(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else items


def weight(name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    if name == "count":
        return np.zeros(shape, "int32")
    drawn = RNG.normal(size=shape).astype("float32")
    return np.abs(drawn) + 0.5 if "variance" in name else drawn


def assert_close(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], what: str) -> None:
    assert found.shape == expected.shape, what
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * max(1, np.abs(expected).max()), err_msg=what)
