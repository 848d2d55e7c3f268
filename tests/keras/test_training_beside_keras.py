"""Histories, weights, scores and hooks beside those of Keras itself, from the same weights and the same batches.

Differences that are meant:
  history is in the order loss, metrics, val_...; Keras sorts the names
  `metrics_names` has the metrics, where Keras 3 says only "compile_metrics"
  a generator that is scored goes on where it was; Keras replays its first two batches before each scoring
  a loss object among the metrics is averaged over all examples; Keras averages the means of batches of any length
  names of metrics do not depend on what was made before; Keras counts ("auc_1")
  a `loss` dict may leave outputs out; weights of examples hold for all elements of each; a frozen layer may be set
  free under the same optimizer, and averages of weights may be kept of some of them: Keras refuses or fails
  epochs=0, batch_size=0, validation_split above 1 and targets of another shape are refused; Keras trains on something
"""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from tests.keras.beside import BACKEND, original, trained

pytestmark = trained
RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 4)).astype("float32")
Y = (X[:, :1] * 2 - X[:, 1:2] + 0.3 * RNG.normal(size=(70, 1))).astype("float32")
LABELS = RNG.integers(0, 3, 70)
TRUTHS = (Y > 0).astype("float32")
W = RNG.uniform(0.2, 2, 70).astype("float32")


def mlp(k, units=1, activation=None, **compiled):
    model = k.Sequential([k.Input((4,)), k.layers.Dense(6, activation="tanh"), k.layers.Dense(units, activation)])
    model.compile(**{"optimizer": k.optimizers.SGD(0.05), "loss": "mse", **compiled})
    return model


def classifier(k):
    loss = "sparse_categorical_crossentropy"
    return mlp(k, 3, "softmax", optimizer="adam", loss=loss, metrics=["accuracy"], weighted_metrics=["accuracy"])


def gate(k):
    metrics = ["accuracy", k.metrics.Precision(), k.metrics.Recall(), k.metrics.AUC()]
    return mlp(k, 1, "sigmoid", optimizer="nadam", loss="binary_crossentropy", metrics=metrics)


def heads(k):
    inputs = k.Input((4,))
    h = k.layers.Dense(8, activation="tanh")(inputs)
    outputs = [
        k.layers.Dense(1, name="age")(h),
        k.layers.Dense(3, activation="softmax", name="income")(h),
        k.layers.Dense(1, activation="sigmoid", name="sex")(h),
    ]
    model = k.Model(inputs, outputs)
    model.compile(
        optimizer="adam",
        loss={"age": "mse", "income": "sparse_categorical_crossentropy", "sex": "binary_crossentropy"},
        loss_weights={"age": 0.25, "income": 1.0, "sex": 10.0},
        metrics={"age": "mae", "income": ["accuracy"]},
        weighted_metrics={"age": ["mse"]},
    )
    return model


def siamese(k):
    a, b = k.Input((4,)), k.Input((4,))
    part = k.Sequential([k.Input((4,)), k.layers.Dense(5, activation="tanh"), k.layers.Dense(3)])
    model = k.Model([a, b], k.layers.Dense(1)(k.layers.Subtract()([part(a), part(b)])))
    model.compile("adam", "mse")
    return model


def bounded(k, frozen=False):
    first = k.layers.Dense(
        6, "relu", kernel_regularizer=k.regularizers.L2(0.01), activity_regularizer=k.regularizers.L1(0.01)
    )
    last = k.layers.Dense(1, kernel_constraint=k.constraints.MaxNorm(1.0))
    model = k.Sequential([k.Input((4,)), first, k.layers.BatchNormalization(), last])
    for layer in model.layers[:2]:
        layer.trainable = not frozen
    model.compile("sgd", "mse")
    return model


def subclassed(k):
    class Both(k.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = k.layers.Dense(5, activation="relu"), k.layers.Dense(1)

        def call(self, inputs, training=None):
            a, b = inputs
            return self.out(self.hidden(a) + self.hidden(b))

    model = Both()
    model([np.zeros((2, 4), "float32"), np.zeros((2, 4), "float32")])
    model.compile("adam", "mse")
    return model


def batches():
    for start in range(0, 64, 16):
        yield X[start : start + 16], Y[start : start + 16], W[start : start + 16]


def endless(k):
    while True:
        yield from batches()


CASES = {
    "plain": (lambda k: mlp(k, metrics=["mae"]), lambda k: {"x": X, "y": Y}),
    "split": (mlp, lambda k: {"x": X, "y": Y, "validation_split": 0.23}),
    "class weights": (
        classifier,
        lambda k: {"x": X, "y": LABELS, "class_weight": {0: 1.0, 1: 5.0, 2: 0.5}, "validation_split": 0.2},
    ),
    "sample weights": (
        lambda k: mlp(k, optimizer="rmsprop", metrics=["mae"], weighted_metrics=["mae", "mse"]),
        lambda k: {"x": X, "y": Y, "sample_weight": W, "validation_data": (X[:20], Y[:20], W[:20])},
    ),
    "running metrics": (gate, lambda k: {"x": X, "y": TRUTHS, "validation_split": 0.3}),
    "now and then": (
        mlp,
        lambda k: {
            "x": X,
            "y": Y,
            "validation_data": (X, Y),
            "validation_freq": [1, 3],
            "validation_batch_size": 7,
            "validation_steps": 3,
        },
    ),
    "steps": (mlp, lambda k: {"x": X, "y": Y, "steps_per_epoch": 2, "epochs": 2}),
    "generator": (mlp, lambda k: {"x": endless(k), "steps_per_epoch": 3, "batch_size": None}),
    "heads": (heads, lambda k: {"x": X, "y": [Y, LABELS, TRUTHS], "sample_weight": [W, W, W[::-1].copy()]}),
    "siamese": (siamese, lambda k: {"x": [X, X[::-1].copy()], "y": Y}),
    "bounded": (bounded, lambda k: {"x": X, "y": Y, "validation_split": 0.2}),
    "frozen": (lambda k: bounded(k, True), lambda k: {"x": X, "y": Y}),
    "averages of weights": (
        lambda k: mlp(k, optimizer=k.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5)),
        lambda k: {"x": X, "y": Y, "validation_split": 0.2},
    ),
    "averages of weights now and then": (
        lambda k: mlp(k, optimizer=k.optimizers.Adam(use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3)),
        lambda k: {"x": X, "y": Y},
    ),
    "gradients of several batches": (
        lambda k: mlp(k, optimizer=k.optimizers.SGD(0.05, gradient_accumulation_steps=3, use_ema=True)),
        lambda k: {"x": X, "y": Y},
    ),
    "a class that does not count": (
        lambda k: mlp(k, 3, "softmax", loss=k.losses.SparseCategoricalCrossentropy(ignore_class=255)),
        lambda k: {"x": X, "y": np.where(LABELS == 1, 255, LABELS), "validation_split": 0.2},
    ),
    "a schedule of the rate": (
        lambda k: mlp(k, optimizer=k.optimizers.Adam(k.optimizers.schedules.CosineDecay(0.0, 9, 0.1, "c", 0.1, 4))),
        lambda k: {"x": X, "y": Y},
    ),
    "uneven split": (mlp, lambda k: {"x": X, "y": Y, "validation_split": 0.33, "sample_weight": W}),
    "subclassed": (subclassed, lambda k: {"x": [X, X * 2], "y": Y}),
    "early stopping": (
        mlp,
        lambda k: {
            "x": X,
            "y": Y,
            "epochs": 12,
            "validation_split": 0.2,
            "callbacks": [k.callbacks.EarlyStopping(patience=1, min_delta=0.3, restore_best_weights=True)],
        },
    ),
    "plateau": (
        mlp,
        lambda k: {
            "x": X,
            "y": Y,
            "epochs": 12,
            "validation_split": 0.2,
            "callbacks": [k.callbacks.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0.2, cooldown=1)],
        },
    ),
    "schedule": (
        mlp,
        lambda k: {"x": X, "y": Y, "callbacks": [k.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.8)]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_training_gives_the_numbers_of_keras(case):
    make, arguments = CASES[case]
    theirs, ours = make(original), make(keras)
    ours.set_weights(theirs.get_weights())
    common = {"epochs": 4, "batch_size": 16, "shuffle": False, "verbose": 0}
    expected = theirs.fit(**{**common, **arguments(original)}).history
    found = ours.fit(**{**common, **arguments(keras)}).history
    assert sorted(found) == sorted(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-3, atol=1e-5, err_msg=name)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-5)


def test_hooks_are_called_as_keras_calls_them():
    def heard(k):
        said = []

        class Ear(k.callbacks.Callback):
            pass

        def hook(name):
            return lambda self, *given, **more: said.append((name, *(v for v in given if isinstance(v, int))))

        for name in dir(k.callbacks.Callback):
            if name.startswith("on_") and not name.startswith("on_batch"):
                setattr(Ear, name, hook(name))
        model = mlp(k)
        model.fit(X, Y, epochs=2, batch_size=32, verbose=0, validation_split=0.2, callbacks=[Ear()])
        model.evaluate(X, Y, verbose=0, callbacks=[Ear()])
        model.predict(X, verbose=0, callbacks=[Ear()])
        return said

    assert heard(keras) == heard(original)


def again_with_the_same_optimizer(k, model):
    optimizer = k.optimizers.Adam(0.05)
    model.compile(optimizer, "mse")
    yield
    model.compile(optimizer, "mae")
    yield


def again_with_another_optimizer(k, model):
    for loss in ("mse", "mae"):
        model.compile(k.optimizers.Adam(0.05), loss)
        yield


def frozen_and_set_free_under_the_same_optimizer(k, model):
    optimizer = k.optimizers.Adam(0.05)
    for trainable in (True, False, True):
        model.layers[0].trainable = trainable
        model.compile(optimizer, "mse")
        yield


def at_another_rate(k, model):
    model.compile(k.optimizers.Adam(0.05), "mse")
    for rate in (0.1, 0.01):
        model.optimizer.learning_rate = rate
        yield


@pytest.mark.parametrize(
    "compiled",
    [
        again_with_the_same_optimizer,
        again_with_another_optimizer,
        pytest.param(
            frozen_and_set_free_under_the_same_optimizer,
            marks=pytest.mark.skipif(BACKEND == "jax", reason="on jax Keras wants a new optimizer for fewer weights"),
        ),
        at_another_rate,
    ],
)
def test_a_model_compiled_again_remembers_what_its_optimizer_remembers(compiled):
    start = mlp(keras).get_weights()
    weights, steps = [], []
    for k in (original, keras):
        model = mlp(k)
        model.set_weights(start)
        for _ in compiled(k, model):
            model.fit(X, Y, epochs=2, batch_size=16, shuffle=False, verbose=0)
        weights.append(model.get_weights())
        steps.append(int(model.optimizer.iterations))
    assert steps[0] == steps[1]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-5)


def test_what_single_batches_and_scores_give():
    start = mlp(keras).get_weights()

    def given(k):
        model = mlp(k, metrics=["mae", k.metrics.RootMeanSquaredError()])
        model.set_weights(start)
        yield model.train_on_batch(X[:8], Y[:8])
        yield model.train_on_batch(X[8:20], Y[8:20], sample_weight=W[8:20], return_dict=True)
        yield model.test_on_batch(X[:8], Y[:8])
        yield model.test_on_batch(X[8:], Y[8:], return_dict=True)
        model.reset_metrics()
        yield model.evaluate(X, Y, batch_size=9, verbose=0)
        yield model.evaluate(X, Y, batch_size=9, steps=2, sample_weight=W, verbose=0, return_dict=True)
        yield model.predict(X, batch_size=9, steps=2, verbose=0)
        yield model.predict_on_batch(X)
        model = mlp(k)
        model.set_weights(start)
        yield model.train_on_batch(X, Y)
        yield model.evaluate(X, Y, verbose=0)

    for found, expected in zip(given(keras), given(original), strict=True):
        if isinstance(expected, dict):
            assert sorted(found) == sorted(expected)
            found, expected = ([part[name] for name in sorted(part)] for part in (found, expected))
        assert isinstance(found, list) == isinstance(expected, list)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
