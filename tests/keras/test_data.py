"""Bad data are refused before anything is trained, each with a message that says where."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import DataError
from graphdl.keras import layers

X = np.ones((6, 4), "float32")
Y = np.ones((6, 1), "float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])
HOT = np.eye(3)[LABELS]


def regression():
    model = keras.Sequential([layers.Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    return model


def classifier(loss="sparse_categorical_crossentropy"):
    model = keras.Sequential([layers.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


def binary():
    model = keras.Sequential([layers.Dense(1, activation="sigmoid", input_shape=(4,))])
    model.compile("sgd", "binary_crossentropy")
    return model


def changed(array, place, value):
    copy = np.array(array, dtype="float64")
    copy[place] = value
    return copy


@pytest.mark.parametrize(
    ("model", "x", "y", "message"),
    [
        (regression, changed(X, (3, 2), np.nan), Y, "x has nan at row 3, column 2; fill or drop such examples"),
        (regression, changed(X, (3, slice(2, 4)), np.inf), Y, "x has inf at row 3, column 2 (2 in all)"),
        (regression, X, changed(Y, (5, 0), -np.inf), "y has -inf at row 5, column 0"),
        (regression, changed(X, (1, 1), 1e300), Y, "x has 1e+300 at row 1, column 1, too large for float32"),
        (regression, X, Y[:5], "x has 6 examples and y has 5; each example needs both"),
        (regression, X[:0], Y[:0], "x has 0 examples, expected at least 1"),
        (regression, X[:, :3], Y, "x has shape (6, 3), expected f32[N, 4]"),
        (regression, X[0], Y, "x has shape (4,), expected f32[N, 4]; one example needs a batch axis too: x[None]"),
        (
            regression,
            X.reshape(6, 2, 2),
            Y,
            "x has shape (6, 2, 2), expected f32[N, 4]; reshape it to (6, 4), or begin",
        ),
        (regression, X, np.ones((6, 2)), "y has shape (6, 2), expected f32[N, 1]"),
        (
            regression,
            np.array([["a"] * 4] * 6),
            Y,
            "x is an array of <U1, expected numbers; encode text as numbers first",
        ),
        (
            regression,
            np.full((6, 4), None),
            Y,
            "x is an array of object, expected numbers; its rows may differ in length",
        ),
        (regression, [[1, 2, 3, 4], [1, 2]], Y, "x is a ragged list, expected examples of one shape"),
        (regression, X.astype("complex64"), Y, "x is an array of complex64, expected numbers"),
        (regression, X, None, "y is missing"),
        (regression, None, Y, "x is missing"),
        (regression, {"z": X}, Y, "x names 'z'. There is 'x'"),
        (
            classifier,
            X,
            LABELS + 1,
            "y has labels from 1 to 3, first 3 at row 2; expected 0 to 2, one for each of 3 outputs; "
            "labels that begin at 1 need y - 1",
        ),
        (classifier, X, LABELS - 1, "y has labels from -1 to 1, first -1 at row 0; expected 0 to 2"),
        (classifier, X, LABELS + 0.5, "y has 0.5 at row 0; sparse_categorical_crossentropy takes whole class numbers"),
        (
            classifier,
            X,
            HOT,
            "y has shape (6, 3), a row for each example, and sparse_categorical_crossentropy takes integers; "
            "use loss='categorical_crossentropy'",
        ),
        (
            lambda: classifier("categorical_crossentropy"),
            X,
            LABELS,
            "y has shape (6,), categorical_crossentropy takes f32[N, 3], a row for each example; "
            "for integers use loss='sparse_categorical_crossentropy'",
        ),
        (lambda: classifier("categorical_crossentropy"), X, LABELS[:, None], "keras.utils.to_categorical(y, 3)"),
    ],
)
def test_bad_data_are_refused(model, x, y, message):
    made = model()
    before = made.digest()
    for act in (made.fit, made.evaluate, made.train_on_batch):
        with pytest.raises(DataError) as caught:
            act(x, y)
        assert message in str(caught.value)
    assert made.digest() == before


@pytest.mark.parametrize(
    ("model", "x", "y"),
    [
        (regression, X.astype("float64"), Y[:, 0]),
        (regression, X.astype("int8"), Y.astype(bool)),
        (regression, X.tolist(), Y.tolist()),
        (regression, np.asfortranarray(X), Y),
        (regression, X[::-1], Y[::-1]),
        (regression, {"x": X}, [Y]),
        (classifier, X, LABELS.astype("uint8")),
        (classifier, X, LABELS.astype("float32")),
        (classifier, X, LABELS[:, None]),
        (lambda: classifier("categorical_crossentropy"), X, HOT),
        (binary, X, [True, False] * 3),
    ],
)
def test_data_that_only_look_different_are_taken(model, x, y):
    assert np.isfinite(model().fit(x, y, verbose=0).history["loss"][0])


def test_several_inputs_are_named_in_messages():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model([a, b], layers.Dense(1)(a + b))
    model.compile("sgd", "mse")
    with pytest.raises(DataError, match=r"x\['b'\] has nan at row 0, column 0"):
        model.fit([X, X * np.nan], Y)
    with pytest.raises(DataError, match=r"x is one array, expected a list or dict of 2: 'a', 'b'"):
        model.fit(X, Y)
    with pytest.raises(DataError, match=r"x lacks 'b'; it gives 'a'"):
        model.fit({"a": X}, Y)
    with pytest.raises(DataError, match=r"x\['a'\] has 6 examples and x\['b'\] has 5"):
        model.fit([X, X[:5]], Y)


def test_bad_validation_data_are_named_as_such():
    with pytest.raises(DataError, match="validation_data: x has 6 examples and y has 2"):
        regression().fit(X, Y, validation_data=(X, Y[:2]), verbose=0)
    with pytest.raises(DataError, match=r"validation_data is a ndarray, expected a pair \(x, y\)"):
        regression().fit(X, Y, validation_data=X, verbose=0)
    with pytest.raises(DataError, match=r"validation_split=0.5 of 1 examples leaves 0 to train on and 1 to score"):
        regression().fit(X[:1], Y[:1], validation_split=0.5, verbose=0)


def test_predict_checks_its_examples_too():
    with pytest.raises(DataError, match=r"x has shape \(6, 3\), expected f32\[N, 4\]"):
        regression().predict(X[:, :3], verbose=0)
    with pytest.raises(DataError, match="x has nan at row 0, column 0"):
        regression().predict(X * np.nan, verbose=0)


def test_an_integer_input_takes_whole_numbers_only():
    inputs = keras.Input((2,), dtype="int32", name="ids")
    import graphdl as gd

    model = keras.Model(inputs, layers.Dense(1)(gd.cast(inputs, "float32")))
    assert model.predict(np.array([[1.0, 2.0]]), verbose=0).shape == (1, 1)
    with pytest.raises(DataError, match=r"x has 2.5 at row 0, column 1, which is no i32"):
        model.predict(np.array([[1.0, 2.5]]), verbose=0)


def test_one_hot_rows_of_labels():
    assert keras.utils.to_categorical([2, 0]).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert keras.utils.to_categorical([[1], [0]], 3).tolist() == [[0, 1, 0], [1, 0, 0]]
    with pytest.raises(DataError, match="found classes from 0 to 4, expected 0 to 2"):
        keras.utils.to_categorical([0, 4], 3)
    with pytest.raises(DataError, match="that are not whole"):
        keras.utils.to_categorical([0.5])
