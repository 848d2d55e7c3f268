"""What a graph refuses while it is built: each error names the operands, both shapes and the user's line."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.errors import did_you_mean
from graphdl.ops.parts import pick


def x(shape=(2, 3), dtype="float32", name="x"):
    return gd.placeholder(shape, dtype, name=name)


def text_of(error, build):
    with pytest.raises(error) as caught:
        build()
    return str(caught.value)


def test_shapes_that_do_not_fit_are_shown_with_both_operands_and_the_line():
    with gd.name_scope("dense"):
        h, W = gd.placeholder((None, 64), name="h"), gd.Variable(np.ones((32, 10), "f"), name="W")
    lines = text_of(gd.ShapeError, lambda: h @ W).splitlines()
    assert lines[0] == "matmul: inner dimensions differ, 64 and 32"
    assert lines[1].startswith("    dense/h: f32[N, 64]  (test_refusals.py:")
    assert lines[2].startswith("    dense/W: f32[32, 10]  (test_refusals.py:")
    assert lines[3].startswith("  written at test_refusals.py:")
    assert lines[3].endswith("lines = text_of(gd.ShapeError, lambda: h @ W).splitlines()")


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (lambda: x((2, 3)) + x((4,)), gd.ShapeError, "add: sizes 3 and 4 do not broadcast"),
        (lambda: x((None, 3)) * x(("T", 3)), gd.ShapeError, "multiply: sizes N and T do not broadcast"),
        (lambda: x() + x(dtype="float64"), gd.DTypeError, "add: mixes f32 and f64; cast one of them"),
        (lambda: x() + x(dtype="int64"), gd.DTypeError, "add: mixes f32 and i64; cast one of them, as in gd.cast"),
        (lambda: x(dtype="int64") * 1.5, gd.DTypeError, "multiply: mixes i64 and the float 1.5; cast one of them"),
        (lambda: x(dtype="uint8") + 300, gd.DTypeError, "add: the int 300 does not fit in u8"),
        (lambda: x(dtype="int32") + np.int64(2**40), gd.DTypeError, "add: the int .* does not fit in i32"),
        (lambda: x(dtype="bool") + x(dtype="bool"), gd.DTypeError, "add: an operand is bool, expected numbers"),
        (lambda: x() + True, gd.DTypeError, "add: mixes f32 and the bool True"),
        (lambda: gd.exp(x(dtype="int64")), gd.DTypeError, "exp: an operand is i64, expected floats; cast it first"),
        (lambda: gd.sum(x(dtype="bool")), gd.DTypeError, "sum: an operand is bool, expected numbers"),
        (lambda: gd.mean(x(dtype="int64")), gd.DTypeError, "mean: an operand is i64, expected floats"),
        (lambda: gd.where(x(), x(), x()), gd.DTypeError, "where: an operand is f32, expected bool; compare first"),
        (lambda: x() @ x(), gd.ShapeError, "matmul: inner dimensions differ, 3 and 2"),
        (lambda: x() @ x((3, 2), "float64"), gd.DTypeError, "matmul: mixes f32 and f64"),
        (lambda: x(dtype="int64") @ x(dtype="int64").T, gd.DTypeError, "matmul: operands are i64, expected floats"),
        (lambda: x(()) @ x(), gd.ShapeError, r"matmul: a scalar has no matrix product; use \* instead"),
        (lambda: gd.sum(x(), axis=2), gd.ShapeError, "sum: axis 2 of a value with 2 axes; expected -2 to 1"),
        (lambda: gd.sum(x(), axis=(0, 0)), gd.ShapeError, r"sum: axis \(0, 0\) names an axis twice"),
        (lambda: gd.softmax(x(()), axis=0), gd.ShapeError, "softmax: axis 0 of a value with 0 axes"),
        (lambda: gd.argmax(x(), axis=5), gd.ShapeError, "argmax: axis 5 of a value with 2 axes"),
        (lambda: gd.reshape(x(), (4, 2)), gd.ShapeError, r"reshape: 6 elements do not fit shape \(4, 2\)"),
        (lambda: gd.reshape(x(), (-1, 4)), gd.ShapeError, "reshape: 6 elements do not divide by 4 to fill the -1"),
        (lambda: gd.reshape(x(), (-1, -1)), gd.ShapeError, "reshape: more than one size is -1"),
        (lambda: gd.reshape(x((None, 3)), (-1, 2)), gd.ShapeError, r"reshape: 3\*N elements do not divide by 2"),
        (
            lambda: gd.transpose(x(), (0, 0)),
            gd.ShapeError,
            r"transpose: perm is \(0, 0\), expected an order of the 2 axes",
        ),
        (lambda: gd.broadcast_to(x(), (3, 3)), gd.ShapeError, r"broadcast_to: .*2 and 3 do not broadcast"),
        (lambda: gd.sum_to(x(), (4,)), gd.ShapeError, "sum_to: "),
        (lambda: gd.squeeze(x(), axis=1), gd.ShapeError, "squeeze: axis 1 has size 3, expected 1"),
        (
            lambda: gd.concat([x(), x((3, 4))], axis=0),
            gd.ShapeError,
            r"concat: f32\[2, 3\] and f32\[3, 4\] differ beside",
        ),
        (lambda: gd.concat([x(), x(dtype="float64")]), gd.DTypeError, r"concat: mixes f32\[2, 3\] and f64\[2, 3\]"),
        (lambda: gd.concat([]), gd.GraphError, "concat: nothing to put together"),
        (lambda: gd.split(x(), 2, axis=1), gd.ShapeError, "split: size 3 cannot be cut into 2 equal parts"),
        (lambda: gd.split(x(), [1, 1], axis=1), gd.ShapeError, r"split: parts of \(1, 1\) do not make up size 3"),
        (
            lambda: gd.pad(x(), [(1, 1)]),
            gd.ShapeError,
            "pad: widths are .* expected a pair of counts for each of 2 axes",
        ),
        (lambda: gd.take(x(), x()), gd.DTypeError, "take: indices are f32, expected integers; cast them first"),
        (lambda: gd.take_along(x(), x((3,), "int64")), gd.ShapeError, "take_along: .* expected one index for each row"),
        (lambda: x()[5], gd.ShapeError, "slice: index 5 on axis 0 of size 2"),
        (lambda: x()[0, 0, 0], gd.ShapeError, "slice: 3 indices for 2 axes"),
        (lambda: x()[::-1], gd.ShapeError, "slice: step -1 on axis 0; steps go forward, use gd.take for another order"),
        (lambda: x()["a"], gd.GraphError, "an index is 'a', expected an integer, a slice, None or"),
        (lambda: x((None, 3))[:4], gd.ShapeError, "slice: the end 4 on axis 0, whose size N is only known at run time"),
        (
            lambda: gd.cross_entropy(x((None, 3)), x((None, 4))),
            gd.ShapeError,
            r"softmax_cross_entropy: found logits f32\[N, 3\] and targets f32\[N, 4\]",
        ),
        (
            lambda: gd.cross_entropy(x((None, 3)), x(("T",), "int64")),
            gd.ShapeError,
            r"found logits f32\[N, 3\] and labels i64\[T\], expected one label for each row",
        ),
        (lambda: gd.dropout(x(), 1.0), gd.GraphError, "dropout: rate is 1.0, expected at least 0 and below 1"),
        (lambda: pick(x(), 0), gd.GraphError, r"pick: x has one result, f32\[2, 3\]"),
        (lambda: gd.add_n(x(), x((3,))), gd.ShapeError, r"add_n: adds f32\[2, 3\] and f32\[3\], expected one type"),
        (lambda: gd.constant([[1, 2], [3]]), gd.GraphError, "a constant is ragged"),
        (lambda: gd.constant("text"), gd.DTypeError, "a constant is .* expected numbers"),
        (lambda: gd.constant(x()), gd.GraphError, "x is a node of the graph, expected a number or an array"),
        (lambda: gd.Variable(x((None, 3)), name="v"), gd.GraphError, r"variable v: its initial value is f32\[N, 3\]"),
        (lambda: gd.placeholder((), name=""), gd.GraphError, "a node's name is '', expected a text that is not empty"),
        (lambda: gd.assign(x(), 1.0), gd.GraphError, "x is a placeholder; only variables can be updated"),
    ],
)
def test_misuse_is_refused_by_name(build, error, text):
    with pytest.raises(error, match=text):
        build()


def test_updates_must_be_of_the_type_of_the_variable_and_come_once():
    v = gd.Variable(np.zeros(3, "f"), name="v")
    with pytest.raises(gd.GraphError, match=r"v is f32\[3\] and cannot become w, which is f32\[2, 3\]"):
        gd.assign(v, x(name="w"))
    with pytest.raises(gd.GraphError, match="v is updated twice in one run; add the changes up first"):
        gd.group(gd.assign(v, v + 1), gd.assign(v, v + 2))


class TestNodesAreNoValues:
    """A node is immutable and has no truth value, length or number while the graph is being built."""

    def test_truth_value(self):
        text = text_of(gd.GraphError, lambda: bool(x() > 0))
        assert text.startswith("greater has no truth value while the graph is being built; choose with gd.where")

    def test_chained_comparison(self):
        with pytest.raises(gd.GraphError, match="has no truth value"):
            0 < x() < 1

    def test_iteration(self):
        with pytest.raises(
            gd.GraphError, match=r"x cannot be iterated over while the graph is being built; use gd\.split"
        ):
            list(x())

    def test_length(self):
        assert len(x()) == 2
        with pytest.raises(gd.GraphError, match=r"len\(x\) of f32\[N\] is not known while the graph is being built"):
            len(x((None,)))

    def test_number(self):
        with pytest.raises(gd.GraphError, match="x has no number yet"):
            float(x(()))

    @pytest.mark.parametrize("attribute", ["op", "inputs", "type", "name", "scope", "origin", "place", "new"])
    def test_setting(self, attribute):
        text = text_of(gd.GraphError, lambda: setattr(x(), attribute, None))
        assert text == f"x: nodes are immutable; build a new one instead of setting .{attribute}"

    def test_constants_cannot_be_written_to(self):
        array = np.zeros(3)
        c = gd.constant(array)
        array[:] = 7
        assert c.op.value.tolist() == [0, 0, 0]
        with pytest.raises(ValueError, match="read-only"):
            c.op.value[0] = 1

    def test_equality_is_identity_and_nodes_can_be_keys(self):
        a, b = x(), x()
        assert a == a
        assert a != b
        assert {a: 1, b: 2}[b] == 2


def test_numpy_on_the_left_builds_nodes_too():
    a = x((3,), "float64")
    nodes = [np.ones(3) * a, np.float64(2) + a, np.ones((2, 3)) @ a, 1 / a, 2 - a, 3**a]
    found = gd.Session().run(nodes, {a: [1.0, 2.0, 4.0]})
    for value, true in zip(found, ([1, 2, 4], [3, 4, 6], [7, 7], [1, 0.5, 0.25], [1, 0, -2], [3, 9, 81]), strict=True):
        np.testing.assert_allclose(value, true)


def test_a_plain_number_takes_the_dtype_of_what_it_is_combined_with():
    for dtype in ("float32", "float64"):
        a = x((3,), dtype)
        for node in (a + 1, 2.5 * a, a / np.float64(3), a - [1, 2, 3], gd.maximum(a, 0), gd.where(a > 0, a, 0.0)):
            assert node.dtype == dtype
    assert (x((3,), "int32") + 1).dtype == "int32"
    assert (x((3,), "uint8") * 2).dtype == "uint8"


def test_operands_are_said_once_and_are_those_of_the_user():
    counts = gd.placeholder((None,), "int64", name="counts")
    with pytest.raises(gd.DTypeError) as found:
        gd.mean(counts)
    assert str(found.value).count("counts: i64[N]") == str(found.value).count("mean: ") == 1
    x, b = gd.placeholder((None, 3), name="x"), gd.Variable(np.zeros(3), name="b")
    with pytest.raises(gd.DTypeError, match=r"add: mixes f32 and f64.*\n    x: f32\[N, 3\].*\n    b: f64\[3\]"):
        x + b


def test_a_korean_name_with_one_wrong_letter_is_recognised():
    assert did_you_mean("구메", ["나이", "소득", "구매"]) == " Did you mean '구매'?"
    assert did_you_mean("나무", ["소득", "구매"]) == ""
