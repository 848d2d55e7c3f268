"""Losses: Keras' formulas written out in NumPy, gradients against torch, and what happens at the edges."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.errors import GraphError
from graphdl.keras import losses

RNG = np.random.default_rng(5)
Z = RNG.normal(size=(6, 4))
Y = RNG.normal(size=(6, 4))
LABELS = np.array([0, 3, 1, 1, 2, 0])
HOT = np.eye(4)[LABELS]
BITS = (RNG.uniform(size=(6, 4)) > 0.5).astype("float64")
EPSILON = 1e-7


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def value_and_gradient(loss, targets, z, through=None):
    """The loss and its gradient at `z`, with predictions ``through(z)``."""
    logits = gd.placeholder(z.shape, "float64", name="z")
    t = gd.placeholder(targets.shape, targets.dtype, name="t")
    made = loss(t, through(logits) if through else logits)
    return gd.Session().run([made, gd.gradients(made, logits)], {logits: z, t: targets})


def keras_binary(t, p):
    p = np.clip(p, EPSILON, 1 - EPSILON)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()


def keras_categorical(t, p):
    p = np.clip(p / p.sum(-1, keepdims=True), EPSILON, 1 - EPSILON)
    return -(t * np.log(p)).sum(-1).mean()


@pytest.mark.parametrize(
    ("loss", "targets", "z", "through", "expected"),
    [
        (losses.MeanSquaredError(), Y, Z, None, ((Z - Y) ** 2).mean()),
        (losses.MeanAbsoluteError(), Y, Z, None, np.abs(Z - Y).mean()),
        (losses.BinaryCrossentropy(), BITS, Z, gd.sigmoid, keras_binary(BITS, sigmoid(Z))),
        (losses.BinaryCrossentropy(from_logits=True), BITS, Z, None, keras_binary(BITS, sigmoid(Z))),
        (losses.BinaryCrossentropy(), BITS, sigmoid(Z), None, keras_binary(BITS, sigmoid(Z))),
        (losses.CategoricalCrossentropy(), HOT, Z, gd.softmax, keras_categorical(HOT, softmax(Z))),
        (losses.CategoricalCrossentropy(from_logits=True), HOT, Z, None, keras_categorical(HOT, softmax(Z))),
        (losses.CategoricalCrossentropy(), HOT, np.exp(Z), None, keras_categorical(HOT, np.exp(Z))),
        (losses.SparseCategoricalCrossentropy(), LABELS, Z, gd.softmax, keras_categorical(HOT, softmax(Z))),
        (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS, Z, None, keras_categorical(HOT, softmax(Z))),
        (losses.SparseCategoricalCrossentropy(), LABELS, np.exp(Z), None, keras_categorical(HOT, np.exp(Z))),
    ],
)
def test_a_loss_is_its_formula(loss, targets, z, through, expected):
    found, gradient = value_and_gradient(loss, targets, z, through)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    step = 1e-6 * np.sign(gradient)
    ahead, _ = value_and_gradient(loss, targets, z + step, through)
    np.testing.assert_allclose(ahead - found, (gradient * step).sum(), rtol=1e-4)


def test_label_smoothing_draws_targets_to_the_mean():
    found, _ = value_and_gradient(losses.CategoricalCrossentropy(label_smoothing=0.1), HOT, Z, gd.softmax)
    np.testing.assert_allclose(found, keras_categorical(HOT * 0.9 + 0.1 / 4, softmax(Z)), rtol=1e-6)
    found, _ = value_and_gradient(losses.BinaryCrossentropy(label_smoothing=0.1), BITS, Z, gd.sigmoid)
    np.testing.assert_allclose(found, keras_binary(BITS * 0.9 + 0.05, sigmoid(Z)), rtol=1e-6)


def test_cross_entropy_of_softmax_is_exact_where_the_probability_is_zero():
    z = np.array([[0.0, 1000.0, 5.0]])
    found, gradient = value_and_gradient(losses.SparseCategoricalCrossentropy(), np.array([0]), z, gd.softmax)
    assert found == 1000
    assert gradient.tolist() == [[-1, 1, 0]]
    found, gradient = value_and_gradient(losses.CategoricalCrossentropy(), np.eye(3)[[0]], z, gd.softmax)
    assert found == 1000
    assert gradient.tolist() == [[-1, 1, 0]]


def test_cross_entropy_of_sigmoid_is_exact_where_the_probability_is_one():
    z = np.array([[800.0], [-800.0]])
    found, gradient = value_and_gradient(losses.BinaryCrossentropy(), np.array([[0.0], [1.0]]), z, gd.sigmoid)
    assert found == 800
    np.testing.assert_allclose(gradient, [[0.5], [-0.5]])


def test_other_probabilities_are_kept_off_zero_as_in_keras():
    found, _ = value_and_gradient(losses.BinaryCrossentropy(), np.array([[1.0]]), np.array([[0.0]]))
    np.testing.assert_allclose(found, -np.log(EPSILON), rtol=1e-9)


def test_sum_is_another_reduction():
    found, _ = value_and_gradient(losses.MeanSquaredError(reduction="sum"), Y, Z)
    np.testing.assert_allclose(found, ((Z - Y) ** 2).sum())


@pytest.mark.parametrize(
    ("function", "targets", "through", "expected"),
    [
        (losses.mse, Y, None, ((Z - Y) ** 2).mean(-1)),
        (losses.mae, Y, None, np.abs(Z - Y).mean(-1)),
        (losses.binary_crossentropy, BITS, gd.sigmoid, None),
        (losses.categorical_crossentropy, HOT, gd.softmax, -np.log(softmax(Z))[np.arange(6), LABELS]),
        (losses.sparse_categorical_crossentropy, LABELS, gd.softmax, -np.log(softmax(Z))[np.arange(6), LABELS]),
    ],
)
def test_a_loss_function_gives_a_value_for_each_example(function, targets, through, expected):
    z, t = gd.placeholder(Z.shape, "float64"), gd.placeholder(targets.shape, targets.dtype)
    found = gd.Session().run(function(t, through(z) if through else z), {z: Z, t: targets})
    if expected is None:
        p = sigmoid(Z)
        expected = -(BITS * np.log(p) + (1 - BITS) * np.log(1 - p)).mean(-1)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_losses_and_their_gradients_agree_with_torch():
    torch = pytest.importorskip("torch")
    cases = [
        (losses.MeanSquaredError(), Y, None, torch.nn.functional.mse_loss, torch.tensor(Y)),
        (losses.MeanAbsoluteError(), Y, None, torch.nn.functional.l1_loss, torch.tensor(Y)),
        (
            losses.BinaryCrossentropy(),
            BITS,
            gd.sigmoid,
            torch.nn.functional.binary_cross_entropy_with_logits,
            torch.tensor(BITS),
        ),
        (
            losses.SparseCategoricalCrossentropy(),
            LABELS,
            gd.softmax,
            torch.nn.functional.cross_entropy,
            torch.tensor(LABELS),
        ),
    ]
    for loss, targets, through, function, their_targets in cases:
        z = torch.tensor(Z, requires_grad=True)
        theirs = function(z, their_targets)
        theirs.backward()
        found, gradient = value_and_gradient(loss, targets, Z, through)
        np.testing.assert_allclose(found, theirs.item(), rtol=1e-12)
        np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-10, atol=1e-15)


def test_a_function_of_nodes_is_a_loss():
    loss = losses.get(lambda t, y: gd.square(t - y) * 3)
    found, _ = value_and_gradient(loss, Y, Z)
    np.testing.assert_allclose(found, 3 * ((Y - Z) ** 2).mean())


def test_a_loss_has_several_names():
    for name in ("mse", "MSE", "mean_squared_error", "MeanSquaredError", losses.mse, losses.MeanSquaredError):
        assert isinstance(losses.get(name), losses.MeanSquaredError)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.get("categorical_crossentrpy"), "Did you mean 'categorical_crossentropy'?"),
        (lambda: losses.get(3), "a loss is 3, expected a name such as 'mse', a loss object or a function"),
        (lambda: losses.MeanSquaredError(reduction="none"), "there is no reduction 'none'"),
        (
            lambda: losses.BinaryCrossentropy(label_smoothing=1.5),
            "label_smoothing is 1.5, expected at least 0 and below 1",
        ),
        (lambda: losses.CategoricalCrossentropy(axis=1), "axis is 1, expected -1"),
    ],
)
def test_a_wrong_loss_is_refused(make, message):
    with pytest.raises(GraphError) as caught:
        make()
    assert message in str(caught.value)


def test_a_loss_function_that_returns_no_node_is_refused():
    with pytest.raises(GraphError, match="returns a float, expected a node"):
        losses.get(lambda t, y: 0.5)(gd.placeholder((2,)), gd.placeholder((2,)))
