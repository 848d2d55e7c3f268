"""Attention, models within models, and weights of examples and classes, as stand-alone scripts and as pictures."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import export, keras
from graphdl.errors import DataError
from graphdl.keras import layers
from graphdl.keras.optimizers import SGD, schedules

RNG = np.random.default_rng(7)
SERIES, ROWS = RNG.normal(size=(40, 6, 8)).astype("float32"), RNG.normal(size=(40, 8)).astype("float32")
WORDS, CLASSES = RNG.integers(0, 20, (40, 5)), RNG.integers(0, 3, 40)
ENTROPY = "sparse_categorical_crossentropy"


def attentive():
    x = keras.Input((6, 8))
    heard = layers.LayerNormalization()(layers.add([x, layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x)]))
    model = keras.Model(x, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(heard)))
    model.compile("adam", ENTROPY, metrics=["accuracy"])
    return model, (SERIES, CLASSES)


def read_in_both_directions():
    words = keras.Input((5,), dtype="int32")
    read = layers.Bidirectional(layers.GRU(4))(layers.Embedding(20, 6)(words))
    model = keras.Model(words, layers.Dense(3, activation="softmax")(read))
    model.compile("rmsprop", ENTROPY)
    return model, (WORDS, CLASSES)


def nested():
    part = keras.Sequential(
        [layers.Dense(4, activation="relu", input_shape=(8,)), layers.BatchNormalization(), layers.Dropout(0.2)]
    )
    a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    both = layers.concatenate([part(a), part(b)])
    model = keras.Model([a, b], [layers.Dense(1, name="sum")(both), layers.Dense(3, "softmax", name="kind")(both)])
    model.compile(SGD(schedules.CosineDecay(0.1, 12)), ["mse", ENTROPY], loss_weights=[0.3, 1.0])
    return model, ({"a": ROWS, "b": SERIES[:, 0]}, {"sum": ROWS[:, :1], "kind": CLASSES})


def classifier():
    model = keras.Sequential([layers.Dense(6, "relu", input_shape=(8,)), layers.Dense(3, "softmax")])
    model.compile("adam", ENTROPY, metrics=["accuracy"])
    return model


@pytest.mark.parametrize("make", [attentive, read_in_both_directions, nested])
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_script_ends_in_the_same_bits_as_the_session(make, style, run):
    model, data = make()
    model.fit(*data, epochs=3, batch_size=8, verbose=0)
    assert run(export.script(model, data, style), "--digest").stdout.splitlines()[-1] == model.digest()


@pytest.mark.parametrize("make", [attentive, read_in_both_directions, nested])
def test_each_layer_is_a_block_and_each_weight_has_a_gradient_on_the_rails(make):
    model, _ = make()
    blocks = gd.draw(model, view="blocks")
    assert [layer.name for layer in model.layers if layer.name not in blocks] == []
    assert gd.draw(model, view="rails").count("∂L/∂") > len(model.trainable_variables)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_classes_weigh_in_the_script_what_they_weighed_in_the_last_fit(style, run):
    model = classifier()
    model.fit(ROWS, CLASSES, epochs=3, batch_size=8, class_weight={0: 1.0, 1: 5.0, 2: 0.5}, verbose=0)
    assert run(export.script(model, (ROWS, CLASSES), style), "--digest").stdout.splitlines()[-1] == model.digest()
    alike = export.script(model, (ROWS, CLASSES), style, class_weight={})
    assert run(alike, "--digest").stdout.splitlines()[-1] != model.digest()


def test_examples_have_weights_to_train_and_none_to_be_scored(run):
    model, weights = classifier(), RNG.random(40)
    model.fit(ROWS, CLASSES, sample_weight=weights, epochs=3, batch_size=8, verbose=0)
    loss, accuracy = model.evaluate(ROWS[:9], CLASSES[:9], verbose=0)
    text = export.script(model, (ROWS, CLASSES, weights), test_data=(ROWS[:9], CLASSES[:9]))
    *_, tested, digest = run(text, "--digest").stdout.splitlines()
    assert (tested, digest) == (f"test  loss {loss:.6g}  accuracy {accuracy:.6g}", model.digest())


def test_what_data_may_be_is_said():
    with pytest.raises(DataError, match=r"data is a ndarray, expected a pair \(x, y\) or \(x, y, sample_weight\)"):
        export.script(classifier(), ROWS)
