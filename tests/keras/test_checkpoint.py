"""Saving as training goes on: when, under what name, and what is said at the end."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError
from graphdl.keras import layers
from graphdl.keras.callbacks import ModelCheckpoint

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def line(rate=0.05):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_names_are_filled_in(tmp_path):
    model = line()
    path = tmp_path / "run" / "w-{epoch:02d}-{val_loss:.2f}.npz"
    history = model.fit(
        X, Y, epochs=2, validation_split=0.2, verbose=0, callbacks=[ModelCheckpoint(path, save_weights_only=True)]
    ).history
    assert names(tmp_path / "run") == [f"w-{e + 1:02d}-{history['val_loss'][e]:.2f}.npz" for e in range(2)]


def test_a_name_that_cannot_be_filled_in_is_refused(tmp_path):
    with pytest.raises(GraphError, match=r"cannot be filled in \('val_acc'\); there is 'epoch', 'loss'"):
        line().fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "{val_acc}.npz", save_weights_only=True)])


def test_the_best_weights_are_kept_and_the_last_are_in_the_model(tmp_path, capsys):
    model, path = line(), tmp_path / "best.ckpt"
    rates = [0.05, 0.05, 2.0, 0.05]
    best = ModelCheckpoint(
        filepath=str(path), save_weights_only=True, save_best_only=True, monitor="val_loss", verbose=1
    )
    history = model.fit(
        X,
        Y,
        epochs=4,
        validation_data=(X, Y),
        verbose=0,
        callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch]), best],
    ).history["val_loss"]
    assert min(history) == history[1]
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        f"Epoch 1: val_loss improved from none to {history[0]:.5f}, saving weights to {path}",
        f"Epoch 2: val_loss improved from {history[0]:.5f} to {history[1]:.5f}, saving weights to {path}",
        f"Epoch 3: val_loss did not improve from {history[1]:.5f}",
    ]
    assert lines[4] == (
        "the model holds the weights of the last epoch, 4; those of epoch 2, the best val_loss, "
        f"come back with model.load_weights({str(path)!r})"
    )
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(history[3])
    model.load_weights(path)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(history[1])


def test_nothing_is_said_where_the_last_epoch_was_the_best(tmp_path, capsys):
    best = ModelCheckpoint(tmp_path / "w.npz", "loss", save_best_only=True, save_weights_only=True)
    history = line().fit(X, Y, epochs=3, verbose=0, callbacks=[best]).history["loss"]
    assert history == sorted(history, reverse=True)
    assert capsys.readouterr().out == ""


def test_an_initial_threshold_must_be_beaten(tmp_path):
    callback = ModelCheckpoint(
        tmp_path / "w.npz", "loss", save_best_only=True, save_weights_only=True, initial_value_threshold=1e-9
    )
    line().fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    assert names(tmp_path) == []


def test_steps_may_be_counted_across_epochs(tmp_path):
    callback = ModelCheckpoint(tmp_path / "{epoch}-{batch}.npz", save_weights_only=True, save_freq=5)
    line().fit(X, Y, epochs=3, batch_size=20, verbose=0, callbacks=[callback])
    assert names(tmp_path) == ["2-2.npz"], "nine steps, three an epoch: the fifth is the second of epoch 2"
    with pytest.raises(GraphError, match="save_freq is 'batch', expected 'epoch' or an integer from 1"):
        ModelCheckpoint("w.npz", save_freq="batch")


def test_whether_the_number_can_be_watched_is_known_before_training(tmp_path):
    with pytest.raises(GraphError, match="say mode='max' or mode='min'"):
        line().fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "w.npz", "price", save_best_only=True)])


def test_a_number_that_is_not_there_is_warned_of_and_saved_all_the_same(tmp_path):
    callback = ModelCheckpoint(tmp_path / "w.npz", save_best_only=True, save_weights_only=True)
    with pytest.warns(UserWarning, match="saves weights without comparing: 'val_loss' is not among 'loss'"):
        line().fit(X, Y, verbose=0, callbacks=[callback])
    assert names(tmp_path) == ["w.npz"]


def test_whole_models_are_saved_unless_weights_alone_are_asked_for(tmp_path):
    model = line()
    model.fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "m.graphdl")])
    again = keras.models.load_model(tmp_path / "m.graphdl")
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
