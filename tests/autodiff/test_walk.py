"""How the chain rule walks: one sum where values fan out, nothing that is not asked for, reasons for zeros."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.ir.graph import Graph
from graphdl.ir.origin import Vjp, forward_of
from graphdl.ir.traverse import ancestors


def ops(*nodes):
    return [n.op.name for n in ancestors(nodes)]


def test_fan_out_is_one_n_ary_sum_named_after_the_value():
    x = gd.placeholder((), "float64", name="x")
    h = gd.exp(x, name="h")
    loss = h * 2 + gd.sin(h) + h * h
    found = gd.derive(loss, [x])
    (step,) = [s for s in found.steps if s.node.name == "h"]
    assert len(step.parts) == 4
    assert (step.upstream.op.name, step.upstream.label) == ("add_n", "d/h")
    assert step.upstream.inputs == step.parts
    e = np.exp(0.5)
    assert gd.Session().run(found.gradients[0], {x: 0.5}) == pytest.approx(e * (2 + np.cos(e) + 2 * e), rel=1e-14)


def test_gradients_are_named_d_of_the_value_and_know_what_they_are_the_gradient_of():
    with gd.name_scope("dense"):
        x, W = gd.placeholder((2, 3), name="x"), gd.Variable(np.ones((3, 4), "f"), name="W")
        h = gd.matmul(x, W, name="h")
    slope = gd.gradients(gd.sum(gd.tanh(h)), W)
    assert slope.label == "d/dense/W"
    assert isinstance(slope.origin, Vjp)
    assert (slope.origin.of, slope.origin.slot) == (h, 1)
    assert forward_of(slope) is h


def test_steps_run_from_the_loss_back_and_each_term_is_upstream_times_local():
    x, y = gd.placeholder((), name="x"), gd.placeholder((), name="y")
    loss = gd.log(gd.multiply(x, y, name="p"), name="l")
    found = gd.derive(loss, [x, y])
    assert [s.node.label for s in found.steps] == ["l", "p"]
    terms = {t.source: t for t in found.steps[1].terms}
    assert terms[x].slot == 0
    assert found.gradients == (terms[x].gradient, terms[y].gradient)


def test_what_is_not_demanded_is_not_built():
    x, W = gd.placeholder((2, 3), name="x"), gd.Variable(np.ones((3, 4), "f"), name="W")
    found = gd.derive(gd.sum(gd.tanh(x @ W)), [W])
    (product,) = [s for s in found.steps if s.node.op.name == "matmul"]
    assert [t.slot for t in product.terms] == [1]
    # x @ W forward and x^T @ dh backward, no dh @ W^T.
    assert ops(*found.gradients).count("matmul") == 2


def test_a_value_used_twice_by_one_node_gets_both_terms():
    x = gd.placeholder((), "float64", name="x")
    assert gd.Session().run(gd.gradients(x * x * x, x), {x: 2.0}) == 12.0


def test_the_loss_itself_has_gradient_one():
    x = gd.placeholder((), name="x")
    assert gd.Session().run(gd.gradients(x, x), {x: 5.0}) == 1.0


def test_one_node_gives_one_gradient_and_a_list_gives_a_list():
    x, y = gd.placeholder((), name="x"), gd.placeholder((), name="y")
    assert isinstance(gd.gradients(x * y, x), gd.Node)
    assert isinstance(gd.gradients(x * y, [x]), list)
    assert len(gd.gradients(x * y, (x, y))) == 2


def test_the_seed_is_the_gradient_that_arrives():
    x = gd.placeholder((3,), "float64", name="x")
    u = gd.placeholder((3,), "float64", name="u")
    node, fixed = (gd.gradients(gd.exp(x), x, seed=s) for s in (u, [1.0, 0.0, 2.0]))
    at = np.array([0.0, 1.0, 2.0])
    found = gd.Session().run([node, fixed], {x: at, u: [3.0, 2.0, 1.0]})
    np.testing.assert_allclose(found, [np.exp(at) * [3, 2, 1], np.exp(at) * [1, 0, 2]], rtol=1e-15)


def test_split_sends_back_the_parts_put_together_and_zeros_for_what_is_not_used():
    x = gd.placeholder((2, 6), "float64", name="x")
    a, _, c = gd.split(x, 3, axis=1)
    loss = gd.sum(a * 3) + gd.sum(gd.square(c))
    at = np.arange(12.0).reshape(2, 6)
    expected = np.concatenate([np.full((2, 2), 3.0), np.zeros((2, 2)), 2 * at[:, 4:]], axis=1)
    for style in ("readable", "fast"):
        found = gd.Session(style=style).run(gd.gradients(loss, x), {x: at})
        np.testing.assert_array_equal(found, expected)


def test_split_along_the_batch_has_a_gradient():
    x = gd.placeholder(("T", 2), "float64", name="x")
    top, rest = gd.split(x, [1, x.shape[0] - 1], axis=0)
    loss = gd.sum(top) * 5 + gd.sum(rest * rest)
    at = np.arange(6.0).reshape(3, 2)
    found = gd.Session().run(gd.gradients(loss, x), {x: at})
    np.testing.assert_array_equal(found, np.vstack([[[5, 5]], 2 * at[1:]]))


@pytest.mark.parametrize("build", ["take", "getitem"])
def test_rows_taken_twice_get_both_gradients(build):
    x = gd.placeholder((4, 2), "float64", name="x")
    rows = gd.take(x, [1, 1, 3]) if build == "take" else x[[1, 1, 3]]
    found = gd.Session().run(gd.gradients(gd.sum(rows * [[1.0], [10.0], [100.0]]), x), {x: np.zeros((4, 2))})
    np.testing.assert_array_equal(found, [[0, 0], [11, 11], [0, 0], [100, 100]])


class TestIntermediate:
    """A value inside a formula that the stabiliser would take apart keeps its gradient."""

    def test_gradient_for_the_inside_of_log_1_plus_exp(self):
        x = gd.placeholder((), "float64", name="x")
        e = gd.exp(x, name="e")
        loss = gd.log(1 + e)
        value, at_e, at_x = gd.Session().run([loss, *gd.gradients(loss, [e, x])], {x: 2.0})
        assert value == pytest.approx(np.log1p(np.exp(2.0)), rel=1e-15)
        assert at_e == pytest.approx(1 / (1 + np.exp(2.0)), rel=1e-15)
        assert at_x == pytest.approx(1 / (1 + np.exp(-2.0)), rel=1e-15)

    def test_gradient_for_probabilities_behind_a_cross_entropy(self):
        z = gd.placeholder((3,), "float64", name="z")
        p = gd.softmax(z, name="p")
        loss = -gd.log(p)[1]
        at = np.array([0.5, 1.0, -1.0])
        q = np.exp(at) / np.exp(at).sum()
        for_p, for_z = gd.Session().run(gd.gradients(loss, [p, z]), {z: at})
        np.testing.assert_allclose(for_p, [0, -1 / q[1], 0], rtol=1e-14)
        np.testing.assert_allclose(for_z, q - [0, 1, 0], rtol=1e-13)

    def test_gradient_for_a_value_that_broadcasting_copied(self):
        x, y = gd.placeholder((3,), "float64", name="x"), gd.placeholder((2, 1), "float64", name="y")
        e = gd.exp(y, name="e")
        loss = gd.sum(gd.log(gd.exp(x) + e))
        a, b = np.array([0.1, 0.2, 0.3]), np.array([[0.5], [-0.5]])
        found = gd.Session().run(gd.gradients(loss, e), {x: a, y: b})
        np.testing.assert_allclose(found, (1 / (np.exp(a) + np.exp(b))).sum(1, keepdims=True), rtol=1e-14)

    def test_a_second_derivative_for_it_too(self):
        """h is rebuilt by the stabiliser over softplus; its gradient hangs on the user's h all the same."""
        x = gd.placeholder((), "float64", name="x")
        h = gd.multiply(gd.log(1 + gd.exp(x)), 3.0, name="h")
        loss = gd.sin(h)
        second = gd.gradients(gd.gradients(loss, h), h)
        assert gd.Session().run(second, {x: 0.3}) == pytest.approx(-np.sin(3 * np.log1p(np.exp(0.3))), rel=1e-14)


class TestZeros:
    """A gradient that is zero everywhere says why."""

    @pytest.mark.parametrize(
        ("build", "why"),
        [
            (lambda x: gd.cast(gd.argmax(x), "float32"), "argmax: argmax is an index: flat everywhere, with jumps"),
            (lambda x: gd.cast(x > 0, "float32"), "greater: a comparison is a step: flat everywhere, with jumps"),
            (gd.stop_gradient, "stop_gradient: stop_gradient holds every gradient back"),
            (gd.sign, "sign: sign is a step: flat everywhere, with a jump at 0"),
            (gd.floor, "floor: floor is a staircase: flat everywhere, with jumps"),
            (lambda x: gd.one_hot(gd.argmax(x), 3), "argmax: argmax is an index"),
            (lambda x: gd.cast(gd.equal(gd.argmax(x), 1), "float32"), "argmax: argmax is an index"),
        ],
    )
    def test_flat_ops_are_named(self, build, why):
        x = gd.placeholder((3,), name="x")
        loss = gd.sum(build(x), name="loss")
        with pytest.warns(gd.ZeroGradientWarning) as caught:
            slope = gd.gradients(loss, x)
        text = str(caught[0].message)
        assert text.startswith("the gradient of 'loss' for 'x' is zero everywhere: ")
        assert why in text
        assert caught[0].filename == __file__
        assert gd.Session().run(slope, {x: [1.0, 2.0, 3.0]}).tolist() == [0, 0, 0]

    def test_a_path_with_a_derivative_beside_a_flat_one_gives_no_warning(self):
        x = gd.placeholder((3,), "float64", name="x")
        loss = gd.sum(gd.stop_gradient(x) * x)
        assert gd.Session().run(gd.gradients(loss, x), {x: [1.0, 2.0, 3.0]}).tolist() == [1, 2, 3]

    def test_only_the_flat_one_of_several_is_explained(self):
        x, y = gd.placeholder((), name="x"), gd.placeholder((), name="y")
        found = gd.derive(gd.floor(x) + y * y, [x, y])
        assert list(found.zero_because) == [x]


class TestErrors:
    def test_a_loss_that_is_no_scalar_needs_a_seed(self):
        x = gd.placeholder((None, 3), name="x")
        with pytest.raises(gd.GradientError) as caught:
            gd.gradients(gd.exp(x, name="y"), x)
        text = str(caught.value)
        assert text.startswith("y is f32[N, 3], not a scalar; take its gd.sum or gd.mean, or pass seed=")
        assert "written at test_walk.py:" in text

    def test_a_seed_of_another_shape_is_refused(self):
        x = gd.placeholder((3,), name="x")
        with pytest.raises(gd.GradientError, match=r"seed has shape \(2,\), expected that of y, f32\[3\]"):
            gd.gradients(gd.exp(x, name="y"), x, seed=[1.0, 2.0])

    def test_what_does_not_reach_the_loss_is_named_beside_what_does(self):
        x, y = gd.placeholder((), name="x"), gd.placeholder((), name="y")
        with pytest.raises(gd.GradientError) as caught:
            gd.gradients(gd.exp(x, name="loss"), y)
        assert str(caught.value).startswith(
            "'y' does not reach 'loss', which depends on 'x'\n  written at test_walk.py:"
        )

    def test_integers_have_no_gradient(self):
        i = gd.placeholder((3,), "int64", name="i")
        with pytest.raises(gd.DTypeError, match=r"i is i64\[3\]; only floats have gradients"):
            gd.gradients(gd.sum(gd.cast(i, "float32")), i)

    def test_an_integer_loss_has_none_either(self):
        x = gd.placeholder((3,), name="x")
        with pytest.raises(gd.DTypeError, match="k is i64; only floats have gradients"):
            gd.gradients(gd.argmax(x, name="k"), x)

    def test_things_that_are_no_nodes_are_refused(self):
        x = gd.placeholder((), name="x")
        with pytest.raises(gd.GradientError, match="a gradient is asked for a str, expected a node"):
            gd.gradients(x * x, ["x"])
        with pytest.raises(gd.GradientError, match="the loss is a float, expected a node"):
            gd.gradients(3.0, x)


def test_a_gradient_of_5000_links_does_not_recurse():
    x = gd.placeholder((), "float64", name="x")
    h = x
    for _ in range(5000):
        h = gd.sin(h)
    slope = gd.gradients(h, x)
    value, expected = 1.0, 1.0
    for _ in range(5000):
        expected *= np.cos(value)
        value = np.sin(value)
    assert gd.Session().run(slope, {x: 1.0}) == pytest.approx(expected, rel=1e-9)


def test_the_graph_of_a_gradient_is_the_same_every_time():
    def made():
        x = gd.placeholder((None, 3), name="x")
        W = gd.Variable(np.ones((3, 2), "f"), name="W")
        return str(Graph(gd.gradients(gd.mean(gd.square(gd.tanh(x @ W))), [W, x])))

    assert made() == made()
