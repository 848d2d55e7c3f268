"""Closed forms of small scalar graphs, and how they swell."""

from __future__ import annotations

import time

import pytest
import sympy

import graphdl as gd
from graphdl.symbolic import expression_swell, symbol_labels


def scalar(name, dtype="float64"):
    return gd.placeholder((), dtype, name)


def test_a_neuron_and_its_gradient_have_the_closed_form_of_the_textbook():
    x, w, b = scalar("x"), gd.Variable(0.5, "float64", name="w"), gd.Variable(0.0, "float64", name="b")
    loss = (gd.sigmoid(w * x + b) - 1.0) ** 2
    slope = gd.gradients(loss, w)
    value, derivative, W, X, B = gd.to_sympy([loss, slope, w, x, b])
    h = 1 / (1 + sympy.exp(-(W * X + B)))
    assert sympy.simplify(value - (h - 1) ** 2) == 0
    assert sympy.simplify(derivative - sympy.diff((h - 1) ** 2, W)) == 0


def test_symbols_are_called_as_their_nodes_and_real():
    x = scalar("x")
    (symbol,) = gd.to_sympy(x * 2.0).free_symbols
    assert symbol == sympy.Symbol("x", real=True)
    assert gd.to_sympy(x) == symbol


def test_hostile_and_doubled_names_become_invented_symbols():
    nodes = [scalar(name) for name in ('"; import os', "x", "x", "lambda", "pi", "x1", "exp")]
    product = gd.sum(sum(nodes[1:], nodes[0]))
    labels = symbol_labels(product)
    assert labels == {
        "x2": '"; import os',
        "x": "x",
        "x3": "x",
        "x4": "lambda",
        "x5": "pi",
        "x1": "x1",
        "x6": "exp",
    }
    assert {s.name for s in gd.to_sympy(product).free_symbols} == set(labels)


def test_the_stabilised_forms_still_have_their_meaning():
    x = scalar("x")
    (a,) = gd.to_sympy(x).free_symbols
    assert gd.to_sympy(gd.softplus(x)) == sympy.log(1 + sympy.exp(a))
    assert gd.to_sympy(gd.expm1(x)) == sympy.exp(a) - 1
    assert gd.to_sympy(gd.relu(x)).subs(a, -3) == 0
    assert gd.to_sympy(gd.where(gd.greater(x, 1.0), x, 0.0)).subs(a, 3) == 3
    assert gd.to_sympy(gd.where(x > 1.0, x, 0.0)).rewrite(sympy.Piecewise).subs(a, 0) == 0
    assert gd.to_sympy(gd.where(x > 1.0, x * x, 0.0)).diff(a).subs(a, 3) == 6


def test_plumbing_leaves_no_trace():
    x = scalar("x")
    y = gd.reshape(gd.mean(gd.broadcast_to(gd.stop_gradient(x), (1, 1))), (1,))
    assert gd.to_sympy(y) == gd.to_sympy(x)
    truth = gd.to_sympy(gd.cast(x > 0.0, "float64"))
    assert [truth.subs(gd.to_sympy(x), at) for at in (-1, 1)] == [0, 1]


def test_numbers_are_as_typed_and_not_as_float32_rounds_them():
    x = scalar("x", "float32")
    assert gd.to_sympy(x * 0.1).coeff(gd.to_sympy(x)) == sympy.Rational(1, 10)


def test_symbolic_sizes_become_positive_integers():
    x = gd.placeholder((None, 784))
    n = sympy.Symbol("N", integer=True, positive=True)
    assert gd.to_sympy(x.tensor.size) == 784 * n
    assert gd.to_sympy(2 * x.shape[0] + 1) == 2 * n + 1
    assert gd.to_sympy(7) == 7


def test_sums_of_many_terms_are_added_up():
    x = scalar("x")
    assert gd.to_sympy(gd.add_n(x, x, x)) == 3 * gd.to_sympy(x)


def test_expressions_swell_where_graphs_share():
    y = x = scalar("x")
    sizes = []
    for _ in range(6):
        y = y + gd.sin(y)
        sizes.append(expression_swell(y))
    assert [size.nodes for size in sizes] == [2, 4, 6, 8, 10, 12]
    assert [size.operations for size in sizes] == [2 * (2**k - 1) for k in range(1, 7)]
    assert symbol_labels(y) == {"x": x.label}


def test_sixty_doublings_are_refused_at_once_with_both_counts():
    y = scalar("x")
    for _ in range(60):
        y = gd.silu(y) + y
    start = time.perf_counter()
    with pytest.raises(gd.GraphError) as refused:
        gd.to_sympy(y)
    assert "operations, expected at most 20000; the graph shares them and has 120 nodes" in str(refused.value)
    assert time.perf_counter() - start < 1


def test_a_deep_chain_does_not_recurse():
    y = scalar("x")
    for _ in range(3000):
        y = y + 1.0
    assert gd.to_sympy(y) == gd.to_sympy(next(iter(gd.Graph(y).placeholders))) + 3000


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: gd.placeholder((3,), name="v"), "to_sympy: v is f32[3], expected a scalar"),
        (lambda: gd.isfinite(scalar("x")), "has the op isfinite, which is no formula of scalars"),
        (lambda: gd.power(gd.constant(9.0), gd.power(gd.constant(9.0), 9.0)), "comes to the power 3.874e+08"),
        (lambda: scalar("x") + float("inf"), "has no finite value"),
        (lambda: gd.log(gd.constant(0.0)), "to_sympy: log has no finite value"),
        (lambda: gd.argmax(gd.placeholder((1,))), "has the op argmax"),
    ],
)
def test_what_has_no_closed_form_is_refused_by_name(build, text):
    with pytest.raises(gd.GraphError) as refused:
        gd.to_sympy(build())
    assert text in str(refused.value)
