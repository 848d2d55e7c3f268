"""Derivatives as text: formulas again, right by differences, in functions the reader knows."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.registry import all_ops
from graphdl.symbolic import derivative_latex, derivative_text, parse
from tests.symbolic.test_formulas import MEANINGS, _terms

WITH_FORMULA = [op for _, op in all_ops() if isinstance(op, Elementwise) and op.formula]
SLOTS = [(op, slot) for op in WITH_FORMULA for slot in range(op.arity)]

TEXTBOOK = {
    ("add", 0): "1",
    ("subtract", 1): "-1",
    ("multiply", 0): "b",
    ("divide", 0): "1/b",
    ("divide", 1): "-a/b**2",
    ("power", 0): "a**(b - 1)*b",
    ("power", 1): "a**b*log(a)",
    ("square", 0): "2*a",
    ("sqrt", 0): "1/(2*sqrt(a))",
    ("reciprocal", 0): "-1/a**2",
    ("abs", 0): "sign(a)",
    ("sign", 0): "0",
    ("exp", 0): "exp(a)",
    ("log", 0): "1/a",
    ("log1p", 0): "1/(a + 1)",
    ("sin", 0): "cos(a)",
    ("cos", 0): "-sin(a)",
    ("tanh", 0): "1 - tanh(a)**2",
    ("sigmoid", 0): "exp(-a)/(1 + exp(-a))**2",
    ("softplus", 0): "exp(a)/(exp(a) + 1)",
    ("relu", 0): "where(a > 0, 1, 0)",
    ("leaky_relu", 0): "where(a > 0, 1, b)",
    ("elu", 0): "where(a > 0, 1, b*exp(a))",
    ("erf", 0): "2*exp(-a**2)/sqrt(pi)",
    ("maximum", 1): "where(a > b, 0, 1)",
    ("clip", 0): "where(maximum(a, b) < c, where(a > b, 1, 0), 0)",
    ("selu", 0): "1.0507009873554805*where(a > 0, 1, 1.6732632423543772*exp(a))",
    ("xlogy", 1): "a/b",
    ("less", 0): "0",
}


@pytest.mark.parametrize(("op", "slot"), TEXTBOOK)
def test_derivatives_read_as_in_the_textbook(op, slot):
    assert derivative_text(op, slot) == TEXTBOOK[op, slot]


@pytest.mark.parametrize(("op", "slot"), SLOTS, ids=[f"{op.name}-{slot}" for op, slot in SLOTS])
def test_every_derivative_is_a_formula_again_and_has_latex(op, slot):
    assert set(parse(derivative_text(op, slot)).variables) <= set("abc")
    latex = derivative_latex(op, slot, ("x_1", "x_2", "x_3"))
    assert latex
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\begin{cases}") == latex.count(r"\end{cases}")


def test_latex_puts_the_operands_in():
    assert derivative_latex("divide", 1, ("x", "w_{1}")) == r"- \frac{x}{w_{1}^{2}}"
    assert derivative_latex("relu") == r"\begin{cases} 1 & a > 0 \\ 0 & \text{else} \end{cases}"
    assert derivative_latex("log") == r"\frac{1}{a}"


@given(_terms(), st.floats(-2, 2))
@settings(max_examples=60)
def test_derivatives_of_random_formulas_agree_with_differences(text, a):
    function = gd.elementwise("f", f"{text} + a * b")
    derivative = function.derivative("a")
    at = {**MEANINGS, "b": 0.3125}
    h = 1e-6
    before, here, after = (float(eval(function.formula, {**at, "a": a + d})) for d in (-h, 0, h))
    slope = float(eval(derivative, {**at, "a": a}))
    sides = ((after - here) / h, (here - before) / h)
    # A kink between the sides: then the derivative is one of theirs, or between them.
    assert min(sides) - 1e-3 * (1 + abs(slope)) <= slope <= max(sides) + 1e-3 * (1 + abs(slope))


@given(_terms())
@settings(max_examples=60)
def test_the_derivative_of_a_formula_is_the_gradient_of_its_nodes(text):
    function = gd.elementwise("f", f"{text} + a * b")
    slope = gd.elementwise("slope", f"{function.derivative('a')} + 0 * a * b")
    a, b = gd.placeholder((5,), "float64", "a"), gd.placeholder((5,), "float64", "b")
    points = {a: np.array([-1.9, -0.7, 0.21, 0.83, 1.7]), b: np.array([0.31, -1.3, 1.9, 0.05, -0.4])}
    given_, found = gd.Session(level=0).run([gd.gradients(gd.sum(function(a, b)), a), slope(a, b)], points)
    np.testing.assert_allclose(given_, found, rtol=1e-9, atol=1e-12)


def test_an_own_op_knows_its_derivative():
    assert gd.elementwise("swish", "a / (1 + exp(-a))").derivative() == derivative_text("silu")
    assert gd.elementwise("f", "w * x ** 2").derivative("x") == "2*w*x"
    assert gd.elementwise("f", "abs(log(a))").derivative() == "sign(log(a))/a"
    assert gd.elementwise("f", "floor(a) + sign(a) * a").derivative() == "sign(a)"


def test_what_has_no_derivative_says_so():
    with pytest.raises(gd.FormulaError, match="'a > b' is a truth value, which has no derivative"):
        gd.elementwise("f", "a > b").derivative("a")
    with pytest.raises(gd.FormulaError, match="f has inputs 'a', 'b'; say for which"):
        gd.elementwise("f", "a * b").derivative()
    with pytest.raises(gd.FormulaError, match="f has no input 'c'; it has 'a', 'b'"):
        gd.elementwise("f", "a * b").derivative("c")
    with pytest.raises(gd.FormulaError, match="isfinite has no formula, so no derivative by formula"):
        derivative_text("isfinite")
    with pytest.raises(gd.FormulaError, match="tanh has inputs 0 to 0, not 1"):
        derivative_text("tanh", 1)


DEEP = {"silu({})": 40, "clip({}, b, c)": 40, "where({} > 0, a, b)": 25, "square(maximum({}, 1))": 5, "abs({})": 40}


@pytest.mark.parametrize("inner", DEEP)
def test_derivatives_of_deep_formulas_come_or_are_refused_in_two_seconds(inner):
    text = "a"
    for _ in range(DEEP[inner]):
        text = inner.format(text)
    function, start = gd.elementwise("f", text), time.perf_counter()
    if "silu" in inner:
        with pytest.raises(gd.FormulaError, match=r"operations written out, expected at most 20000; gd\.gradients"):
            function.derivative("a")
    else:
        assert 0 < len(function.derivative("a")) < 200_000
    assert time.perf_counter() - start < 2
