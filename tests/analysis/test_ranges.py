"""Ranges hold: no value lies outside them, and only what training or saturation moves is said to move."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

import graphdl as gd
from graphdl.analysis.ranges import ranges
from tests.random_graphs import grow, plans


@given(plans)
def test_no_value_of_a_random_graph_lies_outside_its_range(plan):
    g = grow(plan)
    found = ranges(g.nodes)
    for node, value in zip(g.nodes, g.values, strict=True):
        low, high, _ = found[node]
        slack = 1e-9 * max(1.0, float(np.abs(value).max(initial=0)))
        assert value.size == 0 or (low - slack <= value.min() and value.max() <= high + slack), node


def W():
    return gd.Variable(gd.random_normal((3, 2)), name="W")


X = gd.placeholder((None, 3), name="x")


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (lambda: gd.sigmoid(X), (0, 1, True)),
        (lambda: gd.relu(X), (0, math.inf, True)),
        (lambda: gd.relu(gd.exp(X) + 1), (1, math.inf, False)),
        (lambda: gd.square(X), (0, math.inf, False)),
        (lambda: gd.square(X @ W()), (0, math.inf, True)),
        (lambda: X @ W(), (-math.inf, math.inf, True)),
        (lambda: gd.sqrt(gd.square(X) + 4), (2, math.inf, False)),
        (lambda: gd.clip(X @ W(), 0.25, 0.75), (0.25, 0.75, True)),
        (lambda: 1 - gd.sigmoid(X), (0, 1, True)),
        (lambda: 2 / (1 + gd.square(X)), (0, 2, False)),
        (lambda: gd.maximum(X, 0.5), (0.5, math.inf, True)),
        (lambda: gd.sum(gd.exp(X)), (0, math.inf, False)),
        (lambda: gd.relu(X) / gd.sum(gd.relu(X)), (-math.inf, math.inf, True)),
        (lambda: (lambda p: p / gd.sum(p, axis=-1, keepdims=True))(gd.relu(X)), (0, 1, True)),
    ],
)
def test_bounds_follow_from_the_ops(node, expected):
    made = node()
    assert tuple(ranges([made])[made]) == expected


def test_an_overflowing_constant_leaves_no_bound_that_is_not_a_number():
    node = gd.exp(gd.constant(800.0, "float64")) - gd.exp(gd.constant(900.0, "float64"))
    low, high, _ = ranges([node])[node]
    assert low <= high
