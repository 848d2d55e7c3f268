"""Costs against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.analysis.cost import Cost, cost, cost_of, memory
from graphdl.analysis.table import cost_table, dim_text
from graphdl.ir.dim import symbol
from graphdl.ir.graph import Graph
from graphdl.ir.op import build
from tests.ops.checks import all_cases

N = symbol("N")


def dense():
    """relu(x W + b) with its gradients: 784 inputs, 128 units, float32."""
    x = gd.placeholder((None, 784), name="x")
    with gd.name_scope("dense"):
        W = gd.Variable(np.zeros((784, 128), "float32"), name="W")
        b = gd.Variable(np.zeros(128, "float32"), name="b")
        h = gd.relu(x @ W + b)
    with gd.name_scope("loss"):
        loss = gd.sum(h)
    dW, db = gd.gradients(loss, [W, b])
    return Graph({"loss": loss, "dW": dW, "db": db})


def test_a_dense_layer_costs_what_the_textbook_says():
    found = cost(dense())
    # A product of an N x 784 and a 784 x 128 matrix is N 128 inner products of 784 multiplications and additions.
    product = 2 * 784 * 128
    assert product == 200_704
    assert found.scopes["dense"].flops == (product + 128 + 128) * N
    # Backward: the mask of relu and the sum of the bias, each once an element, and one product for W.
    assert found.scopes["d/dense"].flops == (product + 128 + 128) * N
    assert found.total.at({"N": 32}).flops == 32 * (2 * product + 5 * 128)


def test_bytes_are_those_of_the_arrays_read_and_written():
    graph = dense()
    found = cost(graph).nodes[graph["dense/matmul"]]
    assert (found.read, found.written) == (4 * 784 * N + 4 * 784 * 128, 4 * 128 * N)
    assert found.at({"N": 32}) == Cost(6_422_528, 501_760, 16_384)
    squared = gd.placeholder((10,), "float64")
    assert cost_of(squared * squared) == Cost(10, 80, 80), "an array read twice comes once from memory"


def test_views_move_no_bytes_and_compute_nothing():
    x = gd.placeholder((None, 784))
    for view in (x.T, gd.reshape(x, (-1, 28, 28)), x[:, :3], gd.split(x, 2, axis=1)[0]):
        assert cost_of(view) == Cost(0, 0, 0)


def test_scopes_add_up_to_the_total():
    found = cost(dense())
    for parts in (found.nodes.values(), found.scopes.values()):
        total = Cost(0, 0, 0)
        for part in parts:
            total = total.plus(part)
        assert total == found.total
    assert list(found.scopes) == ["dense", "loss", "d/dense"]


def test_a_polynomial_of_two_sizes_is_evaluated_at_both():
    scores = gd.matmul(gd.placeholder(("T", 64)), gd.placeholder((64, "T")))
    found = cost(Graph(scores)).total
    assert str(found.flops) == "128*T*T"
    assert found.at({"T": 10}).flops == 12_800
    T = gd.to_sympy(symbol("T"))
    assert gd.to_sympy(found.flops) == 128 * T**2


def test_a_size_without_value_is_named():
    with pytest.raises(gd.GraphError, match="the cost depends on size 'N', which has no value; there is 'M'"):
        cost(dense()).total.at({"M": 3})


def test_memory_counts_variables_constants_feeds_and_the_workspace():
    x = gd.placeholder((None, 100), "float64", name="x")
    w = gd.Variable(np.zeros((100, 10)), name="w")
    y = gd.tanh(x @ w) + gd.constant(np.zeros(10))
    compiled = gd.Session(level=0).compile(y)
    held = memory(compiled.graph, compiled.program.plan.buffers)
    assert (held.variables, held.constants, held.feeds) == (8000, 80, 800 * N)
    # The product, tanh in its place, and the sum that is fetched: two arrays of N x 10 at the most, one at the least.
    assert held.workspace in (80 * N, 160 * N)
    assert held.at({"N": 5}).total == 8080 + 4000 + held.at({"N": 5}).workspace


def test_variables_that_are_packed_together_still_take_their_memory():
    w, v = (gd.Variable(np.zeros(3, "float32"), name=name) for name in "wv")
    updates = gd.group(gd.assign(w, w * 0.5), gd.assign(v, v * 0.5))
    assert memory(gd.Session().compile([], updates).graph, ()).variables == 24


def test_the_workspace_is_what_the_running_program_holds():
    x = gd.placeholder((None, 256), name="x")
    h = x
    for _ in range(6):
        h = gd.tanh(h) * 2.0 + x
    compiled = gd.Session().compile(h)
    buffers = compiled.program.plan.buffers
    step = compiled.bind({"N": 1000})
    arrays = [v for v in step.__globals__.values() if isinstance(v, np.ndarray) and v.base is None and v.size > 1000]
    assert memory(compiled.graph, buffers).at({"N": 1000}).workspace == sum(a.nbytes for a in arrays)


def test_the_table_by_scope():
    assert cost_table(dense(), {"N": 32}).splitlines() == [
        "scope         flops  bytes read  bytes written",
        "dense     6,430,720     550,912         49,152",
        "loss          4,096      16,384              4",
        "d/dense   6,430,720     165,888        418,304",
        "total    12,865,536     733,184        467,460",
        "",
        "memory in bytes: variables 401,920 + constants 4 + feeds 100,352 = 502,276",
    ]


def test_the_table_by_node_in_symbols():
    lines = cost_table(dense(), by="node").splitlines()
    assert lines[0].split() == ["node", "flops", "bytes", "read", "bytes", "written"]
    assert lines[1].split() == ["dense/matmul", "200704*N", "3136*N", "+", "401408", "512*N"]
    assert len({len(line) for line in lines[:-2]}) == 1, "columns are aligned"
    assert lines[-1] == "memory in bytes: variables 401,920 + constants 4 + feeds 3136*N = 3136*N + 401924"


def test_numbers_are_shown_with_their_thousands():
    assert dim_text(1234567) == "1,234,567"
    assert dim_text(2 * N) == "2*N"


@pytest.mark.parametrize("case", list(all_cases()), ids=lambda case: f"{case.name}-{case.number}")
def test_every_op_has_a_cost(case):
    found = cost_of(build(case.op, *case.inputs("float32")))
    assert all(isinstance(part, int) and part >= 0 for part in found)


def test_a_graph_of_leaves_costs_nothing():
    assert cost(Graph(gd.placeholder((3,)))).total == Cost(0, 0, 0)
    assert cost_table(Graph(gd.constant(1.0)), {}).endswith("memory in bytes: constants 4 = 4")
