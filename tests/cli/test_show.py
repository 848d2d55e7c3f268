"""`graphdl show`: every stage prints what it is."""

from __future__ import annotations

import numpy as np
import pytest

NAIVE = """
    import graphdl as gd
    z = gd.placeholder((3,), "float64", name="z")
    p = gd.exp(z) / gd.sum(gd.exp(z))
    loss = -gd.log(p[0])
"""


def stage(shell, file, name, *words):
    return shell.said("show", file, "--stage", name, *words)


def test_the_graph_is_listed_as_it_was_written(squared):
    listing = squared.said("show", "squared.py")
    assert listing == stage(squared, "squared.py", "graph")
    rows = [row.split("  #")[0].rstrip() for row in listing.splitlines()]
    assert rows == [
        "x: f64 = placeholder",
        "y: f64 = placeholder",
        "t: f64 = add(x, y)",
        "z: f64 = square(t)",
        "-> z",
    ]
    assert listing.splitlines()[2].endswith("# squared.py:6")


def test_stabilised_formulas_name_their_rule(shell):
    shell.write("naive.py", NAIVE)
    assert "log_softmax" not in stage(shell, "naive.py", "graph")
    assert "log_softmax" in stage(shell, "naive.py", "stabilised")


def test_gradients_are_listed_with_what_they_are_gradients_of(squared):
    listing = stage(squared, "squared.py", "gradient")
    assert "# vjp of z (squared.py:7)" in listing
    assert listing.splitlines()[-1] == "-> z, d/x=d/t, d/y=d/t"
    assert stage(squared, "squared.py", "gradient", "--wrt", "t").splitlines()[-1] == "-> z, d/t"


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_source_is_that_of_the_training_program(line, style):
    source = stage(line, "line.py", "source", "--style", style)
    namespace = {"constants": {}}
    exec(compile(source, "source", "exec"), namespace)
    assert "step" in namespace
    assert ("bind" in namespace) is (style == "fast")


def test_readable_source_computes_the_gradient(squared):
    namespace = {}
    exec(stage(squared, "squared.py", "source"), namespace)
    (z, slope), updates = namespace["step"]({}, (0, 0), np.float64(3), np.float64(4))
    assert (float(z), float(slope), updates) == (49, 14, {})


def test_the_level_of_optimisation_can_be_chosen(line):
    assert " affine(" in stage(line, "line.py", "optimised")
    assert " affine(" not in stage(line, "line.py", "optimised", "--level", 0)


def test_the_schedule_has_a_line_a_value_and_its_memory(line):
    rows = stage(line, "line.py", "program").splitlines()
    assert rows[0].split() == ["step", "value", "type", "computed", "as", "lives", "in"]
    (update,) = (row for row in rows if row.endswith("the variable dense/kernel"))
    assert "dense/kernel - " in update
    assert any(row.endswith(" buffers for 13 values:") or " buffers for " in row for row in rows)


def test_passes_are_listed_with_every_rewrite(shell):
    shell.write("naive.py", NAIVE)
    text = stage(shell, "naive.py", "passes")
    assert text.startswith("stabilise")
    assert "from level 0" in text.splitlines()[0]
    assert " log_softmax " in text or "log_of_softmax" in text


def test_the_cost_is_a_polynomial_or_a_number(line):
    """Dense(1) on one feature: a product and a sum for each example forward."""
    polynomial = stage(line, "line.py", "cost")
    assert polynomial.splitlines()[0].split()[:2] == ["scope", "flops"]
    forward = next(row for row in polynomial.splitlines() if row.startswith("dense "))
    assert forward.split()[1] == "3*N"
    forward = next(
        row for row in stage(line, "line.py", "cost", "--at", "N=32").splitlines() if row.startswith("dense ")
    )
    assert forward.split()[1] == "96"


@pytest.mark.parametrize("size", ["N", "N=", "N=x", "N=0", "=3", "N=-1"])
def test_a_size_is_a_name_and_a_number(line, size):
    assert line.refused("show", "line.py", "--stage", "cost", "--at", size) == (
        f"--at {size!r}: expected a size, as in --at N=32"
    )


def test_a_model_is_shown_as_it_trains_or_as_it_predicts(shell):
    shell.write(
        "drop.py",
        """
        from graphdl import keras
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dropout(0.5)])
        model.compile("sgd", "mse")
        """,
    )
    assert "noise" in shell.said("show", "drop.py")
    assert "noise" not in shell.said("show", "drop.py", "--predict")
    assert "no loss here" in shell.refused("show", "drop.py", "--predict", "--wrt", "dense/kernel")


def test_predict_is_for_models(squared):
    assert squared.refused("show", "squared.py", "--predict") == "--predict is for models; squared.py:loss is a Node"


def test_what_has_no_loss_has_no_gradient(shell):
    shell.write("vector.py", "import graphdl as gd\nx = gd.placeholder((3,), name='x')\ngraph = gd.Graph(x + 1)\n")
    assert shell.refused("show", "vector.py", "--stage", "gradient") == (
        "vector.py:graph has no scalar loss to differentiate"
    )
    assert "xp" in stage(shell, "vector.py", "source")


def test_an_unknown_stage_lists_those_there_are(squared):
    assert "'sauce' is not one of 'graph', 'stabilised', 'gradient'" in squared.refused(
        "show", "squared.py", "--stage", "sauce"
    )


def test_updates_of_a_graph_are_shown(shell):
    shell.write(
        "step.py",
        """
        import graphdl as gd
        w = gd.Variable(2.0, name="w")
        loss = gd.square(w)
        training = gd.assign(w, w - 0.1 * gd.gradients(loss, w))
        """,
    )
    assert "w <- " in shell.said("show", "step.py:training")


@pytest.mark.parametrize("first", ['keras.Input((1,), name="x"), ', ""])
def test_every_node_of_a_model_is_traced_to_a_line_of_the_users_file(line, first):
    """Also where the model takes its shape from the data, and where the optimizer builds nodes later."""
    text = (line.folder / "line.py").read_text()
    line.write("line.py", text.replace('keras.Input((1,), name="x"), ', first).replace('"sgd"', '"adam"'))
    rows = [row for row in stage(line, "line.py", "gradient").splitlines() if " = " in row]
    assert len(rows) > 20
    assert all("line.py:" in row.split("# ")[1] for row in rows)


def test_a_size_is_for_the_cost(line):
    assert line.refused("show", "line.py", "--at", "N=32") == "--at is for --stage cost, found --stage graph"
