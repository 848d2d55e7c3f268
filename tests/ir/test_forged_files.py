"""Graph files that are damaged or crafted: each is refused by name, nothing runs, nothing large is allocated."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl.ir.graph import Graph
from graphdl.ir.serialize import graph_from_json, graph_to_json
from graphdl.ir.text import listing
from tests.ir.test_serialize import GOOD


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
    "a seed that is none": (
        change("noise", attributes={"kind": "uniform", "seed": [1.5, 0]}),
        "the seed of noise is [1.5, 0], expected a seed and a stream",
    ),
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
