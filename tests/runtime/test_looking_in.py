"""The stepper, the NaN autopsy, the profile and the gradient check."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.runtime.check import check_gradients
from graphdl.runtime.profile import profile, profile_table
from graphdl.runtime.stepper import Stepper


def test_the_stepper_yields_every_node_with_its_value_in_order():
    x, y, z = (gd.placeholder((), name=n) for n in "xyz")
    total = gd.add(x, y, name="q")
    f = gd.multiply(total, z, name="f")
    seen = [(m.node.name, float(m.value)) for m in Stepper(f, {x: -2, y: 5, z: -4})]
    assert seen == [("x", -2), ("y", 5), ("z", -4), ("q", 3), ("f", -12)]


def test_the_stepper_agrees_with_the_session_to_the_bit_and_changes_nothing():
    x = gd.placeholder((None, 4), name="x")
    W = gd.Variable(gd.random_normal((4, 3)), name="W")
    y = gd.dropout(gd.tanh(x @ W), 0.5)
    loss = gd.mean(gd.square(y))
    update = gd.assign(W, W - 0.1 * gd.gradients(loss, W))
    session = gd.Session(seed=2)
    data = np.random.default_rng(0).standard_normal((5, 4)).astype("f")
    stepper = Stepper([loss], {x: data}, session, update)
    new = stepper.new_values()[W]
    before = session.value(W)
    value, _ = session.run([loss, update], {x: data})
    assert before.tobytes() != new.tobytes()
    assert session.value(W).tobytes() == new.tobytes()
    assert stepper.found[loss] == value


def test_nan_guard_names_the_first_bad_node_its_operands_and_the_cure():
    z = gd.placeholder((None,), name="z")
    e = gd.exp(z, name="e")
    loss = gd.mean(gd.log(1 + e))
    with pytest.raises(gd.NonFiniteError) as caught:
        gd.Session(nan_guard=True, stabilise=False).run(loss, {z: [1.0, 1000.0, 3.0]})
    text = str(caught.value)
    assert text.startswith("step 0: e (f32[N]) is the first with infinity, made by exp: 1 of 3 elements")
    assert "z: from 1 to 1000" in text
    assert "log_of_one_plus_exp would cure it (log(1 + exp x) = softplus x" in text
    assert "test_looking_in.py" in text
    assert gd.Session(nan_guard=True).run(loss, {z: [1.0, 1000.0, 3.0]}) == pytest.approx(1004.361849 / 3)


def test_nan_guard_leaves_the_variables_alone_when_it_stops_a_step():
    x, w = gd.placeholder((), name="x"), gd.Variable(2.0, name="w")
    session = gd.Session(nan_guard=True)
    update = gd.assign(w, gd.log(x) + w)
    session.run(update, {x: 1.0})
    with pytest.raises(gd.NonFiniteError, match=r"step 1: log .* is the first with NaN"):
        session.run(update, {x: -1.0})
    assert session.value(w) == 2.0
    assert session.state.step == 1
    with pytest.raises(gd.NonFiniteError, match="look for missing values in the data"):
        session.run(update, {x: float("nan")})


def test_guarded_and_plain_steps_give_the_same_bits():
    x, w = gd.placeholder((None,), name="x"), gd.Variable([0.3, 0.7], name="w")
    loss = gd.mean(gd.sigmoid(x * gd.sum(w)))
    update = gd.assign(w, w - gd.gradients(loss, w))
    plain, guarded = gd.Session(), gd.Session(nan_guard=True)
    for _ in range(3):
        for session in (plain, guarded):
            session.run([loss, update], {x: [0.1, 0.2]})
    assert plain.state.digest() == guarded.state.digest()


def test_the_profile_names_every_computed_node_and_its_shares_add_up():
    x = gd.placeholder((None, 64), name="x")
    W = gd.Variable(gd.random_normal((64, 64)), name="W")
    compiled = gd.Session().compile(gd.sum(gd.tanh(x @ W), name="total"))
    timings = profile(compiled, {x: np.ones((32, 64), "f")})
    assert {t.node.op.name for t in timings} == {"matmul", "tanh", "sum"}
    assert sum(t.share for t in timings) == pytest.approx(1)
    assert "total: f32" in profile_table(timings)


def test_check_gradients_passes_right_derivatives_and_convicts_wrong_ones(monkeypatch):
    x, labels = gd.placeholder((None, 4), name="x"), gd.placeholder((None,), "int64", name="labels")
    W = gd.Variable(gd.random_normal((4, 3)), name="W")
    loss = gd.mean(gd.cross_entropy(gd.tanh(x @ W), labels))
    feeds = {x: np.random.default_rng(1).standard_normal((5, 4)), labels: [0, 1, 2, 1, 0]}
    found = check_gradients(loss, [W, x], feeds)
    assert all(c.ok for c in found)
    assert max(c.error for c in found) < 1e-8
    monkeypatch.setattr(gd.tanh, "partials", (lambda dy, y, a: dy * (1 - y),))
    assert not any(c.ok for c in check_gradients(loss, [W, x], feeds))


def test_check_gradients_moves_a_fed_value_beside_others_of_as_many_examples():
    x, t = gd.placeholder((None, 2), name="x"), gd.placeholder((None, 2), name="t")
    loss = gd.mean(gd.square(gd.tanh(x) - t))
    feeds = {x: [[1.0, 2.0], [0.5, -1.0], [0.0, 0.3]], t: np.ones((3, 2))}
    (found,) = check_gradients(loss, [x], feeds)
    assert found.ok


def test_check_gradients_goes_through_loops():
    x, w = gd.placeholder((4, 1), name="x"), gd.Variable([0.3], name="w")

    def step(h, x_t):
        h = gd.tanh(w * h + x_t)
        return h, h

    last, _ = gd.scan(step, gd.zeros((1,)), x)
    found = check_gradients(gd.sum(last), [w, x], {x: np.arange(4.0).reshape(4, 1) / 10})
    assert [c.ok for c in found] == [True, True]


def test_check_gradients_moves_any_node_of_the_graph():
    x = gd.placeholder((), name="x")
    t = gd.multiply(x, x, name="t")
    (found,) = check_gradients(gd.exp(t), [t], {x: 0.5})
    assert found.analytic == pytest.approx(found.numeric, rel=1e-8)
