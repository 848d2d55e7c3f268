"""Graphs: listings, names, views, walks."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.ir.graph import Graph
from graphdl.ir.node import place_of
from graphdl.ir.origin import user_of, written_at
from graphdl.ir.text import listing, plain
from graphdl.ir.traverse import ancestors, consumers, dependents, substitute


def small():
    with gd.name_scope("dense"):
        x = gd.placeholder((None, 2), name="x")
        W = gd.Variable(np.ones((2, 3), "f"), name="W")
        h = gd.matmul(x, W, name="h")
    return x, W, gd.relu(h, name="y")


def test_a_graph_prints_one_typed_line_a_node():
    _, W, y = small()
    assert str(Graph(y, [(W, W * 2)])).splitlines() == [
        "dense/x: f32[N, 2] = placeholder",
        "dense/W: f32[2, 3] = variable",
        "dense/h: f32[N, 3] = matmul(dense/x, dense/W)",
        "y: f32[N, 3] = relu(dense/h)",
        "constant: f32 = constant 2.0",
        "multiply: f32[2, 3] = multiply(dense/W, constant)",
        "dense/W <- multiply",
        "-> y",
    ]


def test_a_listing_can_say_where_each_node_comes_from():
    _, W, y = small()
    text = listing(Graph(gd.gradients(gd.sum(y), W)), origins=True)
    assert "# test_graph.py:" in text
    assert "# vjp of dense/h (test_graph.py:" in text


def test_every_node_knows_the_line_of_the_user():
    _, _, y = small()
    assert user_of(y).file == __file__
    assert written_at(y).endswith('return x, W, gd.relu(h, name="y")')


def test_nodes_with_one_label_are_numbered():
    x = gd.placeholder((), name="x")
    graph = Graph({"out": gd.exp(gd.exp(gd.exp(x))) + gd.placeholder((), name="exp_1")})
    assert list(graph.names.values()) == ["x", "exp", "exp_1", "exp_2", "exp_1_1", "add"]
    assert graph["exp"].inputs == (x,)


def test_scopes_nest_and_names_never_collide():
    nodes = []
    for _ in range(3):
        with gd.name_scope("block"), gd.name_scope("dense"):
            nodes.append(gd.Variable(0.0, name="W"))
    graph = Graph(gd.add_n(*nodes))
    assert [graph.names[n] for n in nodes] == ["block/dense/W", "block/dense/W_1", "block/dense/W_2"]


def test_a_node_that_is_not_there_is_looked_for_among_those_that_are():
    _, _, y = small()
    with pytest.raises(gd.GraphError, match=r"the graph has no node 'dense/w'\. Did you mean 'dense/W'\?"):
        Graph(y)["dense/w"]


def test_networkx_sees_the_same_graph():
    networkx = pytest.importorskip("networkx")
    *_, y = small()
    graph = Graph(y * y)
    view = graph.to_networkx()
    assert set(view.nodes) == set(graph.named)
    assert networkx.is_directed_acyclic_graph(view)
    assert view.number_of_edges("y", "multiply") == 2
    assert networkx.ancestors(view, "y") == {"dense/x", "dense/W", "dense/h"}
    assert view.nodes["y"]["type"] == "f32[N, 3]"


def test_walks_agree_with_networkx_on_a_random_graph():
    networkx = pytest.importorskip("networkx")
    random = np.random.default_rng(0)
    nodes = [gd.placeholder((), name=f"x{i}") for i in range(3)]
    for _ in range(60):
        a, b = random.integers(0, len(nodes), 2)
        nodes.append(nodes[a] + nodes[b])
    graph = Graph(nodes[-1])
    view = graph.to_networkx()
    names = graph.names
    for node in graph.nodes:
        assert {names[n] for n in ancestors([node])} == networkx.ancestors(view, names[node]) | {names[node]}
        assert {names[n] for n in dependents(graph.nodes, [node])} == networkx.descendants(view, names[node]) | {
            names[node]
        }
    assert sum(map(len, consumers(graph.nodes).values())) == view.number_of_edges()
    position = {name: i for i, name in enumerate(names.values())}
    assert all(position[a] < position[b] for a, b in view.edges())


def test_substitute_exchanges_a_value_and_shares_what_does_not_change():
    x, y = gd.placeholder((), "float64", name="x"), gd.placeholder((), "float64", name="y")
    shared = gd.exp(y)
    loss = gd.sin(x) * shared
    (new,) = substitute([loss], {x: y * 2})
    assert new.inputs[1] is shared
    assert gd.Session().run(new, {y: 0.3}) == pytest.approx(np.sin(0.6) * np.exp(0.3), rel=1e-15)
    assert substitute([shared], {x: y}) == (shared,)


def test_a_chain_of_100000_nodes_is_walked_without_recursion():
    x = gd.placeholder((), name="x")
    h = x
    for _ in range(100_000):
        h = -h
    graph = Graph(h)
    assert len(graph) == 100_001
    assert graph.nodes[0] is x
    assert len(dependents(graph.nodes, [x])) == 100_001


def test_what_a_pass_builds_sorts_where_the_old_node_stood():
    x = gd.placeholder((), name="x")
    first, second = gd.exp(x), gd.sin(x)
    assert first.place < place_of(first) < second.place


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb", "a\\nb"),
        ("tab\there", "tab\\there"),
        ("\x1b[31m", "\\x1b[31m"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_names_are_shown_on_one_line_without_control_characters(text, shown):
    assert plain(text) == shown


def test_outputs_that_are_no_nodes_are_refused():
    with pytest.raises(gd.GraphError, match="an output of a graph is a float, expected a node"):
        Graph([1.0])


def test_a_size_leaf_becomes_a_number_at_run_time():
    x = gd.placeholder((None, 3), "float64", name="x")
    mean = gd.mean(x, axis=0)
    slope = gd.gradients(gd.sum(mean), x)
    for n in (1, 4, 7):
        assert gd.Session().run(slope, {x: np.ones((n, 3))}) == pytest.approx(np.full((n, 3), 1 / n))
