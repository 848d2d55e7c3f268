"""Parts of values, where the registry's samples do not reach: bounds that do not fit."""

from __future__ import annotations

import pytest

import graphdl as gd
from graphdl.errors import ShapeError
from graphdl.ir.op import build
from graphdl.ops.parts import Place, Slice

BEYOND = [((0, 5, 1), (0, 3, 1)), ((0, 4, 1), (-1, 2, 1)), ((2, 1, 1), (0, 3, 1)), ((0, 4, 0), (0, 3, 1))]


@pytest.mark.parametrize("bounds", BEYOND)
def test_bounds_outside_of_the_shape_are_refused(bounds):
    with pytest.raises(ShapeError, match=r"bounds .* on axis [01] of size [34]"):
        build(Slice(bounds), gd.placeholder((4, 3), name="x"))


def test_zeros_are_placed_within_the_shape_only():
    with pytest.raises(ShapeError, match="bounds 1:4:1 on axis 0 of size 3"):
        build(Place((3,), ((1, 4, 1),)), gd.placeholder((3,), name="x"))


def test_a_known_end_of_an_unknown_size_is_left_to_the_run():
    x = gd.placeholder((None, 3), name="x")
    assert gd.Session().run(x[1:, :2], {x: [[1, 2, 3], [4, 5, 6]]}).tolist() == [[4, 5]]
