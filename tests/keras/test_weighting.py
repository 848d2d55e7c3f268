"""Weights of examples and of classes, and what is held out: formulas and positions, written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import DataError, GraphError
from graphdl.keras import layers

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = (X @ np.array([[1.0], [2.0], [-1.0]], "float32")).astype("float32")
W = RNG.uniform(0.1, 3.0, 40).astype("float32")
LABELS = np.arange(40) % 3


def line(**compiled):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", **compiled})
    return model


def classifier(loss="sparse_categorical_crossentropy", **compiled):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3, activation="softmax")])
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": loss, **compiled})
    return model


def weighted_steps(kernel, bias, w, size, rate=0.1):
    """Gradient descent on the weighted sum of squares divided by the number of examples, in NumPy."""
    for start in range(0, len(X), size):
        x, y, v = X[start : start + size], Y[start : start + size], w[start : start + size, None]
        error = v * (x @ kernel + bias - y)
        kernel, bias = kernel - rate * 2 * x.T @ error / len(x), bias - rate * 2 * error.mean(0)
    return kernel, bias


def test_sample_weights_multiply_the_losses_of_the_examples():
    model = line()
    expected = weighted_steps(*model.get_weights(), W, 16)
    model.fit(X, Y, batch_size=16, shuffle=False, sample_weight=W, verbose=0)
    for found, wanted in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_the_loss_that_is_shown_is_the_weighted_one():
    model = line(metrics=["mae"], weighted_metrics=["mae"])
    error = model.predict(X, verbose=0)[:, 0] - Y[:, 0]
    scores = model.evaluate(X, Y, batch_size=16, sample_weight=W, verbose=0, return_dict=True)
    assert list(scores) == ["loss", "mae", "weighted_mae"]
    np.testing.assert_allclose(scores["loss"], (W * error**2).mean(), rtol=1e-5)
    np.testing.assert_allclose(scores["mae"], np.abs(error).mean(), rtol=1e-5)
    np.testing.assert_allclose(scores["weighted_mae"], (W * np.abs(error)).sum() / W.sum(), rtol=1e-5)


def test_without_weights_weighted_metrics_are_like_the_others():
    model = line(weighted_metrics=["mae"])
    error = model.predict(X, verbose=0) - Y
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0)[1], np.abs(error).mean(), rtol=1e-5)


def test_weights_of_one_change_nothing_but_the_program():
    plain, ones = line(), line()
    plain.fit(X, Y, epochs=2, verbose=0)
    ones.fit(X, Y, epochs=2, sample_weight=np.ones(40), verbose=0)
    for a, b in zip(plain.get_weights(), ones.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_the_optimizer_remembers_across_fits_with_and_without_weights():
    def model():
        return line(optimizer=keras.optimizers.SGD(0.02, momentum=0.9))

    one, other = model(), model()
    one.fit(X, Y, sample_weight=np.ones(40), shuffle=False, verbose=0)
    other.fit(X, Y, shuffle=False, verbose=0)
    for each in (one, other):
        each.fit(X, Y, epochs=2, initial_epoch=1, shuffle=False, verbose=0)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    names = [name for name in one.session.state.names.values() if "momentum" in name]
    assert len(names) == 2, "one slot a weight"


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_class_weights_are_the_weights_of_the_examples_of_a_class(loss):
    y = LABELS if loss.startswith("sparse") else np.eye(3)[LABELS]
    by_class, by_example = classifier(loss), classifier(loss)
    by_class.fit(X, y, class_weight={0: 1.0, 2: 4.0}, verbose=0)
    by_example.fit(X, y, sample_weight=np.array([1.0, 1.0, 4.0])[LABELS], verbose=0)
    assert by_class.digest() == by_example.digest()


def test_class_weights_of_a_column_of_truths():
    y = (LABELS == 1).astype("float32")[:, None]

    def model():
        return line(loss="binary_crossentropy")

    by_class, by_example = model(), model()
    by_class.fit(X, y, class_weight={1: 5.0}, verbose=0)
    by_example.fit(X, y, sample_weight=1 + 4 * y, verbose=0)
    assert by_class.digest() == by_example.digest()


def test_class_weights_are_for_training_and_not_for_what_is_held_out():
    model = classifier()
    history = model.fit(X, LABELS, class_weight={1: 9.0}, validation_split=0.25, verbose=0).history
    np.testing.assert_allclose(history["val_loss"][-1], model.evaluate(X[30:], LABELS[30:], verbose=0), rtol=1e-6)


def test_sample_weights_are_split_with_their_examples():
    whole, parts = line(), line()
    a = whole.fit(X, Y, sample_weight=W, validation_split=0.25, epochs=2, verbose=0).history
    b = parts.fit(
        X[:30], Y[:30], sample_weight=W[:30], validation_data=(X[30:], Y[30:], W[30:]), epochs=2, verbose=0
    ).history
    assert a == b
    assert whole.digest() == parts.digest()


@pytest.mark.parametrize("share", [0.1, 0.25, 0.33, 0.5, 0.9])
def test_the_split_is_at_the_floor_of_what_is_left(share):
    first = int(np.floor(40 * (1 - share)))
    model = line()
    history = model.fit(X, Y, validation_split=share, verbose=0).history
    np.testing.assert_allclose(
        history["val_loss"][-1], model.evaluate(X[first:], Y[first:], verbose=0), rtol=1e-6, err_msg=str(first)
    )


def test_each_output_has_weights_of_its_own():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)])
    model.compile("sgd", "mse", loss_weights=[1.0, 0.5])
    a, b = model.predict(X, verbose=0)
    expected = [((v * (p - Y)[:, 0] ** 2).mean()) for p, v in ((a, W), (b, W[::-1]))]
    for given in ([W, W[::-1]], {"b": W[::-1], "a": W}):
        scores = model.evaluate(X, [Y, Y], batch_size=40, sample_weight=given, verbose=0, return_dict=True)
        np.testing.assert_allclose([scores["a_loss"], scores["b_loss"]], expected, rtol=1e-5)
        np.testing.assert_allclose(scores["loss"], expected[0] + 0.5 * expected[1], rtol=1e-5)
    one = model.evaluate(X, [Y, Y], batch_size=40, sample_weight={"a": W}, verbose=0, return_dict=True)
    np.testing.assert_allclose([one["a_loss"], one["b_loss"]], [expected[0], ((b - Y) ** 2).mean()], rtol=1e-5)


def test_batches_may_be_weighted_one_by_one():
    model, by_hand = line(), line()
    scores = model.train_on_batch(X, Y, sample_weight=W, return_dict=True)
    before = by_hand.predict(X, verbose=0)
    np.testing.assert_allclose(scores["loss"], (W[:, None] * (before - Y) ** 2).mean(), rtol=1e-5)
    by_hand.fit(X, Y, batch_size=40, sample_weight=W, shuffle=False, verbose=0)
    assert model.digest() == by_hand.digest()
    tested = model.test_on_batch(X, Y, sample_weight=W)
    np.testing.assert_allclose(tested, model.evaluate(X, Y, batch_size=40, sample_weight=W, verbose=0), rtol=1e-6)
    assert model.digest() == by_hand.digest(), "a test changes nothing"


def test_what_metrics_add_up_begins_anew_in_every_epoch_and_every_scoring():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy", metrics=[keras.metrics.Precision(), "accuracy"])
    y = (LABELS == 1).astype("float32")[:, None]
    history = model.fit(X, y, epochs=3, batch_size=7, validation_data=(X, y), verbose=0).history
    said = model.predict(X, verbose=0) > 0.5
    precision = (said & (y == 1)).sum() / said.sum()
    np.testing.assert_allclose(history["precision"] + history["val_precision"], [precision] * 6, rtol=1e-6)
    for _ in range(2):
        np.testing.assert_allclose(model.evaluate(X, y, batch_size=11, verbose=0)[1], precision, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"sample_weight": W[:5]},
            DataError,
            "sample_weight has shape (5,), expected one number for each of 40 examples",
        ),
        ({"sample_weight": np.full(40, np.nan)}, DataError, "sample_weight has nan at row 0 (40 in all)"),
        ({"sample_weight": {"z": W}}, DataError, "sample_weight names 'z', which has no loss"),
        (
            {"sample_weight": np.ones((40, 1, 1))},
            DataError,
            "sample_weight has 3 axes, more than the targets f32[N, 1]",
        ),
        ({"class_weight": [1, 2]}, GraphError, "class_weight is a list, expected a dict such as {0: 1.0, 1: 5.0}"),
        ({"class_weight": {0: 1.0}, "sample_weight": W}, GraphError, "takes class_weight or sample_weight, found both"),
        ({"validation_data": (X,)}, DataError, "expected a pair (x, y), or (x, y, sample_weight)"),
        ({"validation_data": (X, Y, W[:3])}, DataError, "validation_data: sample_weight has shape (3,)"),
    ],
)
def test_weights_that_do_not_fit_are_refused(options, error, message):
    with pytest.raises(error) as caught:
        line().fit(X, Y, verbose=0, **options)
    assert message in str(caught.value)


def test_class_weights_are_for_one_output():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)])
    model.compile("sgd", "mse")
    with pytest.raises(GraphError, match="class_weight is for models with one loss, found 2; use sample_weight"):
        model.fit(X, [Y, Y], class_weight={0: 1.0}, verbose=0)


@pytest.mark.parametrize(
    ("reduction", "factor"), [("sum_over_batch_size", 1.25), ("sum", 2.5), ("mean_with_sample_weight", 1)]
)
def test_one_loss_of_all_examples_together_is_weighed_as_that_of_each(reduction, factor):
    y, p = np.eye(3, dtype="float32")[[0, 1]], np.full((2, 3), 1 / 3, "float32")
    found = gd.Session().run(keras.losses.Dice(reduction=reduction)(y, p, np.array([0.5, 2.0], "float32")))
    assert found == pytest.approx(factor * (1 - 2 * (y * p).sum() / (y.sum() + p.sum())), rel=1e-5)
