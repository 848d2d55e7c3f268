"""Ops of the user's own: built of registered ops, stabilised, differentiated, and named as asked."""

from __future__ import annotations

import math

import numpy as np
import pytest

import graphdl as gd

MISH = "a * tanh(log(1 + exp(a)))"
POINTS = np.array([-1000.0, -5.0, -0.5, 0.0, 0.5, 5.0, 1000.0])


def value_and_slope(function, *points, **session):
    xs = [gd.placeholder(np.shape(p), "float64") for p in points]
    y = function(*xs)
    slopes = gd.gradients(gd.sum(y), xs)
    value, *found = gd.Session(**session).run([y, *slopes], dict(zip(xs, points, strict=True)))
    return value, found


@pytest.mark.parametrize("level", [0, 1, 2])
def test_mish_is_stabilised_so_it_neither_overflows_nor_gives_nan(level):
    value, (slope,) = value_and_slope(gd.elementwise("mish", MISH), POINTS, level=level)
    softplus = np.logaddexp(0, POINTS)
    np.testing.assert_allclose(value, POINTS * np.tanh(softplus), rtol=1e-14)
    sigmoid = np.exp(-np.logaddexp(0, -POINTS))
    expected = np.tanh(softplus) + POINTS * (1 - np.tanh(softplus) ** 2) * sigmoid
    np.testing.assert_allclose(slope, expected, rtol=1e-12, atol=1e-300)


def test_mish_agrees_with_torch():
    torch = pytest.importorskip("torch")
    x = torch.tensor(POINTS, requires_grad=True)
    y = torch.nn.functional.mish(x)
    y.sum().backward()
    value, (slope,) = value_and_slope(gd.elementwise("mish", MISH), POINTS)
    np.testing.assert_allclose(value, y.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(slope, x.grad.numpy(), rtol=1e-12, atol=1e-300)


def test_the_formula_as_typed_goes_to_softplus():
    y = gd.elementwise("mish", MISH)(gd.placeholder((3,), name="x"))
    assert [node.op.name for node in gd.Graph(y).nodes if node.inputs] == ["exp", "add", "log", "tanh", "multiply"]
    ops = [node.op.name for node in gd.Session().compile(y).graph.nodes if node.inputs]
    assert ops == ["softplus", "tanh", "multiply"]


def test_second_derivatives_of_an_own_op_are_right():
    x = gd.placeholder((), "float64", name="x")
    slope = gd.gradients(gd.elementwise("f", "sin(a) * exp(a / 2)")(x), x)
    second = gd.gradients(slope, x)
    at = 0.7
    expected = math.exp(at / 2) * (math.cos(at) - 0.75 * math.sin(at))
    assert gd.Session().run(second, {x: at}) == pytest.approx(expected, rel=1e-13)


def test_inputs_are_alphabetical_unless_an_order_is_given():
    assert gd.elementwise("f", "x - beta * a").inputs == ("a", "beta", "x")
    ordered = gd.elementwise("f", "x - beta * a", inputs=["x", "a", "beta"])
    assert ordered.inputs == ("x", "a", "beta")
    assert gd.Session().run(ordered(10.0, 2.0, 3.0)) == 4


def test_numbers_and_arrays_take_the_dtype_of_the_nodes_beside_them():
    huber = gd.elementwise("huber", "where(abs(r) <= d, r ** 2 / 2, d * (abs(r) - d / 2))", inputs=["r", "d"])
    for dtype in ("float32", "float64"):
        r = gd.placeholder((None,), dtype, name="r")
        y = huber(r, 1.5)
        assert y.dtype == dtype
        errors = np.array([-3.0, -1.0, 0.0, 1.0, 3.0], dtype)
        np.testing.assert_allclose(gd.Session().run(y, {r: errors}), [3.375, 0.5, 0, 0.5, 3.375], rtol=1e-6)


def test_operands_broadcast_and_gradients_come_back_in_their_shapes():
    x, w = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    function = gd.elementwise("f", "w * x ** 2", inputs=["x", "w"])
    value, (dx, dw) = value_and_slope(function, x, w)
    np.testing.assert_array_equal(value, w * x**2)
    np.testing.assert_array_equal(dx, 2 * w * x)
    np.testing.assert_array_equal(dw, (x**2).sum(axis=0))


def test_a_truth_value_may_be_an_operand():
    keep = gd.elementwise("keep", "where(mask, x, 0)")
    mask, x = gd.placeholder((2,), "bool", "mask"), gd.placeholder((2,), "float32", "x")
    assert gd.Session().run(keep(mask, x), {mask: [True, False], x: [3.0, 4.0]}).tolist() == [3, 0]


def test_nodes_live_in_a_scope_called_as_the_op_or_as_asked():
    mish = gd.elementwise("mish", MISH)
    x = gd.placeholder((3,), name="x")
    with gd.name_scope("model"):
        plain, named = mish(x), mish(x, name="h")
    assert plain.label == "model/mish/multiply"
    assert named.label == "model/h"
    assert {node.scope for node in gd.Graph(named).nodes if node.inputs} == {"model", "model/h"}
    assert named.inputs[1].label == "model/h/tanh"


def test_a_formula_that_is_its_input_gives_the_input_back():
    x = gd.placeholder(name="x")
    assert gd.elementwise("same", "a")(x, name="y") is x


def test_constant_parts_are_computed_when_the_node_is_built():
    y = gd.elementwise("f", "a * sqrt(2 / pi)")(gd.placeholder(dtype="float64"))
    (constant,) = gd.Graph(y).constants
    assert constant.op.value == math.sqrt(2 / math.pi)


def test_it_says_what_it_is():
    mish = gd.elementwise("mish", MISH)
    assert (mish.name, mish.formula, repr(mish)) == ("mish", MISH, f"<op mish(a) = {MISH}>")


def test_it_serves_as_an_activation_of_a_layer():
    layers = pytest.importorskip("graphdl.keras.layers")
    mish = gd.elementwise("mish", MISH)
    x = gd.placeholder((None, 3), name="x")
    y = layers.Activation(mish)(x)
    data = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
    node = getattr(y, "node", y)
    np.testing.assert_allclose(gd.Session().run(node, {x: data}), data * np.tanh(np.log1p(np.exp(data))), rtol=1e-6)


@pytest.mark.parametrize("name", ["", "1x", "a b", '"; import os', "</script>", "if", "ｍish", "a" * 40, None, 3])
def test_a_name_that_is_no_identifier_is_refused(name):
    with pytest.raises(gd.FormulaError, match=r"an op is called .*, expected a Python identifier such as 'mish'"):
        gd.elementwise(name, MISH)


def test_errors_say_what_was_expected():
    with pytest.raises(gd.FormulaError, match="'2 \\* pi' has no variables, expected at least one"):
        gd.elementwise("f", "2 * pi")
    with pytest.raises(gd.FormulaError, match=r"inputs are \['a'\], expected the variables of the formula, 'a', 'b'"):
        gd.elementwise("f", "a * b", inputs=["a"])
    with pytest.raises(TypeError, match=r"f takes 2 operands \(a, b\), found 1"):
        gd.elementwise("f", "a * b")(1.0)
    with pytest.raises(gd.DTypeError, match="exp: an operand is i64, expected floats") as refused:
        gd.elementwise("f", "exp(a)")(gd.placeholder((2,), "int64", "i"))
    assert "test_elementwise.py" in str(refused.value)
    with pytest.raises(gd.DTypeError, match="mixes"):
        gd.elementwise("f", "a * b")(gd.placeholder((), "float32"), gd.placeholder((), "float64"))
