"""Classes and functions as notes write them: a build that ends in Keras' own, no **kwargs, functions without names."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.keras import layers

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def names(model):
    return [layer.name for layer in model.layers]


class Scale(layers.Layer):
    """A layer as notes write them: without **kwargs."""

    def __init__(self, factor=2.0):
        super().__init__()
        self.factor = factor
        self.inner = layers.Dense(3)

    def call(self, x):
        return self.inner(x) * self.factor


class Written(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.hidden, self.scale = layers.Dense(units), Scale(3.0)

    def build(self, input_shape):
        self.w = self.add_weight((4,), "ones", name="w")
        super().build(input_shape)

    def call(self, x):
        return self.scale(self.hidden(x * self.w))


@pytest.mark.parametrize("begin", [lambda m: m.build((None, 4)), lambda m: m(X), lambda m: m.predict(X, verbose=0)])
def test_a_build_of_ones_own_that_ends_in_that_of_keras_runs_once(begin):
    model = Written(2)
    begin(model)
    assert [w.name for w in model.weights] == ["w", "kernel", "bias", "kernel", "bias"]


def test_classes_that_take_no_name_come_back_from_a_file_with_theirs(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Scale(0.5)(Scale(1.5)(inputs)))
    whole = Written(2)
    whole.predict(X, verbose=0)
    for made in (model, whole):
        made.save(tmp_path / "m.graphdl")
        back = keras.models.load_model(tmp_path / "m.graphdl", custom_objects={"Scale": Scale, "Written": Written})
        assert names(back) == names(made)
        assert back.predict(X, verbose=0).tobytes() == made.predict(X, verbose=0).tobytes()


def test_functions_of_ones_own_are_in_a_copy_too():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Lambda(lambda x: x * 2)(layers.Lambda(lambda x: x + 1)(inputs)))
    copy = keras.models.clone_model(model)
    np.testing.assert_array_equal(copy.predict(X, verbose=0), (X + 1) * 2)
