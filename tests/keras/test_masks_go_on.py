"""Masks where layers meet: in models within models, in merging layers, in metrics. Keras has the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.keras import layers

WORDS = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 2, 3, 4]], "int32")
THERE = WORDS != 0


def embedded(name="words"):
    inputs = keras.Input((4,), dtype="int32", name=name)
    return inputs, layers.Embedding(5, 3, mask_zero=True)(inputs)


def table(model):
    return model.get_weights()[0]


def test_a_mask_goes_on_into_a_model_within_the_model():
    inputs, x = embedded()
    inside = keras.Input((4, 3))
    lstm = layers.LSTM(2)
    part = keras.Model(inside, lstm(inside))
    model = keras.Model(inputs, [part(x), lstm(x)])
    nested, direct = model.predict(WORDS, verbose=0)
    assert nested.tobytes() == direct.tobytes()
    kernel, recurrent, bias = lstm.get_weights()
    h, c = np.zeros((2, 2))
    for word in WORDS[1, :1]:
        gates = table(model)[word] @ kernel + h @ recurrent + bias
        i, f, g, o = np.split(gates, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
    np.testing.assert_allclose(nested[1], h, rtol=1e-5)


def test_a_mask_made_in_a_model_within_the_model_comes_out_of_it():
    inside = keras.Input((4, 3))
    part = keras.Model(inside, layers.Dense(2)(layers.Masking()(inside)))
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, layers.Dense(1)(part(inputs)))
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(3, 4, 3)).astype("float32") * THERE[..., None]
    y = np.ones((3, 4, 1), "float32")
    expected = np.square(model.predict(x, verbose=0) - y)[THERE].mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)
    model.fit(x, y, verbose=0)


def test_what_is_masked_is_a_factor_of_one():
    inputs, x = embedded()
    other = keras.Input((4, 3), name="other")
    alone = layers.Multiply()([x, other])
    both = layers.Multiply()([x, layers.Activation("tanh")(x)])
    model = keras.Model([inputs, other], [alone, both])
    factor = np.random.default_rng(1).normal(size=(3, 4, 3)).astype("float32")
    found = model.predict([WORDS, factor], verbose=0)
    e = table(model)[WORDS]
    np.testing.assert_allclose(found[0], np.where(THERE[..., None], e * factor, factor), rtol=1e-6)
    np.testing.assert_allclose(found[1], np.where(THERE[..., None], e * np.tanh(e), 0), rtol=1e-5)


@pytest.mark.parametrize(("kind", "extreme"), [("Maximum", np.maximum), ("Minimum", np.minimum)])
def test_what_is_masked_is_not_compared(kind, extreme):
    inputs, x = embedded()
    other = keras.Input((4, 3), name="other")
    merged = getattr(layers, kind)
    model = keras.Model([inputs, other], [merged()([x, other]), merged()([other, x])])
    values = np.random.default_rng(2).normal(size=(3, 4, 3)).astype("float32")
    found = model.predict([WORDS, values], verbose=0)
    expected = np.where(THERE[..., None], extreme(table(model)[WORDS], values), values)
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)
    np.testing.assert_allclose(found[1], expected, rtol=1e-6)


def test_means_among_the_metrics_leave_out_what_is_masked():
    inputs, x = embedded()
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    y = np.ones((3, 4, 1), "float32")
    weight = np.array([0.5, 1.0, 2.0], "float32")
    error = np.abs(model.predict(WORDS, verbose=0) - y)[..., 0]
    scores = model.evaluate(WORDS, y, batch_size=2, sample_weight=weight, verbose=0, return_dict=True)
    share = THERE * weight[:, None]
    assert scores["mae"] == pytest.approx(error[THERE].mean(), rel=1e-5)
    assert scores["mse"] == pytest.approx((error**2 * share).sum() / share.sum(), rel=1e-5)


def test_a_network_with_a_loop_is_linted_with_its_masks():
    inputs, x = embedded()
    model = keras.Model(inputs, layers.Dense(1)(layers.LSTM(2, return_sequences=True)(x)))
    model.compile("sgd", "mse")
    assert isinstance(model.lint(WORDS, np.ones((3, 4, 1), "float32")), list)


def test_gradients_through_a_loop_in_float32_are_checked_in_float64():
    inputs, x = embedded()
    model = keras.Model(inputs, layers.GRU(2)(x))
    loss = gd.sum(gd.square(model.output))
    checks = gd.check_gradients(loss, model.trainable_variables, {inputs: WORDS}, session=model.start())
    assert len(checks) == 4
    assert all(check.ok for check in checks)


def test_a_function_passes_on_the_mask_that_it_is_told_to():
    inputs, x = embedded()
    plain = layers.Lambda(lambda x: x + 1.0)(x)
    told = layers.Lambda(lambda x: x + 1.0, mask=lambda x, mask: mask)(x)
    mean = layers.GlobalAveragePooling1D()
    model = keras.Model(inputs, [mean(plain), mean(told)])
    whole, there = model.predict(WORDS, verbose=0)
    e = table(model)[WORDS] + 1
    np.testing.assert_allclose(whole, e.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(there, (e * THERE[..., None]).sum(axis=1) / THERE.sum(axis=1, keepdims=True), rtol=1e-6)
