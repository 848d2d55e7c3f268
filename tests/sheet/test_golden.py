"""The examples everybody derives by hand: values, closed forms, forks, and what a sheet says of them."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import graphdl as gd
from graphdl.sheet import sheet
from tests.sheet.networks import scalars


def results(made):
    return {result.symbol: result.value for result in made.results}


def lines(made, key):
    return [f.text for block in made.section(key).blocks for f in getattr(block, "formulas", ())]


def test_the_apple_shop():
    apple, count, tax = scalars("apple", "count", "tax")
    total = gd.multiply(gd.multiply(apple, count, name="cost"), tax, name="total")
    made = sheet(total, [apple, count, tax], {"apple": 100.0, "count": 2.0, "tax": 1.1})
    assert results(made) == pytest.approx({"apple": 2.2, "count": 110.0, "tax": 200.0})
    assert made.closed == {"apple": "count · tax", "count": "apple · tax", "tax": "apple · count"}
    shown = [cell.text for row in made.section("forward").blocks[1].rows for cell in row.cells]
    assert shown[1:3] == ["cost = apple · count", "cost = 100 × 2 = 200"]
    assert shown[-1] == "total = 200 × 1.1 = 220"


def test_apples_and_oranges():
    a, n, o, m, tax = scalars("a", "n", "o", "m", "tax")
    feeds = {"a": 100.0, "n": 2.0, "o": 150.0, "m": 3.0, "tax": 1.1}
    made = sheet(gd.multiply(a * n + o * m, tax, name="price"), [a, n, o, m, tax], feeds)
    assert results(made) == pytest.approx({"a": 2.2, "n": 110.0, "o": 3.3, "m": 165.0, "tax": 650.0})


def test_the_square_of_a_sum_is_two_times_the_sum():
    x, y = scalars("x", "y")
    made = sheet(gd.square(gd.add(x, y, name="t"), name="z"), x, {"x": 3.0, "y": 4.0})
    assert results(made) == {"x": 14.0}
    assert made.closed == {"x": "2 · (x + y)"}
    assert lines(made, "reverse") == [
        "∂z/∂t = 2 · t = 2 × 7 = 14",
        "∂z/∂x = ∂z/∂t · ∂t/∂x",
        "∂t/∂x = 1",
        "∂z/∂x = 14 × 1 = 14",
    ]


def test_the_circuit_of_cs231n():
    x, y, z = scalars("x", "y", "z")
    f = gd.multiply(gd.add(x, y, name="q"), z, name="f")
    made = sheet(f, [x, y, z], {"x": -2.0, "y": 5.0, "z": -4.0})
    assert results(made) == {"x": -4.0, "y": -4.0, "z": 3.0}


def test_the_sigmoid_neuron_sums_up_in_one_line():
    names = ("w0", "x0", "w1", "x1", "w2")
    w0, x0, w1, x1, w2 = scalars(*names)
    s = gd.sigmoid(gd.add(w0 * x0 + w1 * x1, w2, name="z"), name="s")
    made = sheet(s, [w0, x0, w1, x1, w2], dict(zip(names, (2.0, -1.0, -3.0, -2.0, -3.0), strict=True)))
    slope = np.exp(-1) / (1 + np.exp(-1)) ** 2
    assert list(results(made).values()) == pytest.approx([-slope, 2 * slope, -2 * slope, -3 * slope, slope])
    equations = [row.cells[1].text for row in made.section("forward").blocks[1].rows]
    assert equations == ["z = w0 · x0 + w1 · x1 + w2", "s = σ(z)"]


def test_a_value_used_three_times_gets_three_gradients_and_has_three_paths():
    (x,) = scalars("x")
    made = sheet(x * x + x, x, {"x": 3.0})
    assert (results(made), made.paths) == ({"x": 7.0}, {"x": 3})
    found = lines(made, "reverse")
    assert found[-1] == "∂L/∂x = 1 × 3 + 1 × 3 + 1 × 1 = 7"
    assert "∂(t₁ + x)/∂x = 1" in found, "∂L/∂x would mean the derivative along all ways"
    assert lines(made, "paths")[-1] == "∂L/∂x = 3 + 3 + 1 = 7"
    assert made.closed == {"x": "2 · x + 1"}
    (work,) = [b for b in made.section("reverse").blocks if "used 3 times" in getattr(b, "said", {}).get("en", "")]
    assert work.number


def test_softmax_and_cross_entropy_give_y_minus_t():
    z, t = gd.placeholder((3,), "float64", name="z"), gd.placeholder((3,), "float64", name="t")
    logits, target = np.array([2.0, 1.0, -1.0]), np.array([0.0, 1.0, 0.0])
    p = np.exp(logits) / np.exp(logits).sum()
    for k in range(3):
        made = sheet(gd.cross_entropy(z, t), (z, (k,)), {z: logits, t: target}, level="scalar")
        assert made.results[0].value == pytest.approx((p - target)[k], rel=1e-12)
        digit = "₁₂₃"[k]
        assert lines(made, "reverse")[0].startswith(f"∂L/∂z{digit} = p{digit} − t{digit} = ")
    whole = sheet(gd.cross_entropy(z, t), z, {z: logits, t: target})
    np.testing.assert_allclose(whole.results[0].whole, p - target, rtol=1e-12)


def test_class_numbers_are_ones_and_zeros():
    z, label = gd.placeholder((None, 3), "float64", name="z"), gd.placeholder((None,), "int64", name="label")
    logits = np.array([[2.0, 1.0, -1.0], [0.0, 3.0, 0.5]])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    made = sheet(gd.mean(gd.cross_entropy(z, label)), (z, (1, 2)), {z: logits, label: [0, 2]}, level="scalar")
    assert made.results[0].value == pytest.approx((p[1, 2] - 1) / 2, rel=1e-12)


def test_a_loss_that_would_overflow_is_derived_in_the_form_that_does_not():
    z = gd.placeholder((3,), "float64", name="z")
    loss = -gd.log((gd.exp(z) / gd.sum(gd.exp(z)))[0])
    made = sheet(loss, z, {z: [0.0, 1000.0, 5.0]})
    np.testing.assert_allclose(made.results[0].whole, [-1, 1, 0], atol=1e-12)
    assert any("softmax" in block.said["en"] for block in made.section("question").blocks if hasattr(block, "said"))


def test_a_line_through_points():
    """y = x + 6 with the mean squared error: ∂L/∂w is the mean of 2 (w x + b − y) x."""
    x, y = gd.placeholder((None,), "float64", name="x"), gd.placeholder((None,), "float64", name="y")
    w, b = gd.Variable(0.5, "float64", name="w"), gd.Variable(1.0, "float64", name="b")
    xs, ys = np.arange(-1.0, 5.0), np.arange(5.0, 11.0)
    made = sheet(gd.mean(gd.square(w * x + b - y)), [w, b], {x: xs, y: ys})
    error = 0.5 * xs + 1 - ys
    assert results(made) == pytest.approx({"w": np.mean(2 * error * xs), "b": np.mean(2 * error)})


def test_the_lms_rule_of_the_course():
    """W(n+1) = W(n) + 2 μ e(n) X(n): the gradient of e² for W is −2 e X."""
    W = gd.Variable(np.array([0.4, -0.2, 0.7]), name="W")
    X, d = gd.placeholder((3,), "float64", name="X"), gd.placeholder((), "float64", name="d")
    e = gd.subtract(d, gd.sum(W * X, name="y"), name="e")
    inputs = np.array([1.0, -2.0, 0.5])
    error = 2.0 - inputs @ [0.4, -0.2, 0.7]
    made = sheet(gd.square(e, name="J"), (W, (1,)), {X: inputs, d: 2.0}, rate=0.1)
    assert made.results[0].value == pytest.approx(-2 * error * -2.0)
    assert lines(made, "paths")[1].endswith("= 2 · e · (−1) · x₂")
    new = -0.2 + 2 * 0.1 * error * -2.0
    assert made.section("update").blocks[-1].text.endswith(f"{new:.4g}".replace("-", "−"))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (lambda x, y: gd.square(x) * y, lambda x, y: 2 * x * y),
        (lambda x, y: x / y + y, lambda x, y: 1 / y),
        (lambda x, y: gd.exp(x * y), lambda x, y: y * sympy.exp(x * y)),
        (lambda x, y: gd.sin(x) + gd.log(y), lambda x, y: sympy.cos(x)),
        (lambda x, y: (x - y) * (x + y), lambda x, y: 2 * x),
        (lambda x, y: gd.pow(x, 3) - y, lambda x, y: 3 * x**2),
        (lambda x, y: -(x * y), lambda x, y: -y),
    ],
)
def test_the_closed_form_is_the_derivative_by_sympy(formula, expected):
    """Read back by SymPy: the signs of our texts are those of its own."""
    a, b = scalars("x", "y")
    made = sheet(formula(a, b), a)
    text = made.closed["x"].translate(str.maketrans({"·": "*", "−": "-", "²": "**2", "^": "**"}))
    x, y = sympy.symbols("x y")
    assert sympy.simplify(sympy.sympify(text, {"x": x, "y": y}) - expected(x, y)) == 0


def test_a_derivative_that_is_zero_everywhere_says_why():
    x = gd.placeholder((3,), "float64", name="x")
    made = sheet(gd.cast(gd.argmax(x), "float64"), (x, (0,)), {x: [1.0, 3.0, 2.0]})
    assert made.results[0].value == 0
    (reason,) = made.section("zero").blocks
    assert "argmax is an index: flat everywhere" in reason.said["en"]


def test_a_kink_is_noticed_by_the_check():
    (x,) = scalars("x")
    made = sheet(gd.abs(x), x, {"x": 0.0})
    assert made.results[0].value == 0
    made = sheet(gd.relu(x) * 2.0, x, {"x": 0.0})
    assert "differ" in made.section("check").blocks[-1].said["en"]


def test_random_leaves_are_what_this_run_drew():
    w = gd.Variable(np.array([1.0, 2.0, 3.0, 4.0], "float32"), name="w")
    loss = gd.sum(gd.square(gd.dropout(w, 0.5)))
    session = gd.Session(seed=3)
    made = sheet(loss, w, {}, session)
    np.testing.assert_allclose(made.results[0].whole, session.run(gd.gradients(loss, w)), rtol=1e-5)


def test_a_second_derivative_is_derived_from_the_first_without_the_ones_of_the_chain_rule():
    (x,) = scalars("x")
    first = gd.gradients(gd.multiply(x * x, gd.sin(x), name="f"), x)
    made = sheet(first, x, {"x": 1.2})
    assert made.results[0].value == pytest.approx(2 * np.sin(1.2) + 4 * 1.2 * np.cos(1.2) - 1.2**2 * np.sin(1.2))
    equations = [row.cells[1].text for row in made.section("forward").blocks[1].rows]
    assert equations == ["t₁ = x · x", "t₂ = sin(x)", "t₃ = cos(x)", "t₄ = t₁ · t₃", "t₅ = t₂ · x", "L = t₄ + t₅ + t₅"]


def test_the_gradient_of_a_node_between_is_differentiated_again():
    """∂L/∂h of L = h³ at h = 2 x, for h: 6 h."""
    (x,) = scalars("x")
    h = gd.multiply(x, 2.0, name="h")
    made = sheet(gd.gradients(gd.pow(h, 3), h), h, {"x": 1.5})
    assert made.results[0].value == pytest.approx(18.0)


def test_a_quantity_between_has_a_derivative_too():
    """For z in L = σ(z)² with z = w x: 2 σ² (1 − σ); its equation is not on the way from it."""
    w, x = scalars("w", "x")
    z = gd.multiply(w, x, name="z")
    made = sheet(gd.square(gd.sigmoid(z, name="a")), z, {"w": 0.5, "x": 2.0})
    a = 1 / (1 + np.exp(-1.0))
    assert made.results[0].value == pytest.approx(2 * a * a * (1 - a))
    assert made.paths == {"z": 1}


def test_comparisons_stand_whole_beside_their_numbers():
    x, y = scalars("x", "y")
    made = sheet(gd.where(gd.greater(x, y, name="c"), x * y, y), x, {"x": 2.0, "y": 1.0})
    first = made.section("forward").blocks[1].rows[0].cells
    assert [cell.text for cell in first[1:]] == ["c = [x > y]", "c = [2 > 1] = true"]


def test_a_unit_that_is_the_loss_itself_has_delta_one():
    (x,) = scalars("x")
    w = gd.Variable(3.0, "float64", name="w")
    made = sheet(gd.multiply(w, x, name="L"), w, {"x": 2.0}, ebp=True)
    assert "δ[L] = ∂L/∂L = 1" in lines(made, "ebp") or "δ = ∂L/∂L = 1" in lines(made, "ebp")


def test_a_layer_with_two_inputs_is_one_layer():
    """z = x W + h U + b: its sum and its activation are called after it, and EBP has one δ."""
    shapes = {"x": (1, 2), "h": (1, 3), "W": (2, 3), "U": (3, 3), "b": (3,)}
    x, h, W, U, b = (gd.Variable(np.full(shape, 0.5), name=name) for name, shape in shapes.items())
    made = sheet(gd.sum(gd.tanh(x @ W + h @ U + b)), [W, U], {}, level="matrix", ebp=True)
    equations = [row.cells[1].text for row in made.section("forward").blocks[1].rows]
    assert equations == ["z = x · W + h · U + b", "a = tanh(z)", "L = Σ(a)"]
    assert [text.split(" = ")[0] for text in lines(made, "ebp") if text.startswith("δ")] == ["δ"]
    assert {"∂L/∂W = xᵀ · δ", "∂L/∂U = hᵀ · δ"} <= set(lines(made, "ebp"))
