"""Weights from files that Keras itself has written give its predictions."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import FormatError
from tests.keras.beside import original

pytest.importorskip("h5py")
RNG = np.random.default_rng(8)


def networks(k):
    """The same networks in Keras and here, by name; their layers' names differ, as they do in life."""
    return {
        "dense": k.Sequential(
            [k.Input((4,)), *(k.layers.Dense(n, name=f"own{n}") for n in range(2, 14)), k.layers.BatchNormalization()]
        ),
        "images": k.Sequential(
            [
                k.Input((6, 6, 2)),
                k.layers.Conv2D(3, 3),
                k.layers.Dropout(0.5),
                k.layers.DepthwiseConv2D(2),
                k.layers.Flatten(),
                k.layers.Dense(2),
            ]
        ),
        "recurrent": k.Sequential(
            [
                k.Input((5,), dtype="int32"),
                k.layers.Embedding(9, 4),
                k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True)),
                k.layers.GRU(3, return_sequences=True),
                k.layers.SimpleRNN(2),
            ]
        ),
        "attention": attention(k),
        "nested": nested(k),
        "own": k.Sequential([k.Input((4,)), block(k), k.layers.Dense(2)]),
    }


def attention(k):
    x = k.Input((5, 6))
    h = k.layers.LayerNormalization()(k.layers.Add()([x, k.layers.MultiHeadAttention(2, 3)(x, x)]))
    return k.Model(x, k.layers.GlobalAveragePooling1D()(k.layers.TimeDistributed(k.layers.Dense(2))(h)))


def nested(k):
    """Two models within one, the second with layers that do not lie in the order of their names."""
    first = k.Sequential([k.Input((4,)), k.layers.Dense(4, activation="tanh"), k.layers.Dense(4)], name="first")
    x = k.Input((4,))
    second = k.Model(x, k.layers.Dense(4)(k.layers.BatchNormalization()(k.layers.Dense(4)(x))), name="second")
    inputs = k.Input((4,))
    return k.Model(inputs, k.layers.Dense(2)(second(first(inputs))))


def block(k):
    """A layer of one's own, whose parts are all of one shape: only their names tell them apart."""

    class Block(k.layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.zeroth = k.layers.Dense(4, activation="tanh")
            self.again = k.layers.Dense(4)
            self.rest = [k.layers.Dense(4, activation="tanh"), k.layers.BatchNormalization(), k.layers.Dense(4)]

        def build(self, input_shape):
            self.slope = self.add_weight(shape=(4,), initializer="ones", name="slope")

        def call(self, x):
            x = self.again(self.zeroth(x)) * self.slope
            for layer in self.rest:
                x = layer(x)
            return x

    return Block()


NAMES = ("dense", "images", "recurrent", "attention", "nested", "own")
INPUTS = {
    "dense": RNG.standard_normal((7, 4)).astype("float32"),
    "images": RNG.standard_normal((7, 6, 6, 2)).astype("float32"),
    "recurrent": RNG.integers(0, 9, (7, 5)).astype("int32"),
    "attention": RNG.standard_normal((7, 5, 6)).astype("float32"),
    "nested": RNG.standard_normal((7, 4)).astype("float32"),
    "own": RNG.standard_normal((7, 4)).astype("float32"),
}


@pytest.fixture(scope="module")
def theirs():
    made = networks(original)
    for model in made.values():
        model.set_weights([RNG.uniform(0.2, 0.9, w.shape).astype("float32") for w in model.get_weights()])
    return made


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
@pytest.mark.parametrize("name", NAMES)
def test_weights_of_keras_give_its_predictions(theirs, tmp_path, name, suffix):
    path = tmp_path / f"m{suffix}"
    theirs[name].save_weights(path) if suffix == ".weights.h5" else theirs[name].save(path)
    model = networks(keras)[name]
    model.load_weights(path)
    expected = theirs[name].predict(INPUTS[name], verbose=0)
    np.testing.assert_allclose(model.predict(INPUTS[name], verbose=0), expected, rtol=2e-5, atol=2e-5)
    with pytest.raises(FormatError, match=r"is a file of Keras, whose layers are not read; build the model in Python"):
        keras.models.load_model(path)


@pytest.mark.filterwarnings("ignore")
def test_the_older_format_keeps_what_is_not_trained_behind_what_is(theirs, tmp_path):
    theirs["nested"].save(tmp_path / "m.h5")
    model = networks(keras)["nested"]
    model.load_weights(tmp_path / "m.h5")
    expected = theirs["nested"].predict(INPUTS["nested"], verbose=0)
    np.testing.assert_allclose(model.predict(INPUTS["nested"], verbose=0), expected, rtol=2e-5, atol=2e-5)
