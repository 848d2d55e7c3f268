"""Callbacks: which hooks are called when, and what the callbacks of Keras do with them."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError, WriteError
from graphdl.keras import callbacks, layers

RNG = np.random.default_rng(9)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [3.0], [0.5]], "float32")).astype("float32")
HOOKS = [name for name in dir(callbacks.Callback) if name.startswith("on_") and not name.startswith("on_batch")]


def line(rate=0.05, **compiled):
    model = keras.Sequential([layers.Dense(1, input_shape=(4,))])
    model.compile(**{"optimizer": keras.optimizers.SGD(rate), "loss": "mse", **compiled})
    return model


def ear():
    """A callback that writes down every hook with its numbers, and the list it writes in."""
    heard = []

    class Ear(callbacks.Callback):
        pass

    def hook(name):
        return lambda self, *given: heard.append((name, *(each for each in given if isinstance(each, int))))

    for name in HOOKS:
        setattr(Ear, name, hook(name))
    return Ear(), heard


class Fed:
    """A model that is no model: what a callback does with a history that is made up."""

    def __init__(self):
        self.stop_training = False
        self.weights = None
        self.optimizer = keras.optimizers.SGD(0.1)

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights

    def run(self, callback, values, name="val_loss"):
        """Feed the numbers of epochs until the callback ends training; how many there were."""
        callback.set_model(self)
        callback.on_train_begin()
        for epoch, value in enumerate(values):
            self.weights = epoch
            callback.on_epoch_begin(epoch)
            callback.on_epoch_end(epoch, {name: value})
            if self.stop_training:
                break
        callback.on_train_end()
        return epoch + 1


def test_hooks_are_called_in_the_order_that_keras_documents():
    callback, heard = ear()
    line().fit(X, Y, epochs=2, batch_size=32, validation_split=0.2, verbose=0, callbacks=[callback])
    steps = [
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0),
        ("on_train_batch_begin", 1),
        ("on_train_batch_end", 1),
    ]
    tests = [("on_test_begin",), ("on_test_batch_begin", 0), ("on_test_batch_end", 0), ("on_test_end",)]
    epochs = [("on_epoch_begin", 0), *steps, *tests, ("on_epoch_end", 0)]
    epochs += [("on_epoch_begin", 1), *steps, *tests, ("on_epoch_end", 1)]
    assert heard == [("on_train_begin",), *epochs, ("on_train_end",)]


def test_scoring_and_predicting_call_hooks_of_their_own():
    callback, heard = ear()
    model = line()
    model.evaluate(X, Y, verbose=0, callbacks=[callback])
    model.predict(X, verbose=0, callbacks=callback)
    kinds = [("test", 0), ("predict", 0)]
    expected = []
    for kind, _ in kinds:
        expected += [(f"on_{kind}_begin",)]
        for batch in range(2):
            expected += [(f"on_{kind}_batch_begin", batch), (f"on_{kind}_batch_end", batch)]
        expected += [(f"on_{kind}_end",)]
    assert heard == expected


def test_logs_are_the_means_so_far_and_at_the_end_those_of_the_epoch():
    seen = []

    class Logs(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(dict(logs))

        def on_epoch_end(self, epoch, logs=None):
            seen.append(dict(logs))

        def on_train_end(self, logs=None):
            seen.append(dict(logs))

    model = line(metrics=["mae"])
    history = model.fit(X, Y, batch_size=20, shuffle=False, validation_split=0.2, verbose=0, callbacks=[Logs()]).history
    assert [sorted(logs) for logs in seen] == [["loss", "mae"]] * 2 + [["loss", "mae", "val_loss", "val_mae"]] * 2
    assert seen[1]["loss"] == seen[2]["loss"] == history["loss"][0]
    assert seen[-1] == {name: values[-1] for name, values in history.items()}


def test_outputs_of_a_batch_are_in_the_logs_of_predicting():
    parts = []
    end = callbacks.LambdaCallback(on_predict_batch_end=lambda batch, logs: parts.append(logs["outputs"][0]))
    found = line().predict(X, batch_size=20, verbose=0, callbacks=[end])
    assert np.array_equal(np.concatenate(parts), found)


def test_the_older_names_of_hooks_are_called_too():
    heard = []

    class Old(callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            heard.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            heard.append(("end", batch, sorted(logs)))

    line().fit(X, Y, batch_size=25, verbose=0, callbacks=[Old()])
    assert heard == [("begin", 0), ("end", 0, ["loss"]), ("begin", 1), ("end", 1, ["loss"])]


def test_training_ends_when_a_callback_says_so():
    model = line()

    def stop(batch, logs):
        model.stop_training = batch == 1

    history = model.fit(
        X, Y, batch_size=10, epochs=5, verbose=0, callbacks=[callbacks.LambdaCallback(on_train_batch_end=stop)]
    )
    assert history.epoch == [0]
    assert model.session.state.step == 2
    assert model.fit(X, Y, verbose=0).epoch == [0], "a new fit begins anew"


def test_lambda_callback_takes_hooks_alone():
    with pytest.raises(TypeError, match="LambdaCallback takes no 'on_epoch_ended'"):
        callbacks.LambdaCallback(on_epoch_ended=print)


def test_what_is_no_callback_is_refused():
    with pytest.raises(GraphError, match=r"a callback is 3, a int; expected keras.callbacks.Callback"):
        line().fit(X, Y, verbose=0, callbacks=[3])


@pytest.mark.parametrize(
    ("options", "values", "epochs"),
    [
        ({"patience": 0}, [3, 2, 2.5, 1], 3),
        ({"patience": 2}, [3, 2, 2.5, 2.4, 1], 4),
        ({"patience": 2}, [3, 2, 2.5, 1.9, 2, 2, 1], 6),
        ({"patience": 1, "min_delta": 0.6}, [3, 2.5, 2, 1.9], 2),
        ({"patience": 1, "start_from_epoch": 2}, [1, 2, 3, 4, 2, 2], 4),
        ({"patience": 1, "baseline": 0.5}, [3, 2, 1, 0.4], 1 + 1 + 1 + 1),
        ({"patience": 1, "baseline": 0.5}, [3, 3.5, 1], 2),
        ({"patience": 1, "mode": "max"}, [1, 2, 1.5, 3], 3),
        ({"patience": 1, "monitor": "val_accuracy"}, [0.1, 0.2, 0.15, 0.9], 3),
        ({"patience": 1}, [math.nan, math.nan, 1], 2),
    ],
)
def test_early_stopping_waits_as_long_as_it_is_told(options, values, epochs):
    stopping = callbacks.EarlyStopping(**options)
    assert Fed().run(stopping, values, options.get("monitor", "val_loss")) == epochs
    # The wait begins with what is worse than the best so far by more than nothing.
    assert stopping.stopped_epoch == (epochs - 1 if epochs < len(values) else 0)


def test_early_stopping_goes_back_to_the_best_weights(capsys):
    model = Fed()
    model.run(callbacks.EarlyStopping(patience=2, restore_best_weights=True, verbose=1), [3, 1, 2, 4, 0])
    assert model.weights == 1
    said = "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    assert capsys.readouterr().out == said


def test_early_stopping_ends_a_real_training_on_its_best_epoch():
    model, twin = line(0.3), line(0.3)
    stopping = callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=0.05, restore_best_weights=True)
    history = model.fit(X, Y, epochs=50, verbose=0, callbacks=[stopping])
    assert len(history.epoch) == stopping.stopped_epoch + 1 < 50
    twin.fit(X, Y, epochs=stopping.best_epoch + 1, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), twin.get_weights(), strict=True))


def test_what_is_not_there_cannot_be_watched():
    with pytest.warns(
        UserWarning, match=r"EarlyStopping watches 'val_loss', and the epoch has 'loss'; give fit validation"
    ):
        line().fit(X, Y, verbose=0, callbacks=[callbacks.EarlyStopping()])


def test_whether_more_is_better_must_be_known():
    with pytest.raises(GraphError, match="whether 'val_share' is better large or small is not known; say mode='max'"):
        Fed().run(callbacks.EarlyStopping("val_share"), [1, 2], "val_share")
    assert callbacks.EarlyStopping("val_auc").rises
    assert not callbacks.EarlyStopping("val_false_positives").rises
    with pytest.raises(GraphError, match="mode is 'up', expected 'auto', 'min' or 'max'"):
        callbacks.EarlyStopping(mode="up")


@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({"patience": 1}, [3, 2, 2, 2], [0.1, 0.1, 0.01, 0.001]),
        ({"patience": 2, "factor": 0.5}, [3, 3, 3, 3, 3], [0.1, 0.1, 0.05, 0.05, 0.025]),
        ({"patience": 1, "factor": 0.5, "min_lr": 0.04}, [3, 3, 3, 3], [0.1, 0.05, 0.04, 0.04]),
        ({"patience": 1, "factor": 0.5, "cooldown": 2}, [3, 3, 3, 3, 3], [0.1, 0.05, 0.05, 0.025, 0.025]),
        ({"patience": 1, "factor": 0.5, "min_delta": 0.5}, [3, 2.6, 2], [0.1, 0.05, 0.05]),
    ],
)
def test_the_rate_falls_on_a_plateau(options, values, rates):
    model, callback, found = Fed(), callbacks.ReduceLROnPlateau(**options), []
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        logs = {"val_loss": value}
        callback.on_epoch_end(epoch, logs)
        found.append(model.optimizer.learning_rate)
        assert logs["learning_rate"] == ([0.1, *found])[epoch]
    np.testing.assert_allclose(found, rates)


def test_a_factor_of_one_is_refused():
    with pytest.raises(GraphError, match="factor is 1, expected a number between 0 and 1"):
        callbacks.ReduceLROnPlateau(factor=1)


def test_a_scheduler_sets_the_rate_of_every_epoch(capsys):
    model = line()
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate, verbose=1)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[halve]).history
    assert history["learning_rate"] == [0.05, 0.025, 0.0125]
    assert capsys.readouterr().out.splitlines()[1] == "Epoch 2: LearningRateScheduler setting learning rate to 0.025."
    older = callbacks.LearningRateScheduler(lambda epoch: 1.0 / (epoch + 1))
    assert model.fit(X, Y, epochs=2, verbose=0, callbacks=[older]).history["learning_rate"] == [1.0, 0.5]


def test_scheduled_rates_are_those_that_train():
    model, rates = line(), [0.1, 0.0, 0.02]
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: rates[epoch])])
    by_hand = line()
    for epoch, rate in enumerate(rates):
        by_hand.optimizer.learning_rate = rate
        by_hand.fit(X, Y, epochs=epoch + 1, initial_epoch=epoch, verbose=0)
    assert model.digest() == by_hand.digest()


def test_a_rate_may_change_between_two_steps():
    model, by_hand = line(), line()

    def warm(batch, logs):
        model.optimizer.learning_rate = 0.01 * (batch + 1)

    model.fit(
        X, Y, batch_size=10, shuffle=False, verbose=0, callbacks=[callbacks.LambdaCallback(on_train_batch_begin=warm)]
    )
    for batch in range(5):
        by_hand.optimizer.learning_rate = 0.01 * (batch + 1)
        by_hand.train_on_batch(X[batch * 10 : batch * 10 + 10], Y[batch * 10 : batch * 10 + 10])
    assert model.digest() == by_hand.digest()


def test_a_schedule_that_gives_no_float_is_refused():
    with pytest.raises(GraphError, match=r"schedule\(0\) is '0.1', expected a float"):
        line().fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: "0.1")])


def rows_of(path, **options):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, **options))


def test_csv_logger_writes_a_line_an_epoch(tmp_path):
    path = tmp_path / "log.csv"
    model = line(metrics=["mae"])
    history = model.fit(
        X, Y, epochs=3, validation_split=0.2, verbose=0, callbacks=[callbacks.CSVLogger(path, separator=";")]
    ).history
    names, *rows = rows_of(path, delimiter=";")
    assert names == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    for epoch, row in enumerate(rows):
        assert [float(cell) for cell in row] == [epoch, *(history[name][epoch] for name in names[1:])]


def test_csv_logger_goes_on_in_a_file_or_begins_anew(tmp_path):
    path = tmp_path / "log.csv"
    model = line()
    for append in (False, True, False, True):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.CSVLogger(path, append=append)])
    assert [row[0] for row in rows_of(path)] == ["epoch", "0", "0"]
    with pytest.raises(WriteError, match="cannot write"):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.CSVLogger(tmp_path / "absent" / "log.csv")])


def test_scores_that_come_only_now_and_then_are_na_in_a_table(tmp_path):
    model = line()
    log = callbacks.CSVLogger(tmp_path / "log.csv")
    model.fit(X, Y, epochs=2, validation_data=(X, Y), validation_freq=2, verbose=0, callbacks=[log])
    names, first, second = rows_of(tmp_path / "log.csv")
    assert names == ["epoch", "loss", "val_loss"]
    assert first[2] == "NA"
    assert float(second[2]) > 0


def test_a_loss_that_is_no_number_ends_training(capsys):
    model = line(1e20)
    history = model.fit(X, Y, epochs=9, batch_size=25, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) < 9
    assert "the loss is " in capsys.readouterr().out


def test_messages_stand_on_lines_of_their_own_beside_the_progress(capsys):
    line().fit(X, Y, epochs=2, batch_size=50, verbose=2, callbacks=[callbacks.LearningRateScheduler(lambda e: 0.1, 1)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1: LearningRateScheduler setting learning rate to 0.1."
    assert lines[1] == "Epoch 1/2"
    assert lines[2].startswith("1/1 - 0s ")
    assert lines[2].endswith("learning_rate: 0.1000")


def test_hooks_are_always_given_a_dict():
    heard = []

    class Strict(callbacks.Callback):
        """Hooks without defaults, as users write them."""

    def listening(name):
        return lambda self, *arguments: heard.append((name, type(arguments[-1])))

    for name in dir(callbacks.Callback):
        if name.startswith("on_") and name not in ("on_batch_begin", "on_batch_end", "on_interrupt"):
            setattr(Strict, name, listening(name))
    model = line()
    model.fit(X, Y, validation_split=0.5, verbose=0, callbacks=[Strict()])
    model.predict(X, verbose=0, callbacks=[Strict()])
    assert {kind for _, kind in heard} == {dict}
    assert len({name for name, _ in heard}) == 14
