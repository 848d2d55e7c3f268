"""Layers of one's own: weights, parts, losses, statistics, freezing; functions as layers."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers

from .calls import normal, outputs_of


class Linear(keras.layers.Layer):
    def __init__(self, units, **arguments):
        super().__init__(**arguments)
        self.units = units

    def build(self, input_shape):
        self.seen = input_shape
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, inputs):
        return gd.matmul(inputs, self.w) + self.b


class Block(keras.layers.Layer):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.first = layers.Dense(4, activation="relu")
        self.rest = [layers.Dropout(0.5), layers.Dense(2)]

    def call(self, inputs):
        x = self.first(inputs)
        for layer in self.rest:
            x = layer(x)
        return x


class RunningSum(keras.layers.Layer):
    def build(self, input_shape):
        self.total = self.add_weight(shape=(), initializer="zeros", trainable=False, name="total")

    def call(self, x, training=False):
        if training:
            self.add_update(self.total, self.total + gd.sum(x))
        return x * 1.0


def trained(layer, x, y, **options):
    model = keras.Sequential([keras.Input(x.shape[1:]), layer, layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model, model.fit(x, y, verbose=0, **options)


def test_a_layer_of_ones_own_has_weights_in_its_scope():
    x, layer = normal(3, 4), Linear(2, name="mine")
    model, y = outputs_of(layer, x)
    w, b = model.get_weights()
    assert layer.seen == (None, 4)
    assert [v.label for v in model.variables] == ["mine/w", "mine/b"]
    np.testing.assert_allclose(y, x @ w + b, rtol=1e-4, atol=1e-6)
    assert 0.01 < w.std() < 0.15


def test_the_shape_of_a_result_is_known_without_data():
    assert Linear(2).compute_output_shape((None, 4)) == (None, 2)
    assert Block().compute_output_shape((None, 7)) == (None, 2)
    assert layers.Concatenate().compute_output_shape([(None, 4), (None, 3)]) == (None, 7)
    layer = layers.Conv2D(3, 2)
    assert layer.compute_output_shape((None, 8, 8, 1)) == (None, 7, 7, 3)
    assert layer.weights == [], "asking for a shape makes no weights"


def test_layers_that_are_attributes_are_parts():
    x, block = normal(3, 4), Block()
    model, y = outputs_of(block, x)
    k1, b1, k2, b2 = model.get_weights()
    assert [v.label for v in model.variables] == [
        "block/dense/kernel",
        "block/dense/bias",
        "block/dense_1/kernel",
        "block/dense_1/bias",
    ]
    assert model.layers[1:] == [block]
    np.testing.assert_allclose(y, np.maximum(x @ k1 + b1, 0) @ k2 + b2, rtol=1e-4, atol=1e-6)


def test_dropout_within_a_layer_is_drawn_in_training():
    assert Block().differs_in_training
    model, _ = trained(Block(), normal(8, 4), normal(8, 1))
    assert "uniform" in model.training.train.source
    assert "uniform" not in model.training.evaluate.source


def test_freezing_a_layer_freezes_its_parts():
    block = Block()
    block.trainable = False
    model, _ = trained(block, normal(8, 4), normal(8, 1))
    assert block.trainable_weights == []
    assert len(block.non_trainable_weights) == 4
    assert len(model.trainable_variables) == 2
    before = block.get_weights()
    model.fit(normal(8, 4), normal(8, 1), verbose=0)
    assert all((a == b).all() for a, b in zip(before, block.get_weights(), strict=True))


def test_a_layer_can_keep_statistics_of_training():
    layer, x = RunningSum(), normal(10, 3)
    model, _ = trained(layer, x, normal(10, 1), epochs=3, batch_size=4)
    np.testing.assert_allclose(layer.get_weights()[0], 3 * x.sum(), rtol=1e-4)
    model.predict(x, verbose=0)
    np.testing.assert_allclose(layer.get_weights()[0], 3 * x.sum(), rtol=1e-4)


def test_an_update_outside_of_training_is_refused():
    class Always(RunningSum):
        def call(self, x):
            self.add_update(self.total, self.total + 1.0)
            return x

    with pytest.raises(GraphError, match=r"always: always/total is updated in training only"):
        Always()(keras.Input((3,)))


def test_a_layer_can_add_to_the_loss():
    class Sparse(keras.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * gd.sum(gd.abs(x)))
            return x

    x, y = normal(8, 3), normal(8, 1)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), Sparse(), layers.Dense(1)])
    model.compile("sgd", "mse")
    k1, b1, k2, b2 = model.get_weights()
    hidden = x @ k1 + b1
    expected = ((hidden @ k2 + b2 - y) ** 2).mean() + 0.1 * np.abs(hidden).sum()
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.train_on_batch(x, y), expected, rtol=1e-5)
    slope = 2 / 8 * ((hidden @ k2 + b2 - y) @ k2.T) + 0.1 * np.sign(hidden)
    np.testing.assert_allclose(model.get_weights()[0], k1 - 0.01 * x.T @ slope, rtol=1e-4, atol=1e-6)


def test_regularised_weights_and_activities_are_terms_of_the_loss():
    dense = layers.Dense(
        2, kernel_regularizer="l2", bias_regularizer=lambda b: 3.0 * gd.sum(gd.abs(b)), bias_initializer="ones"
    )
    active = layers.Dense(1, activity_regularizer=lambda y: 0.5 * gd.sum(gd.square(y)))
    model = keras.Sequential([keras.Input((3,)), dense, active])
    model.compile("sgd", "mse")
    x, y = normal(8, 3), normal(8, 1)
    k1, b1, k2, b2 = model.get_weights()
    out = (x @ k1 + b1) @ k2 + b2
    expected = ((out - y) ** 2).mean() + 0.01 * (k1**2).sum() + 3 * np.abs(b1).sum() + 0.5 * (out**2).sum() / 8
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.train_on_batch(x, y), expected, rtol=1e-5)


def test_activity_regularization_is_a_layer():
    model = keras.Sequential([keras.Input((3,)), layers.ActivityRegularization(l1=0.5, l2=0.25)])
    model.compile("sgd", "mse")
    x = normal(4, 3)
    expected = (0.5 * np.abs(x).sum() + 0.25 * (x**2).sum()) / 4
    np.testing.assert_allclose(model.evaluate(x, x, verbose=0), expected, rtol=1e-5)


def test_a_frozen_layer_is_not_regularised():
    layer = layers.Dense(2, kernel_regularizer="l2", trainable=False)
    layer(keras.Input((3,)))
    assert layer.losses == []


def test_a_constraint_holds_after_each_step():
    layer = layers.Dense(1, kernel_constraint=lambda w: gd.maximum(w, 0.0))
    x = normal(20, 3)
    trained(layer, x, -x[:, :1], epochs=5)
    assert (layer.get_weights()[0] >= 0).all()


def test_a_function_of_nodes_is_a_layer():
    x = normal(3, 4)
    _, y = outputs_of(layers.Lambda(lambda x, power: gd.pow(gd.abs(x), power), arguments={"power": 1.5}), x)
    np.testing.assert_allclose(y, np.abs(x) ** 1.5, rtol=1e-5)


def test_a_layer_with_a_dtype_computes_in_it():
    y = layers.Dense(2, dtype="float64")(keras.Input((3,)))
    assert y.dtype == "float64"
    assert y.call.layer.weights[0].dtype == "float64"


def test_a_layer_knows_its_input_and_output():
    inputs = keras.Input((3,))
    layer = layers.Dense(2)
    y = layer(inputs)
    assert layer.output is y
    assert layer.input is inputs
    layer(inputs)
    with pytest.raises(GraphError, match=r"dense has 2 results; \.output is for a layer called once"):
        layer.output


def test_an_input_shape_may_include_the_batch():
    model = keras.Sequential([layers.Dense(2, batch_input_shape=(None, 5))])
    assert model.input.shape[1:] == (5,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: layers.Lambda(3), "Lambda: function is 3, expected a function of nodes"),
        (lambda x: layers.Lambda(lambda x: 3)(x), "lambda: the function returns 3, expected a node"),
        (lambda x: keras.layers.Layer().add_loss(x), "layer.add_loss is called within the layer's call(...)"),
        (
            lambda x: keras.layers.Layer().add_weight((None, 3)),
            "layer: the shape of a weight is (None, 3), expected fixed sizes",
        ),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make(keras.Input((3,)))
    assert message in str(caught.value)
