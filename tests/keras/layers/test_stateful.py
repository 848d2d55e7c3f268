"""Recurrent layers that go on from batch to batch: in predictions, scores, training and the exported script."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import DataError, GraphError, ShapeError
from graphdl.export.script import write_script
from graphdl.keras import layers

from .sequences import written_out

RNG = np.random.default_rng(2)
X = RNG.normal(size=(12, 5, 3)).astype("float32")
Y = RNG.normal(size=(12, 2)).astype("float32")


def model_of(*hidden, batch_size=4):
    model = keras.Sequential([keras.Input((5, 3), batch_size=batch_size), *hidden, layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def predicted(model, x=X):
    return model.predict(x, batch_size=4, verbose=0)


@pytest.mark.parametrize("options", [{}, {"unroll": True}, {"go_backwards": True}], ids=["loop", "unrolled", "back"])
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_a_batch_goes_on_from_the_last_states_of_the_one_before(kind, options):
    model = keras.Sequential(
        [keras.Input((5, 3), batch_size=4), getattr(layers, kind)(6, stateful=True, return_sequences=True, **options)]
    )
    weights, states, expected = model.get_weights(), None, []
    for start in (0, 4, 8):
        ys, states = written_out(
            kind, weights, X[start : start + 4], states, backwards=options.get("go_backwards", False)
        )
        expected.append(ys[:, ::-1] if "go_backwards" in options else ys)
    np.testing.assert_allclose(predicted(model), np.concatenate(expected), atol=1e-5)
    np.testing.assert_allclose(model.layers[0].get_weights()[0], weights[0])
    model.reset_states()
    np.testing.assert_allclose(predicted(model), np.concatenate(expected), atol=1e-5)


def test_scores_and_single_calls_go_on_too():
    model = model_of(layers.GRU(6, stateful=True))
    first = predicted(model)
    model.reset_states()
    model.evaluate(X, Y, batch_size=4, verbose=0)
    second = np.asarray(model(X[:4]))
    third = np.asarray(model.predict_on_batch(X[4:8]))
    model.reset_states()
    assert (predicted(model) == first).all()
    again = predicted(model)
    assert (again[:4] == second).all()
    assert (again[4:8] == third).all()
    assert (again != first).any()


def test_training_goes_on_and_no_gradient_goes_back_beyond_the_batch():
    """Against a twin that is handed the states as inputs, as `initial_state`, and gives them back."""
    model = model_of(layers.LSTM(6, stateful=True))
    inputs, h, c = keras.Input((5, 3)), keras.Input((6,), name="h"), keras.Input((6,), name="c")
    y, *states = layers.LSTM(6, return_state=True)(inputs, initial_state=[h, c])
    twin = keras.Model([inputs, h, c], layers.Dense(2)(y))
    ask = keras.Model([inputs, h, c], states)
    twin.compile(keras.optimizers.SGD(0.1), "mse")
    twin.set_weights(model.get_weights())
    carried = [np.zeros((4, 6), "float32")] * 2
    for start in (0, 4, 8):
        x, target = X[start : start + 4], Y[start : start + 4]
        after = ask.predict([x, *carried], verbose=0)
        losses = [model.train_on_batch(x, target), twin.train_on_batch([x, *carried], target)]
        np.testing.assert_allclose(*losses, rtol=1e-5)
        carried = after
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_states_are_no_weights():
    model = model_of(layers.LSTM(6, stateful=True))
    assert [w.name for w in model.weights] == ["kernel", "recurrent_kernel", "bias", "kernel", "bias"]
    assert model.layers[0].non_trainable_weights == []


def test_a_mask_leaves_states_as_they_are():
    model = keras.Sequential(
        [keras.Input((5, 3), batch_size=4), layers.Masking(), layers.GRU(6, stateful=True), layers.Dense(2)]
    )
    blank = np.zeros_like(X[:4])
    first = model.predict(X[:4], batch_size=4, verbose=0)
    again = model.predict(blank, batch_size=4, verbose=0)
    model.reset_states()
    assert (model.predict(X[:4], batch_size=4, verbose=0) == first).all()
    assert (model.predict(X[4:8], batch_size=4, verbose=0) != again).any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Bidirectional(layers.LSTM(4, stateful=True)),
        lambda: layers.RNN([layers.GRUCell(4), layers.LSTMCell(3)], stateful=True),
        lambda: keras.Sequential([keras.Input((5, 3), batch_size=4), layers.GRU(4, stateful=True)]),
    ],
    ids=["both directions", "stacked", "nested model"],
)
def test_layers_around_a_layer_that_keeps_states(make):
    model = model_of(make())
    first = predicted(model)
    assert (predicted(model) != first).any()
    model.reset_states()
    assert (predicted(model) == first).all()


def test_states_may_be_set():
    model = model_of(layers.GRU(6, stateful=True))
    predicted(model, X[:4])
    second = predicted(model, X[4:8])
    model.reset_states()
    _, states = written_out("GRU", model.get_weights()[:3], X[:4])
    model.layers[0].reset_states(states)
    np.testing.assert_allclose(predicted(model, X[4:8]), second, atol=1e-5)
    with pytest.raises(GraphError, match="reset_states: found 2 arrays, expected 1"):
        model.layers[0].reset_states([states[0], states[0]])


def test_older_notes_say_the_batch_size_in_the_first_layer(tmp_path):
    model = keras.Sequential([layers.LSTM(4, stateful=True, batch_input_shape=(4, 5, 3)), layers.Dense(1)])
    first = predicted(model)
    model.save(tmp_path / "model.graphdl")
    loaded = keras.models.load_model(tmp_path / "model.graphdl")
    assert loaded.input.shape == (4, 5, 3)
    assert (predicted(loaded) == first).all()
    assert keras.Input(batch_shape=(2, 7)).shape == (2, 7)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_exported_script_keeps_states_as_the_session_does(tmp_path, style):
    model = model_of(layers.LSTM(6, stateful=True, dropout=0.3, return_sequences=True), layers.GRU(4, stateful=True))
    write_script(tmp_path / "train.py", model, (X, Y), style=style, epochs=2, batch_size=4, test_data=(X, Y))
    model.fit(X, Y, epochs=2, batch_size=4, verbose=0)
    score = model.evaluate(X, Y, batch_size=4, verbose=0)
    ran = subprocess.run([sys.executable, tmp_path / "train.py", "--digest"], capture_output=True, text=True)
    *_, test, digest = ran.stdout.split("\n")[:-1]
    assert digest == model.digest(), ran.stderr
    assert test == f"test  loss {score:.6g}"


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (
            lambda: layers.GRU(2, stateful=True)(keras.Input((5, 3))),
            ShapeError,
            r"stateful=True keeps states for each example of a batch, and the inputs are \(None, 5, 3\); say how many",
        ),
        (
            lambda: predicted(model_of(layers.GRU(2, stateful=True), batch_size=3)),
            DataError,
            r"f32\[3, 5, 3\], and a batch of 4 comes; the batch size is fixed: give batch_size=3",
        ),
        (
            lambda: model_of(layers.GRU(2, stateful=True)).fit(X[:6], Y[:6], batch_size=4, verbose=0),
            DataError,
            "a batch of 2 comes; the batch size is fixed",
        ),
    ],
)
def test_a_fixed_batch_size_is_asked_for(make, kind, text):
    with pytest.raises(kind, match=text):
        make()


def test_a_layer_that_keeps_states_is_called_once():
    inputs, made = keras.Input((5, 3), batch_size=4), layers.GRU(2, stateful=True)
    model = keras.Model(inputs, layers.Add()([made(inputs), made(inputs * 2.0)]))
    with pytest.raises(GraphError, match="gru is called twice in one model, and each call changes gru/h"):
        model.predict(X, batch_size=4, verbose=0)


def test_the_shape_of_a_result_needs_no_batch_size():
    made = layers.GRU(2, stateful=True, return_state=True)
    assert made.compute_output_shape((None, 5, 3)) == [(None, 2), (None, 2)]
