"""Normalisation against its formula, in training, in inference and frozen."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers

from .calls import check_gradients, in_training, named, normal, outputs_of, with_weights


def normalised(x, axes, gamma=1.0, beta=0.0, epsilon=1e-3):
    centred = x - x.mean(axes, keepdims=True)
    return gamma * centred / np.sqrt((centred**2).mean(axes, keepdims=True) + epsilon) + beta


@pytest.mark.parametrize(("axis", "others"), [(-1, (0, 1)), (1, (0, 2))])
def test_a_batch_is_normalised_channel_by_channel_in_training(axis, others):
    x = normal(6, 4, 3) * 3 + 1
    y = in_training(layers.BatchNormalization(axis=axis), x)
    np.testing.assert_allclose(y, normalised(x, others), rtol=1e-4, atol=1e-5)


def test_inference_uses_the_moving_statistics():
    x = normal(6, 4, 3)
    layer = layers.BatchNormalization(epsilon=0.1)
    model, y = outputs_of(layer, x)
    np.testing.assert_allclose(y, x / np.sqrt(1.1), rtol=1e-5)
    gamma, beta, mean, variance = normal(3), normal(3), normal(3), np.abs(normal(3))
    model.set_weights([gamma, beta, mean, variance])
    expected = gamma * (x - mean) / np.sqrt(variance + 0.1) + beta
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)


def batch_norm_model(layer, rate=0.1):
    model = keras.Sequential([keras.Input((3,)), layer, layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def test_each_step_moves_the_statistics_towards_those_of_the_batch():
    layer = layers.BatchNormalization(momentum=0.9)
    model = batch_norm_model(layer)
    x, y = normal(40, 3) * 2 + 1, normal(40, 1)
    model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    mean, variance = np.zeros(3), np.ones(3)
    for batch in (x[:16], x[16:32], x[32:]) * 2:
        mean = 0.9 * mean + 0.1 * batch.mean(0)
        variance = 0.9 * variance + 0.1 * batch.var(0)
    found = layer.get_weights()
    np.testing.assert_allclose(found[2], mean, rtol=1e-4)
    np.testing.assert_allclose(found[3], variance, rtol=1e-4)


def test_evaluation_and_prediction_leave_the_statistics_alone():
    layer = layers.BatchNormalization()
    model = batch_norm_model(layer)
    x, y = normal(40, 3) + 1, normal(40, 1)
    model.fit(x, y, verbose=0)
    before = layer.get_weights()
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    assert all((a == b).all() for a, b in zip(before, layer.get_weights(), strict=True))


def test_a_frozen_layer_infers_also_in_training():
    layer = layers.BatchNormalization()
    layer.trainable = False
    model = batch_norm_model(layer)
    assert layer.trainable_weights == []
    x, y = normal(40, 3) + 5, normal(40, 1)
    before = layer.get_weights()
    model.fit(x, y, verbose=0)
    assert all((a == b).all() for a, b in zip(before, layer.get_weights(), strict=True))
    assert (in_training(layer, x) == x / np.sqrt(np.float32(1.001))).mean() > 0.5


def test_a_layer_used_twice_moves_its_statistics_twice():
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    layer = layers.BatchNormalization(momentum=0.5)
    total = layers.Add()([layer(a), layer(b)])
    model = keras.Model([a, b], layers.Dense(1)(total))
    model.compile("sgd", "mse")
    first, second = normal(8, 2), normal(8, 2) + 3
    model.fit([first, second], normal(8, 1), verbose=0)
    expected = 0.5 * (0.5 * 0 + 0.5 * first.mean(0)) + 0.5 * second.mean(0)
    np.testing.assert_allclose(layer.get_weights()[2], expected, rtol=1e-5, atol=1e-6)


def test_steps_that_are_masked_do_not_count():
    x = normal(6, 4, 2) + 2
    x[:, 3] = x[0] = 0
    inputs, layer = keras.Input((4, 2)), layers.BatchNormalization(momentum=0.0)
    y = layers.GlobalAveragePooling1D()(layer(layers.Masking()(inputs)))
    model = keras.Model(inputs, layers.Dense(1)(y))
    model.compile("sgd", "mse")
    x[0, 0] = 1
    model.fit(x, normal(6, 1), verbose=0)
    counted = np.concatenate([x[1:, :3].reshape(-1, 2), x[0, :1]])
    np.testing.assert_allclose(layer.get_weights()[2], counted.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.get_weights()[3], counted.var(0), rtol=1e-4)


def test_one_step_agrees_with_torch():
    torch = pytest.importorskip("torch")
    layer = layers.BatchNormalization()
    model = batch_norm_model(layer, rate=0.5)
    x, y = normal(16, 3) * 2 + 1, normal(16, 1)
    model.start()
    kernel, bias = model.layers[-1].get_weights()
    theirs = torch.nn.Sequential(torch.nn.BatchNorm1d(3, eps=1e-3, momentum=0.01), torch.nn.Linear(3, 1))
    with torch.no_grad():
        theirs[1].weight.copy_(torch.tensor(kernel.T))
        theirs[1].bias.copy_(torch.tensor(bias))
    descent = torch.optim.SGD(theirs.parameters(), lr=0.5)
    loss = torch.nn.functional.mse_loss(theirs(torch.tensor(x)), torch.tensor(y))
    loss.backward()
    descent.step()
    found = model.train_on_batch(x, y)
    np.testing.assert_allclose(found, loss.item(), rtol=1e-5)
    gamma, beta, mean, variance = layer.get_weights()
    np.testing.assert_allclose(gamma, theirs[0].weight.detach(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(beta, theirs[0].bias.detach(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(mean, theirs[0].running_mean, rtol=1e-4, atol=1e-6)
    # torch divides the moving variance by n - 1, Keras by n.
    np.testing.assert_allclose(
        (variance - 0.99) / 0.01, (theirs[0].running_var.numpy() - 0.99) / 0.01 * 15 / 16, rtol=1e-3
    )
    np.testing.assert_allclose(model.layers[-1].get_weights()[0], theirs[1].weight.detach().T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axis", [-1, (1, 2), 1, [2, 3]])
def test_each_example_is_normalised_over_the_axes(axis):
    x = normal(3, 4, 5, 2) * 3 + 1
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    (gamma, beta), y = with_weights(layers.LayerNormalization(axis=axis), x)
    wide = [size if i in [a % 4 for a in axes] else 1 for i, size in enumerate(x.shape)]
    expected = normalised(x, axes, gamma.reshape(wide), beta.reshape(wide))
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2, 4, -1])
def test_each_example_is_normalised_by_groups_of_channels(groups):
    x = normal(3, 5, 4) * 3 + 1
    (gamma, beta), y = with_weights(layers.GroupNormalization(groups), x)
    for share in np.split(np.arange(4), 4 if groups == -1 else groups):
        expected = normalised(x[..., share], (1, 2), gamma[share], beta[share])
        np.testing.assert_allclose(y[..., share], expected, rtol=1e-4, atol=1e-5)


def test_a_unit_vector_points_where_the_vector_did():
    x = normal(3, 4, 5)
    x[0, 0] = 0
    _, y = outputs_of(layers.UnitNormalization(axis=-1), x)
    assert (y[0, 0] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(y, axis=-1).ravel()[1:], 1, rtol=1e-5)
    np.testing.assert_allclose(y * np.linalg.norm(x, axis=-1, keepdims=True), x, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (
            layers.BatchNormalization(),
            [("gamma", (5,)), ("beta", (5,)), ("moving_mean", (5,)), ("moving_variance", (5,))],
        ),
        (
            layers.BatchNormalization(scale=False, axis=1),
            [("beta", (4,)), ("moving_mean", (4,)), ("moving_variance", (4,))],
        ),
        (layers.LayerNormalization(), [("gamma", (5,)), ("beta", (5,))]),
        (layers.LayerNormalization(axis=(1, 2), center=False), [("gamma", (4, 5))]),
        (layers.GroupNormalization(5), [("gamma", (5,)), ("beta", (5,))]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_weights_have_the_names_shapes_and_order_of_keras(layer, expected):
    layer(keras.Input((4, 5)))
    assert named(layer) == expected
    starts = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
    for (name, _), value in zip(expected, layer.get_weights(), strict=True):
        assert (value == starts[name]).all()
    assert [w.name for w in layer.non_trainable_weights] == [n for n, _ in expected if n.startswith("moving")]


@pytest.mark.parametrize(
    "layer",
    [
        layers.LayerNormalization(axis=(1, 2)),
        layers.GroupNormalization(2),
        layers.UnitNormalization(),
        layers.BatchNormalization(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_gradients_agree_with_differences(layer):
    check_gradients(layer, (3, 4))


def test_gradients_through_the_statistics_of_the_batch_agree_with_differences():
    layer = layers.BatchNormalization(epsilon=0.1)
    check_gradients(lambda x: layer(x, training=True), (3, 4), weights_of=layer)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.BatchNormalization(momentum=2), "momentum is 2, expected a number from 0 to 1"),
        (lambda: layers.LayerNormalization(epsilon=-1), "LayerNormalization: epsilon is -1, expected a number from 0"),
        (
            lambda: layers.BatchNormalization(axis=3)(keras.Input((4,))),
            "there is no axis 3 in inputs of shape (None, 4)",
        ),
        (lambda: layers.GroupNormalization(3)(keras.Input((4,))), "the 4 channels of (None, 4) do not make 3 groups"),
        (lambda: layers.BatchNormalization()(keras.Input((None,))), "has no known size; weights have fixed sizes"),
        (lambda: layers.LayerNormalization()(keras.Input((4,), dtype="int32")), "found i32[N, 4], expected floats"),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make()
    assert message in str(caught.value)


def test_a_shared_layer_refuses_other_channels():
    layer = layers.BatchNormalization()
    layer(keras.Input((4,), name="a"))
    with pytest.raises(ShapeError, match=r"found f32\[N, 5\], expected size 4 along axis 1"):
        layer(keras.Input((5,), name="b"))
