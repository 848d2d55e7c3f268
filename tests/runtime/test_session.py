"""Sessions: fetches in the shape asked, updates together, one program for every batch, the same numbers again."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd

STYLES = pytest.mark.parametrize("style", ["readable", "fast"])


def test_fetches_come_back_in_the_shape_they_were_asked_in():
    x = gd.placeholder((), "float64", name="x")
    a, b = x + 1, x * 10
    run = gd.Session().run
    feeds = {x: 2.0}
    assert run(a, feeds) == 3
    assert run([a, b, a], feeds) == [3, 20, 3]
    assert run((a, [b]), feeds) == (3, [20])
    assert run({"a": a, "rest": (b,)}, feeds) == {"a": 3, "rest": (20,)}
    assert run([], feeds) == []
    assert isinstance(run(a, feeds), np.float64)


def test_what_is_no_fetch_is_refused():
    with pytest.raises(gd.FetchError, match="run was asked for 3, a int; expected a node, a list or dict of them, or"):
        gd.Session().run(3)
    with pytest.raises(gd.FetchError, match="run was asked for 'loss', a str"):
        gd.Session().run("loss")


@STYLES
def test_updates_are_applied_together_after_all_reads(style):
    a, b = gd.Variable(1.0, name="a"), gd.Variable(2.0, name="b")
    session = gd.Session(style=style)
    swap = gd.group(gd.assign(a, b), gd.assign(b, a))
    session.run(swap)
    assert (session.value(a), session.value(b)) == (2, 1)
    session.run(swap)
    assert (session.value(a), session.value(b)) == (1, 2)


@STYLES
def test_fibonacci_by_simultaneous_updates(style):
    a, b = gd.Variable(0.0, name="a"), gd.Variable(1.0, name="b")
    step = gd.group(gd.assign(a, b), gd.assign(b, a + b))
    session = gd.Session(style=style)
    for _ in range(10):
        session.run(step)
    assert (session.value(a), session.value(b)) == (55, 89)


@STYLES
def test_updates_of_arrays_that_read_each_other_do_not_see_new_values(style):
    """Rotations of views, slices and sums of three vectors, against NumPy with copies."""
    random = np.random.default_rng(0)
    starts = [random.standard_normal(4) for _ in range(3)]
    vs = [gd.Variable(s, name=f"v{i}") for i, s in enumerate(starts)]
    a, b, c = vs
    new = [gd.concat([b[1:], c[:1]], axis=0), a * 2 + gd.sum(c), gd.reshape(gd.reshape(a, (2, 2)).T, (4,))]
    session = gd.Session(style=style)
    step = gd.group(*[gd.assign(v, n) for v, n in zip(vs, new, strict=True)])
    A, B, C = starts
    for _ in range(5):
        session.run(step)
        A, B, C = np.concatenate([B[1:], C[:1]]), A * 2 + C.sum(), A.reshape(2, 2).T.reshape(4)
        for v, true in zip(vs, (A, B, C), strict=True):
            np.testing.assert_allclose(session.value(v), true, rtol=1e-13)


@STYLES
def test_a_fetched_variable_has_the_value_before_the_update_and_is_a_copy(style):
    v = gd.Variable(np.zeros(3, "f"), name="v")
    session = gd.Session(style=style)
    step = gd.assign(v, v + 1)
    first, _ = session.run([v, step])
    second, _ = session.run([v, step])
    assert (first.tolist(), second.tolist()) == ([0, 0, 0], [1, 1, 1])
    first[:] = 99
    session.value(v)[:] = 99
    assert session.value(v).tolist() == [2, 2, 2]


def test_updates_in_place_equal_updates_by_copies_to_the_bit():
    """Momentum SGD on a small network for 50 steps: the fast style writes into the variables, the readable does not."""

    def trained(style, level):
        gd.set_floatx("float32")
        x, t = gd.placeholder((None, 5), name="x"), gd.placeholder((None,), "int64", name="t")
        Ws = [gd.Variable(gd.random_normal(s, stddev=0.5), name="W") for s in ((5, 7), (7, 3))]
        loss = gd.mean(gd.cross_entropy(gd.tanh(x @ Ws[0]) @ Ws[1], t))
        updates = []
        for W, g in zip(Ws, gd.gradients(loss, Ws), strict=True):
            m = gd.Variable(np.zeros(W.shape, "f"), name="m")
            speed = m * 0.9 - g * 0.1
            updates += [gd.assign(m, speed), gd.assign(W, W + speed)]
        session = gd.Session(style=style, seed=3, level=level)
        random = np.random.default_rng(0)
        for _ in range(50):
            feeds = {x: random.standard_normal((6, 5)), t: random.integers(0, 3, 6)}
            value, _ = session.run([loss, gd.group(*updates)], feeds)
        return value, [session.value(W).tobytes() for W in Ws]

    for level in (0, 1, 2):
        assert trained("fast", level) == trained("readable", level)


@STYLES
def test_one_program_serves_every_batch_size_and_a_ragged_last_one(style):
    x = gd.placeholder((None, 3), "float64", name="x")
    loss = gd.mean(gd.square(x))
    slope = gd.gradients(loss, x)
    session = gd.Session(style=style)
    data = np.random.default_rng(0).standard_normal((23, 3))
    total = 0.0
    for start in range(0, 23, 5):
        batch = data[start : start + 5]
        value, g = session.run([loss, slope], {x: batch})
        total += value * len(batch)
        np.testing.assert_allclose(g, 2 * batch / batch.size, rtol=1e-14)
    assert total / 23 == pytest.approx((data**2).mean(), rel=1e-14)
    assert len(session._programs) == 1
    assert session.compile([loss, slope]) is session.compile([loss, slope])


@STYLES
def test_more_batch_sizes_than_workspaces_are_kept(style):
    x = gd.placeholder((None,), "float64", name="x")
    total = gd.sum(gd.exp(x))
    session = gd.Session(style=style)
    for n in [1, 2, 3, 4, 5, 6, 1, 6, 2]:
        assert session.run(total, {x: np.zeros(n)}) == n


def test_a_compiled_program_is_called_with_feeds_in_order():
    x, y = gd.placeholder((None,), name="x"), gd.placeholder((), name="y")
    compiled = gd.Session().compile(x * y)
    assert [p.name for p in compiled.placeholders] == ["x", "y"]
    assert compiled([1, 2, 3], 2)[0].tolist() == [2, 4, 6]
    assert compiled.source.startswith("import numpy as xp")
    with pytest.raises(gd.FetchError, match="multiply takes 2 feeds, found 1"):
        compiled([1, 2, 3])


@pytest.mark.parametrize("level", [0, 1, 2])
def test_levels_and_styles_draw_the_same_random_numbers(level):
    x = gd.placeholder((None, 8), name="x")
    with gd.name_scope("drop"):
        y = gd.dropout(x, 0.5)
    found = [
        gd.Session(seed=5, style=s, level=lv).run(y, {x: np.ones((4, 8))})
        for s in ("readable", "fast")
        for lv in (0, level)
    ]
    for other in found[1:]:
        assert other.tobytes() == found[0].tobytes()


def test_random_numbers_depend_on_the_seed_and_the_step_alone():
    noise = gd.random_normal((1000,), name="noise")
    one, again, other = gd.Session(seed=1), gd.Session(seed=1), gd.Session(seed=2)
    first, second = one.run(noise), one.run(noise)
    assert first.tobytes() == again.run(noise).tobytes()
    assert second.tobytes() == again.run(noise).tobytes()
    assert first.tobytes() != second.tobytes()
    assert first.tobytes() != other.run(noise).tobytes()
    assert abs(first.mean()) < 0.15
    assert abs(first.std() - 1) < 0.1


def test_the_mask_of_dropout_is_the_same_forward_and_backward():
    x = gd.placeholder((1000,), "float64", name="x")
    y = gd.dropout(x, 0.3)
    value, slope = gd.Session(seed=1).run([y, gd.gradients(gd.sum(y), x)], {x: np.ones(1000)})
    np.testing.assert_array_equal(value, slope)
    assert set(np.unique(value)) == {0, 1 / 0.7}
    assert abs((value == 0).mean() - 0.3) < 0.06


def test_variables_start_where_they_are_told_and_go_back_there():
    W = gd.Variable(gd.random_normal((3, 3), stddev=0.1), name="W")
    b = gd.Variable(np.arange(3.0), name="b")
    session = gd.Session(seed=4)
    start = session.value(W)
    session.run(gd.group(gd.assign(W, W * 2), gd.assign(b, b - 1)))
    session.run(gd.global_variables_initializer())
    assert session.value(W).tobytes() == start.tobytes()
    assert session.value(b).tolist() == [0, 1, 2]
    assert gd.Session(seed=4).value(W).tobytes() == start.tobytes()
    assert gd.Session(seed=5).value(W).tobytes() != start.tobytes()


def test_two_sessions_have_two_states():
    v = gd.Variable(0.0, name="v")
    one, two = gd.Session(), gd.Session()
    one.run(gd.assign(v, v + 5))
    assert (one.value(v), two.value(v)) == (5, 0)


def test_variables_of_one_name_are_kept_apart():
    a, b = gd.Variable(1.0, name="v"), gd.Variable(2.0, name="v")
    session = gd.Session()
    session.run(gd.assign(a, a * 10))
    assert (session.value(a), session.value(b)) == (10, 2)


def test_assign_takes_numbers_arrays_and_nodes_of_the_right_shape():
    v = gd.Variable(np.zeros((2, 2), "f"), name="v")
    session = gd.Session()
    session.run(gd.assign(v, 3))
    assert session.value(v).tolist() == [[3, 3], [3, 3]]
    session.assign(v, [[1, 2], [3, 4]])
    assert session.value(v).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(gd.GraphError, match=r"v is f32\[2, 2\], found a value of shape \(3,\)"):
        session.assign(v, [1, 2, 3])


def test_an_initial_value_may_not_depend_on_what_is_fed():
    x = gd.placeholder((2,), name="x")
    v = gd.Variable(x * 2, name="v")
    with pytest.raises(
        gd.GraphError, match="an initial value depends on x; it may use only constants and random values"
    ):
        gd.Session().value(v)


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True, "a"])
def test_a_seed_is_an_integer_that_is_not_negative(seed):
    with pytest.raises(gd.GraphError, match="expected an integer from 0 to"):
        gd.Session(seed=seed)


def test_an_unknown_target_is_answered_with_those_there_are():
    with pytest.raises(gd.GraphError, match=r"there is no target 'nunpy'; .* Did you mean 'numpy'\?"):
        gd.Session(target="nunpy")


def test_feeds_and_warnings_of_numpy_stay_quiet():
    import warnings

    x = gd.placeholder((2,), "float64", name="x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = gd.Session().run([gd.log(x), 1 / x, gd.exp(x * 1e6)], {x: [0.0, -1.0]})
    assert np.isneginf(found[0][0])


def test_dtype_of_results_is_that_of_the_graph():
    for dtype in ("float32", "float64", "int32", "int64", "uint8", "bool"):
        x = gd.placeholder((3,), dtype, name="x")
        fetches = [x, gd.reshape(x, (3, 1)), x[1:], gd.concat([x, x])]
        fetches += [] if dtype == "bool" else [x + 1, gd.sum(x), gd.max(x), gd.prod(x), x * x, gd.sum_to(x, (1,))]
        for style in ("readable", "fast"):
            for value in gd.Session(style=style).run(fetches, {x: np.array([1, 0, 1], dtype)}):
                assert value.dtype == dtype
