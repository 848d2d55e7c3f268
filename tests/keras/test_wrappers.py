"""Models as scikit-learn's estimators."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError
from graphdl.keras import layers
from graphdl.keras.wrappers import KerasClassifier, KerasRegressor

RNG = np.random.default_rng(1)
X = RNG.normal(size=(90, 2)).astype("float32")
AMOUNTS = X @ [2.0, -1.0] + 3
NAMES = np.array(["low", "middle", "high"])[np.digitize(X[:, 0], [-0.5, 0.5])]


def line(rate=0.1):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def sorter(units=16, loss="sparse_categorical_crossentropy"):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(units, "tanh"), layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.Adam(0.05), loss)
    return model


def test_a_regressor_fits_predicts_and_scores():
    estimator = KerasRegressor(line, epochs=30, verbose=0).fit(X, AMOUNTS)
    found = estimator.predict(X)
    assert found.shape == (90,)
    left = ((AMOUNTS - found) ** 2).sum() / ((AMOUNTS - AMOUNTS.mean()) ** 2).sum()
    assert estimator.score(X, AMOUNTS) == pytest.approx(1 - left)
    assert estimator.score(X, AMOUNTS) > 0.99
    assert len(estimator.history_.epoch) == 30


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_a_classifier_answers_in_the_labels_it_was_given(loss):
    estimator = KerasClassifier(sorter, loss=loss, epochs=40, verbose=0).fit(X, NAMES)
    assert estimator.classes_.tolist() == ["high", "low", "middle"]
    assert set(estimator.predict(X)) <= set(NAMES)
    assert estimator.score(X, NAMES) == np.mean(estimator.predict(X) == NAMES) > 0.9
    np.testing.assert_allclose(estimator.predict_proba(X).sum(1), 1, rtol=1e-5)


def test_two_classes_need_one_probability():
    def gate():
        model = keras.Sequential([keras.Input((2,)), layers.Dense(1, "sigmoid")])
        model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy")
        return model

    labels = np.where(X[:, 0] > 0, "yes", "no")
    estimator = KerasClassifier(build_fn=gate, epochs=30, batch_size=10, verbose=0).fit(X, labels)
    assert estimator.score(X, labels) > 0.95
    assert estimator.predict_proba(X).shape == (90, 2)


def test_parameters_go_to_the_function_or_to_fit():
    estimator = KerasRegressor(line, rate=0.0, epochs=2, verbose=0)
    assert estimator.get_params() == {"model": line, "rate": 0.0, "epochs": 2, "verbose": 0}
    before = estimator.fit(X, AMOUNTS).score(X, AMOUNTS)
    assert len(estimator.history_.epoch) == 2
    assert estimator.set_params(rate=0.1, epochs=20).fit(X, AMOUNTS).score(X, AMOUNTS) > before
    assert estimator.fit(X, AMOUNTS, epochs=1).history_.epoch == [0]
    with pytest.raises(TypeError, match="takes no 'rates'; neither its model's function nor fit does"):
        KerasRegressor(line, rates=0.1)


def test_a_model_is_taken_over_as_it_was_made():
    model = line()
    first = KerasRegressor(model, epochs=2, verbose=0).fit(X, AMOUNTS).predict(X)
    second = KerasRegressor(model, epochs=2, verbose=0).fit(X, AMOUNTS).predict(X)
    assert np.array_equal(first, second), "each fit begins anew"
    with pytest.raises(GraphError, match="has not been fitted"):
        KerasRegressor(model).predict(X)
    with pytest.raises(GraphError, match="model is a function that returns a compiled model, found 3"):
        KerasRegressor(3)


def test_scikit_learn_knows_them():
    selection = pytest.importorskip("sklearn.model_selection")
    base = pytest.importorskip("sklearn.base")
    estimator = KerasClassifier(sorter, epochs=20, verbose=0)
    assert base.is_classifier(estimator)
    assert base.is_regressor(KerasRegressor(line))
    scores = selection.cross_val_score(estimator, X, NAMES, cv=3)
    assert len(scores) == 3
    assert scores.mean() > 0.8
    search = selection.GridSearchCV(KerasRegressor(line, verbose=0), {"epochs": [1, 20]}, cv=2).fit(X, AMOUNTS)
    assert search.best_params_ == {"epochs": 20}
