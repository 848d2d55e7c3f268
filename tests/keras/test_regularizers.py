"""Regularisers and constraints against NumPy, and in models."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import constraints, regularizers
from graphdl.keras.lookup import serialize

W = np.random.default_rng(3).normal(size=(5, 3))
matrices = arrays("float64", (4, 3), elements=st.floats(-1e3, 1e3))


def run(made, w=W):
    return gd.Session().run(made(gd.constant(w)))


def norms(w, axis=0):
    return np.sqrt((w**2).sum(axis, keepdims=True))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (regularizers.L1(0.1), 0.1 * np.abs(W).sum()),
        (regularizers.L2(0.1), 0.1 * (W**2).sum()),
        (regularizers.L1L2(0.1, 0.2), 0.1 * np.abs(W).sum() + 0.2 * (W**2).sum()),
        (regularizers.L1L2(l2=0.2), 0.2 * (W**2).sum()),
        (regularizers.L1L2(), 0.0),
        (regularizers.l1(), 0.01 * np.abs(W).sum()),
        (regularizers.get("l2"), 0.01 * (W**2).sum()),
    ],
    ids=str,
)
def test_a_regularizer_is_its_formula(made, expected):
    np.testing.assert_allclose(run(made), expected, rtol=1e-12)


@pytest.mark.parametrize(("mode", "w"), [("rows", W), ("columns", W.T)])
def test_the_orthogonal_one_is_the_mean_size_of_cosines(mode, w):
    rows = W / np.linalg.norm(W, axis=1, keepdims=True)
    cosines = [abs(rows[i] @ rows[j]) for i in range(5) for j in range(i)]
    found = run(regularizers.OrthogonalRegularizer(0.3, mode), w)
    np.testing.assert_allclose(found, 0.3 * np.mean(cosines), rtol=1e-12)


def test_the_gradient_of_a_penalty_is_finite_where_a_row_is_zero():
    w = gd.Variable(np.array([[0.0, 0.0], [1.0, 2.0]]), name="w")
    gradient = gd.gradients(regularizers.OrthogonalRegularizer()(w), w)
    assert np.isfinite(gd.Session().run(gradient)).all()


@given(w=matrices)
@settings(max_examples=30, deadline=None)
def test_constraints_are_kept(w):
    assert (norms(run(constraints.MaxNorm(1.5), w)) <= 1.5 + 1e-9).all()
    assert (run(constraints.NonNeg(), w) >= 0).all()
    unit = norms(run(constraints.UnitNorm(), w))
    assert ((np.abs(unit - 1) < 1e-3) | (norms(w) < 1e-3)).all()
    within = norms(run(constraints.MinMaxNorm(0.5, 2.0), w))
    assert ((within <= 2 + 1e-9) & ((within >= 0.5 - 1e-3) | (norms(w) < 1e-3))).all()


def test_constraints_are_their_formulas():
    n = norms(W)
    np.testing.assert_allclose(run(constraints.MaxNorm(1.0)), W * np.minimum(n, 1) / (n + 1e-7), rtol=1e-12)
    np.testing.assert_allclose(run(constraints.UnitNorm(axis=1)), W / (norms(W, 1) + 1e-7), rtol=1e-12)
    half = run(constraints.MinMaxNorm(0.5, 1.0, rate=0.5))
    np.testing.assert_allclose(half, W * (0.5 * np.clip(n, 0.5, 1) + 0.5 * n) / (n + 1e-7), rtol=1e-12)
    np.testing.assert_allclose(run(constraints.get(lambda w: w * 2.0)), 2 * W)


def test_a_kernel_is_regularised_in_the_loss_and_kept_within_its_constraint():
    layer = keras.layers.Dense(
        2, kernel_regularizer=regularizers.L1L2(0.1, 0.2), kernel_constraint=constraints.MaxNorm(0.5), use_bias=False
    )
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    (before,) = model.get_weights()
    expected = ((x @ before - y) ** 2).mean() + 0.1 * np.abs(before).sum() + 0.2 * (before**2).sum()
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)
    gradient = 2 * x.T @ (x @ before - y) / 8 + 0.1 * np.sign(before) + 0.4 * before
    model.train_on_batch(x, y)
    after = before - 0.1 * gradient
    n = norms(after)
    np.testing.assert_allclose(model.get_weights()[0], after * np.minimum(n, 0.5) / (n + 1e-7), rtol=1e-5)


@pytest.mark.parametrize(
    "made",
    [
        regularizers.L1(0.1),
        regularizers.L2(0.2),
        regularizers.L1L2(0.1, 0.2),
        regularizers.OrthogonalRegularizer(0.1, "columns"),
        constraints.MaxNorm(3.0, (0, 1)),
        constraints.NonNeg(),
        constraints.UnitNorm(1),
        constraints.MinMaxNorm(0.1, 2.0, 0.5),
    ],
    ids=str,
)
def test_a_description_makes_the_same_object_again(made):
    module = regularizers if isinstance(made, regularizers.Regularizer) else constraints
    assert repr(module.get(json.loads(json.dumps(serialize(made))))) == repr(made)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: regularizers.L2(-1), GraphError, "l2 is -1, expected a number from 0"),
        (lambda: regularizers.get("l3"), GraphError, "there is no regularizer 'l3'. There is 'l1', 'l2'"),
        (lambda: regularizers.get(0.1), GraphError, "a regularizer is 0.1, expected a name such as 'l2'"),
        (lambda: regularizers.OrthogonalRegularizer(mode="row"), GraphError, "there is no mode 'row'"),
        (lambda: run(regularizers.OrthogonalRegularizer(), W[0]), ShapeError, "expected a matrix"),
        (lambda: constraints.MaxNorm(-1), GraphError, "max_value is -1, expected a number from 0"),
        (lambda: constraints.MinMaxNorm(2.0, 1.0), GraphError, "min_value 2.0 is above max_value 1.0"),
        (lambda: constraints.get("maxnrm"), GraphError, "there is no constraint 'maxnrm'. Did you mean 'maxnorm'?"),
        (lambda: run(constraints.get(lambda w: gd.sum(w))), GraphError, "expected a node of type f64[5, 3]"),
    ],
)
def test_what_makes_no_sense_is_refused(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)
