"""Scripts of recurrent networks end in the same bits as the session, and draw in every view."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import export, keras
from graphdl.draw import draw
from graphdl.keras import layers

RNG = np.random.default_rng(3)
WORDS = RNG.integers(0, 30, (40, 7))


def words(layer, **options):
    """A classifier of sentences, in which 0 is no word, and its data."""
    model = keras.Sequential(
        [
            layers.Embedding(30, 6, mask_zero=True, input_length=7, name="words"),
            layer(5, dropout=0.2, **options),
            layers.Dense(1, activation="sigmoid", name="positive"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, (WORDS, (WORDS[:, -1] > 15).astype("float32"))


def in_both_directions():
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            layers.Bidirectional(layers.GRU(4, return_sequences=True, recurrent_dropout=0.1)),
            layers.TimeDistributed(layers.Dense(2)),
        ]
    )
    model.compile("sgd", "mse")
    return model, (RNG.normal(size=(20, 6, 3)), RNG.normal(size=(20, 6, 2)))


MODELS = {
    "simple_rnn": lambda: words(layers.SimpleRNN),
    "lstm": lambda: words(layers.LSTM),
    "gru_backwards": lambda: words(layers.GRU, go_backwards=True),
    "lstm_unrolled": lambda: words(layers.LSTM, unroll=True),
    "both_directions": in_both_directions,
}


@pytest.mark.parametrize("name", MODELS)
def test_the_script_ends_in_the_same_bits_as_the_session(name, run):
    model, data = MODELS[name]()
    model.fit(*data, epochs=3, batch_size=8, verbose=0)
    for style in ("readable", "fast"):
        done = run(export.script(model, data, style), "--digest")
        assert done.stdout.splitlines()[-1] == model.digest(), style


@pytest.mark.parametrize("view", ["blocks", "rails"])
@pytest.mark.parametrize("name", ["simple_rnn", "lstm", "both_directions"])
def test_recurrent_networks_are_drawn(name, view):
    model, _ = MODELS[name]()
    svg = str(draw(model, view=view))
    assert svg.count("<svg") >= 1
    for layer in model.layers[1:]:
        assert layer.name in svg
