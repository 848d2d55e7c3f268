"""Merging layers against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers

from .calls import check_gradients, normal, outputs_of

A, B, C = normal(3, 4, 5), normal(3, 4, 5), normal(3, 4, 5)


@pytest.mark.parametrize(
    ("layer", "function", "expected"),
    [
        (layers.Add, layers.add, A + B + C),
        (layers.Multiply, layers.multiply, A * B * C),
        (layers.Average, layers.average, (A + B + C) / 3),
        (layers.Maximum, layers.maximum, np.maximum(np.maximum(A, B), C)),
        (layers.Minimum, layers.minimum, np.minimum(np.minimum(A, B), C)),
        (layers.Concatenate, layers.concatenate, np.concatenate([A, B, C], -1)),
    ],
)
def test_several_inputs_become_one(layer, function, expected):
    _, y = outputs_of(layer(), A, B, C)
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    _, again = outputs_of(function, A, B, C)
    assert (again == y).all()


def test_subtract_takes_two():
    _, y = outputs_of(layers.Subtract(), A, B)
    assert (y == A - B).all()
    _, y = outputs_of(layers.subtract, A, B)
    assert (y == A - B).all()


def test_concatenate_goes_along_any_axis():
    _, y = outputs_of(layers.Concatenate(axis=1), A, B[:, :2])
    assert (y == np.concatenate([A, B[:, :2]], 1)).all()
    _, y = outputs_of(lambda xs: layers.concatenate(xs, axis=1), A, B[:, :2])
    assert y.shape == (3, 6, 5)


def test_an_input_with_fewer_axes_is_the_same_all_along():
    rows = normal(3, 5)
    _, y = outputs_of(layers.Add(), rows, A)
    np.testing.assert_allclose(y, rows[:, None] + A, rtol=1e-6)


@pytest.mark.parametrize(
    ("shapes", "axes", "formula"),
    [
        (((5,), (5,)), 1, "nd,nd->n"),
        (((4, 5), (3, 5)), 2, "nsd,ntd->nst"),
        (((4, 5), (3, 5)), -1, "nsd,ntd->nst"),
        (((4, 5), (4, 3)), 1, "nds,ndt->nst"),
        (((4, 5), (5,)), (2, 1), "nsd,nd->ns"),
        (((2, 4, 5), (5, 3)), (3, 1), "nabd,ndt->nabt"),
    ],
)
@pytest.mark.parametrize("normalize", [False, True])
def test_dot_is_the_inner_product_of_each_example(shapes, axes, formula, normalize):
    a, b = (normal(3, *shape) for shape in shapes)
    _, y = outputs_of(layers.Dot(axes, normalize=normalize), a, b)
    left, right = (axes, axes) if isinstance(axes, int) else axes
    if normalize:
        a, b = a / np.linalg.norm(a, axis=left, keepdims=True), b / np.linalg.norm(b, axis=right, keepdims=True)
    expected = np.einsum(formula, a, b)
    np.testing.assert_allclose(y, expected if expected.ndim > 1 else expected[:, None], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Multiply(),
        layers.Average(),
        layers.Maximum(),
        layers.Concatenate(axis=1),
        layers.Dot(axes=2, normalize=True),
        layers.Subtract(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_gradients_agree_with_differences(layer):
    check_gradients(layer, (4, 3), (4, 3))


def test_a_step_counts_in_a_sum_where_it_counts_in_one_of_the_terms():
    x = normal(2, 4, 3)
    x[0, 2:] = x[1, :1] = 0
    a, b = keras.Input((4, 3), name="a"), keras.Input((4, 3), name="b")
    masked = layers.Masking()
    total = layers.Add()([masked(a), masked(b)])
    y = layers.GlobalAveragePooling1D()(total)
    found = keras.Model([a, b], y).predict([x, x], verbose=0)
    expected = np.stack([2 * x[0, :2].mean(0), 2 * x[1, 1:].mean(0)])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_masks_are_put_together_along_time():
    x, z = normal(1, 3, 2), normal(1, 2, 2)
    x[0, 2] = 0
    a, b = keras.Input((3, 2), name="a"), keras.Input((2, 2), name="b")
    y = layers.GlobalAveragePooling1D()(layers.Concatenate(axis=1)([layers.Masking()(a), b]))
    found = keras.Model([a, b], y).predict([x, z], verbose=0)
    np.testing.assert_allclose(found[0], np.concatenate([x[0, :2], z[0]]).mean(0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda a, b: layers.Add()(a), "add is called on a list of nodes, as in add([a, b]); found one node"),
        (lambda a, b: layers.Subtract()([a, a, a]), "subtract takes two inputs, found 3"),
        (
            lambda a, b: layers.Add()([a, b]),
            "add: found a: f32[N, 4], b: f32[N, 5], expected shapes that fit each other",
        ),
        (
            lambda a, b: layers.Concatenate(axis=1)([a, layers.Flatten()(b), keras.Input((2, 2), name="c")]),
            "in axis 1 only",
        ),
        (lambda a, b: layers.Dot(axes=1)([a, b]), "expected one size along axes 1 and 1"),
        (lambda a, b: layers.Dot(axes=0), "Dot: axes is 0, expected an axis from 1, or a pair of them"),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make(keras.Input((4,), name="a"), keras.Input((5,), name="b"))
    assert message in str(caught.value)
