"""What a saved model is asked by and answers in, and the rate it goes on at."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.keras import layers

RNG = np.random.default_rng(6)
X = RNG.standard_normal((24, 3)).astype("float32")
Y = X.sum(axis=1)


def copied(model, folder):
    model.save(folder / "m.graphdl")
    return keras.models.load_model(folder / "m.graphdl")


def heads(outputs):
    x = keras.Input((3,), name="x")
    a, b = layers.Dense(1, name="left")(x), layers.Dense(2, name="right")(x)
    return keras.Model({"measured": x}, outputs(a, b))


@pytest.mark.parametrize(
    "outputs",
    [lambda a, b: {"a": a, "b": b}, lambda a, b: {"left": a, "right": b}, lambda a, b: [b, a], lambda a, b: a],
    ids=["names", "names of layers", "list", "one"],
)
def test_inputs_and_outputs_keep_their_names_and_their_form(tmp_path, outputs):
    model = heads(outputs)
    back = copied(model, tmp_path)
    before, after = (m.predict({"measured": X}, verbose=0) for m in (model, back))
    assert type(before) is type(after)
    if isinstance(before, dict):
        assert list(before) == list(after)
        before, after = list(before.values()), list(after.values())
    for mine, theirs in zip(before, after, strict=True):
        assert (mine == theirs).all()


def test_a_clone_answers_in_the_same_form():
    model = heads(lambda a, b: {"a": a, "b": b})
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    before, after = model.predict(X, verbose=0), copy.predict(X, verbose=0)
    assert list(after) == ["a", "b"]
    assert all((before[name] == after[name]).all() for name in before)


def test_a_model_of_parts_that_ran_apart_comes_back(tmp_path):
    parts = [keras.Sequential([keras.Input((3,)), layers.Dense(2, "tanh"), layers.Dropout(0.2)]) for _ in "ab"]
    for part in parts:
        part.predict(X, verbose=0)
    model = keras.Model([p.input for p in parts], layers.Dense(1)(parts[0].output * parts[1].output))
    back = copied(model, tmp_path)
    assert (back.predict([X, -X], verbose=0) == model.predict([X, -X], verbose=0)).all()
    assert (model.predict([X, -X], verbose=0) != model.predict([-X, -X], verbose=0)).any()


def test_a_schedule_goes_on_where_it_stopped(tmp_path):
    def model():
        keras.utils.set_random_seed(1)
        made = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
        made.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5)), "mse")
        return made

    whole, half = model(), model()
    whole.fit(X, Y, batch_size=8, epochs=4, verbose=0)
    half.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    back = copied(half, tmp_path)
    assert back.optimizer.learning_rate == half.optimizer.learning_rate == pytest.approx(0.1 * 0.5 ** (6 / 4))
    back.fit(X, Y, batch_size=8, epochs=4, initial_epoch=2, verbose=0)
    assert back.digest() == whole.digest()
