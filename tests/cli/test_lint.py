"""`graphdl lint`: findings in the manner of compilers, as JSON, in Korean, and its exit status."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from graphdl_cli.lint import lint
from tests.conftest import ROOT

TWICE = """
    import numpy as np
    from graphdl import keras

    model = keras.Sequential([
        keras.Input((4,)),
        keras.layers.Dense(8),
        keras.layers.Dense(3, activation="softmax"),
    ])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = np.zeros((6, 4)), np.arange(6) % 3
"""
GRAPH = """
    import graphdl as gd
    x = gd.placeholder((None, 2), "float64", name="x")
    W = gd.Variable([[1.0], [1.0]], "float64", name="W")
    loss = gd.mean(gd.square(x @ W))
    feeds = {x: [[300.0, -200.0], [100.0, 0.0]]}
"""


def run(*words):
    return CliRunner().invoke(lint, [str(word) for word in words])


@pytest.fixture
def twice(shell):
    shell.write("twice.py", TWICE)
    return shell


@pytest.mark.filterwarnings("error")
class TestFindings:
    def test_each_has_its_place_its_rule_the_line_and_help(self, twice):
        result = run("twice.py")
        assert result.exit_code == 1
        assert result.stdout.splitlines() == [
            "twice.py:7: warning: linear-after-linear: dense and dense_1 are one linear layer: without an activation "
            "between them (4, 8) times (8, 3) is one matrix (4, 3)",
            "    keras.layers.Dense(8),",
            "  help: give dense an activation such as 'relu', or leave the layer out",
            "twice.py:8: error: softmax-twice: the probabilities of dense_1 go through softmax a second time, so the "
            "loss cannot fall below 0.5514",
            '    keras.layers.Dense(3, activation="softmax"),',
            "  help: drop the activation of dense_1 and keep from_logits=True, or keep the activation and drop "
            "from_logits",
            "1 error, 1 warning; more: graphdl explain linear-after-linear",
        ]

    def test_are_printed_in_korean(self, twice):
        lines = run("twice.py", "--lang", "ko").stdout.splitlines()
        assert "softmax를 한 번 더 적용" in lines[3]
        assert lines[-1] == "오류 1, 경고 1. 자세히: graphdl explain linear-after-linear"

    def test_are_data_for_programs(self, twice):
        result = run("twice.py", "--json")
        found = json.loads(result.stdout)
        assert result.exit_code == 1
        assert [(f["rule"], f["severity"], f["line"]) for f in found] == [
            ("linear-after-linear", "warning", 7),
            ("softmax-twice", "error", 8),
        ]
        assert set(found[0]) == {"rule", "severity", "message", "try", "node", "file", "line"}

    def test_of_a_graph_take_its_feeds(self, shell):
        shell.write("graph.py", GRAPH)
        result = run("graph.py")
        assert result.stdout.startswith("graph.py:3: warning: unscaled-inputs: x goes into a layer unscaled: column 0")
        assert result.exit_code == 0
        assert run("graph.py", "--strict").exit_code == 1


def test_a_good_model_has_none(line):
    result = run("line.py", "--strict")
    assert (result.exit_code, result.stdout) == (0, "no findings\n")
    assert run("line.py", "--lang", "ko").stdout == "문제 없음\n"
    assert run("line.py", "--json").stdout == "[]\n"


# What a teacher would say about an example, too.
SAID = {
    "course_network": ["hidden-sigmoid"],
    # What it is about: 95 of 100 are men.
    "gender": ["class-imbalance"],
    # A window of one pixel and one channel that is never negative: where its weight is negative, nothing passes.
    "inception": ["dead-relu", "dead-relu", "dead-relu"],
}


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_the_examples_are_left_in_peace(example, example_data):
    example_data(example.stem)
    if example.stem.startswith("digits"):
        pytest.importorskip("sklearn")
    result = run(example, "--json")
    assert (result.exit_code, [f["rule"] for f in json.loads(result.stdout)]) == (0, SAID.get(example.stem, []))


def test_the_split_that_a_file_names_is_looked_at(shell):
    shell.write(
        "sorted.py",
        """
        import numpy as np
        from graphdl import keras
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(5, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        data = np.linspace(-1, 1, 100), np.repeat(np.arange(5), 20)
        validation_split = 0.2
        """,
    )
    result = run("sorted.py")
    assert "unseen-classes: validation_split=0.2 takes the last 20 examples, and class 4" in result.stdout


def test_a_hostile_name_stays_on_its_line(shell):
    shell.write(
        "hostile.py",
        r"""
        import graphdl as gd
        x = gd.placeholder((3,), "float64", name="a\nerror: b\x1b[31m")
        loss = gd.mean(gd.log(gd.relu(x, name="r\n\nhelp: no")))
        """,
    )
    result = run("hostile.py")
    assert len(result.stdout.splitlines()) == 4
    assert "\x1b" not in result.stdout


def test_a_model_is_looked_at_with_the_examples_of_a_file(shell):
    shell.write("net.py", TWICE.rsplit("    data =", 1)[0])
    shell.write("t.csv", "나이,소득,a,b,c\n" + "".join(f"20,{1000 + 100 * i},1,0,{i % 3}\n" for i in range(9)))
    rules = [f["rule"] for f in json.loads(run("net.py", "--data", "t.csv", "--target", "c", "--json").stdout)]
    assert "unscaled-inputs" in rules
    assert "unscaled-inputs" not in run("net.py", "--json").stdout


def test_feeds_are_for_graphs_and_data_for_models(shell):
    shell.write("twice.py", TWICE)
    shell.write("graph.py", GRAPH)
    assert shell.refused("lint", "twice.py", "--feed", "x.npz").startswith("--feed is for graphs; a model is looked at")
    assert shell.refused("lint", "graph.py", "--data", "t.csv") == (
        "--data is for models; graph.py:loss is a Node, give --feed"
    )
