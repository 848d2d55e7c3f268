"""Jacobians, Hessians and Hessian-vector products against formulas written out, SymPy, and differences."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.ir.registry import lookup


@pytest.fixture(autouse=True)
def _float64():
    gd.set_floatx("float64")


def run(node, feeds):
    return gd.Session().run(node, feeds)


def test_jacobian_of_a_product_is_the_matrix():
    A = np.arange(6.0).reshape(2, 3)
    x = gd.placeholder((3,), name="x")
    np.testing.assert_array_equal(run(gd.jacobian(gd.constant(A) @ x, x), {x: np.ones(3)}), A)


def test_jacobian_of_softmax_is_diag_p_minus_p_pt():
    x = gd.placeholder((4,), name="x")
    at = np.array([0.1, -2.0, 3.0, 0.5])
    p = np.exp(at) / np.exp(at).sum()
    np.testing.assert_allclose(run(gd.jacobian(gd.softmax(x), x), {x: at}), np.diag(p) - np.outer(p, p), atol=1e-15)


def test_jacobian_has_the_axes_of_the_value_first():
    x = gd.placeholder((2, 3), name="x")
    found = run(gd.jacobian(gd.square(x), x), {x: np.arange(6.0).reshape(2, 3)})
    assert found.shape == (2, 3, 2, 3)
    np.testing.assert_array_equal(found.reshape(6, 6), np.diag(2 * np.arange(6.0)))


def test_jacobian_of_too_many_elements_is_refused():
    x = gd.placeholder((None, 3), name="x")
    with pytest.raises(gd.GradientError, match="a Jacobian is made for at most 1024 elements, fixed in number"):
        gd.jacobian(gd.exp(x), x)
    with pytest.raises(gd.GradientError, match=r"f64\[2000\]"):
        gd.jacobian(gd.exp(gd.placeholder((2000,))), x)


def test_hessian_of_a_quadratic_form_is_the_matrix_and_its_transpose():
    A = np.array([[1.0, 2.0], [5.0, -3.0]])
    x = gd.placeholder((2,), name="x")
    np.testing.assert_allclose(run(gd.hessian(gd.sum(x * (gd.constant(A) @ x)), x), {x: [0.3, 0.4]}), A + A.T)


def test_hessian_of_rosenbrock_is_that_of_sympy():
    sympy = pytest.importorskip("sympy")
    a, b = sympy.symbols("a b")
    truth = sympy.lambdify((a, b), sympy.hessian((1 - a) ** 2 + 100 * (b - a**2) ** 2, (a, b)))
    x = gd.placeholder((2,), name="x")
    node = gd.hessian((1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, x)
    for at in ([0.0, 0.0], [1.0, 1.0], [-1.2, 1.0]):
        np.testing.assert_allclose(run(node, {x: at}), truth(*at), rtol=1e-12)


def test_hessian_of_a_linear_loss_is_zeros():
    x = gd.placeholder((3,), name="x")
    assert run(gd.hessian(gd.sum(x * [1.0, 2.0, 3.0]), x), {x: np.ones(3)}).tolist() == [[0.0] * 3] * 3


def test_hessian_for_a_value_inside_the_graph():
    x = gd.placeholder((2,), name="x")
    h = gd.multiply(gd.log(1 + gd.exp(x)), x, name="h")
    at = np.array([0.5, -1.0])
    inner = np.log1p(np.exp(at)) * at
    found = run(gd.hessian(gd.sum(gd.exp(h)), h), {x: at})
    np.testing.assert_allclose(found, np.diag(np.exp(inner)), rtol=1e-13)


def logistic_loss(w, X, t):
    z = gd.constant(X) @ w
    p = 1 / (1 + gd.exp(-z))
    return -gd.mean(gd.constant(t) * gd.log(p) + (1 - gd.constant(t)) * gd.log(1 - p))


def test_hessian_of_logistic_regression_is_xt_s_x():
    random = np.random.default_rng(0)
    X, t, at = random.standard_normal((6, 3)), random.integers(0, 2, 6).astype(float), random.standard_normal(3)
    w = gd.placeholder((3,), name="w")
    s = 1 / (1 + np.exp(-X @ at))
    expected = X.T @ np.diag(s * (1 - s)) @ X / 6
    np.testing.assert_allclose(run(gd.hessian(logistic_loss(w, X, t), w), {w: at}), expected, rtol=1e-12)
    v = random.standard_normal(3)
    product = gd.hessian_vector_product(logistic_loss(w, X, t), w, gd.constant(v))
    np.testing.assert_allclose(run(product, {w: at}), expected @ v, rtol=1e-12)


def test_hessian_vector_product_over_several_values():
    x, y = gd.placeholder((2,), name="x"), gd.placeholder((), name="y")
    loss = gd.sum(x * x * x) * y
    products = gd.hessian_vector_product(loss, [x, y], [gd.constant([1.0, -1.0]), gd.constant(2.0)])
    at, b = np.array([2.0, 3.0]), 5.0
    for_x, for_y = run(products, {x: at, y: b})
    np.testing.assert_allclose(for_x, 6 * at * b * [1, -1] + 3 * at**2 * 2, rtol=1e-14)
    assert for_y == pytest.approx((3 * at**2 * [1, -1]).sum(), rel=1e-14)


def test_hessian_vector_product_is_zero_for_what_is_linear():
    x, y = gd.placeholder((2,), name="x"), gd.placeholder((2,), name="y")
    products = gd.hessian_vector_product(gd.sum(x) + gd.sum(y * y), [x, y], [gd.ones(2), gd.ones(2)])
    found = run(products, {x: np.ones(2), y: np.ones(2)})
    np.testing.assert_array_equal(found, [[0, 0], [2, 2]])


@pytest.mark.parametrize("labels", ["one-hot", "numbers"])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_fused_cross_entropy_has_its_second_derivative(level, labels):
    """In TensorFlow 1 it was silently lost. It is (diag p - p p^T) / N in blocks."""
    z = gd.placeholder((2, 3), name="z")
    numbers = np.array([2, 0])
    y = gd.constant(np.eye(3)[numbers]) if labels == "one-hot" else gd.constant(numbers)
    at = np.array([[0.1, 0.2, -0.3], [1.0, -1.0, 0.0]])
    found = gd.Session(level=level).run(gd.hessian(gd.mean(gd.cross_entropy(z, y)), z), {z: at})
    expected = np.zeros((2, 3, 2, 3))
    for n, row in enumerate(at):
        p = np.exp(row) / np.exp(row).sum()
        expected[n, :, n] = (np.diag(p) - np.outer(p, p)) / 2
    np.testing.assert_allclose(found, expected, atol=1e-15)


def test_fused_sigmoid_cross_entropy_has_its_second_derivative():
    z = gd.placeholder((3,), name="z")
    at = np.array([0.5, -1.0, 2.0])
    s = 1 / (1 + np.exp(-at))
    loss = gd.sum(gd.sigmoid_cross_entropy(z, gd.constant([1.0, 0.0, 1.0])))
    np.testing.assert_allclose(run(gd.hessian(loss, z), {z: at}), np.diag(s * (1 - s)), atol=1e-15)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["exp", "sin", "tanh", "sigmoid", "softplus", "log", "sqrt", "erf", "reciprocal"])
def test_derivatives_of_any_order_are_those_of_sympy(name, order):
    sympy = pytest.importorskip("sympy")
    a = sympy.Symbol("a", positive=True)
    known = {"sigmoid": 1 / (1 + sympy.exp(-a)), "softplus": sympy.log(1 + sympy.exp(a)), "reciprocal": 1 / a}
    truth = known[name] if name in known else getattr(sympy, name)(a)
    x = gd.placeholder((), name="x")
    node = lookup(name)(x)
    for _ in range(order):
        node = gd.gradients(node, x)
    for at in (0.3, 1.0, 2.5):
        expected = float(sympy.diff(truth, a, order).evalf(20, subs={a: at}))
        assert run(node, {x: at}) == pytest.approx(expected, rel=1e-10, abs=1e-12)
