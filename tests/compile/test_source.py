"""Generated source: the same every time, quoted when it fails, deep where the graph is."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import graphdl as gd
from graphdl.compile.lower import number_text

PROGRAM = """
    import hashlib
    import numpy as np
    import graphdl as gd
    x, t = gd.placeholder((None, 4), name="x"), gd.placeholder((None,), "int64", name="t")
    loss = 0.0
    Ws = [gd.Variable(gd.random_normal((4, 4)), name=f"W{i}") for i in range(3)]
    h = x
    for W in Ws:
        h = gd.dropout(gd.tanh(h @ W), 0.3)
    loss = gd.mean(gd.cross_entropy(h, t))
    update = gd.group(*[gd.assign(W, W - 0.1 * g) for W, g in zip(Ws, gd.gradients(loss, Ws))])
    session = gd.Session()
    texts = [session.compile([loss], update, style=s).source for s in ("readable", "fast")]
    feeds = {x: np.arange(8.0).reshape(2, 4), t: [0, 3]}
    for _ in range(3):
        value, _ = session.run([loss, update], feeds)
    digest = session.state.digest()
    print(hashlib.sha256("".join(texts).encode()).hexdigest(), value, digest)
"""


def test_source_and_numbers_do_not_depend_on_the_hash_seed():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1


def test_readable_source_reads_as_the_user_wrote_it():
    x = gd.placeholder((None, 3), name="x")
    W, b = gd.Variable(np.ones((3, 2), "f"), name="W"), gd.Variable(np.zeros(2, "f"), name="b")
    y = gd.relu(gd.add(x @ W, b, name="z"), name="y")
    text = gd.Session().compile(y, style="readable").source
    code = [line.split("  #")[0].rstrip() for line in text.splitlines() if line.strip()]
    comments = [line.split("  # ")[1] for line in text.splitlines() if "  # " in line]
    assert code == [
        "import numpy as xp",
        "def step(variables, key, x):",
        "    W = variables['W']",
        "    b = variables['b']",
        "    N = x.shape[0]",
        "    z = xp.dot(x, W) + b",
        "    y = xp.maximum(z, 0)",
        "    fetches = (",
        "        y,",
        "    )",
        "    updates = {",
        "    }",
        "    return fetches, updates",
    ]
    assert comments == ["f32[3, 2]", "f32[2]", "f32[N, 2]", "f32[N, 2]"]


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_failing_line_is_quoted_with_its_node_and_the_line_of_the_user(style):
    x = gd.placeholder((None, 3), name="x")
    i = gd.placeholder((None,), "int64", name="i")
    with gd.name_scope("embedding"):
        rows = gd.take(x, gd.cast(i, "int64") + 0, axis=1, name="rows")
    session = gd.Session(style=style)
    with pytest.raises(gd.ExecutionError) as caught:
        session.run(gd.sum(rows), {x: np.ones((2, 3)), i: [7, 0]})
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("take failed with IndexError: index 7 is out of bounds for axis 1 with size 3")
    assert lines[1] == "    node  embedding/rows: f32[N, N]"
    assert lines[2].startswith("    line  ")
    assert "xp.take(x, " in lines[2]
    assert lines[3].startswith("  written at test_source.py:")
    assert 'rows = gd.take(x, gd.cast(i, "int64") + 0, axis=1, name="rows")' in lines[3]
    assert isinstance(caught.value.__cause__, IndexError)


def test_a_session_goes_on_after_a_failing_run():
    x = gd.placeholder((3,), name="x")
    i = gd.placeholder((), "int64", name="i")
    v = gd.Variable(np.zeros((), "f"), name="v")
    step = gd.assign(v, v + gd.take(x, i))
    session = gd.Session()
    session.run(step, {x: [1, 2, 3], i: 0})
    with pytest.raises(gd.ExecutionError):
        session.run(step, {x: [1, 2, 3], i: 9})
    session.run(step, {x: [1, 2, 3], i: 2})
    assert session.value(v) == 4


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_chain_of_5000_nodes_compiles_and_runs(style):
    x = gd.placeholder((2,), "float64", name="x")
    h = x
    for _ in range(5000):
        h = gd.sin(h)
    expected = np.array([0.5, 1.0])
    for _ in range(5000):
        expected = np.sin(expected)
    np.testing.assert_array_equal(gd.Session(style=style).run(h, {x: [0.5, 1.0]}), expected)


def test_a_sum_of_5000_values_compiles_and_runs():
    x = gd.placeholder((), "float64", name="x")
    total = gd.add_n(*[x * float(i) for i in range(5000)])
    for level in (0, 2):
        assert gd.Session(level=level).run(total, {x: 1.0}) == sum(range(5000))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "number", [0.1, -0.0, 1e-45, 5e-324, 3.4028235e38, 1e300, 1 / 3, 16777217.0, np.inf, -np.inf, np.nan, 2.0**-126]
)
def test_a_number_in_the_text_reads_back_as_the_same_bits(number, dtype):
    with np.errstate(all="ignore"):
        value = np.array(number, dtype)
    back = np.array(eval(number_text(value), {"xp": np}), dtype)
    assert back.tobytes() == value.tobytes()


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2), (8, 8), (9, 9), (0, 3), (1, 0)])
def test_constants_of_any_size_arrive_with_their_bits(shape, style):
    values = np.random.default_rng(0).standard_normal(shape).astype("f")
    c = gd.constant(values)
    found = gd.Session(style=style, level=0).run([c, c * 1], {})
    assert np.asarray(found[0]).tobytes() == values.tobytes()
    assert np.asarray(found[1]).tobytes() == values.tobytes()


@pytest.mark.parametrize("name", ["readable", "fast"])
def test_every_line_of_a_node_leads_back_to_it(name):
    x = gd.placeholder((None, 3), name="x")
    y = gd.softplus(x * 2.0, name="y")
    module = gd.Session(level=0).compile(y, style=name).module
    assert module.nodes
    labels = {module.line(number): node.label for number, node in module.nodes.items()}
    assert any(label == "y" for label in labels.values())
    assert all(number <= len(module.text.splitlines()) for number in module.nodes)


def test_the_debugger_finds_the_text_in_linecache():
    import linecache

    x = gd.placeholder((), name="x")
    session = gd.Session()
    compiled = session.compile(gd.exp(x))
    assert "".join(linecache.getlines(compiled.loaded.file)) == compiled.source
