"""Callbacks beside those of Keras: the same hooks with the same arguments, the same decisions over the same numbers."""

from __future__ import annotations

import math
import random
import warnings

import numpy as np
import pytest

from graphdl import keras
from tests.keras.beside import original, trained

RNG = np.random.default_rng(5)
X = RNG.standard_normal((20, 1)).astype("float32")
Y = (X > 0).astype("float32")


def line(k):
    model = k.Sequential([k.Input((1,)), k.layers.Dense(1, activation="sigmoid")])
    model.compile(k.optimizers.SGD(1.0), "binary_crossentropy", metrics=["accuracy"])
    return model


def spy(k, heard):
    """A callback that writes down every hook, with its arguments; of logs, their names."""

    class Spy(k.callbacks.Callback):
        def set_params(self, params):
            heard.append(("set_params", params["epochs"], params["steps"]))
            super().set_params(params)

    def listening(name):
        def hook(self, *places, logs=None):
            logs = places[-1] if logs is None else logs
            heard.append((name, *(place for place in places if place is not logs), sorted(logs)))

        return hook

    for name in dir(k.callbacks.Callback):
        if name.startswith("on_") and name not in ("on_batch_begin", "on_batch_end", "on_interrupt"):
            setattr(Spy, name, listening(name))
    return Spy()


def everything_heard(k):
    heard = []
    model = line(k)
    model.fit(X, Y, batch_size=8, epochs=2, validation_split=0.2, verbose=0, callbacks=[spy(k, heard)])
    model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=[spy(k, heard)])
    model.predict(X, batch_size=8, verbose=0, callbacks=[spy(k, heard)])
    return heard


@trained
def test_hooks_are_those_of_keras_in_their_order():
    ours = everything_heard(keras)
    assert ours == everything_heard(original)
    assert len(ours) == 41


def numbers(chance):
    """What an epoch may end with: numbers that repeat, one that is missing, infinite or no number now and then."""
    found = [round(chance.uniform(0, 2), chance.choice([0, 1, 3])) for _ in range(chance.randint(3, 12))]
    if chance.random() < 0.3:
        found[chance.randrange(len(found))] = chance.choice([None, math.nan, math.inf])
    return found


def told(callback, model, values, watched):
    """What `watched` says after each epoch that ended with one of the values."""
    callback.set_model(model)
    callback.set_params({"epochs": len(values), "steps": 1})
    model.stop_training = False
    model.optimizer.learning_rate = 1.0
    callback.on_train_begin()
    found = []
    for epoch, value in enumerate(values):
        model.set_weights([np.full((1, 1), float(epoch)), np.zeros(1)])
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": 1.0} if value is None else {"loss": 1.0, "val_loss": value})
        found.append(watched(callback, model))
        if model.stop_training:
            break
    callback.on_train_end()
    return found, float(model.get_weights()[0][0, 0])


def agree(kind, options, values, watched):
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in (original, keras):
            found.append(told(getattr(k.callbacks, kind)(**options), MODELS[k.__name__](k), values, watched))
    assert found[0] == found[1], f"{kind}({options}) over {values}"


def model_once():
    made = {}
    return lambda k: made.setdefault(k.__name__, line(k))


MODELS = dict.fromkeys(("keras", "graphdl.keras"), model_once())


def test_early_stopping_decides_as_in_keras():
    chance = random.Random(1)
    for _ in range(80):
        options = {
            "min_delta": chance.choice([0, 0.1, -0.1, 0.5]),
            "patience": chance.randint(0, 4),
            "mode": chance.choice(["min", "max"]),
            "baseline": chance.choice([None, 0.5, 1.0]),
            "restore_best_weights": chance.random() < 0.5,
            "start_from_epoch": chance.choice([0, 0, 2]),
        }
        agree(
            "EarlyStopping",
            options,
            numbers(chance),
            lambda callback, model: (callback.wait, callback.stopped_epoch, bool(model.stop_training)),
        )


def test_the_rate_falls_as_in_keras():
    chance = random.Random(2)
    for _ in range(80):
        options = {
            "factor": chance.choice([0.1, 0.5, 0.9]),
            "patience": chance.randint(0, 3),
            "mode": chance.choice(["min", "max"]),
            "min_delta": chance.choice([0, 1e-4, 0.2]),
            "cooldown": chance.randint(0, 3),
            "min_lr": chance.choice([0, 0.05, 0.3]),
        }
        agree(
            "ReduceLROnPlateau",
            options,
            numbers(chance),
            lambda callback, model: (
                callback.wait,
                callback.cooldown_counter,
                pytest.approx(float(model.optimizer.learning_rate), rel=1e-5),
            ),
        )


def test_the_best_model_is_saved_as_in_keras(tmp_path, monkeypatch):
    chance = random.Random(3)
    for _ in range(60):
        options = {
            "filepath": str(tmp_path / "w{epoch:02d}.weights.h5"),
            "mode": chance.choice(["min", "max"]),
            "save_best_only": chance.random() < 0.7,
            "save_weights_only": True,
            "initial_value_threshold": chance.choice([None, 0.5, 1.0]),
        }
        saved = []
        for k in (original, keras):
            monkeypatch.setattr(MODELS[k.__name__](k), "save_weights", lambda path, **_: saved.append(path))
        agree("ModelCheckpoint", options, numbers(chance), lambda *_: [saved.pop() for _ in saved[:]])
