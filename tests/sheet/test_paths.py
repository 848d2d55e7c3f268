"""Paths: counted without being walked, and their products added up to the gradient."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl.sheet import paths as P
from graphdl.sheet import sheet
from graphdl.sheet.counting import count_ways
from graphdl.sheet.equations import scalars
from graphdl.sheet.naming import textbook_symbols
from graphdl.sheet.point import point
from graphdl.sheet.reverse import Reverse
from tests.sheet.networks import course


@st.composite
def graphs(draw):
    """A graph of products, sums and sines over one leaf, as (loss, leaf): each op reads anything before it."""
    x = gd.placeholder((), "float64", name="x")
    nodes = [x]
    for _ in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(["add", "multiply", "subtract", "sin", "square"]))
        a, b = (nodes[draw(st.integers(0, len(nodes) - 1))] for _ in range(2))
        nodes.append(getattr(gd, kind)(a) if kind in ("sin", "square") else getattr(gd, kind)(a, b))
    return nodes[-1], x


def derivation(loss, w, feeds, index=()):
    run = point(loss, [w], feeds, gd.Session()).run()
    run.found.symbols.update(textbook_symbols(run.found))
    made = scalars(run)
    return Reverse(made, (made.number(run.found.wrt[0], index),))


def walked(node, loss) -> int:
    """The number of paths from `node` to the loss by walking every one."""
    if loss is node:
        return 1
    return sum(walked(node, source) for source in loss.inputs)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_the_number_of_paths_is_that_found_by_walking_them(case):
    loss, x = case
    reverse = derivation(loss, x, {x: 0.7})
    w = reverse.wrt[0]
    found = list(P.paths(reverse, w))
    assert P.count_paths(reverse)[w] == len(found) == walked(reverse.made.run.found.wrt[0], reverse.made.run.loss)


@settings(max_examples=60, deadline=None)
@given(graphs(), st.floats(-2, 2))
def test_products_along_paths_add_up_to_the_gradient(case, at):
    loss, x = case
    reverse = derivation(loss, x, {x: at})
    total = math.fsum(
        math.prod(reverse.slopes[wire.link.slope] for wire in path) for path in P.paths(reverse, reverse.wrt[0])
    )
    h = 1e-6
    session = gd.Session()
    slope = (session.run(loss, {x: at + h}) - session.run(loss, {x: at - h})) / (2 * h)
    assert total == pytest.approx(slope, rel=1e-4, abs=1e-4 * max(1, abs(session.run(loss, {x: at}))))
    assert reverse.gradients.get(reverse.wrt[0], 0.0) == pytest.approx(total, rel=1e-9, abs=1e-12)


def test_there_may_be_more_paths_than_anyone_could_walk():
    x = gd.placeholder((), "float64", name="x")
    y = x
    for _ in range(200):
        y = y + gd.sin(y)
    made = sheet(y, x, {"x": 1e-3}, level="scalar")
    assert made.paths == {"x": 2**200}
    (words,) = made.section("paths").blocks
    assert f"{2**200:,}" in words.said["en"]
    assert "600 connections" in words.said["en"]


def test_so_many_paths_are_written_out_and_more_are_counted():
    x = gd.placeholder((), "float64", name="x")
    loss = (x * x) * (x * x)
    for most, blocks in ((4, 6), (3, 1)):
        assert len(sheet(loss, x, {"x": 2.0}, most_paths=most).section("paths").blocks) == blocks


@pytest.mark.parametrize("examples", [1, 3])
def test_ways_counted_on_arrays_are_those_counted_number_by_number(examples):
    case = course(examples=examples, bias=True)
    for name, index in (("W1", (0, 0)), ("b1", (0,)), ("W2", (0, 0)), ("x", (0, 0))):
        leaf = case.leaves[name]
        reverse = derivation(case.loss, leaf, case.feeds, index)
        (w,) = reverse.made.run.found.wrt
        assert count_ways(reverse.made.run, w) == P.count_paths(reverse)[reverse.wrt[0]], name


def test_ways_through_a_deep_network_are_the_product_of_its_widths():
    """From one weight of the first layer: every later unit, for each example."""
    x = gd.placeholder((None, 3), "float64", name="x")
    widths, h = (3, 5, 7, 11), x
    weights = []
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        weights.append(gd.Variable(np.ones((a, b)), name=f"W{i}"))
        h = gd.tanh(h @ weights[-1])
    run = point(gd.mean(gd.square(h)), [weights[0]], {x: np.ones((4, 3))}, gd.Session()).run()
    assert count_ways(run, run.found.wrt[0]) == 4 * 7 * 11
