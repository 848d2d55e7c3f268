"""Graphs as JSON: what was saved comes back, and what is damaged or crafted is refused by name."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def signed(document):
    """The document with the right hash, as a forger would write it."""
    content = {key: document[key] for key in ("nodes", "outputs", "updates", "sized_by")}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return json.dumps({**document, "sha256": hashlib.sha256(canonical.encode()).hexdigest()})


def forged(change):
    document = json.loads(GOOD)
    change(document)
    return signed(document)


def place(op):
    return next(i for i, node in enumerate(json.loads(GOOD)["nodes"]) if node["op"] == op)


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
    assert [n.op.attributes() for n in back.nodes] == [n.op.attributes() for n in graph.nodes]
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


DAMAGED = {
    "no json": ("{", "it is no JSON"),
    "nothing": ("", "it is no JSON"),
    "no object": ("[1]", "its format is [1]"),
    "another format": ('{"format": "onnx"}', "its format is 'onnx', expected 'graphdl graph'"),
    "a later version": (GOOD.replace('"version": 1', '"version": 2'), "its version is 2, this graphdl reads 1"),
    "no version": (GOOD.replace('"version": 1,', ""), "its version is None"),
    "a version that is true": (GOOD.replace('"version": 1', '"version": true'), "its version is True"),
    "an extra key": (GOOD.replace('"version": 1', '"version": 1, "run": "os"'), "expected format, version, sha256"),
    "a changed number": (GOOD.replace('"axis": [0]', '"axis": [1]'), "it is damaged: its hash is"),
    "no hash": (GOOD.replace('"sha256"', '"sha257"'), "expected format, version, sha256"),
    "NaN": (GOOD.replace('"line": ', '"line": NaN, "x": ', 1), "NaN is no JSON number"),
    "brackets": ("[" * 100_000, "it is no JSON"),
    "deep nodes": (GOOD.replace('"updates": [', '"updates": [' + "[" * 900 + "]" * 900 + ",", 1), "it is damaged"),
    "binary": (b"\x80\x04\x95pickle", "it is no JSON"),
    "half": (GOOD[: len(GOOD) // 2], "it is no JSON"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_file_is_refused_with_what_was_found(what):
    text, message = DAMAGED[what]
    with pytest.raises(gd.FormatError) as refused:
        graph_from_json(text)
    assert message in str(refused.value)
    assert len(str(refused.value)) < 500


def change(op, /, **facts):
    def apply(document):
        record = document["nodes"][place(op)]
        for key, value in facts.items():
            record[key] = value if key != "attributes" else {**record.get("attributes", {}), **value}

    return apply


ARRAY = {"dtype": "float32", "shape": [], "base64": "AACAPw=="}
FORGED = {
    "an unknown op": (change("matmul", op="matmull"), "there is no op 'matmull'. Did you mean 'matmul'?"),
    "an op that is a module": (change("matmul", op="os.system"), "there is no op 'os.system'"),
    "an op that is a list": (change("matmul", op=["matmul"]), "its op is ['matmul'], expected a name"),
    "a compiler's leaf": (change("noise", op="packed"), "packed nodes are made by the compiler"),
    "a later input": (change("matmul", inputs=[0, 10_000]), "it refers to node 10000, expected one of the"),
    "a negative input": (change("matmul", inputs=[0, -1]), "it refers to node -1"),
    "an input of itself": (lambda d: change("matmul", inputs=[place("matmul"), 1])(d), "it refers to node"),
    "an input that is true": (change("matmul", inputs=[0, True]), "it refers to node True"),
    "no input list": (change("matmul", inputs="01"), "its inputs are '01', expected a list"),
    "too few inputs": (change("matmul", inputs=[0]), "it does not fit its inputs: "),
    "too many inputs": (change("log", inputs=[0, 0]), "it does not fit its inputs: "),
    "another type": (change("matmul", type="f32[N, 9]"), "its type is f32[N, 3], the file says 'f32[N, 9]'"),
    "another dtype": (change("exp", type="f64[N, 3]"), "its type is f32[N, 3], the file says 'f64[N, 3]'"),
    "a type that is code": (change("placeholder", type="os.system('true')"), "expected one such as 'f32[N, 784]'"),
    "a size that is code": (change("placeholder", type="f32[N if N else N]"), "expected a size such as 32"),
    "a negative size": (change("placeholder", type="f32[-3]"), "expected a size such as 32"),
    "a huge size": (change("placeholder", type="f32[99999999999999999999]"), "expected a size such as 32"),
    "a size not as printed": (change("placeholder", type="f32[N*1]"), "expected a size such as 32"),
    "many terms": (
        change("placeholder", type=f"f32[{', '.join(['A + B + C + D + E + F'] * 6)}]"),
        "sizes of 46656 terms, more than graphdl takes",
    ),
    "many axes": (change("placeholder", type=f"f32[{', '.join('1' * 40)}]"), "a shape has 40 axes"),
    "an unknown key": (change("matmul", run="os"), "it has 'op', 'type', 'inputs', "),
    "a missing attribute": (lambda d: d["nodes"][place("mean")]["attributes"].pop("axis"), "attribute 'axis' is miss"),
    "an unknown attribute": (change("mean", attributes={"axes": [0]}), "no attribute 'axes'. Did you mean 'axis'?"),
    "attributes of an op without": (change("matmul", attributes={"a": 1}), "there is no attribute 'a'"),
    "attributes of an elementwise op": (change("exp", attributes={"a": 1}), "exp has no attributes, found {'a': 1}"),
    "an attribute of another type": (change("mean", attributes={"axis": "0"}), "'axis': found '0', expected a list"),
    "a truth value for a number": (change("mean", attributes={"axis": [True]}), "found True, expected int"),
    "an axis that is not there": (change("mean", attributes={"axis": [7]}), "axis 7 of a value with 1 axes"),
    "an axis from behind": (change("argmax", attributes={"axis": -1}), "found -1, expected axes counted from 0"),
    "a dtype that is code": (
        change("cast", attributes={"dtype": 'float32"); import os; ("'}),
        "attribute 'dtype': found 'float32\"); import os",
    ),
    "an unknown dtype": (change("cast", attributes={"dtype": "object"}), "found 'object', expected one of float32"),
    "noise that is code": (change("noise", attributes={"kind": "os.system"}), "noise is 'os.system' of f32[4, 3]"),
    "a rule that is code": (
        change("matmul", origin={"rule": "x\nimport os", "replaces": 0}),
        "its origin is {'rule': 'x\\nimport os'",
    ),
    "a file that is a path": (
        change("matmul", origin={"file": "/etc/passwd", "line": 1}),
        "its origin is line 1 of '/etc/passwd', expected a file name and a number",
    ),
    "a file with a newline": (change("matmul", origin={"file": "a\nb.py", "line": 1}), "expected a file name"),
    "an origin that is later": (change("matmul", origin={"vjp_of": 900}), "it refers to node 900"),
    "a name that is a number": (change("matmul", name=3), "its name is 3 in scope 'model', expected texts"),
    "an empty name": (change("matmul", name=""), "its name is '' in scope"),
    "a variable that starts from another shape": (
        change("variable", attributes={"initial": 0}),
        "a variable f32[4, 3] starts from f32[N, 4]",
    ),
    "trainable that is 1": (change("variable", attributes={"trainable": 1}), "trainable 1"),
    "fewer bytes than the shape says": (
        change("constant", attributes={"value": {**ARRAY, "shape": [10**9, 10**9]}}),
        "an array has 8 characters of base64, expected 5333333333333333336",
    ),
    "bytes that are no base64": (change("constant", attributes={"value": {**ARRAY, "base64": "????????"}}), "no"),
    "an array of objects": (change("constant", attributes={"value": {**ARRAY, "dtype": "object"}}), "has dtype 'obj"),
    "an array with an extra key": (change("constant", attributes={"value": {**ARRAY, "x": 1}}), "an array is {"),
    "an output that is not there": (lambda d: d["outputs"].append(["y", 999]), "it refers to node 999"),
    "two outputs of one name": (lambda d: d["outputs"].append(["loss", 0]), "two outputs have one name"),
    "an output without name": (lambda d: d["outputs"].append([3, 0]), "an output is [3, 0]"),
    "an update of no variable": (lambda d: d["updates"].append([0, 0]), "an update gives f32[N, 4] of a placeholder"),
    "an update of another type": (
        lambda d: d["updates"].append([place("variable"), 0]),
        "an update gives f32[4, 3] of a variable a value f32[N, 4]",
    ),
    "a variable updated twice": (lambda d: d["updates"].append(d["updates"][0]), "a variable is updated twice"),
    "a size settled by a variable": (
        lambda d: d["sized_by"].append(place("variable")),
        "sizes are settled by placeholders",
    ),
    "nodes that are no list": (lambda d: d.update(nodes={}), "'nodes' is {}, expected a list"),
    "a node that is no object": (lambda d: d["nodes"].insert(0, "x"), "node 0: it is 'x', expected an object"),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_file_is_refused_naming_the_node(what):
    forge, message = FORGED[what]
    with pytest.raises(gd.FormatError) as refused:
        graph_from_json(forged(forge))
    assert message in str(refused.value)
    assert len(str(refused.value)) < 600


def test_errors_say_which_node():
    with pytest.raises(gd.FormatError) as refused:
        graph_from_json(forged(change("matmul", type="f32[N, 9]")))
    assert str(refused.value).startswith(f"node {place('matmul')} (matmul): ")


def test_names_that_are_code_come_back_as_names_and_reach_no_program():
    hostile = '"; __import__("os").system("true") #\n</script>'
    document = json.loads(graph_to_json(Graph({hostile: gd.placeholder((2,), name="x") * 2.0})))
    document["nodes"][0]["name"] = hostile
    back = graph_from_json(signed(document))
    session = gd.Session()
    (feed,), (y,) = back.placeholders, back.outputs.values()
    assert feed.label == hostile
    assert session.run(y, {feed: [1.0, 2.0]}).tolist() == [2, 4]
    source = session.compile(y).source
    assert not any(line.strip().startswith("__import__") for line in source.splitlines())


def test_a_claim_of_many_bytes_is_refused_before_they_are_allocated():
    start = time.perf_counter()
    with pytest.raises(gd.FormatError):
        graph_from_json(forged(FORGED["fewer bytes than the shape says"][0]))
    assert time.perf_counter() - start < 1


def _mutated(draw, text):
    """`text` cut, or with some characters flipped, doubled or dropped."""
    kind = draw.randrange(4)
    at = draw.randrange(len(text))
    if kind == 0:
        return text[:at]
    if kind == 1:
        return text[:at] + chr(draw.randrange(32, 127)) + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at + draw.randrange(1, 50) :]
    end = at + draw.randrange(1, 50)
    return text[:end] + text[at:end] + text[end:]


@given(st.integers(0, 2**32))
@settings(max_examples=300)
def test_random_damage_is_refused_or_harmless(seed):
    try:
        back = graph_from_json(_mutated(random.Random(seed), GOOD))
    except gd.FormatError:
        return
    assert graph_to_json(back) == GOOD


_VALUES = [None, True, -1, 0, 1, 3, 10**30, 0.5, "", "N", "f32", "float32", [], [0], [0, 0], {}, {"a": 1}, [[0, 1, 1]]]


def _replaced(draw, document):
    """`document` with one value anywhere in it exchanged for another."""
    holder, key = document, draw.choice(["nodes", "outputs", "updates", "sized_by"])
    while isinstance(holder[key], list | dict) and holder[key] and draw.random() < 0.9:
        holder = holder[key]
        key = draw.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key] = draw.choice(_VALUES)
    return document


@given(st.integers(0, 2**32))
@settings(max_examples=300)
def test_random_forgeries_are_refused_or_are_whole_graphs(seed):
    try:
        back = graph_from_json(signed(_replaced(random.Random(seed), json.loads(GOOD))))
    except gd.FormatError:
        return
    again = graph_from_json(graph_to_json(back))
    assert listing(again) == listing(back)
    assert all(node.type == node.op.infer(*[source.type for source in node.inputs]) for node in back.nodes)


def test_truncated_base64_is_not_mistaken_for_a_smaller_array():
    raw = base64.b64encode(b"\0" * 11).decode()
    with pytest.raises(gd.FormatError, match="an array has 11 bytes, expected 12"):
        graph_from_json(forged(change("constant", attributes={"value": {**ARRAY, "shape": [3], "base64": raw}})))
