"""Variables that are updated alike are packed: fewer calls, the same bits, and nobody else notices."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd

DATA = np.random.default_rng(0).standard_normal((6, 3)).astype("f")


def network():
    x = gd.placeholder((None, 3), name="x")
    W1, b1 = gd.Variable(gd.random_normal((3, 4)), name="W1"), gd.Variable(np.zeros(4, "f"), name="b1")
    W2, b2 = gd.Variable(gd.random_normal((4, 2)), name="W2"), gd.Variable(np.zeros(2, "f"), name="b2")
    y = gd.add(gd.tanh(x @ W1 + b1) @ W2, b2, name="y")
    return x, y, [W1, b1, W2, b2]


def momentum(loss, parameters):
    updates = []
    for p, g in zip(parameters, gd.gradients(loss, parameters), strict=True):
        m = gd.Variable(np.zeros(p.shape, "f"), trainable=False, name=f"m_{p.name}")
        new = 0.9 * m - 0.1 * g
        updates += [gd.assign(m, new), gd.assign(p, p + new)]
    return gd.group(*updates)


def trained(level, style, steps=5):
    x, y, parameters = network()
    train = momentum(gd.mean(gd.square(y)), parameters)
    session = gd.Session(seed=3, level=level, style=style)
    for _ in range(steps):
        session.run(train, {x: DATA})
    return session, x, y, parameters, train


def test_every_level_and_style_ends_in_the_same_bits():
    digests = {trained(level, style)[0].state.digest() for level in (0, 1, 2) for style in ("fast", "readable")}
    assert len(digests) == 1


def test_one_call_updates_all_parameters():
    session, _, _, _, train = trained(2, "fast")
    compiled = session.compile([], train)
    assert [v.op.name for v, _ in compiled.graph.updates] == ["packed", "packed"]
    assert compiled.graph.updates[0][0].type == gd.Variable(np.zeros(26, "f")).type
    assert [f.rule for f in compiled.optimised.firings].count("pack_updates") == 1


def test_programs_compiled_before_and_after_packing_see_the_new_values():
    x, y, parameters = network()
    session = gd.Session(seed=3)
    first = session.run(y, {x: DATA})
    train = momentum(gd.mean(gd.square(y)), parameters)
    session.run(train, {x: DATA})
    second = session.run(y, {x: DATA})
    W1, b1, W2, b2 = (session.value(p) for p in parameters)
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(second, np.tanh(DATA @ W1 + b1) @ W2 + b2, rtol=1e-5)


def test_two_optimizers_take_turns_on_the_same_variables():
    x, y, parameters = network()
    loss = gd.mean(gd.square(y))
    all_of_them, some = momentum(loss, parameters), momentum(loss, parameters[::2])
    packed, plain = gd.Session(seed=3, level=2), gd.Session(seed=3, level=1)
    for _ in range(3):
        for session in (packed, plain):
            session.run(all_of_them, {x: DATA})
            session.run(some, {x: DATA[:2]})
    assert packed.state.digest() == plain.state.digest()


def test_assigning_loading_and_initialising_reach_packed_variables(tmp_path):
    session, x, _, parameters, train = trained(2, "fast")
    session.save(tmp_path / "s.npz")
    session.assign(parameters[1], np.ones(4))
    assert session.value(parameters[1]).tolist() == [1, 1, 1, 1]
    session.load(tmp_path / "s.npz")
    session.run(train, {x: DATA})
    assert session.state.digest() == trained(2, "fast", steps=6)[0].state.digest()
    session.initialise()
    session.run(train, {x: DATA})
    assert session.state.digest() == trained(2, "fast", steps=1)[0].state.digest()


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_a_fetched_variable_is_a_copy_from_before_the_update(style):
    session, x, _, parameters, train = trained(2, style)
    before = session.value(parameters[0])
    fetched, _ = session.run([parameters[0], train], {x: DATA})
    assert fetched.tobytes() == before.tobytes()
    fetched[...] = 0
    assert session.value(parameters[0]).any()
    assert session.value(parameters[0]).tobytes() != before.tobytes()


def test_new_values_that_somebody_else_reads_stay_apart():
    x, y, parameters = network()
    loss = gd.mean(gd.square(y))
    W1, b1 = parameters[:2]
    g1, g2 = gd.gradients(loss, [W1, b1])
    new1, new2 = W1 - 0.1 * g1, b1 - 0.1 * g2
    train = gd.group(gd.assign(W1, new1), gd.assign(b1, new2))
    session = gd.Session(seed=3)
    total, _ = session.run([gd.sum(new1), train], {x: DATA})
    assert total == pytest.approx(float(session.value(W1).sum()), rel=1e-5)


def test_the_stepper_and_the_guard_understand_packed_programs():
    session, x, _, _, train = trained(2, "fast", steps=1)
    guarded = gd.Session(seed=3, nan_guard=True)
    guarded.run(train, {x: DATA})
    assert guarded.state.digest() == session.state.digest()
