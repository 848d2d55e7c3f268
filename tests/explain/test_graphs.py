"""Explanations of a graph: what stops a gradient, and which node is the first with NaN."""

from __future__ import annotations

import numpy as np

import graphdl as gd
from graphdl.explain import first_nan, zero_gradients

X = gd.placeholder((None, 4), "float64", name="x")
ONES = np.ones((5, 4))


def W(name="W", columns=3):
    return gd.Variable(np.random.default_rng(0).normal(size=(4, columns)), name=name)


def test_accuracy_has_no_gradient_anywhere_and_argmax_is_why():
    w, t = W(), gd.placeholder((None,), "int64", name="t")
    accuracy = gd.mean(gd.cast(gd.equal(gd.argmax(X @ w, name="guess"), t), "float64"), name="accuracy")
    english = zero_gradients(accuracy, [w])
    assert english.splitlines()[0] == "gradients of accuracy:"
    assert "W: 0 everywhere. guess (test_graphs.py:" in english
    assert "argmax is an index: flat everywhere, with jumps" in english
    korean = zero_gradients(accuracy, [w], language="ko")
    assert "W: 모든 곳에서 0. guess" in korean
    assert "거의 모든 곳에서 미분이 0" in korean


def test_gradients_that_arrive_have_their_length():
    w = W()
    loss = gd.sum(X @ w, name="loss")
    lines = zero_gradients(loss, [w], {X: ONES}).splitlines()
    assert lines == ["gradients of loss:", f"  W: arrives, of length {np.linalg.norm(np.full((4, 3), 5.0)):.4g}"]


def test_a_dead_relu_stops_a_gradient_on_these_values_only():
    w, v = W("w"), W("v")
    dead = gd.relu(gd.subtract(X @ w, 1000.0, name="z"), name="dead")
    loss = gd.mean(dead + X @ v, name="loss")
    lines = zero_gradients(loss, [w, v], {X: ONES}).splitlines()
    assert lines[1].startswith("  w: 0 on these values, not everywhere. It stops at dead (test_graphs.py:")
    assert "a relu, with z -100" in lines[1]
    assert lines[2].startswith("  v: arrives")
    assert "지금 값에서만 0. 멈춘 곳: dead" in zero_gradients(loss, [w], {X: ONES}, language="ko")


def test_an_input_of_zeros_stops_a_gradient_at_the_product():
    w = W("w")
    lines = zero_gradients(gd.mean(gd.matmul(X, w, name="h")), [w], {X: ONES * 0}).splitlines()
    assert "It stops at h (test_graphs.py:" in lines[1]
    assert lines[1].endswith("a matmul, with x = 0")


def test_without_values_it_says_how_to_give_them():
    w = W()
    text = zero_gradients(gd.mean(X @ w), [w])
    assert text.splitlines()[1:] == [
        "  W: not 0 everywhere",
        "Give values (feeds or data in the file, or --feed) to see which are 0 on them.",
    ]


def test_stop_gradient_is_named():
    w, b = W(), gd.Variable(np.zeros(3), name="b")
    text = zero_gradients(gd.mean(gd.square(X @ w + gd.stop_gradient(b, name="held"))), [w, b], {X: ONES})
    assert "b: 0 everywhere. held" in text


def test_the_first_nan_is_named_with_its_operands():
    w = W()
    text = first_nan(gd.mean(gd.log(X @ w, name="bad")), [w], {X: ONES})
    assert text.startswith("loss and gradients are not finite on these values:\nstep 0: bad (f64[N, 3]) is the first")
    assert "유한하지 않음" in first_nan(gd.mean(gd.log(X @ w)), [w], {X: ONES}, language="ko")


def test_a_gradient_alone_that_is_nan_is_found_in_the_backward_pass():
    w = gd.Variable(np.zeros((4, 3)), name="w")
    loss = gd.mean(gd.sqrt(gd.sum(gd.square(X @ w), axis=1)))
    assert np.isfinite(gd.Session().run(loss, {X: ONES}))
    assert "is the first with" in first_nan(loss, [w], {X: ONES})


def test_what_the_stabiliser_cures_is_told_as_the_formula_was_typed():
    z = gd.placeholder((3,), "float64", name="z")
    loss = -gd.log((gd.exp(z) / gd.sum(gd.exp(z)))[0])
    text = first_nan(loss, [z], {z: np.array([0.0, 1000.0, 5.0])})
    assert text.startswith("loss and gradients are finite on these values, since graphdl rewrites the formulas.")
    assert "exp (f64[3]) is the first with infinity" in text


def test_finite_graphs_are_finite_and_the_session_stays_as_it_was():
    w = W()
    session = gd.Session()
    before = session.value(w)
    text = first_nan(gd.mean(gd.tanh(X @ w)), [w], {X: ONES}, session)
    assert text.startswith("loss and gradients are finite on these values, also with the formulas as typed.")
    assert session.state.step == 0
    np.testing.assert_array_equal(session.value(w), before)
