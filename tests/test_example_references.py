"""What the examples on real data compare themselves with, against scikit-learn; and that they are as good."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture
def example(example_data):
    """Loads an example, which finds its data where it would have downloaded them to."""

    def load(name):
        example_data(name)
        spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_the_linear_regression_of_credit_card_is_that_of_scikit_learn(example):
    linear_model = pytest.importorskip("sklearn.linear_model")
    credit = example("credit_card")
    for x, new in ((credit.x_train, credit.x_test), (credit.c_train, credit.c_test)):
        theirs = linear_model.LinearRegression().fit(x, credit.y_train)
        ours = credit.linear(x, credit.y_train, new)
        np.testing.assert_allclose(ours, theirs.predict(new), rtol=1e-6)
        assert credit.explained(credit.y_test, ours) == pytest.approx(theirs.score(new, credit.y_test))


def test_the_share_is_told_by_the_expenditure(example):
    credit = example("credit_card")
    told = 12 * credit.table.column("expenditure") / (10_000 * credit.table.column("income"))
    assert np.corrcoef(told, credit.y)[0, 1] > 0.999
    credit.model.fit(credit.x_train, credit.y_train, epochs=60, verbose=0)
    found = credit.explained(credit.y_test, credit.model.predict(credit.x_test, verbose=0))
    assert found > credit.explained(credit.y_test, credit.linear(credit.x_train, credit.y_train, credit.x_test))


def test_the_logistic_regression_of_infert_is_that_of_scikit_learn(example):
    linear_model = pytest.importorskip("sklearn.linear_model")
    infert = example("infert")
    scaler = infert.StandardScaler().fit(infert.x_train)
    theirs = linear_model.LogisticRegression(C=1e12, tol=1e-12, max_iter=10_000).fit(
        scaler.transform(infert.x_train), infert.y_train
    )
    ours = infert.logistic(infert.x_train, infert.y_train, infert.x_test)
    np.testing.assert_allclose(ours, theirs.predict_proba(scaler.transform(infert.x_test))[:, 1], atol=1e-4)


def test_two_hidden_layers_are_as_good_as_logistic_regression(example):
    infert = example("infert")
    infert.model.fit(infert.x_train, infert.y_train, epochs=60, batch_size=16, verbose=0)
    ours = (infert.model.predict(infert.x_test, verbose=0)[:, 0] > 0.5) == infert.y_test
    theirs = (infert.logistic(infert.x_train, infert.y_train, infert.x_test) > 0.5) == infert.y_test
    assert ours.mean() >= theirs.mean()
