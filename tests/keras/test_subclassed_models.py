"""Models that say in a ``call`` of their own what they compute."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError
from graphdl.keras import layers

RNG = np.random.default_rng(12)
X = RNG.normal(size=(40, 4)).astype("float32")
Z = RNG.normal(size=(40, 2)).astype("float32")
Y = RNG.normal(size=(40, 1)).astype("float32")


class MLP(keras.Model):
    def __init__(self, units=3):
        super().__init__()
        self.hidden = layers.Dense(units, activation="relu")
        self.drop = layers.Dropout(0.5)
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.drop(self.hidden(x), training=training))


class Two(keras.Model):
    def __init__(self):
        super().__init__(name="two")
        self.heads = [layers.Dense(2, name="left"), layers.Dense(2, name="right")]

    def call(self, inputs):
        a, b = inputs
        return {"sum": self.heads[0](a) + self.heads[1](b), "right": self.heads[1](b)}


def test_it_is_built_from_the_first_data():
    model = MLP()
    assert not model.is_built
    with pytest.raises(GraphError, match=r"mlp has no input shape yet; begin it with keras.Input"):
        _ = model.outputs
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert [w.shape for w in model.get_weights()] == [(4, 3), (3,), (3, 1), (1,)]
    assert [layer.name for layer in model.layers] == ["dense", "dropout", "dense_1"]


def test_it_computes_what_its_call_says():
    model = MLP()
    model.build((None, 4))
    W1, b1, W2, b2 = model.get_weights()
    np.testing.assert_allclose(model.predict(X, verbose=0), np.maximum(X @ W1 + b1, 0) @ W2 + b2, rtol=1e-5, atol=1e-6)


def test_training_is_told_to_the_call():
    model = MLP()
    model.compile("sgd", "mse")
    model.build((None, 4))
    plan = model.training
    assert len(gd.Graph(plan.loss).noise) == 1
    assert not gd.Graph(plan.evaluation.loss).noise
    assert set(gd.Graph(plan.loss).variables) == set(model.variables)


def test_training_may_be_asked_about_in_python():
    class Scaled(keras.Model):
        def call(self, x, training=False):
            return x * 3.0 if training else x * 2.0

    model = Scaled()
    np.testing.assert_allclose(model(X), X * 2, rtol=1e-6)
    np.testing.assert_allclose(model(X, training=True), X * 3, rtol=1e-6)


def test_layers_know_of_training_where_the_call_does_not():
    class Quiet(keras.Model):
        def __init__(self):
            super().__init__()
            self.drop = layers.Dropout(0.5)

        def call(self, x):
            return self.drop(x)

    model = Quiet()
    assert np.array_equal(model.predict(X, verbose=0), X)
    assert set(np.unique((model(X, training=True) / X).round(4))) == {0.0, 2.0}


def test_several_inputs_and_outputs():
    model = Two()
    found = model.predict([X, Z], verbose=0)
    A, a, B, b = model.get_weights()
    np.testing.assert_allclose(found["sum"], X @ A + a + Z @ B + b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["right"], Z @ B + b, rtol=1e-5, atol=1e-6)
    model.compile("sgd", {"sum": "mse", "right": "mae"})
    assert model.metrics_names == ["loss", "sum_loss", "right_loss"]
    targets = {"sum": np.zeros((40, 2)), "right": np.zeros((40, 2))}
    history = model.fit([X, Z], targets, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def test_it_is_a_layer_of_another_model():
    model, inputs = MLP(), keras.Input((4,))
    whole = keras.Model(inputs, model(inputs))
    assert [layer.name for layer in whole.layers] == ["input_layer", "mlp"]
    assert np.array_equal(whole.predict(X, verbose=0), model.predict(X, verbose=0))
    whole.compile("sgd", "mse")
    assert [node.label for node in gd.Graph(whole.training.loss).noise] == ["mlp/dropout/noise"]
    before = model.get_weights()
    whole.fit(X, Y, verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_build_may_make_weights():
    class Line(keras.Model):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], 1), initializer="ones", name="w")

        def call(self, x):
            return x @ self.w

    model = Line()
    np.testing.assert_allclose(model.predict(X, verbose=0), X.sum(1, keepdims=True), rtol=1e-5, atol=1e-6)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    history = model.fit(X, X[:, :1], epochs=30, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 2
    inputs = keras.Input((4,))
    again = Line()
    assert keras.Model(inputs, again(inputs)).count_params() == again.count_params() == 4


def test_a_subclass_may_be_functional():
    class Wide(keras.Model):
        def __init__(self, units):
            inputs = keras.Input((4,))
            super().__init__(inputs, layers.Dense(units)(inputs))
            self.units = units

    model = Wide(7)
    assert model.predict(X, verbose=0).shape == (40, 7)
    assert model.name == "wide"


def test_a_layer_made_of_layers_has_their_weights():
    class Block(layers.Layer):
        def __init__(self, units, **options):
            super().__init__(**options)
            self.inner = {"first": layers.Dense(units, activation="relu"), "second": layers.Dense(4)}

        def call(self, x):
            return x + self.inner["second"](self.inner["first"](x))

    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(1)(Block(3, name="block")(Block(3, name="other")(inputs))))
    assert [w.label for w in model.weights[:4]] == [
        "other/dense/kernel",
        "other/dense/bias",
        "other/dense_1/kernel",
        "other/dense_1/bias",
    ]
    assert model.count_params() == 2 * (15 + 16) + 5
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_a_model_without_call_and_without_ends_is_refused():
    with pytest.raises(GraphError, match="needs inputs and outputs, or a subclass with a method call"):
        keras.Model()
    with pytest.raises(GraphError, match="needs inputs and outputs"):
        keras.Model(keras.Input((4,)))


def test_what_a_call_returns_must_be_nodes():
    class Wrong(keras.Model):
        def call(self, x):
            return 3.0

    with pytest.raises((GraphError, TypeError)):
        Wrong().predict(X, verbose=0)
