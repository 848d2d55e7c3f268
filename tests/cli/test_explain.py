"""`graphdl explain`: topics, rules, batches, and what happens in the graph of a file."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from graphdl.errors import GraphError
from graphdl.explain import listing
from graphdl_cli.explain import explain
from graphdl_cli.failures import UserError
from tests.conftest import ROOT


def run(*words):
    result = CliRunner().invoke(explain, [str(word) for word in words], catch_exceptions=False, standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.stdout


def refused(*words):
    with pytest.raises((UserError, GraphError)) as error:
        run(*words)
    return str(error.value)


def test_without_a_topic_the_topics_are_listed():
    text = run()
    assert text.startswith("topics:\n  chain-rule ")
    assert "what graphdl lint finds:" in text
    assert all(f"  {name} " in text for name, _ in listing())
    assert run("--lang", "ko").startswith("주제:\n")


@pytest.mark.parametrize("name", [name for name, _ in listing()])
def test_every_topic_and_rule_can_be_asked_for(name):
    assert run(name) != run(name, "--lang", "ko")


def test_batches_are_counted():
    text = run("batches", "--n", 1000, "--batch", 100, "--epochs", 5)
    assert "1000 / 100 = 10 iterations an epoch\n    10 * 5 = 50 steps" in text
    assert "ceil(1050 / 100) = 에포크당 이터레이션 11" in run("batches", "--n", 1050, "--lang", "ko")
    assert refused("nan", "--n", 3) == "--n is for graphdl explain batches"


def test_an_unknown_topic_suggests_one():
    assert refused("zero-gradiant").startswith("there is no topic 'zero-gradiant'. Did you mean 'zero-gradient'?")


ACCURACY = """
    import graphdl as gd
    x = gd.placeholder((None, 2), "float64", name="x")
    t = gd.placeholder((None,), "int64", name="t")
    W = gd.Variable([[1.0, 0.0], [0.0, 1.0]], "float64", name="W")
    guess = gd.argmax(x @ W, name="guess")
    loss = gd.mean(gd.cast(gd.equal(guess, t), "float64"), name="accuracy")
    feeds = {x: [[1.0, 2.0]], t: [1]}
"""


def test_zero_gradients_of_a_file_are_explained(shell):
    shell.write("accuracy.py", ACCURACY)
    text = run("zero-gradient", "accuracy.py")
    assert text.splitlines() == [
        "gradients of accuracy:",
        "  W: 0 everywhere. guess (accuracy.py:6): argmax is an index: flat everywhere, with jumps",
    ]


def test_zero_gradients_of_a_model_are_explained_on_its_data(line):
    rows = run("zero-gradient", "line.py").splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["  dense/kernel: arrives", "  dense/bias: arrives"]


def test_nan_of_a_file_is_explained(shell):
    shell.write(
        "naive.py",
        """
        import graphdl as gd
        z = gd.placeholder((3,), "float64", name="z")
        loss = -gd.log((gd.exp(z) / gd.sum(gd.exp(z)))[0])
        feeds = {z: [0.0, 1000.0, 5.0]}
        """,
    )
    text = run("nan", "naive.py")
    assert "since graphdl rewrites the formulas" in text
    assert "written at naive.py:4" in text


def test_nan_needs_values(shell):
    shell.write("empty.py", "import graphdl as gd\nx = gd.placeholder((), name='x')\nloss = gd.log(x)\n")
    assert refused("nan", "empty.py") == (
        "empty.py needs values for 'x': define feeds = {...} in it, or give --feed FILE.npz"
    )


def test_other_topics_take_no_file(line):
    assert refused("one-hot", "line.py") == (
        "FILE.py goes with zero-gradient and nan; for findings about it, graphdl lint line.py"
    )


def test_a_file_without_a_loss_is_refused(shell):
    shell.write("table.py", "import graphdl as gd\ngraph = [gd.placeholder((2,), name='x') * 2]\n")
    assert refused("zero-gradient", "table.py:graph").startswith("table.py:graph has no scalar loss to differentiate")


@pytest.mark.parametrize("example", ["xor", "multi_output", "chain_rule"])
def test_examples_have_neither_zero_gradients_nor_nan(example):
    path = ROOT / "examples" / f"{example}.py"
    assert " 0 everywhere" not in run("zero-gradient", path)
    assert run("nan", path).startswith("loss and gradients are finite on these values")
