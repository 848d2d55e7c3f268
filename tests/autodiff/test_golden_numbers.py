"""Numbers every course prints: they must come out of the graph."""

from __future__ import annotations

import math

import numpy as np
import pytest

import graphdl as gd


@pytest.fixture(params=["readable", "fast"])
def session(request):
    gd.set_floatx("float64")
    return gd.Session(style=request.param)


def test_apple_shop_costs_220(session):
    price, count, tax = (gd.Variable(v, name=n) for v, n in ((100.0, "price"), (2.0, "count"), (1.1, "tax")))
    total = price * count * tax
    slopes = gd.gradients(total, [price, count, tax])
    # 100 * 2 * 1.1 is 220.00000000000003 in float64: the course prints 220.
    assert f"{session.run(total):g}" == "220"
    assert session.run(slopes) == pytest.approx([2.2, 110, 200], rel=1e-15)


def test_apples_and_oranges_cost_715(session):
    names = ("apple_count", "apple_price", "orange_price", "orange_count", "tax")
    variables = [gd.Variable(v, name=n) for v, n in zip((2.0, 100.0, 150.0, 3.0, 1.1), names, strict=True)]
    apples, apple, orange, oranges, tax = variables
    total = (apple * apples + orange * oranges) * tax
    assert f"{session.run(total):g}" == "715"
    assert session.run(gd.gradients(total, variables)) == pytest.approx([110, 2.2, 3.3, 165, 650], rel=1e-15)


def test_square_of_a_sum_goes_through_the_sum(session):
    x, y = gd.placeholder(name="x"), gd.placeholder(name="y")
    t = gd.add(x, y, name="t")
    z = t**2
    found = gd.derive(z, [x, y, t])
    values = session.run(list(found.gradients), {x: 3.0, y: 4.0})
    assert values == [14.0, 14.0, 14.0]
    assert [step.node.label for step in found.steps] == ["square", "t"]


def test_cs231n_circuit(session):
    x, y, z = (gd.placeholder(name=n) for n in "xyz")
    f = (x + y) * z
    values = session.run([f, *gd.gradients(f, [x, y, z])], {x: -2.0, y: 5.0, z: -4.0})
    assert values == [-12.0, -4.0, -4.0, 3.0]


def test_cs231n_sigmoid_neuron(session):
    """w = [2, -3, -3], x = [-1, -2]: 0.73, and gradients -0.20, -0.39, 0.20, 0.39, -0.59 as printed there."""
    w0, x0, w1, x1, w2 = (gd.Variable(v) for v in (2.0, -1.0, -3.0, -2.0, -3.0))
    f = 1 / (1 + gd.exp(-(w0 * x0 + w1 * x1 + w2)))
    assert session.run(f) == pytest.approx(0.73, abs=0.005)
    # The course rounds at every gate; without rounding the numbers are these.
    s = 1 / (1 + math.exp(-1)) * (1 - 1 / (1 + math.exp(-1)))
    slopes = session.run(gd.gradients(f, [w0, x0, w1, x1, w2]))
    assert slopes == pytest.approx([-s, 2 * s, -2 * s, -3 * s, s], rel=1e-12)
    assert slopes == pytest.approx([-0.20, 0.39, -0.39, -0.59, 0.20], abs=0.01)


def test_xor_with_fixed_weights(session):
    x = gd.placeholder((None, 2), name="x")
    hidden = gd.sigmoid(x @ gd.constant([[5.0, -7.0], [5.0, -7.0]]) + gd.constant([-8.0, 3.0]))
    output = gd.sigmoid(hidden @ gd.constant([[-11.0], [-11.0]]) + gd.constant([6.0]))
    found = session.run(output, {x: [[0, 0], [0, 1], [1, 0], [1, 1]]}).ravel()

    def s(v):
        return 1 / (1 + math.exp(-v))

    written_out = [
        s(-11 * s(5 * a + 5 * b - 8) - 11 * s(-7 * a - 7 * b + 3) + 6) for a, b in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    assert found == pytest.approx(written_out, rel=1e-14)
    # Printed with three digits, cut from rounded intermediate values.
    assert found == pytest.approx([0.011, 0.995, 0.995, 0.024], abs=0.005)


def test_cross_entropy_as_a_student_types_it_at_1000(session):
    z = gd.placeholder((3,), name="z")
    loss = -gd.log(gd.exp(z) / gd.sum(gd.exp(z)))[0]
    value, slope = session.run([loss, gd.gradients(loss, z)], {z: [0.0, 1000.0, 5.0]})
    assert value == 1000
    assert slope.tolist() == [-1, 1, 0]


def test_simultaneous_updates_of_the_two_by_two_example(session):
    """The 2-2-2 network of many courses: 0.298371109 at first, 0.29102777369 after one step of rate 0.5."""
    x, target = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    W1 = gd.Variable(np.array([[0.15, 0.25], [0.20, 0.30]]), name="W1")
    W2 = gd.Variable(np.array([[0.40, 0.50], [0.45, 0.55]]), name="W2")
    out = gd.sigmoid(gd.sigmoid(gd.constant(x) @ W1 + 0.35) @ W2 + 0.60)
    loss = gd.sum(gd.square(gd.constant(target) - out)) * 0.5
    g1, g2 = gd.gradients(loss, [W1, W2])
    step = gd.group(gd.assign(W1, W1 - 0.5 * g1), gd.assign(W2, W2 - 0.5 * g2))
    assert session.run(loss) == pytest.approx(0.298371109, abs=5e-10)
    session.run(step)
    assert session.value(W2)[0, 0] == pytest.approx(0.35891648, abs=5e-9)
    assert session.value(W1)[0, 0] == pytest.approx(0.149780716, abs=5e-10)
    assert session.run(loss) == pytest.approx(0.29102777369, abs=5e-11)


def test_plus_six_is_learnt_from_any_start():
    """y = x + 6 with one weight and one bias, 1,200 steps of SGD on the mean squared error, float32."""
    x, y = gd.placeholder((None, 1), name="x"), gd.placeholder((None, 1), name="y")
    W, b = gd.Variable(np.zeros((1, 1), "f"), name="W"), gd.Variable(np.zeros(1, "f"), name="b")
    prediction = x @ W + b
    loss = gd.mean(gd.square(prediction - y))
    dW, db = gd.gradients(loss, [W, b])
    step = gd.group(gd.assign(W, W - 0.01 * dW), gd.assign(b, b - 0.01 * db))
    xs = np.arange(-1.0, 5.0, dtype="f")[:, None]
    for start in (0.0, 1.5, -3.0):
        session = gd.Session()
        session.assign(W, [[start]])
        session.assign(b, [-start])
        for _ in range(1200):
            session.run(step, {x: xs, y: xs + 6})
        assert session.run(prediction, {x: [[10.0]]})[0, 0] == pytest.approx(16.0, abs=2e-4)
