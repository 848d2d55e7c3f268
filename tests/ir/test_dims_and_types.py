"""Sizes are integer polynomials; shapes broadcast as in NumPy; types print in one notation."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

import graphdl as gd
from graphdl.ir.dim import SymDim, evaluate, exact_div, linear, numel, symbol, symbols_of
from graphdl.ir.types import TensorType, TupleType, as_dtype, as_shape, broadcast_shapes, normalise_axis, shape_text

N, T = symbol("N"), symbol("T")


def _combined(parts):
    a, sign, b = parts
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b}[sign]()


polynomials = st.recursive(
    st.one_of(st.integers(-5, 5), st.sampled_from([N, T])),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(_combined),
    max_leaves=8,
)
sizes = st.fixed_dictionaries({"N": st.integers(0, 40), "T": st.integers(0, 40)})


@given(polynomials, polynomials, sizes)
def test_arithmetic_of_sizes_is_that_of_the_integers(a, b, at):
    left, right = evaluate(a, at), evaluate(b, at)
    assert evaluate(a + b, at) == left + right
    assert evaluate(a - b, at) == left - right
    assert evaluate(a * b, at) == left * right
    assert evaluate(3 - a, at) == 3 - left


@given(polynomials, sizes)
def test_a_size_reads_back_as_the_python_it_prints(a, at):
    assert eval(str(a), {}, at) == evaluate(a, at)


@given(polynomials, polynomials)
def test_equal_polynomials_are_equal_objects_of_one_hash(a, b):
    assert (a + b) * (a - b) == a * a - b * b
    assert hash((a + b) * (a + b)) == hash(a * a + 2 * (a * b) + b * b)
    assert (a - a) == 0
    assert isinstance(a - a, int)


@given(polynomials, polynomials, sizes)
def test_exact_division_divides_exactly_or_not_at_all(a, b, at):
    quotient = exact_div(a, b)
    if quotient is not None:
        assert quotient * b == a
    elif isinstance(a, int) and isinstance(b, int):
        assert b == 0 or a % b


@pytest.mark.parametrize(
    ("total", "part", "quotient"),
    [(784 * N, 28, 28 * N), (784 * N, N, 784), (N * T, T, N), (2 * N + 2, N + 1, 2), (N, 2, None), (N + 1, N, None)],
)
def test_exact_division_of_sizes(total, part, quotient):
    assert exact_div(total, part) == quotient


@pytest.mark.parametrize(
    ("dim", "expected"),
    [
        (N, ("N", 1, 0)),
        (3 * N, ("N", 3, 0)),
        (2 * N + 1, ("N", 2, 1)),
        (N - 1, ("N", 1, -1)),
        (N * N, None),
        (N * T, None),
    ],
)
def test_linear_sizes_are_taken_apart(dim, expected):
    assert linear(dim) == expected


def test_sizes_print_as_one_writes_them_and_survive_pickling():
    assert [str(d) for d in (2 * N + 1, N - 1, N * N - 3 * N, -N)] == ["2*N + 1", "N - 1", "N*N - 3*N", "-N"]
    assert pickle.loads(pickle.dumps(2 * N + T)) == 2 * N + T
    assert symbols_of([N * T, 3]) == {"N", "T"}
    assert numel((N, 28, 28)) == 784 * N


@pytest.mark.parametrize("name", ["", "1N", "N M", "lambda", "N;import os", "名", "a" * 40, "N\n"])
def test_a_size_has_the_name_of_a_plain_identifier(name):
    with pytest.raises(gd.ShapeError, match="expected a short identifier such as 'N' or 'T'"):
        symbol(name)


@given(mutually_broadcastable_shapes(num_shapes=3, min_side=0))
def test_broadcasting_agrees_with_numpy(shapes):
    assert broadcast_shapes(*shapes.input_shapes) == np.broadcast_shapes(*shapes.input_shapes)


@given(array_shapes(max_side=3), array_shapes(max_side=3))
def test_what_numpy_refuses_to_broadcast_is_refused(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(gd.ShapeError, match=r"sizes \d and \d do not broadcast"):
            broadcast_shapes(a, b)
    else:
        assert broadcast_shapes(a, b) == expected


def test_a_symbolic_size_broadcasts_with_itself_and_with_1_only():
    assert broadcast_shapes((N, 3), (3,)) == (N, 3)
    assert broadcast_shapes((N, 1), (1, 4)) == (N, 4)
    for other in ((2, 3), (T, 3), (2 * N, 3)):
        with pytest.raises(gd.ShapeError, match=r"sizes N and .* do not broadcast"):
            broadcast_shapes((N, 3), other)


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        ("float32", "float32"),
        ("f64", "float64"),
        (float, "float64"),
        (int, "int64"),
        (bool, "bool"),
        (np.float32, "float32"),
        (np.dtype("uint8"), "uint8"),
        (np.int32, "int32"),
    ],
)
def test_dtypes_are_understood_as_numpy_and_as_short_names(given_as, expected):
    assert as_dtype(given_as) == expected


@pytest.mark.parametrize("dtype", ["float16", np.complex128, "str", object, "nonsense", np.datetime64])
def test_other_dtypes_are_refused_with_those_there_are(dtype):
    with pytest.raises(gd.DTypeError, match="is not one graphdl computes with; it has float32, float64, int32, int64"):
        as_dtype(dtype)


def test_types_print_as_f32_n_784():
    assert str(TensorType("float32", (N, 784))) == "f32[N, 784]"
    assert str(TensorType("int64", ())) == "i64"
    assert str(TupleType((TensorType("bool", (2,)), TensorType("uint8", ())))) == "(bool[2], u8)"
    assert [shape_text(s) for s in ((N, 784), (128,), ())] == ["(N, 784)", "(128,)", "()"]
    assert str(TensorType("float32", (N, 10)).nbytes) == "40*N"


def test_shapes_are_read_as_keras_and_tensorflow_write_them():
    assert as_shape((None, 3)) == (N, 3)
    assert as_shape(5) == (5,)
    assert as_shape(("T", 2)) == (T, 2)
    assert as_shape([np.int64(2), 3]) == (2, 3)
    assert isinstance(as_shape((2, None))[1], SymDim)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((2.5,), "axis 0 of a shape is 2.5, expected an integer, None or a name such as 'N'"),
        ((2, -1), "axis 1 of a shape is -1, expected 0 or more; use None for the batch size"),
        ((True,), "axis 0 of a shape is True, expected an integer"),
    ],
)
def test_what_is_no_shape_is_refused(shape, text):
    with pytest.raises(gd.ShapeError, match=text):
        gd.placeholder(shape)


@given(st.integers(-6, 5), st.integers(0, 4))
def test_axes_count_from_the_front_and_from_the_back(axis, rank):
    if -rank <= axis < rank:
        assert list(range(rank))[axis] == normalise_axis(axis, rank)
    else:
        with pytest.raises(gd.ShapeError, match=f"axis {axis} of a value with {rank} axes"):
            normalise_axis(axis, rank)
