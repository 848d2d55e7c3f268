"""Every rule fires on its instances and changes neither value nor gradient."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.ir.graph import Graph
from graphdl.ir.registry import lookup
from graphdl.ir.traverse import ancestors
from graphdl.rewrite.engine import rewrite
from graphdl.rewrite.rules.algebra import ALGEBRA
from graphdl.rewrite.rules.pooling import POOLING
from graphdl.rewrite.rules.shapes import FUSE, SHAPES, copying_rules
from graphdl.rewrite.rules.stable import STABILISE, WHERE_SINK
from tests.rewrite import instances as table

RULES = {r.name: r for r in (*STABILISE, *WHERE_SINK, *ALGEBRA, *SHAPES, *POOLING, *FUSE)}
INSTANCES = [pytest.param(name, i, id=f"{name}-{number}") for name, number, i in table.instances()]


def numbers(nodes, instance, inputs):
    """Values as the graph stands: level 0, nothing stabilised."""
    feeds = dict(zip(inputs, instance.arrays(), strict=True))
    return gd.Session(level=0, stabilise=False).run(nodes, feeds)


def same_values_and_gradients(before, after, instance, inputs, tolerance=1e-12):
    """Gradients are taken of each side as it stands, with the same weights for the elements."""
    floats = [x for x in inputs if x.dtype == "float64"]
    seed = np.random.default_rng(3).uniform(0.5, 1.5, before.shape).astype(before.dtype)
    sides = []
    for node in (before, after):
        reached = set(ancestors([node]))
        wrt = [x for x in floats if x in reached]
        found = gd.derive(node, wrt, seed, stabilise=False).gradients if wrt else ()
        values = numbers([node, *found], instance, inputs)
        slopes = dict(zip(wrt, values[1:], strict=True))
        sides.append([values[0], *[slopes.get(x, np.zeros(x.shape)) for x in floats]])
    for left, right in zip(*sides, strict=True):
        assert np.shape(left) == np.shape(right)
        np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance)


def test_every_rule_is_in_the_table():
    in_table = {name for name, _, _ in table.instances()}
    assert set(RULES) == in_table
    assert len(RULES) == sum(map(len, (STABILISE, WHERE_SINK, ALGEBRA, SHAPES, POOLING, FUSE)))


@pytest.mark.parametrize(("name", "instance"), INSTANCES)
def test_rule_fires_and_keeps_value_and_gradient(name, instance):
    inputs = instance.inputs()
    before = instance.make(*inputs)
    log = []
    graph, _ = rewrite(Graph({"y": before}), [RULES[name]], log=log)
    after = graph.outputs["y"]
    assert {f.rule for f in log} == {name}
    assert after.type == before.type
    same_values_and_gradients(before, after, instance, inputs, 1e-6 if name == "cast_there_and_back" else 1e-12)


@pytest.mark.parametrize(("name", "instance"), INSTANCES)
def test_all_passes_together_keep_value_and_gradient(name, instance):
    """What the rule's instance is at levels 1 and 2 is what it is as typed."""
    inputs = instance.inputs()
    node = instance.make(*inputs)
    floats = [x for x in inputs if x.dtype == "float64"]
    seed = np.ones(node.shape, node.dtype)
    feeds = dict(zip(inputs, instance.arrays(), strict=True))
    plain = gd.derive(node, floats, seed, stabilise=False).gradients
    typed = gd.Session(level=0, stabilise=False).run([node, *plain], feeds)
    for level in (0, 1, 2):
        found = gd.Session(level=level).run([node, *gd.derive(node, floats, seed).gradients], feeds)
        for left, right in zip(found, typed, strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-6 if "cast" in name else 1e-11, atol=1e-12)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_rule_says_what_it_does_in_its_first_line(rule):
    assert len(rule.why) > 5
    assert rule.kind in ("exact-bits", "exact-real", "stabilise")


@pytest.mark.parametrize(("name", "instance"), [p for p in INSTANCES if RULES[p.values[0]].kind == "exact-bits"])
def test_rule_called_exact_changes_no_bit_but_the_sign_of_a_zero(name, instance):
    inputs = instance.inputs()
    before = instance.make(*inputs)
    graph, _ = rewrite(Graph({"y": before}), [RULES[name]])
    left, right = (numbers(n, instance, inputs) for n in (before, graph.outputs["y"]))
    np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("shapes", [((3,), (2, 3)), ((2, 1), (2, 3)), ((), (2, 3))])
@pytest.mark.parametrize("name", ["add", "multiply", "exp", "where", "maximum", "less", "clip", "sigmoid"])
def test_copying_is_left_to_numpy_with_the_same_bits(name, shapes):
    op = lookup(name)
    small, large = shapes
    random = np.random.default_rng(0)
    x = gd.placeholder(small, "float64", name="x")
    y = gd.placeholder(large, "float64", name="y")
    copies = gd.broadcast_to(x, large)
    operands = {1: [copies], 2: [copies, y], 3: [copies > 0 if name == "where" else copies, y, copies]}[op.arity]
    before = op(*operands)
    log = []
    graph, _ = rewrite(Graph({"y": before}), copying_rules([op]), log=log)
    assert log
    feeds = {x: random.standard_normal(small), y: random.standard_normal(large)}
    left, right = (gd.Session(level=0).run(n, feeds) for n in (before, graph.outputs["y"]))
    np.testing.assert_array_equal(left, right)


def _crowd():
    """A graph in which many rules fire."""
    x, y = gd.placeholder((2, 3), "float64", name="x"), gd.placeholder((3,), "float64", name="y")
    p = gd.exp(x) / gd.sum(gd.exp(x), axis=1, keepdims=True)
    z = gd.log(1 + gd.exp(x * 1 + 0)) * gd.log(p) + (1 - gd.sigmoid(y)) - -x
    return Graph({"z": gd.sum(z), "d": gd.gradients(gd.sum(z), x)}), {x: np.ones((2, 3)), y: np.zeros(3)}


def test_a_log_replays_and_every_prefix_means_the_same():
    graph, feeds = _crowd()
    rules = (*STABILISE, *WHERE_SINK, *ALGEBRA, *SHAPES)
    log = []
    rewrite(graph, rules, log=log)
    assert len(log) >= 8
    expected = gd.Session(level=0, stabilise=False).run(graph.outputs, feeds)
    for k in range(len(log) + 1):
        again = []
        partly, _ = rewrite(graph, rules, limit=k, log=again)
        assert [(f.number, f.rule) for f in again] == [(f.number, f.rule) for f in log[:k]]
        found = gd.Session(level=0, stabilise=False).run(partly.outputs, feeds)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-12)


def test_a_pass_leaves_its_input_graph_alone():
    graph, _ = _crowd()
    before = str(graph)
    rewrite(graph, (*STABILISE, *ALGEBRA, *SHAPES))
    assert str(graph) == before
