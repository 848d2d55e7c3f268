"""SwapEMAWeights: scores are those of the averages, training goes on with the weights."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError
from graphdl.keras.callbacks import BackupAndRestore, Callback, SwapEMAWeights

RNG = np.random.default_rng(4)
X = RNG.standard_normal((20, 3))
Y = X.sum(axis=1)
MOMENTUM, RATE = 0.8, 0.05


def line(**options):
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((3,), dtype="float64"), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(RATE, use_ema=True, ema_momentum=MOMENTUM, **options), "mse")
    return model


def by_hand(w, epochs):
    """Weights and their averages after each epoch of full batches, in NumPy."""
    average, found = w, []
    for step in range(epochs):
        w = w - RATE * 2 * X.T @ (X @ w - Y[:, None]) / len(X)
        average = MOMENTUM * average + (1 - MOMENTUM) * w if step else w
        found.append((w, average))
    return found


class Weights(Callback):
    """Keeps what the callbacks behind see at the end of each epoch."""

    watches_only = True

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(self.model.get_weights()[0])


def error(w):
    return float(np.mean((X @ w - Y[:, None]) ** 2))


@pytest.mark.parametrize("on_epoch", [False, True])
def test_averages_are_scored_and_weights_are_trained(on_epoch):
    model, weights = line(), Weights()
    expected = by_hand(model.get_weights()[0], 4)
    history = model.fit(
        X, Y, batch_size=20, epochs=4, validation_data=(X, Y), verbose=0, callbacks=[SwapEMAWeights(on_epoch), weights]
    ).history
    np.testing.assert_allclose(history["val_loss"], [error(average) for _, average in expected], rtol=1e-10)
    np.testing.assert_allclose(weights.seen, [pair[on_epoch] for pair in expected], rtol=1e-10)
    np.testing.assert_allclose(model.get_weights()[0], expected[-1][1], rtol=1e-10)


def test_an_early_end_leaves_the_averages():
    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    model = line()
    start = model.get_weights()[0]
    model.fit(X, Y, batch_size=20, epochs=9, verbose=0, callbacks=[SwapEMAWeights(True), Stop()])
    np.testing.assert_allclose(model.get_weights()[0], by_hand(start, 3)[-1][1], rtol=1e-10)


def test_predictions_are_those_of_the_averages_and_the_weights_come_back():
    model = line()
    start = model.get_weights()[0]

    class Ask(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.found = self.model.predict(X, verbose=0, callbacks=[SwapEMAWeights()])
            self.own = self.model.get_weights()[0]

    ask = Ask()
    model.fit(X, Y, batch_size=20, epochs=3, verbose=0, callbacks=[ask])
    w, average = by_hand(start, 3)[-1]
    np.testing.assert_allclose(ask.found, X @ average, rtol=1e-10)
    np.testing.assert_allclose(ask.own, w, rtol=1e-10)


def test_an_interrupted_training_goes_on_with_its_own_weights(tmp_path):
    def fit(epochs, *backup):
        model = line()
        model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=[SwapEMAWeights(True), *backup])
        return model.digest()

    fit(2, BackupAndRestore(tmp_path, delete_checkpoint=False))
    assert fit(5, BackupAndRestore(tmp_path)) == fit(5)


def test_an_optimizer_without_averages_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(GraphError, match="SGD keeps no averages; compile it with use_ema=True"):
        model.fit(X, Y, verbose=0, callbacks=[SwapEMAWeights()])
