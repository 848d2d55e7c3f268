"""What is fed is checked before anything runs: by name, dtype, shape and size, with the placeholder's line."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd


def network():
    x = gd.placeholder((None, 3), name="x")
    labels = gd.placeholder((None,), "int64", name="labels")
    return x, labels, gd.mean(gd.cross_entropy(x, labels), name="loss")


def refused(fetch, feeds) -> str:
    with pytest.raises(gd.FeedError) as caught:
        gd.Session().run(fetch, feeds)
    return str(caught.value)


def test_a_missing_feed_is_named_beside_what_was_given():
    x, _, loss = network()
    text = refused(loss, {x: np.ones((2, 3))})
    assert text == "loss needs placeholder 'labels' (i64[N]), which feed_dict does not give; it gives 'x'."
    text = refused(loss, None)
    assert text == "loss needs placeholder 'x' (f32[N, 3]), which feed_dict does not give; it gives nothing."


def test_an_unknown_name_is_answered_with_the_closest():
    x, _, loss = network()
    text = refused(loss, {x: np.ones((2, 3)), "label": [0, 1]})
    assert text == "there is no placeholder 'label' here; there is 'x', 'labels'. Did you mean 'labels'?"


def test_placeholders_are_fed_by_node_by_name_and_by_scope():
    with gd.name_scope("model"):
        x = gd.placeholder((2,), "float64", name="x")
    y = x * 2
    for key in (x, "x", "model/x"):
        assert gd.Session().run(y, {key: [1, 2]}).tolist() == [2, 4]


def test_a_placeholder_that_this_run_does_not_need_may_be_fed():
    x, labels, loss = network()
    found = gd.Session().run(gd.softmax(x), {x: np.zeros((1, 3)), labels: [0]})
    np.testing.assert_allclose(found, np.full((1, 3), 1 / 3), rtol=1e-6)
    assert loss.name == "loss"


def test_only_placeholders_can_be_fed():
    x, _, loss = network()
    v = gd.Variable(1.0, name="v")
    assert refused(loss * v, {v: 2.0}) == "v is a variable; only placeholders can be fed"
    assert refused(x, {loss: 2.0}) == "loss is a mean; only placeholders can be fed"


def test_a_node_is_not_fed_to_a_placeholder():
    x, _, _ = network()
    y = gd.placeholder((2, 3), name="y")
    assert refused(x * 1, {x: y}) == "'x' is fed the node y; feed numbers, or build the graph from that node"


@pytest.mark.parametrize(
    ("dtype", "value", "text"),
    [
        ("int64", [0.5, 1.5], "'p' is i64[2], found an array of float64; if that is meant, pass x.astype('int64')"),
        ("bool", [0, 1], "'p' is bool[2], found an array of int64 with values from 0 to 1, which do not fit"),
        ("uint8", [0, 256], "'p' is u8[2], found an array of int64 with values from 0 to 256, which do not fit"),
        ("int32", [0, 2**40], "'p' is i32[2], found an array of int64 with values from 0 to 1099511627776"),
        ("float32", ["a", "b"], "'p' is f32[2], found an array of <U1; convert it to numbers first"),
        ("float32", [1, None], "'p' is f32[2], found an array of object; convert it to numbers first"),
        ("float32", [1j, 2], "'p' is f32[2], found an array of complex128; convert it to numbers first"),
    ],
)
def test_a_dtype_that_does_not_fit_is_refused(dtype, value, text):
    p = gd.placeholder((2,), dtype, name="p")
    found = refused(gd.cast(p, "float32"), {p: value})
    assert found.startswith(text)
    assert "written at test_feeds.py:" in found


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float32", [1, 2], [1, 2]),
        ("float32", np.array([1.5, 2.5]), [1.5, 2.5]),
        ("float32", [True, False], [1, 0]),
        ("float64", np.array([1, 2], "uint8"), [1, 2]),
        ("int64", np.array([1, 2], "uint8"), [1, 2]),
        ("uint8", [0, 255], [0, 255]),
        ("bool", [True, False], [1, 0]),
    ],
)
def test_what_fits_is_converted(dtype, value, expected):
    p = gd.placeholder((2,), dtype, name="p")
    found = gd.Session().run(p, {p: value})
    assert found.dtype == dtype
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("shape", "value", "text"),
    [
        ((None, 3), np.ones((2, 4)), "'p' is f32[N, 3], found shape (2, 4)"),
        ((None, 3), np.ones(3), "'p' is f32[N, 3], found shape (3,); one example needs a batch axis too: x[None]"),
        ((2,), 5.0, "'p' is f32[2], found shape ()"),
        ((), [1.0], "'p' is f32, found shape (1,)"),
        ((None, 3), np.ones((2, 3, 1)), "'p' is f32[N, 3], found shape (2, 3, 1)"),
        ((None, 3), np.ones((0, 3)), "'p' is f32[N, 3] and is fed an empty batch: N = 0"),
        ((None,), [[1, 2], [3]], "'p' is fed a ragged list"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(shape, value, text):
    p = gd.placeholder(shape, name="p")
    assert refused(gd.sum(p), {p: value}).startswith(text)


def test_sizes_that_contradict_each_other_are_shown_with_both_lines():
    x, labels, loss = network()
    lines = refused(loss, {x: np.ones((4, 3)), labels: [0, 1, 2]}).splitlines()
    assert lines[0] == "N is 4 in 'x' (f32[N, 3]) and 3 in 'labels' (i64[N])"
    assert lines[1].startswith("  x: written at test_feeds.py:")
    assert lines[1].endswith('x = gd.placeholder((None, 3), name="x")')
    assert lines[2].startswith("  labels: written at test_feeds.py:")
    assert lines[2].endswith('labels = gd.placeholder((None,), "int64", name="labels")')


def test_a_size_can_be_a_multiple_of_another():
    x = gd.placeholder((None, 2), "float64", name="x")
    doubled = gd.concat([x, x], axis=0)
    w = gd.placeholder(doubled.shape, "float64", name="w")
    total = gd.sum(doubled * w)
    for style in ("readable", "fast"):
        session = gd.Session(style=style)
        assert session.run(total, {x: np.ones((3, 2)), w: np.ones((6, 2))}) == 12
        # The gradient for w reads x alone, that for x reads w alone and N from it.
        assert session.run(gd.gradients(total, x), {x: np.ones((3, 2)), w: np.ones((6, 2))}).tolist() == [[2, 2]] * 3
        with pytest.raises(gd.FeedError, match=r"2\*N is 6 in 'x' \(f64\[N, 2\]\) and 5 in 'w' \(f64\[2\*N, 2\]\)"):
            session.run(total, {x: np.ones((3, 2)), w: np.ones((5, 2))})


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_batch_too_small_for_a_slice_is_refused(style):
    x = gd.placeholder((None, 2), "float64", name="x")
    y = gd.multiply(x[-2:], 2.0, name="y")
    session = gd.Session(style=style)
    assert session.run(y, {x: np.ones((2, 2))}).shape == (2, 2)
    with pytest.raises(gd.FeedError) as caught:
        session.run(y, {x: np.ones((1, 2))})
    lines = str(caught.value).splitlines()
    assert lines[0] == "slice takes N - 2 to N of x (f64[N, 2]), too few with N = 1"
    assert lines[1].startswith("  written at test_feeds.py:")
    with pytest.raises(gd.FeedError, match=r"slice takes 3 to 4 of x \(f64\[N, 2\]\), too few with N = 3"):
        session.run(gd.sum(x[3]), {x: np.ones((3, 2))})


def test_nan_and_infinity_may_be_fed():
    x = gd.placeholder((3,), "float64", name="x")
    found = gd.Session().run([gd.isfinite(x), x * 2], {x: [np.nan, np.inf, 1.0]})
    assert found[0].tolist() == [False, False, True]
    np.testing.assert_array_equal(found[1], [np.nan, np.inf, 2.0])


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_arrays_in_any_layout_give_the_same_bits(style):
    x = gd.placeholder((None, 4), name="x")
    W = gd.Variable(np.random.default_rng(1).standard_normal((4, 3)).astype("f"), name="W")
    y = gd.softmax(gd.tanh(x @ W) + gd.sum(x))
    data = np.random.default_rng(0).standard_normal((5, 4)).astype("f")
    session = gd.Session(style=style)
    expected = session.run(y, {x: data})
    wide = np.zeros((10, 8), "f")
    wide[::2, ::2] = data
    for layout in (np.asfortranarray(data), wide[::2, ::2], data[::-1][::-1], data.astype("f8"), data.tolist()):
        assert session.run(y, {x: layout}).tobytes() == expected.tobytes()


def test_big_endian_arrays_are_understood():
    x = gd.placeholder((3,), name="x")
    found = gd.Session().run(x * 2, {x: np.array([1, 2, 3], ">f4")})
    assert found.tolist() == [2, 4, 6]
