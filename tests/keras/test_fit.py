"""Training: numbers that must come out, what an epoch is, what the history says, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.compile.kernels.random import permutation
from graphdl.errors import GraphError, NonFiniteError, ZeroGradientWarning
from graphdl.keras import layers

XS = np.array([-1, 0, 1, 2, 3, 4], dtype="float32")
YS = np.array([5, 6, 7, 8, 9, 10], dtype="float32")
RNG = np.random.default_rng(9)
X = RNG.normal(size=(70, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [3.0], [0.5]], "float32") + 1).astype("float32")


def line(**compiled):
    model = keras.Sequential([layers.Dense(1, input_shape=(4,))])
    model.compile(**{"optimizer": keras.optimizers.SGD(0.05), "loss": "mse", **compiled})
    return model


@pytest.mark.parametrize("seed", range(5))
def test_the_line_y_is_x_plus_six_gives_the_published_number(seed):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([layers.Dense(units=1, input_shape=[1])])
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.fit(XS, YS, epochs=1200, verbose=0)
    assert model.predict(np.array([10.0]), verbose=0).tolist() == [[16.000045776367188]]


def sgd_written_out(W, b, epochs, size, rate=0.05, seed=0):
    """The same training in plain NumPy; returns the weights and the mean loss of every epoch."""
    losses = []
    for epoch in range(epochs):
        order, total = permutation((seed, epoch), len(X)), 0.0
        for start in range(0, len(X), size):
            x, y = X[order[start : start + size]], Y[order[start : start + size]]
            error = x @ W + b - y
            total += (error**2).sum()
            W = W - rate * 2 * x.T @ error / len(x)
            b = b - rate * 2 * error.mean(0)
        losses.append(total / len(X))
    return W, b, losses


def test_fit_is_the_loop_written_out():
    model = line()
    W, b = model.get_weights()
    history = model.fit(X, Y, batch_size=32, epochs=3, verbose=0)
    W, b, losses = sgd_written_out(W, b, 3, 32)
    np.testing.assert_allclose(model.get_weights()[0], W, rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[1], b, rtol=1e-4)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-4)
    assert history.epoch == [0, 1, 2]


def test_without_shuffling_examples_come_in_their_order():
    first, second = line(), line()
    first.fit(X, Y, batch_size=7, shuffle=False, verbose=0)
    for start in range(0, 70, 7):
        second.train_on_batch(X[start : start + 7], Y[start : start + 7])
    assert first.digest() == second.digest()


def test_a_batch_larger_than_the_data_is_all_of_them():
    first, second = line(), line()
    first.fit(X, Y, batch_size=1000, shuffle=False, verbose=0)
    second.train_on_batch(X, Y)
    assert first.digest() == second.digest()


def test_training_again_goes_on_from_where_it_was():
    whole, parts = line(), line()
    whole.fit(X, Y, epochs=4, verbose=0)
    parts.fit(X, Y, epochs=2, verbose=0)
    parts.fit(X, Y, epochs=4, initial_epoch=2, verbose=0)
    assert whole.digest() == parts.digest()


def test_the_same_seed_trains_the_same():
    def digest(seed):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([layers.Dense(8, input_shape=(4,)), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=3, verbose=0)
        return model.digest()

    assert digest(3) == digest(3)
    assert digest(3) != digest(4)


def test_readable_and_fast_programs_train_the_same_bits():
    digests = []
    for style in ("readable", "fast"):
        model = keras.Sequential([layers.Dense(8, "relu", input_shape=(4,)), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("adam", "mse")
        model.session.style = style
        model.fit(X, Y, epochs=5, batch_size=16, verbose=0)
        digests.append(model.digest())
    assert digests[0] == digests[1]


def test_batch_means_are_weighted_by_the_size_of_the_batch():
    model = line(metrics=["mae"])
    model.fit(X, Y, verbose=0)
    error = model.predict(X, verbose=0) - Y
    ragged = model.evaluate(X, Y, batch_size=32, verbose=0)
    np.testing.assert_allclose(ragged, [(error**2).mean(), np.abs(error).mean()], rtol=1e-5)
    np.testing.assert_allclose(ragged, model.evaluate(X, Y, batch_size=70, verbose=0), rtol=1e-5)


def test_evaluate_gives_a_number_a_list_or_a_dict():
    assert isinstance(line().evaluate(X, Y, verbose=0), float)
    model = line(metrics=["mae", "mse"])
    assert len(model.evaluate(X, Y, verbose=0)) == 3
    assert list(model.evaluate(X, Y, verbose=0, return_dict=True)) == ["loss", "mae", "mse"]
    assert model.metrics_names == ["loss", "mae", "mse"]


def test_train_on_batch_reports_the_loss_from_before_the_step():
    model = line(metrics=["mae"])
    before = model.evaluate(X, Y, verbose=0, batch_size=70)
    np.testing.assert_allclose(model.train_on_batch(X, Y), before, rtol=1e-6)
    assert model.train_on_batch(X, Y, return_dict=True)["loss"] < before[0]


def test_validation_split_takes_the_tail_before_shuffling():
    first, second = line(metrics=["mae"]), line(metrics=["mae"])
    a = first.fit(X, Y, epochs=2, validation_split=0.2, verbose=0).history
    b = second.fit(X[:56], Y[:56], epochs=2, validation_data=(X[56:], Y[56:]), verbose=0).history
    assert a == b
    assert list(a) == ["loss", "mae", "val_loss", "val_mae"]
    assert first.digest() == second.digest()
    np.testing.assert_allclose(a["val_loss"][-1], first.evaluate(X[56:], Y[56:], verbose=0)[0], rtol=1e-6)


def test_dropout_is_off_while_scoring():
    model = keras.Sequential([layers.Dropout(0.9, input_shape=(4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    error = model.predict(X, verbose=0) - Y
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), (error**2).mean(), rtol=1e-5)


def test_the_learning_rate_may_change_without_compiling_again():
    model = line()
    model.fit(X, Y, verbose=0)
    program = model.training.train
    before = model.digest()
    model.optimizer.learning_rate = 0.0
    model.fit(X, Y, verbose=0)
    assert model.digest() == before
    model.optimizer.learning_rate = 0.1
    model.train_on_batch(X, Y)
    assert model.digest() != before
    assert model.training.train is program


def test_exclusive_or_is_learnt():
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
    y = np.array([[0], [1], [1], [0]], dtype="float32")
    model = keras.Sequential([layers.Dense(8, activation="tanh", input_dim=2), layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=300, verbose=0).history
    assert history["accuracy"][-1] == 1
    assert model.predict_classes(x, verbose=0).tolist() == y.tolist()


def test_several_outputs_have_losses_weights_and_metrics_of_their_own():
    inputs = keras.Input((4,), name="in")
    hidden = layers.Dense(8, activation="tanh")(inputs)
    price = layers.Dense(1, name="price")(hidden)
    kind = layers.Dense(3, activation="softmax", name="kind")(hidden)
    model = keras.Model(inputs, [price, kind])
    model.compile(
        "sgd",
        loss={"price": "mse", "kind": "sparse_categorical_crossentropy"},
        loss_weights={"price": 0.25, "kind": 2.0},
        metrics={"kind": ["accuracy"], "price": "mae"},
    )
    labels = np.arange(70) % 3
    names = ["loss", "price_loss", "kind_loss", "price_mae", "kind_accuracy"]
    assert model.metrics_names == names
    scores = model.evaluate(X, {"kind": labels, "price": Y}, verbose=0, return_dict=True)
    p, k = model.predict(X, verbose=0)
    np.testing.assert_allclose(scores["price_loss"], ((p - Y) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(scores["kind_loss"], -np.log(k[np.arange(70), labels]).mean(), rtol=1e-5)
    np.testing.assert_allclose(scores["loss"], 0.25 * scores["price_loss"] + 2 * scores["kind_loss"], rtol=1e-5)
    np.testing.assert_allclose(scores["kind_accuracy"], (k.argmax(-1) == labels).mean(), rtol=1e-5)
    history = model.fit(X, [Y, labels], epochs=2, verbose=0).history
    assert list(history) == names
    assert history["loss"][1] < history["loss"][0]


def test_an_output_without_a_loss_needs_no_target():
    inputs = keras.Input((4,))
    a, b = layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)
    model = keras.Model(inputs, [a, b])
    model.compile("sgd", {"a": "mse"})
    with pytest.warns(
        ZeroGradientWarning, match="the loss does not depend on 'b/kernel', 'b/bias', so training leaves"
    ):
        model.fit(X, {"a": Y}, verbose=0)
    assert model.metrics_names == ["loss"]


def test_a_loss_of_the_users_own_trains():
    model = line(loss=lambda t, y: gd.square(t - y) * 0.5)
    history = model.fit(X, Y, epochs=5, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 2


def test_callbacks_hear_of_epochs():
    heard = []

    class Ear(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            heard.append(("begin", self.params["epochs"], self.params["steps"]))

        def on_epoch_begin(self, epoch, logs=None):
            heard.append(epoch)

        def on_epoch_end(self, epoch, logs=None):
            heard.append((epoch, sorted(logs), self.model.name))

        def on_train_end(self, logs=None):
            heard.append("end")

    line().fit(X, Y, epochs=2, verbose=0, callbacks=[Ear()])
    name = "sequential"
    assert heard == [("begin", 2, 3), 0, (0, ["loss"], name), 1, (1, ["loss"], name), "end"]


class PressCtrlC(keras.callbacks.Callback):
    """Presses Ctrl-C at the beginning of the third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to itself")
def test_ctrl_c_keeps_the_weights_of_the_last_whole_step(capsys):
    model, twin = line(), line()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=10, verbose=0, callbacks=[PressCtrlC()])
    assert capsys.readouterr().out == "interrupted after epoch 3 step 0; the weights so far are kept\n"
    twin.fit(X, Y, epochs=2, verbose=0)
    assert model.digest() == twin.digest()
    model.fit(X, Y, epochs=3, initial_epoch=2, verbose=0)
    assert np.isfinite(model.get_weights()[0]).all()


def test_fit_runs_off_the_main_thread():
    model = line()
    thread = threading.Thread(target=lambda: model.fit(X, Y, epochs=2, verbose=0))
    thread.start()
    thread.join()
    twin = line()
    twin.fit(X, Y, epochs=2, verbose=0)
    assert model.digest() == twin.digest()


def test_a_nan_guard_names_the_first_bad_node():
    model = line(loss=lambda t, y: gd.log(gd.square(t - y) * -1.0))
    model.session.nan_guard = True
    with pytest.raises(NonFiniteError, match="log"):
        model.fit(X, Y, verbose=0)


def test_a_nan_guard_that_finds_nothing_changes_nothing():
    guarded, free = line(), line()
    guarded.session.nan_guard = True
    for model in (guarded, free):
        model.fit(X, Y, epochs=2, verbose=0)
    assert guarded.digest() == free.digest()
    assert guarded.session.state.step == free.session.state.step == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs is 0, expected an integer from 1"),
        ({"batch_size": 0}, "batch_size is 0, expected an integer from 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5, expected an integer from 1"),
        ({"validation_split": 1.5}, "validation_split is 1.5, expected a number between 0 and 1"),
        ({"verbose": "loud"}, "verbose is 'loud', expected 0, 1, 2 or 'auto'"),
        ({"initial_epoch": -1}, "initial_epoch is -1, expected an integer from 0"),
    ],
)
def test_a_wrong_setting_is_named(arguments, message):
    with pytest.raises(GraphError) as caught:
        line().fit(X, Y, **{"verbose": 0, **arguments})
    assert message in str(caught.value)


def test_fit_on_a_list_of_numbers_takes_each_for_an_example():
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit([-1, 0, 1], [5, 6, 7], verbose=0)
    assert model.predict([10], verbose=0).shape == (1, 1)


@pytest.mark.filterwarnings("error")
def test_the_order_of_examples_depends_on_every_bit_of_the_seed():
    orders = [permutation(key, 50).tolist() for key in ((2**62, 0), (2**62 + 1, 0), (2**62, 1), (2**63 - 1, 0))]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
