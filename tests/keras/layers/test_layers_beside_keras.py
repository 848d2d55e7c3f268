"""Layers against those of Keras, where it is installed: weights, results, gradients and shapes.

Known differences, all on the side of the torch backend of Keras 3.15; its numpy backend, where these cases are compared
too, agrees with us. Where an odd number is to be padded, the AveragePooling2D of torch repeats the border instead of
leaving the padding out. Its LayerNormalization knows the last axes only. Its bicubic interpolation takes another cubic
(a = -3/4 in place of -1/2) and repeats the border, and it has no Lanczos windows.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.keras import layers
from tests.keras.beside import BACKEND, host, needs_gradients, original, results_and_slopes

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
# What the torch backend computes otherwise.
NOT_ON_TORCH: list[tuple[str, list[tuple[int, ...]], dict[str, list[Any]]]] = [
    ("AveragePooling2D", IMAGE, {"pool_size": [2, (3, 2)], "strides": [1, 2], "padding": ["same"]}),
    ("LayerNormalization", IMAGE, {"axis": [1, 2, (1, 2)], **SCALED}),
    ("UpSampling2D", IMAGE, {"size": [2, (3, 2)], "interpolation": ["bicubic", "lanczos3", "lanczos5"]}),
]


def cases():
    for kind, shapes, grid in GRIDS if BACKEND == "torch" else GRIDS + NOT_ON_TORCH:
        for values in itertools.product(*grid.values()):
            yield kind, shapes, dict(zip(grid, values, strict=True))


ALL = list(cases())
KINDS = sorted({kind for kind, _, _ in ALL})


def test_three_hundred_configurations_are_compared():
    assert len(ALL) > 300


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_that_of_keras(kind):
    for shapes, arguments in [(s, a) for k, s, a in ALL if k == kind]:
        compare(Pair(kind, shapes, arguments))


@needs_gradients
@pytest.mark.parametrize("kind", KINDS)
def test_its_gradients_are_those_of_keras(kind):
    for shapes, arguments in [(s, a) for k, s, a in ALL if k == kind]:
        compare_gradients(Pair(kind, shapes, arguments))


@pytest.mark.parametrize("mode", ["multi_hot", "count", "one_hot"])
def test_category_encoding_is_that_of_keras(mode):
    numbers = RNG.integers(0, 6, (3, 1) if mode == "one_hot" else (3, 4)).astype("int32")
    inputs = keras.Input(numbers.shape[1:], dtype="int32")
    model = keras.Model(inputs, layers.CategoryEncoding(6, output_mode=mode)(inputs))
    expected = host(original.layers.CategoryEncoding(6, output_mode=mode)(numbers))
    assert (model.predict(numbers, verbose=0) == expected).all()


class Pair:
    """Our layer and theirs, with the same weights, and inputs for both."""

    def __init__(self, kind: str, shapes: list[tuple[int, ...]], arguments: dict[str, Any]) -> None:
        self.what = f"{kind}({arguments}) on {shapes}"
        self.theirs, self.ours = getattr(original.layers, kind)(**arguments), getattr(layers, kind)(**arguments)
        self.theirs(one_or_all([original.Input(shape) for shape in shapes]))
        self.inputs = [keras.Input(shape, name=f"x{i}") for i, shape in enumerate(shapes)]
        self.y = self.ours(one_or_all(self.inputs))
        self.model = keras.Model(self.inputs, self.y)
        self.batch = one_or_all([(None, *shape) for shape in shapes])
        self.xs = [RNG.normal(size=(3, *shape)).astype("float32") for shape in shapes]
        weights = [weight(w.name, w.shape) for w in self.ours.weights]
        self.model.set_weights(weights)
        given = iter(weights)
        self.theirs.set_weights([w.value if "seed_generator" in w.path else next(given) for w in self.theirs.weights])
        if hasattr(self.theirs, "finalize_state"):
            # Normalization takes up its weights in a step of its own.
            self.theirs.finalize_state()

    @property
    def their_weights(self) -> list[Any]:
        """Without the states of random generators, which count as weights on some backends."""
        return [w for w in self.theirs.weights if "seed_generator" not in w.path]


def compare(pair: Pair) -> None:
    """Names and shapes of weights, results, shapes of results, in float32."""
    names = [(w.name, tuple(w.shape)) for w in pair.their_weights]
    assert [(w.name, w.shape) for w in pair.ours.weights] == names, pair.what
    assert pair.ours.supports_masking == pair.theirs.supports_masking, pair.what
    expected = tuple(pair.theirs.compute_output_shape(pair.batch))
    assert pair.ours.compute_output_shape(pair.batch) == expected, pair.what
    found = pair.model.predict(one_or_all(pair.xs), verbose=0)
    assert_close(found, host(pair.theirs(one_or_all(pair.xs))), pair.what)


def compare_gradients(pair: Pair) -> None:
    """Those of a weighted sum of the results, for inputs and weights."""
    g = RNG.normal(size=(3, *pair.y.shape[1:])).astype("float32")
    weights = pair.theirs.trainable_weights
    _, theirs = results_and_slopes(lambda xs: pair.theirs(one_or_all(xs)), pair.xs, weights, lambda k, shape: g)
    upstream = gd.placeholder(pair.y.shape, name="g")
    gradients = gd.gradients(gd.sum(pair.y * upstream), [*pair.ours.trainable_weights, *pair.inputs])
    ours = pair.model.session.run(gradients, {**dict(zip(pair.inputs, pair.xs, strict=True)), upstream: g})
    for ours_is, theirs_is in zip(ours, theirs, strict=True):
        assert_close(ours_is, theirs_is, f"gradient of {pair.what}")


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
