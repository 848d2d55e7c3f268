"""Loops over time: the same as the steps written out, forward, backward and twice backward; linear in their length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl.ir.serialize import graph_from_json, graph_to_json
from graphdl.ops.scan import Scan
from graphdl.rewrite.unroll import unrolled

T, N, D, H = 4, 3, 2, 5


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.5, shape)


def _cell():
    """Weights of a simple recurrent network and its step."""
    W, U = gd.Variable(_random(D, H, seed=1), name="W"), gd.Variable(_random(H, H, seed=2), name="U")
    b = gd.Variable(_random(H, seed=3), name="b")

    def step(h, x):
        h = gd.tanh(x @ W + h @ U + b)
        return h, h

    return (W, U, b), step


def _start(x):
    return gd.zeros((x.shape[1], H), "float64")


def _lstm():
    """The long short-term memory of Hochreiter and Schmidhuber, two carries."""
    W, U = gd.Variable(_random(D, 4 * H, seed=1), name="W"), gd.Variable(_random(H, 4 * H, seed=2), name="U")
    b = gd.Variable(_random(4 * H, seed=3), name="b")

    def step(carry, x):
        h, c = carry
        z = x @ W + h @ U + b
        i, f, g, o = (z[:, k * H : (k + 1) * H] for k in range(4))
        c = gd.sigmoid(f) * c + gd.sigmoid(i) * gd.tanh(g)
        h = gd.sigmoid(o) * gd.tanh(c)
        return (h, c), h

    return (W, U, b), step


def _by_hand(step, init, x, length, reverse=False):
    """The same steps, one after the other in Python: no loop in the graph."""
    carry, ys = init, [None] * length
    for t in reversed(range(length)) if reverse else range(length):
        carry, ys[t] = step(carry, x[t])
    return carry, gd.stack(ys)


def _loss(last, ys):
    weights = gd.constant(_random(T, 1, H, seed=9), "float64")
    return gd.sum(gd.square(last)) + gd.sum(ys * gd.broadcast_to(weights, ys.shape))


def _compared(left, right, feeds, session=None, rtol=1e-10):
    session = session or gd.Session()
    for a, b in zip(session.run(left, feeds), session.run(right, feeds), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", [_cell, _lstm])
def test_a_loop_gives_what_its_steps_give_written_out_with_gradients_twice(cell, reverse):
    x = gd.placeholder((T, "N", D), "float64", name="x")
    weights, step = cell()
    init = _start(x) if cell is _cell else (_start(x), _start(x))
    folded = gd.scan(step, init, x, reverse=reverse)
    flat = _by_hand(step, init, x, T, reverse)
    losses = [_loss(last if cell is _cell else last[0], ys) for last, ys in (folded, flat)]
    slopes = [gd.gradients(loss, [*weights, x]) for loss in losses]
    second = [gd.gradients(sum(gd.sum(gd.square(g)) for g in found), [*weights, x]) for found in slopes]
    feeds = {x: _random(T, N, D)}
    _compared([losses[0], *slopes[0]], [losses[1], *slopes[1]], feeds)
    _compared(second[0], second[1], feeds, rtol=1e-8)


def test_values_and_gradients_are_those_of_numpy_and_finite_differences():
    x = gd.placeholder((T, "N", D), "float64", name="x")
    weights, step = _cell()
    last, ys = gd.scan(step, _start(x), x)
    loss = _loss(last, ys)
    session, fed = gd.Session(), _random(T, N, D)

    def numpy_loss():
        W, U, b = (session.value(w) for w in weights)
        h, total = np.zeros((N, H)), 0.0
        for t in range(T):
            h = np.tanh(fed[t] @ W + h @ U + b)
            total += (h * _random(T, 1, H, seed=9)[t]).sum()
        return total + (h * h).sum()

    values = session.run([loss, *gd.gradients(loss, list(weights))], {x: fed})
    assert values[0] == pytest.approx(numpy_loss())
    for weight, slope in zip(weights, values[1:], strict=True):
        there = session.value(weight).copy()
        for place in np.ndindex(there.shape):
            ends = []
            for h in (1e-6, -1e-6):
                moved = there.copy()
                moved[place] += h
                session.assign(weight, moved)
                ends.append(numpy_loss())
            session.assign(weight, there)
            assert slope[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-8)


def test_torch_gives_the_same_gradients():
    torch = pytest.importorskip("torch")
    x = gd.placeholder((T, "N", D), "float64", name="x")
    weights, step = _lstm()
    (last, _), ys = gd.scan(step, (_start(x), _start(x)), x)
    slopes = gd.gradients(_loss(last, ys), list(weights))
    session, fed = gd.Session(), _random(T, N, D)
    found = session.run(slopes, {x: fed})
    W, U, b = (torch.tensor(session.value(w), requires_grad=True) for w in weights)
    h = c = torch.zeros(N, H, dtype=torch.float64)
    total = 0
    for t in range(T):
        i, f, g, o = (torch.tensor(fed[t]) @ W + h @ U + b).split(H, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        total = total + (h * torch.tensor(_random(T, 1, H, seed=9)[t])).sum()
    (total + (h * h).sum()).backward()
    for mine, theirs in zip(found, (W.grad, U.grad, b.grad), strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-10)


_OPS = [gd.add, gd.subtract, gd.multiply, gd.maximum, lambda a, b: gd.tanh(a @ gd.tanh(b)), lambda a, b: gd.sin(a) * b]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_random_bodies_agree_with_their_steps_written_out(data):
    size = 3
    x = gd.placeholder((T, size, size), "float64", name="x")
    k = gd.Variable(_random(size, size, seed=4), name="k")
    s = gd.Variable(0.7, "float64", name="s")
    plan = data.draw(
        st.lists(st.tuples(st.sampled_from(_OPS), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=6)
    )
    ends = data.draw(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)))
    reverse = data.draw(st.booleans())

    def step(carry, x):
        known = [*carry, x, k, gd.sigmoid(x) * s, carry[0] * 0.5]
        for make, i, j in plan:
            known.append(make(known[i % len(known)], known[j % len(known)]) * 0.5)
        a, b, y = (known[-1 - i % len(known)] for i in ends)
        return (gd.tanh(a), b), y

    init = (gd.constant(_random(size, size, seed=5), "float64"), k * 2.0)
    results = [gd.scan(step, init, x, reverse=reverse), _by_hand(step, init, x, T, reverse)]
    losses = [gd.sum(gd.square(a)) + gd.sum(b) + gd.sum(gd.sin(ys)) for (a, b), ys in results]
    losses = [loss + 0.0 * (gd.sum(k) + s + gd.sum(x)) for loss in losses]
    slopes = [gd.gradients(loss, [k, s, x]) for loss in losses]
    fed = {x: _random(T, size, size, seed=6)}
    _compared([losses[0], *slopes[0]], [losses[1], *slopes[1]], fed, rtol=1e-9)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("style", ["fast", "readable"])
def test_levels_agree_and_styles_agree_to_the_bit(level, style):
    x = gd.placeholder((T, "N", D), "float32", name="x")
    W, U = gd.Variable(_random(D, H, seed=1), "float32", name="W"), gd.Variable(_random(H, H, seed=2), "float32")
    last, ys = gd.scan(lambda h, x: (gd.sigmoid(x @ W + h @ U),) * 2, gd.zeros((x.shape[1], H)), x)
    loss = gd.sum(last) + gd.sum(gd.square(ys))
    fetches, fed = [loss, ys, *gd.gradients(loss, [W, U])], {x: _random(T, N, D).astype("float32")}
    found = gd.Session(level=level, style=style).run(fetches, fed)
    for a, b in zip(found, gd.Session(level=level, style="fast").run(fetches, fed), strict=True):
        assert a.dtype == "float32"
        assert np.array_equal(a, b)
    for a, b in zip(found, gd.Session().run(fetches, fed), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_one_program_serves_every_batch_size_and_results_are_the_callers_own():
    x = gd.placeholder((T, "N", D), "float64", name="x")
    _, step = _cell()
    last, ys = gd.scan(step, _start(x), x)
    session = gd.Session()
    first = session.run([last, ys], {x: _random(T, 2, D)})
    kept = [array.copy() for array in first]
    session.run([last, ys], {x: _random(T, 2, D, seed=7)})
    session.run([last, ys], {x: _random(T, 6, D, seed=8)})
    assert all(np.array_equal(a, b) for a, b in zip(first, kept, strict=True))


def test_what_a_step_computes_from_its_slice_alone_is_computed_before_the_loop():
    x = gd.placeholder((T, "N", D), "float64", name="x")
    _, step = _cell()
    last, _ = gd.scan(step, _start(x), x)
    graph = gd.Graph(last)
    (loop,) = [node for node in graph.nodes if isinstance(node.op, Scan)]
    assert [node.op.name for node in loop.op.body.graph.nodes].count("matmul") == 1
    assert any(node.op.name == "matmul" and node.shape == (T * x.shape[1], H) for node in graph.nodes)


def test_the_gradient_of_a_weight_is_one_product_behind_the_loop():
    x = gd.placeholder((T, "N", D), "float64", name="x")
    (_, U, _), step = _cell()
    last, _ = gd.scan(step, _start(x), x)
    graph = gd.Graph(gd.gradients(gd.sum(last), U))
    (back,) = [node for node in graph.nodes if isinstance(node.op, Scan) and node.op.reverse]
    inside = [node.op.name for node in back.op.body.graph.nodes]
    assert inside.count("matmul") == 1
    assert all(item.shape != (T, H, H) for item in back.type.items)


def test_a_program_without_gradients_keeps_no_values_for_them():
    x = gd.placeholder((T, "N", D), "float64", name="x")
    _, step = _lstm()
    (last, _), _ = gd.scan(step, (_start(x), _start(x)), x)
    session = gd.Session()
    assert session.compile([last]).source.count("_all[t] = ") == 2
    assert session.compile([last, gd.gradients(gd.sum(last), x)]).source.count("_all[t] = ") > 4


def test_truncated_gradients_stop_at_the_end_of_a_piece():
    x = gd.placeholder((6, 2, D), "float64", name="x")
    _, step = _cell()
    whole, _ = gd.scan(step, _start(x), x)
    last, ys = gd.scan(step, _start(x), x, truncate=4)
    slopes = gd.Session().run(
        [gd.gradients(gd.sum(whole), x), gd.gradients(gd.sum(last), x), whole, last, ys], {x: _random(6, 2, D)}
    )
    assert np.array_equal(slopes[2], slopes[3])
    assert np.array_equal(slopes[4][-1], slopes[3])
    assert not slopes[1][:4].any()
    np.testing.assert_allclose(slopes[1][4:], slopes[0][4:])


def test_a_mask_keeps_the_carry():
    x, mask = gd.placeholder((T, 3), "float64", name="x"), gd.placeholder((T, 3), "bool", name="mask")

    def step(total, given):
        value, keep = given
        new = gd.where(keep, total + value, total)
        return new, new

    last, _ = gd.scan(step, gd.zeros((3,), "float64"), (x, mask))
    values, kept = _random(T, 3), np.array([[1, 1, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]], bool)
    total, slope = gd.Session().run([last, gd.gradients(gd.sum(last), x)], {x: values, mask: kept})
    np.testing.assert_allclose(total, (values * kept).sum(axis=0))
    np.testing.assert_allclose(slope, kept)


def test_a_loop_without_stacks_runs_as_often_as_it_is_told():
    r = gd.Variable(3.0, "float64", name="r")
    x, ys = gd.scan(lambda x, _: (r * x * (1.0 - x), x), gd.constant(0.3, "float64"), length=5)
    expected = [0.3]
    for _ in range(5):
        expected.append(3.0 * expected[-1] * (1 - expected[-1]))
    values = gd.Session().run([x, ys, gd.gradients(x, r)])
    assert values[0] == pytest.approx(expected[-1])
    np.testing.assert_allclose(values[1], expected[:-1])
    ends = []
    for rate in (3 + 1e-6, 3 - 1e-6):
        value = 0.3
        for _ in range(5):
            value = rate * value * (1 - value)
        ends.append(value)
    assert values[2] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


def test_a_loop_in_a_loop():
    x = gd.placeholder((3, 4, 2), "float64", name="x")
    w = gd.Variable(_random(2), name="w")

    def outer(total, rows):
        inner, _ = gd.scan(lambda h, row: (gd.tanh(h * w + row), None), total, rows)
        return inner, inner

    last, ys = gd.scan(outer, gd.zeros((2,), "float64"), x)
    total = gd.zeros((2,), "float64")
    for i in range(3):
        for j in range(4):
            total = gd.tanh(total * w + x[i, j])
    fed = {x: _random(3, 4, 2)}
    _compared([last, gd.gradients(gd.sum(last), w)], [total, gd.gradients(gd.sum(total), w)], fed)
    assert gd.Session().run(ys, fed).shape == (3, 2)


def test_a_loop_survives_json_to_the_bit():
    x = gd.placeholder((T, "N", D), "float64", name="x")
    (W, *_), step = _lstm()
    (last, _), ys = gd.scan(step, (_start(x), _start(x)), x)
    loss = _loss(last, ys)
    graph = gd.Graph({"loss": loss, "slope": gd.gradients(loss, W)})
    text = graph_to_json(graph)
    again = graph_from_json(text)
    assert graph_to_json(again) == text
    fed = {"x": _random(T, N, D)}
    found = gd.Session().run(list(again.outputs.values()), fed)
    for a, b in zip(found, gd.Session().run(list(graph.outputs.values()), fed), strict=True):
        assert np.array_equal(a, b)
    later = gd.gradients(again.outputs["loss"], again["W"])
    np.testing.assert_allclose(gd.Session().run(later, fed), found[1], rtol=1e-12)


@pytest.mark.parametrize("damage", [{"carries": []}, {"outputs": []}, {"slices": [99]}, {"nodes": []}])
def test_a_damaged_body_is_refused(damage):
    from graphdl.ir.records import body_of, body_record

    x = gd.placeholder((T, 2, D), "float64", name="x")
    _, step = _cell()
    last, _ = gd.scan(step, _start(x), x)
    (loop,) = [node for node in gd.Graph(last).nodes if isinstance(node.op, Scan)]
    record = body_record(loop.op.body)
    assert str(body_of(record)) == str(loop.op.body)
    with pytest.raises(gd.FormatError):
        body = body_of({**record, **damage})
        Scan(body, T).infer(*[source.type for source in loop.inputs])


def test_written_out_a_loop_gives_the_same_and_each_step_has_a_scope():
    x = gd.placeholder((T, 2, D), "float64", name="x")
    _, step = _cell()
    last, ys = gd.scan(step, _start(x), x)
    graph, became = unrolled(gd.Graph([last, ys]))
    assert not any(isinstance(node.op, Scan) for node in graph.nodes)
    assert {f"step_{t}" for t in range(1, T + 1)} <= {node.scope for node in graph.nodes}
    assert last in became
    _compared([last, ys], list(graph.outputs.values()), {x: _random(T, 2, D)})
    assert unrolled(gd.Graph(last), most=3)[0].outputs == {"reshape": last} or unrolled(gd.Graph(last), 3)[1] == {}


def test_a_thousand_steps_take_the_same_graph_as_ten_and_stacks_as_long_as_the_loop():
    counts, sizes = set(), {}
    for length in (10, 1000):
        x = gd.placeholder((length, 4, D), "float64", name="x")
        weights, step = _cell()
        last, _ = gd.scan(step, _start(x), x)
        fetches = [last, *gd.gradients(gd.sum(last), list(weights))]
        graph = gd.Graph(fetches)
        counts.add(len(graph.nodes))
        stacks = [item for n in graph.nodes if isinstance(n.op, Scan) for item in n.type.items]
        sizes[length] = sum(item.size for item in stacks)
        assert all(np.isfinite(v).all() for v in gd.Session().run(fetches, {x: _random(length, 4, D)}))
    assert len(counts) == 1
    assert sizes[1000] == 100 * sizes[10]


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda x: gd.scan(lambda h, x: h, x[0], x), gd.GraphError, r"expected a pair \(new carry, y\)"),
        (lambda x: gd.scan(lambda h, x: (h @ h, None), x[0], x), gd.ShapeError, "inner dimensions differ"),
        (lambda x: gd.scan(lambda h, x: (gd.sum(h), None), x[0], x), gd.ShapeError, "before a step and f64 after it"),
        (lambda x: gd.scan(lambda h, x: ((h, h), None), x[0], x), gd.GraphError, "1 parts before a step and 2 after"),
        (lambda x: gd.scan(lambda h, x: (h, None), x[0]), gd.GraphError, "needs length="),
        (lambda x: gd.scan(lambda h, x: (h, None), x[0], (x, x[1:])), gd.ShapeError, "xs have lengths 4, 3"),
        (lambda x: gd.scan(lambda h, x: (h, None), x[0], x, 7), gd.ShapeError, "xs have lengths 4, 7"),
        (lambda x: gd.scan(lambda h, x: (h, None), x[0], x, truncate=0), gd.GraphError, "truncate=0 over 4 steps"),
        (lambda x: gd.scan(lambda h, x: (h, None), x[0], length=0), gd.ShapeError, "no steps"),
    ],
)
def test_what_is_no_loop_is_refused(make, kind, text):
    with pytest.raises(kind, match=text):
        make(gd.placeholder((T, 3, D), "float64", name="x"))
