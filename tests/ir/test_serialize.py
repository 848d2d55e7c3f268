"""Graphs as JSON: what was saved comes back, in listing, values, names and origins."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import graphdl as gd
from graphdl.ir.graph import Graph, assign, group
from graphdl.ir.op import build
from graphdl.ir.origin import Rewrite, User, Vjp, forward_of, user_of
from graphdl.ir.serialize import graph_from_json, graph_to_json
from graphdl.ir.text import listing
from tests.ops.checks import all_cases, results


def classifier():
    """A softmax layer with its loss, gradients and updates: variables, noise, sizes, rewrites and all."""
    x, labels = gd.placeholder((None, 4), name="x"), gd.placeholder((None,), "int64", name="labels")
    W = gd.Variable(gd.random_normal((4, 3), stddev=0.5), name="W")
    b = gd.Variable(np.zeros(3, "float32"), trainable=False, name='b"; import os')
    with gd.name_scope("model"):
        z = gd.exp(gd.dropout(x, 0.25) @ W + b)
    p = z / gd.sum(z, axis=-1, keepdims=True)
    loss = gd.mean(-gd.log(gd.take_along(p, labels)), name="loss")
    dW, db = gd.gradients(loss, [W, b])
    updates = group(assign(W, W - 0.1 * dW), assign(b, b - 0.1 * db))
    return Graph({"loss": loss, "class": gd.argmax(p), "손실": loss}, updates.pairs)


GOOD = graph_to_json(classifier())


def test_a_graph_comes_back_equal_in_listing_json_and_origins():
    graph = classifier()
    text = graph_to_json(graph)
    back = graph_from_json(text)
    assert listing(back) == listing(graph)
    assert graph_to_json(back) == text
    assert list(back.outputs) == ["loss", "class", "손실"]
    assert [str(user_of(node)) for node in back.nodes] == [str(user_of(node)) for node in graph.nodes]
    assert [v.op.trainable for v in back.variables] == [True, False]
    assert [node.label for node in back.sized_by] == ["x"]


def test_a_graph_that_came_back_computes_the_same_values():
    graph = classifier()
    back = graph_from_json(graph_to_json(graph))
    data = {"x": np.linspace(-1, 1, 20, dtype="float32").reshape(5, 4), "labels": np.array([0, 1, 2, 1, 0])}
    for each in (graph, back):
        session = gd.Session(seed=3)
        feeds = {node: data[node.label] for node in each.placeholders}
        first = session.run([*each.outputs.values(), gd.Updates(each.updates)], feeds)
        second = session.run(each.outputs["loss"], feeds)
        if each is graph:
            expected = (first, second)
    for found, wanted in zip(first[:2], expected[0][:2], strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert second == expected[1] != first[0]


def test_the_gradient_still_knows_what_it_is_the_gradient_of():
    back = graph_from_json(graph_to_json(classifier()))
    origin = back["d/W"].origin
    assert isinstance(origin, Vjp)
    assert (origin.of.label, origin.slot) == ("model/matmul", 1)
    # The rewrite fused the logarithm with the softmax; the user's own logarithm stands for what it became.
    assert forward_of(back["d/softmax"]).label == "log"


def test_a_rewrite_of_a_node_in_the_file_keeps_its_rule():
    x = gd.placeholder(name="x")
    y = gd.log(1 + gd.exp(x))
    optimised = gd.Session().compile(y).graph
    back = graph_from_json(graph_to_json(Graph({"before": y, "after": optimised.roots[0]})))
    origin = back.outputs["after"].origin
    assert isinstance(origin, Rewrite)
    assert (origin.rule, origin.replaced) == ("log_of_one_plus_exp", back.outputs["before"])
    alone = graph_from_json(graph_to_json(optimised)).outputs["log"].origin
    assert isinstance(alone, User)
    assert str(alone) == str(user_of(y))


def test_files_are_named_without_their_folders():
    (node,) = [record for record in json.loads(GOOD)["nodes"] if record.get("name") == "x"]
    assert node["origin"]["file"] == os.path.basename(__file__)
    assert os.path.dirname(os.path.abspath(__file__)) not in GOOD


def test_the_text_has_a_line_a_node_and_reads_as_the_listing_does():
    x = gd.placeholder((None, 784), name="x")
    text = graph_to_json(Graph({"y": gd.reshape(x, (-1, 28, 28))}))
    lines = text.splitlines()
    assert lines[:3] == ["{", '"format": "graphdl graph",', '"version": 1,']
    assert '{"op": "placeholder", "type": "f32[N, 784]", "name": "x"' in lines[5]
    assert '"attributes": {"shape": ["N", 28, 28]}' in lines[6]


CASES = list(all_cases())


@pytest.mark.parametrize("case", CASES, ids=[f"{case.name}-{case.number}" for case in CASES])
def test_every_op_comes_back_with_its_attributes_and_its_value(case):
    inputs = case.inputs("float32")
    graph = Graph({"y": results(build(case.op, *inputs))[-1]})
    back = graph_from_json(graph_to_json(graph))
    assert listing(back) == listing(graph)
    assert [str(n.op) for n in back.nodes] == [str(n.op) for n in graph.nodes]
    arrays = case.arrays("float32")
    values = [
        gd.Session(level=0).run(g.outputs["y"], dict(zip(g.placeholders, arrays, strict=True))) for g in (graph, back)
    ]
    np.testing.assert_array_equal(*values)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "bool"])
def test_constants_come_back_to_the_bit(dtype):
    values = np.array([[0, 1], [7, 255]]).astype(dtype)
    arrays = [values, values[::-1].T, values[:0], values[0, 0]]
    if values.dtype.kind == "f":
        arrays.append(np.array([np.nan, -np.inf, -0.0, 5e-324, 0.1], dtype))
    graph = Graph([gd.constant(array) for array in arrays])
    back = graph_from_json(graph_to_json(graph))
    for node, array in zip(back.constants, arrays, strict=True):
        assert node.op.value.dtype == array.dtype
        assert node.op.value.tobytes() == array.tobytes()
        assert node.shape == array.shape
        assert not node.op.value.flags.writeable


def test_symbolic_sizes_and_infinities_come_back():
    x = gd.placeholder(("N", "T"), name="x")
    y = gd.pad(gd.concat([x, x], axis=0), ((1, 2), (0, 0)), value=float("-inf"))
    z = gd.reshape(gd.mean(x, axis=1), (-1, 1))
    back = graph_from_json(graph_to_json(Graph({"y": y, "z": z, "size": gd.reshape(x, (-1,))})))
    assert [str(node.type) for node in back.outputs.values()] == ["f32[2*N + 3, T]", "f32[N, 1]", "f32[N*T]"]
    assert back.outputs["y"].op.value == float("-inf")
    assert back.outputs["y"].shape == y.shape


def test_a_variable_comes_back_with_all_that_its_start_is_made_of():
    start = gd.concat([gd.random_uniform((2,)) * 3.0, gd.constant([1.0])], axis=0)
    graph = Graph({"y": gd.Variable(start, name="w") + 1.0})
    back = graph_from_json(graph_to_json(graph))
    assert listing(Graph(back.variables[0].op.initial)) == listing(Graph(start))
    np.testing.assert_array_equal(*[gd.Session(seed=1).run(g.outputs["y"]) for g in (graph, back)])


def test_a_chain_of_a_hundred_thousand_comes_back():
    y = gd.placeholder(name="x")
    for _ in range(100_000):
        y = gd.negative(y)
    text = graph_to_json(Graph({"y": y}))
    back = graph_from_json(text)
    assert len(back) == 100_001
    assert graph_to_json(back) == text


def test_files_are_written_whole_and_read_back(tmp_path):
    path = tmp_path / "모델 graph.json"
    gd.save_graph(classifier(), path)
    assert list(tmp_path.iterdir()) == [path]
    assert listing(gd.load_graph(path)) == listing(classifier())


def test_the_text_does_not_depend_on_the_hash_seed():
    program = "import tests.ir.test_serialize as t; print(t.GOOD)"
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path):
    with pytest.raises(gd.FormatError, match=r"cannot read '.*absent\.json': No such file"):
        gd.load_graph(tmp_path / "absent.json")
    with pytest.raises(gd.FormatError, match=r"cannot read .*: Is a directory"):
        gd.load_graph(tmp_path)
    with pytest.raises(gd.WriteError, match="cannot write"):
        gd.save_graph(classifier(), tmp_path / "no" / "folder.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(gd.FormatError, match=r"bad\.json': its format is None, expected 'graphdl graph'"):
        gd.load_graph(tmp_path / "bad.json")


def test_what_the_compiler_made_for_itself_is_not_saved():
    w, v = (gd.Variable(np.zeros(3, "float32"), name=name) for name in "wv")
    updates = group(assign(w, w * 0.5), assign(v, v * 0.5))
    packed = gd.Session().compile([], updates).graph
    assert packed.packs
    with pytest.raises(
        gd.GraphError, match="a graph with packed nodes was made by the compiler; save the graph it was"
    ):
        graph_to_json(packed)
