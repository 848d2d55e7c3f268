"""The pipeline: optimising twice changes nothing, common subexpressions meet, levels mean the same."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.compile.pipeline import optimise, pipeline
from graphdl.ir.graph import Graph
from graphdl.ir.text import listing
from graphdl.rewrite.passes import accumulate, merge_equal
from tests.rewrite.instances import instances

ALL = [pytest.param(i, id=f"{name}-{number}") for name, number, i in instances()]


def network():
    """Two dense layers and a loss as typed, with gradients for the weights."""
    x = gd.placeholder((None, 4), "float64", name="x")
    t = gd.placeholder((None,), "int64", name="t")
    W = gd.Variable(np.linspace(-1, 1, 12).reshape(4, 3), name="W")
    b = gd.Variable(np.zeros(3), name="b")
    V = gd.Variable(np.linspace(1, -1, 6).reshape(3, 2), name="V")
    p = gd.softmax(gd.relu(x @ W + b) @ V)
    loss = gd.mean(-gd.log(gd.take_along(p, t)))
    return Graph({"loss": loss, **dict(zip("WbV", gd.gradients(loss, [W, b, V]), strict=True))}), (x, t)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("instance", ALL)
def test_optimising_an_optimised_graph_changes_nothing(instance, level):
    inputs = instance.inputs()
    node = instance.make(*inputs)
    wrt = [x for x in inputs if x.dtype == "float64"]
    slopes = gd.derive(node, wrt, np.ones(node.shape, node.dtype)).gradients
    once = optimise(Graph([node, *slopes]), level).graph
    twice = optimise(once, level)
    assert twice.firings == ()
    assert listing(twice.graph) == listing(once)


def test_optimising_an_optimised_network_changes_nothing():
    graph, _ = network()
    for level in (0, 1, 2):
        once = optimise(graph, level).graph
        assert optimise(once, level).firings == ()


def test_each_level_is_the_one_below_with_more_passes():
    names = [[p.name for p in pipeline() if p.level <= level] for level in (0, 1, 2)]
    assert names[0] == ["stabilise"]
    assert set(names[0]) < set(names[1]) < set(names[2])


def test_levels_agree_on_a_network():
    graph, (x, t) = network()
    random = np.random.default_rng(0)
    feeds = {x: random.standard_normal((5, 4)), t: random.integers(0, 2, 5)}
    found = [
        gd.Session(level=level, stabilise=s).run(graph.outputs, feeds) for level in (0, 1, 2) for s in (True, False)
    ]
    for other in found[1:]:
        for name, value in found[0].items():
            np.testing.assert_allclose(other[name], value, rtol=1e-12, atol=1e-14)


def test_level_2_has_fewer_nodes_than_level_1_and_that_fewer_than_0():
    graph, _ = network()
    sizes = [len(optimise(graph, level).graph) for level in (0, 1, 2)]
    assert sizes[2] < sizes[1] < sizes[0]


def test_equal_subexpressions_become_one_node_and_leaves_stay_apart():
    x = gd.placeholder((3,), name="x")
    v, w = gd.Variable([1.0, 2.0, 3.0], name="v"), gd.Variable([1.0, 2.0, 3.0], name="w")
    y = gd.exp(x * v) + gd.exp(x * v) * gd.exp(x * w)
    log = []
    merged = merge_equal(Graph({"y": y}), log)
    names = sorted(n.op.name for n in merged.nodes)
    assert names == ["add", "exp", "exp", "multiply", "multiply", "multiply", "placeholder", "variable", "variable"]
    assert {f.rule for f in log} == {"merge_equal"}


def test_constants_merge_by_value_and_dtype():
    x = gd.placeholder((), name="x")
    y = (x * 2.0) + (x * 2.0) + gd.cast(gd.cast(x, "float64") * 2.0, "float32")
    merged = merge_equal(Graph({"y": y}), [])
    assert sorted(n.dtype for n in merged.constants) == ["float32", "float64"]


def test_two_draws_of_noise_are_never_merged():
    a, b = gd.random_uniform((1000,)), gd.random_uniform((1000,))
    difference = gd.Session().run(a - b)
    assert np.abs(difference).max() > 0.5


def test_a_sum_of_many_becomes_a_running_total_with_the_same_bits():
    xs = [gd.placeholder((3,), name=f"x{i}") for i in range(5)]
    y = gd.add_n(*[gd.exp(x) for x in xs])
    running = accumulate(Graph({"y": y}), [])
    assert [n.op.name for n in running.nodes].count("add") == 4
    random = np.random.default_rng(0)
    feeds = {x: random.standard_normal(3) for x in xs}
    left, right = (gd.Session(level=0).run(n, feeds) for n in (y, running.outputs["y"]))
    assert left.tobytes() == right.tobytes()


def test_constants_are_folded():
    x = gd.placeholder((3,), "float64", name="x")
    c = gd.constant(np.arange(3.0))
    graph = optimise(Graph({"y": x + gd.exp(c) * gd.sum(c)}), 2).graph
    assert [n.op.name for n in graph.nodes if n.inputs] == ["add"]
    np.testing.assert_array_equal(graph.constants[0].op.value, np.exp(np.arange(3.0)) * 3)


def test_names_and_user_lines_survive_the_passes():
    with gd.name_scope("model"):
        x = gd.placeholder((3,), name="x")
        h = gd.log(1 + gd.exp(x), name="softened")
    graph = optimise(Graph({"y": h * 2}), 2).graph
    node = graph["model/softened"]
    assert node.op.name == "softplus"
    assert "log(1 + gd.exp(x)" in gd.ir.origin.written_at(node)
