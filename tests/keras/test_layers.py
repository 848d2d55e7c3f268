"""Layers against their formulas in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers

X = np.random.default_rng(1).normal(size=(5, 4)).astype("float32")


def outputs_of(layer, x=X, shape=None):
    inputs = keras.Input(shape or x.shape[1:])
    model = keras.Model(inputs, layer(inputs))
    return model, model.predict(x, verbose=0)


def test_dense_is_activation_of_x_kernel_plus_bias():
    model, y = outputs_of(layers.Dense(3, activation="tanh", bias_initializer="ones"))
    kernel, bias = model.get_weights()
    assert kernel.shape == (4, 3)
    assert bias.tolist() == [1, 1, 1]
    np.testing.assert_allclose(y, np.tanh(X @ kernel + bias), rtol=1e-6)


def test_dense_without_bias_has_a_kernel_only():
    model, y = outputs_of(layers.Dense(3, use_bias=False))
    (kernel,) = model.get_weights()
    np.testing.assert_allclose(y, X @ kernel, rtol=1e-5)


def test_dense_acts_on_the_last_axis_of_anything():
    x = np.random.default_rng(2).normal(size=(5, 7, 4)).astype("float32")
    model, y = outputs_of(layers.Dense(3), x)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(y, np.einsum("ntd,du->ntu", x, kernel) + bias, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("tanh", np.tanh),
        ("linear", lambda x: x),
        ("softmax", lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
        ("softplus", lambda x: np.log1p(np.exp(x))),
        ("elu", lambda x: np.where(x > 0, x, np.exp(x) - 1)),
        ("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x)),
        ("silu", lambda x: x / (1 + np.exp(-x))),
        ("swish", lambda x: x / (1 + np.exp(-x))),
        ("exponential", np.exp),
        (None, lambda x: x),
    ],
)
def test_an_activation_is_its_formula(name, formula):
    _, y = outputs_of(layers.Activation(name))
    np.testing.assert_allclose(y, formula(X.astype("float64")), rtol=1e-5, atol=1e-7)


def test_any_function_of_a_node_is_an_activation():
    _, y = outputs_of(layers.Dense(4, activation=lambda x: x * 0 + 2.0))
    assert (y == 2).all()


def test_relu_has_a_slope_a_threshold_and_a_largest_value():
    _, y = outputs_of(layers.ReLU(max_value=1.0, negative_slope=0.5, threshold=0.25))
    expected = np.minimum(np.where(X >= 0.25, X, 0.5 * (X - 0.25)), 1)
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    _, y = outputs_of(layers.ReLU(negative_slope=0.5))
    np.testing.assert_allclose(y, np.where(X > 0, X, 0.5 * X), rtol=1e-6)
    _, y = outputs_of(layers.ReLU())
    assert (y == np.maximum(X, 0)).all()


def test_softmax_adds_up_to_one_along_its_axis():
    x = np.random.default_rng(3).normal(size=(2, 3, 4)).astype("float32")
    _, y = outputs_of(layers.Softmax(axis=1), x)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)


def test_flatten_puts_each_example_in_a_row():
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    _, y = outputs_of(layers.Flatten(), x)
    assert (y == x.reshape(2, 12)).all()


def test_dropout_does_nothing_outside_training():
    model, y = outputs_of(layers.Dropout(0.5))
    assert (y == X).all()
    assert "uniform" not in model.prediction.source


def test_dropout_zeroes_a_share_in_training_and_scales_the_rest():
    x = gd.placeholder((None, 1000), name="x")
    y = layers.Dropout(0.25)(x, training=True)
    ones = np.ones((50, 1000), "float32")
    found = gd.Session(seed=3).run(y, {x: ones})
    assert set(np.unique(found)) == {0, np.float32(1) * np.float32(1 / 0.75)}
    assert abs((found == 0).mean() - 0.25) < 0.01


def test_dropout_draws_a_new_mask_in_every_step_and_the_same_one_in_a_replay():
    def steps():
        x = gd.placeholder((None, 8), name="x")
        y = layers.Dropout(0.5)(x, training=True)
        session = gd.Session(seed=3)
        return [session.run(y, {x: np.ones((4, 8), "float32")}) for _ in range(3)]

    first, second = steps(), steps()
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert (first[0] != first[1]).any()


def test_a_layer_called_twice_shares_its_weights():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(2)
    model = keras.Model([a, b], [shared(a), shared(b)])
    assert len(model.variables) == 2
    first, second = model.predict([X, X], verbose=0)
    assert (first == second).all()


def test_a_layer_works_in_the_precision_of_its_input():
    inputs = keras.Input((4,), dtype="float64")
    assert layers.Dense(2)(inputs).dtype == "float64"


def test_the_nodes_of_a_layer_live_in_the_scope_of_its_name():
    inputs = keras.Input((4,))
    y = layers.Dense(2, activation="relu", name="hidden")(inputs)
    assert y.label == "hidden/relu"
    assert [w.label for w in y.call.layer.weights] == ["hidden/kernel", "hidden/bias"]


def test_a_node_of_a_layer_points_to_the_line_that_made_the_layer():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(2),
        ]
    )
    from graphdl.ir.origin import user_of

    assert user_of(model.output).source() == "layers.Dense(2),"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.Dense(3, input_shape=(784)),
            "input_shape=784 is a number, expected a tuple; write input_shape=(784,)",
        ),
        (lambda: layers.Dense(3, input_shape=(0,)), "input_shape=(0,): 0 is no size, expected integers from 1"),
        (lambda: layers.Dense(0), "Dense: units is 0, expected an integer from 1"),
        (lambda: layers.Dense("3"), "Dense: units is '3', expected an integer from 1"),
        (lambda: layers.Dense(3, activation="rellu"), "there is no activation 'rellu'. Did you mean 'relu'?"),
        (lambda: layers.Dense(3, activation=7), "an activation is 7, expected a name such as 'relu'"),
        (lambda: layers.Dropout(1.0), "Dropout: rate is 1.0, expected at least 0 and below 1"),
        (lambda: layers.Dropout(0.5, seed="3"), "seed is '3', expected an integer from 0 to 2**63 - 1"),
        (lambda: layers.ReLU(negative_slope=-1), "ReLU: negative_slope is -1, expected 0 or more"),
        (lambda: keras.Input(784), "shape=784 is a number, expected a tuple; write shape=(784,)"),
        (lambda: layers.InputLayer(), "InputLayer needs the shape of one example"),
        (lambda: layers.Dense(3)(X), "dense is called on a ndarray, expected a node such as keras.Input(...)"),
    ],
)
def test_a_wrong_argument_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make()
    assert message in str(caught.value)


def test_an_unknown_argument_gets_a_suggestion():
    with pytest.raises(TypeError, match=r"Dense takes no 'input_shap'. Did you mean 'input_shape'\?"):
        layers.Dense(3, input_shap=(4,))


def test_a_shared_layer_refuses_another_width_with_both_shapes():
    dense = layers.Dense(3)
    dense(keras.Input((4,), name="a"))
    with pytest.raises(ShapeError, match=r"found b: f32\[N, 5\], expected width 4, for which its kernel f32\[4, 3\]"):
        dense(keras.Input((5,), name="b"))
