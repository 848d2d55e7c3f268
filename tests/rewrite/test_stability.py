"""Formulas as a student types them are right where they overflow, cancel or divide 0 by 0: value and gradient."""

from __future__ import annotations

import math

import numpy as np
import pytest

import graphdl as gd

INF, NAN = math.inf, math.nan


def naive_cross_entropy(z):
    return -gd.log(gd.exp(z) / gd.sum(gd.exp(z)))[0]


def naive_tanh(x):
    return (gd.exp(x) - gd.exp(-x)) / (gd.exp(x) + gd.exp(-x))


# Formula, point, value, gradient.
TABLE = {
    "log(1 + exp x) at 1000": (lambda x: gd.log(1 + gd.exp(x)), 1000, 1000, 1),
    "log(1 + exp x) at -1000": (lambda x: gd.log(1 + gd.exp(x)), -1000, 0, 0),
    "-log(1 - 1/(1+exp(-x))) at 40": (lambda x: -gd.log(1 - 1 / (1 + gd.exp(-x))), 40, 40, 1),
    "-log(1 - 1/(1+exp(-x))) at -40": (lambda x: -gd.log(1 - 1 / (1 + gd.exp(-x))), -40, math.exp(-40), math.exp(-40)),
    "-log(exp z / sum exp z)[0] at [0, 1000, 5]": (naive_cross_entropy, [0, 1000, 5], 1000, [-1, 1, 0]),
    "1/(1+exp(-x)) at 800": (lambda x: 1 / (1 + gd.exp(-x)), 800, 1, 0),
    "1/(1+exp(-x)) at -800": (lambda x: 1 / (1 + gd.exp(-x)), -800, 0, 0),
    "where(x > 0, sqrt x, 0) at 0": (lambda x: gd.where(x > 0, gd.sqrt(x), 0), 0, 0, 0),
    "where(x > 0, sqrt x, 0) at -1": (lambda x: gd.where(x > 0, gd.sqrt(x), 0), -1, 0, 0),
    "where(x > 0, sqrt x, 0) at 4": (lambda x: gd.where(x > 0, gd.sqrt(x), 0), 4, 2, 0.25),
    "where(x >= 0, x, exp x - 1) at 1000": (lambda x: gd.where(x >= 0, x, gd.exp(x) - 1), 1000, 1000, 1),
    "where(x >= 0, x, exp x - 1) at -1": (
        lambda x: gd.where(x >= 0, x, gd.exp(x) - 1),
        -1,
        math.expm1(-1),
        math.exp(-1),
    ),
    "(exp x - exp(-x))/(exp x + exp(-x)) at 800": (naive_tanh, 800, 1, 0),
    "(exp x - exp(-x))/(exp x + exp(-x)) at -800": (naive_tanh, -800, -1, 0),
    "log(sum(exp z)) at 1e4": (lambda z: gd.log(gd.sum(gd.exp(z))), [1e4, 1e4], 1e4 + math.log(2), [0.5, 0.5]),
    "log(sum(exp z)) at -1e4": (lambda z: gd.log(gd.sum(gd.exp(z))), [-1e4, -1e4], math.log(2) - 1e4, [0.5, 0.5]),
    "sqrt(x x) at 0": (lambda x: gd.sqrt(x * x), 0, 0, 0),
    "sqrt(x x) at -1e30": (lambda x: gd.sqrt(x * x), -1e30, 1e30, -1),
    # The convention of xlogy: the value goes to 0, the derivative log x + 1 to -inf.
    "x log x at 0": (lambda x: x * gd.log(x), 0, 0, -INF),
    "x log x at 1": (lambda x: x * gd.log(x), 1, 0, 1),
    "log(exp x + exp y) over a table": (
        lambda z: gd.log(gd.exp(gd.reshape(z, (2, 1))) + gd.exp(z))[0, 1],
        [1000, 990],
        1000 + math.log1p(math.exp(-10)),
        [1 / (1 + math.exp(-10)), 1 / (1 + math.exp(10))],
    ),
}
# Relative, and absolute where a gradient near 0 is a difference of two near 1.
TOLERANCE = {"float32": (2e-6, 1e-7), "float64": (1e-12, 1e-15)}
# What the same formulas give as typed, without the stabiliser, in float64.
AS_TYPED = {
    "log(1 + exp x) at 1000": (INF, NAN),
    "-log(1 - 1/(1+exp(-x))) at 40": (INF, INF),
    "-log(exp z / sum exp z)[0] at [0, 1000, 5]": (INF, [NAN, NAN, NAN]),
    "where(x > 0, sqrt x, 0) at 0": (0, NAN),
    "(exp x - exp(-x))/(exp x + exp(-x)) at 800": (NAN, NAN),
    "log(sum(exp z)) at 1e4": (INF, [NAN, NAN]),
    "sqrt(x x) at 0": (0, NAN),
    "x log x at 0": (NAN, NAN),
}


def value_and_gradient(formula, point, dtype, **settings):
    at = np.asarray(point, dtype)
    x = gd.placeholder(at.shape, dtype, name="x")
    y = formula(x)
    stabilise = settings.get("stabilise", True)
    return gd.Session(**settings).run([y, gd.gradients(y, x, stabilise=stabilise)], {x: at})


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("name", TABLE)
def test_naive_formula_is_right_at_every_level(name, level, dtype, style):
    formula, point, value, gradient = TABLE[name]
    found = value_and_gradient(formula, point, dtype, level=level, style=style)
    for ours, true in zip(found, (value, gradient), strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, true, *TOLERANCE[dtype])


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("name", AS_TYPED)
def test_without_the_stabiliser_the_failure_shows(name, level):
    formula, point, *_ = TABLE[name]
    found = value_and_gradient(formula, point, "float64", level=level, stabilise=False)
    for ours, typed in zip(found, AS_TYPED[name], strict=True):
        np.testing.assert_array_equal(ours, typed)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_gradient_is_right_for_a_tower_of_where(level):
    """sqrt under two conditions, times something, at points where the branches not taken are NaN."""
    x = gd.placeholder((4,), "float64", name="x")
    safe = gd.where(x > 0, gd.sqrt(x), 0)
    y = gd.sum(gd.where(x < 2, safe * 3, gd.log(x) * safe) / (1 + x * x))
    at = np.array([-1.0, 0.0, 1.0, 4.0])
    value, slope = gd.Session(level=level).run([y, gd.gradients(y, x)], {x: at})

    def f(v):
        r = math.sqrt(v) if v > 0 else 0.0
        return (r * 3 if v < 2 else math.log(v) * r) / (1 + v * v)

    assert value == pytest.approx(sum(map(f, at)), rel=1e-12)
    h = 1e-6
    expected = [0.0, 0.0, *[(f(v + h) - f(v - h)) / (2 * h) for v in at[2:]]]
    np.testing.assert_allclose(slope, expected, rtol=1e-8)


@pytest.mark.parametrize("labels", ["one-hot", "numbers"])
@pytest.mark.parametrize("typed", ["log of ratio", "log of softmax"])
def test_cross_entropy_as_typed_becomes_the_fused_loss(typed, labels):
    z = gd.placeholder((None, 3), "float64", name="z")
    p = gd.softmax(z) if typed == "log of softmax" else gd.exp(z) / gd.sum(gd.exp(z), axis=1, keepdims=True)
    if labels == "one-hot":
        y = gd.placeholder((None, 3), "float64", name="y")
        loss = gd.mean(-gd.sum(y * gd.log(p), axis=1))
    else:
        y = gd.placeholder((None,), "int64", name="y")
        loss = gd.mean(-gd.log(gd.take_along(p, y)))
    session = gd.Session()
    slope = gd.gradients(loss, z)
    names = {n.op.name for n in session.compile([loss]).graph.nodes}
    assert names & {"softmax_cross_entropy", "sparse_softmax_cross_entropy"}
    assert "log" not in names
    numbers = np.array([0, 2])
    fed = np.eye(3)[numbers] if labels == "one-hot" else numbers
    at = np.array([[0.0, 1000.0, 5.0], [1.0, 2.0, 3.0]])
    value, found = session.run([loss, slope], {z: at, y: fed})
    rest = math.log(sum(math.exp(k - 3) for k in (1, 2, 3)))
    assert value == pytest.approx((1000 + rest) / 2, rel=1e-14)
    q = np.exp(at[1] - 3) / np.exp(at[1] - 3).sum()
    np.testing.assert_allclose(found, np.array([[-1.0, 1.0, 0.0], q - [0, 0, 1]]) / 2, rtol=1e-12)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_binary_cross_entropy_as_typed_is_right_at_large_logits(level):
    z, t = gd.placeholder((4,), name="z"), gd.placeholder((4,), name="t")
    p = 1 / (1 + gd.exp(-z))
    loss = gd.sum(-(t * gd.log(p) + (1 - t) * gd.log(1 - p)))
    at, targets = np.array([200.0, -200.0, 200.0, 0.0]), np.array([0.0, 1.0, 1.0, 1.0])
    value, slope = gd.Session(level=level).run([loss, gd.gradients(loss, z)], {z: at, t: targets})
    assert value == pytest.approx(400 + math.log(2), rel=1e-6)
    np.testing.assert_allclose(slope, [1, -1, 0, -0.5], atol=1e-7)
