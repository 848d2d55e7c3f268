"""The catalogue: a row for every op of the registry, made of what the op itself says."""

from __future__ import annotations

import ast

import pytest

import graphdl as gd
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.registry import all_ops
from graphdl.symbolic import op_row, op_rows

ROWS = op_rows()
LEAVES = {"placeholder", "variable", "packed", "constant", "noise", "size"}


def test_every_op_has_a_row_in_alphabetical_order():
    assert [row.name for row in ROWS] == [name for name, _ in all_ops()]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_row_says_what_the_op_means_and_how_it_is_computed(row):
    assert row.doc
    if row.name not in LEAVES | {"pick"}:
        ast.parse(row.numpy, mode="eval")
        assert row.operands
    entry = dict(all_ops())[row.name]
    if isinstance(entry, Elementwise) and entry.formula:
        assert len(row.derivatives) == entry.arity
    if isinstance(entry, type) and row.name not in LEAVES | {"pick"}:
        assert row.backward or row.why_flat, "an op has a gradient, or says why it has none"


def test_the_row_of_an_elementwise_op():
    row = op_row("tanh")
    assert (row.formula, row.numpy, row.derivatives) == ("tanh(a)", "xp.tanh(a)", ("1 - tanh(a)**2",))
    assert (row.operands, row.role, row.glyph) == (("a",), "scale", "tanh")
    assert op_row("relu").convention == "relu'(0) = 0"


def test_the_row_of_a_fused_op():
    row = op_row("softmax")
    assert row.numpy == "softmax(x, axis=1)"
    assert row.example == "x: f32[3, 5], axis=1"
    assert row.attributes == ("axis: int = -1",)
    assert "dx = y (dy - sum_j dy_j y_j)" in row.doc
    assert "multiply_1: f32[3, 5] = multiply(y, subtract)\n-> dx=multiply_1" in row.backward
    assert "divide: f32[3, 5] = divide(exp, broadcast_to)" in row.decomposition
    assert op_row("matmul").decomposition == ""
    assert op_row("affine").backward.endswith("-> dx=matmul, dW=matmul_1, db=sum_to")


def test_an_unknown_op_gets_a_suggestion():
    with pytest.raises(gd.GraphError, match=r"there is no op 'softmx'\. Did you mean 'softmax'"):
        op_row("softmx")
