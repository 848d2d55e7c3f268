"""Networks of convolution, pooling, normalisation and noise as stand-alone scripts, and as pictures."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import export, keras
from graphdl.keras import layers

RNG = np.random.default_rng(5)
IMAGES, CLASSES = RNG.normal(size=(40, 8, 8, 2)).astype("float32"), RNG.integers(0, 3, 40)
SERIES, NUMBERS = RNG.normal(size=(40, 9, 3)).astype("float32"), RNG.normal(size=(40, 1)).astype("float32")


def compiled(model, loss="sparse_categorical_crossentropy"):
    model.compile("adam", loss, metrics=["accuracy"] if loss.startswith("sparse") else None)
    return model


def convolutional():
    stack = [
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPool2D(),
        layers.SpatialDropout2D(0.2),
        layers.SeparableConv2D(5, 2),
        layers.AveragePooling2D(2, padding="same"),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(3, activation="softmax", kernel_regularizer="l2"),
    ]
    return compiled(keras.Sequential([keras.Input((8, 8, 2)), *stack])), (IMAGES, CLASSES)


def enlarging():
    stack = [
        layers.Cropping2D(1),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
        layers.LeakyReLU(),
        layers.UpSampling2D(interpolation="bilinear"),
        layers.DepthwiseConv2D(3, strides=2),
        layers.GroupNormalization(3),
        layers.PReLU(shared_axes=[1, 2]),
        layers.ZeroPadding2D(1),
        layers.GlobalMaxPooling2D(),
        layers.Dense(3, activation="softmax"),
    ]
    return compiled(keras.Sequential([keras.Input((8, 8, 2)), *stack])), (IMAGES, CLASSES)


def series():
    stack = [
        layers.GaussianNoise(0.1),
        layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
        layers.LayerNormalization(),
        layers.Maxout(4),
        layers.GaussianDropout(0.1),
        layers.MaxPooling1D(2),
        layers.AlphaDropout(0.1),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activity_regularizer="l2"),
    ]
    return compiled(keras.Sequential([keras.Input((9, 3)), *stack]), "mse"), (SERIES, NUMBERS)


def branches():
    x = keras.Input((8, 8, 2))
    like = {"padding": "same", "activation": "relu"}
    towers = [layers.Conv2D(2, 1, **like)(x), layers.Conv2D(2, 3, **like)(x), layers.MaxPool2D(3, 1, padding="same")(x)]
    both = layers.concatenate([*towers, layers.add(towers[:2])])
    first, second = layers.GlobalAveragePooling2D()(both), layers.GlobalMaxPool2D()(both)
    merged = layers.multiply([first, layers.average([first, second])])
    y = layers.Dense(1)(layers.concatenate([merged, layers.dot([first, second], axes=1, normalize=True)]))
    return compiled(keras.Model(x, y), "mse"), (IMAGES, NUMBERS)


MODELS = [convolutional, enlarging, series, branches]


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_script_ends_in_the_same_bits_as_the_session(make, style, run):
    model, data = make()
    model.fit(*data, epochs=2, batch_size=16, verbose=0)
    lines = run(export.script(model, data, style), "--digest").stdout.splitlines()
    assert lines[-1] == model.digest()


@pytest.mark.parametrize("make", MODELS)
def test_the_blocks_of_the_picture_are_the_layers(make):
    model, _ = make()
    picture = gd.draw(model, view="blocks")
    assert [layer.name for layer in model.layers if layer.name not in picture] == []


@pytest.mark.parametrize("make", MODELS)
def test_the_rails_of_the_picture_lead_to_a_gradient_for_each_weight(make):
    model, _ = make()
    assert gd.draw(model, view="rails").count("∂L/∂") > len(model.trainable_variables)
