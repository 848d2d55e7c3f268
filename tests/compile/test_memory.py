"""The plan of buffers: no live value is overwritten, variables and fetches included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from tests.random_graphs import grow, plans


def live_ranges(program):
    """For each node with a buffer of its own: number of the buffer, when it is written, when it is read last."""
    plan, last = program.plan, {}
    when = {instr.node: time for time, instr in enumerate(program.instrs)}
    for time, instr in enumerate(program.instrs):
        for source in instr.reads:
            last[plan.root(source)] = time
    for root in program.graph.roots:
        last[plan.root(root)] = len(program.instrs)
    return [(b.number, when[node], last.get(node, when[node])) for node, b in plan.buffer.items()]


@settings(max_examples=150)
@given(plans, st.sets(st.integers(0, 15), min_size=1))
def test_two_values_in_one_buffer_are_never_alive_together(plan, chosen):
    g = grow(plan)
    wanted = [g.nodes[i] for i in chosen if i < len(g.nodes)] or g.nodes[-1:]
    program = gd.Session().compile(wanted).program
    ranges = live_ranges(program)
    for number, written, read in ranges:
        for other, begun, _ in ranges:
            # A value may take the place of an operand at the moment it is made.
            assert number != other or written == begun or not written < begun < read


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (1, 1), (3, 1, 2)])
def test_a_transpose_that_moves_nothing_is_still_a_copy(shape):
    x = gd.placeholder(shape, "float64", name="x")
    y = gd.exp(x)
    t = gd.transpose(y)
    later = gd.sin(gd.exp(x + 1))
    at = np.random.default_rng(0).standard_normal(shape)
    for level in (0, 1, 2):
        found = gd.Session(level=level).run([t * 2, later], {x: at})
        np.testing.assert_array_equal(found[0], np.exp(at).T * 2)
        np.testing.assert_array_equal(found[1], np.sin(np.exp(at + 1)))


@pytest.mark.parametrize("shape", [(1, 3), (3, 1)])
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_fetched_view_of_a_variable_keeps_the_value_before_the_update(style, shape):
    v = gd.Variable(np.ones(shape, "f"), name="v")
    views = [v.T, v[0], gd.reshape(v, (-1,)), gd.stop_gradient(v), gd.broadcast_to(v, (2, *shape)), v]
    session = gd.Session(style=style)
    *found, _ = session.run([*views, gd.assign(v, v * 5)])
    for value in found:
        assert np.all(value == 1)
    session.run(gd.assign(v, v * 5))
    for value in found:
        assert np.all(value == 1)
    assert np.all(session.value(v) == 25)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_results_of_a_run_are_not_touched_by_the_next(style):
    x = gd.placeholder((None, 3), "float64", name="x")
    h = gd.exp(x)
    fetches = [
        h,
        h.T,
        h[0],
        gd.reshape(h, (-1,)),
        gd.sum(h, axis=0),
        gd.concat(gd.split(h, 3, axis=1), axis=0),
        x,
        x[0],
    ]
    session = gd.Session(style=style)
    first = session.run(fetches, {x: np.zeros((2, 3))})
    kept = [np.array(v) for v in first]
    session.run(fetches, {x: np.ones((2, 3))})
    for value, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(value, copy)


def test_a_fed_array_is_neither_changed_nor_handed_out():
    x = gd.placeholder((3,), "float64", name="x")
    at = np.array([1.0, 2.0, 3.0])
    same, doubled = gd.Session().run([x, x * 2], {x: at})
    assert not np.shares_memory(same, at)
    same[:] = 0
    assert at.tolist() == [1, 2, 3]
    assert doubled.tolist() == [2, 4, 6]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_new_value_made_of_constants_alone_reaches_its_variable(level):
    v = gd.Variable(np.zeros(3, "f"), name="v")
    session = gd.Session(level=level)
    session.run(gd.assign(v, gd.exp(gd.constant(np.arange(3, dtype="f")))))
    np.testing.assert_allclose(session.value(v), np.exp([0, 1, 2]), rtol=1e-6)


@pytest.mark.parametrize("view", ["transpose", "row", "flat", "split", "slice"])
def test_a_view_keeps_the_memory_it_looks_at(view):
    """The buffer behind a view is not given to anybody else while the view is read."""
    x = gd.placeholder((4, 4), "float64", name="x")
    base = gd.exp(x)
    looked = {
        "transpose": lambda: base.T,
        "row": lambda: base[1],
        "flat": lambda: gd.reshape(base, (-1,)),
        "split": lambda: gd.split(base, 2, axis=0)[1],
        "slice": lambda: base[1:3],
    }[view]()
    other = x
    for _ in range(4):
        other = gd.sin(other * 2 + 1)
    result = gd.sum(other) + gd.sum(looked * 3)
    at = np.random.default_rng(0).standard_normal((4, 4))
    expected = at
    for _ in range(4):
        expected = np.sin(expected * 2 + 1)
    true = {
        "transpose": np.exp(at).T,
        "row": np.exp(at)[1],
        "flat": np.exp(at).ravel(),
        "split": np.exp(at)[2:],
        "slice": np.exp(at)[1:3],
    }[view]
    for level in (0, 1, 2):
        found = gd.Session(level=level).run(result, {x: at})
        assert found == pytest.approx(expected.sum() + 3 * true.sum(), rel=1e-12)


@pytest.mark.parametrize("view", ["row", "column", "stopped", "part"])
def test_a_value_is_not_overwritten_while_a_view_of_it_is_read(view):
    """y - y[0] would be wrong in place: its first row becomes 0, and the others subtract that."""
    x = gd.placeholder((3, 3), "float64", name="x")
    y = gd.exp(x)
    part = {
        "row": lambda: y[0],
        "column": lambda: y[:, :1],
        "stopped": lambda: gd.stop_gradient(y)[1],
        "part": lambda: y[2:],
    }
    at = np.random.default_rng(0).standard_normal((3, 3))
    true = {"row": lambda e: e[0], "column": lambda e: e[:, :1], "stopped": lambda e: e[1], "part": lambda e: e[2:]}
    expected = np.exp(at) - true[view](np.exp(at))
    for level in (0, 1, 2):
        np.testing.assert_array_equal(gd.Session(level=level).run(y - part[view](), {x: at}), expected)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_value_is_not_overwritten_by_the_first_of_two_calls_while_the_second_reads_a_view_of_it(level):
    """min(max(y, 2), y[0]) takes two calls; NumPy guards one call against overlap, nobody guards two."""
    x = gd.placeholder((3, 3), "float64", name="x")
    y = gd.exp(x)
    at = np.random.default_rng(0).standard_normal((3, 3))
    found = gd.Session(level=level).run(gd.clip(y, 2.0, y[0]), {x: at})
    np.testing.assert_array_equal(found, np.minimum(np.maximum(np.exp(at), 2), np.exp(at)[0]))


def test_buffers_are_shared_along_a_chain():
    x = gd.placeholder((100,), name="x")
    h = x
    for _ in range(50):
        h = gd.tanh(h * 1.5)
    program = gd.Session().compile(gd.sum(h)).program
    assert len(program.plan.buffers) <= 3
